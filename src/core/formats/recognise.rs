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
    let shapes = fitting_shapes(cookie, value).into_iter();
    shapes.map(|shape| shape.format).collect()
}

/// A format whose shape a value has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FittingShape {
    /// The format.
    pub format: &'static str,
    /// The options that the shape shows, where they are not the defaults. What the shape does not show is as it is by
    /// default.
    pub options: Map<String, Value>,
}

/// The formats that a value has the shape of, each with the options that the shape shows.
pub fn fitting_shapes(cookie: &str, value: &str) -> Vec<FittingShape> {
    let fitting = descriptions().filter_map(|description| {
        let mut sets = description.shapes(value).into_iter();
        let options = sets.find(|options| fits(description, options, cookie, value))?;
        Some(FittingShape {
            format: description.name,
            options: without_defaults(description, options),
        })
    });
    fitting.collect()
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
    /// Whether the format would write the value byte for byte as it is; never where a value has random bytes.
    pub is_own_spelling: bool,
}

/// The formats in which a secret opens a value: with their options as they are by default, those aside that a value
/// shows by its shape; where none does, or none that would write the value so, also with the other values that sites
/// use, of each format the plainest. The secret is taken as it is, and as base64 or hexadecimal where it is written so.
pub fn openings(cookie: &str, value: &str, secret: &str) -> Vec<Opening> {
    let candidate = CandidateCookie {
        name: cookie,
        value,
        keys: keys_of(secret),
    };
    let by_shape =
        descriptions().flat_map(|format| candidate.openings(format, format.shapes(value)));
    let mut found: Vec<Opening> = by_shape.collect();
    if found.is_empty() {
        let plainest = |format| candidate.plainest(format);
        return descriptions().flat_map(plainest).collect();
    }
    if !found.iter().any(|opening| opening.is_own_spelling) {
        let opening =
            descriptions().filter(|format| found.iter().any(|one| one.format == format.name));
        let own = opening.flat_map(|format| candidate.plainest(format));
        let own: Vec<Opening> = own.filter(|opening| opening.is_own_spelling).collect();
        found.splice(0..0, own);
    }
    found
}

/// A value under a cookie's name, and the keys that may have signed it.
struct CandidateCookie<'c> {
    name: &'c str,
    value: &'c str,
    keys: Vec<Key>,
}

impl CandidateCookie<'_> {
    /// The openings in a format with the fewest options, of all that sites use; those in its own spelling come first.
    fn plainest(&self, description: &'static Description) -> Vec<Opening> {
        let mut found = self.openings(description, description.variants(self.name, self.value));
        if found.iter().any(|opening| opening.is_own_spelling) {
            found.retain(|opening| opening.is_own_spelling);
        }
        let fewest = found.iter().map(|opening| opening.options.len()).min();
        found.retain(|opening| Some(opening.options.len()) == fewest);
        found
    }

    /// The sets of options with which a key opens it in this format.
    fn openings(&self, description: &Description, sets: Vec<Map<String, Value>>) -> Vec<Opening> {
        let mut found = Vec::new();
        for options in sets {
            let Some(format) = signing(description, &options, self.name) else {
                continue;
            };
            let options = without_defaults(description, options);
            for key in &self.keys {
                let Some(is_own_spelling) = self.opens(&*format, key) else {
                    continue;
                };
                let opening = Opening {
                    format: description.name,
                    options: options.clone(),
                    encoding: key.encoding(),
                    is_own_spelling,
                };
                if !found.contains(&opening) {
                    found.push(opening);
                }
            }
        }
        found
    }

    /// Whether the format would write the value as it is, where the key opens it.
    fn opens(&self, format: &dyn Format, key: &Key) -> Option<bool> {
        let keyed = format.keyed(self.name, key).ok()?;
        let content = keyed.open(self.value).ok()?;
        // what is sealed with these zeros is thrown away
        let sealed = keyed.seal(&content, |_| {});
        Some(sealed.is_ok_and(|sealed| sealed == self.value))
    }
}

/// What of a set of options says more than would hold without it.
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

fn fits(
    description: &Description,
    options: &Map<String, Value>,
    cookie: &str,
    value: &str,
) -> bool {
    let (Some(format), Some(id)) = (signing(description, options, cookie), KeyId::parse("ANY"))
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
