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
//! before `*MSALT` (see `iron_password.rs`). Both keys take `iterations` rounds of PBKDF2: 1 for Iron itself,
//! iron-session and h3 1, 8192 for h3 2. IV, CIPHER and MAC are base64url without padding. EXPIRY is
//! in Unix milliseconds or empty; Iron goes by it a minute late, for clocks that differ. It is kept to the
//! millisecond. No name is bound and no time carried.
//!
//! ID names the password among several: `id` in the configuration, one text for all keys or a table from
//! key ids to texts. Iron has none by default, iron-session `1`. A value under another ID is none of that
//! key's. (An Iron whose password is one text does not look at the ID; its own values have none.)
//!
//! Stricter than Iron, which also opens other spellings of the base64 and salts of any characters. Not
//! covered: keys given to Iron as bytes rather than text, other ciphers than its defaults, a password or
//! `iterations` for encryption and another for the MAC, and iron-session before version 6, whose values have no `~2` and another content.
//!
//! h3 opens what has one round too and seals it anew (`legacySealFallback`); so does an `accept` here.
//!
//! Source: `lib/index.js` of @hapi/iron, `src/core.ts` of iron-session, `src/utils/session.ts` of h3; checked
//! against @hapi/iron 7.0.1, iron-session 8.0.4 and 9.0.1, h3 1.15.11 and h3 2.0.8 by the vectors.

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::iron_password::{FAST, LEAST, Password, is_mac, is_salt};
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
        used_by: "@hapi/iron 7.0: @hapi/cookie 12, hapi's `encoding: 'iron'`; h3 1.15 and Nuxt; h3 2.0",
        options: &[
            FormatOption::new(
                "id",
                DefaultValue::Unset,
                "a string, or a table from key ids to strings, where the site has several passwords",
            )
            .shaped_by(&[ShapeValue::OfCookie(password_id)]),
            FormatOption::new(
                "iterations",
                DefaultValue::Number(FAST as u64),
                "8192 for `useSession` of h3 2",
            )
            .also_used_as(&[ShapeValue::Number(8192)]),
        ],
        read: |table| {
            let rounds = iterations(table);
            read(table, &IRON, rounds)
        },
    },
    Description {
        name: "iron-session",
        used_by: "iron-session 8.0, 9.0",
        options: &[FormatOption::new(
            "id",
            DefaultValue::Unset,
            "`\"1\"` where it is left out; or a table from key ids to strings",
        )
        .shaped_by(&[ShapeValue::OfCookie(password_id)])],
        read: |table| read(table, &IRON_SESSION, FAST),
    },
];

/// The id of the password, which the value names.
fn password_id(value: &str) -> Option<&str> {
    value.split('*').nth(1)
}

fn read(table: &mut Table<'_>, layout: &'static Layout, rounds: u32) -> Option<Box<dyn Format>> {
    let ids = Labels::read(table, "id");
    Some(Box::new(Iron {
        layout,
        ids,
        rounds,
    }))
}

/// The most that leaves a request enough for a ring of two keys (R6).
const MOST: u32 = 16_384;

fn iterations(table: &mut Table<'_>) -> u32 {
    let Some(number) = table.number("iterations") else {
        return FAST;
    };
    let rounds = u32::try_from(number).ok();
    let rounds = rounds.filter(|rounds| (FAST..=MOST).contains(rounds));
    rounds.unwrap_or_else(|| {
        table.problem(
            "iterations",
            "must be from 1 to 16384: more would let a visitor ask for too much work",
        );
        FAST
    })
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
    rounds: u32,
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
        Derivation::Derived(format!("Fe26.2 {}", self.rounds).into_bytes())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let id = self.ids.of(key.id())?.unwrap_or(self.layout.id);
        if !(self.layout.is_id)(id) {
            return Err(self.layout.ids);
        }
        Ok(Box::new(KeyedIron {
            prefix: format!("Fe26.2*{id}*"),
            suffix: self.layout.suffix,
            password: Password::of(key, self.rounds)?,
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
        let opened = self.open_within(value, &mut { u32::MAX });
        opened.unwrap_or(Err(Refusal::Signature))
    }

    fn open_within<'v>(
        &self,
        value: &'v str,
        rounds: &mut u32,
    ) -> Option<Result<Content<'v>, Refusal>> {
        let Some((signed, sealed)) = self.split(value) else {
            return Some(Err(Refusal::Shape));
        };
        let password = &self.password;
        if !password.verify(sealed.mac_salt, &[signed.as_bytes()], sealed.mac, rounds)? {
            return Some(Err(Refusal::Signature));
        }
        let key = password.key_within(sealed.salt, rounds)?;
        Some(sealed.content(&key).ok_or(Refusal::Content))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let salt = self.password.encryption_salt(random);
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
        let mac_salt = self.password.mac_salt(random);
        let mac = self.password.sign(&mac_salt, &[text.as_bytes()]);
        Ok(format!("{text}*{mac_salt}*{mac}{}", self.suffix))
    }
}

impl KeyedIron {
    /// What is signed, and its parts, where each has its shape.
    fn split<'v>(&self, value: &'v str) -> Option<(&'v str, Sealed<'v>)> {
        let text = value.strip_suffix(self.suffix)?;
        let sealed = Sealed::of(text.strip_prefix(&self.prefix)?)?;
        // they end it after two asterisks
        let signed = &text[..text.len() - sealed.mac.len() - sealed.mac_salt.len() - 2];
        Some((signed, sealed))
    }
}

/// What follows the ID.
struct Sealed<'v> {
    salt: &'v str,
    iv: &'v str,
    ciphertext: &'v str,
    expiry: &'v str,
    mac_salt: &'v str,
    mac: &'v str,
}

impl<'v> Sealed<'v> {
    fn of(text: &'v str) -> Option<Self> {
        let mut parts = text.split('*');
        let mut next = || parts.next();
        let sealed = Self {
            salt: next()?,
            iv: next()?,
            ciphertext: next()?,
            expiry: next()?,
            mac_salt: next()?,
            mac: next()?,
        };
        (parts.next().is_none() && sealed.has_shape()).then_some(sealed)
    }

    fn has_shape(&self) -> bool {
        is_salt(self.salt)
            && self.iv.len() == base64_len(16)
            && is_base64url(self.iv)
            && is_base64url(self.ciphertext)
            && self.expiry.bytes().all(|b| b.is_ascii_digit())
            && is_salt(self.mac_salt)
            && is_mac(self.mac)
    }

    fn content(&self, key: &[u8]) -> Option<Content<'static>> {
        let expiry_ms = match self.expiry {
            "" => None,
            digits => Some(digits.parse().ok()?),
        };
        let iv = from_base64url(self.iv)?.try_into().ok()?;
        let payload = cbc_open(key, &iv, &from_base64url(self.ciphertext)?)?;
        Some(Content::of(payload).expiring_at(expiry_ms))
    }
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
            password: Password::of(&key("K"), FAST).unwrap(),
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
    fn values_of_other_iterations_are_of_another_key() {
        let content = Content::of(&b"{}"[..]);
        let slow = keyed_as("iron", json!({"iterations": 3})).unwrap();
        let value = slow.seal(&content, counted).unwrap();
        assert_eq!(slow.open(&value), Ok(content));
        assert_eq!(iron().open(&value), Err(Refusal::Signature));
    }

    #[test]
    fn what_is_sealed_with_slow_keys_costs_no_rounds_to_open() {
        let (slow, mut rounds) = (keyed_as("iron", json!({"iterations": 3})).unwrap(), 0);
        let [first, second] = ["1", "2"].map(|payload| {
            slow.seal(&Content::of(payload.as_bytes()), counted)
                .unwrap()
        });
        assert!(matches!(slow.open_within(&first, &mut rounds), Some(Ok(_))));
        assert!(matches!(
            slow.open_within(&second, &mut rounds),
            Some(Ok(_))
        ));
        // a salt that was not seen before
        let forged = second.replacen("*00", "*01", 2);
        assert_eq!(slow.open_within(&forged, &mut rounds), None);
        assert_eq!(
            slow.open_within("Fe26.2**", &mut rounds),
            Some(Err(Refusal::Shape))
        );
    }

    #[test]
    fn iterations_are_bounded() {
        let fault = |number: u64| {
            let (problems, config) = (Problems::default(), json!({ "iterations": number }));
            iterations(&mut Table::new("T", &config, &problems).unwrap());
            problems
                .into_vec()
                .first()
                .map(|problem| problem.to_string())
        };
        assert_eq!([fault(1), fault(8_192), fault(16_384)], [None, None, None]);
        for wrong in [0, 16_385, u64::MAX] {
            let fault = fault(wrong).unwrap();
            assert!(
                fault.starts_with("T.iterations: must be from 1 to 16384"),
                "{fault}"
            );
        }
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
            assert_eq!(Password::of(&key, FAST).is_ok(), fits, "{password}");
        }
        assert!(Password::of(&Key::new(id, vec![0xFF; 64]), FAST).is_err());
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
