//! C3: a current key that is short is refused; a weak key that a framework chose is reported.

use countersign_core::settings::Problem;
use serde_json::{Value, json};

use crate::support::*;

const CURRENT: &str = "COUNTERSIGN.keys.current";

fn with_keys(keys: Value) -> Value {
    config(keys, [session_rule()])
}

fn notes(keys: Value) -> Vec<Problem> {
    gate_of(with_keys(keys)).policy().notes.clone()
}

#[test]
fn a_current_key_of_32_bytes_stands_and_one_of_31_is_refused() {
    assert_accepted(with_keys(
        json!({"current": "BYTES_32", "origin": "ORIGIN"}),
    ));
    let config = with_keys(json!({"current": "BYTES_31", "origin": "ORIGIN"}));
    assert_refused(config, CURRENT, &["BYTES_31", "32", "allow_weak"]);
}

#[test]
fn it_is_refused_once_however_many_rules_have_it() {
    let other = json!({"name": "messages", "format": "django-messages", "attributes": ATTRIBUTES});
    let config = config(
        json!({"current": "SHORT", "origin": "ORIGIN"}),
        [session_rule(), other],
    );
    assert_eq!(problems(&config).len(), 1);
}

#[test]
fn the_length_counts_in_bytes_of_the_key_and_not_of_its_encoding() {
    let secrets = |name: &str| match name {
        "DECODES_TO_31" => Some("ab".repeat(31)),
        name => secret(name),
    };
    let config = with_keys(json!({
        "current": {"secret": "DECODES_TO_31", "encoding": "hex"}, "origin": "ORIGIN",
    }));
    let problems = countersign_core::config::Policy::parse(&config, &secrets).unwrap_err();
    assert_eq!(problems.len(), 1, "{}", told(&problems));
    assert_eq!(problems[0].path, CURRENT);
}

#[test]
fn allow_weak_lets_it_stand() {
    let current = |weak: bool| json!({"secret": "SHORT", "allow_weak": weak});
    assert_accepted(with_keys(
        json!({"current": current(true), "origin": "ORIGIN"}),
    ));
    let config = with_keys(json!({"current": current(false), "origin": "ORIGIN"}));
    assert_refused(config, CURRENT, &["SHORT"]);
}

#[test]
fn one_that_is_also_the_origin_key_stands() {
    assert_accepted(with_keys(json!({"current": "SHORT", "origin": "SHORT"})));
}

#[test]
fn allow_weak_of_another_key_is_no_excuse() {
    let keys = json!({
        "current": "SHORT",
        "fallbacks": [{"secret": "OLD", "allow_weak": true}],
        "origin": {"secret": "ORIGIN", "allow_weak": true},
    });
    assert_refused(with_keys(keys), CURRENT, &["SHORT"]);
}

#[test]
fn a_weak_fallback_or_origin_key_stands_and_is_reported() {
    for (keys, path) in [
        (
            json!({"current": "NEW", "fallbacks": ["OLD", "SHORT"], "origin": "ORIGIN"}),
            "COUNTERSIGN.keys.fallbacks[1]",
        ),
        (
            json!({"current": "NEW", "fallbacks": ["BYTES_31"], "origin": "ORIGIN"}),
            "COUNTERSIGN.keys.fallbacks[0]",
        ),
        (
            json!({"current": "NEW", "origin": "SHORT"}),
            "COUNTERSIGN.keys.origin",
        ),
        (
            json!({"current": "NEW", "origin": {"current": "ORIGIN", "fallbacks": ["SHORT"]}}),
            "COUNTERSIGN.keys.origin.fallbacks[0]",
        ),
        (
            json!({"current": "SHORT", "origin": "SHORT"}),
            "COUNTERSIGN.keys.origin",
        ),
    ] {
        let notes = notes(keys);
        assert_eq!(notes.len(), 1, "{}", told(&notes));
        assert_eq!(notes[0].path, path);
        assert!(notes[0].text().contains("SHORT") || notes[0].text().contains("BYTES_31"));
        assert!(!told(&notes).contains(&key("SHORT")));
    }
}

#[test]
fn strong_keys_and_those_that_may_be_weak_are_not_reported() {
    assert!(notes(pinned()).is_empty());
    assert!(
        notes(json!({"current": "BYTES_32", "fallbacks": [], "origin": "BYTES_32"})).is_empty()
    );
    let allowed = json!({"secret": "SHORT", "allow_weak": true});
    assert!(
        notes(json!({"current": "NEW", "fallbacks": [allowed], "origin": "ORIGIN"})).is_empty()
    );
}
