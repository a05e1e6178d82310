//! `fernet`: Fernet tokens, and the cookies of aiohttp_session's EncryptedCookieStorage.
//!
//! Layout, quoted for the header by Python's `http.cookies` where it ends in `=`:
//!
//! ```text
//! base64url(0x80 SECONDS(8) IV(16) CIPHER HMAC-SHA256(first half of the key, all before))
//! gAAAAABqVtWcNlfg-vfRMY01Y0vY2_QGKQwp-qMnmBuRRuaMwOYJuCR17BKzYgy9eOFR6UEw6IzPSxebewE6zFEwHqxo2gNt…
//! ```
//!
//! SECONDS is big-endian Unix time; CIPHER is AES-128-CBC under the second half of the key. The name is
//! not bound. The payload is what was encrypted, for aiohttp_session JSON; opaque here. The time is
//! kept, as `MultiFernet.rotate` keeps it.
//!
//! The key is 32 bytes: as Fernet's users write it, base64url text (or standard base64, which Python
//! reads there too), padded or not; or the bytes themselves, as aiohttp_session also takes them.
//!
//! Python skips what is no base64 in a token and lets its unused bits be anything; here a token has one
//! spelling. It opens with or without Python's quotes and is written with them where Python does.
//!
//! Source: `cryptography/fernet.py`, `aiohttp_session/cookie_storage.py`; checked against cryptography
//! 50.0.2 and aiohttp_session 2.12.1 by the vectors.

use zeroize::Zeroizing;

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{cbc_open, cbc_seal};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{
    from_base64, from_base64url_leniently, from_padded_base64url, padded_base64url, python_quoted,
    python_unquoted,
};

pub const FORMATS: &[Description] = &[Description {
    name: "fernet",
    used_by: "cryptography 50 (Fernet), aiohttp_session 2.12",
    options: &[],
    read: |_| Some(Box::new(Fernet)),
}];

const VERSION: u8 = 0x80;
const KEY: usize = 32;
const TAG: usize = Digest::Sha256.size();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fernet;

impl Format for Fernet {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            least_key: Some(KEY),
            ..FormatProperties::of(Payload::Of("fernet"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(KEY)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Derived(b"fernet".to_vec())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let bytes = halves(key.bytes()).ok_or(KeyFault::new(
            "a Fernet key is 32 bytes as base64url text, as Fernet.generate_key() writes it, or 32 bytes with encoding = \"base64\"",
        ))?;
        let (signing, encryption) = bytes.split_at(KEY / 2);
        Ok(Box::new(KeyedFernet {
            mac: Mac::new(Digest::Sha256, signing),
            key: Zeroizing::new(encryption.to_vec()),
        }))
    }
}

/// The signing and the encryption key, one after the other.
fn halves(key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if key.len() == KEY {
        return Some(Zeroizing::new(key.to_vec()));
    }
    let text = core::str::from_utf8(key).ok()?;
    let bytes = from_base64url_leniently(text).or_else(|| from_base64(text))?;
    let bytes = Zeroizing::new(bytes);
    (bytes.len() == KEY).then_some(bytes)
}

struct KeyedFernet {
    mac: Mac,
    key: Zeroizing<Vec<u8>>,
}

impl Keyed for KeyedFernet {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let token = from_padded_base64url(&python_unquoted(value)).ok_or(Refusal::Shape)?;
        let (signed, tag) = token.split_last_chunk::<TAG>().ok_or(Refusal::Shape)?;
        let (time, iv, ciphertext) = fields(signed).ok_or(Refusal::Shape)?;
        if !equal(&self.mac.sign(&[signed]), tag) {
            return Err(Refusal::Signature);
        }
        let payload = cbc_open(&self.key, iv, ciphertext).ok_or(Refusal::Content)?;
        Ok(Content::of(payload).signed_at(time))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let iv = random_bytes(random);
        let mut token = vec![VERSION];
        token.extend(content.time_s.ok_or(Uncarriable)?.to_be_bytes());
        token.extend(iv);
        token.extend(cbc_seal(&self.key, &iv, &content.payload).ok_or(Uncarriable)?);
        let tag = self.mac.sign(&[&token]);
        token.extend_from_slice(&tag);
        python_quoted(&padded_base64url(&token)).ok_or(Uncarriable)
    }
}

/// The time, the IV, and at least one whole block of ciphertext.
fn fields(signed: &[u8]) -> Option<(u64, &[u8; 16], &[u8])> {
    let (time, rest) = signed.strip_prefix(&[VERSION])?.split_first_chunk()?;
    let (iv, ciphertext) = rest.split_first_chunk()?;
    let is_whole = !ciphertext.is_empty() && ciphertext.len() % 16 == 0;
    is_whole.then_some((u64::from_be_bytes(*time), iv, ciphertext))
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    // the specification's own key, at github.com/fernet/spec (verify.json)
    const SPEC_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const SPEC_TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn try_key(key: &[u8]) -> Result<Box<dyn Keyed>, KeyFault> {
        Fernet.keyed("sid", &Key::new(KeyId::parse("KEY").unwrap(), key.to_vec()))
    }

    fn keyed() -> Box<dyn Keyed> {
        try_key(SPEC_KEY.as_bytes()).unwrap()
    }

    fn hello() -> Content<'static> {
        Content::of(&b"hello"[..]).signed_at(499_162_800)
    }

    #[test]
    fn a_key_has_many_spellings_and_32_bytes() {
        let bytes = from_padded_base64url(SPEC_KEY).unwrap();
        let standard = SPEC_KEY.replace('-', "+").replace('_', "/");
        let unpadded = SPEC_KEY.trim_end_matches('=').as_bytes();
        for key in [SPEC_KEY.as_bytes(), unpadded, standard.as_bytes(), &bytes] {
            assert_eq!(try_key(key).unwrap().open(SPEC_TOKEN), Ok(hello()));
        }
        for bad in [
            &b""[..],
            b"secret",
            &bytes[1..],
            &[0xFF; 44],
            &unpadded[1..],
        ] {
            let fault = try_key(bad).unwrap_err();
            assert!(fault.reason.contains("Fernet.generate_key()"), "{fault}");
        }
    }

    // the specification's generate.json: IV 0, 1, 2, …
    #[test]
    fn a_token_is_the_specifications_behind_pythons_quotes() {
        let value = keyed().seal(&hello(), counted).unwrap();
        assert_eq!(value, format!("\"{SPEC_TOKEN}\""));
        assert_eq!(keyed().open(&value), Ok(hello()));
        let timeless = Content::of(&b"hello"[..]);
        assert_eq!(keyed().seal(&timeless, counted), Err(Uncarriable));
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let of = |token: &[u8]| {
            let value = padded_base64url(token);
            keyed().open(&value).map(Content::into_owned)
        };
        let good = from_padded_base64url(SPEC_TOKEN).unwrap();
        let signed = |text: &[u8]| {
            let key = from_padded_base64url(SPEC_KEY).unwrap();
            let tag = Mac::new(Digest::Sha256, &key[..16]).sign(&[text]);
            of(&[text, &tag].concat())
        };
        let text = &good[..good.len() - TAG];
        assert_eq!(signed(text), Ok(hello()));
        // another version, no ciphertext, no whole block
        assert_eq!(signed(&[&[0x81], &text[1..]].concat()), Err(Refusal::Shape));
        assert_eq!(signed(&text[..25]), Err(Refusal::Shape));
        assert_eq!(signed(&text[..text.len() - 1]), Err(Refusal::Shape));
        assert_eq!(of(&[]), Err(Refusal::Shape));
        let unpadded = SPEC_TOKEN.trim_end_matches('=');
        assert_eq!(keyed().open(unpadded), Err(Refusal::Shape));
        let mut bad = good.clone();
        bad[8] ^= 1;
        assert_eq!(of(&bad), Err(Refusal::Signature));
        // the padding becomes another
        let mut bad = text.to_vec();
        bad[24] ^= 0x80;
        assert_eq!(signed(&bad), Err(Refusal::Content));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>, time: u64) {
            let content = Content::of(payload).signed_at(time);
            let value = keyed().seal(&content, counted).unwrap();
            prop_assert_eq!(keyed().open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String, bytes: Vec<u8>) {
            let _ = keyed().open(&text);
            let token = [&[VERSION], &bytes[..]].concat();
            let _ = keyed().open(&padded_base64url(&token));
        }
    }
}
