//! R2: the current key first, then the fallbacks that are not past `until`; for each, the rule's format,
//! then `accept`.

use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Content};
use countersign_core::settings::{Problems, Table};
use serde_json::json;

use crate::django::{Hash, sessions};
use crate::support::*;

const UNTIL: &str = "2027-01-15T08:00:00Z"; // NOW

fn verdict(gate: &countersign_core::gate::Gate, value: &str) -> Vec<String> {
    judge(gate, &format!("sessionid={value}")).verdicts
}

fn ring(fallbacks: serde_json::Value) -> serde_json::Value {
    json!({"current": "NEW", "fallbacks": fallbacks, "origin": "ORIGIN"})
}

#[test]
fn the_verdict_names_the_key_that_verified() {
    let gate = gate(ring(json!(["OLD", "OLDER"])), [session_rule()]);
    assert_eq!(verdict(&gate, &session("NEW")), ["current NEW"]);
    assert_eq!(verdict(&gate, &session("OLD")), ["fallback OLD"]);
    assert_eq!(verdict(&gate, &session("OLDER")), ["fallback OLDER"]);
    assert_eq!(verdict(&gate, &session("STRANGER")), ["bad-signature"]);
}

#[test]
fn the_origin_key_opens_nothing_unless_it_is_in_the_ring() {
    let without = gate(ring(json!(["OLD"])), [session_rule()]);
    assert_eq!(verdict(&without, &session("ORIGIN")), ["bad-signature"]);
    let within = gate(ring(json!(["OLD", "ORIGIN"])), [session_rule()]);
    assert_eq!(verdict(&within, &session("ORIGIN")), ["fallback ORIGIN"]);
}

#[test]
fn the_current_key_is_tried_before_a_fallback_that_has_the_same_bytes() {
    let gate = gate(ring(json!(["NEW_TWIN"])), [session_rule()]);
    assert_eq!(verdict(&gate, &session("NEW")), ["current NEW"]);
}

#[test]
fn the_fallbacks_are_tried_in_their_order() {
    for (first, second) in [("OLD", "OLD_TWIN"), ("OLD_TWIN", "OLD")] {
        let gate = gate(ring(json!([first, second])), [session_rule()]);
        assert_eq!(
            verdict(&gate, &session("OLD")),
            [format!("fallback {first}")]
        );
    }
}

#[test]
fn a_format_of_accept_opens_under_every_key_of_the_ring() {
    let gate = session_gate(json!({"accept": [{"format": "django-session", "digest": "sha1"}]}));
    for key_name in ["NEW", "OLD"] {
        let value = signed(&sessions().with(Hash::Sha1), key_name, PAYLOAD);
        assert_eq!(
            verdict(&gate, &value),
            [format!("accepted-format {key_name}")]
        );
    }
    let value = signed(&sessions().with(Hash::Sha1), "STRANGER", PAYLOAD);
    assert_eq!(verdict(&gate, &value), ["bad-signature"]);
    let value = signed(&sessions().with(Hash::Sha512), "NEW", PAYLOAD);
    assert_eq!(
        verdict(&gate, &value),
        ["malformed"],
        "a digest that is not listed"
    );
}

#[test]
fn the_rules_format_is_tried_before_accept() {
    let gate = session_gate(json!({"accept": [{"format": "django-session"}]}));
    assert_eq!(verdict(&gate, &session("NEW")), ["current NEW"]);
    assert_eq!(verdict(&gate, &session("OLD")), ["fallback OLD"]);
}

#[test]
fn a_fallback_is_tried_until_its_last_second_and_not_from_until_on() {
    let gate = gate(
        ring(json!([{"secret": "OLD", "until": UNTIL}, "OLDER"])),
        [session_rule()],
    );
    let header = format!("sessionid={}", session_at("OLD", SIGNED));
    assert_eq!(judge_at(&gate, &header, NOW - 1).verdicts, ["fallback OLD"]);
    for past in [NOW, NOW + 1] {
        let judged = judge_at(&gate, &header, past);
        assert_eq!(judged.verdicts, ["bad-signature"]);
    }
    let header = format!("sessionid={}", session("OLDER"));
    let judged = judge_at(&gate, &header, NOW + 1);
    assert_eq!(judged.verdicts, ["fallback OLDER"], "the others go on");
}

#[test]
fn an_accepted_format_is_tried_until_its_last_second_and_not_from_until_on() {
    let gate = session_gate(json!({
        "accept": [{"format": "django-session", "digest": "sha1", "until": UNTIL}],
    }));
    let value = signed(&sessions().with(Hash::Sha1), "NEW", PAYLOAD);
    let header = format!("sessionid={value}");
    assert_eq!(
        judge_at(&gate, &header, NOW - 1).verdicts,
        ["accepted-format NEW"]
    );
    assert!(
        ["malformed".to_owned(), "bad-signature".to_owned()]
            .contains(&judge_at(&gate, &header, NOW).verdicts[0])
    );
}

#[test]
fn the_earlier_until_of_key_and_format_counts() {
    let (earlier, later) = ("2027-01-15T07:59:50Z", "2027-01-15T08:00:10Z");
    for (of_key, of_format) in [(earlier, later), (later, earlier)] {
        let gate = gate(
            ring(json!([{"secret": "OLD", "until": of_key}])),
            [with(
                session_rule(),
                json!({"accept": [{"format": "django-session", "digest": "sha1", "until": of_format}]}),
            )],
        );
        let value = signed(&sessions().with(Hash::Sha1), "OLD", PAYLOAD);
        let header = format!("sessionid={value}");
        assert_eq!(
            judge_at(&gate, &header, NOW - 11).verdicts,
            ["accepted-format OLD"]
        );
        assert_ne!(
            judge_at(&gate, &header, NOW - 10).verdicts,
            ["accepted-format OLD"]
        );
    }
}

#[test]
fn a_signed_time_may_be_300_seconds_ahead_and_no_more() {
    let gate = session_gate(json!({"max_age": 1_209_600}));
    for ahead in [1, 299, 300] {
        let value = session_at("NEW", NOW + ahead);
        assert_eq!(verdict(&gate, &value), ["current NEW"], "{ahead} s ahead");
    }
    for ahead in [301, 1_000_000, u64::MAX - NOW] {
        let value = session_at("NEW", NOW + ahead);
        assert_eq!(verdict(&gate, &value), ["not-yet-valid"], "{ahead} s ahead");
    }
}

#[test]
fn what_is_forged_is_a_bad_signature_even_where_its_time_is_ahead() {
    let gate = session_gate(json!({}));
    let value = django_forged_ahead();
    assert_eq!(
        verdict(&gate, &value),
        ["bad-signature"],
        "nothing is read before the MAC verifies"
    );
}

fn django_forged_ahead() -> String {
    sessions().sign(key("STRANGER"), ADMIN, NOW + 10_000)
}

/// A text as Rails signs it for a cookie of this name, with its purpose or without.
fn rails(key_name: &str, cookie: &str, purpose: bool) -> String {
    let (config, problems) = (
        json!({"format": "rails-signed", "purpose": purpose}),
        Problems::default(),
    );
    let format = formats::read(&mut Table::new("config", &config, &problems).unwrap());
    let key = Key::new(KeyId::parse(key_name).unwrap(), key(key_name).into_bytes());
    let keyed = format.unwrap().keyed(cookie, &key).unwrap();
    keyed.seal(&Content::of(&b"1"[..]), random).unwrap()
}

#[test]
fn a_rails_cookie_without_a_purpose_opens_where_accept_names_it_and_goes_on_with_one() {
    let strict = session_gate(json!({"format": "rails-signed"}));
    let accept = json!([{"format": "rails-signed", "purpose": false}]);
    let lenient = session_gate(json!({"format": "rails-signed", "accept": accept}));
    for key_name in ["NEW", "OLD"] {
        let bare = rails(key_name, "sessionid", false);
        assert_eq!(verdict(&strict, &bare), ["bad-signature"]);
        let expected = format!("sessionid={}", rails("ORIGIN", "sessionid", true));
        assert_sent(
            &lenient,
            &format!("sessionid={bare}"),
            Some(&expected),
            &[&format!("accepted-format {key_name}")],
        );
        let renamed = rails(key_name, "other", true);
        for gate in [&strict, &lenient] {
            assert_eq!(verdict(gate, &renamed), ["malformed"]);
        }
    }
}
