//! R4: a cookie that does not verify gets `on_invalid`.

use countersign_core::gate::{Action, RequestHead};
use serde_json::json;

use crate::django::{Signer, sessions, signer};
use crate::support::*;

/// Values that nobody who may sign has signed, and what is said of each.
fn unverified() -> Vec<(String, &'static str)> {
    let good = session("NEW");
    let mut chars: Vec<char> = good.chars().collect();
    let last = chars.len() - 1;
    chars[last] = if chars[last] == 'A' { 'B' } else { 'A' };
    let other_signature: String = chars.into_iter().collect();
    let other_payload = good.replacen(PAYLOAD, ADMIN, 1);
    let untimed = Signer {
        timed: false,
        ..sessions()
    };
    vec![
        (forged(), "bad-signature"),
        (other_signature, "bad-signature"),
        (other_payload, "bad-signature"),
        (
            signed(&signer("other.salt"), "NEW", PAYLOAD),
            "bad-signature",
        ),
        (PAYLOAD.to_owned(), "malformed"),
        (String::new(), "malformed"),
        ("::".to_owned(), "malformed"),
        (good[..good.len() - 1].to_owned(), "malformed"),
        (format!("{good}="), "malformed"),
        (untimed.sign(key("NEW"), PAYLOAD, 0), "malformed"),
    ]
}

#[test]
fn it_is_stripped() {
    let gate = session_gate(json!({}));
    for (value, verdict) in unverified() {
        assert_sent(
            &gate,
            &format!("a=1; sessionid={value}; b=2"),
            Some("a=1; b=2"),
            &[verdict],
        );
    }
}

#[test]
fn a_time_that_does_not_read_is_malformed_though_signed() {
    let untimed = Signer {
        timed: false,
        ..sessions()
    };
    let value = untimed.sign(key("NEW"), &format!("{PAYLOAD}:no-time"), 0);
    assert_sent(
        &session_gate(json!({})),
        &format!("sessionid={value}"),
        None,
        &["malformed"],
    );
}

#[test]
fn with_reject_the_request_is_answered_with_a_deletion_where_the_origin_sets_the_cookie() {
    let gate = session_gate(json!({
        "on_invalid": "reject",
        "attributes": "Path=/app; Domain=.Example.com; HttpOnly; Secure; Max-Age=1209600",
    }));
    for (value, verdict) in unverified() {
        let judged = judge(&gate, &format!("a=1; sessionid={value}"));
        let Action::Reject(deletions) = judged.action else {
            panic!("{value}: {:?}", judged.action)
        };
        assert_eq!(judged.verdicts, [verdict]);
        assert_eq!(deletions.len(), 1);
        let (name, value, attributes) = split_url(&deletions[0]);
        assert_eq!((name.as_str(), value.as_str()), ("sessionid", ""));
        for expected in ["Path=/app", "Domain=.Example.com", "Max-Age=0"] {
            assert!(attributes.contains(&expected.to_owned()), "{attributes:?}");
        }
        let ages = attributes
            .iter()
            .filter(|a| a.to_ascii_lowercase().starts_with("max-age"));
        assert_eq!(ages.count(), 1, "{attributes:?}");
    }
}

/// A sibling host plants `sessionid=x; Domain=example.com`, which no deletion from here reaches.
#[test]
fn with_reject_a_page_that_is_opened_is_stripped_so_that_a_planted_cookie_locks_nobody_out() {
    let gate = session_gate(json!({"on_invalid": "reject"}));
    let framed = |site| {
        page()
            .asked("sec-fetch-dest", "iframe")
            .asked("sec-fetch-site", site)
    };
    let bare = page()
        .not_asked("sec-fetch-mode")
        .not_asked("sec-fetch-dest");
    for (value, verdict) in unverified() {
        let header = format!("a=1; sessionid={value}");
        let judged = |head: &Page| judge_from(&gate, &header, head, NOW);
        for head in [
            page(),
            page().method("POST"), // the login form itself
            page().asked("sec-fetch-dest", "empty"),
            framed("same-origin"),
            bare.clone().asked("accept", "text/html"),
        ] {
            let judged = judged(&head);
            let stripped = Action::WithCookie(Some("a=1".to_owned()));
            assert_eq!(judged.action, stripped, "{head:?}");
            assert_eq!(judged.verdicts, [verdict]);
        }
        for head in [
            subrequest(),
            page().asked("sec-fetch-dest", "image"),
            page().asked("sec-purpose", "prefetch"),
            framed("cross-site"),
            bare.clone(),
            bare.clone().asked("accept", "application/json"),
        ] {
            let action = judged(&head).action;
            assert!(matches!(action, Action::Reject(_)), "{head:?}: {action:?}");
        }
    }
}

#[test]
fn a_request_is_asked_for_more_than_its_cookies_only_where_it_might_be_rejected() {
    struct Unasked;
    impl RequestHead for Unasked {
        fn method(&self) -> String {
            panic!("asked for the method")
        }
        fn request_header(&self, name: &'static str) -> Option<String> {
            panic!("asked for {name}")
        }
    }
    for more in [
        json!({}),
        json!({"on_invalid": "reject", "max_age": 600}),
        json!({"on_invalid": "forward", "unsafe_open": true}),
    ] {
        let gate = session_gate(more.clone());
        let mut shown = vec![session("NEW"), session("OLD"), session_at("NEW", NOW + 400)];
        if more["on_invalid"] != "reject" {
            shown.push(forged());
        }
        for value in shown {
            judge_from(&gate, &format!("sessionid={value}"), &Unasked, NOW);
        }
    }
}

#[test]
fn with_reject_a_good_cookie_goes_on() {
    let gate = session_gate(json!({"on_invalid": "reject"}));
    let sent = format!("sessionid={}", session("ORIGIN"));
    assert_sent(
        &gate,
        &format!("sessionid={}", session("OLD")),
        Some(&sent),
        &["fallback OLD"],
    );
    assert_as_it_came(&gate, "a=1", &[]);
}

#[test]
fn with_reject_one_deletion_is_sent_for_each_rule() {
    let messages = json!({
        "name": "messages", "format": "django-messages", "attributes": "Path=/", "on_invalid": "reject",
    });
    let rules = [
        with(session_rule(), json!({"on_invalid": "reject"})),
        messages,
    ];
    let gate = gate(pinned(), rules);
    let header = format!(
        "sessionid={}; sessionid=x; messages=y; messages=z",
        forged()
    );
    let Action::Reject(deletions) = judge(&gate, &header).action else {
        panic!("not rejected")
    };
    let names: Vec<String> = deletions.iter().map(|text| split_url(text).0).collect();
    assert_eq!(names, ["sessionid", "messages"]);
}

#[test]
fn with_reject_an_expired_session_is_stripped_so_that_the_login_page_stays_open() {
    let gate = session_gate(json!({"on_invalid": "reject", "max_age": 600}));
    let header = format!("a=1; sessionid={}", session_at("NEW", NOW - 601));
    assert_sent(&gate, &header, Some("a=1"), &["expired"]);
}

#[test]
fn a_session_is_expired_one_second_after_max_age() {
    let gate = session_gate(json!({"max_age": 600}));
    let header = |age| format!("sessionid={}", session_at("NEW", NOW - age));
    assert_eq!(judge(&gate, &header(600)).verdicts, ["current NEW"]);
    assert_sent(&gate, &header(601), None, &["expired"]);
    let forged = sessions().sign(key("STRANGER"), PAYLOAD, NOW - 601);
    let judged = judge(&gate, &format!("sessionid={forged}"));
    assert_eq!(
        judged.verdicts,
        ["bad-signature"],
        "only what is signed has an age"
    );
}

#[test]
fn without_max_age_a_session_never_expires() {
    let gate = session_gate(json!({}));
    let judged = judge(&gate, &format!("sessionid={}", session_at("NEW", 0)));
    assert_eq!(judged.verdicts, ["current NEW"]);
}

#[test]
fn with_forward_it_goes_on_as_it_came_and_good_ones_are_re_signed() {
    let keys = json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"});
    let gate = gate(
        keys,
        [with(
            session_rule(),
            json!({"on_invalid": "forward", "max_age": 600}),
        )],
    );
    for (value, verdict) in unverified() {
        assert_as_it_came(&gate, &format!("a=1; sessionid={value}"), &[verdict]);
    }
    let expired = session_at("ORIGIN", NOW - 601);
    assert_as_it_came(&gate, &format!("sessionid={expired}"), &["expired"]);
    let (shown, sent) = (session_at("NEW", NOW), session_at("ORIGIN", NOW));
    assert_sent(
        &gate,
        &format!("sessionid={shown}"),
        Some(&format!("sessionid={sent}")),
        &["current NEW"],
    );
}

#[test]
fn each_rule_has_its_own_on_invalid() {
    let keys = json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"});
    let messages = json!({
        "name": "messages", "format": "django-messages", "attributes": "Path=/", "on_invalid": "forward",
    });
    let gate = gate(keys, [session_rule(), messages]);
    assert_sent(
        &gate,
        &format!("messages=bad; sessionid={}", forged()),
        Some("messages=bad"),
        &["bad-signature", "malformed"],
    );
}
