//! Which formats a value has the shape of, told without any key.

use serde_json::{Map, Value};

use super::{Derivation, Description, Refusal, descriptions};
use crate::crypto::key::{Key, KeyId};
use crate::prelude::*;
use crate::settings::{Problems, Table};

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

fn fits(description: &Description, options: Map<String, Value>, cookie: &str, value: &str) -> bool {
    let problems = Problems::default();
    let options = Value::Object(options);
    let table = Table::new("", &options, &problems);
    let format = table.and_then(|mut table| (description.read)(&mut table));
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
    let keyed = format.keyed(cookie, &Key::new(id, format.key_shape().key_bytes(b"any")));
    keyed.is_ok_and(|keyed| !matches!(keyed.open(value), Err(Refusal::Shape)))
}
