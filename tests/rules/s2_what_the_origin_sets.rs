//! S2: a managed Set-Cookie that verifies under an origin key is sealed with the current key.

use serde_json::json;

use crate::django::{Hash, base64url, hash_layout, messages, sessions, signed_cookie};
use crate::support::*;

#[test]
fn it_is_sealed_with_the_current_key_payload_and_time_as_they_were() {
    let gate = session_gate(json!({}));
    for payload in [PAYLOAD, ".eJxVjDsOwjAQBe", "a:b:c", ""] {
        for time in [0, SIGNED, NOW, NOW + 300] {
            let set = sessions().sign(key("ORIGIN"), payload, time);
            let sealed = sessions().sign(key("NEW"), payload, time);
            assert_set(
                &gate,
                &[&format!("sessionid={set}; {ATTRIBUTES}")],
                &[&format!("sessionid={sealed}; {ATTRIBUTES}")],
                &["sealed NEW"],
            );
        }
    }
}

#[test]
fn everything_after_the_value_stays_to_the_byte() {
    let gate = session_gate(json!({}));
    for attributes in [
        "",
        ";",
        "; expires=Fri, 29 Jan 2027 08:00:00 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax; Secure",
        ";Path=/;  HttpOnly ;;secure;SAMESITE=none;Partitioned; x=y=z; Priority=\"High\"; \u{e9}",
        "; Path=/; sessionid=x; Path=/",
        " ; Path=/",
        "\t;Path=/",
    ] {
        let set = [format!("sessionid={}{attributes}", session("ORIGIN"))];
        let answer = answer(&gate, &[&set[0]]);
        let expected = [format!("sessionid={}{attributes}", session("NEW"))];
        assert_eq!(answer.set_cookies.as_deref(), Some(&expected[..]));
    }
}

#[test]
fn order_and_number_of_the_headers_stay() {
    let rule = json!({"name": "messages", "format": "django-messages", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [session_rule(), rule]);
    let text = signed(&messages(), "ORIGIN", PAYLOAD);
    let sealed = signed(&messages(), "NEW", PAYLOAD);
    let set = format!("sessionid={}; {ATTRIBUTES}", session("ORIGIN"));
    assert_set(
        &gate,
        &[
            "a=1",
            &format!("messages={text}; {ATTRIBUTES}"),
            "a=1",
            &set,
            "b=2; Path=/x",
        ],
        &[
            "a=1",
            &format!("messages={sealed}; {ATTRIBUTES}"),
            "a=1",
            &format!("sessionid={}; {ATTRIBUTES}", session("NEW")),
            "b=2; Path=/x",
        ],
        &["sealed NEW", "sealed NEW"],
    );
}

#[test]
fn a_cookie_that_is_set_twice_is_sealed_twice() {
    let gate = session_gate(json!({}));
    let set = |name: &str, time| format!("sessionid={}; {ATTRIBUTES}", session_at(name, time));
    assert_set(
        &gate,
        &[&set("ORIGIN", NOW - 1), &set("ORIGIN", NOW)],
        &[&set("NEW", NOW - 1), &set("NEW", NOW)],
        &["sealed NEW", "sealed NEW"],
    );
}

#[test]
fn every_key_of_an_origin_that_is_changing_its_own_verifies() {
    let keys = json!({
        "current": "NEW",
        "fallbacks": ["OLD"],
        "origin": {"current": "NEXT_ORIGIN", "fallbacks": ["ORIGIN", {"secret": "OLDER"}]},
    });
    let gate = gate(keys, [session_rule()]);
    let sealed = format!("sessionid={}; {ATTRIBUTES}", session("NEW"));
    for origin in ["NEXT_ORIGIN", "ORIGIN", "OLDER"] {
        let set = format!("sessionid={}; {ATTRIBUTES}", session(origin));
        assert_set(&gate, &[&set], &[&sealed], &["sealed NEW"]);
    }
    let set = format!("sessionid={}; {ATTRIBUTES}", session("OLD"));
    assert_set(&gate, &[&set], &[&set], &["origin-unverified"]);
    let sent = format!("sessionid={}", session("NEXT_ORIGIN"));
    assert_eq!(
        forwarded(&gate, &format!("sessionid={}", session("NEW"))),
        Some(sent)
    );
}

#[test]
fn the_origins_own_format_is_read_and_the_rules_is_written() {
    let gate = session_gate(json!({"origin": {"format": "django-session", "digest": "sha1"}}));
    let set = signed(&sessions().with(Hash::Sha1), "ORIGIN", PAYLOAD);
    assert_set(
        &gate,
        &[&format!("sessionid={set}; {ATTRIBUTES}")],
        &[&format!("sessionid={}; {ATTRIBUTES}", session("NEW"))],
        &["sealed NEW"],
    );
}

#[test]
fn an_origin_without_a_time_is_given_the_present_one() {
    let json = r#"[["__json_message",0,20,"Saved"]]"#;
    let rule = json!({
        "name": "messages", "format": "django-messages", "attributes": ATTRIBUTES,
        "origin": {"format": "django-messages", "layout": "hash"},
    });
    let gate = gate(pinned(), [rule]);
    let set = hash_layout(key("ORIGIN"), json);
    let sealed = messages().sign(key("NEW"), &base64url(json), NOW);
    assert_set(
        &gate,
        &[&format!("messages={set}; {ATTRIBUTES}")],
        &[&format!("messages={sealed}; {ATTRIBUTES}")],
        &["sealed NEW"],
    );
}

#[test]
fn a_plain_cookie_is_sealed_for_its_name_at_the_present_time() {
    let gate = wrapped_gate(json!({}));
    for payload in ["42", "a/b=c:d", "!#$%&'()*+-./:<=>?@[]^_`{|}~"] {
        let sealed = signed_cookie("user_id", "").sign(key("NEW"), payload, NOW);
        assert_set(
            &gate,
            &[&format!("user_id={payload}; {ATTRIBUTES}")],
            &[&format!("user_id={sealed}; {ATTRIBUTES}")],
            &["sealed NEW"],
        );
    }
}

#[test]
fn an_accepted_format_and_a_fallback_never_count_for_what_the_origin_sets() {
    let gate = session_gate(json!({"accept": [{"format": "django-session", "digest": "sha1"}]}));
    for value in [
        signed(&sessions().with(Hash::Sha1), "ORIGIN", PAYLOAD),
        session("NEW"),
        session("OLD"),
    ] {
        let set = format!("sessionid={value}; {ATTRIBUTES}");
        assert_set(&gate, &[&set], &[&set], &["origin-unverified"]);
    }
}
