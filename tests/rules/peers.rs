//! Bugs that others had, each with a test that it is not ours.

use countersign_core::gate::Gate;
use serde_json::{Value, json};

use crate::django::{Signer, messages, sessions, signed_cookie, signed_cookie_v1, signer};
use crate::support::*;

/// Rules for each of the formats, with a payload and the tests' own signer for it.
fn rules() -> Vec<(Value, Signer, &'static str)> {
    let rule =
        |name: &str, more: Value| with(json!({"name": name, "attributes": ATTRIBUTES}), more);
    vec![
        (session_rule(), sessions(), PAYLOAD),
        (
            rule("messages", json!({"format": "django-messages"})),
            messages(),
            "W1siX19q",
        ),
        (
            rule("note", json!({"format": "django-signed-cookie"})),
            signed_cookie("note", ""),
            "two words",
        ),
        (
            rule(
                "old_note",
                json!({"format": "django-signed-cookie", "scheme": "v1", "salt": "s"}),
            ),
            signed_cookie_v1("old_note", "s"),
            "h\u{e9}",
        ),
        (
            rule(
                "prefs",
                json!({"format": "django-signer", "salt": "p", "sep": "~", "timestamp": false}),
            ),
            Signer {
                sep: "~",
                timed: false,
                ..signer("p")
            },
            "dark",
        ),
    ]
}

fn all(keys: Value) -> Gate {
    gate(keys, rules().into_iter().map(|(rule, _, _)| rule))
}

fn name(rule: &Value) -> &str {
    rule["name"].as_str().unwrap()
}

/// A header of all the rules' cookies under one key.
fn header(key_name: &str) -> String {
    let pairs: Vec<String> = rules()
        .iter()
        .map(|(rule, signer, payload)| {
            format!("{}={}", name(rule), signed(signer, key_name, payload))
        })
        .collect();
    pairs.join("; ")
}

/// Set-Cookie headers of all the rules' cookies under one key.
fn set_cookies(key_name: &str) -> Vec<String> {
    let header = header(key_name);
    header
        .split("; ")
        .map(|pair| format!("{pair}; {ATTRIBUTES}"))
        .collect()
}

/// Flask, Quart and quart-auth signed with a stale fallback, because the last of the list signs.
#[test]
fn nothing_is_ever_sealed_with_a_fallback() {
    for fallbacks in [
        json!(["OLD", "OLDER"]),
        json!(["OLDER", "OLD"]),
        json!(["OLD"]),
    ] {
        let gate = all(json!({"current": "NEW", "fallbacks": fallbacks, "origin": "ORIGIN"}));
        let origin = set_cookies("ORIGIN");
        let origin: Vec<&str> = origin.iter().map(String::as_str).collect();
        assert_eq!(
            answer(&gate, &origin).set_cookies.unwrap(),
            set_cookies("NEW")
        );
        let judged = judge(&gate, &header("OLD"));
        let mut upgraded = answer_to(&gate, &judged.pending, &page(), &[])
            .set_cookies
            .unwrap();
        let mut expected = set_cookies("NEW");
        upgraded.sort();
        expected.sort();
        assert_eq!(upgraded, expected);
        assert_eq!(forwarded(&gate, &header("OLD")), Some(header("ORIGIN")));
    }
}

/// A string given for a list became one-character keys.
#[test]
fn a_scalar_for_a_list_of_keys_is_an_error() {
    for fallbacks in [
        json!("OLD"),
        json!({"secret": "OLD"}),
        json!(1),
        json!(true),
    ] {
        let keys = json!({"current": "NEW", "fallbacks": fallbacks, "origin": "ORIGIN"});
        assert_refused(
            config(keys, [session_rule()]),
            "COUNTERSIGN.keys.fallbacks",
            &["list"],
        );
    }
}

/// Django tried its fallbacks only once for each signer object.
#[test]
fn the_same_gate_opens_the_same_fallback_cookie_a_thousand_times() {
    let gate = session_gate(json!({}));
    let header = format!("sessionid={}", session("OLD"));
    let sent = format!("sessionid={}", session("ORIGIN"));
    for _ in 0..1_000 {
        assert_sent(&gate, &header, Some(&sent), &["fallback OLD"]);
    }
}

/// Django joined name and salt without a separator: two pairs, one key.
#[test]
fn a_cookie_does_not_open_under_another_name_whose_salt_makes_up_for_it() {
    let rule = |scheme: &str| {
        json!({
            "name": "a", "format": "django-signed-cookie", "salt": "bc", "scheme": scheme,
            "attributes": ATTRIBUTES,
        })
    };
    let v1 = signed(&signed_cookie_v1("ab", "c"), "NEW", "1");
    assert_eq!(
        v1,
        signed(&signed_cookie_v1("a", "bc"), "NEW", "1"),
        "the collision"
    );
    let gate_v2 = gate(pinned(), [rule("v2")]);
    assert_sent(&gate_v2, &format!("a={v1}"), None, &["bad-signature"]);
    let v2 = signed(&signed_cookie("ab", "c"), "NEW", "1");
    assert_sent(&gate_v2, &format!("a={v2}"), None, &["bad-signature"]);
    let own = signed(&signed_cookie("a", "bc"), "NEW", "1");
    assert_eq!(
        judge(&gate_v2, &format!("a={own}")).verdicts,
        ["current NEW"]
    );
}

#[test]
fn both_salt_schemes_open_side_by_side_and_v2_is_sealed() {
    let rule = json!({
        "name": "a", "format": "django-signed-cookie", "salt": "s", "attributes": ATTRIBUTES,
        "accept": [{"format": "django-signed-cookie", "salt": "s", "scheme": "v1"}],
    });
    let gate = gate(pinned(), [rule]);
    let (v2, v1) = (signed_cookie("a", "s"), signed_cookie_v1("a", "s"));
    let sent = format!("a={}", signed(&v2, "ORIGIN", "1"));
    assert_sent(
        &gate,
        &format!("a={}", signed(&v2, "NEW", "1")),
        Some(&sent),
        &["current NEW"],
    );
    let shown = format!("a={}", signed(&v1, "OLD", "1"));
    assert_sent(&gate, &shown, Some(&sent), &["accepted-format OLD"]);
    let judged = judge(&gate, &shown);
    let upgraded = answer_to(&gate, &judged.pending, &page(), &[])
        .set_cookies
        .unwrap();
    assert_eq!(
        upgraded,
        [format!("a={}; {ATTRIBUTES}", signed(&v2, "NEW", "1"))]
    );
}

/// Keygrip's cookies lost Max-Age, Domain and Path when they were re-signed.
#[test]
fn a_re_signed_cookie_keeps_its_attributes_to_the_byte() {
    let gate = session_gate(json!({}));
    let attributes = "Domain=.example.com; expires=Fri, 29 Jan 2027 08:00:00 GMT; HttpOnly; Max-Age=1209600; Path=/x; SameSite=Lax; Secure; Partitioned";
    let set = format!("sessionid={}; {attributes}", session("ORIGIN"));
    let sent = answer(&gate, &[&set]).set_cookies.unwrap();
    assert_eq!(
        sent,
        [format!("sessionid={}; {attributes}", session("NEW"))]
    );
}

#[test]
fn an_upgraded_cookie_has_the_attributes_of_its_rule() {
    let attributes = "Path=/x; Domain=example.com; HttpOnly; Secure; SameSite=None; Partitioned";
    let gate = session_gate(json!({"attributes": attributes}));
    let judged = judge(&gate, &format!("sessionid={}", session("OLD")));
    let sent = answer_to(&gate, &judged.pending, &page(), &[])
        .set_cookies
        .unwrap();
    assert_eq!(
        sent,
        [format!("sessionid={}; {attributes}", session("NEW"))]
    );
}

/// A Rails value grew at each rotation.
#[test]
fn a_hundred_rotations_leave_every_cookie_as_long_as_it_was() {
    let gates = [("NEW", "OLD"), ("OLD", "NEW")].map(|(current, fallback)| {
        all(json!({"current": current, "fallbacks": [fallback], "origin": "ORIGIN"}))
    });
    let mut held = header("OLD");
    let length = held.len();
    for turn in 0..100 {
        let gate = &gates[turn % 2];
        let judged = judge(gate, &held);
        let sent = answer_to(gate, &judged.pending, &page(), &[])
            .set_cookies
            .unwrap();
        assert_eq!(sent.len(), rules().len());
        let mut pairs: Vec<&str> = sent
            .iter()
            .map(|set| set.split("; ").next().unwrap())
            .collect();
        pairs.sort_by_key(|pair| header("OLD").find(&pair[..pair.find('=').unwrap()]));
        held = pairs.join("; ");
        assert_eq!(held.len(), length);
    }
    assert_eq!(held, header("OLD"));
}

/// Rails rotated encrypted cookies and forgot the signed ones.
#[test]
fn every_rule_of_a_configuration_is_at_work() {
    let gate = all(pinned());
    for (shown, verdict) in [("NEW", "current NEW"), ("OLD", "fallback OLD")] {
        let judged = judge(&gate, &header(shown));
        assert_eq!(judged.verdicts, vec![verdict; rules().len()]);
        assert_eq!(forwarded(&gate, &header(shown)), Some(header("ORIGIN")));
    }
    let judged = judge(&gate, &header("STRANGER"));
    assert_eq!(judged.verdicts, vec!["bad-signature"; rules().len()]);
    assert_eq!(forwarded(&gate, &header("STRANGER")), None);
}

/// django-rotate-secret-key crashed where the old key was not set.
#[test]
fn without_fallbacks_all_goes_on() {
    for keys in [
        json!({"current": "NEW", "origin": "ORIGIN"}),
        json!({"current": "NEW", "fallbacks": [], "origin": "ORIGIN"}),
    ] {
        let gate = all(keys);
        assert_eq!(forwarded(&gate, &header("NEW")), Some(header("ORIGIN")));
        assert_eq!(forwarded(&gate, &header("OLD")), None);
    }
}

#[test]
fn with_one_key_for_ring_and_origin_all_goes_on() {
    let gate = all(json!({"current": "NEW", "fallbacks": ["OLD"], "origin": "NEW"}));
    assert_eq!(forwarded(&gate, &header("NEW")), Some(header("NEW")));
    assert_eq!(forwarded(&gate, &header("OLD")), Some(header("NEW")));
}

#[test]
fn with_the_current_key_alone_all_goes_on() {
    let gate = all(json!({"current": "NEW", "origin": "NEW"}));
    assert_eq!(forwarded(&gate, &header("NEW")), Some(header("NEW")));
    assert_eq!(forwarded(&gate, &header("OLD")), None);
}

/// A touch kept the old key for ever in lua-resty-session.
#[test]
fn a_session_that_the_origin_refreshes_comes_out_under_the_current_key() {
    let gate = session_gate(json!({}));
    let judged = judge(&gate, &format!("sessionid={}", session("OLD")));
    let refreshed = format!("sessionid={}; {ATTRIBUTES}", session_at("ORIGIN", NOW));
    let answer = answer_to(&gate, &judged.pending, &page(), &[&refreshed]);
    let expected = format!("sessionid={}; {ATTRIBUTES}", session_at("NEW", NOW));
    assert_eq!(answer.set_cookies.unwrap(), [expected]);
}

/// Auth.js tried a token without a key id with the first key only.
#[test]
fn every_key_is_tried() {
    let names: Vec<String> = (0..20).map(|n| format!("KEY_{n}")).collect();
    let secrets = |name: &str| match name.strip_prefix("KEY_") {
        Some(number) => Some(format!("{number:0>40}")),
        None => secret(name),
    };
    let keys = json!({"current": "NEW", "fallbacks": names, "origin": "ORIGIN"});
    let policy =
        countersign_core::config::Policy::parse(&config(keys, [session_rule()]), &secrets).unwrap();
    let gate = Gate::new(policy, random);
    for name in &names {
        let shown = sessions().sign(secrets(name).unwrap(), PAYLOAD, SIGNED);
        let judged = judge(&gate, &format!("sessionid={shown}"));
        assert_eq!(judged.verdicts, [format!("fallback {name}")]);
    }
}
