//! S1: a response that sets no managed cookie, and is due no upgrade, is returned as the same object.

use serde_json::json;

use crate::support::*;

#[test]
fn a_response_without_set_cookie_is_the_same_object() {
    assert_set(&session_gate(json!({})), &[], &[], &[]);
}

#[test]
fn a_response_that_sets_other_cookies_is_the_same_object() {
    let others = [
        "a=1; Path=/",
        "sessionid2=x",
        "SESSIONID=x",
        "no pair; sessionid=x",
        "; sessionid=x",
        "",
        "b=\"sessionid=x\"",
    ];
    assert_set(&session_gate(json!({})), &others, &others, &[]);
}

#[test]
fn a_response_to_a_request_that_was_re_signed_is_the_same_object() {
    let gate = session_gate(json!({}));
    let judged = judge(&gate, &format!("sessionid={}", session("NEW")));
    assert!(!judged.pending.is_pending());
    let answer = answer_to(&gate, &judged.pending, &page(), &["a=1"]);
    assert_eq!((answer.set_cookies, answer.private), (None, false));
    assert!(answer.events.is_empty());
}

#[test]
fn a_response_whose_upgrade_is_withheld_is_the_same_object() {
    let gate = session_gate(json!({}));
    let judged = judge(&gate, &format!("sessionid={}", session("OLD")));
    assert!(judged.pending.is_pending());
    let answer = answer_to(&gate, &judged.pending, &page().status(304), &["a=1"]);
    assert_eq!((answer.set_cookies, answer.private), (None, false));
}

#[test]
fn a_set_cookie_that_comes_out_the_same_leaves_the_response_the_same_object() {
    let gate = gate(first_day(), [session_rule()]);
    let header = format!(
        "sessionid={}; Path=/; HttpOnly; Secure; SameSite=Lax",
        session("ORIGIN")
    );
    assert_set(&gate, &[&header], &[&header], &["sealed ORIGIN"]);
}
