//! B3: reports name the rule, the verdict and the key id; never a value, a payload or a key.

use countersign_core::gate::{Event, Gate};
use countersign_core::operations::report::{Reporter, points};
use serde_json::{Value, json};

use crate::support::*;

fn reporting(reports: &str) -> Gate {
    let config = config(pinned(), [session_rule(), wrapped_rule()]);
    gate_of(with(config, json!({"reports": reports})))
}

fn line(reporter: &mut Reporter, gate: &Gate, events: &[Event], now: u64) -> Option<Value> {
    let line = reporter.line(gate.policy(), events, Some("8f1d2c3b4a5e6f70-FRA"), now)?;
    assert!(!line.text.contains('\n'), "one line: {}", line.text);
    Some(serde_json::from_str(&line.text).unwrap())
}

fn events(gate: &Gate, header: &str) -> Vec<Event> {
    judge(gate, header).pending.events
}

#[test]
fn a_line_holds_the_ray_and_for_each_verdict_the_rule_and_the_key() {
    let gate = reporting("all");
    let header = format!("sessionid={}; user_id=x", session("OLD"));
    let told = line(
        &mut Reporter::default(),
        &gate,
        &events(&gate, &header),
        NOW,
    )
    .unwrap();
    assert_eq!(told["source"], "countersign");
    assert_eq!(told["ray"], "8f1d2c3b4a5e6f70-FRA");
    assert_eq!(told["mode"], "enforce");
    assert_eq!(
        told["verdicts"],
        json!([
            {"rule": "sessionid", "verdict": "fallback", "key": "OLD"},
            {"rule": "user_id", "verdict": "malformed"},
        ])
    );
}

#[test]
fn a_withheld_upgrade_is_told_with_its_reason() {
    let gate = reporting("all");
    let judged = judge(&gate, &format!("sessionid={}", session("OLD")));
    let events = answer_to(&gate, &judged.pending, &page().status(304), &[]).events;
    let told = line(&mut Reporter::default(), &gate, &events, NOW).unwrap();
    assert_eq!(
        told["verdicts"],
        json!([{"rule": "sessionid", "verdict": "upgrade-withheld", "reason": "status"}])
    );
}

#[test]
fn only_refusals_are_told_unless_all_is_asked_for() {
    let good = format!("sessionid={}", session("OLD"));
    let bad = format!("sessionid={}", forged());
    for (reports, good_is_told, bad_is_told) in [
        ("refusals", false, true),
        ("all", true, true),
        ("none", false, false),
    ] {
        let gate = reporting(reports);
        let is_told = |header: &str| {
            line(&mut Reporter::default(), &gate, &events(&gate, header), NOW).is_some()
        };
        assert_eq!(is_told(&good), good_is_told, "{reports}");
        assert_eq!(is_told(&bad), bad_is_told, "{reports}");
    }
    let default = gate(pinned(), [session_rule()]);
    let events = events(&default, &good);
    assert_eq!(line(&mut Reporter::default(), &default, &events, NOW), None);
}

#[test]
fn every_refusal_is_told_as_one() {
    let gate = gate(pinned(), [with(session_rule(), json!({"max_age": 600}))]);
    for (header, verdict) in [
        (format!("sessionid={}", forged()), "bad-signature"),
        (
            format!("sessionid={}", session_at("NEW", NOW - 601)),
            "expired",
        ),
        (
            format!("sessionid={}", session_at("NEW", NOW + 301)),
            "not-yet-valid",
        ),
        ("sessionid=x".to_owned(), "malformed"),
        (format!("sessionid={}", "x".repeat(20_000)), "too-long"),
        (
            format!("sessionid={}; sessionid=x", session_at("NEW", NOW)),
            "duplicate-dropped",
        ),
        ("SESSIONID=x".to_owned(), "look-alike"),
    ] {
        let told = line(
            &mut Reporter::default(),
            &gate,
            &events(&gate, &header),
            NOW,
        );
        let verdicts = told.unwrap()["verdicts"].clone();
        assert_eq!(verdicts, json!([{"rule": "sessionid", "verdict": verdict}]));
    }
}

#[test]
fn no_line_holds_a_value_a_payload_or_a_key() {
    let gate = reporting("all");
    let mut reporter = Reporter::default();
    let values = [
        session("NEW"),
        session("OLD"),
        forged(),
        "hunter2".to_owned(),
    ];
    for value in &values {
        let judged = judge(
            &gate,
            &format!("sessionid={value}; user_id={value}; SESSIONID={value}"),
        );
        let set = [
            format!("sessionid={value}; Path=/app"),
            format!("user_id={value}; Path=/; Max-Age=0"),
        ];
        let answer = answer_to(&gate, &judged.pending, &page(), &[&set[0], &set[1]]);
        for events in [judged.pending.events, answer.events] {
            let Some(line) = reporter.line(gate.policy(), &events, None, NOW) else {
                continue;
            };
            let points = format!("{:?}", points(gate.policy(), &events));
            for text in [line.text, points] {
                for (_, key) in SECRETS.iter().filter(|(_, text)| !text.is_empty()) {
                    assert!(!text.contains(key), "{text}");
                }
                for part in value.split(':').filter(|part| part.len() > 5) {
                    assert!(!text.contains(part), "{text}");
                }
            }
        }
    }
}

#[test]
fn nothing_that_can_be_printed_of_a_gate_holds_a_key() {
    let keys = json!({
        "current": {"secret": "IN_BASE64", "encoding": "base64"},
        "fallbacks": ["OLD", "SHORT"],
        "origin": {"current": "ORIGIN", "fallbacks": ["OLDER"]},
    });
    let config = with(
        config(keys, [session_rule()]),
        json!({"origin_header": {"name": "X-Edge", "secret": "STRANGER"}}),
    );
    let printed = format!("{:?}", gate_of(config));
    for name in ["OLD", "SHORT", "ORIGIN", "OLDER", "STRANGER", "IN_BASE64"] {
        assert!(!printed.contains(&key(name)), "{name}");
        let as_numbers = format!("{:?}", key(name).as_bytes());
        assert!(
            !printed.contains(as_numbers.trim_matches(['[', ']'])),
            "{name}"
        );
    }
    assert!(!printed.contains("255, 0, 1, 2, 3"));
}

#[test]
fn the_same_refusal_is_counted_for_a_minute_rather_than_repeated() {
    let gate = gate(pinned(), [session_rule()]);
    let events = events(&gate, &format!("sessionid={}", forged()));
    let mut reporter = Reporter::default();
    let mut told = |now| line(&mut reporter, &gate, &events, now);
    let first = told(NOW).unwrap();
    assert_eq!(first["verdicts"][0].get("repeated"), None);
    for later in [0, 1, 30, 59] {
        assert_eq!(told(NOW + later), None, "{later} s later");
    }
    assert_eq!(told(NOW + 60).unwrap()["verdicts"][0]["repeated"], 4);
    assert_eq!(told(NOW + 61), None);
    assert_eq!(told(NOW + 120).unwrap()["verdicts"][0]["repeated"], 1);
    let quiet_since = told(NOW + 1_000).unwrap();
    assert_eq!(quiet_since["verdicts"][0].get("repeated"), None);
}

#[test]
fn another_refusal_is_told_at_once() {
    let gate = reporting("refusals");
    let mut reporter = Reporter::default();
    for header in ["sessionid=x", "SESSIONID=x", "user_id=x"] {
        let events = events(&gate, header);
        assert!(
            line(&mut reporter, &gate, &events, NOW).is_some(),
            "{header}"
        );
        assert!(
            line(&mut reporter, &gate, &events, NOW).is_none(),
            "{header}"
        );
    }
}

/// How an operator tells which upgrades never come: of those due, how many are withheld, and why.
#[test]
fn upgrades_are_counted_by_what_became_of_them() {
    let gate = reporting("all");
    let header = format!("sessionid={}", session("OLD"));
    for (page, counted, told) in [
        (
            page(),
            "upgraded",
            json!({"verdict": "upgraded", "key": "NEW"}),
        ),
        (
            subrequest(),
            "upgrade-withheld:not-navigation",
            json!({"verdict": "upgrade-withheld", "reason": "not-navigation"}),
        ),
        (
            page().status(206),
            "upgrade-withheld:status",
            json!({"verdict": "upgrade-withheld", "reason": "status"}),
        ),
    ] {
        let judged = judge(&gate, &header);
        let events = answer_to(&gate, &judged.pending, &page, &[]).events;
        let points = points(gate.policy(), &events);
        assert_eq!(points.len(), 1);
        assert_eq!(
            (points[0].verdict.as_str(), points[0].weight),
            (counted, 1.0)
        );
        let line = line(&mut Reporter::default(), &gate, &events, NOW).unwrap();
        assert_eq!(
            line["verdicts"],
            json!([with(told, json!({"rule": "sessionid"}))])
        );
    }
}

#[test]
fn what_differs_in_the_attributes_is_named() {
    let gate = reporting("refusals");
    let set = format!(
        "sessionid={}; Path=/; Secure; Max-Age=60; SameSite=Lax",
        session("ORIGIN")
    );
    let events = answer(&gate, &[&set]).events;
    let counted: Vec<String> = points(gate.policy(), &events)
        .into_iter()
        .map(|p| p.verdict)
        .collect();
    assert_eq!(
        counted,
        [
            "attributes-differ:http-only",
            "attributes-differ:persistence",
            "sealed"
        ]
    );
    let line = line(&mut Reporter::default(), &gate, &events, NOW).unwrap();
    let verdict =
        |reason| json!({"rule": "sessionid", "verdict": "attributes-differ", "reason": reason});
    assert_eq!(
        line["verdicts"],
        json!([verdict("http-only"), verdict("persistence")])
    );
}

#[test]
fn data_points_have_rule_and_key_for_their_index() {
    let gate = reporting("none");
    let header = format!("sessionid={0}; sessionid={0}; user_id=x", session("OLD"));
    let points = points(gate.policy(), &events(&gate, &header));
    let told: Vec<(&str, &str, f64)> = points
        .iter()
        .map(|p| (p.index.as_str(), p.verdict.as_str(), p.weight))
        .collect();
    assert_eq!(
        told,
        [
            ("sessionid/OLD", "fallback", 2.0),
            ("user_id/-", "malformed", 1.0)
        ]
    );
}
