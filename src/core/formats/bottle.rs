//! `bottle`: signed cookies of Bottle.
//!
//! Layout, always in double quotes:
//!
//! ```text
//! "!" base64(HMAC-SHA256(SECRET, the base64 text after the ?)) "?" base64(pickle of [NAME, VALUE])
//! "!WNr6Mm9nQRNlpmVWOmlVDLQyJ0wnIxoGKY2Y1SrZgYU=?gAWVGgAAAAAAAABdlCiMB…"
//! ```
//!
//! The name stands first inside the pickle. A pickle is never loaded here; but how one of a list or of a
//! pair starts whose first entry is a text is fixed in each protocol, and the name is compared there. No
//! time is carried.
//!
//! Source: `bottle.py` (`set_cookie`, `cookie_encode`, `cookie_decode`); checked against Bottle 0.13.4 and
//! 0.12.25 by the vectors. Bottle 0.12 signs with MD5 (`digest = "md5"`), and pickles a tuple where 0.13
//! pickles a list.

use super::description::{Description, FormatOption};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{from_base64, is_base64, push_base64, python_quoted, python_unquoted};

pub const FORMATS: &[Description] = &[Description {
    name: "bottle",
    used_by: "Bottle 0.13",
    options: &[FormatOption::digest("sha256", "`\"md5\"` before 0.13")],
    read: bottle,
}];

fn bottle(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    Some(Box::new(Bottle(digest.unwrap_or(Digest::Sha256))))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bottle(Digest);

impl Format for Bottle {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: true,
            ..FormatProperties::of(Payload::Of("bottle"))
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.0,
            signs: "PICKLE",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedBottle {
            name: cookie.to_owned(),
            mac: Mac::new(self.0, key.bytes()),
            signature_len: self.0.size().div_ceil(3) * 4,
        }))
    }
}

struct KeyedBottle {
    name: String,
    mac: Mac,
    signature_len: usize,
}

impl KeyedBottle {
    fn signature(&self, pickle: &str) -> String {
        let mut text = String::with_capacity(self.signature_len);
        push_base64(&mut text, &self.mac.sign(&[pickle.as_bytes()]));
        text
    }
}

impl Keyed for KeyedBottle {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = python_unquoted(value);
        let (signature, pickle) = text
            .strip_prefix('!')
            .and_then(|rest| rest.split_once('?'))
            .ok_or(Refusal::Shape)?;
        if signature.len() != self.signature_len || !is_base64(signature) || !is_base64(pickle) {
            return Err(Refusal::Shape);
        }
        if !equal(self.signature(pickle).as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        let is_for = |bytes: Vec<u8>| first_text(&bytes) == Some(self.name.as_bytes());
        if from_base64(pickle).is_some_and(is_for) {
            Ok(Content::of(pickle.as_bytes().to_vec()))
        } else {
            Err(Refusal::Content)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let pickle = content
            .text()
            .ok()
            .filter(|pickle| is_base64(pickle))
            .ok_or(Uncarriable)?;
        let text = format!("!{}?{pickle}", self.signature(pickle));
        python_quoted(&text).ok_or(Uncarriable)
    }
}

/// The text with which a pickled list or pair starts: `PROTO`, a `FRAME` from protocol 4 on, of a list also
/// `EMPTY_LIST`, its memo and `MARK`, and a text of short or long length (`Lib/pickletools.py`).
fn first_text(pickle: &[u8]) -> Option<&[u8]> {
    let rest = match pickle {
        [0x80, 2 | 3, rest @ ..] => rest.strip_prefix(b"]q\0(").unwrap_or(rest),
        [0x80, 4 | 5, 0x95, _, _, _, _, _, _, _, _, rest @ ..] => {
            rest.strip_prefix(b"]\x94(").unwrap_or(rest)
        }
        _ => return None,
    };
    match rest {
        [0x8C, length, text @ ..] => text.get(..usize::from(*length)),
        [b'X', a, b, c, d, text @ ..] => {
            text.get(..usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // pickle.dumps(["sid", 1], protocol) for each protocol that Bottle may write
    #[test]
    fn the_name_is_found_in_every_protocol() {
        for pickle in [
            &b"\x80\x02]q\x00(X\x03\x00\x00\x00sidq\x01K\x01e."[..],
            b"\x80\x03]q\x00(X\x03\x00\x00\x00sidq\x01K\x01e.",
            b"\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x03sid\x94K\x01e.",
            b"\x80\x05\x95\x0d\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x03sid\x94K\x01e.",
        ] {
            assert_eq!(first_text(pickle), Some(&b"sid"[..]));
            for end in 0..pickle.len() {
                first_text(&pickle[..end]);
            }
        }
    }

    // pickle.dumps(("sid", 1), protocol), which Bottle 0.12 signs
    #[test]
    fn the_name_is_found_in_a_pair_too() {
        for pickle in [
            &b"\x80\x02X\x03\x00\x00\x00sidq\x00K\x01\x86q\x01."[..],
            b"\x80\x03X\x03\x00\x00\x00sidq\x00K\x01\x86q\x01.",
            b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x03sid\x94K\x01\x86\x94.",
            b"\x80\x05\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x03sid\x94K\x01\x86\x94.",
        ] {
            assert_eq!(first_text(pickle), Some(&b"sid"[..]));
        }
    }
}
