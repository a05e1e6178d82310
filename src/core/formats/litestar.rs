//! `litestar`: the client-side sessions of Litestar (`CookieBackendConfig`).
//!
//! Layout, in double quotes as Python's `http.cookies` writes what holds `/` or `=`:
//!
//! ```text
//! base64( NONCE(12) CIPHER TAG(16) "additional_authenticated_data=" AAD )
//! AAD = {"expires_at":1790000000}      in Unix seconds; AES-GCM under the secret, AAD beside the session
//! 3rvNhzkyGGJhhHKxK9q7mNvOMdSIVUhNagvm1drpRMLAhvj5TWFKU9MWGddhZGRpdGlvbmFsX2F1dGhlbnRpY2F0ZWRfZGF0YT17
//!   ImV4cGlyZXNfYXQiOjE2MDgwNTc0NjB9
//! ```
//!
//! The base64 is standard with padding. The session is JSON and opaque here. Litestar takes a value until
//! `expires_at`, which is kept. The name is not bound. The secret is the key, of 16 or 32 bytes; AES-192, of 24, is
//! not offered. A session of more than 4,032 characters goes into several cookies (`session-0`, `session-1`), which
//! no rule reads.
//!
//! Source: `litestar/middleware/session/client_side.py`; checked against Litestar 2.25.0 by the vectors. It also
//! reads base64 in any spelling that Python's decoder takes, and the text before AAD several times over, and never
//! writes it; here a value has one spelling, quotes aside.

use zeroize::Zeroizing;

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{gcm_open_beside, gcm_seal_beside};
use crate::crypto::key::{Encoding, Key};
use crate::crypto::{Random, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{from_base64, push_base64, python_quoted, python_unquoted};

pub const FORMATS: &[Description] = &[Description {
    name: "litestar",
    used_by: "Litestar 2.25, CookieBackendConfig: 16 or 32 bytes",
    options: &[],
    read: |_| Some(Box::new(Litestar)),
}];

/// What stands between tag and AAD.
const MARK: &[u8] = b"additional_authenticated_data=";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Litestar;

impl Format for Litestar {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_expiry: true,
            least_key: Some(16),
            ..FormatProperties::of(Payload::Of("litestar"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64 {
            prefix: "",
            bytes: 32,
            encoding: Encoding::Base64,
        }
    }

    /// The secret itself is the key, but never an HMAC's: no other format signs with it.
    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Derived(b"AES-GCM".to_vec())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        if matches!(key.bytes().len(), 16 | 32) {
            let own = Zeroizing::new(key.bytes().to_vec());
            return Ok(Box::new(KeyedSession(own)));
        }
        Err(
            KeyFault::new("is not 16 or 32 bytes (24, AES-192, are not supported)")
                .cure("if it is written in base64 or hex, say so with `encoding`"),
        )
    }
}

struct KeyedSession(Zeroizing<Vec<u8>>);

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let bytes = from_base64(&python_unquoted(value)).ok_or(Refusal::Shape)?;
        let (nonce, ciphertext, tag, aad) = parts(&bytes).ok_or(Refusal::Shape)?;
        let payload = gcm_open_beside(&self.0, nonce, aad, ciphertext, tag);
        let payload = payload.ok_or(Refusal::Signature)?;
        let expires_at = seconds(aad).ok_or(Refusal::Content)?;
        Ok(Content::of(payload).expiring_at(Some(expires_at.saturating_mul(1000))))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let expires_at = content.expiry_ms.ok_or(Uncarriable)? / 1000;
        let (aad, nonce) = (format!("{BEFORE}{expires_at}{AFTER}"), random_bytes(random));
        let sealed = gcm_seal_beside(&self.0, &nonce, aad.as_bytes(), &content.payload);
        let (ciphertext, tag) = sealed.ok_or(Uncarriable)?;
        let bytes = [&nonce[..], &ciphertext, &tag, MARK, aad.as_bytes()].concat();
        let mut text = String::new();
        push_base64(&mut text, &bytes);
        python_quoted(&text).ok_or(Uncarriable)
    }
}

type Parts<'b> = (&'b [u8; 12], &'b [u8], &'b [u8; 16], &'b [u8]);

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    // what is authentic has it once
    let at = bytes.windows(MARK.len()).rposition(|part| part == MARK)?;
    let (sealed, rest) = bytes.split_at_checked(at)?;
    let (nonce, sealed) = sealed.split_first_chunk()?;
    let (ciphertext, tag) = sealed.split_last_chunk()?;
    Some((nonce, ciphertext, tag, rest.strip_prefix(MARK)?))
}

const BEFORE: &str = "{\"expires_at\":";
const AFTER: &str = "}";

fn seconds(aad: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(aad).ok()?;
    let digits = text.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    let seconds = digits.parse().ok()?;
    (format!("{seconds}") == digits).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn try_key(key: &[u8]) -> Result<Box<dyn Keyed>, KeyFault> {
        Litestar.keyed(
            "session",
            &Key::new(KeyId::parse("KEY").unwrap(), key.to_vec()),
        )
    }

    fn keyed() -> Box<dyn Keyed> {
        try_key(&[7; 32]).unwrap()
    }

    #[test]
    fn a_key_is_one_of_aes() {
        for length in [0, 15, 17, 24, 31, 33, 64] {
            let problem = try_key(&vec![7; length]).map(|_| ()).unwrap_err();
            assert!(problem.reason.contains("16 or 32 bytes"), "{length}");
        }
        assert!(try_key(&[7; 16]).is_ok());
    }

    #[test]
    fn an_expiry_is_kept_and_always_there() {
        let content = Content::of(&b"{}"[..]);
        assert_eq!(keyed().seal(&content, counted), Err(Uncarriable));
        let content = content.expiring_at(Some(1_790_000_000_000));
        let value = keyed().seal(&content, counted).unwrap();
        assert_eq!(keyed().open(&value), Ok(content.clone()));
        let bare = value.trim_matches('"');
        assert_eq!(keyed().open(bare), Ok(content));
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let sealed = |aad: &str| {
            let (text, tag) = gcm_seal_beside(&[7; 32], &[1; 12], aad.as_bytes(), b"{}").unwrap();
            let bytes = [&[1; 12][..], &text, &tag, MARK, aad.as_bytes()].concat();
            let mut text = String::new();
            push_base64(&mut text, &bytes);
            text
        };
        assert!(keyed().open(&sealed("{\"expires_at\":1}")).is_ok());
        for aad in [
            "",
            "{}",
            "{\"expires_at\":01}",
            "{\"expires_at\":+1}",
            "{\"expires_at\":1.5}",
            "{\"expires_at\": 1}",
        ] {
            assert_eq!(keyed().open(&sealed(aad)), Err(Refusal::Content), "{aad}");
        }
        let other = try_key(&[8; 32]).unwrap();
        assert_eq!(other.open(&sealed("{}")), Err(Refusal::Signature));
        let mut mark = String::new();
        push_base64(&mut mark, &[&[0; 27], MARK, b"{}"].concat());
        for shape in [
            "",
            "AAAA",
            "null",
            &mark,
            &sealed("{}")[1..],
            &sealed("{}").replace('=', ""),
        ] {
            assert_eq!(keyed().open(shape), Err(Refusal::Shape), "{shape}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>, seconds in 0..1u64 << 40) {
            let content = Content::of(payload).expiring_at(Some(seconds * 1000));
            let value = keyed().seal(&content, counted).unwrap();
            prop_assert_eq!(keyed().open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String) {
            prop_assert!(keyed().open(&text).is_err());
        }
    }
}
