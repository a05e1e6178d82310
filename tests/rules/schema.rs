//! The schema of `COUNTERSIGN`, and whether it takes a configuration.

use std::sync::LazyLock;

use countersign_core::config::schema;
use jsonschema::Validator;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": schema::COUNTERSIGN,
        "definitions": schema::definitions(),
    });
    jsonschema::draft7::new(&schema).unwrap()
});

/// What the schema says against a configuration; nothing where it takes it.
pub fn complaints(config: &Value) -> Vec<String> {
    let errors = SCHEMA.iter_errors(config);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Asserts that it takes a configuration, as it must where the reader does.
#[track_caller]
pub fn assert_taken(config: &Value) {
    let complaints = complaints(config);
    assert!(
        complaints.is_empty(),
        "{config}:\n{}",
        complaints.join("\n")
    );
}
