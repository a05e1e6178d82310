//! C4: two rules whose names are look-alikes of each other are refused.

use serde_json::{Value, json};

use crate::support::*;

fn two(a: &str, b: &str) -> Value {
    let rule =
        |name: &str| json!({"name": name, "format": "django-session", "attributes": ATTRIBUTES});
    config(pinned(), [rule(a), rule(b)])
}

#[test]
fn names_that_some_parser_takes_for_each_other_are_refused() {
    for (a, b) in [
        ("sessionid", "SessionID"),
        ("user_id", "user.id"),
        ("user_id", "user+id"),
        ("sid", "__sid"),
        ("sid", "sid-"),
        ("sid", "s%69d"),
        ("connect.sid", "connect_sid"),
    ] {
        for (a, b) in [(a, b), (b, a)] {
            assert_refused(
                two(a, b),
                "COUNTERSIGN.cookies[1].name",
                &["COUNTERSIGN.cookies[0]"],
            );
        }
    }
}

#[test]
fn the_same_name_twice_is_refused() {
    let config = two("sessionid", "sessionid");
    assert_refused(
        config,
        "COUNTERSIGN.cookies[1].name",
        &["COUNTERSIGN.cookies[0]"],
    );
}

#[test]
fn names_that_merely_share_a_part_stand() {
    for (a, b) in [
        ("sessionid", "sessionid2"),
        ("sessionid", "session"),
        ("sessionid", "session_id"),
        ("sid", "__Host-sid"),
        ("user_id", "user-id"),
        ("a", "b"),
    ] {
        assert_accepted(two(a, b));
        assert_accepted(two(b, a));
    }
}

#[test]
fn look_alikes_that_are_forwarded_are_refused_all_the_same() {
    let mut config = two("sessionid", "SessionID");
    for rule in config["cookies"].as_array_mut().unwrap() {
        rule["look_alikes"] = "forward".into();
    }
    assert_refused(config, "COUNTERSIGN.cookies[1].name", &[]);
}
