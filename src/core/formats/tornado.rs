//! `tornado`: signed cookies of Tornado (`set_signed_cookie`).
//!
//! Layout, quoted for the header by Python's `http.cookies`; each L is the length of what follows:
//!
//! ```text
//! "2|" L:KEYVERSION "|" L:SECONDS "|" L:NAME "|" L:BASE64 "|" hex(HMAC-SHA256(SECRET, all before))
//! "2|1:0|10:1774813047|7:cart_13|16:bmV4dC0zNDE5NjU=|3e41ed9160a7e6278def3a2eeb86aaeb3c04af7f…"
//!
//! BASE64 "|" SECONDS "|" hex(HMAC-SHA1(SECRET, NAME BASE64 SECONDS))            version = 1
//! ODU2MDEyMjM4|1708949463|831e1d50f6d38605d0fde732315b11050c4e7754
//! ```
//!
//! The base64 is standard with padding, the hexadecimal lower case and compared as text. The payload is
//! what the base64 holds: the application's own text.
//!
//! KEYVERSION is 0 and not looked at where the origin's `cookie_secret` is one text. Where it is a dict,
//! `key_version` says under which version it lists the key, or each key: `{ KEY_A = 1, KEY_B = 2 }`. A
//! value of another version is then none of that key's.
//!
//! Version 1 signs without separators, so digits can slide between its fields. Ten digits of SECONDS
//! are asked for here, as every time since 2001 has: that leaves one place to split at. A name
//! can still slide: what is signed for `sid` is signed for `sidABCD` too where its base64 starts with
//! `ABCD`. So version 1 does not count as bound to a name.
//!
//! Source: `tornado/web.py` (`create_signed_value`, `decode_signed_value`); checked against Tornado
//! 6.6.1 by the vectors. Tornado reads numbers as Python's `int` does; here a number has one spelling.

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::labels::Labels;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::{Fault, Table};
use crate::wire::encoding::{
    from_base64, hex, is_base64, is_lower_hex, push_base64, push_hex, python_quoted,
    python_unquoted,
};

pub const FORMATS: &[Description] = &[Description {
    name: "tornado",
    used_by: "Tornado 6.6",
    options: &[
        FormatOption::new("version", DefaultValue::Number(2), "1 before Tornado 3.2.1")
            .shaped_by(&[ShapeValue::Number(1)]),
        FormatOption::new(
            "key_version",
            DefaultValue::Unset,
            "an integer, or a table from key ids to integers, where `cookie_secret` is a dict",
        ),
    ],
    read: tornado,
}];

fn tornado(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let version = table.number("version");
    if !matches!(version, None | Some(1 | 2)) {
        table.problem(
            "version",
            "must be 2, or 1 for the layout before Tornado 3.2.1",
        );
    }
    let versions = Labels::read_numbers(table, "key_version");
    if version != Some(1) {
        return Some(Box::new(V2(versions)));
    }
    if versions != Labels::None {
        table.problem(
            "key_version",
            Fault::new("version 1 has none").cure("leave it out"),
        );
    }
    Some(Box::new(V1))
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct V2(Labels);

impl Format for V2 {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            binds_name: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: Digest::Sha256,
            signs: "2|KEYVERSION|SECONDS|NAME|BASE64|",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedV2 {
            name: cookie.to_owned(),
            key_version: self.0.of(key.id())?.map(str::to_owned),
            mac: Mac::new(Digest::Sha256, key.bytes()),
        }))
    }
}

struct KeyedV2 {
    name: String,
    key_version: Option<String>,
    mac: Mac,
}

impl Keyed for KeyedV2 {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = python_unquoted(value);
        let fields = text.strip_prefix("2|").and_then(fields);
        let ([key_version, time, name, data], signature) = fields.ok_or(Refusal::Shape)?;
        let is_other = |own: &String| own != key_version;
        if !is_lower_hex(signature, Digest::Sha256.size())
            || number(key_version).is_none()
            || self.key_version.as_ref().is_some_and(is_other)
        {
            return Err(Refusal::Shape);
        }
        let signed = &text[..text.len() - signature.len()]; // which ends it, says `fields`
        let expected = hex(&self.mac.sign(&[signed.as_bytes()]));
        if !equal(expected.as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        if name != self.name {
            return Err(Refusal::Content);
        }
        Ok(Content::of(from_base64(data).ok_or(Refusal::Content)?)
            .signed_at(number(time).ok_or(Refusal::Content)?))
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let time = content.time_s.ok_or(Uncarriable)?.to_string();
        let mut data = String::new();
        push_base64(&mut data, &content.payload);
        let mut text = "2|".to_owned();
        for field in [
            self.key_version.as_deref().unwrap_or("0"),
            &time,
            &self.name,
            &data,
        ] {
            text.push_str(&format!("{}:{field}|", field.len()));
        }
        let tag = self.mac.sign(&[text.as_bytes()]);
        push_hex(&mut text, &tag);
        python_quoted(&text).ok_or(Uncarriable)
    }
}

/// The four fields, and what follows them.
fn fields(text: &str) -> Option<([&str; 4], &str)> {
    let mut found = [""; 4];
    let mut rest = text;
    for field in &mut found {
        let (length, after) = rest.split_once(':')?;
        let length = usize::try_from(number(length)?).ok()?;
        *field = after.get(..length)?;
        rest = after.get(length..)?.strip_prefix('|')?;
    }
    Some((found, rest))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct V1;

impl Format for V1 {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: Digest::Sha1,
            signs: "NAME BASE64 SECONDS",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedV1 {
            name: cookie.to_owned(),
            mac: Mac::new(Digest::Sha1, key.bytes()),
        }))
    }
}

struct KeyedV1 {
    name: String,
    mac: Mac,
}

/// Any other number of digits would leave several places to split at.
const V1_TIME_LEN: usize = 10;

impl KeyedV1 {
    fn signature(&self, data: &str, time: &str) -> String {
        let parts = [self.name.as_bytes(), data.as_bytes(), time.as_bytes()];
        hex(&self.mac.sign(&parts))
    }
}

impl Keyed for KeyedV1 {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = python_unquoted(value);
        let (signed, signature) = text.rsplit_once('|').ok_or(Refusal::Shape)?;
        let (data, time) = signed.split_once('|').ok_or(Refusal::Shape)?;
        let seconds = number(time).ok_or(Refusal::Shape)?;
        if !is_lower_hex(signature, Digest::Sha1.size())
            || time.len() != V1_TIME_LEN
            || !is_base64(data)
        {
            return Err(Refusal::Shape);
        }
        if !equal(self.signature(data, time).as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        Ok(Content::of(from_base64(data).ok_or(Refusal::Content)?).signed_at(seconds))
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let time = content.time_s.ok_or(Uncarriable)?.to_string();
        if time.len() != V1_TIME_LEN {
            return Err(Uncarriable);
        }
        let mut data = String::new();
        push_base64(&mut data, &content.payload);
        let text = format!("{data}|{time}|{}", self.signature(&data, &time));
        python_quoted(&text).ok_or(Uncarriable)
    }
}

/// A decimal number without sign or leading zeros.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit());
    let is_shortest = text == "0" || !text.starts_with('0');
    (is_plain && is_shortest)
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::settings::{Problem, Problems};
    use serde_json::{Value, json};

    fn read(config: Value) -> Result<Box<dyn Format>, String> {
        let problems = Problems::default();
        let format = Table::new("rule", &config, &problems).and_then(|mut table| {
            let format = tornado(&mut table);
            table.finish();
            format
        });
        let problems: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        if problems.is_empty() {
            Ok(format.unwrap())
        } else {
            Err(problems.join("\n"))
        }
    }

    fn key(id: &str) -> Key {
        Key::new(KeyId::parse(id).unwrap(), b"secret".to_vec())
    }

    fn content(text: &str) -> Content<'_> {
        Content::of(text.as_bytes()).signed_at(1_700_000_000)
    }

    #[test]
    fn each_key_goes_by_its_own_version() {
        let format = read(json!({"key_version": {"KEY_A": 1, "KEY_B": 12}})).unwrap();
        let a = format.keyed("sid", &key("KEY_A")).unwrap();
        let b = format.keyed("sid", &key("KEY_B")).unwrap();
        let value = a.seal(&content("abc"), no_random).unwrap();
        assert!(value.starts_with("2|1:1|10:1700000000|3:sid|4:YWJj|"));
        assert_eq!(a.open(&value), Ok(content("abc")));
        // the bytes of both keys are the same: the version alone keeps them apart
        assert_eq!(b.open(&value), Err(Refusal::Shape));
        let moved = b.seal(&a.open(&value).unwrap(), no_random).unwrap();
        assert!(moved.starts_with("2|2:12|10:1700000000|3:sid|4:YWJj|"));
        assert!(format.keyed("sid", &key("KEY_C")).is_err());
        let single = read(json!({})).unwrap();
        let single = single.keyed("sid", &key("KEY_C")).unwrap();
        assert_eq!(single.open(&moved), Ok(content("abc")));
    }

    #[test]
    fn wrong_options_are_explained() {
        for (config, expected) in [
            (json!({"version": 3}), "rule.version: must be 2"),
            (
                json!({"version": 1, "key_version": 1}),
                "rule.key_version: version 1 has none",
            ),
            (json!({"key_version": {}}), "rule.key_version: is empty"),
            (
                json!({"key_version": {"KEY_A": "1"}}),
                "for KEY_A must be a whole",
            ),
            (json!({"key_version": "1"}), "rule.key_version: expected"),
            (
                json!({"key_version": {"p8&z4n9wobzw!^8": 1}}),
                "not the name of a secret",
            ),
        ] {
            let problems = read(config).unwrap_err();
            assert!(problems.contains(expected), "{problems}");
            assert!(!problems.contains("wobzw"), "{problems}");
        }
    }

    #[test]
    fn a_signed_name_must_be_the_cookies_own() {
        let format = read(json!({})).unwrap();
        let value = format
            .keyed("sid", &key("K"))
            .unwrap()
            .seal(&content("abc"), no_random)
            .unwrap();
        let other = format.keyed("sad", &key("K")).unwrap();
        assert_eq!(other.open(&value), Err(Refusal::Content));
    }

    // "MTIzNDU2Nzg5" and 1700000000 may be cut elsewhere without a change to what is signed
    #[test]
    fn digits_do_not_slide_between_the_fields_of_version_1() {
        let keyed = read(json!({"version": 1}))
            .unwrap()
            .keyed("sid", &key("K"))
            .unwrap();
        let value = keyed.seal(&content("123456789"), no_random).unwrap();
        assert_eq!(keyed.open(&value), Ok(content("123456789")));
        for slid in ["MTIzNDU2Nzg51700|000000|", "MTIzNDU2|Nzg51700000000|"] {
            let slid = value.replace("MTIzNDU2Nzg5|1700000000|", slid);
            assert_ne!(slid, value);
            assert_eq!(keyed.open(&slid), Err(Refusal::Shape));
        }
        let slid = value.replace("Nzg5|1700000000", "Nzg|51700000000");
        assert_eq!(keyed.open(&slid), Err(Refusal::Shape));
    }
}
