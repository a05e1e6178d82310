//! The status: to one who has the token, without a byte of a key, and never the payload of a cookie.

use countersign_core::config::Policy;
use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::crypto::{Digest, Mac};
use countersign_core::gate::Gate;
use countersign_core::operations::status::{PATH, Reply, Status, Token, is_path};
use countersign_core::settings::Problem;
use serde_json::{Value, json};

use crate::support::*;

/// What the Worker was given, as it is; the gate here is made from another.
const CONFIGURATION: &str = r#"{"cookies":[]}"#;
const TOKEN: &str = "a-token-of-the-tests-0123456789-01";

fn token() -> Token {
    Token::new(TOKEN).unwrap()
}

fn asked(gate: &Gate, method: &str, body: &str) -> Reply {
    let token = token();
    let status = Status {
        token: &token,
        policy: Some(gate.policy()),
        configuration: CONFIGURATION,
        problems: &[],
        passes: false,
        version: vec![("id", "v1".to_owned())],
        now: NOW,
    };
    status.reply(method, body)
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

#[test]
fn only_the_whole_token_is_admitted() {
    let token = token();
    let bearer = |text: &str| token.admits(Some(&format!("Bearer {text}")));
    assert!(bearer(TOKEN));
    assert!(token.admits(Some(&format!("bearer {TOKEN}"))));
    for wrong in [
        "",
        "a",
        &TOKEN[1..],
        &TOKEN[..33],
        &format!("{TOKEN}x"),
        &format!(" {TOKEN}"),
    ] {
        assert!(!bearer(wrong), "{wrong}");
    }
    assert!(!token.admits(None));
    assert!(!token.admits(Some(TOKEN)));
    assert!(!token.admits(Some(&format!("Basic {TOKEN}"))));
}

#[test]
fn a_header_that_holds_the_token_alone_is_known_under_any_scheme() {
    let token = token();
    for scheme in ["Bearer ", "bearer ", "Bearer  ", "Basic ", "Token ", ""] {
        assert!(token.is_in(&format!("{scheme}{TOKEN}")), "{scheme}");
    }
    for other in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        &TOKEN[1..],
        &format!("Bearer {TOKEN}x"),
        &format!("Bearer {}", TOKEN.to_uppercase()),
        &format!("Digest username={TOKEN}"),
    ] {
        assert!(!token.is_in(other), "{other}");
    }
}

#[test]
fn a_token_with_spaces_in_it_is_one_all_the_same() {
    let spaced = "two words and more of them, in all 40 bytes";
    let token = Token::new(spaced).unwrap();
    for shown in [format!("Bearer {spaced}"), spaced.to_owned()] {
        assert!(token.is_in(&shown), "{shown}");
    }
    assert!(token.admits(Some(&format!("Bearer {spaced}"))));
}

#[test]
fn every_spelling_of_the_path_is_the_path() {
    for path in [
        PATH,
        "/.well-known/countersign/",
        "/.well-known/countersign//",
        "//.well-known/countersign",
        "/.well-known//countersign",
        "/.well-known/countersig%6E",
        "/.well-known/countersig%6e",
        "/%2ewell-known/countersign",
        "/%2E%77%65%6c%6c-known%2fcountersign",
        "/.well-known/countersig%256E",
        "/.well-known/countersign%2F",
        "/.well-known/countersign%20",
        "/.Well-Known/CounterSign",
        "/./.well-known/./countersign/.",
        "/a/../.well-known/countersign",
        "/.well-known/countersign/x/..",
        "/%2e%2e/.well-known/countersign",
        "/../../.well-known/countersign",
        "/.well-known/countersign;x",
        "/.well-known/countersign;jsessionid=1/",
        "/.well-known;a=b/countersign%3Bx",
        "/.well-known\\countersign",
        "\\.well-known/countersign",
    ] {
        assert!(is_path(path), "{path}");
    }
}

#[test]
fn another_path_is_not() {
    for path in [
        "",
        "/",
        "/countersign",
        "/.well-known",
        "/.well-known/",
        "/well-known/countersign",
        "/.well-known/countersigned",
        "/.well-known/countersign/x",
        "/.well-known/countersign.json",
        "/x/.well-known/countersign",
        "/.well-known/countersign/..",
        "/.well-knowncountersign",
        "/.well-known%00/countersign",
        "/.well-known/counter/../sign",
        "/.well-known/countersig%6",
        "/.well-known/countersig%",
    ] {
        assert!(!is_path(path), "{path}");
    }
}

#[test]
fn a_token_has_32_bytes_at_least() {
    assert!(Token::new(&"x".repeat(31)).is_none());
    assert!(Token::new(&"x".repeat(32)).is_some());
}

#[test]
fn a_fingerprint_is_32_bits_of_a_mac_under_the_token() {
    let key = Key::new(KeyId::parse("NEW").unwrap(), key("NEW").into_bytes());
    let tag = Mac::new(Digest::Sha256, TOKEN.as_bytes()).sign(&[b"key\0", key.bytes()]);
    let expected: String = tag[..4].iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(token().fingerprint(&key), expected);
    let other = Token::new("another-token-of-the-tests-01234567").unwrap();
    assert_ne!(other.fingerprint(&key), expected);
}

#[test]
fn the_status_is_the_configuration_with_version_mode_and_time() {
    let gate = session_gate(json!({"max_age": 600}));
    let reply = asked(&gate, "GET", "");
    let told = json_of(&reply);
    assert_eq!(reply.status, 200);
    assert_eq!(
        (&told["mode"], &told["now"]),
        (&json!("enforce"), &json!(NOW))
    );
    assert_eq!(told["version"], json!({"id": "v1"}));
    assert_eq!(told["problems"], json!([]));
    assert_eq!(told["configuration"], json!({"cookies": []}));
    for (_, key) in SECRETS.iter().filter(|(_, key)| !key.is_empty()) {
        assert!(!reply.body.contains(key));
    }
    assert!(!reply.body.contains(TOKEN));
}

#[test]
fn every_key_is_told_once_with_its_fingerprint_and_in_each_encoding() {
    let hex = "0123456789abcdef".repeat(6);
    let as_hex = json!({"secret": "NEW", "encoding": "hex"});
    let keys = json!({"current": "NEW", "fallbacks": [as_hex, "OLD"], "origin": "ORIGIN"});
    let config = config(keys, [session_rule(), wrapped_rule()]);
    let secret = |name: &str| match name {
        "NEW" => Some(hex.clone()),
        name => secret(name),
    };
    let gate = Gate::new(Policy::parse(&config, &secret).unwrap(), random);
    let told = json_of(&asked(&gate, "GET", ""));
    let fingerprint = |name: &str, bytes: &[u8]| {
        let key = Key::new(KeyId::parse(name).unwrap(), bytes.to_vec());
        json!({"secret": name, "fingerprint": token().fingerprint(&key)})
    };
    let decoded = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(6);
    let expected = json!([
        fingerprint("NEW", hex.as_bytes()),
        fingerprint("NEW", &decoded),
        fingerprint("OLD", key("OLD").as_bytes()),
        fingerprint("ORIGIN", key("ORIGIN").as_bytes()),
    ]);
    assert_eq!(told["keys"], expected);
}

#[test]
fn a_wrong_configuration_tells_its_problems() {
    let token = token();
    let problem = Problem::new("COUNTERSIGN.cookies", "missing");
    for (passes, mode) in [(false, "refused"), (true, "unchecked")] {
        let status = Status {
            token: &token,
            policy: None,
            configuration: "null",
            problems: std::slice::from_ref(&problem),
            passes,
            version: Vec::new(),
            now: NOW,
        };
        let told = json_of(&status.reply("GET", ""));
        assert_eq!(told["mode"], mode);
        assert_eq!(
            told["problems"],
            json!([{"path": "COUNTERSIGN.cookies", "text": "missing"}])
        );
        assert_eq!(
            (&told["configuration"], &told["keys"]),
            (&Value::Null, &json!([]))
        );
        assert_eq!(status.reply("POST", "a=1").status, 503);
    }
}

#[test]
fn a_cookie_that_is_posted_gets_a_verdict_and_never_its_payload() {
    let gate = session_gate(json!({}));
    let reply = asked(&gate, "POST", &format!("sessionid={}\n", session("OLD")));
    let told = json_of(&reply);
    assert_eq!(reply.status, 200);
    for (field, expected) in [
        ("verdict", json!("fallback")),
        ("key", json!("OLD")),
        ("age", json!(NOW - SIGNED)),
        ("fate", json!("resealed")),
        ("resealed_with", json!("ORIGIN")),
        ("upgraded", json!(true)),
    ] {
        assert_eq!(told[field], expected, "{field}");
    }
    assert!(!reply.body.contains(PAYLOAD) && !reply.body.contains("user_id"));
}

#[test]
fn a_pair_is_posted_with_its_signature() {
    let rule = json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let tag = Mac::new(Digest::Sha1, key("NEW").as_bytes()).sign(&[b"sess=e30="]);
    let signature = countersign_core::wire::encoding::base64url(&tag);
    for body in [
        format!("sess=e30=; sess.sig={signature}"),
        format!("sess.sig={signature}; sess=e30="),
    ] {
        assert_eq!(json_of(&asked(&gate, "POST", &body))["verdict"], "current");
    }
    assert_eq!(
        json_of(&asked(&gate, "POST", "sess=e30="))["verdict"],
        "malformed"
    );
}

#[test]
fn what_is_no_cookie_or_no_question_is_refused() {
    let gate = session_gate(json!({}));
    assert_eq!(asked(&gate, "POST", "nonsense").status, 400);
    assert_eq!(asked(&gate, "POST", &"x".repeat(40_000)).status, 413);
    assert_eq!(asked(&gate, "DELETE", "").status, 405);
    assert_eq!(
        json_of(&asked(&gate, "POST", "other=1"))["fate"],
        "unchanged"
    );
}
