//! C2: `observe` stands only where the origin reads what browsers hold, and `forward` only where the
//! origin still refuses what is forged.

use countersign_core::config::Policy;
use serde_json::{Value, json};

use crate::support::*;

const MODE: &str = "COUNTERSIGN.cookies[0].mode";
const ON_INVALID: &str = "COUNTERSIGN.cookies[0].on_invalid";

/// A configuration that observes, by the rule's own mode and by the global one.
fn observing(keys: Value, rule: Value) -> [Value; 2] {
    [
        config(
            keys.clone(),
            [with(rule.clone(), json!({"mode": "observe"}))],
        ),
        with(config(keys, [rule]), json!({"mode": "observe"})),
    ]
}

#[test]
fn observe_stands_where_current_key_and_format_are_the_origins() {
    for keys in [
        first_day(),
        json!({"current": "ORIGIN", "fallbacks": ["OLD", "NEW"], "origin": "ORIGIN"}),
        json!({"current": "NEW", "origin": "NEW_TWIN"}),
        json!({"current": "ORIGIN", "origin": {"current": "ORIGIN", "fallbacks": ["OLD"]}}),
    ] {
        for config in observing(keys, session_rule()) {
            assert_accepted(config);
        }
    }
    let same = with(
        session_rule(),
        json!({"origin": {"format": "django-session", "digest": "sha256"}}),
    );
    for config in observing(first_day(), same) {
        assert_accepted(config);
    }
}

#[test]
fn observe_is_refused_where_the_current_key_is_another() {
    for keys in [
        pinned(),
        json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"}),
        json!({"current": "ORIGIN", "origin": {"current": "NEXT_ORIGIN", "fallbacks": ["ORIGIN"]}}),
    ] {
        for config in observing(keys, session_rule()) {
            assert_refused(config, MODE, &["observe", "origin"]);
        }
    }
}

#[test]
fn observe_is_refused_where_the_format_is_another() {
    let rule = with(
        session_rule(),
        json!({"origin": {"format": "django-session", "digest": "sha1"}}),
    );
    for config in observing(first_day(), rule) {
        assert_refused(config, MODE, &["observe"]);
    }
    for config in observing(first_day(), wrapped_rule()) {
        assert_refused(config, MODE, &["observe"]);
    }
}

#[test]
fn observe_stands_where_nothing_has_been_sealed_yet() {
    let unsealed = with(
        wrapped_rule(),
        json!({"format": "plain", "accept": [{"format": "django-signed-cookie"}]}),
    );
    for config in observing(pinned(), unsealed) {
        assert_accepted(config);
    }
}

/// Whether traffic passes where the rules only observe, by the global mode and by their own as well.
#[track_caller]
fn assert_passes(keys: Value, rule: Value, passes: bool) {
    let observes = json!({"mode": "observe"});
    for rule in [rule.clone(), with(rule, observes.clone())] {
        let config = with(config(keys.clone(), [rule]), observes.clone());
        let problems = problems(&config);
        assert!(!problems.is_empty(), "{config} is right");
        assert_eq!(
            Policy::passes_when_wrong(&config, &problems),
            passes,
            "{config}:\n{}",
            told(&problems)
        );
    }
}

#[test]
fn nothing_passes_in_observe_once_the_ring_has_moved() {
    let other_format = json!({"origin": {"format": "django-session", "digest": "sha1"}});
    assert_passes(pinned(), session_rule(), false);
    assert_passes(first_day(), with(session_rule(), other_format), false);
    assert_passes(first_day(), wrapped_rule(), false);
    // by their names, where secrets are missing
    let unset = json!({"current": "NOT_SET", "origin": "ORIGIN"});
    assert_passes(unset, session_rule(), false);
    let unset = json!({"current": "NOT_SET", "origin": "NOR_THIS"});
    assert_passes(unset, session_rule(), false);
}

#[test]
fn a_second_mistake_does_not_open_what_a_moved_ring_closes() {
    for more in [
        json!({"format": "djnago-session"}),
        json!({"format": null}),
        json!({"name": ""}),
        json!({"attributes": 1}),
        json!({"max_age": "x"}),
        json!({"accept": [{"format": "x"}]}),
        json!({"origin": {"format": "x"}}),
        json!({"x": 1}),
    ] {
        assert_passes(pinned(), with(session_rule(), more), false);
    }
    let bad_fallback = with(pinned(), json!({"fallbacks": ["not a key id"]}));
    assert_passes(bad_fallback, session_rule(), false);
}

#[test]
fn every_other_wrong_configuration_passes_in_observe() {
    for more in [
        json!({"format": "djnago-session"}),
        json!({"attributes": null}),
        json!({"attributes": "HttpOnly; Secure"}),
        json!({"on_invalid": "x"}),
        json!({"max_age": 0}),
        json!({"x": 1}),
    ] {
        assert_passes(first_day(), with(session_rule(), more), true);
    }
    let unset = json!({"current": "NOT_SET", "origin": "NOT_SET"});
    assert_passes(unset, session_rule(), true);
    assert_passes(json!({"current": "ORIGIN"}), session_rule(), true);
    let unread = with(wrapped_rule(), json!({"format": "plian"}));
    assert_passes(pinned(), unread, true);
}

#[test]
fn a_rule_may_enforce_under_a_global_observe() {
    let rule = with(session_rule(), json!({"mode": "enforce"}));
    assert_accepted(with(config(pinned(), [rule]), json!({"mode": "observe"})));
}

#[test]
fn forward_stands_where_the_origin_key_is_in_the_ring() {
    let forward = with(session_rule(), json!({"on_invalid": "forward"}));
    for keys in [
        first_day(),
        json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"}),
        json!({"current": "NEW", "fallbacks": ["OLD"], "origin": "OLD_TWIN"}),
    ] {
        assert_accepted(config(keys, [forward.clone()]));
    }
}

#[test]
fn forward_is_refused_where_the_origin_key_is_not_in_the_ring() {
    let forward = with(session_rule(), json!({"on_invalid": "forward"}));
    let config = config(pinned(), [forward]);
    assert_refused(config, ON_INVALID, &["forward", "unsafe_open = true"]);
}

#[test]
fn forward_is_refused_where_any_key_that_the_origin_verifies_with_is_not_in_the_ring() {
    let forward = with(session_rule(), json!({"on_invalid": "forward"}));
    let origin = json!({"current": "NEXT_ORIGIN", "fallbacks": ["ORIGIN"]});
    for (fallbacks, is_accepted) in [
        (json!(["NEXT_ORIGIN", "ORIGIN"]), true),
        (json!(["NEXT_ORIGIN"]), false),
        (json!(["ORIGIN"]), false),
    ] {
        let keys = json!({"current": "NEW", "fallbacks": fallbacks, "origin": origin});
        let config = config(keys, [forward.clone()]);
        if is_accepted {
            assert_accepted(config)
        } else {
            assert_refused(config, ON_INVALID, &["unsafe_open = true"])
        }
    }
}

#[test]
fn forward_is_refused_where_the_origin_is_plain() {
    let forward = with(wrapped_rule(), json!({"on_invalid": "forward"}));
    for keys in [pinned(), first_day()] {
        let config = config(keys, [forward.clone()]);
        assert_refused(
            config,
            ON_INVALID,
            &["forward", "plain", "unsafe_open = true"],
        );
    }
}

#[test]
fn unsafe_open_lets_forward_stand() {
    let open = json!({"on_invalid": "forward", "unsafe_open": true});
    for rule in [session_rule(), wrapped_rule()] {
        assert_accepted(config(pinned(), [with(rule.clone(), open.clone())]));
        let closed = with(open.clone(), json!({"unsafe_open": false}));
        assert_refused(
            config(pinned(), [with(rule, closed)]),
            ON_INVALID,
            &["unsafe_open"],
        );
    }
}

#[test]
fn strip_and_reject_stand_anywhere() {
    for on_invalid in ["strip", "reject"] {
        for rule in [session_rule(), wrapped_rule()] {
            assert_accepted(config(
                pinned(),
                [with(rule, json!({"on_invalid": on_invalid}))],
            ));
        }
    }
}
