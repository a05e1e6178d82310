//! Which formats a value has the shape of, told without any key.

use serde_json::{Value, json};

use super::{Derivation, Format, Refusal, entries};
use crate::key::{Key, KeyId};
use crate::primitives::Digest;
use crate::settings::{Problems, Table};

/// The names of the formats that a value has the shape of, whatever key signed it; for a pair the value is
/// `VALUE;SIGNATURE`. Some shapes are lax, and more than one may fit.
pub fn recognise(cookie: &str, value: &str) -> Vec<&'static str> {
    let variants = variants(value);
    let fitting = entries().filter(|(_, reader)| {
        let mut variants = variants.iter();
        variants.any(|options| fits(reader, options, cookie, value))
    });
    fitting.map(|(name, _)| *name).collect()
}

/// Sets of options of which a value of any format fits one: those that change its shape.
fn variants(value: &str) -> Vec<Value> {
    let digests = Digest::NAMES.iter().flat_map(|(digest, _)| {
        [true, false].map(|timed| json!({ "digest": digest, "timestamp": timed }))
    });
    let others = [
        json!({}),
        json!({ "layout": "hash" }),
        json!({ "encoding": "hex" }),
        json!({ "version": 1 }),
        json!({ "encrypted": true }),
        json!({ "encryption_salt": "-" }),
        json!({ "cipher": "aes-256-cbc" }),
        json!({ "cipher": "aes-256-gcm" }),
        json!({ "alg": "HS384" }),
        json!({ "alg": "HS512" }),
        // where a value says which key it is under
        json!({ "id": value.split('*').nth(1) }),
    ];
    let mut all: Vec<Value> = digests.chain(others).collect();
    for options in &mut all {
        // what some formats cannot do without
        options["salt"] = "-".into();
        options["signing_salt"] = "-".into();
    }
    all
}

fn fits(
    reader: &fn(&mut Table<'_>) -> Option<Box<dyn Format>>,
    options: &Value,
    cookie: &str,
    value: &str,
) -> bool {
    let problems = Problems::default();
    let format = Table::new("", options, &problems).and_then(|mut table| reader(&mut table));
    let Some(format) = format.filter(|_| problems.is_empty()) else {
        return false;
    };
    // what is not signed has no shape
    let (false, Some(id)) = (
        format.derivation(cookie) == Derivation::None,
        KeyId::parse("ANY"),
    ) else {
        return false;
    };
    let key = |text: &&str| Key::new(id.clone(), text.as_bytes().to_vec());
    let mut keyed = ANY_KEY
        .iter()
        .filter_map(|text| format.keyed(cookie, &key(text)).ok());
    keyed
        .next()
        .is_some_and(|keyed| !matches!(keyed.open(value), Err(Refusal::Shape)))
}

/// Keys of no use, of which one or the other has the form that a format asks for.
const ANY_KEY: &[&str] = &[
    "00000000000000000000000000000000",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "base64:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "0000000000000000000000000000000000000000000000000000000000000000",
];
