//! What is told of one cookie: what opens it, and what the gate does with it now.

use countersign_core::gate::Gate;
use countersign_core::gate::inspection::{Fate, Inspection, Role, inspect};
use serde_json::json;

use crate::django::{sessions, signed_cookie};
use crate::support::*;

fn inspected(gate: &Gate, name: &str, value: &str) -> Inspection {
    inspect(gate.policy(), name, value, NOW)
}

/// Verdict, key and role, format, and fate in one line.
fn line(gate: &Gate, name: &str, value: &str) -> String {
    let found = inspected(gate, name, value);
    let verdict = found.verdict.map_or("-", |verdict| verdict.as_str());
    let opened = found.opened.map(|opened| {
        let key = opened.key.map_or("-".to_owned(), |key| key.to_string());
        format!(" by {key} ({}) in {}", opened.role.as_str(), opened.format)
    });
    let with = match &found.fate {
        Fate::Resealed(Some(key)) => format!(" with {key}"),
        _ => String::new(),
    };
    let upgraded = if found.is_upgraded { ", upgraded" } else { "" };
    format!(
        "{verdict}{}: {}{with}{upgraded}",
        opened.unwrap_or_default(),
        found.fate.as_str()
    )
}

#[test]
fn a_cookie_is_opened_by_the_key_that_sealed_it() {
    let gate = session_gate(json!({}));
    for (key, expected) in [
        (
            "NEW",
            "current by NEW (current) in django-session: resealed with ORIGIN",
        ),
        (
            "OLD",
            "fallback by OLD (fallback) in django-session: resealed with ORIGIN, upgraded",
        ),
        (
            "ORIGIN",
            "bad-signature by ORIGIN (origin) in django-session: stripped",
        ),
        ("STRANGER", "bad-signature: stripped"),
    ] {
        assert_eq!(line(&gate, "sessionid", &session(key)), expected);
    }
    assert_eq!(line(&gate, "sessionid", "nonsense"), "malformed: stripped");
    assert_eq!(line(&gate, "session_id", "x"), "-: unchanged");
    assert_eq!(line(&gate, "SessionID", "x"), "look-alike: stripped");
}

#[test]
fn under_the_origins_own_key_nothing_is_done() {
    let gate = gate(first_day(), [session_rule()]);
    assert_eq!(
        line(&gate, "sessionid", &session("ORIGIN")),
        "current by ORIGIN (current) in django-session: unchanged"
    );
}

#[test]
fn time_age_and_payload_are_those_that_were_signed() {
    let gate = session_gate(json!({}));
    let opened = inspected(&gate, "sessionid", &session("OLD"))
        .opened
        .unwrap();
    assert_eq!(
        (opened.time_s, opened.age_s),
        (Some(SIGNED), Some(NOW - SIGNED))
    );
    assert_eq!(opened.payload, PAYLOAD.as_bytes());
    assert!(!format!("{opened:?}").contains(PAYLOAD));
}

#[test]
fn what_has_expired_is_opened_and_not_taken() {
    let gate = session_gate(json!({"max_age": 600, "on_invalid": "reject"}));
    assert_eq!(
        line(&gate, "sessionid", &session("NEW")),
        "expired by NEW (current) in django-session: stripped"
    );
}

#[test]
fn what_counts_from_a_later_time_on_is_opened_and_not_taken() {
    let gate = session_gate(json!({"on_invalid": "reject"}));
    let value = session_at("NEW", NOW + 1000);
    assert_eq!(
        line(&gate, "sessionid", &value),
        "not-yet-valid by NEW (current) in django-session: stripped"
    );
    let ahead = inspected(&gate, "sessionid", &value);
    assert!(ahead.fits);
    assert_eq!(ahead.opened.unwrap().age_s, None);
}

#[test]
fn whether_the_shape_is_that_of_the_rule_is_told() {
    let gate = session_gate(json!({"accept": [{"format": "django-session", "digest": "sha1"}]}));
    let untimed = crate::django::Signer {
        timed: false,
        ..sessions()
    };
    let unread = untimed.sign(key("NEW"), &format!("{PAYLOAD}:no-time"), 0);
    for (value, verdict, fits) in [
        (session("NEW"), "current", true),
        (forged(), "bad-signature", true),
        (unread, "malformed", true),
        ("nonsense".to_owned(), "malformed", false),
        ("x".repeat(20_000), "too-long", false),
    ] {
        let found = inspected(&gate, "sessionid", &value);
        assert_eq!(found.verdict.unwrap().as_str(), verdict);
        assert_eq!(found.fits, fits, "{verdict}");
    }
}

#[test]
fn a_fallback_past_its_until_is_named_and_refused() {
    let until = "2020-01-01T00:00:00Z";
    let keys = json!({"current": "NEW", "fallbacks": [{"secret": "OLD", "until": until}], "origin": "ORIGIN"});
    let gate = gate(keys, [session_rule()]);
    let found = inspected(&gate, "sessionid", &session("OLD"));
    assert_eq!(
        line(&gate, "sessionid", &session("OLD")),
        "bad-signature by OLD (fallback) in django-session: stripped"
    );
    assert_eq!(found.opened.unwrap().until, Some(1_577_836_800));
}

#[test]
fn an_accepted_format_is_named() {
    let accept = json!([{"format": "django-session", "digest": "sha1"}]);
    let gate = session_gate(json!({"accept": accept}));
    let value = sessions()
        .with(crate::django::Hash::Sha1)
        .sign(key("OLD"), PAYLOAD, SIGNED);
    assert_eq!(
        line(&gate, "sessionid", &value),
        "accepted-format by OLD (fallback) in django-session: resealed with ORIGIN, upgraded"
    );
}

#[test]
fn what_is_adopted_or_wrapped_is_told() {
    let accept = json!([{"format": "plain", "until": "2099-01-01T00:00:00Z"}]);
    let gate = wrapped_gate(json!({"max_age": 2000, "accept": accept}));
    assert_eq!(
        line(&gate, "user_id", "42"),
        "accepted-format by - (unsigned) in plain: unchanged, upgraded"
    );
    let value = signed(&signed_cookie("user_id", ""), "NEW", "42");
    assert_eq!(
        line(&gate, "user_id", &value),
        "current by NEW (current) in django-signed-cookie: resealed"
    );
}

#[test]
fn what_observes_or_forwards_changes_nothing() {
    let observing = gate_of(with(
        config(first_day(), [session_rule()]),
        json!({"mode": "observe"}),
    ));
    assert_eq!(
        line(&observing, "sessionid", &forged()),
        "bad-signature: unchanged"
    );
    let keys = json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"});
    let forwarding = gate(
        keys,
        [with(session_rule(), json!({"on_invalid": "forward"}))],
    );
    assert_eq!(
        line(&forwarding, "sessionid", &forged()),
        "bad-signature: unchanged"
    );
}

#[test]
fn an_inspection_and_the_gate_agree() {
    for more in [
        json!({}),
        json!({"max_age": 600}),
        json!({"upgrade": "never"}),
    ] {
        let gate = session_gate(more);
        for key in ["NEW", "OLD", "ORIGIN", "STRANGER"] {
            let value = session(key);
            let found = inspected(&gate, "sessionid", &value);
            let header = format!("a=1; sessionid={value}");
            let judged = judge(&gate, &header);
            let verdict = found.verdict.unwrap().as_str();
            assert!(judged.verdicts[0].starts_with(verdict), "{judged:?}");
            let is_gone = forwarded(&gate, &header).as_deref() == Some("a=1");
            assert_eq!(found.fate == Fate::Stripped, is_gone);
            assert_eq!(
                found.opened.is_some_and(|o| o.role == Role::Origin),
                key == "ORIGIN"
            );
        }
    }
}
