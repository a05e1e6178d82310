//! A policy from a configuration alone, where its secrets are not at hand.
//!
//! For each secret that is not known a stand-in is tried in the shapes that formats want their keys in, until
//! the reader has nothing to say of that key's bytes. So what is still wrong does not depend on bytes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;

use crate::encoding::hex;
use crate::policy::Policy;
use crate::primitives::Digest;
use crate::settings::Problem;

/// Texts of secrets, by name.
pub type Texts = BTreeMap<String, String>;

/// The policy of the variable `COUNTERSIGN`, with stand-ins for the secrets that are not known. A stand-in
/// depends on nothing but the secret's name and the shape that its uses ask for.
///
/// # Errors
/// What the Worker refuses, whatever the secrets are.
pub fn policy(value: &Value, known: &Texts) -> Result<Policy, Vec<Problem>> {
    let unknown: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let text = |name: &str| {
        let stand_in = || {
            stand_in(
                name,
                *unknown.borrow_mut().entry(name.to_owned()).or_default(),
            )
        };
        Some(known.get(name).cloned().unwrap_or_else(stand_in))
    };
    loop {
        let read = Policy::parse(value, &text);
        let problems = read.as_ref().err().map_or(&[][..], Vec::as_slice);
        if !reshaped(&mut unknown.borrow_mut(), problems) {
            return read;
        }
    }
}

/// Gives a secret that does not fit its next shape; whether there is one.
fn reshaped(unknown: &mut BTreeMap<String, usize>, problems: &[Problem]) -> bool {
    let is_unfit = |name: &str| problems.iter().any(|problem| is_of(problem, name));
    let unfit = unknown
        .iter_mut()
        .find(|(name, shape)| **shape + 1 < SHAPES.len() && is_unfit(name));
    match unfit {
        Some((_, shape)) => *shape += 1,
        None => return false,
    }
    true
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
