//! Compatibility (DESIGN, section 4): what may be live at once with what. Each case is a change that an
//! operator makes, and says what of it may be rolled out gradually and rolled back.

use countersign_core::config::Policy;
use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::crypto::{Digest, Mac};
use countersign_core::operations::capabilities::{Capabilities, Side};
use countersign_core::operations::compatibility::{Loss, Note, Why, losses, notes};
use serde_json::{Value, json};

use crate::support::*;

const FUTURE: &str = "2099-01-01T00:00:00Z";
/// Before [`NOW`].
const PAST: &str = "2020-01-01T00:00:00Z";
const PAST_SECONDS: u64 = 1_577_836_800;

fn fingerprint(key: &Key) -> Option<String> {
    let tag = Mac::new(Digest::Sha256, b"fingerprints").sign(&[key.bytes()]);
    Some(countersign_core::wire::encoding::base64url(&tag[..6]))
}

fn capabilities(config: &Value) -> Capabilities {
    capabilities_with(config, &secret, &fingerprint)
}

fn capabilities_with(
    config: &Value,
    secret: &dyn Fn(&str) -> Option<String>,
    fingerprint: &dyn Fn(&Key) -> Option<String>,
) -> Capabilities {
    match Policy::parse(config, secret) {
        Ok(policy) => Capabilities::of(&policy, fingerprint),
        Err(problems) => panic!("{config} is refused: {}", told(&problems)),
    }
}

fn session(keys: Value) -> Capabilities {
    session_with(keys, json!({}))
}

fn session_with(keys: Value, more: Value) -> Capabilities {
    capabilities(&config(keys, [with(session_rule(), more)]))
}

fn ring(current: &str, fallbacks: &[&str]) -> Value {
    json!({"current": current, "fallbacks": fallbacks, "origin": "ORIGIN"})
}

fn wrapped(more: Value) -> Capabilities {
    capabilities(&config(pinned(), [with(wrapped_rule(), more)]))
}

#[track_caller]
fn assert_compatible(a: &Capabilities, b: &Capabilities) {
    assert_eq!(losses(a, b, NOW), [], "forward");
    assert_eq!(losses(b, a, NOW), [], "back");
}

/// Asserts that what `a` seals does not open, for one reason, and that what `b` seals does.
#[track_caller]
fn assert_one_way(a: &Capabilities, b: &Capabilities, side: Side, key: Option<&str>, why: Why) {
    assert_loses(a, b, side, key, why);
    assert_eq!(losses(b, a, NOW), [], "the other way");
}

#[track_caller]
fn assert_loses(a: &Capabilities, b: &Capabilities, side: Side, key: Option<&str>, why: Why) {
    let found: Vec<(Side, Option<String>, Why)> = losses(a, b, NOW)
        .into_iter()
        .map(|loss| (loss.side, loss.key.map(|key| key.to_string()), loss.why))
        .collect();
    assert_eq!(found, [(side, key.map(str::to_owned), why)]);
}

#[test]
fn the_first_day_is_compatible_with_no_worker_whether_it_enforces_or_observes() {
    for mode in ["enforce", "observe"] {
        let first = session_with(first_day(), json!({"mode": mode}));
        assert_compatible(&first, &first.without_worker());
        assert_compatible(&first, &Capabilities::default());
    }
}

#[test]
fn each_step_of_a_rotation_is_compatible_with_the_one_before() {
    let steps = [
        session(ring("ORIGIN", &[])),
        session(ring("ORIGIN", &["NEW"])),
        session(ring("NEW", &["ORIGIN"])),
        session(ring("NEW", &[])),
    ];
    for pair in steps.windows(2) {
        assert_compatible(&pair[0], &pair[1]);
    }
}

#[test]
fn a_promotion_without_staging_loses_what_the_new_version_seals() {
    let (before, after) = (session(ring("OLD", &[])), session(ring("NEW", &["OLD"])));
    assert_one_way(&after, &before, Side::Browser, Some("NEW"), Why::NoSuchKey);
}

#[test]
fn rolling_back_across_a_promotion_loses_sessions() {
    let staged_before = session(ring("OLD", &[]));
    let retired = session(ring("NEW", &[]));
    assert_loses(
        &retired,
        &staged_before,
        Side::Browser,
        Some("NEW"),
        Why::NoSuchKey,
    );
    assert_loses(
        &staged_before,
        &retired,
        Side::Browser,
        Some("OLD"),
        Why::NoSuchKey,
    );
}

#[test]
fn a_rotated_ring_may_not_be_removed_before_it_is_rotated_back() {
    let rotated = session(ring("NEW", &["ORIGIN"]));
    let none = rotated.without_worker();
    assert_one_way(&rotated, &none, Side::Browser, Some("NEW"), Why::NoSuchKey);
    assert_compatible(&session(ring("ORIGIN", &["NEW"])), &none);
}

#[test]
fn a_new_rule_over_a_ring_that_has_left_the_origins_key_loses_what_the_origin_has_set() {
    let before = session(pinned());
    let theme =
        json!({"name": "theme", "format": "django-signed-cookie", "attributes": ATTRIBUTES});
    let after = capabilities(&config(pinned(), [session_rule(), theme]));
    for (a, b, key) in [(&before, &after, "ORIGIN"), (&after, &before, "NEW")] {
        let [loss] = &losses(a, b, NOW)[..] else {
            panic!("{:?}", losses(a, b, NOW));
        };
        assert_eq!((loss.rule.as_str(), loss.side), ("theme", Side::Browser));
        assert_eq!(loss.key.as_ref().map(KeyId::as_str), Some(key));
    }
}

#[test]
fn a_fallback_past_its_until_opens_nothing() {
    let with_until = |until: &str| {
        session(json!({
            "current": "NEW",
            "fallbacks": [{"secret": "OLD", "until": until}],
            "origin": "ORIGIN",
        }))
    };
    let before = session(ring("OLD", &["NEW"]));
    assert_compatible(&before, &with_until(FUTURE));
    let why = Why::Past(PAST_SECONDS);
    assert_one_way(&before, &with_until(PAST), Side::Browser, Some("OLD"), why);
    let ends = |after: &Capabilities| {
        let mut notes = notes(&before, after, NOW).into_iter();
        notes.any(|note| matches!(note, Note::Ends { .. }))
    };
    assert!(ends(&with_until(FUTURE)));
    assert!(!ends(&session(ring("NEW", &["OLD"]))));
}

#[test]
fn a_format_is_staged_through_accept() {
    let sha1 = json!({"digest": "sha1", "origin": {"format": "django-session", "digest": "sha1"}});
    let sha1_origin = json!({"origin": {"format": "django-session", "digest": "sha1"}});
    let accepting = |rule: Value, digest: &str| {
        let accept = json!({"accept": [{"format": "django-session", "digest": digest}]});
        session_with(pinned(), with(rule, accept))
    };
    let before = session_with(pinned(), sha1.clone());
    let staged = accepting(sha1, "sha256");
    let promoted = accepting(sha1_origin.clone(), "sha1");
    let retired = session_with(pinned(), sha1_origin);
    assert_compatible(&before, &staged);
    assert_compatible(&staged, &promoted);
    assert_compatible(&promoted, &retired);
    let why = Why::NoSuchFormat;
    assert_one_way(&promoted, &before, Side::Browser, Some("NEW"), why);
}

#[test]
fn a_format_that_is_accepted_until_a_time_past_does_not_open() {
    let sha1 = json!({"digest": "sha1", "origin": {"format": "django-session"}});
    let accept =
        |until: &str| json!([{"format": "django-session", "digest": "sha1", "until": until}]);
    let before = session_with(
        pinned(),
        with(sha1, json!({"accept": [{"format": "django-session"}]})),
    );
    let after = |until| session_with(pinned(), json!({"accept": accept(until)}));
    assert_compatible(&before, &after(FUTURE));
    let why = Why::Past(PAST_SECONDS);
    assert_one_way(&before, &after(PAST), Side::Browser, Some("NEW"), why);
}

#[test]
fn a_format_that_is_changed_with_the_origins_is_lost_on_both_sides() {
    let before = session_with(pinned(), json!({"digest": "sha1"}));
    let after = session_with(
        pinned(),
        json!({"accept": [{"format": "django-session", "digest": "sha1"}]}),
    );
    let why = Why::NoSuchFormat;
    assert_loses(&before, &after, Side::Origin, Some("ORIGIN"), why);
}

#[test]
fn an_option_that_says_the_default_changes_nothing() {
    let plain = session(pinned());
    let spelled = session_with(pinned(), json!({"digest": "sha256"}));
    assert_eq!(plain, spelled);
    let other = session_with(pinned(), json!({"digest": "sha1"}));
    assert_eq!(plain.rules[0].format.to_string(), "django-session");
    assert_eq!(
        other.rules[0].format.to_string(),
        r#"django-session (digest = "sha1")"#
    );
}

#[test]
fn a_label_for_one_more_key_leaves_the_format_of_the_others_as_it_was() {
    let labelled = |labels: Value, keys: Value| {
        let rule = json!({"name": "user", "format": "tornado", "key_version": labels, "attributes": ATTRIBUTES});
        capabilities(&config(
            keys,
            [with(rule, json!({"origin": {"format": "plain"}}))],
        ))
    };
    let before = labelled(json!({"OLD": 1}), ring("OLD", &[]));
    let staged = labelled(json!({"OLD": 1, "NEW": 2}), ring("OLD", &["NEW"]));
    let other = labelled(json!({"OLD": 2}), ring("OLD", &[]));
    assert_compatible(&before, &staged);
    assert_loses(
        &before,
        &other,
        Side::Browser,
        Some("OLD"),
        Why::NoSuchFormat,
    );
}

#[test]
fn a_key_id_with_new_bytes_is_another_key() {
    let (before, after) = (session(ring("NEW", &[])), session(ring("NEW", &[])));
    let other = |name: &str| secret(if name == "NEW" { "STRANGER" } else { name });
    let revoked = capabilities_with(
        &config(ring("NEW", &[]), [session_rule()]),
        &other,
        &fingerprint,
    );
    assert_compatible(&before, &after);
    for (a, b) in [(&before, &revoked), (&revoked, &before)] {
        assert_loses(a, b, Side::Browser, Some("NEW"), Why::OtherBytes);
    }
}

#[test]
fn a_key_under_another_name_is_the_same_key() {
    assert_compatible(&session(ring("NEW", &[])), &session(ring("NEW_TWIN", &[])));
}

#[test]
fn without_fingerprints_keys_go_by_their_names() {
    let unknown = |key_id: &str| {
        let config = config(ring(key_id, &[]), [session_rule()]);
        capabilities_with(&config, &secret, &|_| None)
    };
    assert_compatible(&session(ring("NEW", &[])), &unknown("NEW"));
    let why = Why::NoSuchKey;
    assert_loses(
        &unknown("NEW"),
        &session(ring("NEW_TWIN", &[])),
        Side::Browser,
        Some("NEW"),
        why,
    );
}

#[test]
fn a_rule_with_keys_of_its_own_is_judged_by_them() {
    let own = |current: &str, fallbacks: &[&str]| {
        let keys = json!({"keys": {"current": current, "fallbacks": fallbacks}});
        capabilities(&config(pinned(), [with(session_rule(), keys)]))
    };
    assert_compatible(&own("OLDER", &["STRANGER"]), &own("STRANGER", &["OLDER"]));
    let (a, b) = (own("OLDER", &[]), session(pinned()));
    assert_loses(&a, &b, Side::Browser, Some("OLDER"), Why::NoSuchKey);
}

#[test]
fn an_origin_that_changes_its_key_is_followed_in_two_steps() {
    let origin = |origin: Value| session(json!({"current": "NEW", "origin": origin}));
    let before = origin(json!("ORIGIN"));
    let staged = origin(json!({"current": "ORIGIN", "fallbacks": ["NEXT_ORIGIN"]}));
    let promoted = origin(json!({"current": "NEXT_ORIGIN", "fallbacks": ["ORIGIN"]}));
    let after = origin(json!("NEXT_ORIGIN"));
    for (a, b) in [
        (&before, &staged),
        (&staged, &promoted),
        (&promoted, &after),
    ] {
        assert_compatible(a, b);
    }
    let why = Why::NoSuchKey;
    assert_one_way(&promoted, &before, Side::Origin, Some("NEXT_ORIGIN"), why);
}

#[test]
fn wrapping_is_staged_by_a_rule_that_seals_nothing() {
    let none = Capabilities::default();
    let unsealed = wrapped(json!({
        "format": "plain",
        "accept": [{"format": "django-signed-cookie"}],
    }));
    let adopting = wrapped(json!({
        "max_age": 600,
        "accept": [{"format": "plain", "until": FUTURE}],
    }));
    let sealed = wrapped(json!({}));
    assert_compatible(&none, &unsealed);
    assert_compatible(&unsealed, &adopting);
    assert_compatible(&adopting, &sealed);
    assert_one_way(&unsealed, &sealed, Side::Browser, None, Why::Unsigned);
    assert_loses(&sealed, &none, Side::Browser, Some("NEW"), Why::NoSuchKey);
    assert_loses(&none, &sealed, Side::Browser, None, Why::Unsigned);
}

#[test]
fn a_window_of_adoption_that_has_ended_adopts_nothing() {
    let adopting = wrapped(json!({
        "max_age": 600,
        "accept": [{"format": "plain", "until": PAST}],
    }));
    let why = Why::Past(PAST_SECONDS);
    assert_loses(
        &Capabilities::default(),
        &adopting,
        Side::Browser,
        None,
        why,
    );
}

#[test]
fn what_a_rule_that_only_observes_would_unwrap_is_not_unwrapped() {
    let observing = wrapped(json!({
        "mode": "observe",
        "format": "plain",
        "accept": [{"format": "django-signed-cookie"}],
    }));
    assert_compatible(&observing, &Capabilities::default());
    let sealed = wrapped(json!({}));
    assert_loses(
        &sealed,
        &observing,
        Side::Browser,
        Some("NEW"),
        Why::NoSuchKey,
    );
}

#[test]
fn a_pair_is_known_by_its_format() {
    let rule = |more: Value| {
        let rule = json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES});
        capabilities(&config(pinned(), [with(rule, more)]))
    };
    assert_compatible(&rule(json!({})), &rule(json!({"digest": "sha1"})));
    let origin = json!({"format": "keygrip"});
    let after = rule(json!({"digest": "sha256", "origin": origin}));
    assert_loses(
        &rule(json!({})),
        &after,
        Side::Browser,
        Some("NEW"),
        Why::NoSuchFormat,
    );
}

#[test]
fn a_name_that_is_spelled_otherwise_loses_the_cookie_to_rule_r7() {
    let named = |name: &str| {
        capabilities(&config(
            first_day(),
            [with(session_rule(), json!({"name": name}))],
        ))
    };
    let why = Why::LookAlike("session_id".to_owned());
    let found: Vec<Why> = losses(&named("session.id"), &named("session_id"), NOW)
        .into_iter()
        .map(|loss| loss.why)
        .collect();
    assert_eq!(found, [why]);
    assert_compatible(&named("session.id"), &named("sessionid"));
}

#[test]
fn a_shorter_max_age_is_no_loss_and_is_told() {
    let aged = |max_age: u64| session_with(pinned(), json!({"max_age": max_age}));
    assert_compatible(&aged(1000), &aged(600));
    let rule = "sessionid".to_owned();
    let younger = Note::Younger {
        rule,
        from: Some(1000),
        to: 600,
    };
    assert_eq!(notes(&aged(1000), &aged(600), NOW), [younger]);
    assert_eq!(notes(&aged(600), &aged(1000), NOW), []);
}

#[test]
fn a_format_that_wraps_fewer_values_is_no_loss_and_is_told() {
    let narrower = |from: &Capabilities, to: &Capabilities| {
        let found = notes(from, to, NOW).into_iter();
        let narrower: Vec<Note> = found
            .filter(|note| matches!(note, Note::Narrower { .. }))
            .collect();
        narrower
    };
    let expected = [Note::Narrower {
        rule: "user_id".to_owned(),
        format: "django-signed-cookie".to_owned(),
    }];
    let sealed = json!({"format": "sealed", "accept": [{"format": "django-signed-cookie"}]});
    let sealed = wrapped(sealed);
    let octets = wrapped(json!({"accept": [{"format": "sealed"}]}));
    let observing = wrapped(
        json!({"format": "plain", "mode": "observe", "accept": [{"format": "django-signed-cookie"}]}),
    );
    assert_compatible(&sealed, &octets);
    assert_eq!(narrower(&sealed, &octets), expected);
    assert_eq!(narrower(&sealed.without_worker(), &octets), expected);
    assert_eq!(narrower(&observing, &octets), expected);
    for (from, to) in [
        (&octets, &sealed),
        (&octets, &octets),
        (&sealed, &sealed),
        (&octets, &octets.without_worker()),
        (&sealed, &observing),
    ] {
        assert_eq!(narrower(from, to), []);
    }
    // what the origin signs itself may hold anything
    let signed = json!({"origin": null, "accept": [{"format": "sealed"}]});
    assert_eq!(narrower(&sealed, &wrapped(signed)), []);
    assert_eq!(
        expected[0].to_string(),
        "user_id: django-signed-cookie wraps cookie-octets only (RFC 6265): what the site sets with a space, a comma, a double quote, a backslash or text beyond ASCII in it, or empty, is not carried"
    );
}

#[test]
fn what_opened_and_is_opened_no_longer_is_told() {
    let found = notes(&session(pinned()), &session(ring("NEW", &[])), NOW);
    assert_eq!(
        found.iter().map(Note::to_string).collect::<Vec<_>>(),
        ["sessionid: what is left in django-session under OLD opens no longer"]
    );
}

#[test]
fn what_opens_anew_is_told_whether_it_is_staged_or_back_from_a_revocation() {
    let opens = |from: &Capabilities, to: &Capabilities| -> Vec<String> {
        let notes = notes(from, to, NOW);
        notes.iter().map(ToString::to_string).collect()
    };
    let (alone, with_old) = (session(ring("NEW", &[])), session(ring("NEW", &["OLD"])));
    assert_eq!(
        opens(&alone, &with_old),
        ["sessionid: what OLD signs opens from now on"]
    );
    let twin = session(ring("NEW", &["NEW_TWIN"]));
    assert_eq!(opens(&alone, &twin), [""; 0], "the same bytes");
    let past = json!({"secret": "OLD", "until": PAST});
    let past = session(json!({"current": "NEW", "fallbacks": [past], "origin": "ORIGIN"}));
    assert_eq!(opens(&alone, &past), [""; 0], "it opens nothing");
}

#[test]
fn an_outline_holds_no_key() {
    let capabilities = format!("{:?}", session(ring("NEW", &["OLD"])));
    for (_, key) in SECRETS.iter().filter(|(_, key)| !key.is_empty()) {
        assert!(!capabilities.contains(key), "{capabilities}");
    }
}

#[test]
fn a_secret_that_is_read_in_another_encoding_is_another_key() {
    let hex = |_: &str| Some("0123456789abcdef".repeat(6));
    let of = |encoding: &str| {
        let current = json!({"secret": "NEW", "encoding": encoding});
        let keys = json!({"current": current, "origin": "ORIGIN"});
        capabilities_with(&config(keys, [session_rule()]), &hex, &|_| None)
    };
    assert_compatible(&of("hex"), &of("hex"));
    let why = Why::OtherBytes;
    assert_loses(&of("hex"), &of("utf8"), Side::Browser, Some("NEW"), why);
}

#[test]
fn a_time_reads_as_it_is_written_in_a_configuration() {
    assert!(Why::Past(PAST_SECONDS).to_string().contains(PAST));
}

#[test]
fn a_loss_reads_as_a_sentence() {
    let found: Vec<String> = losses(&session(pinned()), &Capabilities::default(), NOW)
        .iter()
        .map(Loss::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "sessionid: what is sealed for browsers in django-session under NEW does not open: the key is not among those that open"
        ]
    );
}

#[test]
fn less_leeway_is_no_loss_and_is_told() {
    let lenient = |leeway: u64| {
        let rule =
            json!({"name": "token", "format": "jwt", "attributes": ATTRIBUTES, "leeway": leeway});
        capabilities(&config(pinned(), [rule]))
    };
    assert_compatible(&lenient(300), &lenient(0));
    let found = notes(&lenient(300), &lenient(15), NOW);
    assert_eq!(
        found.iter().map(Note::to_string).collect::<Vec<_>>(),
        ["token: an expiry may have passed 15 seconds ago, no longer 5 minutes"]
    );
    assert_eq!(notes(&lenient(15), &lenient(300), NOW), []);
    let without = capabilities(&json!({"keys": pinned(), "cookies": [session_rule()]}));
    assert_eq!(notes(&without, &without, NOW), []);
}
