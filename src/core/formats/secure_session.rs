//! `fastify-secure-session`: the encrypted session cookie of @fastify/secure-session.
//!
//! Layout, written by `encodeURIComponent` (`;` becomes `%3B`, `+` `%2B`, `/` `%2F`, `=` `%3D`):
//!
//! ```text
//! base64(TAG(16) CIPHER) ";" base64(NONCE(24))
//! QldF8%2FD4O0obZyCMkdyrPXlLqukT70N2kXDzEaRiXP%2FRjhIfsKQ7Y0MtDypPif3GJJ3tU%2FN6vLF1QlnxBwdJVY8%2B%3B
//!   %2B4NqXmn%2FkrMre2D4LjbucngaK5kAYYDI
//! ```
//!
//! NaCl's secretbox (XSalsa20-Poly1305) under the key itself; the base64 is standard with padding. The
//! session is JSON and opaque here. Its `__ts`, from which the framework counts its `expiry`, stays in it
//! untouched; no time is carried beside it. The name is not bound.
//!
//! The key is 32 bytes, what the framework is given as `key`: `encoding = "base64"` for its text form or
//! the base64 of a key file. A key that it derives from a `secret` (Argon2id) is not supported, nor is
//! `signed: true` in its cookie options.
//!
//! The framework reads base64 in any spelling; here a value has one, apart from the percent-encoding,
//! which may be left out where the header allows.
//!
//! Source: `index.js`; checked against @fastify/secure-session 8.4.0 with sodium-native 5.1.0 by the
//! vectors.

use zeroize::Zeroizing;

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{secretbox_open, secretbox_seal};
use crate::crypto::key::{Encoding, Key};
use crate::crypto::{Random, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{from_base64, from_uri_component, push_base64, uri_component};

pub const FORMATS: &[Description] = &[Description {
    name: "fastify-secure-session",
    used_by: "@fastify/secure-session 8.4 with `key`: 32 bytes, `encoding = \"base64\"`",
    options: &[],
    read: |_| Some(Box::new(SecureSession)),
}];

const KEY: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SecureSession;

impl Format for SecureSession {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            least_key: Some(KEY),
            ..FormatProperties::of(Payload::Of("fastify-secure-session"))
        }
    }

    /// The secret itself is the key, but never an HMAC's: no other format signs with it.
    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64 {
            prefix: "",
            bytes: KEY,
            encoding: Encoding::Base64,
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Derived(b"secretbox".to_vec())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let mut own = Zeroizing::new([0; KEY]);
        if key.bytes().len() != KEY {
            return Err(KeyFault::new("is not 32 bytes")
                .cure("make one with: openssl rand -base64 32, and say encoding = \"base64\""));
        }
        own.copy_from_slice(key.bytes());
        Ok(Box::new(KeyedSession(own)))
    }
}

struct KeyedSession(Zeroizing<[u8; KEY]>);

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = from_uri_component(value);
        let (sealed, nonce) = text.split_once(';').ok_or(Refusal::Shape)?;
        let sealed = from_base64(sealed).ok_or(Refusal::Shape)?;
        let (tag, ciphertext) = sealed.split_first_chunk().ok_or(Refusal::Shape)?;
        let nonce = from_base64(nonce).and_then(|nonce| nonce.try_into().ok());
        let nonce = nonce.ok_or(Refusal::Shape)?;
        let payload = secretbox_open(&self.0, &nonce, ciphertext, tag);
        Ok(Content::of(payload.ok_or(Refusal::Signature)?))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let nonce = random_bytes(random);
        let (ciphertext, tag) = secretbox_seal(&self.0, &nonce, &content.payload);
        let mut text = String::new();
        push_base64(&mut text, &[&tag[..], &ciphertext].concat());
        text.push(';');
        push_base64(&mut text, &nonce);
        Ok(uri_component(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn try_key(key: &[u8]) -> Result<Box<dyn Keyed>, KeyFault> {
        SecureSession.keyed("sid", &Key::new(KeyId::parse("KEY").unwrap(), key.to_vec()))
    }

    fn keyed() -> Box<dyn Keyed> {
        try_key(&[7; 32]).unwrap()
    }

    #[test]
    fn a_key_is_32_bytes() {
        for bad in [
            &[7; 31][..],
            &[7; 33],
            b"",
            b"a secret in text of 44 characters, in base64",
        ] {
            assert!(
                try_key(bad)
                    .unwrap_err()
                    .to_string()
                    .contains("encoding = \"base64\"")
            );
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let content = Content::of(&b"{\"__ts\":1}"[..]);
        let value = keyed().seal(&content, counted).unwrap();
        assert_eq!(keyed().open(&value), Ok(content.clone()));
        let bare = from_uri_component(&value);
        assert_eq!(keyed().open(&bare), Ok(content));
        let (sealed, nonce) = bare.split_once(';').unwrap();
        for bad in [
            sealed,
            &format!("{sealed};"),
            &format!(";{nonce}"),
            &format!("AAAA;{nonce}"),
            &format!("{sealed};{nonce};"),
            &format!("{sealed};{}", &nonce[4..]),
            &format!("{};{nonce}", sealed.trim_end_matches('=')),
        ] {
            assert_eq!(keyed().open(bad), Err(Refusal::Shape), "{bad}");
        }
        let other = format!("{nonce};{nonce}");
        assert_eq!(keyed().open(&other), Err(Refusal::Signature));
        let other = try_key(&[8; 32]).unwrap();
        assert_eq!(other.open(&value), Err(Refusal::Signature));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>) {
            let content = Content::of(payload);
            let value = keyed().seal(&content, counted).unwrap();
            prop_assert_eq!(keyed().open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String, bytes: Vec<u8>) {
            let _ = keyed().open(&text);
            let mut sealed = String::new();
            push_base64(&mut sealed, &bytes);
            let _ = keyed().open(&format!("{sealed};{sealed}"));
        }
    }
}
