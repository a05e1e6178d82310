//! S4: a managed Set-Cookie that does not verify under an origin key passes as it is, and is reported as
//! an error.

use countersign_core::operations::report::Reporter;
use serde_json::json;

use crate::django::sessions;
use crate::support::*;

#[test]
fn it_passes_as_it_is() {
    let gate = session_gate(json!({}));
    let other_payload = session("ORIGIN").replacen(PAYLOAD, ADMIN, 1);
    for value in [
        forged(),
        session("NEW"),
        session("OLD"),
        other_payload,
        "x".to_owned(),
    ] {
        let header = format!("sessionid={value}; {ATTRIBUTES}");
        assert_set(&gate, &[&header], &[&header], &["origin-unverified"]);
    }
}

#[test]
fn others_in_the_same_response_are_sealed() {
    let gate = session_gate(json!({}));
    let bad = format!(
        "sessionid={}; {ATTRIBUTES}",
        sessions().sign("?", PAYLOAD, NOW)
    );
    assert_set(
        &gate,
        &[
            &bad,
            &format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN")),
        ],
        &[&bad, &format!("sessionid={}; {ATTRIBUTES}", session("NEW"))],
        &["origin-unverified", "sealed NEW"],
    );
}

#[test]
fn it_is_told_as_an_error() {
    let gate = session_gate(json!({}));
    let header = format!("sessionid={}; {ATTRIBUTES}", forged());
    let events = answer(&gate, &[&header]).events;
    let line = Reporter::default()
        .line(gate.policy(), &events, None, NOW)
        .unwrap();
    assert!(line.is_error, "{}", line.text);
    assert!(line.text.contains("origin-unverified"));
}

#[test]
fn a_cookie_that_was_refused_on_its_way_in_is_no_error() {
    let gate = session_gate(json!({}));
    let events = judge(&gate, &format!("sessionid={}", forged()))
        .pending
        .events;
    let line = Reporter::default()
        .line(gate.policy(), &events, None, NOW)
        .unwrap();
    assert!(!line.is_error, "{}", line.text);
}
