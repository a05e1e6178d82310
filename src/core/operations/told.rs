//! What the status endpoint tells, read again by the command line: the counterpart of [`crate::operations::status`].

use serde_json::Value;

use crate::config::Policy;
use crate::crypto::key::Key;
use crate::operations::outline::Outline;
use crate::operations::status::keys;
use crate::prelude::*;

/// What a Worker seals and opens, by what it tells of itself: its configuration, and a fingerprint for each key.
/// The fingerprints of two Workers can be compared where both have the same token.
///
/// # Errors
/// What of it cannot be read, in words: also where the Worker itself says that its configuration is wrong.
pub fn outline(status: &Value) -> Result<Outline, String> {
    let policy = Policy::parse_with_placeholders(&status["configuration"], &|_| None).map_err(
        |problems| {
            let first = problems.first().map(ToString::to_string);
            first.unwrap_or_default()
        },
    )?;
    let prints = prints(status, &keys(&policy)).ok_or("a fingerprint for each key is missing")?;
    let print = |key: &Key| {
        let same = prints.iter().find(|(known, _)| known.is_named_as(key));
        same.map(|(_, print)| (*print).to_owned())
    };
    Ok(Outline::of(&policy, &print))
}

/// The fingerprints, which come in the order of the keys.
fn prints<'s, 'k>(status: &'s Value, keys: &[&'k Key]) -> Option<Vec<(&'k Key, &'s str)>> {
    let told = status["keys"].as_array()?;
    let print = |(key, told): (&&'k Key, &'s Value)| {
        let is_it = told["secret"] == key.id().as_str();
        Some((*key, told["print"].as_str().filter(|_| is_it)?))
    };
    let prints = keys
        .iter()
        .zip(told)
        .map(print)
        .collect::<Option<Vec<_>>>()?;
    (told.len() == keys.len() && prints.len() == keys.len()).then_some(prints)
}
