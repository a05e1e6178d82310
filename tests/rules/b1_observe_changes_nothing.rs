//! B1: in `observe` traffic is not changed in any byte; verdicts are reported as in `enforce`.

use countersign_core::gate::{Action, Gate};
use serde_json::{Value, json};

use crate::django::{Hash, sessions};
use crate::support::*;

/// The same configuration in either mode; only what stands in front of the origin's own key may observe.
fn modes(more: Value) -> [Gate; 2] {
    ["enforce", "observe"].map(|mode| {
        let keys = json!({"current": "ORIGIN", "fallbacks": ["OLD"], "origin": "ORIGIN"});
        let rule = with(session_rule(), more.clone());
        gate_of(with(config(keys, [rule]), json!({"mode": mode})))
    })
}

fn more() -> Value {
    json!({"max_age": 5_000, "accept": [{"format": "django-session", "digest": "sha1"}]})
}

fn headers() -> Vec<String> {
    let accepted = signed(&sessions().with(Hash::Sha1), "ORIGIN", PAYLOAD);
    vec![
        format!("a=1; sessionid={}", session("ORIGIN")),
        format!("a=1; sessionid={}", session("OLD")),
        format!("a=1; sessionid={accepted}"),
        format!("a=1; sessionid={}; b=2", forged()),
        format!("sessionid={}; sessionid=x", session("OLD")),
        format!("sessionid={}; sessionid=x", forged()),
        format!("sessionid={}", session_at("ORIGIN", NOW - 5_001)),
        format!("sessionid={}", session_at("ORIGIN", NOW + 301)),
        format!("sessionid={}", "x".repeat(20_000)),
        "SESSIONID=x; $Version=1; sessionid; x=1, sessionid=y".to_owned(),
        format!("x=\"1; sessionid={}", session("OLD")),
        "a=1; b=\u{fffd}".to_owned(),
        "sessionid=\u{fffd}".to_owned(),
    ]
}

#[test]
fn requests_go_on_as_they_came_with_the_verdicts_of_enforce() {
    for more in [more(), with(more(), json!({"on_invalid": "reject"}))] {
        let [enforces, observes] = modes(more);
        for header in headers() {
            let judged = judge(&observes, &header);
            assert_eq!(judged.action, Action::Unchanged, "{header}");
            assert_eq!(
                judged.verdicts,
                judge(&enforces, &header).verdicts,
                "{header}"
            );
        }
    }
}

#[test]
fn a_managed_pair_that_carries_another_managed_name_has_the_verdicts_of_enforce() {
    let gates = ["enforce", "observe"].map(|mode| {
        let user = with(wrapped_rule(), json!({"origin": null}));
        gate_of(with(
            config(first_day(), [session_rule(), user]),
            json!({"mode": mode}),
        ))
    });
    for header in ["sessionid=x, user_id=7", "user_id=7 SESSIONID=x"] {
        let [enforces, observes] = [&gates[0], &gates[1]].map(|gate| judge(gate, header));
        assert_eq!(observes.action, Action::Unchanged);
        assert_eq!(observes.verdicts, enforces.verdicts, "{header}");
    }
}

#[test]
fn responses_go_back_as_they_came_with_the_verdicts_of_enforce() {
    let [enforces, observes] = modes(json!({"upgrade": "always"}));
    for set in [
        format!("sessionid={}; Path=/", session("ORIGIN")),
        format!("sessionid={}; Path=/", forged()),
        format!("sessionid={}; Path=/app", session("ORIGIN")),
        "sessionid=; Path=/app; Max-Age=0".to_owned(),
        "sessionid=; Path=/; Max-Age=0".to_owned(),
        "a=1".to_owned(),
    ] {
        let answers = [&observes, &enforces].map(|gate| answer(gate, &["b=2", &set]));
        assert_eq!(
            (&answers[0].set_cookies, answers[0].private),
            (&None, false),
            "{set}"
        );
        assert_eq!(answers[0].events, answers[1].events, "{set}");
    }
}

#[test]
fn an_upgrade_is_told_and_not_sent() {
    let [enforces, observes] = modes(json!({}));
    let answers = [&observes, &enforces].map(|gate| {
        let judged = judge(gate, &format!("sessionid={}", session("OLD")));
        answer_to(gate, &judged.pending, &page(), &[])
    });
    assert_eq!(
        (&answers[0].set_cookies, answers[0].private),
        (&None, false)
    );
    assert!(answers[1].set_cookies.is_some());
    assert_eq!(answers[0].events, answers[1].events);
}

/// A rule that observes beside one that enforces, in either order.
fn mixed() -> [Gate; 2] {
    let observes = with(
        session_rule(),
        json!({"mode": "observe", "keys": first_day()}),
    );
    [
        gate(pinned(), [observes.clone(), wrapped_rule()]),
        gate(pinned(), [wrapped_rule(), observes]),
    ]
}

#[test]
fn a_rule_may_observe_beside_one_that_enforces() {
    for gate in mixed() {
        let bad = forged();
        assert_eq!(
            forwarded(
                &gate,
                &format!("sessionid={bad}; user_id={bad}; SESSIONID=x; user.id=1")
            ),
            Some(format!("sessionid={bad}; SESSIONID=x"))
        );
        let set = format!("sessionid={}; Path=/", session("ORIGIN"));
        let answer = answer(&gate, &[&set, "user_id=42; Path=/"]);
        assert_eq!(answer.set_cookies.unwrap()[0], set);
    }
}

#[test]
fn a_dollar_is_dropped_where_any_rule_enforces() {
    for gate in mixed() {
        assert_eq!(forwarded(&gate, "a=1; $Version=1").as_deref(), Some("a=1"));
    }
}

#[test]
fn a_pair_that_looks_like_two_names_is_dropped_for_the_rule_that_enforces() {
    for gate in mixed() {
        for pair in ["x=1, SESSIONID=2, user_id=7", "x=1, user_id=7, SESSIONID=2"] {
            let header = format!("a=1; {pair}");
            assert_eq!(forwarded(&gate, &header).as_deref(), Some("a=1"), "{pair}");
        }
    }
}

#[test]
fn a_rule_may_enforce_where_the_others_observe() {
    let enforces = with(wrapped_rule(), json!({"mode": "enforce", "keys": pinned()}));
    let config = config(first_day(), [session_rule(), enforces]);
    let gate = gate_of(with(config, json!({"mode": "observe"})));
    let bad = forged();
    assert_eq!(
        forwarded(&gate, &format!("sessionid={bad}; user_id={bad}")),
        Some(format!("sessionid={bad}"))
    );
}
