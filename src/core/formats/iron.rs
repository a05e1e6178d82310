//! `iron`, `iron-session`: values sealed by @hapi/iron, and the cookies of iron-session.
//!
//! Layout; iron-session adds its version, `~2`:
//!
//! ```text
//! "Fe26.2*" ID "*" ESALT "*" IV "*" CIPHER "*" EXPIRY "*" MSALT "*" MAC
//! Fe26.2**916cc6bd857935fcc3cafa5e81aa92a69de7583fbfc56351ecf9995fcde14dbc*sDe9gNx_U-rDA-gvwMnh9w*
//!   Ucl-njttdRpoxbgbPhxiZoIdDP065wwhDCX4LIigY2E*1648723770000*2a53096acf6313b13492360162114bab688f4f
//!   ad93e91f1eb843df0ab0047633*wYHAFVBGuFTzg4LjUp5_KGK2S6EnRmJ-b1oFctgt4AI
//! ```
//!
//! CIPHER is JSON under AES-256-CBC with the key of ESALT; the MAC is made with the key of MSALT over all
//! before `*MSALT` (see `iron_password.rs`). IV, CIPHER and MAC are base64url without padding. EXPIRY is
//! in Unix milliseconds or empty; Iron goes by it a minute late, for clocks that differ. It is kept to the
//! millisecond. No name is bound and no time carried.
//!
//! ID names the password among several: `id` in the configuration, one text for all keys or a table from
//! key ids to texts. Iron has none by default, iron-session `1`. A value under another ID is none of that
//! key's. (An Iron whose password is one text does not look at the ID; its own values have none.)
//!
//! Stricter than Iron, which also opens other spellings of the base64 and salts of any characters. Not
//! covered: keys given to Iron as bytes rather than text, other ciphers or rounds than its defaults, and
//! iron-session before version 6, whose values have no `~2` and another content.
//!
//! Source: `lib/index.js` of @hapi/iron, `src/core.ts` of iron-session; checked against @hapi/iron 7.0.1
//! and iron-session 8.0.4 by the vectors.

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::iron_password::{LEAST, Password, is_mac, is_salt, new_salt};
use super::labels::Labels;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{cbc_open, cbc_seal};
use crate::crypto::key::Key;
use crate::crypto::{Random, random_bytes};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{base64_len, from_base64url, is_base64url, push_base64url};

pub const FORMATS: &[Description] = &[
    Description {
        name: "iron",
        used_by: "@hapi/iron 7.0: @hapi/cookie 12, hapi's `encoding: 'iron'`",
        options: &[FormatOption::new(
            "id",
            DefaultValue::Unset,
            "a string, or a table from key ids to strings, where the site has several passwords",
        )
        .shaped_by(&[ShapeValue::OfCookie(password_id)])],
        read: |table| read(table, &IRON),
    },
    Description {
        name: "iron-session",
        used_by: "iron-session 8.0",
        options: &[FormatOption::new(
            "id",
            DefaultValue::Unset,
            "`\"1\"` where it is left out; or a table from key ids to strings",
        )
        .shaped_by(&[ShapeValue::OfCookie(password_id)])],
        read: |table| read(table, &IRON_SESSION),
    },
];

/// The id of the password, which the value names.
fn password_id(value: &str) -> Option<&str> {
    value.split('*').nth(1)
}

fn read(table: &mut Table<'_>, layout: &'static Layout) -> Option<Box<dyn Format>> {
    let ids = Labels::read(table, "id");
    Some(Box::new(Iron { layout, ids }))
}

#[derive(Debug)]
struct Layout {
    suffix: &'static str,
    id: &'static str,
    is_id: fn(&str) -> bool,
    ids: KeyFault,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        self.suffix == other.suffix // each has its own; functions do not compare
    }
}

const IRON: Layout = Layout {
    suffix: "",
    id: "",
    is_id: |id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
    ids: KeyFault::new("has a password id that Iron cannot write")
        .cure("an id consists of letters, digits and underscores"),
};

const IRON_SESSION: Layout = Layout {
    suffix: "~2",
    id: "1",
    is_id: |id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()),
    ids: KeyFault::new("has a password id that is none of iron-session's")
        .cure("they are whole numbers, \"1\" for a lone password"),
};

#[derive(Debug, PartialEq)]
struct Iron {
    layout: &'static Layout,
    ids: Labels,
}

impl Format for Iron {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_expiry: true,
            grace_ms: 60_000,
            least_key: Some(LEAST),
            ..FormatProperties::of(Payload::Of("iron"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(48)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Derived(b"Fe26.2".to_vec())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let id = self.ids.of(key.id())?.unwrap_or(self.layout.id);
        if !(self.layout.is_id)(id) {
            return Err(self.layout.ids);
        }
        Ok(Box::new(KeyedIron {
            prefix: format!("Fe26.2*{id}*"),
            suffix: self.layout.suffix,
            password: Password::of(key)?,
        }))
    }
}

struct KeyedIron {
    prefix: String,
    suffix: &'static str,
    password: Password,
}

impl Keyed for KeyedIron {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = value.strip_suffix(self.suffix).ok_or(Refusal::Shape)?;
        let fields = text.strip_prefix(&self.prefix).and_then(fields);
        let [salt, iv, ciphertext, expiry, mac_salt, mac] = fields.ok_or(Refusal::Shape)?;
        let signed = &text[..text.len() - mac.len() - mac_salt.len() - 2]; // they end it after two asterisks
        if !self.password.verify(mac_salt, &[signed.as_bytes()], mac) {
            return Err(Refusal::Signature);
        }
        let expiry = match expiry {
            "" => None,
            digits => Some(digits.parse::<u64>().map_err(|_| Refusal::Content)?),
        };
        let payload = self.decrypted(salt, iv, ciphertext);
        Ok(Content::of(payload.ok_or(Refusal::Content)?).expiring_at(expiry))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let salt = new_salt(random);
        let iv = random_bytes(random);
        let ciphertext = cbc_seal(&self.password.key(&salt), &iv, &content.payload);
        let mut text = format!("{}{salt}*", self.prefix);
        push_base64url(&mut text, &iv);
        text.push('*');
        push_base64url(&mut text, &ciphertext.ok_or(Uncarriable)?);
        text.push('*');
        if let Some(expiry) = content.expiry_ms {
            text.push_str(&expiry.to_string());
        }
        let mac_salt = new_salt(random);
        let mac = self.password.sign(&mac_salt, &[text.as_bytes()]);
        Ok(format!("{text}*{mac_salt}*{mac}{}", self.suffix))
    }
}

impl KeyedIron {
    fn decrypted(&self, salt: &str, iv: &str, ciphertext: &str) -> Option<Vec<u8>> {
        let iv = from_base64url(iv)?.try_into().ok()?;
        cbc_open(&self.password.key(salt), &iv, &from_base64url(ciphertext)?)
    }
}

/// What follows the ID: ESALT, IV, CIPHER, EXPIRY, MSALT and MAC, where each has its shape.
fn fields(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.split('*');
    let mut found = [""; 6];
    for field in &mut found {
        *field = parts.next()?;
    }
    let [salt, iv, ciphertext, expiry, mac_salt, mac] = found;
    let fits = parts.next().is_none()
        && is_salt(salt)
        && iv.len() == base64_len(16)
        && is_base64url(iv)
        && is_base64url(ciphertext)
        && expiry.bytes().all(|b| b.is_ascii_digit())
        && is_salt(mac_salt)
        && is_mac(mac);
    fits.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::settings::Problems;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const PASSWORD: &[u8] = b"a password of 32 characters, just";

    fn keyed_as(name: &str, config: Value) -> Result<Box<dyn Keyed>, KeyFault> {
        let problems = Problems::default();
        let mut table = Table::new("T", &config, &problems).unwrap();
        let found = FORMATS.iter().find(|known| known.name == name).unwrap();
        let format = (found.read)(&mut table).unwrap();
        table.finish();
        assert!(problems.is_empty());
        format.keyed("sid", &key("KEY_A"))
    }

    fn key(id: &str) -> Key {
        Key::new(KeyId::parse(id).unwrap(), PASSWORD.to_vec())
    }

    fn iron() -> KeyedIron {
        KeyedIron {
            prefix: "Fe26.2**".to_owned(),
            suffix: "",
            password: Password::of(&key("K")).unwrap(),
        }
    }

    /// A seal around these fields, with its MAC right.
    fn signed(text: &str) -> String {
        let mac = iron().password.sign("ab", &[text.as_bytes()]);
        format!("{text}*ab*{mac}")
    }

    #[test]
    fn an_expiry_is_kept_to_the_millisecond() {
        let content = Content::of(&b"{}"[..]).expiring_at(Some(1_700_000_000_001));
        let value = iron().seal(&content, counted).unwrap();
        assert!(value.contains("*1700000000001*"));
        assert_eq!(iron().open(&value), Ok(content));
        let endless = iron().seal(&Content::of(&b"{}"[..]), counted).unwrap();
        assert_eq!(iron().open(&endless).unwrap().expiry_ms, None);
    }

    #[test]
    fn what_the_mac_vouches_for_must_still_be_readable() {
        let iv = "AAAAAAAAAAAAAAAAAAAAAA";
        for (fields, refusal) in [
            // no whole block, padding that is none, unused bits, more digits than a number has
            (format!("Fe26.2**ab*{iv}*AAAA*"), Refusal::Content),
            (format!("Fe26.2**ab*{iv}**"), Refusal::Content),
            (format!("Fe26.2**ab*{iv}*{}*", &iv[..22]), Refusal::Content),
            (format!("Fe26.2**ab*{}B*AAAA*", &iv[..21]), Refusal::Content),
            (
                format!("Fe26.2**ab*{iv}*AAAA*99999999999999999999"),
                Refusal::Content,
            ),
            (format!("Fe26.2**ab*{iv}*AAAA*0"), Refusal::Content),
            (format!("Fe26.2**ab*{iv}*AAAA*-1"), Refusal::Shape),
            (format!("Fe26.2**ab*{iv}*AA=A*"), Refusal::Shape),
            (format!("Fe26.2**ab*{iv}A*AAAA*"), Refusal::Shape),
            (format!("Fe26.2***{iv}*AAAA*"), Refusal::Shape),
            (format!("Fe26.2**ab*{iv}*AAAA"), Refusal::Shape),
            (format!("Fe26.2**ab*{iv}*AAAA**1"), Refusal::Shape),
            (format!("Fe26.2*1*ab*{iv}*AAAA*"), Refusal::Shape),
            (format!("Fe26.1**ab*{iv}*AAAA*"), Refusal::Shape),
        ] {
            assert_eq!(iron().open(&signed(&fields)), Err(refusal), "{fields}");
        }
    }

    #[test]
    fn each_key_goes_by_its_own_id() {
        let ids = json!({"id": {"KEY_A": "k_1", "KEY_B": ""}});
        let value = keyed_as("iron", ids.clone())
            .unwrap()
            .seal(&Content::of(&b"{}"[..]), counted)
            .unwrap();
        assert!(value.starts_with("Fe26.2*k_1*"));
        assert_eq!(iron().open(&value), Err(Refusal::Shape));
        let session = keyed_as("iron-session", json!({})).unwrap();
        let value = session.seal(&Content::of(&b"{}"[..]), counted).unwrap();
        assert!(value.starts_with("Fe26.2*1*") && value.ends_with("~2"));
        assert_eq!(
            session.open(value.trim_end_matches("~2")),
            Err(Refusal::Shape)
        );
        let two = keyed_as("iron-session", json!({"id": "2"})).unwrap();
        assert_eq!(two.open(&value), Err(Refusal::Shape));
        assert!(keyed_as("iron", json!({"id": {"KEY_B": "1"}})).is_err());
    }

    #[test]
    fn an_id_that_the_framework_cannot_write_is_explained() {
        for (name, id) in [
            ("iron", "a*b"),
            ("iron", "é"),
            ("iron-session", "k1"),
            ("iron-session", ""),
        ] {
            let fault = keyed_as(name, json!({ "id": id })).unwrap_err();
            assert!(fault.reason.starts_with("has a password id"), "{fault}");
        }
    }

    #[test]
    fn a_password_is_counted_as_iron_counts_it() {
        let id = KeyId::parse("K").unwrap();
        for (password, fits) in [
            ("é".repeat(31), false),
            ("é".repeat(32), true),
            ("🔑".repeat(16), true),
            ("a".repeat(31), false),
        ] {
            let key = Key::new(id.clone(), password.clone().into_bytes());
            assert_eq!(Password::of(&key).is_ok(), fits, "{password}");
        }
        assert!(Password::of(&Key::new(id, vec![0xFF; 64])).is_err());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>, expiry in proptest::option::of(0..u64::MAX)) {
            let content = Content::of(payload).expiring_at(expiry);
            let value = iron().seal(&content, counted).unwrap();
            prop_assert_eq!(iron().open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String, fields in "[a-zA-Z0-9*=é]{0,80}") {
            let _ = iron().open(&text);
            let _ = iron().open(&format!("Fe26.2**{fields}"));
            let _ = iron().open(&signed(&format!("Fe26.2**ab*{fields}")));
        }
    }
}
