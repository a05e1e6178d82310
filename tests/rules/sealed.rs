//! `sealed` in front of an origin that signs nothing: whatever it sets comes back to it byte for byte (S2, S3,
//! R3, R7 and adoption). The tests seal by hand, after the contract's own words.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_core::gate::{Action, Gate};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::django;
use crate::support::*;

/// What a browser keeps between `=` and `;`.
const VALUES: [&str; 18] = [
    "42",
    "",
    "\"\"",
    "\"ada@example.com\"",
    "\"Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln\"",
    "\"a\\054b\\\"c\"",
    "{\"id\":7}",
    "{\"name\": \"Ada L\", \"tags\": [\"a\", \"b\"]}",
    "12,15,19",
    "Ada L",
    "Ada\tL",
    "Zoë",
    "日本語 😀",
    "\u{85}\u{a0}\u{feff}",
    "a=b=c",
    "=",
    "\"",
    "5\" nails",
];

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn sealed_as(key_name: &str, cookie: &str, payload: &[u8], time: &str) -> String {
    let derived = hmac(key(key_name).as_bytes(), &[b"countersign sealed v1"]);
    let signed = [cookie.as_bytes(), b"\0", time.as_bytes(), b"\0", payload];
    let [payload, mac] = [payload, &hmac(&derived, &signed)].map(|b| URL_SAFE_NO_PAD.encode(b));
    format!("v1.{payload}.{time}.{mac}")
}

fn sealed(key_name: &str, payload: &str, time: u64) -> String {
    sealed_as(key_name, "user", payload.as_bytes(), &time.to_string())
}

fn rule() -> Value {
    json!({"name": "user", "format": "sealed", "origin": {"format": "plain"}, "attributes": ATTRIBUTES})
}

fn sealing(more: Value) -> Gate {
    gate(pinned(), [with(rule(), more)])
}

fn adopting(format: &str) -> Gate {
    let accept = json!([{"format": "plain", "until": "2027-01-15T08:00:10Z"}]);
    sealing(json!({"format": format, "accept": accept, "max_age": 1_209_600}))
}

#[test]
fn whatever_the_origin_sets_is_sealed_and_comes_back_to_it() {
    let gate = sealing(json!({}));
    for value in VALUES {
        let set = format!("user={value}; {ATTRIBUTES}");
        let shown = sealed("NEW", value, NOW);
        let sent = format!("user={shown}; {ATTRIBUTES}");
        assert_set(&gate, &[&set], &[&sent], &["sealed NEW"]);
        assert_sent(
            &gate,
            &format!("a=1; user={shown}; b=2"),
            Some(&format!("a=1; user={value}; b=2")),
            &["current NEW"],
        );
    }
}

#[test]
fn white_space_around_a_value_is_none_of_it() {
    let gate = sealing(json!({}));
    let set = format!("user = Ada L ; {ATTRIBUTES}");
    let sent = format!("user = {} ; {ATTRIBUTES}", sealed("NEW", "Ada L", NOW));
    assert_set(&gate, &[&set], &[&sent], &["sealed NEW"]);
}

#[test]
fn a_rotation_keeps_payload_and_time() {
    let gate = sealing(json!({}));
    for value in VALUES {
        let judged = judge(&gate, &format!("user={}", sealed("OLD", value, SIGNED)));
        let expected = Action::WithCookie(Some(format!("user={value}")));
        assert_eq!(judged.action, expected);
        assert_eq!(judged.verdicts, ["fallback OLD"]);
        let answer = answer_to(&gate, &judged.pending, &page(), &[]);
        let upgrade = format!("user={}; {ATTRIBUTES}", sealed("NEW", value, SIGNED));
        assert_eq!(answer.set_cookies.unwrap(), [upgrade]);
    }
}

#[test]
fn an_empty_value_deletes_only_where_its_attributes_do() {
    let lasting = format!("{ATTRIBUTES}; Max-Age=60");
    let gate = sealing(json!({"attributes": lasting}));
    for value in ["", "\"\"", "deleted", "\"ada@example.com\""] {
        for attributes in [
            "Path=/; Max-Age=0",
            "Path=/; Max-Age=-1",
            "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            let set = format!("user={value}; {attributes}");
            assert_set(&gate, &[&set], &[&set], &["deletion"]);
        }
        let set = format!("user={value}; {lasting}");
        let sent = format!("user={}; {lasting}", sealed("NEW", value, NOW));
        assert_set(&gate, &[&set], &[&sent], &["sealed NEW"]);
    }
}

#[test]
fn an_empty_value_is_a_deletion_for_every_other_format() {
    let set = "user=; Path=/; Max-Age=60";
    let wrapped = sealing(json!({"format": "django-signed-cookie"}));
    assert_set(&wrapped, &[set], &[set], &["deletion"]);
    let signs = sealing(json!({"origin": {"format": "django-signed-cookie"}}));
    assert_set(&signs, &[set], &[set], &["deletion"]);
}

#[test]
fn an_empty_value_is_no_deletion_while_a_rule_seals_nothing() {
    let lasting = format!("{ATTRIBUTES}; Max-Age=60");
    let unsealed =
        json!({"format": "plain", "accept": [{"format": "sealed"}], "attributes": lasting});
    let set = format!("user=; {lasting}");
    assert_set(&sealing(unsealed), &[&set], &[&set], &[]);
}

#[test]
fn what_could_not_come_back_as_it_was_is_told_when_it_is_set() {
    let gate = sealing(json!({}));
    for value in ["Zo\u{fffd}", "\u{fffd}", "a\u{1}b", "a\u{7f}", "a\nb"] {
        let set = format!("user={value}; Path=/; HttpOnly; Secure; SameSite=Lax");
        assert_set(&gate, &[&set], &[&set], &["malformed"]);
    }
}

#[test]
fn a_signed_payload_that_would_not_stay_one_cookie_does_not_reach_the_origin() {
    let gate = sealing(json!({}));
    let payloads: [&[u8]; 11] = [
        b"42; admin=1",
        b"42;",
        b"\"4;2\"",
        b"42\r\nX-Admin: 1",
        b"42\n",
        b"4\x002",
        b"4\x7F2",
        b" 42",
        b"42\t",
        b"Zo\xEB",
        "\u{fffd}".as_bytes(),
    ];
    for payload in payloads {
        let shown = sealed_as("NEW", "user", payload, &NOW.to_string());
        let header = format!("a=1; user={shown}");
        assert_sent(&gate, &header, Some("a=1"), &["malformed"]);
    }
}

#[test]
fn a_seal_is_good_for_one_name_time_and_key() {
    let gate = sealing(json!({"max_age": 1_209_600}));
    let now = NOW.to_string();
    let good = sealed("NEW", "42", NOW);
    let other_time = good.replace(&now, &(NOW - 1).to_string());
    let django = django::signed_cookie("user", "").sign(key("NEW"), "42", NOW);
    for (value, verdict) in [
        (sealed_as("NEW", "users", b"42", &now), "bad-signature"),
        (sealed("STRANGER", "42", NOW), "bad-signature"),
        (other_time, "bad-signature"),
        (sealed("NEW", "42", NOW - 1_209_601), "expired"),
        (format!("{good}="), "malformed"),
        (good.replace(&now, &format!("0{now}")), "malformed"),
        (format!("\"{good}\""), "malformed"),
        (django, "malformed"),
        ("42".to_owned(), "malformed"),
        (String::new(), "malformed"),
    ] {
        let header = format!("a=1; user={value}");
        assert_sent(&gate, &header, Some("a=1"), &[verdict]);
    }
}

#[test]
fn a_quote_or_comma_in_a_value_hides_no_other_cookie_and_is_not_refused_for_it() {
    let gate = gate(pinned(), [rule(), session_rule()]);
    let good = session("NEW");
    for value in VALUES {
        let set = format!("user={value}; {ATTRIBUTES}");
        let sent = format!("user={}; {ATTRIBUTES}", sealed("NEW", value, NOW));
        assert_set(&gate, &[&set], &[&sent], &["sealed NEW"]);
        let header = format!("user={}; sessionid={good}", sealed("NEW", value, NOW));
        let expected = format!("user={value}; sessionid={}", session("ORIGIN"));
        assert_eq!(forwarded(&gate, &header), Some(expected), "{value}");
    }
}

#[test]
fn any_value_from_before_the_first_deployment_is_adopted() {
    let gate = adopting("sealed");
    for value in VALUES {
        let judged = judge(&gate, &format!("a=1; user={value}"));
        assert_eq!(judged.action, Action::Unchanged, "{value}");
        assert_eq!(judged.verdicts, ["accepted-format"], "{value}");
        let answer = answer_to(&gate, &judged.pending, &page(), &[]);
        let upgrade = format!("user={}; {ATTRIBUTES}", sealed("NEW", value, NOW));
        assert_eq!(answer.set_cookies.unwrap(), [upgrade]);
    }
}

#[test]
fn bytes_that_the_runtime_cannot_show_are_not_adopted() {
    let header = "a=1; user=Zo\u{fffd}";
    assert_sent(&adopting("sealed"), header, Some("a=1"), &["malformed"]);
}

#[test]
fn another_format_adopts_and_upgrades_what_it_can_carry_and_no_more() {
    let gate = adopting("django-signed-cookie");
    for value in VALUES {
        let judged = judge(&gate, &format!("user={value}"));
        let carries = matches!(value, "42" | "" | "a=b=c" | "=");
        let verdict = if carries {
            "accepted-format"
        } else {
            "malformed"
        };
        assert_eq!(judged.verdicts, [verdict], "{value}");
    }
    let accept = json!([{"format": "sealed"}]);
    let gate = sealing(json!({"format": "django-signed-cookie", "accept": accept}));
    let judged = judge(&gate, &format!("user={}", sealed("NEW", "Ada L", NOW)));
    let expected = Action::WithCookie(Some("user=Ada L".to_owned()));
    assert_eq!(judged.action, expected);
    let answer = answer_to(&gate, &judged.pending, &page(), &[]);
    assert_eq!(answer.set_cookies, None);
    let withheld = words(&gate, &answer.events);
    assert_eq!(withheld, ["upgrade-withheld uncarriable"]);
}

#[test]
fn from_another_wrapping_format_a_value_moves_to_sealed() {
    let gate = sealing(json!({"accept": [{"format": "django-signed-cookie"}]}));
    let shown = signed(&django::signed_cookie("user", ""), "NEW", "42");
    let judged = judge(&gate, &format!("user={shown}"));
    let expected = Action::WithCookie(Some("user=42".to_owned()));
    assert_eq!(judged.action, expected);
    let answer = answer_to(&gate, &judged.pending, &page(), &[]);
    let upgrade = format!("user={}; {ATTRIBUTES}", sealed("NEW", "42", SIGNED));
    assert_eq!(answer.set_cookies.unwrap(), [upgrade]);
}

#[test]
fn leaving_gives_every_value_back_as_it_was() {
    let gate = sealing(json!({"format": "plain", "accept": [{"format": "sealed"}]}));
    for value in VALUES {
        let judged = judge(&gate, &format!("user={}", sealed("NEW", value, NOW)));
        let expected = Action::WithCookie(Some(format!("user={value}")));
        assert_eq!(judged.action, expected);
        let answer = answer_to(&gate, &judged.pending, &page(), &[]);
        let upgrade = format!("user={value}; {ATTRIBUTES}");
        assert_eq!(answer.set_cookies.unwrap(), [upgrade]);
        assert_as_it_came(&gate, &format!("user={value}"), &["current"]);
    }
}

#[test]
fn c1_keeps_its_key_apart_from_one_that_is_used_bare() {
    let rules = |other: Value| config(pinned(), [rule(), with(other, json!({"name": "b"}))]);
    assert_accepted(rules(rule()));
    assert_accepted(rules(wrapped_rule()));
    // whoever has "countersign sealed v1" signed there would have the key that seals
    let attributes = json!({"attributes": ATTRIBUTES});
    for bare in [
        json!({"format": "cookie-signature"}),
        json!({"format": "keygrip", "digest": "sha256"}),
        json!({"format": "itsdangerous", "digest": "sha256", "key_derivation": "hmac", "salt": "countersign sealed v1"}),
    ] {
        let other = with(bare, attributes.clone());
        assert_refused(
            rules(other),
            "COUNTERSIGN.cookies[1].format",
            &["shares a key"],
        );
    }
}
