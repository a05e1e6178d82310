//! `rails-signed`, `rails-encrypted`: the signed and encrypted cookies of Rails, sessions among them.
//!
//! Layout, form-escaped for the header (`=` becomes `%3D`, `+` `%2B`, `/` `%2F`):
//!
//! ```text
//! rails-signed                  base64(DATA) "--" hex(HMAC_H(K, the base64 text))
//! rails-encrypted, aes-256-gcm  base64(CIPHERTEXT) "--" base64(IV, 12 bytes) "--" base64(TAG, 16 bytes)
//! rails-encrypted, aes-256-cbc  base64(base64(CIPHERTEXT) "--" base64(IV, 16 bytes)) "--"
//!                               hex(HMAC-SHA1(K2, the outer base64 text))
//!
//! eyJfcmFpbHMiOnsibWVzc2FnZSI6Ik16TTJNRFl4IiwiZXhwIjpudWxsLCJwdXIiOiJjb29raWUuc2lkIn19--e209098891f9a70b9a0a5f6b41cdfb9cb48aa4bc
//! ```
//!
//! DATA, or what is encrypted, is the serialised value in an envelope that names the cookie:
//! `{"_rails":{"message":"MzM2MDYx","exp":null,"pur":"cookie.sid"}}`; see [`envelope`]. The name is bound
//! there and nowhere else, so whoever checks the MAC alone takes a renamed cookie.
//!
//! Keys are PBKDF2(`secret_key_base`, salt, 1000 rounds); with SHA-256 since `load_defaults 7.0`, before
//! with SHA-1 (`kdf_digest`):
//!
//! | key | salt | bytes |
//! | --- | --- | --- |
//! | K of `rails-signed` | `signed cookie` | 64 |
//! | of AES-256-GCM | `authenticated encrypted cookie` | 32 |
//! | of AES-256-CBC | `encrypted cookie` | 32 |
//! | K2 | `signed encrypted cookie` | 64 |
//!
//! Rails unescapes as Rack does, so a value that is not escaped is read too, but for `+`, which then is a
//! space. Its base64 is strict, its hexadecimal lower case and compared as text; both are so here. Rails
//! 6.1 ignores what follows a further `--`; here, as in 7.1, that is refused.
//!
//! Source: `action_dispatch/middleware/cookies.rb`, `active_support/message_{verifier,encryptor}.rb`,
//! `active_support/messages/metadata.rb`; checked against Rails 6.1.7.10 and 7.1.6 by the vectors.

mod envelope;
mod message;

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Pbkdf2, Random};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{from_uri_component, holds, uri_component};
use envelope::Envelope;
use message::{Kind, Message};

pub const FORMATS: &[Description] = &[
    Description {
        name: "rails-signed",
        used_by: "Rails 6.1, 7.1, signed cookies",
        options: &[FormatOption::digest("sha1", ""), KDF_DIGEST, PURPOSE],
        read: signed,
    },
    Description {
        name: "rails-encrypted",
        used_by: "Rails 6.1, 7.1, encrypted cookies and sessions",
        options: &[
            FormatOption::new(
                "cipher",
                DefaultValue::Text("aes-256-gcm"),
                "`\"aes-256-cbc\"`",
            )
            .shaped_by(&[ShapeValue::Text("aes-256-cbc")]),
            KDF_DIGEST,
            PURPOSE,
        ],
        read: encrypted,
    },
];

const KDF_DIGEST: FormatOption = FormatOption::new(
    "kdf_digest",
    DefaultValue::Text("sha256"),
    "`\"sha1\"` before `load_defaults 7.0`",
)
.also_used_as(&[ShapeValue::Text("sha1")]);
const PURPOSE: FormatOption = FormatOption::new(
    "purpose",
    DefaultValue::Flag(true),
    "`false` before `load_defaults 6.0`",
)
.also_used_as(&[ShapeValue::Flag(false)]);

fn signed(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    Rails::read(Kind::Signed(digest.unwrap_or(Digest::Sha1)), table)
}

fn encrypted(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let ciphers = [("aes-256-gcm", Kind::Gcm), ("aes-256-cbc", Kind::Cbc)];
    let cipher = table.choice("cipher", &ciphers);
    Rails::read(cipher.unwrap_or(Kind::Gcm), table)
}

/// A cookie jar of Rails with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rails {
    kind: Kind,
    kdf: Pbkdf2,
    purpose: bool,
}

impl Rails {
    fn read(kind: Kind, table: &mut Table<'_>) -> Option<Box<dyn Format>> {
        let kdf = table.choice("kdf_digest", Pbkdf2::NAMES);
        Some(Box::new(Self {
            kind,
            kdf: kdf.unwrap_or(Pbkdf2::Sha256),
            purpose: table.flag("purpose").unwrap_or(true),
        }))
    }
}

impl Format for Rails {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: self.purpose,
            carries_expiry: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    /// All options: kind, digest and KDF make the key, and a purpose makes values that open no other way,
    /// so that `accept` may name both.
    fn key_shape(&self) -> KeyShape {
        KeyShape::Hex(64)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        let used = match self.kind {
            Kind::Signed(digest) => digest.name(),
            Kind::Gcm => "gcm",
            Kind::Cbc => "cbc",
        };
        let kdf = self.kdf.name();
        let purpose = if self.purpose { "purpose" } else { "" };
        Derivation::Derived(format!("rails PBKDF2-{kdf} {used} {purpose}").into_bytes())
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedCookie {
            message: Message::new(self.kind, key, self.kdf),
            envelope: Envelope::new(cookie, self.purpose),
        }))
    }
}

struct KeyedCookie {
    message: Message,
    envelope: Envelope,
}

impl Keyed for KeyedCookie {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        // Rack would read a space
        if holds(value, b'+') {
            return Err(Refusal::Shape);
        }
        let data = self.message.open(&from_uri_component(value))?;
        self.envelope.open(data)
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let data = self.envelope.seal(content)?;
        // what neither Rails nor OpenSSL reads
        if data.is_empty() {
            return Err(Uncarriable);
        }
        let text = self.message.seal(&data, random).ok_or(Uncarriable)?;
        Ok(uri_component(&text))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::formats::Configured;
    use crate::settings::{Problems, Table};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn format(config: &Value) -> Configured {
        let problems = Problems::default();
        let mut table = Table::new("config", config, &problems).unwrap();
        let format = crate::formats::read(&mut table).unwrap();
        table.finish();
        assert!(problems.is_empty());
        format
    }

    fn under(config: &Value, cookie: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        format(config).keyed(cookie, &key).unwrap()
    }

    fn every_format() -> [Value; 6] {
        [
            json!({"format": "rails-signed"}),
            json!({"format": "rails-signed", "purpose": false, "digest": "sha512"}),
            json!({"format": "rails-encrypted"}),
            json!({"format": "rails-encrypted", "purpose": false, "kdf_digest": "sha1"}),
            json!({"format": "rails-encrypted", "cipher": "aes-256-cbc"}),
            json!({"format": "rails-encrypted", "cipher": "aes-256-cbc", "purpose": false}),
        ]
    }

    /// Keys are derived once for all the cases of a property.
    static EVERY: LazyLock<Vec<Box<dyn Keyed>>> = LazyLock::new(|| {
        let under_sid = |config| under(&config, "sid");
        every_format().into_iter().map(under_sid).collect()
    });

    fn seven(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn content(payload: &[u8], expiry: Option<u64>) -> Content<'_> {
        Content::of(payload).expiring_at(expiry)
    }

    #[test]
    fn what_is_sealed_opens_with_its_expiry() {
        for config in every_format() {
            let keyed = under(&config, "sid");
            for payload in [&b"{\"a\":1}"[..], b"\x04\x08\"\xff", "é\u{FFFD}".as_bytes()] {
                for expiry in [None, Some(1500)] {
                    let content = content(payload, expiry);
                    let value = keyed.seal(&content, seven).unwrap();
                    assert!(crate::wire::encoding::is_header_text(&value));
                    assert_eq!(keyed.open(&value), Ok(content), "{config}");
                }
            }
        }
    }

    #[test]
    fn a_purpose_binds_the_name_and_nothing_else_does() {
        for config in every_format() {
            let value = under(&config, "sid").seal(&content(b"1", None), seven);
            let value = value.unwrap();
            let bound = format(&config).properties().binds_name;
            let expected = if bound {
                Err(Refusal::Content)
            } else {
                Ok(content(b"1", None))
            };
            assert_eq!(under(&config, "other").open(&value), expected);
            assert_eq!(bound, config["purpose"].is_null());
        }
    }

    #[test]
    fn with_purpose_and_without_no_value_opens_both_ways_but_its_payload_is_carried() {
        for config in every_format() {
            let mut other = config.clone();
            other["purpose"] = (!config["purpose"].is_null()).into();
            let (this_way, other_way) = (under(&config, "sid"), under(&other, "sid"));
            for expiry in [None, Some(1500)] {
                let content = content(b"{}", expiry);
                let value = this_way.seal(&content, seven).unwrap();
                assert_eq!(other_way.open(&value), Err(Refusal::Signature));
                let carried = this_way.open(&value).unwrap();
                let carried = other_way.seal(&carried, seven).unwrap();
                assert_eq!(other_way.open(&carried), Ok(content));
            }
            let text = |config: &Value| format(config).derivation("sid");
            assert_ne!(text(&config), text(&other));
        }
    }

    #[test]
    fn each_option_that_changes_the_key_is_in_the_derivation() {
        let text = |config: Value| format!("{:?}", format(&config).derivation("sid"));
        let texts = [
            text(json!({"format": "rails-signed"})),
            text(json!({"format": "rails-signed", "digest": "sha256"})),
            text(json!({"format": "rails-signed", "kdf_digest": "sha1"})),
            text(json!({"format": "rails-encrypted"})),
            text(json!({"format": "rails-encrypted", "cipher": "aes-256-cbc"})),
            text(json!({"format": "rails-encrypted", "kdf_digest": "sha1"})),
        ];
        for (at, text) in texts.iter().enumerate() {
            assert!(!texts[..at].contains(text), "{text}");
        }
    }

    #[test]
    fn a_plus_is_read_as_rack_reads_it() {
        let keyed = under(&json!({"format": "rails-signed", "purpose": false}), "sid");
        let value = keyed.seal(&content("~~~".as_bytes(), None), no_random);
        let value = value.unwrap();
        assert!(value.starts_with("fn5%2B--"), "{value}");
        assert!(keyed.open(&value).is_ok());
        let lower = value.replace("%2B", "%2b");
        assert!(keyed.open(&lower).is_ok());
        let raw = value.replace("%2B", "+");
        assert_eq!(keyed.open(&raw), Err(Refusal::Shape));
    }

    #[test]
    fn what_is_rightly_signed_without_an_envelope_is_left_to_accept() {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        let signed = Message::new(Kind::Signed(Digest::Sha1), &key, Pbkdf2::Sha256);
        let keyed = under(&json!({"format": "rails-signed"}), "sid");
        for data in [&b"1"[..], b"{}", b"\xff", b"{\"_rails\":{}}"] {
            let value = uri_component(&signed.seal(data, no_random).unwrap());
            assert_eq!(keyed.open(&value), Err(Refusal::Signature));
        }
    }

    #[test]
    fn an_empty_text_is_not_sealed_bare() {
        let config = json!({"format": "rails-encrypted", "purpose": false});
        let keyed = under(&config, "sid");
        assert_eq!(keyed.seal(&content(b"", None), seven), Err(Uncarriable));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(
            text in any::<String>(),
            near in "[A-Za-z0-9+/=%-]{0,40}(--[A-Za-z0-9=]{0,24}){0,3}",
        ) {
            for keyed in EVERY.iter() {
                prop_assert!(keyed.open(&text).is_err());
                prop_assert!(keyed.open(&near).is_err());
            }
        }

        #[test]
        fn any_payload_comes_back(payload: Vec<u8>, expiry in prop::option::of(1..1u64 << 47)) {
            for keyed in EVERY.iter() {
                let content = content(&payload, expiry);
                if let Ok(value) = keyed.seal(&content, seven) {
                    prop_assert_eq!(keyed.open(&value), Ok(content));
                } else {
                    prop_assert!(payload.is_empty());
                }
            }
        }
    }
}
