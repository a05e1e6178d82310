//! The `keys` tables, global and of a rule, and the secrets that they name.

use countersign_core::config::Policy;
use countersign_core::crypto::key::KeyId;
use countersign_core::gate::Gate;
use countersign_core::settings::{Problem, Topic};
use serde_json::{Value, json};

use crate::django::sessions;
use crate::support::*;

const UNTIL: &str = "2027-02-01T00:00:00Z";

fn with_keys(keys: Value) -> Value {
    config(keys, [session_rule()])
}

fn pinned_with(more: Value) -> Value {
    with_keys(with(pinned(), more))
}

#[test]
fn a_string_is_the_name_of_a_secret_and_a_table_says_more() {
    assert_accepted(with_keys(json!({
        "current": {"secret": "NEW", "encoding": "utf8", "allow_weak": false},
        "fallbacks": [
            "OLD",
            {"secret": "OLDER", "until": UNTIL, "upgrade": false, "encoding": "utf8", "allow_weak": true},
        ],
        "origin": {"secret": "ORIGIN", "allow_weak": true},
    })));
}

#[test]
fn a_ring_of_the_current_key_alone_stands() {
    assert_accepted(with_keys(json!({"current": "NEW", "origin": "ORIGIN"})));
    assert_accepted(with_keys(
        json!({"current": "NEW", "fallbacks": [], "origin": "ORIGIN"}),
    ));
}

#[test]
fn the_current_key_is_required() {
    for config in [
        with_keys(json!({"origin": "ORIGIN"})),
        with_keys(json!({"fallbacks": ["OLD"], "origin": "ORIGIN"})),
        with_keys(json!({})),
        with(pinned_with(json!({})), json!({"keys": null})),
    ] {
        assert_refused(config, "COUNTERSIGN.keys.current", &["missing", "secret"]);
    }
}

#[test]
fn the_origins_key_is_required_and_catch_up_names_the_current_one() {
    const ORIGIN: &str = "COUNTERSIGN.keys.origin";
    assert_accepted(with_keys(json!({"current": "NEW", "origin": "NEW"})));
    assert_accepted(with_keys(
        json!({"current": "NEW", "fallbacks": ["OLD"], "origin": "NEW"}),
    ));
    for keys in [
        json!({"current": "NEW"}),
        json!({"current": "NEW", "fallbacks": ["OLD"]}),
        json!({"current": {"secret": "NEW"}}),
    ] {
        let words = ["missing", "the origin signs with", "origin = \"NEW\""];
        assert_refused(with_keys(keys.clone()), ORIGIN, &words);
        let told = told(&problems(&config(keys, [session_rule(), wrapped_rule()])));
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    for keys in [json!({}), json!({"fallbacks": ["OLD"]})] {
        assert_refused(with_keys(keys), ORIGIN, &["missing"]);
    }
    // a rule's own table may leave out what the global one has, and the other way round
    let own = |keys: Value| with(session_rule(), json!({ "keys": keys }));
    let global = json!({"current": "NEW"});
    assert_accepted(config(global.clone(), [own(json!({"origin": "ORIGIN"}))]));
    assert_accepted(config(pinned(), [own(json!({"current": "OLD"}))]));
    let nowhere = config(global, [own(json!({"current": "OLD"}))]);
    let path = "COUNTERSIGN.cookies[0].keys.origin";
    assert_refused(nowhere, path, &["origin = \"OLD\""]);
}

#[test]
fn a_key_that_is_there_and_cannot_be_read_is_not_called_missing() {
    for keys in [
        json!({"current": "a key pasted", "origin": "ORIGIN"}),
        json!({"current": "NEW", "origin": "a key pasted"}),
        json!({"current": "NEW", "origin": {"current": "a key pasted"}}),
        json!({"current": "NEW", "origin": 7}),
    ] {
        let told = told(&problems(&with_keys(keys)));
        assert!(!told.is_empty() && !told.contains("missing"), "{told}");
    }
}

#[test]
fn a_secret_that_is_not_set_is_named_with_the_command_that_sets_it() {
    for (keys, path) in [
        (json!({"current": "NOT_SET"}), "COUNTERSIGN.keys.current"),
        (
            json!({"current": {"secret": "NOT_SET"}}),
            "COUNTERSIGN.keys.current",
        ),
        (
            json!({"fallbacks": ["OLD", "NOT_SET"]}),
            "COUNTERSIGN.keys.fallbacks[1]",
        ),
        (
            json!({"fallbacks": [{"secret": "NOT_SET", "until": UNTIL}]}),
            "COUNTERSIGN.keys.fallbacks[0]",
        ),
        (json!({"origin": "NOT_SET"}), "COUNTERSIGN.keys.origin"),
        (
            json!({"origin": {"current": "NOT_SET"}}),
            "COUNTERSIGN.keys.origin.current",
        ),
        (
            json!({"origin": {"current": "ORIGIN", "fallbacks": ["NOT_SET"]}}),
            "COUNTERSIGN.keys.origin.fallbacks[0]",
        ),
    ] {
        assert_refused(
            pinned_with(keys),
            path,
            &["NOT_SET", "wrangler secret put NOT_SET"],
        );
    }
}

#[test]
fn a_fallback_that_has_lapsed_still_needs_its_secret_or_goes() {
    let lapsed = json!({"fallbacks": [{"secret": "NOT_SET", "until": "2020-01-01T00:00:00Z"}]});
    assert_refused(
        pinned_with(lapsed),
        "COUNTERSIGN.keys.fallbacks[0]",
        &["NOT_SET"],
    );
}

#[test]
fn every_missing_secret_is_named_once() {
    let keys =
        json!({"current": "NOT_SET", "fallbacks": ["NOR_THIS", "NOT_SET"], "origin": "NOT_SET"});
    let other = json!({"name": "messages", "format": "django-messages", "attributes": ATTRIBUTES});
    let told = told(&problems(&config(keys, [session_rule(), other])));
    assert_eq!(told.matches("secret put NOT_SET`").count(), 1, "{told}");
    assert_eq!(told.matches("secret put NOR_THIS`").count(), 1, "{told}");
}

#[test]
fn what_a_problem_is_about_is_no_matter_of_words() {
    let id = |name: &str| KeyId::parse(name).unwrap();
    for (keys, about) in [
        (
            json!({"current": "NOT_SET"}),
            Topic::MissingSecret(id("NOT_SET")),
        ),
        (
            json!({"current": "EMPTY"}),
            Topic::MissingSecret(id("EMPTY")),
        ),
        (json!({"current": "SHORT"}), Topic::SecretBytes(id("SHORT"))),
        (
            json!({"current": {"secret": "NEW", "encoding": "hex"}}),
            Topic::SecretBytes(id("NEW")),
        ),
        (json!({"current": 1}), Topic::Configuration),
    ] {
        let problems = problems(&pinned_with(keys));
        assert_eq!(problems.len(), 1, "{}", told(&problems));
        assert_eq!(problems[0].about, about);
    }
}

#[test]
fn an_empty_secret_is_refused() {
    assert_refused(
        pinned_with(json!({"current": "EMPTY"})),
        "COUNTERSIGN.keys.current",
        &["EMPTY", "empty"],
    );
}

/// Texts that people paste where the name of a secret belongs.
const PASTED: [&str; 9] = [
    "django-insecure-x1&3k",
    "8PHNJOLpXqR7stUrJ9QvpEJnpTNdcgGQwi3bcbkJvEdBKWEZE3TvQtCh4LUOV",
    "9a2c35e70c0c1d7685c83893b44bff33120a5845de55f12679af91776a9b8553",
    "hunter2",
    "correct-horse-battery",
    "2WEEKSECRET",
    "_SECRET",
    "SECRET KEY",
    "SECRET\n",
];

#[test]
fn a_text_that_is_no_key_id_is_refused_and_never_echoed() {
    for text in PASTED {
        for (keys, path) in [
            (json!({"current": text}), "COUNTERSIGN.keys.current"),
            (
                json!({"current": {"secret": text}}),
                "COUNTERSIGN.keys.current.secret",
            ),
            (
                json!({"fallbacks": [text]}),
                "COUNTERSIGN.keys.fallbacks[0]",
            ),
            (json!({"fallbacks": text}), "COUNTERSIGN.keys.fallbacks"),
            (
                json!({"fallbacks": ["OLD", {"secret": text}]}),
                "COUNTERSIGN.keys.fallbacks[1].secret",
            ),
            (json!({"origin": text}), "COUNTERSIGN.keys.origin"),
            (
                json!({"origin": {"secret": text}}),
                "COUNTERSIGN.keys.origin.secret",
            ),
            (
                json!({"origin": {"current": text}}),
                "COUNTERSIGN.keys.origin.current",
            ),
            (
                json!({"origin": {"current": "ORIGIN", "fallbacks": [text]}}),
                "COUNTERSIGN.keys.origin.fallbacks[0]",
            ),
        ] {
            let config = pinned_with(keys);
            assert_refused(config.clone(), path, &[]);
            let told = told(&problems(&config));
            assert!(!told.contains(text), "{told}");
        }
    }
}

#[test]
fn a_key_pasted_somewhere_else_is_not_echoed_either() {
    let pasted = "kylGnHU8BtPwm/wxflAy-9a2c35e70c0c";
    for config in [
        pinned_with(json!({pasted: "NEW"})),
        pinned_with(json!({"current": {"secret": "NEW", "encoding": pasted}})),
        pinned_with(json!({"current": {"secret": "NEW", pasted: true}})),
        pinned_with(json!({"fallbacks": [{"secret": "OLD", "until": pasted}]})),
        with(pinned_with(json!({})), json!({"mode": pasted})),
        with(pinned_with(json!({})), json!({pasted: 1})),
        config(pinned(), [with(session_rule(), json!({"format": pasted}))]),
        config(pinned(), [with(session_rule(), json!({"keys": pasted}))]),
        config(pinned(), [with(session_rule(), json!({"digest": pasted}))]),
    ] {
        let told = told(&problems(&config));
        assert!(!told.is_empty() && !told.contains(pasted), "{told}");
    }
}

#[test]
fn a_secret_with_a_wrong_encoding_is_refused_and_never_echoed() {
    for (name, encoding) in [
        ("NEW", "base64"),
        ("NEW", "hex"),
        ("IN_BASE64", "hex"),
        ("SHORT", "hex"),
    ] {
        let config = pinned_with(json!({"current": {"secret": name, "encoding": encoding}}));
        assert_refused(
            config.clone(),
            "COUNTERSIGN.keys.current",
            &[name, "encoding"],
        );
        let told = told(&problems(&config));
        assert!(!told.contains(&key(name)), "{told}");
    }
}

#[test]
fn a_secret_is_read_as_its_encoding_says() {
    let bytes: Vec<u8> = std::iter::once(0xFF).chain(0..31).collect();
    for (current, key) in [
        (
            json!({"secret": "IN_BASE64", "encoding": "base64"}),
            bytes.clone(),
        ),
        (
            json!({"secret": "IN_HEX", "encoding": "hex"}),
            bytes[..].to_vec(),
        ),
        (
            json!({"secret": "IN_BASE64", "encoding": "utf8"}),
            key("IN_BASE64").into_bytes(),
        ),
        (json!({"secret": "IN_HEX"}), key("IN_HEX").into_bytes()),
        (json!("IN_BASE64"), key("IN_BASE64").into_bytes()),
    ] {
        let gate = gate_of(pinned_with(json!({"current": current})));
        let shown = sessions().sign(&key, PAYLOAD, SIGNED);
        let judged = judge(&gate, &format!("sessionid={shown}"));
        assert!(
            judged.verdicts[0].starts_with("current"),
            "{current}: {:?}",
            judged.verdicts
        );
        let set = format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN"));
        let sent = answer(&gate, &[&set]).set_cookies.unwrap();
        assert_eq!(sent, [format!("sessionid={shown}; {ATTRIBUTES}")]);
    }
}

#[test]
fn a_key_in_base64_may_be_of_either_alphabet_with_or_without_padding() {
    let bytes: Vec<u8> = std::iter::once(0xFF).chain(0..31).collect();
    let text = key("IN_BASE64");
    let (first, last) = text.split_at(20);
    for spelled in [
        text.replace(['+', '/'], "_"),
        text.trim_end_matches('=').to_owned(),
        text.replace('/', "_").replace('=', ""),
        format!("{text}\n"),
        format!("  {first}\r\n{last}\r\n"),
    ] {
        let current = json!({"secret": "PASTED", "encoding": "base64"});
        let text = |name: &str| {
            if name == "PASTED" {
                Some(spelled.clone())
            } else {
                secret(name)
            }
        };
        let config = pinned_with(json!({"current": current}));
        let gate = Gate::new(Policy::parse(&config, &text).unwrap(), random);
        let shown = format!(
            "sessionid={}",
            sessions().sign(bytes.clone(), PAYLOAD, SIGNED)
        );
        assert_eq!(
            judge(&gate, &shown).verdicts,
            ["current PASTED"],
            "{spelled:?}"
        );
    }
}

#[test]
fn white_space_around_a_secret_is_noted_once_and_says_whether_it_counts() {
    let notes = |encoding: &str, text: &str| {
        let pasted = json!({"secret": "PASTED", "encoding": encoding});
        let config = pinned_with(json!({"current": pasted, "origin": pasted}));
        let text = |name: &str| {
            if name == "PASTED" {
                Some(text.to_owned())
            } else {
                secret(name)
            }
        };
        let notes = Policy::parse(&config, &text).unwrap().notes;
        notes
            .iter()
            .map(Problem::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (new, in_base64, in_hex) = (key("NEW"), key("IN_BASE64"), key("IN_HEX"));
    for (encoding, text) in [("utf8", &new), ("base64", &in_base64), ("hex", &in_hex)] {
        assert_eq!(notes(encoding, text), "", "{encoding}");
    }
    for text in [format!("{new}\n"), format!("{new}\r\n")] {
        let told = notes("utf8", &text);
        let is_told =
            told.starts_with("COUNTERSIGN.keys.current: the secret PASTED ends with a newline");
        assert!(is_told && told.contains("part of the key"), "{told}");
        assert!(told.lines().count() == 1 && !told.contains(&new), "{told}");
    }
    for (encoding, text) in [("base64", &in_base64), ("hex", &in_hex)] {
        for text in [format!("{text}\n"), format!(" {text}")] {
            let told = notes(encoding, &text);
            assert!(
                told.contains("PASTED") && told.contains("does not count"),
                "{told}"
            );
        }
    }
}

#[test]
fn the_encoding_of_fallbacks_and_of_the_origin_is_read_too() {
    let bytes: Vec<u8> = std::iter::once(0xFF).chain(0..31).collect();
    let in_hex = json!({"secret": "IN_HEX", "encoding": "hex"});
    let gate = gate_of(pinned_with(
        json!({"fallbacks": [in_hex], "origin": in_hex}),
    ));
    let shown = format!("sessionid={}", sessions().sign(bytes, PAYLOAD, SIGNED));
    assert_as_it_came(&gate, &shown, &["fallback IN_HEX"]);
}

#[test]
fn a_time_is_written_as_rfc_3339_has_it() {
    let until = |text: Value| pinned_with(json!({"fallbacks": [{"secret": "OLD", "until": text}]}));
    for text in [
        UNTIL,
        "2027-02-01T02:00:00+02:00",
        "2027-01-31T19:00:00.25-05:00",
        "2020-01-01T00:00:00Z",
    ] {
        assert_accepted(until(json!(text)));
    }
    for text in [
        "2027-02-01",
        "2027-02-01T00:00:00",
        "tomorrow",
        "",
        "1801440000",
        "2027-02-30T00:00:00Z",
    ] {
        let config = until(json!(text));
        assert_refused(
            config,
            "COUNTERSIGN.keys.fallbacks[0].until",
            &["RFC 3339", "2027-02-01T00:00:00Z"],
        );
    }
    for value in [json!(1_801_440_000), json!({"year": 2027}), json!(true)] {
        assert_refused(
            until(value),
            "COUNTERSIGN.keys.fallbacks[0].until",
            &["text"],
        );
    }
}

#[test]
fn a_time_with_an_offset_is_that_point_in_time() {
    let until = "2027-01-15T10:00:00+02:00"; // NOW
    let keys = json!({"fallbacks": [{"secret": "OLD", "until": until}]});
    let gate = gate_of(pinned_with(keys));
    let header = format!("sessionid={}", session("OLD"));
    assert_eq!(judge_at(&gate, &header, NOW - 1).verdicts, ["fallback OLD"]);
    assert_eq!(judge_at(&gate, &header, NOW).verdicts, ["bad-signature"]);
}

#[test]
fn fields_of_the_wrong_kind_are_refused() {
    for (keys, path) in [
        (json!({"current": 1}), "COUNTERSIGN.keys.current"),
        (json!({"current": ["NEW"]}), "COUNTERSIGN.keys.current"),
        (json!({"current": {}}), "COUNTERSIGN.keys.current.secret"),
        (
            json!({"current": {"secret": "NEW", "allow_weak": "yes"}}),
            "COUNTERSIGN.keys.current.allow_weak",
        ),
        (
            json!({"current": {"secret": "NEW", "encoding": "base32"}}),
            "COUNTERSIGN.keys.current.encoding",
        ),
        (
            json!({"fallbacks": [["OLD"]]}),
            "COUNTERSIGN.keys.fallbacks[0]",
        ),
        (
            json!({"fallbacks": [{"until": UNTIL}]}),
            "COUNTERSIGN.keys.fallbacks[0].secret",
        ),
        (
            json!({"fallbacks": [{"secret": "OLD", "upgrade": "no"}]}),
            "COUNTERSIGN.keys.fallbacks[0].upgrade",
        ),
        (json!({"origin": ["ORIGIN"]}), "COUNTERSIGN.keys.origin"),
        (
            json!({"origin": {"fallbacks": ["OLD"]}}),
            "COUNTERSIGN.keys.origin.current",
        ),
        (
            json!({"origin": {"current": "ORIGIN", "secret": "ORIGIN"}}),
            "COUNTERSIGN.keys.origin.secret",
        ),
    ] {
        assert_refused(pinned_with(keys), path, &[]);
    }
}

#[test]
fn only_a_fallback_lapses_or_is_upgraded() {
    for (keys, path) in [
        (
            json!({"current": {"secret": "NEW", "until": UNTIL}}),
            "COUNTERSIGN.keys.current.until",
        ),
        (
            json!({"current": {"secret": "NEW", "upgrade": false}}),
            "COUNTERSIGN.keys.current.upgrade",
        ),
        (
            json!({"origin": {"secret": "ORIGIN", "until": UNTIL}}),
            "COUNTERSIGN.keys.origin.until",
        ),
    ] {
        assert_refused(pinned_with(keys), path, &[]);
    }
}

mod of_a_rule {
    use super::*;

    fn own(keys: Value) -> Value {
        with(session_rule(), json!({"keys": keys}))
    }

    /// What the rule sends the origin and the browser, by the secrets' names, and what it opens.
    #[track_caller]
    fn assert_keys(keys: Value, current: &str, fallbacks: &[&str], origin: &str) {
        let gate = gate(pinned(), [own(keys)]);
        let sent = format!("sessionid={}", session(origin));
        let judged = judge(&gate, &format!("sessionid={}", session(current)));
        assert_eq!(judged.verdicts, [format!("current {current}")]);
        for name in ["NEW", "OLD", "OLDER", "NEXT_ORIGIN", "ORIGIN"] {
            let header = format!("sessionid={}", session(name));
            let opens = name == current || fallbacks.contains(&name);
            assert_eq!(forwarded(&gate, &header).is_some(), opens, "{name}");
            if opens {
                assert_eq!(forwarded(&gate, &header), Some(sent.clone()));
            }
        }
        let set = format!("sessionid={}; {ATTRIBUTES}", session(origin));
        let sealed = format!("sessionid={}; {ATTRIBUTES}", session(current));
        assert_eq!(answer(&gate, &[&set]).set_cookies.unwrap(), [sealed]);
    }

    #[test]
    fn they_take_the_place_of_the_global_ones_whole_or_in_part() {
        assert_keys(json!({}), "NEW", &["OLD"], "ORIGIN");
        assert_keys(json!({"current": "OLDER"}), "OLDER", &["OLD"], "ORIGIN");
        assert_keys(json!({"fallbacks": []}), "NEW", &[], "ORIGIN");
        assert_keys(json!({"fallbacks": ["OLDER"]}), "NEW", &["OLDER"], "ORIGIN");
        assert_keys(
            json!({"origin": "NEXT_ORIGIN"}),
            "NEW",
            &["OLD"],
            "NEXT_ORIGIN",
        );
        assert_keys(
            json!({"current": "OLD", "fallbacks": ["NEW", "OLDER"], "origin": "NEXT_ORIGIN"}),
            "OLD",
            &["NEW", "OLDER"],
            "NEXT_ORIGIN",
        );
    }

    #[test]
    fn the_other_rules_keep_the_global_ones() {
        let messages =
            json!({"name": "messages", "format": "django-messages", "attributes": ATTRIBUTES});
        let gate = gate(pinned(), [own(json!({"current": "OLDER"})), messages]);
        let text = signed(&crate::django::messages(), "NEW", PAYLOAD);
        let header = format!("sessionid={}; messages={text}", session("OLDER"));
        assert_eq!(
            judge(&gate, &header).verdicts,
            ["current OLDER", "current NEW"]
        );
    }

    #[test]
    fn they_may_stand_without_global_ones() {
        let config = json!({"cookies": [own(pinned())]});
        assert_accepted(config);
    }

    #[test]
    fn their_problems_have_their_path() {
        for (keys, path) in [
            (
                json!({"current": "NOT_SET"}),
                "COUNTERSIGN.cookies[0].keys.current",
            ),
            (
                json!({"current": "hunter2"}),
                "COUNTERSIGN.cookies[0].keys.current",
            ),
            (
                json!({"current": "SHORT"}),
                "COUNTERSIGN.cookies[0].keys.current",
            ),
            (
                json!({"fallbacks": "OLD"}),
                "COUNTERSIGN.cookies[0].keys.fallbacks",
            ),
            (
                json!({"fallback": []}),
                "COUNTERSIGN.cookies[0].keys.fallback",
            ),
        ] {
            assert_refused(config(pinned(), [own(keys)]), path, &[]);
        }
        assert_refused(
            json!({"cookies": [own(json!({"origin": "ORIGIN"}))]}),
            "COUNTERSIGN.cookies[0].keys.current",
            &["missing"],
        );
    }
}
