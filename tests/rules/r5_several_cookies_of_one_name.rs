//! R5: several cookies of one name are judged each for itself.

use countersign_core::gate::Action;
use serde_json::json;

use crate::support::*;

fn sorted(mut verdicts: Vec<String>) -> Vec<String> {
    verdicts.sort();
    verdicts
}

#[test]
fn a_planted_duplicate_cannot_mask_a_good_cookie() {
    let gate = session_gate(json!({}));
    let (good, sent, bad) = (session("NEW"), session("ORIGIN"), forged());
    for planted in [bad.as_str(), "x", "", "\"", PAYLOAD] {
        for (header, expected) in [
            (
                format!("a=1; sessionid={planted}; sessionid={good}"),
                format!("a=1; sessionid={sent}"),
            ),
            (
                format!("sessionid={good}; sessionid={planted}; a=1"),
                format!("sessionid={sent}; a=1"),
            ),
        ] {
            let judged = judge(&gate, &header);
            assert_eq!(
                judged.action,
                Action::WithCookie(Some(expected)),
                "{header}"
            );
            assert_eq!(
                sorted(judged.verdicts),
                ["current NEW", "duplicate-dropped"]
            );
        }
    }
}

#[test]
fn a_good_fallback_is_not_masked_either() {
    let gate = session_gate(json!({}));
    let header = format!("sessionid={}; sessionid={}", forged(), session("OLD"));
    let judged = judge(&gate, &header);
    let expected = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(judged.action, Action::WithCookie(Some(expected)));
    assert_eq!(
        sorted(judged.verdicts),
        ["duplicate-dropped", "fallback OLD"]
    );
}

#[test]
fn a_hundred_planted_duplicates_change_nothing() {
    let gate = gate(
        json!({"current": "NEW", "origin": "ORIGIN"}),
        [session_rule()],
    );
    let mut pairs: Vec<String> = (0..100)
        .map(|n| format!("sessionid={}", forged_at(n)))
        .collect();
    pairs.insert(57, format!("sessionid={}", session("NEW")));
    let expected = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(forwarded(&gate, &pairs.join("; ")), Some(expected));
}

#[test]
fn an_expired_copy_beside_a_good_one_is_a_dropped_duplicate() {
    let gate = session_gate(json!({"max_age": 600, "on_invalid": "reject"}));
    let (old, good) = (session_at("NEW", NOW - 601), session_at("NEW", NOW));
    let judged = judge(&gate, &format!("sessionid={old}; sessionid={good}"));
    let expected = format!("sessionid={}", session_at("ORIGIN", NOW));
    assert_eq!(judged.action, Action::WithCookie(Some(expected)));
    assert_eq!(
        sorted(judged.verdicts),
        ["current NEW", "duplicate-dropped"]
    );
}

#[test]
fn with_reject_a_planted_duplicate_does_not_shut_the_visitor_out() {
    let gate = session_gate(json!({"on_invalid": "reject"}));
    let header = format!("sessionid={}; sessionid={}", forged(), session("NEW"));
    assert_eq!(
        forwarded(&gate, &header),
        Some(format!("sessionid={}", session("ORIGIN")))
    );
}

#[test]
fn every_copy_that_verifies_goes_on_in_its_place() {
    let gate = session_gate(json!({}));
    let (first, second) = (session_at("OLD", NOW - 5), session_at("NEW", NOW - 9));
    assert_sent(
        &gate,
        &format!("sessionid={first}; a=1; sessionid={second}"),
        Some(&format!(
            "sessionid={}; a=1; sessionid={}",
            session_at("ORIGIN", NOW - 5),
            session_at("ORIGIN", NOW - 9)
        )),
        &["fallback OLD", "current NEW"],
    );
}

#[test]
fn where_none_verifies_each_gets_its_own_verdict() {
    let gate = session_gate(json!({"max_age": 600}));
    let old = session_at("NEW", NOW - 601);
    assert_sent(
        &gate,
        &format!("sessionid={}; sessionid=x; sessionid={old}; a=1", forged()),
        Some("a=1"),
        &["bad-signature", "malformed", "expired"],
    );
}

#[test]
fn a_good_cookie_of_another_name_drops_nothing() {
    let messages = json!({"name": "messages", "format": "django-messages", "attributes": "Path=/"});
    let gate = gate(pinned(), [session_rule(), messages]);
    let header = format!("sessionid={}; messages=x", session("NEW"));
    let judged = judge(&gate, &header);
    assert_eq!(judged.verdicts, ["current NEW", "malformed"]);
}
