//! `securecookie`: cookies of Go's gorilla/securecookie, and so of gorilla/sessions and gorilla/csrf.
//!
//! Layout; both base64s are base64url with padding:
//!
//! ```text
//! base64( SECONDS "|" base64(data) "|" HMAC-SHA256(SECRET, NAME "|" SECONDS "|" base64(data)) )
//! MTczNTc2ODI3MHxleUptYjI4aU9pSmlZWElpTENKcFpDSTZJa0ZIVUZKamR5SjlDZz09fDjZ2aLovJ4JDFUXYdOFH0g6kXph…
//! ```
//!
//! The MAC is bytes, not text, and may hold a bar. SECRET is the hash key; the data is a gob or JSON,
//! or, where the site has a block key too, those encrypted. The payload is what the inner base64
//! holds, opaque here: an encrypted value needs the same block key on both sides.
//!
//! Source: `securecookie.go` (`Encode`, `Decode`); checked against gorilla/securecookie 1.1.1 by the
//! vectors. Go lets a base64's unused bits be anything; here a value has one spelling.

use super::description::{Description, FormatOption};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{from_padded_base64url, padded_base64url};

pub const FORMATS: &[Description] = &[Description {
    name: "securecookie",
    used_by: "Go's gorilla/securecookie 1.1, encrypted or not",
    options: &[FormatOption::digest("sha256", "")],
    read: securecookie,
}];

fn securecookie(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    Some(Box::new(SecureCookie(digest.unwrap_or(Digest::Sha256))))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SecureCookie(Digest);

impl Format for SecureCookie {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            binds_name: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.0,
            signs: "NAME|SECONDS|BASE64",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedCookie {
            name: cookie.to_owned(),
            mac: Mac::new(self.0, key.bytes()),
            mac_len: self.0.size(),
        }))
    }
}

struct KeyedCookie {
    name: String,
    mac: Mac,
    mac_len: usize,
}

impl Keyed for KeyedCookie {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let bytes = from_padded_base64url(value).ok_or(Refusal::Shape)?;
        let mut parts = bytes.splitn(3, |b| *b == b'|');
        let (Some(time), Some(data), Some(tag)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Refusal::Shape);
        };
        if tag.len() != self.mac_len {
            return Err(Refusal::Shape);
        }
        let expected = self
            .mac
            .sign(&[self.name.as_bytes(), b"|", time, b"|", data]);
        if !equal(&expected, tag) {
            return Err(Refusal::Signature);
        }
        let data = core::str::from_utf8(data)
            .ok()
            .and_then(from_padded_base64url);
        match (data, seconds(time)) {
            (Some(data), Some(time)) => Ok(Content::of(data).signed_at(time)),
            _ => Err(Refusal::Content),
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let data = padded_base64url(&content.payload);
        let signed = format!("{}|{data}", content.time_s.ok_or(Uncarriable)?);
        let tag = self
            .mac
            .sign(&[self.name.as_bytes(), b"|", signed.as_bytes()]);
        Ok(padded_base64url(&[signed.as_bytes(), b"|", &tag].concat()))
    }
}

/// A decimal number as Go writes it.
fn seconds(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?;
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;

    fn keyed(name: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        SecureCookie(Digest::Sha1).keyed(name, &key).unwrap()
    }

    // one MAC of 20 bytes in 13 holds a bar
    #[test]
    fn a_bar_in_the_mac_is_none_of_the_fields() {
        let keyed = keyed("sid");
        let with_bar = (1_700_000_000..1_700_001_000).filter(|time| {
            let content = Content::of(&b"e30="[..]).signed_at(*time);
            let value = keyed.seal(&content, no_random).unwrap();
            assert_eq!(keyed.open(&value), Ok(content));
            let bars = from_padded_base64url(&value).unwrap();
            bars.iter().filter(|b| **b == b'|').count() > 2
        });
        assert!(with_bar.count() > 0);
    }
}
