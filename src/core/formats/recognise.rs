//! Which formats a value has the shape of, told without any key.

use serde_json::{Map, Value};

use super::{Derivation, Description, Format, Refusal, descriptions};
use crate::crypto::key::{Encoding, Key, KeyId};
use crate::prelude::*;
use crate::settings::{Problems, Table};
use crate::wire::encoding::{from_hex, from_pasted_base64};

/// The names of the formats that a value has the shape of, whatever key signed it; for a pair the value is
/// `VALUE;SIGNATURE`. Some shapes are lax, and more than one may fit.
pub fn recognise(cookie: &str, value: &str) -> Vec<&'static str> {
    let fits_some = |description: &&Description| {
        let mut shapes = description.shapes(value).into_iter();
        shapes.any(|options| fits(description, options, cookie, value))
    };
    let fitting = descriptions().filter(fits_some);
    fitting.map(|description| description.name).collect()
}

/// A format that opens a value with a secret, as a rule would name both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The format.
    pub format: &'static str,
    /// Its options, where they are not the defaults.
    pub options: Map<String, Value>,
    /// How the secret's text becomes the key.
    pub encoding: Encoding,
}

/// The formats in which a secret opens a value: with their options as they are by default, those aside that a value
/// shows by its shape. The secret is taken as it is, and as base64 or hexadecimal where it is written so.
pub fn openings(cookie: &str, value: &str, secret: &str) -> Vec<Opening> {
    let keys = keys_of(secret);
    let mut found = Vec::new();
    for description in descriptions() {
        for options in description.shapes(value) {
            let Some(format) = signing(description, &options, cookie) else {
                continue;
            };
            let options = without_defaults(description, options);
            let opens = |key: &&Key| {
                let keyed = format.keyed(cookie, key);
                keyed.is_ok_and(|keyed| keyed.open(value).is_ok())
            };
            for key in keys.iter().filter(opens) {
                let opening = Opening {
                    format: description.name,
                    options: options.clone(),
                    encoding: key.encoding(),
                };
                if !found.contains(&opening) {
                    found.push(opening);
                }
            }
        }
    }
    found
}

fn without_defaults(
    description: &Description,
    mut options: Map<String, Value>,
) -> Map<String, Value> {
    for option in description.options {
        if options.get(option.name) == option.default.value().as_ref() {
            options.remove(option.name);
        }
    }
    options
}

fn keys_of(secret: &str) -> Vec<Key> {
    let Some(id) = KeyId::parse("ANY") else {
        return Vec::new();
    };
    let bytes = [
        (Encoding::Utf8, Some(secret.as_bytes().to_vec())),
        (Encoding::Base64, from_pasted_base64(secret)),
        (Encoding::Hex, from_hex(secret)),
    ];
    let key = |(encoding, bytes): (Encoding, Option<Vec<u8>>)| {
        let key = Key::new(id.clone(), bytes?);
        Some(key.written_in(encoding))
    };
    bytes.into_iter().filter_map(key).collect()
}

fn fits(description: &Description, options: Map<String, Value>, cookie: &str, value: &str) -> bool {
    let (Some(format), Some(id)) = (signing(description, &options, cookie), KeyId::parse("ANY"))
    else {
        return false;
    };
    let keyed = format.keyed(cookie, &Key::new(id, format.key_shape().key_bytes(b"any")));
    keyed.is_ok_and(|keyed| !matches!(keyed.open(value), Err(Refusal::Shape)))
}

/// The format with these options, if it signs: what is not signed has no shape.
fn signing(
    description: &Description,
    options: &Map<String, Value>,
    cookie: &str,
) -> Option<Box<dyn Format>> {
    let problems = Problems::default();
    let options = Value::Object(options.clone());
    let mut table = Table::new("", &options, &problems)?;
    let format = (description.read)(&mut table)?;
    let is_signing = format.derivation(cookie) != Derivation::None;
    (problems.is_empty() && is_signing).then_some(format)
}
