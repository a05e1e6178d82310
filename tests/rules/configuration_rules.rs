//! The entries of `cookies`: fields, formats, and the conditions under which `plain` may be accepted.

use serde_json::{Value, json};

use crate::support::*;

const UNTIL: &str = "2027-02-01T00:00:00Z";

fn with_rule(more: Value) -> Value {
    config(pinned(), [with(session_rule(), more)])
}

#[track_caller]
fn assert_rule_refused(more: Value, field: &str, words: &[&str]) {
    assert_refused(
        with_rule(more),
        &format!("COUNTERSIGN.cookies[0].{field}"),
        words,
    );
}

#[test]
fn every_field_of_a_rule_is_known() {
    assert_accepted(config(
        json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"}),
        [json!({
            "name": "sessionid", "format": "django-session", "digest": "sha256",
            "accept": [{"format": "django-session", "digest": "sha1", "until": UNTIL}],
            "origin": {"format": "django-session", "digest": "sha512"},
            "max_age": 1_209_600, "attributes": ATTRIBUTES, "upgrade": "navigation",
            "on_invalid": "forward", "look_alikes": "forward", "mode": "enforce", "unsafe_open": false,
            "keys": {"fallbacks": ["ORIGIN", "OLD"]},
        })],
    ));
}

#[test]
fn every_word_of_a_rule_is_known() {
    for (field, words) in [
        ("upgrade", vec!["navigation", "always", "never"]),
        ("on_invalid", vec!["strip", "reject"]),
        ("look_alikes", vec!["drop", "forward"]),
        ("mode", vec!["enforce"]),
        ("digest", vec!["sha1", "sha256", "sha384", "sha512"]),
    ] {
        for word in &words {
            assert_accepted(with_rule(json!({field: word})));
        }
        assert_rule_refused(json!({field: "other"}), field, &["unknown value", words[0]]);
        assert_rule_refused(json!({field: 1}), field, &["text"]);
    }
}

#[test]
fn name_and_format_are_required() {
    assert_rule_refused(json!({"name": null}), "name", &["missing"]);
    assert_rule_refused(json!({"format": null}), "format", &["missing"]);
    assert_rule_refused(json!({"name": 1}), "name", &["text"]);
    assert_rule_refused(json!({"format": ["django-session"]}), "format", &["text"]);
}

#[test]
fn a_name_that_no_cookie_can_have_is_refused() {
    for name in [
        "", "a b", "a;b", "a=b", "a,b", "a\"b", "é", "a\u{1}", "a[b]", "a(b", "$Version", "-",
        "___",
    ] {
        assert_rule_refused(json!({"name": name}), "name", &[]);
    }
    for name in [
        "s",
        "sessionid",
        "__Host-sid",
        "connect.sid",
        "a%62",
        "a!#$%&'*+-.^_`|~z",
        "9",
    ] {
        assert_accepted(with_rule(json!({"name": name})));
    }
}

#[test]
fn an_unknown_format_is_refused_wherever_it_stands() {
    let cure = "did you mean \"django-session\"?";
    assert_rule_refused(
        json!({"format": "djangosession"}),
        "format",
        &["unknown format", cure],
    );
    assert_rule_refused(
        json!({"accept": [{"format": "django-sesion"}]}),
        "accept[0].format",
        &[cure],
    );
    assert_rule_refused(
        json!({"origin": {"format": "django_session"}}),
        "origin.format",
        &[cure],
    );
    assert_rule_refused(
        json!({"format": "rot13"}),
        "format",
        &["unknown format", "django-session", "plain"],
    );
    assert_rule_refused(json!({"origin": {}}), "origin.format", &["missing"]);
    assert_rule_refused(json!({"accept": [{}]}), "accept[0].format", &["missing"]);
    assert_rule_refused(json!({"origin": "plain"}), "origin", &["table"]);
    assert_rule_refused(json!({"accept": ["plain"]}), "accept[0]", &["table"]);
}

#[test]
fn an_option_of_another_format_is_refused() {
    assert_rule_refused(json!({"salt": "s"}), "salt", &["unknown field"]);
    assert_rule_refused(json!({"scheme": "v1"}), "scheme", &["unknown field"]);
    assert_rule_refused(json!({"layout": "hash"}), "layout", &["unknown field"]);
    assert_rule_refused(
        json!({"format": "django-messages", "layout": "json"}),
        "layout",
        &["\"hash\""],
    );
    let cookie = |more: Value| with(json!({"format": "django-signed-cookie"}), more);
    assert_rule_refused(cookie(json!({"scheme": "v3"})), "scheme", &["\"v3\""]);
    assert_rule_refused(cookie(json!({"salt": 1})), "salt", &["text"]);
    assert_rule_refused(cookie(json!({"sep": "."})), "sep", &["unknown field"]);
    let signer = |more: Value| with(json!({"format": "django-signer"}), more);
    assert_accepted(with_rule(signer(
        json!({"salt": "s", "sep": ".", "timestamp": false, "digest": "sha1"}),
    )));
    assert_rule_refused(
        signer(json!({"timestamp": "no"})),
        "timestamp",
        &["true or false"],
    );
    for sep in ["", "-", "_", "a", "="] {
        assert_rule_refused(signer(json!({"sep": sep})), "sep", &[]);
    }
}

#[test]
fn max_age_is_a_whole_number_of_seconds() {
    assert_rule_refused(json!({"max_age": 0}), "max_age", &["refuses every cookie"]);
    for max_age in [json!(1), json!(600), json!(600.0)] {
        assert_accepted(with_rule(json!({"max_age": max_age})));
    }
    for max_age in [
        json!(-1),
        json!(1.5),
        json!("600"),
        json!(true),
        json!(1e300),
    ] {
        assert_rule_refused(json!({"max_age": max_age}), "max_age", &["whole number"]);
    }
}

#[test]
fn a_duration_is_accepted_where_seconds_are() {
    for (field, value) in [("max_age", "31d"), ("max_age", "2w"), ("max_age", "90m")] {
        assert_accepted(with_rule(json!({ field: value })));
    }
    for value in [
        "31",
        "31y",
        "d",
        "-1d",
        "1.5d",
        "31 d",
        "99999999999999999999d",
    ] {
        assert_rule_refused(json!({"max_age": value}), "max_age", &["14d"]);
    }
    assert_rule_refused(
        json!({"max_age": "0d"}),
        "max_age",
        &["refuses every cookie"],
    );
    assert_rule_refused(
        json!({"leeway": "2h"}),
        "leeway",
        &["more than 3600 seconds"],
    );
}

#[test]
fn max_age_is_refused_where_the_format_carries_no_time() {
    for format in [
        json!({"format": "django-signer", "timestamp": false}),
        json!({"format": "django-messages", "layout": "hash"}),
    ] {
        assert_accepted(with_rule(format.clone()));
        let config = with_rule(with(format, json!({"max_age": 600})));
        let problems = problems(&config);
        assert!(
            problems
                .iter()
                .any(|p| p.path.starts_with("COUNTERSIGN.cookies[0].")
                    && p.text().contains("max_age")),
            "{}",
            told(&problems)
        );
    }
    assert_accepted(with_rule(
        json!({"format": "django-signer", "max_age": 600}),
    ));
}

#[test]
fn attributes_are_needed_unless_no_upgrade_is_ever_sent() {
    assert_rule_refused(
        json!({"attributes": null}),
        "attributes",
        &["missing", "upgrade = \"never\""],
    );
    for upgrade in ["navigation", "always"] {
        assert_rule_refused(
            json!({"attributes": null, "upgrade": upgrade}),
            "attributes",
            &["missing"],
        );
    }
    assert_accepted(with_rule(json!({"attributes": null, "upgrade": "never"})));
    for text in ["Path=/\r\nSet-Cookie: a=b", "Path=/\u{0}", "Path=/é"] {
        assert_rule_refused(json!({"attributes": text}), "attributes", &[]);
    }
}

#[test]
fn attributes_of_an_upgrade_have_a_path_and_no_fixed_date() {
    const DATE: &str = "Expires=Fri, 31 Dec 2099 23:59:59 GMT";
    let refused = |text: &str, upgrade: &str, words: &[&str]| {
        let more = json!({"attributes": text, "upgrade": upgrade});
        assert_rule_refused(more, "attributes", words);
    };
    for upgrade in ["navigation", "always"] {
        for text in [
            "",
            "HttpOnly; Secure",
            "Path",
            "Path=",
            "Path=app",
            "Path=\"/\"",
            "Path=/; Path=app",
            "Domain=example.com; xPath=/",
        ] {
            refused(text, upgrade, &["Path=/"]);
        }
        for text in [
            format!("Path=/; {DATE}"),
            format!("Path=/; {DATE}; Max-Age=60"),
            "Path=/; expires".to_owned(),
            "EXPIRES = soon;Path=/".to_owned(),
        ] {
            refused(&text, upgrade, &["Expires", "Max-Age=1209600"]);
        }
        let both = with_rule(json!({"attributes": DATE, "upgrade": upgrade}));
        assert_eq!(problems(&both).len(), 2, "each is told");
        for text in ["Path=/", "path=/app/; Secure", "Path=x; Path = /"] {
            assert_accepted(with_rule(json!({"attributes": text, "upgrade": upgrade})));
        }
    }
    for text in ["", "HttpOnly", DATE] {
        assert_accepted(with_rule(json!({"attributes": text, "upgrade": "never"})));
    }
}

#[test]
fn payloads_that_serialise_differently_cannot_be_carried_over() {
    for origin in ["django-messages", "django-signed-cookie", "plain"] {
        let config = with_rule(json!({"origin": {"format": origin}}));
        assert!(!problems(&config).is_empty(), "{origin}");
    }
    assert_rule_refused(
        json!({"accept": [{"format": "django-messages"}]}),
        "accept[0]",
        &["origin"],
    );
}

mod plain {
    use super::*;

    fn wrapped(more: Value) -> Value {
        config(pinned(), [with(wrapped_rule(), more)])
    }

    fn adopts() -> Value {
        json!({"accept": [{"format": "plain", "until": UNTIL}], "max_age": 1_209_600})
    }

    #[test]
    fn it_may_be_accepted_with_until_a_time_and_max_age() {
        assert_accepted(wrapped(adopts()));
    }

    #[test]
    fn it_may_not_be_accepted_for_ever() {
        let for_ever = with(adopts(), json!({"accept": [{"format": "plain"}]}));
        assert_refused(
            wrapped(for_ever),
            "COUNTERSIGN.cookies[0].accept[0].until",
            &["missing"],
        );
    }

    #[test]
    fn it_may_not_be_accepted_without_max_age() {
        let ageless = with(adopts(), json!({"max_age": null}));
        assert_refused(
            wrapped(ageless),
            "COUNTERSIGN.cookies[0].accept",
            &["max_age"],
        );
    }

    #[test]
    fn it_may_not_be_accepted_beside_a_format_without_a_time() {
        let untimed = json!({
            "name": "a", "format": "django-signer", "timestamp": false, "attributes": ATTRIBUTES,
        });
        let config = config(
            pinned(),
            [with(with(untimed, adopts()), json!({"max_age": null}))],
        );
        assert_refused(config, "COUNTERSIGN.cookies[0].accept", &["time"]);
    }

    #[test]
    fn it_may_not_be_accepted_where_the_worker_would_sign_it_for_the_origin() {
        let signs = with(
            adopts(),
            json!({"origin": {"format": "django-signed-cookie"}}),
        );
        assert_refused(wrapped(signs), "COUNTERSIGN.cookies[0].accept", &["plain"]);
    }

    #[test]
    fn it_is_a_format_only_where_the_origin_reads_it() {
        let unsealed = json!({"format": "plain", "accept": [{"format": "django-signed-cookie"}]});
        assert_accepted(wrapped(unsealed));
        assert_accepted(wrapped(json!({"format": "plain"})));
        let signs = json!({"format": "plain", "origin": {"format": "django-signed-cookie"}});
        assert_refused(
            wrapped(signs),
            "COUNTERSIGN.cookies[0].format",
            &["plain", "origin"],
        );
        assert_accepted(wrapped(json!({"format": "plain", "origin": null})));
    }

    #[test]
    fn it_has_no_options() {
        let origin = json!({"origin": {"format": "plain", "digest": "sha1"}});
        assert_refused(
            wrapped(origin),
            "COUNTERSIGN.cookies[0].origin.digest",
            &["unknown field"],
        );
    }
}
