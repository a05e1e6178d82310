//! `keygrip`: signed cookies of Node's `cookies` and Keygrip, and so of Koa, koa-session and cookie-session.
//!
//! Layout: two cookies, value and signature; the base64 is base64url without padding.
//!
//! ```text
//! NAME=VALUE; NAME.sig=base64(HMAC-SHA1(SECRET, NAME "=" VALUE))
//! theme=lang-671617; theme.sig=vnZKxfGGVIc5--tXAtmrhDg81QQ
//! ```
//!
//! To the gate both are one text, `VALUE;SIGNATURE`. A request may show several signatures for a value: one MAC
//! tells whether the right one is among them. `Keygrip(keys, "sha256",
//! "hex")` and the like set `digest` and `encoding`. The signature is compared as text. The name is bound, no
//! time is carried. VALUE is not encoded; one in double quotes is read without them, and written so. (Of
//! whatever starts with a quote, the signature too, `cookies` drops the first and the last character; it
//! writes no such thing, and here a lone quote is a part of VALUE and a signature in quotes is refused.)
//!
//! Node shows a header's bytes as one character each and signs their UTF-8, so an é that it wrote as a
//! single byte does not arrive as text here and is refused.
//!
//! Source: `cookies/index.js`, `keygrip/index.js`; checked against cookies 0.9.2 and keygrip 1.1.0, under
//! Koa, koa-session and cookie-session, by the vectors.

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, PAIR, Payload, Refusal,
    Signatures, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{base64_len, base64url, hex, is_base64url, is_lower_hex};

pub const FORMATS: &[Description] = &[Description {
    name: "keygrip",
    used_by: "cookies 0.9, Keygrip 1.1: Koa 3, koa-session 7, cookie-session 2. Two cookies, `NAME` and `NAME.sig`",
    options: &[
        FormatOption::digest("sha1", ""),
        FormatOption::new("encoding", DefaultValue::Text("base64url"), "`\"hex\"`")
            .shaped_by(&[ShapeValue::Text("hex")]),
    ],
    read: keygrip,
}];

fn keygrip(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    let encoding = table.choice("encoding", Encoding::NAMES);
    Some(Box::new(Keygrip {
        digest: digest.unwrap_or(Digest::Sha1),
        encoding: encoding.unwrap_or(Encoding::Base64url),
    }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Keygrip {
    digest: Digest,
    encoding: Encoding,
}

/// How the signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Base64url,
    Hex,
}

impl Encoding {
    const NAMES: &'static [(&'static str, Encoding)] =
        &[("base64url", Encoding::Base64url), ("hex", Encoding::Hex)];
}

impl Format for Keygrip {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: true,
            companion: Some(".sig"),
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.digest,
            signs: "NAME=VALUE",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedPair {
            keygrip: *self,
            name: cookie.to_owned(),
            mac: Mac::new(self.digest, key.bytes()),
        }))
    }
}

struct KeyedPair {
    keygrip: Keygrip,
    name: String,
    mac: Mac,
}

impl KeyedPair {
    fn signature(&self, value: &str) -> String {
        let tag = self
            .mac
            .sign(&[self.name.as_bytes(), b"=", value.as_bytes()]);
        match self.keygrip.encoding {
            Encoding::Base64url => base64url(&tag),
            Encoding::Hex => hex(&tag),
        }
    }

    fn opened<'v>(
        &self,
        value: &'v str,
        is_there: impl Fn(&str) -> bool,
    ) -> Result<Content<'v>, Refusal> {
        let value = unquoted(value);
        if is_there(&self.signature(value)) {
            Ok(Content::of(value.as_bytes()))
        } else {
            Err(Refusal::Signature)
        }
    }
}

impl Keyed for KeyedPair {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let (value, signature) = value.split_once(PAIR).ok_or(Refusal::Shape)?;
        if !self.is_signature(signature) {
            return Err(Refusal::Shape);
        }
        self.opened(value, |expected| {
            equal(expected.as_bytes(), signature.as_bytes())
        })
    }

    fn is_signature(&self, text: &str) -> bool {
        let size = self.keygrip.digest.size();
        match self.keygrip.encoding {
            Encoding::Base64url => text.len() == base64_len(size) && is_base64url(text),
            Encoding::Hex => is_lower_hex(text, size),
        }
    }

    fn open_pair<'v>(
        &self,
        value: &'v str,
        signatures: &Signatures<'_>,
    ) -> Result<Content<'v>, Refusal> {
        self.opened(value, |expected| signatures.hold(expected))
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let value = content.text()?;
        if may_stand(value) {
            Ok(format!("{value}{PAIR}{}", self.signature(value)))
        } else {
            Err(Uncarriable)
        }
    }
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

/// Whether `cookies` reads a text back as it wrote it: the characters of ISO-8859-1 without controls, no
/// semicolon, no quote in front, and no white space around it.
fn may_stand(value: &str) -> bool {
    let is_text = |c: char| !c.is_control() && c <= '\u{FF}' && c != ';';
    value.chars().all(is_text) && !value.starts_with('"') && value.trim() == value
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;

    fn keyed(encoding: Encoding) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        let keygrip = Keygrip {
            digest: Digest::Sha1,
            encoding,
        };
        keygrip.keyed("sid", &key).unwrap()
    }

    #[test]
    fn one_right_signature_among_others_is_enough() {
        for encoding in [Encoding::Base64url, Encoding::Hex] {
            let keyed = keyed(encoding);
            let sealed = keyed.seal(&Content::of(&b"abc"[..]), no_random).unwrap();
            let right = sealed.strip_prefix("abc;").unwrap();
            let wrong = ["A".repeat(right.len()), "0".repeat(right.len())];
            for texts in [
                vec![right],
                vec!["short", &wrong[1], right],
                vec![right, &wrong[0], ""],
                vec!["", &wrong[0], &wrong[1], "1", "2", "3", right],
            ] {
                let signatures = Signatures::new(texts, super::super::counted);
                for value in ["abc", "\"abc\""] {
                    let opened = keyed.open_pair(value, &signatures);
                    assert_eq!(opened, Ok(Content::of(&b"abc"[..])), "{value}");
                }
                let opened = keyed.open_pair("abd", &signatures);
                assert_eq!(opened, Err(Refusal::Signature));
            }
            let opened = |text: String| keyed.open(&text).err();
            assert_eq!(opened(sealed.clone()), None);
            assert_eq!(opened(format!("\"abc\";{right}")), None);
            assert_eq!(opened(format!("abd;{right}")), Some(Refusal::Signature));
            assert_eq!(
                opened(format!("abc;{}", wrong[1])),
                Some(Refusal::Signature)
            );
            for text in ["abc".to_owned(), "abc;".to_owned(), format!("{sealed}=")] {
                assert_eq!(opened(text), Some(Refusal::Shape));
            }
            assert!(keyed.is_signature(right) && keyed.is_signature(&wrong[1]));
            assert!(!keyed.is_signature("") && !keyed.is_signature(&right[1..]));
        }
    }

    #[test]
    fn what_cannot_stand_in_a_cookie_is_not_sealed() {
        for bad in [
            "a;b", " a", "a ", "\"a\"", "a\nb", "a\u{7f}", "\u{fffd}", "ł",
        ] {
            let content = Content::of(bad.as_bytes());
            let sealed = keyed(Encoding::Base64url).seal(&content, no_random);
            assert_eq!(sealed, Err(Uncarriable), "{bad}");
        }
    }
}
