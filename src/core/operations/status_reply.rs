//! What the status endpoint tells, read again by the command line: the counterpart of [`crate::operations::status`].

use serde_json::Value;

use crate::config::Policy;
use crate::crypto::key::Key;
use crate::operations::capabilities::Capabilities;
use crate::operations::status::keys;
use crate::prelude::*;

/// What a Worker seals and opens, by what it tells of itself: its configuration, and a fingerprint for each key.
/// The fingerprints of two Workers can be compared where both have the same token.
///
/// # Errors
/// What of it cannot be read, in words: also where the Worker itself says that its configuration is wrong.
pub fn capabilities(status: &Value) -> Result<Capabilities, String> {
    let policy = Policy::parse_with_placeholders(&status["configuration"], &|_| None).map_err(
        |problems| {
            let first = problems.first().map(ToString::to_string);
            first.unwrap_or_default()
        },
    )?;
    let fingerprints =
        fingerprints(status, &keys(&policy)).ok_or("a fingerprint for each key is missing")?;
    let fingerprint = |key: &Key| {
        let same = fingerprints
            .iter()
            .find(|(known, _)| known.is_named_as(key));
        same.map(|(_, fingerprint)| (*fingerprint).to_owned())
    };
    Ok(Capabilities::of(&policy, &fingerprint))
}

/// The fingerprints, which come in the order of the keys.
fn fingerprints<'s, 'k>(status: &'s Value, keys: &[&'k Key]) -> Option<Vec<(&'k Key, &'s str)>> {
    let entries = status["keys"].as_array()?;
    let fingerprint = |(key, entry): (&&'k Key, &'s Value)| {
        let is_it = entry["secret"] == key.id().as_str();
        Some((*key, entry["fingerprint"].as_str().filter(|_| is_it)?))
    };
    let fingerprints = keys
        .iter()
        .zip(entries)
        .map(fingerprint)
        .collect::<Option<Vec<_>>>()?;
    (entries.len() == keys.len() && fingerprints.len() == keys.len()).then_some(fingerprints)
}
