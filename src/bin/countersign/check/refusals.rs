//! What the Worker itself refuses, asked of its own reader, also where no secrets are known.
//!
//! For each secret a stand-in is tried in the shapes that formats want their keys in, until the reader has
//! nothing to say of that key's bytes. So what is left does not depend on bytes; what only they can tell is
//! left out.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use countersign::encoding::hex;
use countersign::policy::Policy;
use countersign::primitives::Digest;
use countersign::settings::Problem;
use serde_json::Value;

use super::Scene;
use super::reading::Reading;
use crate::finding::Finding;

/// Texts in place of secrets, by name.
pub type StandIns = BTreeMap<String, String>;

/// What the Worker refuses, and what it notes.
pub fn find(scene: &Scene<'_>) -> Vec<Finding> {
    let stand_ins = stand_ins(&scene.value, &StandIns::new());
    let refused = policy(&scene.value, &stand_ins).err().unwrap_or_default();
    let mut found: Vec<Finding> = refused
        .iter()
        .map(|problem| told(Finding::error, problem))
        .collect();
    let Some(dev_vars) = &scene.dev_vars else {
        return found;
    };
    let known = dev_vars.texts();
    let file = dev_vars.file_name();
    let (here, notes) = match policy(&scene.value, &self::stand_ins(&scene.value, &known)) {
        Ok(policy) => (Vec::new(), policy.notes),
        Err(problems) => (problems, Vec::new()),
    };
    let only_here = here.iter().filter(|problem| !refused.contains(problem));
    let by_bytes = only_here.map(|problem| told(Finding::error, problem));
    let noted = notes.iter().map(|note| told(Finding::warning, note));
    let by_bytes = by_bytes
        .chain(noted)
        .map(|finding| finding.with_secrets_of(&file));
    found.extend(by_bytes);
    found
}

/// The configuration with these secrets.
///
/// # Errors
/// What the Worker refuses.
pub fn policy(value: &Value, secrets: &StandIns) -> Result<Policy, Vec<Problem>> {
    Policy::parse(value, &|name| secrets.get(name).cloned())
}

/// A text for every secret that the configuration names: those that are known, and stand-ins that fit.
pub fn stand_ins(value: &Value, known: &StandIns) -> StandIns {
    let reading = Reading::of(value);
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for named in reading.secrets() {
        if !known.contains_key(named.id.as_str()) {
            unknown.insert(named.id.to_string(), 0);
        }
    }
    loop {
        let shaped = unknown
            .iter()
            .map(|(name, shape)| (name.clone(), stand_in(name, *shape)));
        let texts: StandIns = known.clone().into_iter().chain(shaped).collect();
        let problems = policy(value, &texts).err().unwrap_or_default();
        let unfit = unknown.iter_mut().find(|(name, shape)| {
            **shape + 1 < SHAPES.len() && problems.iter().any(|problem| is_of(problem, name))
        });
        match unfit {
            Some((_, shape)) => *shape += 1,
            None => return texts,
        }
    }
}

/// The name of every secret that the configuration names.
pub fn secret_names(value: &Value) -> Vec<String> {
    let reading = Reading::of(value);
    reading
        .secrets()
        .iter()
        .map(|named| named.id.to_string())
        .collect()
}

/// Whether a problem is with the bytes of this secret. The reader names the key or secret in such a text.
fn is_of(problem: &Problem, name: &str) -> bool {
    let words = ["the key ", "the secret "].map(|what| format!("{what}{name} "));
    words
        .iter()
        .any(|words| problem.text.contains(words.as_str()))
}

type Shape = fn(&[u8]) -> String;

/// How keys are written, the most common first; the first is a fit base64 and hexadecimal text as well.
const SHAPES: [Shape; 7] = [
    hex,
    |bytes| format!("base64:{}", STANDARD.encode(first(bytes, 32))),
    |bytes| URL_SAFE.encode(first(bytes, 32)),
    |bytes| STANDARD.encode(first(bytes, 32)),
    |bytes| hex(first(bytes, 16)), // 32 characters, or 24 bytes in base64
    |bytes| format!("base64:{}", STANDARD.encode(first(bytes, 16))),
    |bytes| STANDARD.encode(first(bytes, 16)),
];

fn first(bytes: &[u8], count: usize) -> &[u8] {
    bytes.get(..count).unwrap_or(bytes)
}

/// A text that is another for each name, in a shape.
fn stand_in(name: &str, shape: usize) -> String {
    let bytes = Digest::Sha512.hash(&[b"stand-in ", name.as_bytes()]);
    SHAPES
        .get(shape)
        .map(|shape| shape(&bytes))
        .unwrap_or_default()
}

/// A problem's text is what, and behind a semicolon how to mend it.
fn told(kind: fn(String, String) -> Finding, problem: &Problem) -> Finding {
    match problem.text.split_once("; ") {
        Some((reason, cure)) => kind(problem.path.clone(), reason.to_owned()).cure(cure),
        None => kind(problem.path.clone(), problem.text.clone()),
    }
}
