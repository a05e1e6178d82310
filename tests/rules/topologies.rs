//! The three topologies of a deployment, their first and last days among them.

use countersign_core::config::Policy;
use countersign_core::crypto::{Digest, Mac};
use countersign_core::gate::{Action, Gate};
use countersign_core::wire::encoding::hex;
use serde_json::{Value, json};

use crate::django::signed_cookie;
use crate::support::*;

#[test]
fn on_the_first_day_of_a_pinned_origin_not_a_byte_changes() {
    let rules = || {
        [
            session_rule(),
            json!({"name": "messages", "format": "django-messages", "attributes": ATTRIBUTES}),
            json!({"name": "note", "format": "django-signed-cookie", "attributes": ATTRIBUTES}),
        ]
    };
    let gate = gate(first_day(), rules());
    let messages = signed(&crate::django::messages(), "ORIGIN", PAYLOAD);
    let note = signed(
        &signed_cookie("note", ""),
        "ORIGIN",
        "h\u{e9}; \"llo\", \\ there",
    );
    let values = [
        ("sessionid", session("ORIGIN")),
        ("messages", messages),
        ("note", note),
    ];
    let pairs: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let judged = judge(&gate, &format!("a=1;{} ;b", pairs.join(" ;  ")));
    assert_eq!(judged.action, Action::Unchanged);
    assert_eq!(judged.verdicts, ["current ORIGIN"; 3]);
    let set: Vec<String> = pairs
        .iter()
        .map(|pair| format!("{pair}; {ATTRIBUTES}"))
        .collect();
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    assert_set(&gate, &set, &set, &["sealed ORIGIN"; 3]);
}

#[test]
fn a_staged_key_opens_and_does_not_seal() {
    let keys = json!({"current": "ORIGIN", "fallbacks": ["NEW"], "origin": "ORIGIN"});
    let gate = gate(keys, [session_rule()]);
    let sent = format!("sessionid={}", session("ORIGIN"));
    assert_sent(
        &gate,
        &format!("sessionid={}", session("NEW")),
        Some(&sent),
        &["fallback NEW"],
    );
    let set = format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN"));
    assert_set(&gate, &[&set], &[&set], &["sealed ORIGIN"]);
}

#[test]
fn once_the_origin_key_has_left_the_ring_a_leak_of_it_forges_nothing() {
    let gate = session_gate(json!({}));
    let forged = crate::django::sessions().sign(key("ORIGIN"), ADMIN, NOW);
    assert_sent(
        &gate,
        &format!("sessionid={forged}"),
        None,
        &["bad-signature"],
    );
}

#[test]
fn a_browser_keeps_its_session_through_a_whole_rotation() {
    let mut held = session("ORIGIN");
    for (current, fallbacks) in [
        ("ORIGIN", json!([])),
        ("ORIGIN", json!(["NEW"])),
        ("NEW", json!(["ORIGIN"])),
        ("NEW", json!([])),
        ("NEW", json!(["OLDER"])),
        ("OLDER", json!(["NEW"])),
        ("OLDER", json!([])),
    ] {
        let keys = json!({"current": current, "fallbacks": fallbacks, "origin": "ORIGIN"});
        let gate = gate(keys, [session_rule()]);
        let header = format!("sessionid={held}");
        let sent = format!("sessionid={}", session("ORIGIN"));
        assert_eq!(
            forwarded(&gate, &header),
            Some(sent),
            "{current} {fallbacks}"
        );
        let judged = judge(&gate, &header);
        if let Some(set) = answer_to(&gate, &judged.pending, &page(), &[]).set_cookies {
            held = split_url(&set[0]).1;
        }
        assert_eq!(held, session(current));
    }
}

mod catch_up {
    use super::*;

    fn catch_up(origin: Value) -> countersign_core::gate::Gate {
        let keys = json!({"current": "NEW", "fallbacks": ["OLD"], "origin": origin});
        gate(with(keys, json!({"origin": origin})), [session_rule()])
    }

    #[test]
    fn an_origin_with_a_new_key_gets_the_sessions_of_its_old_one_under_the_new() {
        let gate = catch_up(json!("NEW"));
        let header = format!("sessionid={}", session("OLD"));
        let sent = format!("sessionid={}", session("NEW"));
        assert_sent(&gate, &header, Some(&sent), &["fallback OLD"]);
        assert_as_it_came(&gate, &sent, &["current NEW"]);
        let set = format!("sessionid={}; {ATTRIBUTES}", session("NEW"));
        assert_set(&gate, &[&set], &[&set], &["sealed NEW"]);
    }

    #[test]
    fn origin_left_out_is_refused_with_what_to_write() {
        let keys = json!({"current": "NEW", "fallbacks": ["OLD"]});
        let path = "COUNTERSIGN.keys.origin";
        assert_refused(config(keys, [session_rule()]), path, &["origin = \"NEW\""]);
    }
}

mod wrapped {
    use super::*;

    fn value(key_name: &str, payload: &str) -> String {
        signed(&signed_cookie("user_id", ""), key_name, payload)
    }

    /// Adopts what browsers hold from before the first deployment, until [`NOW`] plus ten seconds.
    fn adopting() -> countersign_core::gate::Gate {
        wrapped_gate(json!({
            "accept": [
                {"format": "plain", "until": "2027-01-15T08:00:10Z"},
                {"format": "django-signed-cookie", "digest": "sha1", "until": "2027-01-15T07:00:00Z"},
            ],
            "max_age": 1_209_600,
        }))
    }

    #[test]
    fn the_edge_signs_on_the_way_out_and_unwraps_on_the_way_in() {
        let gate = wrapped_gate(json!({}));
        let sealed = signed_cookie("user_id", "").sign(key("NEW"), "42", NOW);
        let set = format!("user_id={sealed}; {ATTRIBUTES}");
        assert_set(
            &gate,
            &[&format!("user_id=42; {ATTRIBUTES}")],
            &[&set],
            &["sealed NEW"],
        );
        let header = format!("user_id={sealed}");
        assert_sent(&gate, &header, Some("user_id=42"), &["current NEW"]);
    }

    #[test]
    fn what_a_visitor_writes_unsigned_is_stripped() {
        let gate = wrapped_gate(json!({}));
        assert_sent(&gate, "a=1; user_id=1", Some("a=1"), &["malformed"]);
    }

    #[test]
    fn another_cookies_signature_is_no_use() {
        let gate = wrapped_gate(json!({}));
        let other = signed(&signed_cookie("other", ""), "NEW", "1");
        assert_sent(&gate, &format!("user_id={other}"), None, &["bad-signature"]);
    }

    #[test]
    fn an_unsigned_cookie_from_before_is_adopted_until_its_time() {
        let gate = adopting();
        let judged = judge(&gate, "a=1; user_id=42");
        assert_eq!(judged.action, Action::Unchanged);
        assert_eq!(judged.verdicts, ["accepted-format"]);
        let sent = answer_to(&gate, &judged.pending, &page(), &[])
            .set_cookies
            .unwrap();
        let sealed = signed_cookie("user_id", "").sign(key("NEW"), "42", NOW);
        assert_eq!(sent, [format!("user_id={sealed}; {ATTRIBUTES}")]);
        assert_eq!(
            judge_at(&gate, "user_id=42", NOW + 9).verdicts,
            ["accepted-format"]
        );
        let judged = judge_at(&gate, "user_id=42", NOW + 10);
        assert_eq!(judged.verdicts, ["malformed"]);
        assert_eq!(judged.action, Action::WithCookie(None));
    }

    #[test]
    fn nothing_unsigned_is_adopted_beside_a_good_cookie() {
        let gate = adopting();
        let good = value("OLD", "42");
        for header in [
            format!("user_id=1; user_id={good}"),
            format!("user_id={good}; user_id=1"),
        ] {
            assert_eq!(
                forwarded(&gate, &header).as_deref(),
                Some("user_id=42"),
                "{header}"
            );
        }
    }

    #[test]
    fn nothing_with_the_shape_of_a_signed_cookie_is_adopted() {
        let gate = adopting();
        for value in [
            value("STRANGER", "1"),
            value("NEW", "42").replacen("42", "1", 1),
        ] {
            let header = format!("user_id={value}");
            assert_sent(&gate, &header, None, &["bad-signature"]);
        }
    }

    #[test]
    fn nothing_with_the_shape_of_a_format_that_is_no_longer_accepted_is_adopted() {
        let gate = adopting();
        let sha1 = signed_cookie("user_id", "").with(crate::django::Hash::Sha1);
        for key_name in ["NEW", "STRANGER"] {
            let header = format!("user_id={}", signed(&sha1, key_name, "42"));
            assert_eq!(forwarded(&gate, &header), None, "{header}");
        }
    }

    #[test]
    fn nothing_that_has_expired_is_adopted() {
        let gate = adopting();
        let old = signed_cookie("user_id", "").sign(key("NEW"), "42", NOW - 1_209_601);
        assert_sent(&gate, &format!("user_id={old}"), None, &["expired"]);
    }

    #[test]
    fn nothing_is_adopted_that_is_no_cookie_octets() {
        let gate = adopting();
        for value in ["4 2", "4,2", "\"42\"", "4\\2", "é"] {
            let header = format!("a=1; user_id={value}");
            assert_sent(&gate, &header, Some("a=1"), &["malformed"]);
        }
    }
}

/// The first step of wrapping, and the last of leaving: reads what was sealed, seals nothing.
mod unsealed {
    use super::*;

    fn unsealed() -> countersign_core::gate::Gate {
        wrapped_gate(json!({"format": "plain", "accept": [{"format": "django-signed-cookie"}]}))
    }

    #[test]
    fn a_plain_cookie_goes_in_and_out_as_it_is() {
        assert_as_it_came(&unsealed(), "a=1; user_id=42", &["current"]);
        let set = format!("user_id=42; {ATTRIBUTES}");
        let answer = answer(&unsealed(), &[&set]);
        assert_eq!(answer.set_cookies, None);
    }

    #[test]
    fn a_sealed_cookie_is_unwrapped_and_upgraded_back_to_plain() {
        let gate = unsealed();
        for key_name in ["NEW", "OLD"] {
            let shown = signed(&signed_cookie("user_id", ""), key_name, "42");
            let judged = judge(&gate, &format!("user_id={shown}"));
            assert_eq!(
                judged.action,
                Action::WithCookie(Some("user_id=42".to_owned()))
            );
            assert_eq!(judged.verdicts, [format!("accepted-format {key_name}")]);
            let answer = answer_to(&gate, &judged.pending, &page(), &[]);
            assert_eq!(
                answer.set_cookies.unwrap(),
                [format!("user_id=42; {ATTRIBUTES}")]
            );
        }
    }

    #[test]
    fn a_broken_seal_is_refused() {
        let shown = signed(&signed_cookie("user_id", ""), "STRANGER", "42");
        assert_sent(
            &unsealed(),
            &format!("user_id={shown}"),
            None,
            &["bad-signature"],
        );
    }
}

/// What is sealed by one format opens in a rule of the other, and comes out as the rule's own.
#[test]
fn sessions_of_rack_2_and_of_the_first_encryptor_go_on_at_rack_session_2() {
    let secret = |id: &str| Some(id.repeat(20));
    let rule = json!({
        "name": "rack.session", "format": "rack-session", "version": 2, "attributes": ATTRIBUTES,
        "accept": [
            {"format": "rack-session"},
            {"format": "rack-session", "version": 2, "encryptor": "v1"},
        ],
    });
    let gate = |rule: Value| {
        let config = config(json!({"current": "ORIGIN", "origin": "ORIGIN"}), [rule]);
        let policy = Policy::parse(&config, &secret);
        Gate::new(
            policy.unwrap_or_else(|faults| panic!("{}", told(&faults))),
            random,
        )
    };
    let mac = Mac::new(Digest::Sha1, "ORIGIN".repeat(20).as_bytes()).sign(&[b"e30="]);
    let old = format!("rack.session=e30%3D--{}", hex(&mac));
    let moving = gate(rule.clone());
    let judged = judge(&moving, &old);
    assert_eq!(judged.verdicts, ["accepted-format ORIGIN"]);
    let Action::WithCookie(Some(sent)) = judged.action else {
        panic!("{:?}", judged.action);
    };
    let moved = gate(with(rule.clone(), json!({"accept": null})));
    assert_eq!(judge(&moved, &sent).verdicts, ["current ORIGIN"]);
    assert_eq!(judge(&moved, &old).verdicts, ["malformed"]);
}
