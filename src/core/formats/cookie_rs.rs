//! `cookie-rs`: the signed and the private jar of Rust's crate `cookie`, as Rocket, axum-extra, actix-session and
//! tower-sessions use them.
//!
//! Layout; the base64 is standard with padding:
//!
//! ```text
//! jar = "signed"     base64(HMAC-SHA256(SIGNING KEY, VALUE)) VALUE
//! jar = "private"    base64(NONCE(12) CIPHER TAG(16))        AES-256-GCM under ENCRYPTION KEY, beside it NAME
//! 1Uv+1VmP4pXB6QlwhxKNRKxxHf7cJJ1tSKfe0FUk7gU%3D4711
//! ```
//!
//! SIGNING KEY and ENCRYPTION KEY are the first and the second 32 bytes of the secret, which has at least 64
//! (`Key::from`); with `derive = true` those of HKDF-Expand-SHA256(secret, INFO, 64 bytes), of a secret of at least
//! 32 (`Key::derive_from`, and Rocket for every secret of less than 64 bytes).
//!
//! Rocket, axum-extra and actix-session percent-encode the whole, `=` and `/` among it, `+` not. tower-sessions and
//! tower-cookies, and actix-web where a site adds a jar's cookie to a response itself, write it as it is:
//! `encoded = false`; what could not stand in a header, or has a percent sign, is encoded here all the same. All of
//! them decode what they read, so either spelling opens. Where only some percent sequences are whole they decode
//! those; none of them writes that, and it is read as it stands.
//!
//! Only the private jar binds the name. No time is carried.
//!
//! Source: `cookie/src/secure/{signed,private,key}.rs`, `cookie/src/{lib,parse}.rs`; checked against cookie 0.18.2
//! by the vectors (0.16.2, which actix-web 4 has, differs in neither), and behind axum-extra 0.12.6,
//! actix-session 0.11.0 and tower-sessions 0.15.0 end to end. Rocket 0.5.2 and tower-cookies 0.11.0 were read, not run.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use zeroize::Zeroizing;

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{gcm_open_beside, gcm_seal_beside};
use crate::crypto::key::{Encoding, Key};
use crate::crypto::{Digest, Mac, Random, equal, random_bytes};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{from_base64, from_uri_component, holds, is_header_text, push_base64};

pub const FORMATS: &[Description] = &[Description {
    name: "cookie-rs",
    used_by: "cookie 0.18: Rocket 0.5, axum-extra 0.12, actix-session 0.11, tower-sessions 0.15",
    options: &[
        FormatOption::new("jar", DefaultValue::Text("signed"), "`\"private\"`")
            .shaped_by(&[ShapeValue::Text("private")]),
        FormatOption::new(
            "derive",
            DefaultValue::Flag(false),
            "`true` where the site calls `Key::derive_from`, as Rocket does with 32 bytes",
        )
        .also_used_as(&[ShapeValue::Flag(true)]),
        FormatOption::new(
            "encoded",
            DefaultValue::Flag(true),
            "`false` for tower-sessions and tower-cookies",
        )
        .also_used_as(&[ShapeValue::Flag(false)]),
    ],
    read: cookie_rs,
}];

fn cookie_rs(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let jar = table.choice("jar", &[("signed", Jar::Signed), ("private", Jar::Private)]);
    let derive = table.flag("derive");
    let encoded = table.flag("encoded");
    Some(Box::new(CookieRs {
        jar: jar.unwrap_or(Jar::Signed),
        derive: derive.unwrap_or(false),
        encoded: encoded.unwrap_or(true),
    }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CookieRs {
    jar: Jar,
    /// Whether the keys are derived from the secret, which else is both.
    derive: bool,
    /// Whether the site percent-encodes always.
    encoded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jar {
    Signed,
    Private,
}

/// Of each of the two.
const KEY: usize = 32;
/// A MAC of 32 bytes in base64, padding among them.
const DIGEST_LEN: usize = 44;
/// What HKDF expands the keys with (`cookie/src/secure/key.rs`).
const INFO: &[u8] = b"COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM";

impl CookieRs {
    const fn least_key(self) -> usize {
        if self.derive { KEY } else { 2 * KEY }
    }

    /// The jar's own key. HKDF-Expand (RFC 5869, section 2.3) is one MAC for each.
    fn own_key(self, secret: &[u8]) -> Result<Zeroizing<[u8; KEY]>, KeyFault> {
        if secret.len() < self.least_key() {
            return Err(if self.derive {
                KeyFault::new("has fewer than 32 bytes, and Key::derive_from takes no less")
                    .cure("if it is written in base64 or hex, say so with `encoding`")
            } else {
                KeyFault::new("has fewer than 64 bytes, and Key::from takes no less").cure("if it is written in base64 or hex, say so with `encoding`, and if the site derives its key (Key::derive_from, Rocket), say derive = true")
            });
        }
        let mut keys = Zeroizing::new([0; 2 * KEY]);
        if self.derive {
            let mac = Mac::new(Digest::Sha256, secret);
            let signing = mac.sign(&[INFO, &[1]]);
            let encryption = mac.sign(&[&signing, INFO, &[2]]);
            keys[..KEY].copy_from_slice(&signing);
            keys[KEY..].copy_from_slice(&encryption);
        } else {
            keys.copy_from_slice(&secret[..2 * KEY]); // it is as long, says the check above
        }
        let mut own = Zeroizing::new([0; KEY]);
        own.copy_from_slice(match self.jar {
            Jar::Signed => &keys[..KEY],
            Jar::Private => &keys[KEY..],
        });
        Ok(own)
    }
}

impl Format for CookieRs {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: self.jar == Jar::Private,
            least_key: Some(self.least_key()),
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64 {
            prefix: "",
            bytes: self.least_key(),
            encoding: Encoding::Base64,
        }
    }

    /// The second derived key is a MAC over the first as well, which only somebody knows who had that signed.
    fn derivation(&self, _cookie: &str) -> Derivation {
        let derived = |first: &[u8], count| Derivation::Mac {
            digest: Digest::Sha256,
            text: [first, INFO, &[count]].concat(),
        };
        match (self.jar, self.derive) {
            (Jar::Signed, false) => Derivation::Part {
                bytes: 0..KEY,
                used: "HMAC-SHA256",
                is_bare: true,
            },
            (Jar::Private, false) => Derivation::Part {
                bytes: KEY..2 * KEY,
                used: "AES-256-GCM",
                is_bare: false,
            },
            (Jar::Signed, true) => derived(b"", 1),
            (Jar::Private, true) => derived(b"the first", 2),
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let own = self.own_key(key.bytes())?;
        let encoded = self.encoded;
        Ok(match self.jar {
            Jar::Signed => Box::new(Signed {
                mac: Mac::new(Digest::Sha256, &*own),
                encoded,
            }),
            Jar::Private => Box::new(Private {
                key: own,
                name: cookie.to_owned(),
                encoded,
            }),
        })
    }
}

struct Signed {
    mac: Mac,
    encoded: bool,
}

impl Keyed for Signed {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = from_uri_component(value);
        let (digest, payload) = text.split_at_checked(DIGEST_LEN).ok_or(Refusal::Shape)?;
        let digest = from_base64(digest).filter(|digest| digest.len() == Digest::Sha256.size());
        let digest = digest.ok_or(Refusal::Shape)?;
        if equal(&self.mac.sign(&[payload.as_bytes()]), &digest) {
            Ok(Content::of(payload.as_bytes().to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        let mut text = String::with_capacity(DIGEST_LEN + payload.len());
        push_base64(&mut text, &self.mac.sign(&[payload.as_bytes()]));
        text.push_str(payload);
        Ok(written(text, self.encoded))
    }
}

struct Private {
    key: Zeroizing<[u8; KEY]>,
    name: String,
    encoded: bool,
}

impl Keyed for Private {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let sealed = from_base64(&from_uri_component(value)).ok_or(Refusal::Shape)?;
        let (nonce, sealed) = sealed.split_first_chunk().ok_or(Refusal::Shape)?;
        let (ciphertext, tag) = sealed.split_last_chunk().ok_or(Refusal::Shape)?;
        let aad = self.name.as_bytes();
        let payload = gcm_open_beside(&*self.key, nonce, aad, ciphertext, tag);
        let payload = String::from_utf8(payload.ok_or(Refusal::Signature)?);
        Ok(Content::of(
            payload.map_err(|_| Refusal::Content)?.into_bytes(),
        ))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let nonce = random_bytes(random);
        let (aad, payload) = (self.name.as_bytes(), content.text()?.as_bytes());
        let sealed = gcm_seal_beside(&*self.key, &nonce, aad, payload);
        let (ciphertext, tag) = sealed.ok_or(Uncarriable)?;
        let mut text = String::new();
        push_base64(&mut text, &[&nonce[..], &ciphertext, &tag].concat());
        Ok(written(text, self.encoded))
    }
}

/// A jar's value as it goes into the header.
fn written(text: String, encoded: bool) -> String {
    if encoded || !is_header_text(&text) || holds(&text, b'%') {
        utf8_percent_encode(&text, ENCODED).to_string()
    } else {
        text
    }
}

/// What `Cookie::encoded` encodes (`cookie/src/lib.rs`).
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'(')
    .add(b')')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

#[cfg(test)]
mod tests {
    use super::super::{counted, no_random};
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn format(jar: Jar, derive: bool) -> CookieRs {
        CookieRs {
            jar,
            derive,
            encoded: true,
        }
    }

    fn try_key(format: CookieRs, bytes: usize) -> Result<Box<dyn Keyed>, KeyFault> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), vec![7; bytes]);
        format.keyed("sid", &key)
    }

    fn keyed(jar: Jar) -> Box<dyn Keyed> {
        try_key(format(jar, false), 64).unwrap()
    }

    #[test]
    fn a_key_is_as_long_as_the_crate_asks_for() {
        for jar in [Jar::Signed, Jar::Private] {
            let short = try_key(format(jar, false), 63).unwrap_err().to_string();
            assert!(short.contains("64 bytes") && short.contains("derive = true"));
            let short = try_key(format(jar, true), 31).unwrap_err().to_string();
            assert!(short.contains("32 bytes"), "{short}");
            assert!(
                try_key(format(jar, false), 64).is_ok() && try_key(format(jar, true), 32).is_ok()
            );
        }
    }

    #[test]
    fn what_lies_beyond_64_bytes_of_a_key_says_nothing() {
        let sealed = |bytes| {
            let jar = try_key(format(Jar::Signed, false), bytes).unwrap();
            jar.seal(&Content::of(&b"x"[..]), no_random)
        };
        assert_eq!(sealed(64), sealed(100));
    }

    #[test]
    fn each_jar_has_keys_of_its_own_however_they_are_made() {
        let all = [
            (Jar::Signed, false),
            (Jar::Signed, true),
            (Jar::Private, false),
            (Jar::Private, true),
        ];
        let all = all.map(|(jar, derive)| format(jar, derive).derivation("sid"));
        for (at, derivation) in all.iter().enumerate() {
            assert!(!all[..at].contains(derivation));
        }
        let encoded = format(Jar::Signed, true);
        let raw = CookieRs {
            encoded: false,
            ..encoded
        };
        assert_eq!(raw.derivation("sid"), encoded.derivation("sid"));
    }

    #[test]
    fn only_what_could_be_signed_or_sealed_is_verified() {
        let digest = "7LmPH3+tFkzDvcwdXDVAM9QT4l31cm8EyMm0hQxGg8Q=";
        for good in [
            digest.to_owned(),
            format!("{digest}x"),
            format!("{digest}100%"),
        ] {
            assert_eq!(
                keyed(Jar::Signed).open(&good),
                Err(Refusal::Signature),
                "{good}"
            );
        }
        for shape in [
            "",
            "x",
            &digest[1..],
            &format!("x{digest}"),
            &format!("é{}", &digest[1..]),
            &format!("{}é", &digest[..43]),
            &digest.replace('+', "-"),
            &format!("{}R=", &digest[..42]),
        ] {
            assert_eq!(
                keyed(Jar::Signed).open(shape),
                Err(Refusal::Shape),
                "{shape}"
            );
        }
        let sealed = "A".repeat(40);
        assert_eq!(keyed(Jar::Private).open(&sealed), Err(Refusal::Signature));
        for shape in [
            "",
            "AAAA",
            &sealed[4..],
            &sealed[1..],
            &sealed.replace('A', "-"),
        ] {
            assert_eq!(
                keyed(Jar::Private).open(shape),
                Err(Refusal::Shape),
                "{shape}"
            );
        }
    }

    #[test]
    fn what_could_not_stand_in_a_header_is_encoded_always() {
        for (payload, is_raw) in [
            ("a-b:c/d", true),
            ("100%", false),
            ("a; b", false),
            ("é", false),
        ] {
            for jar in [Jar::Signed, Jar::Private] {
                let raw = CookieRs {
                    encoded: false,
                    ..format(jar, false)
                };
                let raw = try_key(raw, 64).unwrap();
                let content = Content::of(payload.as_bytes());
                let value = raw.seal(&content, counted).unwrap();
                assert!(is_header_text(&value), "{value}");
                let is_encoded = holds(&value, b'%');
                assert_eq!(is_encoded, jar == Jar::Signed && !is_raw, "{value}");
                assert_eq!(keyed(jar).open(&value), Ok(content));
            }
        }
    }

    #[test]
    fn a_payload_is_text() {
        for jar in [Jar::Signed, Jar::Private] {
            let bytes = Content::of(&b"\xFF"[..]);
            assert_eq!(keyed(jar).seal(&bytes, counted), Err(Uncarriable));
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: String) {
            for jar in [Jar::Signed, Jar::Private] {
                let content = Content::of(payload.as_bytes());
                let value = keyed(jar).seal(&content, counted).unwrap();
                prop_assert_eq!(keyed(jar).open(&value), Ok(content));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            for jar in [Jar::Signed, Jar::Private] {
                prop_assert!(keyed(jar).open(&text).is_err());
            }
        }
    }
}
