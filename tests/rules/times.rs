//! R2 and S2: when a signed time counts. What a browser shows is judged by the clock, what the origin sets by
//! its signature alone.

use countersign_core::formats::Content;
use countersign_core::gate::Gate;
use countersign_core::gate::verdict::Verdict;
use serde_json::{Value, json};

use crate::django::sessions;
use crate::jwt::token;
use crate::support::*;

/// A rule for a token in a cookie.
fn token_rule() -> Value {
    json!({"name": "token", "format": "jwt", "attributes": ATTRIBUTES})
}

fn token_gate(more: Value) -> Gate {
    gate(pinned(), [with(token_rule(), more)])
}

/// What is said of a token with these claims that a browser shows.
#[track_caller]
fn assert_shown(gate: &Gate, claims: &str, verdict: &str) {
    let header = format!("token={}", token("NEW", claims));
    let sent = format!("token={}", token("ORIGIN", claims));
    let expected = (verdict == "current NEW").then_some(sent.as_str());
    assert_sent(gate, &header, expected, &[verdict]);
}

/// That a token with these claims, set by the origin, is sealed, and what is said beside.
#[track_caller]
fn assert_sealed(gate: &Gate, claims: &str, more: &[&str]) {
    let set = format!("token={}; {ATTRIBUTES}", token("ORIGIN", claims));
    let sealed = format!("token={}; {ATTRIBUTES}", token("NEW", claims));
    let verdicts = [&["sealed NEW"], more].concat();
    assert_set(gate, &[&set], &[&sealed], &verdicts);
}

#[test]
fn a_time_is_taken_up_to_300_seconds_ahead_whatever_signs_it() {
    let gate = token_gate(json!({}));
    let timed = token_gate(json!({"iat": true}));
    for claim in ["nbf", "iat"] {
        for (ahead, verdict) in [
            (0, "current NEW"),
            (1, "current NEW"),
            (300, "current NEW"),
            (301, "not-yet-valid"),
            (1_000_000, "not-yet-valid"),
        ] {
            let claims = format!(r#"{{"{claim}":{},"sub":"1"}}"#, NOW + ahead);
            assert_shown(&gate, &claims, verdict);
            if claim == "iat" {
                assert_shown(&timed, &claims, verdict);
            }
        }
    }
    let sessions = session_gate(json!({}));
    for (ahead, verdict) in [(300, "current NEW"), (301, "not-yet-valid")] {
        let header = format!("sessionid={}", session_at("NEW", NOW + ahead));
        assert_eq!(judge(&sessions, &header).verdicts, [verdict]);
    }
}

#[test]
fn the_later_of_two_times_counts() {
    let gate = token_gate(json!({"iat": true}));
    for (iat, nbf) in [(NOW, NOW + 301), (NOW + 301, NOW)] {
        assert_shown(
            &gate,
            &format!(r#"{{"iat":{iat},"nbf":{nbf}}}"#),
            "not-yet-valid",
        );
    }
}

#[test]
fn a_cookie_of_the_future_is_told_when_it_is_sealed() {
    let (gate, timed) = (token_gate(json!({})), token_gate(json!({"iat": true})));
    for (ahead, more) in [
        (1, &[][..]),
        (300, &[]),
        (301, &["not-yet-valid"]),
        (3_660, &["not-yet-valid"]),
    ] {
        let both = format!(r#"{{"nbf":{0},"iat":{0}}}"#, NOW + ahead);
        for gate in [&gate, &timed] {
            assert_sealed(gate, &both, more);
        }
        assert_sealed(&gate, &format!(r#"{{"nbf":{}}}"#, NOW + ahead), more);
        let set = |key_name| {
            format!(
                "sessionid={}; {ATTRIBUTES}",
                session_at(key_name, NOW + ahead)
            )
        };
        let verdicts = [&["sealed NEW"], more].concat();
        assert_set(
            &session_gate(json!({})),
            &[&set("ORIGIN")],
            &[&set("NEW")],
            &verdicts,
        );
    }
    assert!(Verdict::NotYetValid.is_refusal(), "it is logged by default");
}

#[test]
fn a_cookie_of_the_future_is_told_on_the_first_day_and_in_observe_too() {
    let ahead = format!(
        "sessionid={}; {ATTRIBUTES}",
        session_at("ORIGIN", NOW + 3_660)
    );
    for mode in ["enforce", "observe"] {
        let config = with(config(first_day(), [session_rule()]), json!({"mode": mode}));
        let verdicts = ["sealed ORIGIN", "not-yet-valid"];
        assert_set(&gate_of(config), &[&ahead], &[&ahead], &verdicts);
    }
}

#[test]
fn no_time_keeps_from_being_sealed_what_the_origin_sets() {
    let gate = token_gate(json!({"iat": true, "max_age": 60}));
    for claims in [
        format!(r#"{{"iat":{NOW},"exp":{NOW}}}"#),
        format!(r#"{{"iat":{},"exp":1}}"#, NOW - 61),
        r#"{"iat":0,"exp":-1}"#.to_owned(),
        format!(r#"{{"iat":{NOW},"exp":1.795746226e+09}}"#),
    ] {
        assert_sealed(&gate, &claims, &[]);
    }
    let old = session_at("ORIGIN", NOW - 61);
    let sealed = session_at("NEW", NOW - 61);
    assert_set(
        &session_gate(json!({"max_age": 60})),
        &[&format!("sessionid={old}; {ATTRIBUTES}")],
        &[&format!("sessionid={sealed}; {ATTRIBUTES}")],
        &["sealed NEW"],
    );
}

/// Formats that write an expiry of their own, and for how many milliseconds their frameworks let it pass.
const WITH_EXPIRY: [(&str, u64); 5] = [
    ("rails-signed", 0),
    ("rails-encrypted", 0),
    ("iron", 60_000),
    ("iron-session", 60_000),
    ("jwt", 0),
];

fn gate_with_expiry(format: &str, more: Value) -> Gate {
    let rule = json!({"name": "sid", "format": format, "attributes": ATTRIBUTES});
    gate(pinned(), [with(rule, more)])
}

/// A value under a side's key that counts until then.
fn expiring(gate: &Gate, of_origin: bool, expiry_ms: u64) -> String {
    let rule = &gate.policy().rules[0];
    let seal = if of_origin {
        &rule.origin
    } else {
        &rule.browser
    };
    let payload = match rule.spec.format.name {
        "jwt" => {
            let claims = format!(r#"{{"exp":{}}}"#, expiry_ms / 1000);
            let token = token("NEW", &claims);
            token.rsplit_once('.').unwrap().0.to_owned()
        }
        _ => "{}".to_owned(),
    };
    let content = Content::of(payload.into_bytes()).expiring_at(Some(expiry_ms));
    seal.keyed.seal(&content, random).unwrap()
}

#[test]
fn an_expiry_is_exact_but_for_the_frameworks_own_grace() {
    for (format, grace_ms) in WITH_EXPIRY {
        let gate = gate_with_expiry(format, json!({}));
        let shown = |end| judge(&gate, &format!("sid={}", expiring(&gate, false, end))).verdicts;
        let last = NOW * 1000 - grace_ms;
        assert_eq!(shown(last), ["expired"], "{format}");
        assert_eq!(shown(last + 1000), ["current NEW"], "{format}");
        assert_eq!(shown(0), ["expired"], "{format}");
    }
}

#[test]
fn an_expiry_that_has_passed_is_sealed_and_stays_as_it_is() {
    for (format, _) in WITH_EXPIRY {
        let gate = gate_with_expiry(format, json!({}));
        let end = (NOW - 3_600) * 1000;
        let set = format!("sid={}; {ATTRIBUTES}", expiring(&gate, true, end));
        let answer = answer(&gate, &[&set]);
        assert_eq!(words(&gate, &answer.events), ["sealed NEW"], "{format}");
        let sent = answer.set_cookies.unwrap().remove(0);
        let value = sent
            .strip_prefix("sid=")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let opened = gate.policy().rules[0].browser.keyed.open(value).unwrap();
        assert_eq!(opened.expiry_ms, Some(end), "{format}");
    }
}

#[test]
fn leeway_lets_an_expiry_pass_that_long() {
    for (format, grace_ms) in WITH_EXPIRY {
        let gate = gate_with_expiry(format, json!({"leeway": 15}));
        let shown = |end| judge(&gate, &format!("sid={}", expiring(&gate, false, end))).verdicts;
        let last = (NOW - 15) * 1000 - grace_ms;
        assert_eq!(shown(last), ["expired"], "{format}");
        assert_eq!(shown(last + 1000), ["current NEW"], "{format}");
    }
    let gate = token_gate(json!({"leeway": 3_600}));
    assert_shown(
        &gate,
        &format!(r#"{{"exp":{}}}"#, NOW - 3_599),
        "current NEW",
    );
    assert_shown(&gate, &format!(r#"{{"exp":{}}}"#, NOW - 3_600), "expired");
}

#[test]
fn leeway_is_for_expiries_alone() {
    let gate = token_gate(json!({"iat": true, "max_age": 60, "leeway": 15}));
    assert_shown(&gate, &format!(r#"{{"iat":{}}}"#, NOW - 61), "expired");
    assert_shown(
        &gate,
        &format!(r#"{{"iat":{}}}"#, NOW + 301),
        "not-yet-valid",
    );
}

#[test]
fn a_number_is_read_as_json_has_it() {
    let gate = token_gate(json!({"iat": true}));
    for (claims, verdict) in [
        (r#"{"iat":1.8e9,"exp":1.800000001e+09}"#, "current NEW"),
        (r#"{"iat":1.8E9,"exp":1.8e9}"#, "expired"),
        (r#"{"iat":1800000000.25,"nbf":1800000300.0}"#, "current NEW"),
        (
            r#"{"iat":1800000000.25,"nbf":1800000300.25}"#,
            "not-yet-valid",
        ),
        (r#"{"iat":"1800000000"}"#, "malformed"),
    ] {
        assert_shown(&gate, claims, verdict);
    }
}

#[test]
fn nothing_of_the_future_is_rejected() {
    let gate = session_gate(json!({"on_invalid": "reject"}));
    let ahead = session_at("NEW", NOW + 3_660);
    assert_sent(
        &gate,
        &format!("sessionid={ahead}; a=1"),
        Some("a=1"),
        &["not-yet-valid"],
    );
    let forged = sessions().sign(key("STRANGER"), PAYLOAD, NOW + 3_660);
    assert_eq!(
        judge(&gate, &format!("sessionid={forged}")).verdicts,
        ["bad-signature"]
    );
}

mod as_a_configuration {
    use super::*;

    const LEEWAY: &str = "COUNTERSIGN.cookies[0].leeway";

    #[test]
    fn leeway_is_a_whole_number_of_at_most_an_hour() {
        for leeway in [0, 1, 3_600] {
            assert_accepted(config(
                pinned(),
                [with(token_rule(), json!({"leeway": leeway}))],
            ));
        }
        for leeway in [
            json!(3_601),
            json!(-1),
            json!("15"),
            json!(1.5),
            json!(u64::MAX),
        ] {
            let rule = with(token_rule(), json!({"leeway": leeway}));
            assert_refused(config(pinned(), [rule]), LEEWAY, &[]);
        }
    }

    #[test]
    fn leeway_needs_a_format_that_carries_an_expiry() {
        for rule in [session_rule(), wrapped_rule()] {
            for leeway in [0, 15] {
                let rule = with(rule.clone(), json!({"leeway": leeway}));
                assert_refused(
                    config(pinned(), [rule]),
                    LEEWAY,
                    &["expiry", "leave leeway out"],
                );
            }
        }
    }
}
