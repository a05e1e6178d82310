//! A value and its signature in two cookies, as Keygrip has them: judged, re-signed, upgraded and deleted
//! together.

use countersign_core::crypto::{Digest, Mac};
use countersign_core::gate::{Action, Gate};
use countersign_core::wire::encoding::base64url;
use serde_json::{Value, json};

use crate::django::signed_cookie;
use crate::support::*;

/// `NAME.sig` for a value under a key.
fn sig(key_name: &str, value: &str) -> String {
    let text = format!("sess={value}");
    base64url(&Mac::new(Digest::Sha1, key(key_name).as_bytes()).sign(&[text.as_bytes()]))
}

/// Both cookies as a browser shows them.
fn pair(key_name: &str, value: &str) -> String {
    format!("sess={value}; sess.sig={}", sig(key_name, value))
}

fn rule() -> Value {
    json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES})
}

fn keygrip_gate(more: Value) -> Gate {
    gate(pinned(), [with(rule(), more)])
}

/// The origin reads the cookie unsigned.
fn wrapped() -> Value {
    json!({"origin": {"format": "plain"}})
}

#[test]
fn a_pair_is_signed_for_the_origin_and_the_rest_stays() {
    let gate = keygrip_gate(json!({}));
    let header = format!("a=1; {}; b=2", pair("NEW", "e30="));
    let expected = format!("a=1; {}; b=2", pair("ORIGIN", "e30="));
    assert_sent(&gate, &header, Some(&expected), &["current NEW"]);
    let header = format!("sess.sig={}; a=1;sess=e30=", sig("OLD", "e30="));
    let expected = format!("a=1;{}", pair("ORIGIN", "e30="));
    assert_sent(&gate, &header, Some(&expected), &["fallback OLD"]);
}

#[test]
fn under_the_origins_own_key_a_pair_goes_on_as_it_came() {
    let gate = gate(first_day(), [rule()]);
    let header = format!("sess.sig={}; a=1;sess=e30=", sig("ORIGIN", "e30="));
    assert_as_it_came(&gate, &header, &["current ORIGIN"]);
}

#[test]
fn what_has_no_right_signature_is_stripped_with_whatever_signature_came() {
    let gate = keygrip_gate(json!({}));
    let good = sig("NEW", "e30=");
    for (header, verdict) in [
        ("sess=e30=; a=1".to_owned(), "malformed"),
        ("sess=e30=; a=1; sess.sig=".to_owned(), "malformed"),
        (format!("sess=e31=; sess.sig={good}; a=1"), "bad-signature"),
        (format!("a=1; sess.sig={good}"), "malformed"),
        (
            format!("sess=e30=; sess.sig={}; a=1", sig("STRANGER", "e30=")),
            "bad-signature",
        ),
        (format!("a=1; sess=e30=; sess.sig={good}="), "malformed"),
    ] {
        assert_sent(&gate, &header, Some("a=1"), &[verdict]);
    }
    assert_sent(
        &gate,
        &format!("a=1; sess_sig={good}"),
        Some("a=1"),
        &["look-alike"],
    );
}

#[test]
fn a_planted_value_or_signature_cannot_mask_a_good_pair() {
    let gate = keygrip_gate(json!({}));
    let (good, bad) = (sig("NEW", "e30="), sig("STRANGER", "evil"));
    let expected = pair("ORIGIN", "e30=");
    for header in [
        format!("sess=evil; sess.sig={bad}; sess=e30=; sess.sig={good}"),
        format!("sess.sig={bad}; sess=evil; sess=e30=; sess.sig={good}"),
        format!("sess=e30=; sess=evil; sess.sig={bad}; sess.sig={good}"),
    ] {
        let judged = judge(&gate, &header);
        assert_eq!(
            judged.action,
            Action::WithCookie(Some(expected.clone())),
            "{header}"
        );
        let mut verdicts = judged.verdicts;
        verdicts.sort();
        assert_eq!(verdicts, ["current NEW", "duplicate-dropped"], "{header}");
    }
    let planted: String = (0..400)
        .map(|n| format!("sess={n}; sess.sig={bad}; "))
        .collect();
    let header = format!("{planted}sess=e30=; sess.sig={good}");
    assert_eq!(forwarded(&gate, &header), None, "beyond 256 tries");
    let planted: String = (0..200).map(|_| format!("sess.sig={bad}; ")).collect();
    let header = format!("{planted}sess=e30=; sess.sig={good}");
    assert_eq!(forwarded(&gate, &header), Some(expected));
}

#[test]
fn two_good_values_each_go_on_with_their_own_signature() {
    let gate = gate(first_day(), [rule()]);
    let (a, b) = (sig("ORIGIN", "a"), sig("ORIGIN", "b"));
    let header = format!("sess=a; sess=b; sess.sig={b}; sess.sig={a}");
    let expected = format!("{}; {}", pair("ORIGIN", "a"), pair("ORIGIN", "b"));
    assert_sent(&gate, &header, Some(&expected), &["current ORIGIN"; 2]);
}

#[test]
fn on_a_bad_day_both_go_on_and_in_observe_not_a_byte_changes() {
    let forward = json!({"on_invalid": "forward", "unsafe_open": true});
    let header = format!("sess=evil; a=1; sess.sig={}", sig("STRANGER", "evil"));
    assert_as_it_came(&keygrip_gate(forward), &header, &["bad-signature"]);
    let observing = gate(first_day(), [with(rule(), json!({"mode": "observe"}))]);
    assert_as_it_came(&observing, &header, &["bad-signature"]);
    let alone = format!("sess.sig={}", sig("ORIGIN", "e30="));
    assert_as_it_came(&observing, &alone, &["malformed"]);
}

#[test]
fn a_rejection_deletes_both() {
    let gate = keygrip_gate(json!({"on_invalid": "reject"}));
    let judged = judge(&gate, "sess=evil");
    let Action::Reject(deletions) = judged.action else {
        panic!("{:?}", judged.action);
    };
    let names: Vec<&str> = deletions
        .iter()
        .map(|d| d.split('=').next().unwrap())
        .collect();
    assert_eq!(names, ["sess", "sess.sig"]);
    assert!(deletions.iter().all(|d| d.contains("Max-Age=0")));
}

#[test]
fn what_the_origin_sets_is_signed_anew_attributes_kept() {
    let gate = keygrip_gate(json!({}));
    let own = [
        "a=1; Path=/",
        "sess=e30=; path=/; httponly; secure; samesite=lax",
        &format!(
            "sess.sig={}; path=/; httponly; secure; samesite=lax",
            sig("ORIGIN", "e30=")
        ),
    ];
    let expected = [
        own[0],
        own[1],
        &format!(
            "sess.sig={}; path=/; httponly; secure; samesite=lax",
            sig("NEW", "e30=")
        ),
    ];
    assert_set(&gate, &own, &expected, &["sealed NEW"]);
    let turned = [own[2], own[1]];
    assert_set(&gate, &turned, &[expected[2], own[1]], &["sealed NEW"]);
}

#[test]
fn what_the_origin_sets_without_a_right_signature_passes_and_is_reported() {
    let gate = keygrip_gate(json!({}));
    let stranger = format!(
        "sess.sig={}; path=/; httponly; secure; samesite=lax",
        sig("STRANGER", "e30=")
    );
    let alone = format!(
        "sess.sig={}; path=/; httponly; secure; samesite=lax",
        sig("ORIGIN", "e30=")
    );
    for own in [
        vec!["sess=e30=; path=/; httponly; secure; samesite=lax"],
        vec![
            "sess=e30=; path=/; httponly; secure; samesite=lax",
            &stranger,
        ],
        vec![&alone],
    ] {
        assert_set(&gate, &own, &own, &["origin-unverified"]);
    }
}

/// `cookies` does so where a lesser one of its keys made the signature: a site in the middle of changing
/// its key, which has the new one in front before the Worker has.
#[test]
fn a_signature_that_the_origin_sends_again_alone_is_signed_anew() {
    let keys = json!({"current": "NEW", "fallbacks": ["OLD"],
        "origin": {"current": "ORIGIN", "fallbacks": ["NEXT_ORIGIN"]}});
    let again = format!(
        "sess.sig={}; path=/; httponly; secure; samesite=lax",
        sig("NEXT_ORIGIN", "e30=")
    );
    let answered = |rule, header: &str, again: &str| {
        let gate = gate(keys.clone(), [rule]);
        let judged = judge(&gate, header);
        let answer = answer_to(&gate, &judged.pending, &page(), &[again]);
        (words(&gate, &answer.events), answer.set_cookies)
    };
    let expected = format!(
        "sess.sig={}; path=/; httponly; secure; samesite=lax",
        sig("NEW", "e30=")
    );
    let (verdicts, sent) = answered(rule(), &pair("NEW", "e30="), &again);
    assert_eq!(verdicts, ["sealed NEW"]);
    assert_eq!(sent, Some(vec![expected.clone()]));
    // after a fallback it is half of the upgrade, whose other half is there already
    let (verdicts, sent) = answered(rule(), &pair("OLD", "e30="), &again);
    let withheld = "upgrade-withheld response-sets-cookie";
    assert_eq!(verdicts, ["sealed NEW", withheld]);
    assert_eq!(sent, Some(vec![expected]));
    // one cookie in the browser: it needs none
    let single = json!({"format": "django-signed-cookie", "origin": {"format": "keygrip"}});
    let value = signed(&signed_cookie("sess", ""), "NEW", "e30=");
    let (verdicts, sent) = answered(with(rule(), single), &format!("sess={value}"), &again);
    assert_eq!(verdicts, ["sealed NEW"]);
    assert_eq!(sent, Some(Vec::new()));
    // another value's
    let other = format!("sess.sig={}; path=/", sig("NEXT_ORIGIN", "e31="));
    let (verdicts, sent) = answered(rule(), &pair("NEW", "e30="), &other);
    assert_eq!(
        (verdicts, sent),
        (vec!["origin-unverified".to_owned()], None)
    );
}

#[test]
fn both_deletions_pass_and_each_gets_a_second_one_where_it_would_leave_a_twin() {
    let gate = keygrip_gate(json!({}));
    let gone = "expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly";
    let here = [
        format!("sess=; path=/; {gone}"),
        format!("sess.sig={}; path=/; {gone}", sig("ORIGIN", "")),
    ];
    let here: Vec<&str> = here.iter().map(String::as_str).collect();
    assert_set(&gate, &here, &here, &["deletion"]);
    let signed = format!("sess.sig={}; path=/", sig("ORIGIN", ""));
    let empty = ["sess=; path=/", &signed];
    assert_set(&gate, &empty, &empty, &["deletion"]);
    let there = [
        "sess=; path=/app; max-age=0",
        "sess.sig=x; path=/app; max-age=0",
    ];
    let sent = answer(&gate, &there).set_cookies.unwrap();
    let names: Vec<&str> = sent.iter().map(|s| s.split('=').next().unwrap()).collect();
    assert_eq!(names, ["sess", "sess", "sess.sig", "sess.sig"]);
    assert!(
        sent[1].contains("Path=/;") && sent[3].contains("Path=/;"),
        "{sent:?}"
    );
}

/// Else it would stay behind alone, and `reject` would turn the next visit into a 403.
#[test]
fn a_deletion_takes_a_signature_along_that_the_origin_knows_nothing_of() {
    let names_in = |gate: &Gate, set: &str| {
        let sent = answer(gate, &[set]).set_cookies.unwrap();
        let place = |header: &str| header.contains("Path=/;");
        let name = |header: &str| header.split('=').next().unwrap().to_owned();
        let all = sent.iter().map(|header| (name(header), place(header)));
        all.collect::<Vec<_>>()
    };
    let sess = |here| ("sess".to_owned(), here);
    let signature = |here| ("sess.sig".to_owned(), here);
    let left = json!({"format": "django-signed-cookie", "accept": [{"format": "keygrip"}]});
    for more in [wrapped(), left] {
        let gate = keygrip_gate(more);
        let here = names_in(&gate, "sess=; Path=/; Max-Age=0");
        assert_eq!(here, [sess(true), signature(true)]);
        let there = names_in(&gate, "sess=; Path=/app; Max-Age=0");
        let expected = [sess(false), sess(true), signature(false), signature(true)];
        assert_eq!(there, expected);
    }
}

#[test]
fn an_upgrade_sends_both() {
    let gate = keygrip_gate(json!({"attributes": "Path=/; HttpOnly; Max-Age=600"}));
    let judged = judge(&gate, &pair("OLD", "e30="));
    let answer = answer_to(&gate, &judged.pending, &page(), &[]);
    assert_eq!(words(&gate, &answer.events), ["upgraded NEW"]);
    let sent = answer.set_cookies.unwrap();
    let expected = [
        ("sess", "e30=".to_owned()),
        ("sess.sig", sig("NEW", "e30=")),
    ];
    assert_eq!(sent.len(), 2);
    for (header, (name, value)) in sent.iter().zip(expected) {
        let (found, its_value, attributes) = split_url(header);
        assert_eq!((found.as_str(), its_value), (name, value));
        assert_eq!(attributes, ["HttpOnly", "Max-Age=600", "Path=/"]);
    }
}

#[test]
fn no_upgrade_follows_the_deletion_of_a_signature() {
    let gate = keygrip_gate(json!({}));
    let judged = judge(&gate, &pair("OLD", "e30="));
    let gone = "sess.sig=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let answer = answer_to(&gate, &judged.pending, &page(), &[gone]);
    let withheld = "upgrade-withheld response-sets-cookie";
    assert_eq!(words(&gate, &answer.events), [withheld]);
    assert_eq!(answer.set_cookies, None);
}

#[test]
fn wrapped_the_signature_appears_on_the_way_out_and_goes_on_the_way_in() {
    let gate = keygrip_gate(wrapped());
    let signed = pair("NEW", "42");
    assert_sent(
        &gate,
        &format!("{signed}; a=1"),
        Some("sess=42; a=1"),
        &["current NEW"],
    );
    assert_sent(&gate, "sess=42; a=1", Some("a=1"), &["malformed"]);
    assert_set(
        &gate,
        &["sess=42; Path=/; HttpOnly; Secure; SameSite=Lax", "a=1"],
        &[
            "sess=42; Path=/; HttpOnly; Secure; SameSite=Lax",
            &format!(
                "sess.sig={}; Path=/; HttpOnly; Secure; SameSite=Lax",
                sig("NEW", "42")
            ),
            "a=1",
        ],
        &["sealed NEW"],
    );
    let gone = "Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax";
    assert_set(
        &gate,
        &[&format!("sess=; {gone}")],
        &[&format!("sess=; {gone}"), &format!("sess.sig=; {gone}")],
        &["deletion"],
    );
}

#[test]
fn a_pair_at_the_origin_can_be_one_cookie_in_the_browser() {
    let single = json!({"format": "django-signed-cookie", "origin": {"format": "keygrip"},
        "accept": [{"format": "keygrip"}], "max_age": null});
    let keys = json!({"current": "NEW", "fallbacks": [], "origin": "ORIGIN"});
    let rule = with(rule(), single);
    let problem = problems(&config(keys.clone(), [rule.clone()]));
    assert!(problem.is_empty(), "{}", told(&problem));
    let gate = gate(keys, [rule]);
    let value = signed(&signed_cookie("sess", ""), "NEW", "42");
    assert_sent(
        &gate,
        &format!("sess={value}; sess.sig=stale; a=1"),
        Some(&format!("{}; a=1", pair("ORIGIN", "42"))),
        &["current NEW"],
    );
    let own = [
        "sess=42; path=/; httponly; secure; samesite=lax",
        &format!(
            "sess.sig={}; path=/; httponly; secure; samesite=lax",
            sig("ORIGIN", "42")
        ),
    ];
    let answer = answer(&gate, &own);
    let sent = answer.set_cookies.unwrap();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with("sess=42:"), "{sent:?}");
    // the pair of the first days is upgraded, and its signature taken away
    let judged = judge(&gate, &pair("NEW", "42"));
    assert_eq!(judged.verdicts, ["accepted-format NEW"]);
    let sent = answer_to(&gate, &judged.pending, &page(), &[])
        .set_cookies
        .unwrap();
    assert!(sent[0].starts_with("sess=42:"), "{sent:?}");
    assert!(
        sent[1].starts_with("sess.sig=;") && sent[1].contains("Max-Age=0"),
        "{sent:?}"
    );
}

#[test]
fn the_signatures_name_is_managed_and_may_not_be_another_rules() {
    let other = json!({"name": "sess.sig", "format": "django-session", "attributes": ATTRIBUTES,
        "keys": {"current": "OLD", "fallbacks": [], "origin": "OLD"}});
    assert_refused(
        config(pinned(), [rule(), other]),
        "COUNTERSIGN.cookies[1].name",
        &["read it as the name of COUNTERSIGN.cookies[0]"],
    );
}
