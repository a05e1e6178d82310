//! The schema of the configuration refuses what a schema can, and nothing that the reader takes. That it takes what
//! the reader does is held by every test of the rules: see `support::gate_of`.

use serde_json::{Value, json};

use crate::support::schema::{assert_taken, complaints};
use crate::support::*;

/// Asserts that both refuse a configuration, the schema at this JSON pointer.
#[track_caller]
fn assert_both_refuse(config: &Value, pointer: &str) {
    let complaints = complaints(config);
    assert!(!problems(config).is_empty(), "the reader takes {config}");
    let is_there = |complaint: &String| complaint.split(": ").next() == Some(pointer);
    assert!(
        complaints.iter().any(is_there),
        "{config}: nothing at {pointer}, only\n{}",
        complaints.join("\n")
    );
}

#[test]
fn a_mistake_that_a_schema_can_see_is_seen() {
    let whole = |more: Value| with(config(pinned(), [session_rule()]), more);
    for (mistake, pointer) in [
        (json!({"mode": "enforced"}), "/mode"),
        (json!({"mode": true}), "/mode"),
        (json!({"report": "all"}), ""),
        (json!({"max_age": 60}), ""),
        (json!({"current": "NEW"}), ""),
        (json!({"hosts": "shop.example.workers.dev"}), "/hosts"),
        (json!({"hosts": [7]}), "/hosts/0"),
        (json!({"origin_url": "app.internal.example"}), "/origin_url"),
        (
            json!({"origin_url": "https://a.example/path"}),
            "/origin_url",
        ),
        (
            json!({"origin_header": {"name": "X-Edge"}}),
            "/origin_header",
        ),
        (json!({"origin_header": "EDGE_TOKEN"}), "/origin_header"),
        (json!({"keys": "NEW"}), "/keys"),
        (
            json!({"keys": {"current": "a key pasted", "origin": "NEW"}}),
            "/keys/current",
        ),
        (
            json!({"keys": {"current": {"encoding": "hex"}, "origin": "NEW"}}),
            "/keys/current",
        ),
        (
            json!({"keys": {"current": {"secret": "NEW", "encoding": "utf-8"}, "origin": "NEW"}}),
            "/keys/current/encoding",
        ),
        (
            json!({"keys": {"current": {"secret": "NEW", "until": "2027-02-01T00:00:00Z"}, "origin": "NEW"}}),
            "/keys/current",
        ),
        (
            json!({"keys": {"current": "NEW", "fallbacks": "OLD", "origin": "NEW"}}),
            "/keys/fallbacks",
        ),
        (
            json!({"keys": {"current": "NEW", "fallbacks": [{"secret": "OLD", "until": "2027-02-01"}], "origin": "NEW"}}),
            "/keys/fallbacks/0/until",
        ),
        (
            json!({"keys": {"current": "NEW", "fallbacks": [{"secret": "OLD", "upgrade": "never"}], "origin": "NEW"}}),
            "/keys/fallbacks/0/upgrade",
        ),
        (
            json!({"keys": {"current": "NEW", "origin": {"fallbacks": ["OLD"]}}}),
            "/keys/origin",
        ),
        (
            json!({"keys": {"current": "NEW", "origin": {"current": "NEW", "secret": "OLD"}}}),
            "/keys/origin",
        ),
        (
            json!({"keys": {"current": "NEW", "origin": {"secret": "NEW", "until": "2027-02-01T00:00:00Z"}}}),
            "/keys/origin",
        ),
        (json!({"cookies": []}), "/cookies"),
        (json!({"cookies": session_rule()}), "/cookies"),
    ] {
        assert_both_refuse(&whole(mistake), pointer);
    }
    assert_both_refuse(&json!({"keys": pinned()}), "");
}

#[test]
fn a_mistake_in_a_rule_is_seen_where_it_stands() {
    for (mistake, pointer) in [
        (json!({"name": "a b"}), "/name"),
        (json!({"name": "$a"}), "/name"),
        (json!({"format": "djnago-session"}), "/format"),
        (json!({"format": "flask-session", "salt": "s"}), ""),
        (json!({"digest": "sha3"}), "/digest"),
        (json!({"format": "plug-session"}), ""),
        (
            json!({"format": "tornado", "key_version": {"a": 1}}),
            "/key_version",
        ),
        (json!({"format": "jwt", "kid": 7}), "/kid"),
        (json!({"max_age": "31"}), "/max_age"),
        (json!({"max_age": -1}), "/max_age"),
        (json!({"max_age": 1.5}), "/max_age"),
        (json!({"leeway": "1y"}), "/leeway"),
        (json!({"upgrade": true}), "/upgrade"),
        (json!({"on_invalid": "drop"}), "/on_invalid"),
        (json!({"look_alikes": "keep"}), "/look_alikes"),
        (json!({"chunks": true}), "/chunks"),
        (json!({"unsafe_open": 1}), "/unsafe_open"),
        (json!({"atributes": "Path=/"}), ""),
        (json!({"fallbacks": ["OLD"]}), ""),
        (json!({"accept": {"format": "plain"}}), "/accept"),
        (json!({"accept": [{"format": "plain"}]}), "/accept/0"),
        (json!({"accept": [{"digest": "sha1"}]}), "/accept/0"),
        (
            json!({"accept": [{"format": "django-session", "max_age": 1}]}),
            "/accept/0",
        ),
        (
            json!({"origin": {"format": "plain", "until": "2027-02-01T00:00:00Z"}}),
            "/origin",
        ),
        (json!({"origin": "plain"}), "/origin"),
    ] {
        let rule = with(session_rule(), mistake);
        assert_both_refuse(&config(pinned(), [rule]), &format!("/cookies/0{pointer}"));
    }
    let mut rule = session_rule();
    rule.as_object_mut().unwrap().remove("attributes");
    assert_both_refuse(&config(pinned(), [rule.clone()]), "/cookies/0");
    assert_taken(&config(pinned(), [with(rule, json!({"upgrade": "never"}))]));
}
