//! `sealed`: the Worker's own format, for cookies that the site itself does not sign.
//!
//! Layout:
//!
//! ```text
//! "v1." base64url(PAYLOAD) "." TIME "." base64url(HMAC-SHA256(K, NAME 0x00 TIME 0x00 PAYLOAD))
//! K = HMAC-SHA256(key, "countersign sealed v1")
//! v1.ImFkYUBleGFtcGxlLmNvbSI.1764510000.8Wq6RNr9DaC9AjcTm8yBf8JwLab8LUHz2-uF_3eZtKo
//! ```
//!
//! PAYLOAD is what stands between `=` and `;` in the site's Set-Cookie, byte for byte: quotes, spaces, commas
//! and an empty value among it. It is signed, not encrypted. TIME is in decimal Unix seconds without leading
//! zeros. No base64url has padding, and its unused bits are zero: each cookie has one spelling, of letters,
//! digits, `-`, `_` and `.` alone, which no browser, proxy or parser changes. Neither a name nor a time holds
//! 0x00, so what the MAC covers can be taken apart in one way only.
//!
//! No framework writes this: the vectors are made by Python's `hmac` alone (`generate/from_sealed.py`).

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::wire::encoding::{base64_len, from_base64url, push_base64url};

pub const FORMATS: &[Description] = &[Description {
    name: "sealed",
    used_by: "Countersign's own, for wrapping what the site does not sign",
    options: &[],
    read: |_| Some(Box::new(Sealed)),
}];

const VERSION: &str = "v1.";
/// Its MAC under the secret is the key that signs.
const PURPOSE: &str = "countersign sealed v1";
const DIGEST: Digest = Digest::Sha256;
const SIGNATURE_LEN: usize = base64_len(DIGEST.size());

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sealed;

impl Format for Sealed {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            binds_name: true,
            wraps_any_value: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Mac {
            digest: DIGEST,
            text: PURPOSE.into(),
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let derived = Mac::new(DIGEST, key.bytes()).sign(&[PURPOSE.as_bytes()]);
        Ok(Box::new(KeyedSealed {
            mac: Mac::new(DIGEST, &derived),
            name: cookie.to_owned(),
        }))
    }
}

struct KeyedSealed {
    mac: Mac,
    name: String,
}

impl KeyedSealed {
    /// The MAC, as the value writes it.
    fn signature(&self, time: &str, payload: &[u8]) -> String {
        let (name, time) = (self.name.as_bytes(), time.as_bytes());
        let tag = self.mac.sign(&[name, b"\0", time, b"\0", payload]);
        let mut text = String::with_capacity(SIGNATURE_LEN);
        push_base64url(&mut text, &tag);
        text
    }
}

impl Keyed for KeyedSealed {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let (payload, time, signature) = fields(value).ok_or(Refusal::Shape)?;
        let payload = from_base64url(payload).ok_or(Refusal::Shape)?;
        let expected = self.signature(time, &payload);
        if !equal(expected.as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        let time = time.parse().map_err(|_| Refusal::Content)?;
        Ok(Content::of(payload).signed_at(time))
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let time = content.time_s.ok_or(Uncarriable)?.to_string();
        let signature = self.signature(&time, &content.payload);
        let payload_len = base64_len(content.payload.len());
        let len = VERSION.len() + payload_len + time.len() + SIGNATURE_LEN + 2;
        let mut value = String::with_capacity(len);
        value.push_str(VERSION);
        push_base64url(&mut value, &content.payload);
        for part in [&time, &signature] {
            value.push('.');
            value.push_str(part);
        }
        Ok(value)
    }
}

/// Payload, time and signature as they are written, where each may be what it should.
fn fields(value: &str) -> Option<(&str, &str, &str)> {
    let mut parts = value.strip_prefix(VERSION)?.split('.');
    let fields = (parts.next()?, parts.next()?, parts.next()?);
    let (_, time, signature) = fields;
    let is_whole = parts.next().is_none() && signature.len() == SIGNATURE_LEN;
    (is_whole && is_decimal(time)).then_some(fields)
}

/// Whether a text is a decimal number without sign or leading zeros.
fn is_decimal(text: &str) -> bool {
    let is_shortest = text == "0" || !text.starts_with('0');
    !text.is_empty() && is_shortest && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    const TIME: u64 = 1_764_510_000;

    fn keyed(cookie: &str, key: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), key.into());
        Sealed.keyed(cookie, &key).unwrap()
    }

    fn seal(payload: &[u8]) -> String {
        let content = Content::of(payload).signed_at(TIME);
        keyed("user", "K").seal(&content, no_random).unwrap()
    }

    fn open(value: &str) -> Result<Content<'_>, Refusal> {
        keyed("user", "K").open(value)
    }

    #[test]
    fn the_example_above_opens() {
        let value =
            "v1.ImFkYUBleGFtcGxlLmNvbSI.1764510000.8Wq6RNr9DaC9AjcTm8yBf8JwLab8LUHz2-uF_3eZtKo";
        let content = Content::of(&b"\"ada@example.com\""[..]).signed_at(TIME);
        let keyed = keyed("user", "a secret of the ring, 32 bytes long");
        assert_eq!(keyed.open(value), Ok(content));
    }

    #[test]
    fn any_bytes_come_back_and_none_shows_in_the_header() {
        let all: Vec<u8> = (0..=255).collect();
        for payload in [
            &b"\"ada@example.com\""[..],
            b"",
            b"{\"id\":7}",
            "Zoë".as_bytes(),
            &all,
        ] {
            let value = seal(payload);
            let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            assert!(value.bytes().all(is_safe), "{value}");
            assert_eq!(open(&value), Ok(Content::of(payload).signed_at(TIME)));
        }
        let timeless = Content::of(&b"x"[..]);
        assert_eq!(
            keyed("user", "K").seal(&timeless, no_random),
            Err(Uncarriable)
        );
    }

    #[test]
    fn a_value_is_good_for_one_key_name_and_time() {
        let value = seal(b"7");
        assert_eq!(keyed("user", "L").open(&value), Err(Refusal::Signature));
        assert_eq!(keyed("users", "K").open(&value), Err(Refusal::Signature));
        let later = value.replace(&TIME.to_string(), &(TIME + 1).to_string());
        assert_eq!(open(&later), Err(Refusal::Signature));
    }

    #[test]
    fn a_value_has_one_spelling() {
        let value = seal(b"7"); // whose base64url has unused bits
        let [payload, time, signature] = fields(&value).map(<[&str; 3]>::from).unwrap();
        let shapeless = [
            format!("v1.{payload}=={time}.{signature}"),
            format!("v1.{payload}==.{time}.{signature}"),
            format!("v1.Nx.{time}.{signature}"),
            format!("v1.{payload}.0{time}.{signature}"),
            format!("v1.{payload}.+{time}.{signature}"),
            format!("v1.{payload}..{signature}"),
            format!("v1.{payload}.{time}.{signature}="),
            format!("v1.{payload}.{time}.{signature}."),
            format!("v1.{payload}.{time}."),
            format!("v1.{payload}.{time}"),
            format!("v2.{payload}.{time}.{signature}"),
            format!("V1.{payload}.{time}.{signature}"),
            format!("\"{value}\""),
            "v1.".to_owned(),
            String::new(),
        ];
        for other in shapeless {
            assert_eq!(open(&other), Err(Refusal::Shape), "{other}");
        }
        // unused bits of the signature, which decodes to the same bytes
        let last = signature.chars().last().unwrap();
        let next = char::from_u32(u32::from(last) + 1).unwrap();
        let other = format!("{}{next}", &value[..value.len() - 1]);
        assert_eq!(open(&other), Err(Refusal::Signature));
    }

    #[test]
    fn a_time_that_is_no_number_here_is_signed_and_still_refused() {
        let time = "18446744073709551616"; // 2^64
        let key = Mac::new(DIGEST, b"K").sign(&[PURPOSE.as_bytes()]);
        let signed = KeyedSealed {
            mac: Mac::new(DIGEST, &key),
            name: "user".to_owned(),
        };
        let value = format!("v1..{time}.{}", signed.signature(time, b""));
        assert_eq!(open(&value), Err(Refusal::Content));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>, time: u64) {
            let content = Content::of(payload).signed_at(time);
            let value = keyed("user", "K").seal(&content, no_random).unwrap();
            prop_assert_eq!(open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = open(&text);
            let _ = open(&format!("v1.{text}.0.{text}"));
        }
    }
}
