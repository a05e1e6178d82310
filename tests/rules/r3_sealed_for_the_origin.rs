//! R3: a verified cookie is sealed for the origin, payload and timestamp as they were.

use serde_json::json;

use crate::django::{
    Hash, base64url, hash_layout, messages, quoted, sessions, signed_cookie, signed_cookie_v1,
};
use crate::support::*;

#[test]
fn the_origin_gets_the_same_payload_and_time_under_its_own_key() {
    let gate = session_gate(json!({}));
    let compressed = ".eJxVjDsOwjAQBe_iGlkbf3ZtSnrO";
    for payload in [PAYLOAD, compressed, "a:b:c", ":", ""] {
        for time in [0, 1, 61, 62, SIGNED, NOW + 300] {
            for key_name in ["NEW", "OLD"] {
                let shown = sessions().sign(key(key_name), payload, time);
                let sent = sessions().sign(key("ORIGIN"), payload, time);
                assert_eq!(
                    forwarded(&gate, &format!("sessionid={shown}")),
                    Some(format!("sessionid={sent}"))
                );
            }
        }
    }
}

#[test]
fn a_value_that_comes_out_the_same_is_left_alone() {
    let keys = json!({"current": "NEW", "fallbacks": ["ORIGIN"], "origin": "ORIGIN"});
    let gate = gate(keys, [session_rule()]);
    let header = format!("a=1 ;  sessionid={}  ;b", session("ORIGIN"));
    assert_as_it_came(&gate, &header, &["fallback ORIGIN"]);
}

#[test]
fn keys_with_the_same_bytes_are_the_same_key_whatever_their_names() {
    let keys = json!({"current": "NEW", "fallbacks": [], "origin": "NEW_TWIN"});
    let gate = gate(keys, [session_rule()]);
    let header = format!("sessionid={}", session("NEW"));
    assert_as_it_came(&gate, &header, &["current NEW"]);
}

#[test]
fn what_python_quotes_on_the_wire_comes_out_quoted_the_same_way() {
    let rule = json!({"name": "note", "format": "django-signed-cookie", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let signer = signed_cookie("note", "");
    for payload in [
        "two words",
        "semi;colon, comma",
        "quo\"te and back\\slash",
        "caf\u{e9} \u{ff}\u{80}",
        "\u{1}\u{1f}\u{7f}\t",
        "(a)/<b>=?@[c]{d}",
        "",
    ] {
        let (shown, sent) = (
            signed(&signer, "OLD", payload),
            signed(&signer, "ORIGIN", payload),
        );
        assert_eq!(
            forwarded(&gate, &format!("note={shown}; a=1")),
            Some(format!("note={sent}; a=1")),
            "{payload:?}"
        );
    }
}

#[test]
fn a_raw_value_is_sealed_as_django_would_write_it() {
    let rule = json!({"name": "note", "format": "django-signed-cookie", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let raw = signed_cookie("note", "").sign_raw(key("NEW"), "caf\u{e9} (x)", SIGNED);
    let sent = signed(&signed_cookie("note", ""), "ORIGIN", "caf\u{e9} (x)");
    assert_eq!(
        forwarded(&gate, &format!("note={raw}")),
        Some(format!("note={sent}"))
    );
}

#[test]
fn another_digest_or_salt_scheme_of_the_origin_is_met() {
    for (digest, hash) in [
        ("sha1", Hash::Sha1),
        ("sha256", Hash::Sha256),
        ("sha384", Hash::Sha384),
        ("sha512", Hash::Sha512),
    ] {
        let origin = json!({"origin": {"format": "django-session", "digest": digest}});
        let sent = signed(&sessions().with(hash), "ORIGIN", PAYLOAD);
        assert_eq!(
            forwarded(
                &session_gate(origin),
                &format!("sessionid={}", session("NEW"))
            ),
            Some(format!("sessionid={sent}")),
            "{digest}"
        );
    }

    let rule = json!({
        "name": "note", "format": "django-signed-cookie", "salt": "s", "attributes": ATTRIBUTES,
        "origin": {"format": "django-signed-cookie", "salt": "s", "scheme": "v1", "digest": "sha1"},
    });
    let gate = crate::support::gate(pinned(), [rule]);
    let shown = signed(&signed_cookie("note", "s"), "NEW", "hello");
    let sent = signed(
        &signed_cookie_v1("note", "s").with(Hash::Sha1),
        "ORIGIN",
        "hello",
    );
    assert_eq!(
        forwarded(&gate, &format!("note={shown}")),
        Some(format!("note={sent}"))
    );
}

#[test]
fn messages_go_to_an_origin_of_the_older_layout() {
    let json = r#"[["__json_message",0,20,"Saved; \"it\", caf\u00e9"]]"#;
    let rule = json!({
        "name": "messages", "format": "django-messages", "attributes": ATTRIBUTES,
        "origin": {"format": "django-messages", "layout": "hash"},
    });
    let gate = gate(pinned(), [rule]);
    let shown = signed(&messages(), "NEW", &base64url(json));
    let sent = hash_layout(key("ORIGIN"), json);
    assert_eq!(
        forwarded(&gate, &format!("messages={shown}")),
        Some(format!("messages={sent}"))
    );
}

#[test]
fn a_plain_origin_gets_the_payload_alone() {
    let gate = wrapped_gate(json!({}));
    let octets = "!#$%&'()*+-./0189:<=>?@AZ[]^_`az{|}~";
    for payload in ["42", octets] {
        let shown = signed(&signed_cookie("user_id", ""), "NEW", payload);
        assert_sent(
            &gate,
            &format!("a=1; user_id={shown}; b=2"),
            Some(&format!("a=1; user_id={payload}; b=2")),
            &["current NEW"],
        );
    }
}

#[test]
fn a_payload_that_would_not_stay_one_cookie_is_malformed_for_a_plain_origin() {
    let gate = wrapped_gate(json!({}));
    for payload in [
        "42; admin=1",
        "42;",
        "4 2",
        "4,2",
        "\"42\"",
        "4\\2",
        "4\u{7f}2",
        "4\t2",
        "caf\u{e9}",
        "4\r\nSet-Cookie: a=b",
    ] {
        let shown = signed(&signed_cookie("user_id", ""), "NEW", payload);
        assert_sent(
            &gate,
            &format!("a=1; user_id={shown}"),
            Some("a=1"),
            &["malformed"],
        );
    }
}

#[test]
fn a_character_that_django_cannot_send_is_malformed() {
    let rule = json!({"name": "note", "format": "django-signed-cookie", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let raw = |text| signed_cookie("note", "").sign_raw(key("NEW"), text, SIGNED);
    assert_sent(
        &gate,
        &format!("a=1; note={}", raw("\u{100}")),
        Some("a=1"),
        &["malformed"],
    );
    let sent = signed(&signed_cookie("note", ""), "ORIGIN", "\u{ff}");
    assert_eq!(
        forwarded(&gate, &format!("note={}", raw("\u{ff}"))),
        Some(format!("note={sent}"))
    );
}

#[test]
fn what_a_plain_origin_sets_is_malformed_where_it_is_no_cookie_octets() {
    let gate = wrapped_gate(json!({}));
    for value in ["4 2", "4,2", "\"42\"", "4\\2", "caf\u{e9}"] {
        let header = format!("user_id={value}; Path=/; HttpOnly; Secure; SameSite=Lax");
        assert_set(&gate, &[&header], &[&header], &["malformed"]);
    }
    let sealed = signed_cookie("user_id", "").sign(key("NEW"), "42", NOW);
    assert_set(
        &gate,
        &[&format!("user_id=42; {ATTRIBUTES}")],
        &[&format!("user_id={sealed}; {ATTRIBUTES}")],
        &["sealed NEW"],
    );
}

#[test]
fn an_empty_text_is_quoted_as_python_quotes_it() {
    assert_eq!(quoted(""), "\"\"");
}

#[test]
fn for_the_same_key_only_a_spelling_that_hides_a_managed_cookie_is_written_anew() {
    let rule = json!({"name": "note", "format": "django-signed-cookie", "attributes": ATTRIBUTES});
    let gate = gate(first_day(), [rule, session_rule()]);
    let raw = |text| signed_cookie("note", "").sign_raw(key("ORIGIN"), text, SIGNED);
    for text in ["x, y=z", "x y", "[x]", "session, sessionid2=x"] {
        let header = format!("a=1; note=\"{}\"; b=2", raw(text));
        assert_as_it_came(&gate, &header, &["current ORIGIN"]);
    }
    for text in ["x, note=y", "x NOTE=y", "x, sessionid=y", "a\"b"] {
        let written = quoted(&raw(text));
        let header = format!("a=1; note=\"{}\"; b=2", raw(text));
        assert_eq!(
            forwarded(&gate, &header),
            Some(format!("a=1; note={written}; b=2"))
        );
    }
}
