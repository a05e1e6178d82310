//! `oauth2-proxy`: the session that oauth2-proxy keeps in its cookie, and the cookie of a login that it begins.
//!
//! Layout; the base64s are base64url with padding:
//!
//! ```text
//! base64(DATA) "|" SECONDS "|" base64(HMAC-SHA256(SECRET, NAME base64(DATA) SECONDS))
//! DATA   IV(16) AES-CFB(KEY, IV, session)
//! 6dQcrNL3fDt50PEX7Y0wV57vfBaYOc0…|1689102034|yqlwL5EWKo7zwpi0D3cMJbPJX1Y3ZAdnaeFwvMe2xeo=
//! ```
//!
//! SECRET is the text of `--cookie-secret`; KEY is what it is in base64url, padded or not, where that has 16, 24
//! or 32 bytes, else its own bytes: 32 letters and digits are 24 bytes. So a value is signed and encrypted anew for another key. The session is MessagePack under LZ4, and
//! opaque here. Sessions that are kept in Redis have a ticket in the cookie, which is signed and not encrypted:
//! `encrypted = false`; its other cookies are encrypted even then.
//!
//! What is signed has no separators: letters can move between name and data. So no name counts as bound here. Digits
//! cannot move, since SECONDS has ten of them.
//!
//! Stricter than oauth2-proxy, which also reads a signature with unused bits set. A session that it cuts in pieces
//! (`NAME_0`, `NAME_1`) is not covered.
//!
//! Source: `pkg/encryption/utils.go` and `cipher.go`, `pkg/sessions/cookie/session_store.go`, `pkg/cookies/csrf.go`;
//! checked against the first two of oauth2-proxy 7.15.3 by the vectors. The program itself was read, not run.

use zeroize::Zeroizing;

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{cfb_open, cfb_seal};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal, random_bytes};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    base64_len, from_base64url_leniently, from_padded_base64url, is_base64url, padded_base64url,
};

pub const FORMATS: &[Description] = &[Description {
    name: "oauth2-proxy",
    used_by: "oauth2-proxy 7.15 (read; its signing and encryption run)",
    options: &[FormatOption::new(
        "encrypted",
        DefaultValue::Flag(true),
        "`false` for sessions in Redis",
    )
    .also_used_as(&[ShapeValue::Flag(false)])],
    read: oauth2_proxy,
}];

fn oauth2_proxy(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let encrypted = table.flag("encrypted").unwrap_or(true);
    Some(Box::new(OAuth2Proxy { encrypted }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OAuth2Proxy {
    encrypted: bool,
}

impl Format for OAuth2Proxy {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            least_key: Some(16),
            ..FormatProperties::of(Payload::Of(if self.encrypted {
                "oauth2-proxy"
            } else {
                "oauth2-proxy ticket"
            }))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(32)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: Digest::Sha256,
            signs: if self.encrypted {
                "NAME BASE64 SECONDS"
            } else {
                "NAME BASE64 SECONDS, a ticket"
            },
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let cipher = encryption_key(key.bytes()).ok_or(
            KeyFault::new(
                "oauth2-proxy takes a secret of 16, 24 or 32 bytes, or those in base64url",
            )
            .cure("make one with: openssl rand -base64 32 | tr -- '+/' '-_'"),
        )?;
        Ok(Box::new(KeyedSession {
            name: cookie.to_owned(),
            mac: Mac::new(Digest::Sha256, key.bytes()),
            cipher: self.encrypted.then_some(cipher),
        }))
    }
}

/// As `SecretBytes` reads a secret, where that makes a key of AES.
fn encryption_key(secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let is_key = |key: &Zeroizing<Vec<u8>>| matches!(key.len(), 16 | 24 | 32);
    let text = core::str::from_utf8(secret).ok();
    let decoded = text.and_then(from_base64url_leniently).map(Zeroizing::new);
    let decoded = decoded.filter(is_key);
    let key = decoded.unwrap_or_else(|| Zeroizing::new(secret.to_vec()));
    Some(key).filter(is_key)
}

struct KeyedSession {
    name: String,
    mac: Mac,
    /// The key that encrypts, where the value is encrypted.
    cipher: Option<Zeroizing<Vec<u8>>>,
}

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let (data, rest) = value.split_once('|').ok_or(Refusal::Shape)?;
        let (time, signature) = rest.split_once('|').ok_or(Refusal::Shape)?;
        let is_data = is_base64url(data.trim_end_matches('='));
        if !is_data || !is_time(time) || !is_signature(signature) {
            return Err(Refusal::Shape);
        }
        if !equal(self.signature(data, time).as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        let time = time.parse().map_err(|_| Refusal::Content)?;
        let payload = self.payload(data).ok_or(Refusal::Content)?;
        Ok(Content::of(payload).signed_at(time))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let time = content.time_s.map(|time| time.to_string());
        let time = time.filter(|time| is_time(time)).ok_or(Uncarriable)?;
        let data = match &self.cipher {
            None => padded_base64url(&content.payload),
            Some(key) => {
                let iv = random_bytes(random);
                let text = cfb_seal(key, &iv, &content.payload).ok_or(Uncarriable)?;
                padded_base64url(&[&iv[..], &text].concat())
            }
        };
        let signature = self.signature(&data, &time);
        Ok(format!("{data}|{time}|{signature}"))
    }
}

impl KeyedSession {
    fn signature(&self, data: &str, time: &str) -> String {
        let signed = [self.name.as_bytes(), data.as_bytes(), time.as_bytes()];
        padded_base64url(&self.mac.sign(&signed))
    }

    fn payload(&self, data: &str) -> Option<Vec<u8>> {
        let bytes = from_padded_base64url(data)?;
        let Some(key) = &self.cipher else {
            return Some(bytes);
        };
        let (iv, text) = bytes.split_first_chunk()?;
        cfb_open(key, iv, text)
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

fn is_signature(text: &str) -> bool {
    let digits = text.strip_suffix('=').unwrap_or_default();
    digits.len() == base64_len(Digest::Sha256.size()) && is_base64url(digits)
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"32 bytes as they stand, no less.";

    fn keyed(encrypted: bool, name: &str, secret: &[u8]) -> Result<Box<dyn Keyed>, KeyFault> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), secret.to_vec());
        OAuth2Proxy { encrypted }.keyed(name, &key)
    }

    fn sealed(encrypted: bool, payload: &[u8]) -> String {
        let content = Content::of(payload).signed_at(1_700_000_000);
        let keyed = keyed(encrypted, "_oauth2_proxy", SECRET).unwrap();
        keyed.seal(&content, counted).unwrap()
    }

    #[test]
    fn a_secret_is_read_as_oauth2_proxy_reads_it() {
        let in_base64 = padded_base64url(&[0xFB; 32]);
        for (secret, expected) in [
            (SECRET, Some(SECRET)),
            (b"16 bytes, spaces", Some(&b"16 bytes, spaces"[..])),
            (in_base64.as_bytes(), Some(&[0xFB; 32][..])),
            (
                in_base64.trim_end_matches('=').as_bytes(),
                Some(&[0xFB; 32]),
            ),
            // 24 bytes in base64url, and so not 32 as they stand
            (&[b'_'; 32], Some(&[0xFF; 24])),
            (
                b"24 bytes as they stand.!",
                Some(b"24 bytes as they stand.!"),
            ),
            (b"short", None),
        ] {
            assert_eq!(
                encryption_key(secret).as_ref().map(|key| &key[..]),
                expected,
                "{secret:?}"
            );
        }
    }

    #[test]
    fn digits_do_not_move_between_data_and_time() {
        let value = sealed(false, &[0xD7; 12]);
        let (data, rest) = value.split_once('|').unwrap();
        let (time, signature) = rest.split_once('|').unwrap();
        let own = keyed(false, "_oauth2_proxy", SECRET).unwrap();
        for (cut, moved) in [(time.len() - 1, 1), (4, 6)] {
            let shifted = format!("{data}{}|{}|{signature}", &time[..cut], &time[cut..]);
            assert_eq!(own.open(&shifted), Err(Refusal::Shape), "{moved}");
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let value = sealed(true, b"{}");
        let own = keyed(true, "_oauth2_proxy", SECRET).unwrap();
        assert!(own.open(&value).is_ok());
        for bad in [
            "",
            "|",
            "||",
            &value[1..],
            &value[..value.len() - 1],
            &format!("{value}|"),
        ] {
            let refusal = own.open(bad).unwrap_err();
            assert!(refusal != Refusal::Content, "{bad}");
        }
        let other = keyed(true, "_other", SECRET).unwrap();
        assert_eq!(other.open(&value), Err(Refusal::Signature));
        // signed, and too short for an IV
        let ticket = sealed(false, b"v2.a.b");
        assert_eq!(own.open(&ticket), Err(Refusal::Content));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>, encrypted: bool) {
            let value = sealed(encrypted, &payload);
            let opened = keyed(encrypted, "_oauth2_proxy", SECRET).unwrap().open(&value).map(Content::into_owned);
            prop_assert_eq!(opened, Ok(Content::of(payload).signed_at(1_700_000_000)));
        }

        #[test]
        fn no_text_panics(text: String, data in "[a-zA-Z0-9_=|-]{0,60}") {
            let own = keyed(true, "_oauth2_proxy", SECRET).unwrap();
            let _ = own.open(&text);
            let _ = own.open(&format!("{data}|1700000000|{}=", "a".repeat(43)));
        }
    }
}
