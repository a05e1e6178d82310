//! `pyramid`: sessions of Pyramid's SignedCookieSessionFactory, and cookies of WebOb's SignedCookieProfile.
//!
//! Layout:
//!
//! ```text
//! base64url_nopad( HMAC-SHA512(SALT SECRET, JSON)(64) JSON )
//! HbGJZVDdC7MJhTFgY8sT7PY1T9c30YKKI49gikLykZPT0fna5XTHmtmIPqkVblb635-YkphOwPG2Of_ZRecdh1sxNj
//!   g5OTEyNTY3LCAxNjg5OTEyNTY3LjAsIHsidXNlcl9pZCI6IDQ3MTF9XQ
//! ```
//!
//! SALT is `pyramid.session.` in Pyramid, and the profile's own in WebOb; it stands before the secret, and together
//! they are the key. Both are taken in ISO-8859-1, or in UTF-8 where either has a character beyond U+00FF. A session's
//! JSON is `[renewed, created, {…}]` with times in Unix seconds, from which Pyramid counts `timeout`; a profile's is
//! any. It is opaque here, and no time is carried beside it. The name is not bound.
//!
//! Python's decoder does not look at unused bits, nor at padding; here they are free as well. Characters of no
//! base64, which it drops, are refused.
//!
//! Source: `webob/cookies.py` (`SignedSerializer`), `pyramid/session.py`; checked against Pyramid 2.1 and WebOb
//! 1.8.11 by the vectors.

use zeroize::Zeroizing;

use super::description::{DefaultValue, Description, FormatOption};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::{Key, latin_1};
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{base64url, from_base64url_leniently, is_base64url};

pub const FORMATS: &[Description] = &[Description {
    name: "pyramid",
    used_by: "Pyramid 2.1 (SignedCookieSessionFactory), WebOb 1.8 (SignedCookieProfile)",
    options: &[
        FormatOption::new(
            "salt",
            DefaultValue::Text(SALT),
            "WebOb's profiles have their own",
        ),
        // any long base64url would have the shape of a shorter one
        FormatOption::new("digest", DefaultValue::Text("sha512"), ""),
    ],
    read: pyramid,
}];

const SALT: &str = "pyramid.session.";

fn pyramid(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let salt = table.text("salt").unwrap_or(SALT).to_owned();
    let digest = table.choice("digest", Digest::NAMES);
    Some(Box::new(Pyramid {
        salt,
        digest: digest.unwrap_or(Digest::Sha512),
    }))
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pyramid {
    salt: String,
    digest: Digest,
}

impl Format for Pyramid {
    fn properties(&self) -> FormatProperties {
        FormatProperties::of(Payload::Of("pyramid"))
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        if self.salt.is_empty() {
            return Derivation::Bare {
                digest: self.digest,
                signs: "JSON",
            };
        }
        let digest = self.digest.name();
        Derivation::Derived(format!("HMAC-{digest}({}KEY)", self.salt).into_bytes())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let in_latin_1 = latin_1(&self.salt).zip(key.latin_1());
        let (salt, secret) = in_latin_1.unwrap_or_else(|| {
            let bytes = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
            (bytes(self.salt.as_bytes()), bytes(key.bytes()))
        });
        let salted = Zeroizing::new([&salt[..], &secret].concat());
        Ok(Box::new(KeyedSession {
            mac: Mac::new(self.digest, &salted),
            tag_len: self.digest.size(),
        }))
    }
}

struct KeyedSession {
    mac: Mac,
    tag_len: usize,
}

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let digits = value.trim_end_matches('=');
        let is_text = is_base64url(digits) && value.len() - digits.len() < 3;
        let bytes = is_text.then(|| from_base64url_leniently(digits)).flatten();
        let bytes = bytes.ok_or(Refusal::Shape)?;
        let (tag, payload) = bytes
            .split_at_checked(self.tag_len)
            .filter(|(_, payload)| !payload.is_empty())
            .ok_or(Refusal::Shape)?;
        if equal(&self.mac.sign(&[payload]), tag) {
            Ok(Content::of(payload.to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        if content.payload.is_empty() {
            return Err(Uncarriable); // no JSON
        }
        let tag = self.mac.sign(&[&content.payload]);
        Ok(base64url(&[&tag[..], &content.payload].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn format(salt: &str) -> Pyramid {
        Pyramid {
            salt: salt.to_owned(),
            digest: Digest::Sha512,
        }
    }

    fn keyed(salt: &str, secret: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), secret.as_bytes().to_vec());
        format(salt).keyed("session", &key).unwrap()
    }

    #[test]
    fn salt_and_secret_are_of_one_encoding() {
        let content = Content::of(&b"{}"[..]);
        let seal = |salt, secret| keyed(salt, secret).seal(&content, no_random).unwrap();
        let signed = |key: &[u8]| {
            let tag = Mac::new(Digest::Sha512, key).sign(&[b"{}"]);
            base64url(&[&tag[..], b"{}"].concat())
        };
        assert_eq!(seal("s", "é"), signed(b"s\xE9"));
        assert_eq!(seal("é", "s"), signed(b"\xE9s"));
        assert_eq!(seal("é", "ж"), signed("éж".as_bytes()));
        assert_eq!(seal("ж", "é"), signed("жé".as_bytes()));
    }

    #[test]
    fn without_a_salt_the_secret_itself_is_the_key() {
        let bare = Derivation::Bare {
            digest: Digest::Sha512,
            signs: "JSON",
        };
        assert_eq!(format("").derivation("session"), bare);
        assert_ne!(
            format("a").derivation("session"),
            format("b").derivation("session")
        );
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let keyed = keyed(SALT, "secret");
        let long = "A".repeat(90);
        assert_eq!(keyed.open(&long), Err(Refusal::Signature));
        let none: String = "A".repeat(86);
        for shape in [
            "",
            "A",
            &none,
            &format!("{long}==="),
            &format!("={long}"),
            &format!("{long}+"),
            &format!("{long}."),
        ] {
            assert_eq!(keyed.open(shape), Err(Refusal::Shape), "{shape}");
        }
        assert_eq!(
            keyed.seal(&Content::of(&b""[..]), no_random),
            Err(Uncarriable)
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload in prop::collection::vec(any::<u8>(), 1..60)) {
            let (keyed, content) = (keyed(SALT, "secret"), Content::of(payload));
            let value = keyed.seal(&content, no_random).unwrap();
            prop_assert_eq!(keyed.open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String) {
            prop_assert!(keyed(SALT, "secret").open(&text).is_err());
        }
    }
}
