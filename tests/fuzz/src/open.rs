//! What must hold of each format's `open`: it takes any text, and what it opens was signed.

use arbitrary::Arbitrary;
use countersign_core::formats::{Content, descriptions, openings, recognise};

use crate::message::{Change, Text};
use crate::vectors::{self, Vector};

/// A value for one of the formats.
#[derive(Arbitrary, Debug)]
pub struct OpenCase {
    vector: u16,
    changes: Vec<Change>,
    /// Any text in its place.
    other: Option<Text>,
}

/// Opens it, and holds the rules against what comes of it.
pub fn check(case: &OpenCase) {
    let vectors = vectors::all();
    let vector = &vectors[usize::from(case.vector) % vectors.len()];
    let value = match &case.other {
        Some(text) => text.text(),
        None => case
            .changes
            .iter()
            .take(3)
            .fold(vector.value.clone(), |value, change| change.of(&value)),
    };
    if let Ok(content) = vector.keyed.open(&value) {
        is_what_was_signed(vector, &value, &content);
        is_written_again(vector, &content);
    }
    let _ = recognise("sessionid", &value);
}

/// Whatever spelling opens has the payload and the times that the framework signed.
fn is_what_was_signed(vector: &Vector, value: &str, content: &Content<'_>) {
    let signed = vector
        .keyed
        .open(&vector.value)
        .expect("the framework's own value opens");
    let facts =
        |content: &Content<'_>| (content.payload.to_vec(), content.time_s, content.expiry_ms);
    assert_eq!(
        facts(content),
        facts(&signed),
        "{}: {value:?}, of {:?}",
        vector.format,
        vector.value
    );
}

/// What opens can be sealed and opens again, with the same payload.
fn is_written_again(vector: &Vector, content: &Content<'_>) {
    let Ok(sealed) = vector.keyed.seal(content, crate::site::random) else {
        return;
    };
    let again = vector.keyed.open(&sealed);
    let again = again
        .unwrap_or_else(|_| panic!("{}: {sealed:?} was sealed and does not open", vector.format));
    assert_eq!(
        again.payload, content.payload,
        "{}: {sealed:?}",
        vector.format
    );
}

/// A key and a value of nobody's, in every format.
#[derive(Arbitrary, Debug)]
pub struct AnyOpening {
    cookie: Text,
    value: Text,
    key: Text,
}

/// Nothing is opened that nobody signed, and nothing panics.
pub fn check_any(case: &AnyOpening) {
    assert!(descriptions().count() > 30);
    let _ = openings(&case.cookie.text(), &case.value.text(), &case.key.text());
}
