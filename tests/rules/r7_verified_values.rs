//! R7: what a verified value carries counts too. The origin signs what visitors write.

use countersign_core::crypto::{Digest, Mac};
use countersign_core::gate::Gate;
use countersign_core::wire::encoding::base64url;
use serde_json::{Value, json};

use crate::django::signed_cookie;
use crate::support::*;

/// A signature of `theme` as Koa and cookie-session make it.
fn sig(key_name: &str, value: &str) -> String {
    let text = format!("theme={value}");
    base64url(&Mac::new(Digest::Sha1, key(key_name).as_bytes()).sign(&[text.as_bytes()]))
}

fn theme(key_name: &str, value: &str) -> String {
    format!("theme={value}; theme.sig={}", sig(key_name, value))
}

fn keygrip() -> Value {
    json!({"name": "theme", "format": "keygrip", "attributes": ATTRIBUTES})
}

fn phpsessid(more: Value) -> Value {
    let rule = json!({
        "name": "PHPSESSID", "format": "django-signed-cookie", "origin": {"format": "plain"}, "attributes": ATTRIBUTES,
        "keys": {"current": "OLDER", "fallbacks": []},
    });
    with(rule, more)
}

fn both() -> Gate {
    gate(pinned(), [keygrip(), phpsessid(json!({}))])
}

/// A rule whose format is quoted or encoded for the header.
fn note(format: &str) -> Value {
    json!({"name": "note", "format": format, "attributes": ATTRIBUTES})
}

const CARRYING: [&str; 8] = [
    "x, PHPSESSID=evil",
    "x,PHPSESSID=evil",
    "x PHPSESSID=evil",
    "x phpsessid =evil",
    "x\u{a0}PHPSESSID=evil",
    "x[PHPSESSID=evil",
    "x,%50HPSESSID=evil",
    "a\"b PHPSESSID=evil",
];

#[test]
fn a_verified_value_with_another_rules_name_is_malformed() {
    for value in CARRYING {
        for key_name in ["NEW", "OLD"] {
            assert_sent(&both(), &theme(key_name, value), None, &["malformed"]);
        }
    }
    for value in [
        "x, PHPSESSID",
        "my PHPSESSID is x=y",
        "xPHPSESSID=evil",
        "x, PHPSESSID2=evil",
    ] {
        let expected = theme("ORIGIN", value);
        assert_sent(
            &both(),
            &theme("NEW", value),
            Some(&expected),
            &["current NEW"],
        );
    }
}

#[test]
fn on_the_first_day_it_is_malformed_too() {
    let gate = gate(first_day(), [keygrip(), phpsessid(json!({}))]);
    for value in CARRYING {
        assert_sent(&gate, &theme("ORIGIN", value), None, &["malformed"]);
    }
}

#[test]
fn what_would_be_refused_when_it_comes_back_is_told_when_it_is_set_and_not_sealed() {
    for value in CARRYING {
        for gate in [both(), gate(first_day(), [keygrip(), phpsessid(json!({}))])] {
            let set = [
                format!("theme={value}; {ATTRIBUTES}"),
                format!("theme.sig={}; {ATTRIBUTES}", sig("ORIGIN", value)),
            ];
            let set = [&*set[0], &*set[1]];
            assert_set(&gate, &set, &set, &["malformed"]);
        }
    }
}

/// What the origin quotes or encodes comes back in that writing, in which no parser reads another cookie.
#[test]
fn in_a_format_that_quotes_or_encodes_it_a_value_may_hold_any_text() {
    let rules = |format| gate(pinned(), [note(format), phpsessid(json!({}))]);
    let signer = signed_cookie("note", "");
    let payload = "x, PHPSESSID=evil; y";
    let [new, origin] = ["NEW", "ORIGIN"].map(|name| signer.sign(key(name), payload, SIGNED));
    assert!(
        origin.starts_with("\"x\\054 PHPSESSID=evil\\073 y:"),
        "{origin}"
    );
    let gate = rules("django-signed-cookie");
    let expected = format!("note={origin}");
    assert_sent(
        &gate,
        &format!("note={new}"),
        Some(&expected),
        &["current NEW"],
    );
    let set = format!("note={origin}; {ATTRIBUTES}");
    assert_set(
        &gate,
        &[&set],
        &[&format!("note={new}; {ATTRIBUTES}")],
        &["sealed NEW"],
    );

    let express = |name: &str| {
        let tag = Mac::new(Digest::Sha256, key(name).as_bytes()).sign(&[b"x, PHPSESSID=evil"]);
        let signature = countersign_core::wire::encoding::base64_unpadded(&tag);
        countersign_core::wire::encoding::uri_component(&format!("s:x, PHPSESSID=evil.{signature}"))
    };
    let header = format!("note={}", express("NEW"));
    let expected = format!("note={}", express("ORIGIN"));
    assert_sent(
        &rules("express"),
        &header,
        Some(&expected),
        &["current NEW"],
    );
}

/// CGI.pm and older Racks cut at a comma inside quotes too; Mojolicious writes one there.
#[test]
fn a_comma_in_quotes_is_no_protection() {
    let gate = gate(pinned(), [note("mojolicious"), phpsessid(json!({}))]);
    let value = |name: &str, payload: &str| {
        let mac = Mac::new(Digest::Sha256, key(name).as_bytes());
        let tag = mac.sign(&[b"note=", payload.as_bytes()]);
        format!(
            "note=\"{payload}--{}\"",
            countersign_core::wire::encoding::hex(&tag)
        )
    };
    assert_sent(
        &gate,
        &value("NEW", "x, PHPSESSID=evil"),
        None,
        &["malformed"],
    );
    let spaces = |name| value(name, "x PHPSESSID=evil");
    assert_sent(
        &gate,
        &spaces("NEW"),
        Some(&spaces("ORIGIN")),
        &["current NEW"],
    );
}

#[test]
fn a_visitor_cannot_take_the_quotes_off() {
    let raw = signed_cookie("note", "").sign_raw(key("ORIGIN"), "x, PHPSESSID=evil", SIGNED);
    let gate = gate(
        first_day(),
        [note("django-signed-cookie"), phpsessid(json!({}))],
    );
    let sent = forwarded(&gate, &format!("note={raw}")).unwrap();
    assert!(sent.starts_with("note=\"x\\054 PHPSESSID=evil:"), "{sent}");
}

/// Nobody signed `theme=evil`: a parser that cuts at commas would read it all the same.
#[test]
fn a_value_must_not_carry_its_own_name_either() {
    let gate = gate(pinned(), [keygrip()]);
    for value in ["x, theme=evil", "x, THEME=evil", "x theme.sig=evil"] {
        assert_sent(&gate, &theme("NEW", value), None, &["malformed"]);
    }
    let wrapped = crate::support::gate(pinned(), [wrapped_rule()]);
    let user = signed(&signed_cookie("user_id", ""), "NEW", "7[user_id=1");
    assert_sent(&wrapped, &format!("user_id={user}"), None, &["malformed"]);
    let set = format!("user_id=7[user_id=1; {ATTRIBUTES}");
    assert_set(&wrapped, &[&set], &[&set], &["malformed"]);
    // no parser starts a cookie there
    let harmless = theme("NEW", "theme=evil");
    assert_sent(
        &gate,
        &harmless,
        Some(&theme("ORIGIN", "theme=evil")),
        &["current NEW"],
    );
}

#[test]
fn names_whose_look_alikes_are_forwarded_or_only_observed_do_not_count() {
    let value = "x, PHPSESSID=evil";
    for more in [
        json!({"look_alikes": "forward"}),
        json!({"mode": "observe", "format": "plain"}),
    ] {
        let gate = gate(pinned(), [keygrip(), phpsessid(more)]);
        let expected = theme("ORIGIN", value);
        assert_sent(
            &gate,
            &theme("NEW", value),
            Some(&expected),
            &["current NEW"],
        );
    }
}

#[test]
fn for_a_strict_rule_a_bare_word_counts() {
    let strict = phpsessid(json!({"look_alikes": "strict"}));
    let gate = gate(pinned(), [keygrip(), strict]);
    assert_sent(
        &gate,
        &theme("NEW", "x, PHPSESSID, y"),
        None,
        &["malformed"],
    );
}
