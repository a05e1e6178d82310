//! No value that was refused under one name comes in under another: rules R4, R7 and C1 together.

use serde_json::json;

use crate::support::*;

/// A site whose PHPSESSID is being wrapped, beside a session that is signed.
fn adopting() -> countersign_core::gate::Gate {
    let until = json!([{"format": "plain", "until": "2099-01-01T00:00:00Z"}]);
    let wrapped = json!({
        "name": "PHPSESSID", "format": "django-signed-cookie", "origin": {"format": "plain"},
        "attributes": ATTRIBUTES, "max_age": 1_209_600, "accept": until,
    });
    gate(pinned(), [session_rule(), wrapped])
}

#[test]
fn what_carries_another_rules_name_is_not_adopted() {
    let gate = adopting();
    let judged = judge(&gate, "PHPSESSID=abc; a=1");
    assert_eq!(judged.verdicts, ["accepted-format"]);
    let judged = judge(&gate, "PHPSESSID=a[sessionid=FORGED[z; a=1");
    assert_eq!(judged.verdicts, ["malformed"]);
    assert!(!judged.pending.is_pending());
}

#[test]
fn what_carries_another_rules_name_is_not_unwrapped() {
    let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
    let signer = crate::django::signed_cookie("user_id", "");
    let value = |payload| signed(&signer, "NEW", payload);
    assert_sent(
        &gate,
        &format!("user_id={}", value("a[b=1")),
        Some("user_id=a[b=1"),
        &["current NEW"],
    );
    let header = format!("user_id={}", value("a[sessionid=1"));
    assert_sent(&gate, &header, None, &["malformed"]);
}

#[test]
fn what_carries_another_rules_name_is_not_wrapped() {
    let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
    let set = format!("user_id=a[sessionid=1; {ATTRIBUTES}");
    assert_set(&gate, &[&set], &[&set], &["malformed"]);
}

#[test]
fn a_key_that_one_rule_does_not_trust_is_not_laundered_through_another() {
    let other = |keys| with(session_rule(), json!({"name": "other", "keys": keys}));
    // what OLD signed would come out of `other` under NEW, which `sessionid` trusts
    let config_of = |keys| config(pinned_alone(), [session_rule(), other(keys)]);
    assert_refused(
        config_of(json!({"fallbacks": ["OLD"]})),
        "COUNTERSIGN.cookies[1].format",
        &["COUNTERSIGN.cookies[0]"],
    );
    assert_refused(
        config_of(json!({"origin": {"current": "ORIGIN", "fallbacks": ["NEXT_ORIGIN"]}})),
        "COUNTERSIGN.cookies[1].format",
        &["COUNTERSIGN.cookies[0]"],
    );
    assert_accepted(config_of(json!({"current": "NEW", "fallbacks": []})));
    assert_accepted(config_of(json!({"current": "OLD", "fallbacks": []})));
}

#[test]
fn a_key_or_a_format_is_not_laundered_through_a_rule_that_trusts_it_for_longer() {
    let until = |year: &str| json!(format!("{year}-01-01T00:00:00Z"));
    let rules = |a, b| {
        let named = |name, more| with(with(session_rule(), json!({ "name": name })), more);
        config(pinned_alone(), [named("a", a), named("b", b)])
    };
    let old = |year| json!({"keys": {"fallbacks": [{"secret": "OLD", "until": until(year)}]}});
    let older = json!({"format": "django-session", "digest": "sha1"});
    let accepting = json!({"accept": [older]});
    let sha1 = |year| json!({"accept": [with(older.clone(), json!({"until": until(year)}))]});
    let always = json!({"keys": {"fallbacks": ["OLD"]}});
    for (a, b) in [
        (old("2098"), old("2099")),
        (old("2099"), always.clone()),
        (json!({}), accepting.clone()),
        (sha1("2098"), sha1("2099")),
        (sha1("2099"), accepting.clone()),
    ] {
        for config in [rules(a.clone(), b.clone()), rules(b, a)] {
            let path = "COUNTERSIGN.cookies[1].format";
            assert_refused(config, path, &["COUNTERSIGN.cookies[0]"]);
        }
    }
    for same in [old("2099"), always, accepting, sha1("2099")] {
        assert_accepted(rules(same.clone(), same));
    }
}

/// Express signs `pick` for whoever names a theme so, and shows the visitor what is then the other's key.
#[test]
fn a_mac_that_is_the_key_of_a_further_format_is_not_given_away() {
    let config_of = |digest| {
        let signer = json!({"format": "itsdangerous", "key_derivation": "hmac", "digest": digest,
            "salt": "pick", "timestamp": false});
        let express = json!({"name": "c", "format": "express", "attributes": ATTRIBUTES});
        let turned = with(express.clone(), signer.clone());
        let express = with(express, json!({"accept": [signer]}));
        let turned = with(turned, json!({"accept": [{"format": "express"}]}));
        [config(pinned(), [express]), config(pinned(), [turned])]
    };
    for config in config_of("sha256") {
        let path = "COUNTERSIGN.cookies[0].accept[0]";
        assert_refused(config, path, &["same key", "another salt or digest"]);
    }
    config_of("sha1").into_iter().for_each(assert_accepted);
}

fn pinned_alone() -> serde_json::Value {
    json!({"current": "NEW", "fallbacks": [], "origin": "ORIGIN"})
}

#[test]
fn forward_is_refused_where_the_origins_key_leaves_the_ring_by_itself() {
    let keys = |fallback| json!({"current": "NEW", "fallbacks": [fallback], "origin": "ORIGIN"});
    let rule = with(session_rule(), json!({"on_invalid": "forward"}));
    assert_accepted(config(keys(json!("ORIGIN")), [rule.clone()]));
    let ends = json!({"secret": "ORIGIN", "until": "2099-01-01T00:00:00Z"});
    assert_refused(
        config(keys(ends), [rule]),
        "COUNTERSIGN.cookies[0].on_invalid",
        &["unsafe_open"],
    );
}

/// If each piece were looked at to the end of the pair, this would not come to an end in our time.
#[test]
fn a_long_pair_of_many_pieces_is_read_once() {
    let gate = session_gate(json!({}));
    for piece in ["%[", "-[", "-]", ".\\", "sessioni[", "=,", "\"x"] {
        let header = format!("a={}", piece.repeat(64 << 10));
        judge(&gate, &header);
    }
}

/// The same for many copies of a cookie that goes on unsigned, each with a quote left open.
#[test]
fn many_copies_with_an_open_quote_are_read_once() {
    let unsealed = json!({
        "name": "theme", "format": "plain", "origin": {"format": "plain"}, "attributes": ATTRIBUTES,
        "accept": [{"format": "django-signed-cookie"}],
    });
    let gate = gate(pinned(), [unsealed, session_rule()]);
    let header = format!(
        "{}sessionid={}",
        "theme=\"; ".repeat(64 << 10),
        session("NEW")
    );
    let expected = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(forwarded(&gate, &header), Some(expected));
}
