//! R1: cookies that no rule names, and their order, stay byte for byte as they came.

use countersign_core::gate::Action;
use serde_json::json;

use crate::support::*;

/// Oddities that no rule has any business with.
const ODD: &str = "a=1;b = \"x y\" ;; \t c=%zz%;d=ä€;=e;f;g=h=i; a=2;j={\"k\":[1,2]};\u{1}l=\u{7f}";

#[test]
fn a_request_without_a_cookie_header_is_the_same_object() {
    let decision = session_gate(json!({}))
        .request(None, &page(), NOW * 1000)
        .unwrap();
    assert_eq!(decision.action, Action::Unchanged);
    assert!(decision.pending.events.is_empty());
}

#[test]
fn a_request_without_a_managed_cookie_is_the_same_object() {
    let gate = session_gate(json!({}));
    for header in ["", ";", "a=1; b=2", ODD] {
        assert_as_it_came(&gate, header, &[]);
    }
}

#[test]
fn a_managed_cookie_that_needs_no_change_leaves_the_request_the_same_object() {
    let gate = gate(first_day(), [session_rule()]);
    let header = format!("{ODD}; sessionid={}; z=1", session("ORIGIN"));
    assert_as_it_came(&gate, &header, &["current ORIGIN"]);
}

#[test]
fn cookies_around_a_re_signed_one_stay_to_the_byte() {
    let gate = session_gate(json!({}));
    let (shown, sent) = (session("NEW"), session("ORIGIN"));
    assert_sent(
        &gate,
        &format!("{ODD}; sessionid={shown};{ODD}"),
        Some(&format!("{ODD}; sessionid={sent};{ODD}")),
        &["current NEW"],
    );
}

#[test]
fn cookies_around_a_stripped_one_stay_to_the_byte() {
    let gate = session_gate(json!({}));
    let bad = forged();
    for (header, expected) in [
        (format!("a=1; sessionid={bad}; b=2"), "a=1; b=2"),
        (format!("sessionid={bad}; b=2; c=3"), "b=2; c=3"),
        (format!("a=1; b=2; sessionid={bad}"), "a=1; b=2"),
        (format!("a=1;sessionid={bad};b=2"), "a=1;b=2"),
        (
            format!("{ODD}; sessionid={bad};{ODD}"),
            &format!("{ODD};{ODD}"),
        ),
    ] {
        assert_sent(&gate, &header, Some(expected), &["bad-signature"]);
    }
}

#[test]
fn a_header_of_which_nothing_is_left_is_not_sent() {
    let gate = session_gate(json!({}));
    for header in [
        format!("sessionid={}", forged()),
        format!("sessionid={}; sessionid=x", forged()),
        "SESSIONID=x".to_owned(),
    ] {
        assert_eq!(judge(&gate, &header).action, Action::WithCookie(None));
    }
}

#[test]
fn a_header_with_the_replacement_character_is_never_the_same_object() {
    let gate = session_gate(json!({}));
    let same = session("ORIGIN");
    for header in ["a=\u{fffd}", "\u{fffd}", "a=1; \u{fffd}=2; b=3"] {
        let judged = judge(&gate, header);
        assert_eq!(judged.action, Action::WithCookie(Some(header.to_owned())));
    }
    let first_day = crate::support::gate(first_day(), [session_rule()]);
    let header = format!("a=\u{fffd}; sessionid={same}");
    let judged = judge(&first_day, &header);
    assert_eq!(judged.action, Action::WithCookie(Some(header)));
}

#[test]
fn any_other_character_beyond_ascii_leaves_it_the_same_object() {
    let gate = session_gate(json!({}));
    for header in ["a=é", "a=\u{fffc}", "ÿ=\u{10ffff}"] {
        assert_as_it_came(&gate, header, &[]);
    }
}
