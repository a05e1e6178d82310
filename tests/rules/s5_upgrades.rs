//! S5: an upgrade is sent only if all its conditions hold; else it is withheld with the first reason that
//! did not.

use countersign_core::gate::{Gate, ResponseDecision};
use serde_json::json;

use crate::django::{Hash, sessions, signed_cookie};
use crate::support::*;

/// What comes of the response to a request with a session under OLD.
fn upgrade(gate: &Gate, page: &Page, set_cookies: &[&str]) -> ResponseDecision {
    let judged = judge(gate, &format!("sessionid={}", session("OLD")));
    answer_to(gate, &judged.pending, page, set_cookies)
}

#[track_caller]
fn assert_upgraded(gate: &Gate, page: &Page) {
    let answer = upgrade(gate, page, &[]);
    assert_eq!(words(gate, &answer.events), ["upgraded NEW"], "{page:?}");
    let sent = answer.set_cookies.expect("an upgrade");
    assert_eq!(
        sent,
        [format!("sessionid={}; {ATTRIBUTES}", session("NEW"))]
    );
}

#[track_caller]
fn assert_withheld(gate: &Gate, page: &Page, reason: &str) {
    let answer = upgrade(gate, page, &["a=1"]);
    let expected = [format!("upgrade-withheld {reason}")];
    assert_eq!(words(gate, &answer.events), expected, "{page:?}");
    assert_eq!((answer.set_cookies, answer.private), (None, false));
}

fn usual() -> Gate {
    session_gate(json!({}))
}

#[test]
fn a_session_under_a_fallback_comes_out_under_the_current_key_payload_and_time_as_they_were() {
    let gate = usual();
    let answer = upgrade(&gate, &page(), &["a=1; Path=/", "b=2"]);
    assert_eq!(
        answer.set_cookies.unwrap(),
        [
            "a=1; Path=/",
            "b=2",
            &format!("sessionid={}; {ATTRIBUTES}", session("NEW"))
        ]
    );
    assert_eq!(words(&gate, &answer.events), ["upgraded NEW"]);
}

#[test]
fn a_session_in_an_older_format_comes_out_in_the_rules_own() {
    let gate = session_gate(json!({"accept": [{"format": "django-session", "digest": "sha1"}]}));
    for key_name in ["NEW", "OLD"] {
        let shown = signed(&sessions().with(Hash::Sha1), key_name, PAYLOAD);
        let judged = judge(&gate, &format!("sessionid={shown}"));
        let sent = answer_to(&gate, &judged.pending, &page(), &[])
            .set_cookies
            .unwrap();
        assert_eq!(
            sent,
            [format!("sessionid={}; {ATTRIBUTES}", session("NEW"))]
        );
    }
}

#[test]
fn a_session_under_the_current_key_is_due_none() {
    let gate = usual();
    for shown in [session("NEW"), forged()] {
        let judged = judge(&gate, &format!("sessionid={shown}"));
        let answer = answer_to(&gate, &judged.pending, &page(), &[]);
        assert!(answer.set_cookies.is_none() && answer.events.is_empty());
    }
}

#[test]
fn what_a_key_opens_that_says_upgrade_false_is_due_none() {
    let keys = json!({
        "current": "NEW",
        "fallbacks": [{"secret": "OLD", "upgrade": false}, {"secret": "OLDER", "upgrade": true}],
        "origin": "ORIGIN",
    });
    let gate = gate(keys, [session_rule()]);
    let judged = judge(&gate, &format!("sessionid={}", session("OLD")));
    assert_eq!(judged.verdicts, ["fallback OLD"]);
    assert!(
        answer_to(&gate, &judged.pending, &page(), &[])
            .set_cookies
            .is_none()
    );
    let judged = judge(&gate, &format!("sessionid={}", session("OLDER")));
    assert!(
        answer_to(&gate, &judged.pending, &page(), &[])
            .set_cookies
            .is_some()
    );
}

#[test]
fn each_rule_has_its_own_upgrade() {
    let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
    let user = signed_cookie("user_id", "");
    let header = format!(
        "user_id={}; sessionid={}",
        signed(&user, "OLD", "42"),
        session("OLD")
    );
    let judged = judge(&gate, &header);
    let answer = answer_to(&gate, &judged.pending, &page(), &[]);
    let mut sent = answer.set_cookies.unwrap();
    sent.sort();
    assert_eq!(
        sent,
        [
            format!("sessionid={}; {ATTRIBUTES}", session("NEW")),
            format!("user_id={}; {ATTRIBUTES}", signed(&user, "NEW", "42")),
        ]
    );
}

mod when_the_rule_allows_it {
    use super::*;

    #[test]
    fn never_withholds_it() {
        let gate = session_gate(json!({"upgrade": "never", "attributes": null}));
        assert_withheld(&gate, &page(), "never");
        let gate = session_gate(json!({"upgrade": "never"}));
        assert_withheld(&gate, &page(), "never");
    }

    #[test]
    fn always_sends_it_on_any_kind_of_request() {
        let gate = session_gate(json!({"upgrade": "always"}));
        for page in [
            page().method("POST"),
            page()
                .asked("sec-fetch-mode", "cors")
                .asked("sec-fetch-dest", "empty"),
            page().asked("sec-purpose", "prefetch"),
            page()
                .not_asked("sec-fetch-mode")
                .not_asked("sec-fetch-dest"),
        ] {
            assert_upgraded(&gate, &page);
        }
    }

    #[test]
    fn always_asks_for_all_the_other_conditions() {
        let gate = || session_gate(json!({"upgrade": "always"}));
        let fetched = || subrequest().method("POST");
        assert_upgraded(&gate(), &fetched());
        for (page, reason) in [
            (
                fetched().answered("clear-site-data", "*"),
                "clear-site-data",
            ),
            (fetched().status(206), "status"),
            (fetched().answered("cache-control", "public"), "cacheable"),
        ] {
            assert_withheld(&gate(), &page, reason);
        }
        let set = format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN"));
        let answer = upgrade(&gate(), &fetched(), &[&set]);
        assert_eq!(
            words(&gate(), &answer.events),
            ["sealed NEW", "upgrade-withheld response-sets-cookie"]
        );
        let observed = gate();
        crate::support::answer(&observed, &[&set.replace("Path=/", "Path=/app")]);
        assert_withheld(&observed, &fetched(), "attributes-differ");
    }

    fn framed(dest: &str, site: &str) -> Page {
        page()
            .asked("sec-fetch-dest", dest)
            .asked("sec-fetch-site", site)
    }

    #[test]
    fn a_navigation_is_told_by_the_fetch_metadata() {
        for page in [
            page(),
            page().method("HEAD"),
            page().not_asked("sec-fetch-dest"),
            page().asked("accept", "*/*"),
            page().asked("sec-fetch-dest", "empty"),
            framed("iframe", "same-origin"),
            framed("frame", "same-origin"),
            page().asked("purpose", "x"),
        ] {
            assert_upgraded(&usual(), &page);
        }
        for page in [
            page().method("POST"),
            page().method("PUT"),
            page().method("get"),
            page().asked("sec-fetch-mode", "cors"),
            page().asked("sec-fetch-mode", "no-cors"),
            page().asked("sec-fetch-mode", "same-origin"),
            page().asked("sec-fetch-mode", "nested-navigate"),
            page()
                .asked("sec-fetch-mode", "cors")
                .asked("sec-fetch-dest", "empty"),
            page().asked("sec-fetch-dest", "iframe"),
            framed("iframe", "same-site"),
            framed("iframe", "cross-site"),
            framed("frame", "none"),
            framed("fencedframe", "same-origin"),
            framed("embed", "same-origin"),
            page().asked("sec-fetch-dest", "image"),
            page().asked("purpose", "prefetch"),
            page().asked("purpose", "Prefetch"),
            page().asked("x-moz", "prefetch"),
            page()
                .asked("sec-fetch-dest", "empty")
                .asked("sec-purpose", "prefetch"),
            page().asked("sec-purpose", "prefetch"),
            page().asked("sec-purpose", "prefetch;prerender"),
            page().not_asked("sec-fetch-mode"),
            page()
                .not_asked("sec-fetch-mode")
                .asked("accept", "text/html"),
        ] {
            assert_withheld(&usual(), &page, "not-navigation");
        }
    }

    #[test]
    fn without_fetch_metadata_it_is_told_by_what_the_browser_accepts() {
        let bare = || {
            page()
                .not_asked("sec-fetch-mode")
                .not_asked("sec-fetch-dest")
        };
        for accept in [
            "text/html",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "Text/HTML;q=0.9",
        ] {
            assert_upgraded(&usual(), &bare().asked("accept", accept));
            assert_upgraded(&usual(), &bare().asked("accept", accept).method("HEAD"));
        }
        for page in [
            bare(),
            bare().asked("accept", "*/*"),
            bare().asked("accept", "application/json"),
            bare().asked("accept", "text/html").method("POST"),
            bare()
                .asked("accept", "text/html")
                .asked("sec-purpose", "prefetch"),
            bare()
                .asked("accept", "text/html")
                .asked("x-moz", "prefetch"),
            bare()
                .asked("accept", "text/html")
                .asked("purpose", "prefetch"),
            bare()
                .asked("accept", "text/html")
                .asked("sec-fetch-dest", "document"),
        ] {
            assert_withheld(&usual(), &page, "not-navigation");
        }
    }
}

mod when_exactly_one_cookie_verified {
    use super::*;

    fn verdicts(shown: &[String]) -> Vec<String> {
        let gate = usual();
        let pairs: Vec<String> = shown
            .iter()
            .map(|value| format!("sessionid={value}"))
            .collect();
        let judged = judge(&gate, &pairs.join("; "));
        let answer = answer_to(&gate, &judged.pending, &page(), &[]);
        words(&gate, &answer.events)
    }

    #[test]
    fn two_that_verified_withhold_it() {
        let (old, new) = (session("OLD"), session("NEW"));
        for shown in [
            [old.clone(), new.clone()],
            [new.clone(), old.clone()],
            [old.clone(), old.clone()],
            [old.clone(), session_at("OLD", NOW)],
        ] {
            assert_eq!(verdicts(&shown), ["upgrade-withheld duplicate"]);
        }
    }

    #[test]
    fn one_that_was_refused_beside_it_does_not() {
        assert_eq!(verdicts(&[forged(), session("OLD")]), ["upgraded NEW"]);
        assert_eq!(
            verdicts(&[session("OLD"), "x".to_owned()]),
            ["upgraded NEW"]
        );
    }
}

mod when_the_response_leaves_the_cookie_alone {
    use super::*;

    #[test]
    fn one_that_sets_or_deletes_it_withholds_it() {
        let gate = usual();
        for (set, verdict) in [
            (
                format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN")),
                "sealed NEW",
            ),
            (format!("sessionid=; {ATTRIBUTES}"), "deletion"),
            (
                format!("sessionid={}; {ATTRIBUTES}", forged()),
                "origin-unverified",
            ),
        ] {
            let answer = upgrade(&gate, &page(), &[&set]);
            assert_eq!(
                words(&gate, &answer.events),
                [verdict, "upgrade-withheld response-sets-cookie"]
            );
            assert!(answer.set_cookies.is_none_or(|sent| sent.len() == 1));
        }
    }

    #[test]
    fn one_that_sets_another_cookie_does_not() {
        let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
        let answer = upgrade(
            &gate,
            &page(),
            &[&format!("user_id=42; {ATTRIBUTES}"), "a=1"],
        );
        assert_eq!(words(&gate, &answer.events), ["sealed NEW", "upgraded NEW"]);
    }

    #[test]
    fn one_that_clears_the_browsers_data_withholds_it() {
        for directive in ["\"cookies\"", "\"cache\"", "*"] {
            let page = page().answered("clear-site-data", directive);
            assert_withheld(&usual(), &page, "clear-site-data");
        }
    }
}

#[test]
fn a_status_that_is_no_whole_answer_withholds_it() {
    for status in [100, 101, 103, 199, 206, 304, 600, 999] {
        assert_withheld(&usual(), &page().status(status), "status");
    }
    for status in [200, 201, 204, 302, 307, 403, 404, 500, 503] {
        assert_upgraded(&usual(), &page().status(status));
    }
}

#[test]
fn a_response_that_took_over_two_seconds_withholds_it() {
    let gate = usual();
    let header = format!("sessionid={}", session("OLD"));
    for (took_ms, expected) in [
        (0, "upgraded NEW"),
        (1_999, "upgraded NEW"),
        (2_001, "upgrade-withheld late"),
        (60_000, "upgrade-withheld late"),
    ] {
        let asked_ms = NOW * 1000 + 250;
        let decision = gate.request(Some(&header), &page(), asked_ms).unwrap();
        let answer = gate.response(&[""; 0], &decision.pending, &page(), asked_ms + took_ms);
        assert_eq!(words(&gate, &answer.events), [expected], "{took_ms} ms");
    }
}

mod when_no_shared_cache_may_store_the_response {
    use super::*;

    /// Asserts that an upgrade is sent, and whether `Cache-Control: private` has to be added.
    #[track_caller]
    fn assert_sent_with(page: &Page, private: bool) {
        let gate = usual();
        let answer = upgrade(&gate, page, &[]);
        assert_eq!(words(&gate, &answer.events), ["upgraded NEW"], "{page:?}");
        assert_eq!(answer.private, private, "{page:?}");
    }

    #[test]
    fn private_or_no_store_is_enough() {
        for control in [
            "private",
            "no-store",
            "Private",
            "NO-STORE",
            "max-age=0, private",
            "private,max-age=600",
            "no-cache, no-store, must-revalidate",
            "public, no-store",
        ] {
            let page = page().answered("cache-control", control);
            assert_sent_with(&page, false);
            assert_sent_with(
                &page.answered("expires", "Fri, 31 Dec 2099 23:59:59 GMT"),
                false,
            );
        }
        let twice = page()
            .answered("cache-control", "max-age=60")
            .answered("cache-control", "private");
        assert_sent_with(&twice, false);
    }

    #[test]
    fn a_response_that_says_nothing_is_made_private() {
        assert_sent_with(&page(), true);
        for status in ["DYNAMIC", "BYPASS"] {
            assert_sent_with(&page().answered("cf-cache-status", status), true);
        }
        for (name, value) in [
            ("vary", "Cookie"),
            ("etag", "\"1\""),
            ("pragma", "no-cache"),
            ("age", "0"),
        ] {
            assert_sent_with(&page().answered(name, value), true);
        }
    }

    #[test]
    fn anything_else_that_is_said_of_caching_withholds_it() {
        for control in [
            "public",
            "max-age=60",
            "max-age=0",
            "no-cache",
            "must-revalidate",
            "s-maxage=1",
            "private=\"set-cookie\"",
            "no-store=\"x\"",
            "max-age=60, private=\"x\"",
            "x-private",
            "",
        ] {
            assert_withheld(
                &usual(),
                &page().answered("cache-control", control),
                "cacheable",
            );
        }
        for name in [
            "expires",
            "surrogate-control",
            "cdn-cache-control",
            "cloudflare-cdn-cache-control",
        ] {
            assert_withheld(&usual(), &page().answered(name, "max-age=60"), "cacheable");
        }
        for status in [
            "HIT",
            "MISS",
            "EXPIRED",
            "REVALIDATED",
            "STALE",
            "UPDATING",
            "NONE",
        ] {
            assert_withheld(
                &usual(),
                &page().answered("cf-cache-status", status),
                "cacheable",
            );
        }
    }

    #[test]
    fn a_field_name_in_a_quoted_list_is_no_private() {
        for control in [
            "private=\"x-a, private, x-b\", max-age=60",
            "no-cache=\"a, no-store, b\"",
        ] {
            assert_withheld(
                &usual(),
                &page().answered("cache-control", control),
                "cacheable",
            );
        }
    }

    #[test]
    fn in_observe_nothing_is_made_private() {
        let keys = json!({"current": "ORIGIN", "fallbacks": ["OLD"], "origin": "ORIGIN"});
        let gate = gate_of(with(
            config(keys, [session_rule()]),
            json!({"mode": "observe"}),
        ));
        let answer = upgrade(&gate, &page(), &[]);
        assert_eq!((answer.set_cookies, answer.private), (None, false));
    }
}

mod when_the_origin_sets_the_cookie_where_attributes_say {
    use super::*;

    /// What is told of a Set-Cookie with other attributes than [`ATTRIBUTES`], each of which withholds upgrades.
    const OTHERWISE: [(&str, &[&str]); 12] = [
        ("Path=/app; HttpOnly; Secure; SameSite=Lax", &["path"]),
        ("HttpOnly; Secure; SameSite=Lax", &["path"]),
        (
            "Path=/; Path=/app",
            &["path", "secure", "http-only", "same-site"],
        ),
        (
            "Path=/; Domain=example.com; HttpOnly; Secure",
            &["domain", "same-site"],
        ),
        (
            "Path=/; Secure; Partitioned; samesite=lax",
            &["partitioned", "http-only"],
        ),
        ("Path=/; HttpOnly; Secure", &["same-site"]),
        ("Path=/; HttpOnly; Secure; SameSite=Strict", &["same-site"]),
        ("Path=/; HttpOnly; Secure; SameSite=None", &["same-site"]),
        (
            "Path=/; HttpOnly; Secure; SameSite=Lax; SameSite=x",
            &["same-site"],
        ),
        (
            "Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=60",
            &["persistence"],
        ),
        (
            "Path=/; HttpOnly; Secure; SameSite=Lax; Expires=Fri, 31 Dec 2099 23:59:59 GMT",
            &["persistence"],
        ),
        (
            "Path=/; Max-Age=60",
            &["secure", "http-only", "same-site", "persistence"],
        ),
    ];

    fn told_of(gate: &Gate, attributes: &str) -> Vec<String> {
        let set = format!("sessionid={}; {attributes}", session("ORIGIN"));
        let answer = answer(gate, &[&set]);
        let sealed = format!("sessionid={}; {attributes}", session("NEW"));
        assert_eq!(
            answer.set_cookies.unwrap(),
            [sealed],
            "it is sealed all the same"
        );
        words(gate, &answer.events)
    }

    #[track_caller]
    fn assert_told(gate: &Gate, attributes: &str, differences: &[&str]) {
        let differences = differences
            .iter()
            .map(|it| format!("attributes-differ {it}"));
        let expected: Vec<String> = differences.chain(["sealed NEW".to_owned()]).collect();
        assert_eq!(told_of(gate, attributes), expected, "{attributes}");
    }

    #[test]
    fn one_that_was_seen_otherwise_withholds_every_later_upgrade() {
        for (attributes, differences) in OTHERWISE {
            let gate = usual();
            assert_upgraded(&gate, &page());
            assert_told(&gate, attributes, differences);
            for _ in 0..3 {
                assert_withheld(&gate, &page(), "attributes-differ");
            }
        }
    }

    #[test]
    fn the_same_in_another_writing_is_no_difference() {
        for attributes in [
            ATTRIBUTES,
            "path=/; SECURE; httponly; samesite=LAX",
            "Path=/app; Path=/; Secure=1; HttpOnly=x; SameSite=Strict; SameSite=Lax; Priority=High",
            "Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=soon; Expires=soon",
        ] {
            let gate = usual();
            assert_told(&gate, attributes, &[]);
            assert_upgraded(&gate, &page());
        }
    }

    #[test]
    fn how_long_it_lasts_is_the_rules_own_matter() {
        let gate = session_gate(json!({"attributes": format!("{ATTRIBUTES}; Max-Age=1209600")}));
        for lifetime in ["Max-Age=60", "Expires=Fri, 31 Dec 2099 23:59:59 GMT"] {
            assert_told(&gate, &format!("{ATTRIBUTES}; {lifetime}"), &[]);
        }
        assert_told(&gate, ATTRIBUTES, &["persistence"]);
    }

    #[test]
    fn http_only_and_secure_that_the_rule_adds_are_told_and_withhold_nothing() {
        for (attributes, differences) in [
            ("Path=/; Secure; SameSite=Lax", &["http-only"][..]),
            ("Path=/; HttpOnly; SameSite=Lax", &["secure"]),
            ("Path=/; SameSite=Lax", &["secure", "http-only"]),
        ] {
            let gate = usual();
            assert_told(&gate, attributes, differences);
            assert_upgraded(&gate, &page());
        }
    }

    #[test]
    fn http_only_and_secure_that_the_rule_would_take_away_withhold_it() {
        for (attributes, difference) in [
            ("Path=/; Secure", "secure"),
            ("Path=/; HttpOnly", "http-only"),
        ] {
            let gate = session_gate(json!({"attributes": "Path=/"}));
            assert_told(&gate, attributes, &[difference]);
            assert_withheld(&gate, &page(), "attributes-differ");
        }
    }

    #[test]
    fn of_a_deletion_only_the_place_counts() {
        for deletion in [
            "Path=/; Max-Age=0",
            "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "Path=/; Partitioned; SameSite=None; Max-Age=0",
        ] {
            let gate = usual();
            let answer = answer(&gate, &[&format!("sessionid=x; {deletion}")]);
            assert_eq!(words(&gate, &answer.events), ["deletion"], "{deletion}");
            assert_upgraded(&gate, &page());
        }
        let gate = usual();
        let answer = answer(&gate, &["sessionid=; Path=/app; Domain=example.com"]);
        assert_eq!(
            words(&gate, &answer.events),
            [
                "attributes-differ path",
                "attributes-differ domain",
                "deletion"
            ]
        );
        assert_withheld(&gate, &page(), "attributes-differ");
    }

    #[test]
    fn the_domain_is_compared_as_browsers_do() {
        let attributes = "Path=/; Domain=example.com";
        let gate = session_gate(json!({"attributes": attributes}));
        let set = format!(
            "sessionid={}; Domain=.EXAMPLE.com; Path=/",
            session("ORIGIN")
        );
        assert_eq!(words(&gate, &answer(&gate, &[&set]).events), ["sealed NEW"]);
    }

    #[test]
    fn it_is_told_of_a_cookie_that_does_not_verify_too() {
        let gate = usual();
        let answer = answer(&gate, &[&format!("sessionid={}; Path=/app", forged())]);
        let mut verdicts = words(&gate, &answer.events);
        verdicts.sort();
        let differences = ["http-only", "path", "same-site", "secure"];
        let mut expected = differences
            .map(|it| format!("attributes-differ {it}"))
            .to_vec();
        expected.push("origin-unverified".to_owned());
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn it_is_told_in_observe_too() {
        let config = config(first_day(), [session_rule()]);
        let gate = gate_of(with(config, json!({"mode": "observe"})));
        let answer = answer(
            &gate,
            &[&format!("sessionid={}; Path=/app", session("ORIGIN"))],
        );
        assert!(words(&gate, &answer.events).contains(&"attributes-differ path".to_owned()));
        assert!(answer.set_cookies.is_none());
    }

    #[test]
    fn another_rules_cookie_or_one_of_no_rule_counts_not() {
        let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
        answer(&gate, &["user_id=42; Path=/app", "a=1; Path=/b"]);
        assert_upgraded(&gate, &page());
    }

    #[test]
    fn another_isolate_has_not_seen_it() {
        answer(
            &usual(),
            &[&format!("sessionid={}; Path=/app", session("ORIGIN"))],
        );
        assert_upgraded(&usual(), &page());
    }
}

/// Chromium 156 says so of a frame in another site's page whose service worker passes the page load on, and of a link
/// that is followed from there.
#[test]
fn a_page_that_may_be_a_frame_of_another_sites_gets_none_through_a_service_worker_either() {
    let passed_on = |site: &str| {
        page()
            .asked("sec-fetch-dest", "empty")
            .asked("sec-fetch-site", site)
    };
    for site in ["cross-site", "same-site"] {
        assert_withheld(&usual(), &passed_on(site), "not-navigation");
    }
    for site in ["same-origin", "none"] {
        assert_upgraded(&usual(), &passed_on(site));
    }
}

/// Another request of the same browser is answered while the page is under way.
mod superseded {
    use super::*;
    use crate::support::Judged;

    /// The page is asked for with this cookie, another request is answered, then the page is.
    fn told_after(
        gate: &Gate,
        shown: &str,
        other: &str,
        answered: &Page,
        set: &[&str],
    ) -> Vec<String> {
        let asked = judge(gate, shown);
        let judged = judge(gate, other);
        answer_to(gate, &judged.pending, answered, set);
        told(gate, &asked, 0)
    }

    /// What comes of the page, so many milliseconds later.
    fn told(gate: &Gate, asked: &Judged, later_ms: u64) -> Vec<String> {
        let none: [&str; 0] = [];
        let answer = gate.response(&none, &asked.pending, &page(), NOW * 1000 + later_ms);
        let is_sent = answer.set_cookies.is_some();
        let told = words(gate, &answer.events);
        assert_eq!(is_sent, told == ["upgraded NEW"]);
        told
    }

    const WITHHELD: &str = "upgrade-withheld superseded";

    fn shown(key_name: &str) -> String {
        format!("sessionid={}", session(key_name))
    }

    #[test]
    fn a_logout_that_was_answered_first_withholds_it() {
        for deletion in [
            "sessionid=; Path=/; Max-Age=0",
            "sessionid=\"\"; Path=/; Max-Age=0",
            "sessionid=",
        ] {
            let (gate, old) = (usual(), shown("OLD"));
            assert_eq!(
                told_after(&gate, &old, &old, &subrequest(), &[deletion]),
                [WITHHELD]
            );
        }
    }

    #[test]
    fn a_newer_cookie_that_was_set_first_withholds_it() {
        let (gate, old) = (usual(), shown("OLD"));
        let newer = format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "ORIGIN", "{\"basket\":1}")
        );
        assert_eq!(
            told_after(&gate, &old, &old, &page(), &[&newer]),
            [WITHHELD]
        );
    }

    #[test]
    fn one_that_says_the_same_loses_nothing_and_withholds_nothing() {
        let (gate, old) = (usual(), shown("OLD"));
        let again = format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN"));
        assert_eq!(
            told_after(&gate, &old, &old, &page(), &[&again]),
            ["upgraded NEW"]
        );
    }

    #[test]
    fn data_that_were_cleared_first_withhold_it() {
        let (gate, old) = (usual(), shown("OLD"));
        let cleared = page().answered("clear-site-data", "\"cookies\"");
        assert_eq!(told_after(&gate, &old, &old, &cleared, &[]), [WITHHELD]);
    }

    #[test]
    fn a_logout_with_the_upgraded_cookie_withholds_it() {
        let gate = usual();
        let deletion = ["sessionid=; Path=/; Max-Age=0"];
        assert_eq!(
            told_after(&gate, &shown("OLD"), &shown("NEW"), &page(), &deletion),
            [WITHHELD]
        );
    }

    #[test]
    fn one_asked_for_before_the_browser_heard_of_the_logout_is_withheld_too() {
        let (gate, old) = (usual(), shown("OLD"));
        let judged = judge(&gate, &old);
        answer_to(
            &gate,
            &judged.pending,
            &page(),
            &["sessionid=; Path=/; Max-Age=0"],
        );
        let asked = judge(&gate, &old);
        assert_eq!(told(&gate, &asked, 1_000), [WITHHELD]);
    }

    #[test]
    fn after_ten_seconds_it_is_sent() {
        let (gate, old) = (usual(), shown("OLD"));
        let judged = judge(&gate, &old);
        answer_to(
            &gate,
            &judged.pending,
            &page(),
            &["sessionid=; Path=/; Max-Age=0"],
        );
        for (later_s, expected) in [(10, WITHHELD), (11, "upgraded NEW")] {
            let asked = judge_at(&gate, &old, NOW + later_s);
            assert_eq!(told(&gate, &asked, later_s * 1_000), [expected]);
        }
    }

    #[test]
    fn the_logout_of_one_copy_of_two_withholds_both() {
        let (gate, old) = (usual(), shown("OLD"));
        let other = format!("sessionid={}", signed(&sessions(), "OLD", "{\"other\":1}"));
        let both = format!("{other}; {old}");
        for shown in [&old, &other] {
            let told = told_after(
                &gate,
                shown,
                &both,
                &page(),
                &["sessionid=; Path=/; Max-Age=0"],
            );
            assert_eq!(told, [WITHHELD]);
        }
    }

    #[test]
    fn another_session_another_rule_and_an_answer_that_sets_nothing_withhold_nothing() {
        let user = signed_cookie("user_id", "");
        let user = format!("user_id={}", signed(&user, "OLD", "42"));
        let other = format!("sessionid={}", signed(&sessions(), "OLD", "{\"other\":1}"));
        for (other, set) in [
            (&other, &["sessionid=; Path=/; Max-Age=0"][..]),
            (&user, &["user_id=; Path=/; Max-Age=0"]),
            (&shown("OLD"), &["a=; Path=/; Max-Age=0"]),
            (&shown("OLD"), &[]),
        ] {
            let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
            let told = told_after(&gate, &shown("OLD"), other, &subrequest(), set);
            assert_eq!(told, ["upgraded NEW"], "{other} {set:?}");
        }
    }

    #[test]
    fn another_isolate_has_not_seen_it() {
        let (gate, old) = (usual(), shown("OLD"));
        let asked = judge(&gate, &old);
        let other = usual();
        let judged = judge(&other, &old);
        answer_to(
            &other,
            &judged.pending,
            &page(),
            &["sessionid=; Path=/; Max-Age=0"],
        );
        assert_eq!(told(&gate, &asked, 0), ["upgraded NEW"]);
    }
}

mod the_first_reason_is_told {
    use super::*;

    /// Pages and headers that break ever more conditions, from the last to the first.
    #[test]
    fn in_the_order_of_the_rule() {
        let gate = usual();
        answer(
            &gate,
            &[&format!("sessionid={}; Path=/app", session("ORIGIN"))],
        );
        let header = format!("sessionid={}", session("OLD"));
        let twice = format!("{header}; {header}");
        let set = [format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN"))];
        let told = |header: &str, page: &Page, set: &[String], took_ms| {
            let decision = gate.request(Some(header), page, NOW * 1000).unwrap();
            let answer = gate.response(set, &decision.pending, page, NOW * 1000 + took_ms);
            words(&gate, &answer.events).pop().unwrap()
        };
        let page = page();
        assert_eq!(
            told(&header, &page, &[], 0),
            "upgrade-withheld attributes-differ"
        );
        let page = page.answered("cache-control", "public");
        assert_eq!(told(&header, &page, &[], 0), "upgrade-withheld cacheable");
        assert_eq!(told(&header, &page, &[], 3_000), "upgrade-withheld late");
        let page = page.status(304);
        assert_eq!(told(&header, &page, &[], 3_000), "upgrade-withheld status");
        let page = page.answered("clear-site-data", "\"cookies\"");
        assert_eq!(
            told(&header, &page, &[], 3_000),
            "upgrade-withheld clear-site-data"
        );
        assert_eq!(
            told(&header, &page, &set, 3_000),
            "upgrade-withheld response-sets-cookie"
        );
        assert_eq!(
            told(&twice, &page, &set, 3_000),
            "upgrade-withheld duplicate"
        );
        let page = page.method("POST");
        assert_eq!(
            told(&twice, &page, &set, 3_000),
            "upgrade-withheld not-navigation"
        );
    }
}

mod what_is_left_of_max_age {
    use super::*;

    /// The attributes of an upgrade of a session that is so old.
    fn attributes(of_rule: &str, age: i64) -> Option<Vec<String>> {
        let gate = session_gate(json!({"attributes": of_rule, "upgrade": "always"}));
        let signed_at = NOW.checked_add_signed(-age).unwrap();
        let judged = judge(
            &gate,
            &format!("sessionid={}", session_at("OLD", signed_at)),
        );
        let sent = answer_to(&gate, &judged.pending, &page(), &[]).set_cookies?;
        let (name, value, attributes) = split_url(&sent[0]);
        assert_eq!(
            (name, value),
            ("sessionid".to_owned(), session_at("NEW", signed_at))
        );
        Some(attributes)
    }

    #[test]
    fn it_is_counted_from_the_signed_time() {
        for (age, left) in [(0, 600), (1, 599), (599, 1)] {
            let expected = [
                "HttpOnly".to_owned(),
                format!("Max-Age={left}"),
                "Path=/".to_owned(),
            ];
            assert_eq!(
                attributes("Path=/; HttpOnly; Max-Age=600", age).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn it_never_exceeds_what_the_rule_says() {
        let expected = ["Max-Age=600", "Path=/"];
        assert_eq!(attributes("Path=/; Max-Age=600", -300).unwrap(), expected);
    }

    #[test]
    fn where_nothing_is_left_no_upgrade_is_sent() {
        for age in [600, 601, 1_000_000] {
            assert_eq!(attributes("Path=/; Max-Age=600", age), None, "{age} s");
        }
    }

    #[test]
    fn without_it_the_attributes_are_sent_as_they_stand() {
        let expected = [
            "Domain=Example.com",
            "Path=/",
            "Priority=High",
            "SameSite=none",
            "secure",
        ];
        let of_rule = "Path=/; secure; SameSite=none; Domain=Example.com; Priority=High";
        assert_eq!(attributes(of_rule, 1_000_000).unwrap(), expected);
    }

    #[test]
    fn a_format_without_a_time_keeps_all_of_it() {
        let rule = json!({
            "name": "prefs", "format": "django-signer", "salt": "s", "timestamp": false,
            "attributes": "Path=/; Max-Age=600",
        });
        let gate = gate(pinned(), [rule]);
        let signer = crate::django::Signer {
            timed: false,
            ..crate::django::signer("s")
        };
        let judged = judge(&gate, &format!("prefs={}", signed(&signer, "OLD", "dark")));
        let sent = answer_to(&gate, &judged.pending, &page(), &[])
            .set_cookies
            .unwrap();
        let value = signed(&signer, "NEW", "dark");
        assert_eq!(sent, [format!("prefs={value}; Path=/; Max-Age=600")]);
    }
}
