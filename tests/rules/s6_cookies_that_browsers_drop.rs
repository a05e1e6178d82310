//! S6: a sealed cookie pair over 4,096 bytes is still sent, and reported.

use serde_json::json;

use crate::django::{Hash, sessions};
use crate::support::*;

/// A payload with which the pair under a digest has so many bytes.
fn payload(hash: Hash, pair_length: usize) -> String {
    let rest = "sessionid=".len() + signed(&sessions().with(hash), "NEW", "").len();
    // an empty payload is quoted nowhere: its text starts with the separator
    "A".repeat(pair_length - rest)
}

#[test]
fn a_pair_of_4096_bytes_is_sealed_like_any_other() {
    let text = payload(Hash::Sha256, 4096);
    let sealed = format!("sessionid={}", signed(&sessions(), "NEW", &text));
    assert_eq!(sealed.len(), 4096);
    assert_set(
        &session_gate(json!({})),
        &[&format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "ORIGIN", &text)
        )],
        &[&format!("{sealed}; {ATTRIBUTES}")],
        &["sealed NEW"],
    );
}

#[test]
fn a_longer_pair_is_sent_all_the_same_and_reported() {
    let text = payload(Hash::Sha256, 4097);
    assert_set(
        &session_gate(json!({})),
        &[&format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "ORIGIN", &text)
        )],
        &[&format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "NEW", &text)
        )],
        &["sealed NEW", "too-long"],
    );
}

#[test]
fn an_upgrade_that_is_longer_than_what_the_browser_had_is_reported_too() {
    let gate = session_gate(json!({"accept": [{"format": "django-session", "digest": "sha1"}]}));
    for (pair_length, is_reported) in [(4096, false), (4097, true)] {
        let text = payload(Hash::Sha256, pair_length);
        let shown = signed(&sessions().with(Hash::Sha1), "NEW", &text);
        let judged = judge(&gate, &format!("sessionid={shown}"));
        let answer = answer_to(&gate, &judged.passage, &page(), &[]);
        let sent = answer.set_cookies.expect("an upgrade");
        assert!(sent[0].starts_with(&format!("sessionid={}", signed(&sessions(), "NEW", &text))));
        let verdicts = words(&gate, &answer.events);
        assert_eq!(
            verdicts.contains(&"too-long".to_owned()),
            is_reported,
            "{pair_length} bytes: {verdicts:?}"
        );
    }
}
