//! What cannot be read as a configuration is refused, every problem at once, each with its path and a
//! cure; and when traffic passes all the same.

use countersign_core::config::Policy;
use serde_json::{Value, json};

use crate::support::*;

fn right() -> Value {
    config(pinned(), [session_rule()])
}

#[test]
fn every_problem_is_told_at_once() {
    let config = json!({
        "mode": "observ",
        "keys": {"current": "NOT_SET", "fallbacks": "OLD", "origin": "ORIGIN"},
        "cookies": [
            {"name": "sessionid", "format": "djnago-session", "attributes": "Path=/"},
            {"name": "a;b", "format": "django-messages", "attributes": "Path=/"},
            {"name": "c", "format": "django-messages", "attribute": "Path=/", "on_invalid": "drop"},
        ],
        "colour": "red",
    });
    for (path, words) in [
        (
            "COUNTERSIGN.mode",
            ["\"observ\"", "did you mean \"observe\"?"],
        ),
        ("COUNTERSIGN.keys.current", ["NOT_SET", "is not set"]),
        ("COUNTERSIGN.keys.fallbacks", ["list", "text"]),
        (
            "COUNTERSIGN.cookies[0].format",
            [
                "unknown format \"djnago-session\"",
                "did you mean \"django-session\"?",
            ],
        ),
        ("COUNTERSIGN.cookies[1].name", ["cookie name", ""]),
        (
            "COUNTERSIGN.cookies[2].attribute",
            ["unknown field", "did you mean \"attributes\"?"],
        ),
        ("COUNTERSIGN.cookies[2].attributes", ["missing", "Path=/"]),
        (
            "COUNTERSIGN.cookies[2].on_invalid",
            ["unknown value", "\"strip\""],
        ),
        ("COUNTERSIGN.colour", ["unknown field", ""]),
    ] {
        assert_refused(config.clone(), path, &words);
    }
    assert_eq!(problems(&config).len(), 9, "{}", told(&problems(&config)));
}

#[test]
fn a_problem_reads_as_path_colon_text() {
    let config = with(
        right(),
        json!({"cookies": [
            session_rule(),
            {"name": "messages", "format": "djnago-messages", "attributes": "Path=/"},
        ]}),
    );
    assert_eq!(
        told(&problems(&config)),
        "COUNTERSIGN.cookies[1].format: unknown format \"djnago-messages\"; did you mean \"django-messages\"?"
    );
}

#[test]
fn a_missing_secret_does_not_hide_what_else_is_wrong() {
    let alike = with(session_rule(), json!({"name": "SessionID"}));
    let observes = with(wrapped_rule(), json!({"mode": "observe"}));
    let keys = json!({"current": "NOT_SET", "origin": "ORIGIN"});
    let config = config(keys, [session_rule(), alike, observes]);
    assert_refused(config.clone(), "COUNTERSIGN.keys.current", &["NOT_SET"]);
    assert_refused(
        config.clone(),
        "COUNTERSIGN.cookies[1].name",
        &["COUNTERSIGN.cookies[0]"],
    );
    assert_refused(config, "COUNTERSIGN.cookies[2].mode", &["observe"]);
}

#[test]
fn a_misspelt_field_does_not_hide_what_else_is_wrong_with_its_rule() {
    let rule = with(session_rule(), json!({"mode": "observe", "max_agee": 60}));
    let config = config(pinned(), [rule]);
    assert_refused(
        config.clone(),
        "COUNTERSIGN.cookies[0].max_agee",
        &["did you mean \"max_age\"?"],
    );
    assert_refused(config, "COUNTERSIGN.cookies[0].mode", &["observe"]);
}

#[test]
fn what_is_no_table_is_refused() {
    for config in [json!(null), json!("mode"), json!([]), json!(1), json!(true)] {
        assert_refused(config, "COUNTERSIGN", &["expected a table"]);
    }
    assert_refused(
        with(right(), json!({"keys": "NEW"})),
        "COUNTERSIGN.keys",
        &["table", "text"],
    );
    assert_refused(
        with(right(), json!({"cookies": ["sessionid"]})),
        "COUNTERSIGN.cookies[0]",
        &["table", "text"],
    );
}

#[test]
fn a_configuration_without_cookies_is_refused() {
    assert_refused(
        with(right(), json!({"cookies": null})),
        "COUNTERSIGN.cookies",
        &["missing"],
    );
    assert_refused(
        with(right(), json!({"cookies": []})),
        "COUNTERSIGN.cookies",
        &["empty"],
    );
    assert_refused(json!({}), "COUNTERSIGN.cookies", &["missing"]);
}

#[test]
fn a_scalar_or_a_table_where_a_list_is_expected_is_refused() {
    for (config, path) in [
        (
            with(right(), json!({"cookies": session_rule()})),
            "COUNTERSIGN.cookies",
        ),
        (
            with(right(), json!({"cookies": "sessionid"})),
            "COUNTERSIGN.cookies",
        ),
        (
            with(right(), json!({"hosts": "site.me.workers.dev"})),
            "COUNTERSIGN.hosts",
        ),
        (
            with(
                right(),
                json!({"keys": with(pinned(), json!({"fallbacks": "OLD"}))}),
            ),
            "COUNTERSIGN.keys.fallbacks",
        ),
        (
            with(
                right(),
                json!({"keys": with(pinned(), json!({"fallbacks": {"secret": "OLD"}}))}),
            ),
            "COUNTERSIGN.keys.fallbacks",
        ),
        (
            config(
                json!({"current": "NEW", "origin": {"current": "ORIGIN", "fallbacks": "OLD"}}),
                [session_rule()],
            ),
            "COUNTERSIGN.keys.origin.fallbacks",
        ),
        (
            config(
                pinned(),
                [with(session_rule(), json!({"accept": "django-session"}))],
            ),
            "COUNTERSIGN.cookies[0].accept",
        ),
        (
            config(
                pinned(),
                [with(
                    session_rule(),
                    json!({"accept": {"format": "django-session"}}),
                )],
            ),
            "COUNTERSIGN.cookies[0].accept",
        ),
    ] {
        assert_refused(config, path, &["list"]);
    }
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_known_one() {
    for (config, path, nearest) in [
        (
            with(right(), json!({"cokies": []})),
            "COUNTERSIGN.cokies",
            "cookies",
        ),
        (
            with(right(), json!({"orign_url": "x"})),
            "COUNTERSIGN.orign_url",
            "origin_url",
        ),
        (
            with(
                right(),
                json!({"keys": with(pinned(), json!({"fallback": []}))}),
            ),
            "COUNTERSIGN.keys.fallback",
            "fallbacks",
        ),
        (
            config(pinned(), [with(session_rule(), json!({"maxage": 60}))]),
            "COUNTERSIGN.cookies[0].maxage",
            "max_age",
        ),
        (
            config(
                pinned(),
                [with(
                    session_rule(),
                    json!({"accept": [{"format": "django-session", "untill": "x"}]}),
                )],
            ),
            "COUNTERSIGN.cookies[0].accept[0].untill",
            "until",
        ),
        (
            config(
                json!({"current": {"secret": "NEW", "encodng": "hex"}, "origin": "ORIGIN"}),
                [session_rule()],
            ),
            "COUNTERSIGN.keys.current.encodng",
            "encoding",
        ),
        (
            config(
                pinned(),
                [with(
                    session_rule(),
                    json!({"origin": {"format": "django-session", "diggest": "sha1"}}),
                )],
            ),
            "COUNTERSIGN.cookies[0].origin.diggest",
            "digest",
        ),
    ] {
        let expected = format!("did you mean \"{nearest}\"?");
        assert_refused(config, path, &["unknown field", &expected]);
    }
}

#[test]
fn an_unknown_word_is_refused_with_those_that_are_known() {
    for (field, path) in [
        ("mode", "COUNTERSIGN.mode"),
        ("reports", "COUNTERSIGN.reports"),
    ] {
        assert_refused(with(right(), json!({field: "quiet"})), path, &["known are"]);
        assert_refused(with(right(), json!({field: true})), path, &["text"]);
    }
    for reports in ["refusals", "all", "none"] {
        assert_accepted(with(right(), json!({"reports": reports})));
    }
    assert_accepted(with(right(), json!({"mode": "enforce"})));
}

#[test]
fn hosts_are_names() {
    assert_accepted(with(right(), json!({"hosts": ["site.me.workers.dev"]})));
    let config = with(right(), json!({"hosts": ["site.me.workers.dev", 1]}));
    assert_refused(config, "COUNTERSIGN.hosts[1]", &["host name"]);
}

#[test]
fn an_origin_url_is_a_scheme_and_a_host() {
    for url in [
        "https://app.internal.example",
        "https://app.internal.example/",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ] {
        assert_accepted(with(right(), json!({"origin_url": url})));
    }
    for url in [
        "app.internal.example",
        "ftp://app",
        "https://",
        "https://app/path",
        "https://a b",
        "https://app?x",
        "https://u:p@app",
        "",
    ] {
        let config = with(right(), json!({"origin_url": url}));
        assert_refused(config, "COUNTERSIGN.origin_url", &["https://"]);
    }
}

#[test]
fn an_origin_header_names_a_header_and_the_secret_of_its_value() {
    let header = |header: Value| with(right(), json!({"origin_header": header}));
    assert_accepted(header(json!({"name": "X-Edge", "secret": "STRANGER"})));
    for (config, path) in [
        (
            header(json!({"secret": "STRANGER"})),
            "COUNTERSIGN.origin_header.name",
        ),
        (
            header(json!({"name": "X-Edge"})),
            "COUNTERSIGN.origin_header.secret",
        ),
        (
            header(json!({"name": "X Edge", "secret": "STRANGER"})),
            "COUNTERSIGN.origin_header.name",
        ),
        (
            header(json!({"name": "", "secret": "STRANGER"})),
            "COUNTERSIGN.origin_header.name",
        ),
        (
            header(json!({"name": "Cookie", "secret": "STRANGER"})),
            "COUNTERSIGN.origin_header.name",
        ),
        (
            header(json!({"name": "X-Edge", "secret": "NOT_SET"})),
            "COUNTERSIGN.origin_header.secret",
        ),
        (
            header(json!({"name": "X-Edge", "secret": "the token itself"})),
            "COUNTERSIGN.origin_header.secret",
        ),
        (
            header(json!({"name": "X-Edge", "secret": "STRANGER", "x": 1})),
            "COUNTERSIGN.origin_header.x",
        ),
        (header(json!("X-Edge")), "COUNTERSIGN.origin_header"),
    ] {
        assert_refused(config, path, &[]);
    }
}

mod when_it_is_wrong {
    use super::*;

    fn passes(config: Value) -> bool {
        Policy::passes_when_wrong(&config, &problems(&config))
    }

    fn wrong() -> Value {
        config(
            json!({"current": "NOT_SET", "origin": "NOT_SET"}),
            [session_rule()],
        )
    }

    #[test]
    fn traffic_passes_where_mode_reads_observe_and_no_rule_says_enforce() {
        assert!(passes(with(wrong(), json!({"mode": "observe"}))));
        let observes = with(session_rule(), json!({"mode": "observe"}));
        assert!(passes(with(
            wrong(),
            json!({"mode": "observe", "cookies": [observes]})
        )));
        assert!(passes(json!({"mode": "observe"})));
        assert!(passes(json!({"mode": "observe", "cookies": "sessionid"})));
    }

    #[test]
    fn nothing_passes_where_mode_reads_anything_else() {
        for mode in [
            json!("enforce"),
            json!("observ"),
            json!("Observe"),
            json!(["observe"]),
            json!(true),
        ] {
            assert!(!passes(with(wrong(), json!({"mode": mode}))), "{mode}");
        }
        assert!(!passes(wrong()));
        for nothing in [
            json!(null),
            json!("observe"),
            json!([]),
            json!(["observe"]),
            json!(1),
        ] {
            assert!(!passes(nothing.clone()), "{nothing}");
        }
        let only_a_rule = with(session_rule(), json!({"mode": "observe"}));
        assert!(!passes(with(wrong(), json!({"cookies": [only_a_rule]}))));
    }

    #[test]
    fn nothing_passes_where_a_rule_says_enforce() {
        let enforces = with(session_rule(), json!({"mode": "enforce"}));
        for cookies in [
            json!([enforces]),
            json!([session_rule(), enforces]),
            enforces,
        ] {
            let config = with(wrong(), json!({"mode": "observe", "cookies": cookies}));
            assert!(!passes(config.clone()), "{config}");
        }
    }
}
