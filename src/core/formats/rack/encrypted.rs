//! `rack-session`, `version = 2`: Rack::Session::Cookie of the gem rack-session 2, which encrypts.
//!
//! Layout, form-escaped for the header:
//!
//! ```text
//! encryptor = "v2"  base64(0x02 SALT(32) IV(12) TAG(16) CIPHER)     AES-256-GCM under K; beside it 0x02 SALT PURPOSE
//! encryptor = "v1"  base64url(0x01 SALT(32) IV(16) CIPHER MAC(32))  AES-256-CTR under K
//!                   MAC = HMAC-SHA256(secret[32..], 0x01 SALT IV CIPHER PURPOSE)
//! K         = HMAC-SHA256(secret[..32], SALT)
//! plaintext = LENGTH(2 bytes, least first) PADDING session
//! Akh3bUxJQn…%2FsP%2BvQ%3D%3D
//! ```
//!
//! Both base64 have padding. SALT and IV are random, and so is PADDING: as much as makes the plaintext a multiple of 32
//! bytes, at least one. The session is Marshal or JSON, and opaque here; the payload is its base64, as that of Rack 2's
//! cookies is. PURPOSE is the cookie's name where the middleware was given a `key`, and empty where it was not: `purpose`.
//!
//! rack-session wrote `v1` before 2.1.2 and writes `v2` since; 2.1.2 reads both. Its next version will write `v2` in
//! base64url, which opens here too. Rack 2's cookies, which it reads with `legacy_hmac_secret`, are those of `version = 1`.
//!
//! Source: `lib/rack/session/encryptor.rb` and `lib/rack/session/cookie.rb` of rack-session; checked against 2.1.1 and
//! 2.1.2 by the vectors.

use super::super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{TAG, ctr_apply, gcm_open_beside, gcm_seal_beside};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{
    from_base64, from_padded_base64url, from_uri_component, holds, padded_base64url, push_base64,
    uri_component,
};

/// A session that is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encrypted {
    pub encryptor: Encryptor,
    /// Whether the cookie's name is part of what is authenticated.
    pub purpose: bool,
}

/// How the gem encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryptor {
    /// AES-CTR and an HMAC.
    V1,
    /// AES-GCM.
    V2,
}

impl Encryptor {
    /// The names in a configuration.
    pub const NAMES: &'static [(&'static str, Self)] = &[("v2", Self::V2), ("v1", Self::V1)];
}

/// The least length of a secret, in bytes.
const LEAST: usize = 64;
const SALT: usize = 32;
/// The length of the plaintext is a multiple of this.
const PAD: usize = 32;

impl Format for Encrypted {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: self.purpose,
            least_key: Some(LEAST),
            ..FormatProperties::of(Payload::Of("rack-session"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Hex(64)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Part {
            bytes: 0..32,
            used: match self.encryptor {
                Encryptor::V1 => "HMAC-SHA256 of a salt, AES-256-CTR",
                Encryptor::V2 => "HMAC-SHA256 of a salt, AES-256-GCM",
            },
            is_bare: false,
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let halves = key.bytes().split_first_chunk::<32>();
        let (encryption, signing) = halves.filter(|_| key.bytes().len() >= LEAST).ok_or(
            KeyFault::new("rack-session 2 takes a secret of at least 64 bytes")
                .cure("make one with: openssl rand -hex 64"),
        )?;
        let purpose = if self.purpose { cookie } else { "" };
        Ok(Box::new(KeyedSession {
            encryptor: self.encryptor,
            keys: Mac::new(Digest::Sha256, encryption),
            mac: Mac::new(Digest::Sha256, signing),
            purpose: purpose.to_owned(),
        }))
    }
}

struct KeyedSession {
    encryptor: Encryptor,
    /// What makes a key of each salt.
    keys: Mac,
    mac: Mac,
    purpose: String,
}

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        // Rack would read a space
        if holds(value, b'+') {
            return Err(Refusal::Shape);
        }
        let text = from_uri_component(value);
        let plaintext = match self.encryptor {
            Encryptor::V1 => self.open_v1(&from_padded_base64url(&text).ok_or(Refusal::Shape)?)?,
            Encryptor::V2 => self.open_v2(&from_either_base64(&text).ok_or(Refusal::Shape)?)?,
        };
        let session = unpadded(&plaintext).ok_or(Refusal::Content)?;
        Ok(Content::of(base64(session).into_bytes()))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let session = from_base64(content.text()?).ok_or(Uncarriable)?;
        let plaintext = padded(&session, random);
        let salt = random_bytes::<SALT>(random);
        let text = match self.encryptor {
            Encryptor::V1 => padded_base64url(&self.seal_v1(&salt, plaintext, random)?),
            Encryptor::V2 => base64(&self.seal_v2(&salt, &plaintext, random)?),
        };
        Ok(uri_component(&text))
    }
}

impl KeyedSession {
    fn open_v1(&self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (signed, mac) = bytes.split_last_chunk::<32>().ok_or(Refusal::Shape)?;
        let rest = signed.strip_prefix(&[1]).ok_or(Refusal::Shape)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(Refusal::Shape)?;
        let (iv, ciphertext) = rest.split_first_chunk::<16>().ok_or(Refusal::Shape)?;
        let own = self.mac.sign(&[signed, self.purpose.as_bytes()]);
        if !equal(&own, mac) {
            return Err(Refusal::Signature);
        }
        let mut text = ciphertext.to_vec();
        ctr_apply(&self.keys.sign(&[salt]), iv, &mut text).ok_or(Refusal::Content)?;
        Ok(text)
    }

    fn seal_v1(
        &self,
        salt: &[u8],
        mut text: Vec<u8>,
        random: Random,
    ) -> Result<Vec<u8>, Uncarriable> {
        let iv = random_bytes(random);
        ctr_apply(&self.keys.sign(&[salt]), &iv, &mut text).ok_or(Uncarriable)?;
        let mut bytes = [&[1], salt, &iv, &text].concat();
        let mac = self.mac.sign(&[&bytes, self.purpose.as_bytes()]);
        bytes.extend_from_slice(&mac);
        Ok(bytes)
    }

    fn open_v2(&self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let rest = bytes.strip_prefix(&[2]).ok_or(Refusal::Shape)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(Refusal::Shape)?;
        let (iv, rest) = rest.split_first_chunk::<12>().ok_or(Refusal::Shape)?;
        let (tag, ciphertext) = rest.split_first_chunk::<TAG>().ok_or(Refusal::Shape)?;
        let key = self.keys.sign(&[salt]);
        gcm_open_beside(&key, iv, &self.beside(salt), ciphertext, tag).ok_or(Refusal::Signature)
    }

    fn seal_v2(&self, salt: &[u8], text: &[u8], random: Random) -> Result<Vec<u8>, Uncarriable> {
        let iv = random_bytes(random);
        let key = self.keys.sign(&[salt]);
        let sealed = gcm_seal_beside(&key, &iv, &self.beside(salt), text);
        let (ciphertext, tag) = sealed.ok_or(Uncarriable)?;
        Ok([&[2], salt, &iv, &tag, &ciphertext].concat())
    }

    /// What is authenticated beside the plaintext.
    fn beside(&self, salt: &[u8]) -> Vec<u8> {
        [&[2], salt, self.purpose.as_bytes()].concat()
    }
}

fn padded(session: &[u8], random: Random) -> Vec<u8> {
    let length = PAD - (2 + session.len()) % PAD; // one to 32
    let mut plaintext = vec![length as u8, 0];
    plaintext.resize(2 + length, 0);
    random(&mut plaintext[2..]);
    plaintext.extend_from_slice(session);
    plaintext
}

fn unpadded(plaintext: &[u8]) -> Option<&[u8]> {
    let (length, rest) = plaintext.split_first_chunk::<2>()?;
    rest.get(usize::from(u16::from_le_bytes(*length))..)
}

fn from_either_base64(text: &str) -> Option<Vec<u8>> {
    if holds(text, b'-') || holds(text, b'_') {
        from_padded_base64url(text)
    } else {
        from_base64(text)
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_base64(&mut text, bytes);
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    const ALL: [Encryptor; 2] = [Encryptor::V1, Encryptor::V2];

    fn keyed(encryptor: Encryptor, purpose: bool, cookie: &str, secret: &[u8]) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), secret.to_vec());
        let format = Encrypted { encryptor, purpose };
        format.keyed(cookie, &key).unwrap()
    }

    fn sealed(encryptor: Encryptor, purpose: bool, session: &[u8]) -> String {
        let content = Content::of(base64(session).into_bytes());
        keyed(encryptor, purpose, "sid", &[7; 64])
            .seal(&content, counted)
            .unwrap()
    }

    #[test]
    fn a_session_is_good_for_one_secret_encryptor_and_purpose() {
        for (encryptor, other) in [
            (Encryptor::V1, Encryptor::V2),
            (Encryptor::V2, Encryptor::V1),
        ] {
            let value = sealed(encryptor, true, b"{}");
            let opened = |keyed: Box<dyn Keyed>| keyed.open(&value).map(Content::into_owned);
            let own = opened(keyed(encryptor, true, "sid", &[7; 64]));
            assert_eq!(own, Ok(Content::of(&b"e30="[..])));
            for (refusal, keyed) in [
                (Refusal::Signature, keyed(encryptor, true, "sid", &[8; 64])),
                (Refusal::Signature, keyed(encryptor, true, "sad", &[7; 64])),
                (Refusal::Signature, keyed(encryptor, false, "sid", &[7; 64])),
                (Refusal::Shape, keyed(other, true, "sid", &[7; 64])),
            ] {
                assert_eq!(opened(keyed), Err(refusal));
            }
        }
    }

    #[test]
    fn the_second_half_of_the_secret_counts_for_v1_alone() {
        let secret = [[7; 32], [8; 32]].concat();
        for (encryptor, expected) in [(Encryptor::V1, false), (Encryptor::V2, true)] {
            let value = sealed(encryptor, false, b"{}");
            let opened = keyed(encryptor, false, "sid", &secret).open(&value).is_ok();
            assert_eq!(opened, expected);
        }
    }

    #[test]
    fn a_secret_has_64_bytes_at_least() {
        for (length, fits) in [(63, false), (64, true), (65, true)] {
            let key = Key::new(KeyId::parse("KEY").unwrap(), vec![1; length]);
            for encryptor in ALL {
                let format = Encrypted {
                    encryptor,
                    purpose: false,
                };
                assert_eq!(format.keyed("sid", &key).is_ok(), fits);
            }
        }
    }

    #[test]
    fn what_follows_the_padding_is_the_session() {
        for (plaintext, expected) in [
            (&b"\0\0{}"[..], Some(&b"{}"[..])),
            (b"\x02\0ab{}", Some(b"{}")),
            (b"\x02\0ab", Some(b"")),
            (b"\x02\0a", None),
            (b"\0\x01a", None),
            (b"\0", None),
            (b"", None),
        ] {
            assert_eq!(unpadded(plaintext), expected, "{plaintext:?}");
        }
        for length in 0..100 {
            let plaintext = padded(&vec![1; length], counted);
            assert!(plaintext.len().is_multiple_of(PAD));
            assert_eq!(unpadded(&plaintext), Some(&vec![1; length][..]));
        }
    }

    #[test]
    fn the_base64_of_the_next_version_opens_too() {
        let value = (0..50u8).map(|n| sealed(Encryptor::V2, false, &[n; 40]));
        let mut value = value.map(|value| from_uri_component(&value).into_owned());
        let value = value.find(|text| holds(text, b'+')).unwrap();
        let own = keyed(Encryptor::V2, false, "sid", &[7; 64]);
        assert_eq!(own.open(&value), Err(Refusal::Shape));
        assert!(own.open(&value.replace('+', "-").replace('/', "_")).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(session: Vec<u8>, purpose: bool) {
            for encryptor in ALL {
                let value = sealed(encryptor, purpose, &session);
                let opened = keyed(encryptor, purpose, "sid", &[7; 64]).open(&value).map(Content::into_owned);
                prop_assert_eq!(opened, Ok(Content::of(base64(&session).into_bytes())));
            }
        }

        #[test]
        fn no_bytes_panic(mut bytes: Vec<u8>, text: String) {
            for encryptor in ALL {
                let own = keyed(encryptor, false, "sid", &[7; 64]);
                let _ = own.open(&text);
                for version in 0..3 {
                    bytes.insert(0, version);
                    let _ = own.open(&padded_base64url(&bytes));
                }
            }
        }
    }
}
