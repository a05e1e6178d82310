//! C1: two rules may share a ring key only if a value of one cannot be passed off as the other's.

use countersign_core::config::Policy;
use serde_json::{Value, json};

use crate::support::*;

fn rule(name: &str, format: Value) -> Value {
    let rule = json!({"name": name, "attributes": ATTRIBUTES});
    with(rule, format)
}

fn session_format() -> Value {
    json!({"format": "django-session"})
}

fn signer_format(more: Value) -> Value {
    with(json!({"format": "django-signer", "salt": "s"}), more)
}

/// Another origin, so that it could tell the two apart.
fn other_origin() -> Value {
    json!({"keys": {"origin": "NEXT_ORIGIN"}})
}

#[track_caller]
fn assert_may_share(a: Value, b: Value) {
    assert_accepted(config(pinned(), [a.clone(), b.clone()]));
    assert_accepted(config(pinned(), [b, a]));
}

#[track_caller]
fn assert_may_not_share(a: Value, b: Value) {
    for pair in [[a.clone(), b.clone()], [b, a]] {
        let config = config(pinned(), pair);
        let problems = problems(&config);
        assert_eq!(problems.len(), 1, "{config}: {}", told(&problems));
        assert!(
            problems[0].path.starts_with("COUNTERSIGN.cookies[1]"),
            "{}",
            problems[0]
        );
        assert!(
            problems[0].text().contains("COUNTERSIGN.cookies[0]"),
            "{}",
            problems[0]
        );
        assert!(problems[0].text().contains("key"), "{}", problems[0]);
    }
}

#[test]
fn the_same_format_options_and_origin_keys_may() {
    assert_may_share(rule("a", session_format()), rule("b", session_format()));
    assert_may_share(
        rule("a", signer_format(json!({}))),
        rule("b", signer_format(json!({}))),
    );
}

#[test]
fn another_origin_key_may_not() {
    assert_may_not_share(
        rule("a", session_format()),
        with(rule("b", session_format()), other_origin()),
    );
}

#[test]
fn another_origin_key_with_the_same_bytes_may() {
    let twin = json!({"keys": {"origin": "NEW_TWIN"}});
    let same = json!({"keys": {"origin": "NEW"}});
    assert_may_share(
        with(rule("a", session_format()), twin),
        with(rule("b", session_format()), same),
    );
}

#[test]
fn formats_that_derive_different_keys_may() {
    for other in [
        json!({"format": "django-messages"}),
        json!({"format": "django-messages", "layout": "hash"}),
        json!({"format": "django-session", "digest": "sha1"}),
        json!({"format": "django-session", "digest": "sha512"}),
        json!({"format": "django-signed-cookie"}),
        signer_format(json!({})),
    ] {
        assert_may_share(
            rule("a", session_format()),
            with(rule("b", other), other_origin()),
        );
    }
    assert_may_share(
        rule("a", signer_format(json!({}))),
        with(
            rule("b", signer_format(json!({"salt": "t"}))),
            other_origin(),
        ),
    );
}

#[test]
fn formats_that_derive_the_same_key_in_another_layout_may_not() {
    for (one, other) in [
        (
            signer_format(json!({})),
            signer_format(json!({"timestamp": false})),
        ),
        (signer_format(json!({})), signer_format(json!({"sep": "."}))),
        (
            session_format(),
            signer_format(json!({"salt": "django.contrib.sessions.backends.signed_cookies"})),
        ),
    ] {
        assert_may_not_share(rule("a", one), rule("b", other));
    }
}

#[test]
fn formats_that_bind_the_name_may() {
    let cookie = json!({"format": "django-signed-cookie"});
    assert_may_share(
        rule("a", cookie.clone()),
        with(rule("b", cookie.clone()), other_origin()),
    );
    let v1 = json!({"format": "django-signed-cookie", "scheme": "v1"});
    assert_may_share(rule("a", v1.clone()), with(rule("b", v1), other_origin()));
    let wrapped = json!({"format": "django-signed-cookie", "origin": {"format": "plain"}});
    assert_may_share(rule("a", wrapped.clone()), rule("b", wrapped));
    let salted = json!({"format": "django-signed-cookie", "salt": "bc"});
    assert_may_share(
        rule("a", salted),
        with(
            rule("ab", json!({"format": "django-signed-cookie", "salt": "c"})),
            other_origin(),
        ),
    );
}

#[test]
fn names_that_run_together_with_their_salts_may_not() {
    let v1 = |salt: &str| json!({"format": "django-signed-cookie", "scheme": "v1", "salt": salt});
    assert_may_not_share(
        rule("ab", v1("c")),
        with(rule("a", v1("bc")), other_origin()),
    );
    assert_may_share(
        rule("ab", v1("c")),
        with(rule("a", v1("b")), other_origin()),
    );
}

#[test]
fn a_format_of_accept_counts_as_one_of_the_rules() {
    let accepting = with(
        rule("a", json!({"format": "django-messages"})),
        json!({"accept": [{"format": "django-messages", "digest": "sha1"}]}),
    );
    let older = with(
        rule("b", json!({"format": "django-messages", "digest": "sha1"})),
        other_origin(),
    );
    assert_may_not_share(accepting, older);
}

#[test]
fn a_fallback_counts_as_a_key_of_the_ring() {
    for keys in [
        json!({"current": "OLD", "fallbacks": [], "origin": "NEXT_ORIGIN"}),
        json!({"current": "OLDER", "fallbacks": ["NEW"], "origin": "NEXT_ORIGIN"}),
        json!({"current": "OLDER", "fallbacks": ["NEW_TWIN"], "origin": "NEXT_ORIGIN"}),
    ] {
        let own = json!({"keys": keys});
        assert_may_not_share(
            rule("a", session_format()),
            with(rule("b", session_format()), own),
        );
    }
}

/// A format may read the key's text as base64 itself, as Laravel and Fernet do.
#[test]
fn one_secret_in_two_encodings_counts_as_one_key() {
    let other = json!({"secret": "IN_HEX", "encoding": "hex"});
    let under = |format, encoding, origin: Option<&Value>| {
        let key = json!({"secret": "IN_BASE64", "encoding": encoding});
        let origin = origin.unwrap_or(&key);
        let keys = json!({"current": key, "fallbacks": [], "origin": origin});
        json!({"format": format, "keys": keys})
    };
    let fernet = rule("a", under("fernet", "utf8", None));
    for (format, origin) in [("fernet", Some(&other)), ("express", None)] {
        let other = rule("b", under(format, "base64", origin));
        assert_may_not_share(fernet.clone(), other);
    }
}

#[test]
fn rings_without_a_common_key_may_hold_anything() {
    let own = json!({"keys": {"current": "OLDER", "fallbacks": [], "origin": "NEXT_ORIGIN"}});
    assert_may_share(
        rule("a", session_format()),
        with(rule("b", session_format()), own),
    );
}

#[test]
fn a_plain_origin_needs_a_format_that_binds_the_name() {
    for format in [
        signer_format(json!({})),
        signer_format(json!({"timestamp": false})),
    ] {
        let rule = with(rule("a", format), json!({"origin": {"format": "plain"}}));
        assert_refused(
            config(pinned(), [rule]),
            "COUNTERSIGN.cookies[0].format",
            &["name", "plain", "django-signed-cookie"],
        );
    }
    for scheme in ["v1", "v2"] {
        let format = json!({"format": "django-signed-cookie", "scheme": scheme});
        let rule = with(rule("a", format), json!({"origin": {"format": "plain"}}));
        assert_accepted(config(pinned(), [rule]));
    }
}

#[test]
fn a_plain_origin_needs_it_of_every_accepted_format_too() {
    let accept = json!({"accept": [{"format": "django-signer", "salt": "s"}]});
    assert_refused(
        config(pinned(), [with(wrapped_rule(), accept)]),
        "COUNTERSIGN.cookies[0].accept[0]",
        &["name"],
    );
}

fn rails(name: &str, purpose: bool) -> Value {
    rule(name, json!({"format": "rails-signed", "purpose": purpose}))
}

#[test]
fn a_rails_cookie_without_its_purpose_may_be_accepted_where_one_has_it_and_the_other_way_round() {
    for purpose in [true, false] {
        let accept = json!({"accept": [{"format": "rails-signed", "purpose": !purpose}]});
        assert_accepted(config(pinned(), [with(rails("a", purpose), accept)]));
    }
}

#[test]
fn rails_cookies_may_share_a_key_where_their_purpose_names_them() {
    let elsewhere = |rule| with(rule, other_origin());
    assert_may_share(rails("a", true), elsewhere(rails("b", true)));
    assert_may_share(rails("a", true), elsewhere(rails("b", false)));
    assert_may_not_share(rails("a", false), elsewhere(rails("b", false)));
}

#[test]
fn a_plain_origin_needs_the_purpose_of_a_rails_cookie() {
    let plain = json!({"origin": {"format": "plain"}});
    let accepted = config(pinned(), [with(rails("a", true), plain.clone())]);
    assert_accepted(accepted);
    assert_refused(
        config(pinned(), [with(rails("a", false), plain)]),
        "COUNTERSIGN.cookies[0].format",
        &["name", "plain"],
    );
}

#[test]
fn the_two_jars_of_rust_may_share_a_key() {
    let jar = |name, jar| {
        let format = json!({"format": "cookie-rs", "jar": jar, "derive": true});
        rule(name, format)
    };
    assert_may_share(jar("a", "signed"), jar("b", "private"));
    assert_may_share(
        jar("a", "private"),
        with(jar("b", "private"), other_origin()),
    );
    assert_may_not_share(jar("a", "signed"), with(jar("b", "signed"), other_origin()));
}

#[test]
fn a_bare_key_may_stand_beside_one_that_is_its_mac_with_another_digest() {
    let flask = || rule("session", json!({"format": "flask-session"}));
    assert_may_share(
        flask(),
        rule("remember_token", json!({"format": "flask-login"})),
    );
    // whoever had "cookie-session" signed would have the key of every session
    assert_may_not_share(
        flask(),
        rule("b", json!({"format": "fastify-cookie", "digest": "sha1"})),
    );
    assert_may_not_share(
        rule("a", json!({"format": "hono"})),
        rule("b", json!({"format": "cookie-rs", "derive": true})),
    );
}

#[test]
fn a_signed_jar_of_rust_may_not_share_a_key_with_a_session_of_rack_2() {
    // a visitor who has a salt signed in the jar would have the key of the session with that salt
    for encryptor in ["v1", "v2"] {
        let format = json!({"format": "rack-session", "version": 2, "encryptor": encryptor});
        let rules = [rule("a", json!({"format": "cookie-rs"})), rule("b", format)];
        let keys = json!({"current": "LONG", "origin": "LONG"});
        let long =
            |_: &str| Some("a key of sixty-four bytes, which both of them ask for. ".repeat(2));
        let problems = Policy::parse(&json!({"keys": keys, "cookies": rules}), &long).unwrap_err();
        let said = problems.iter().map(|problem| problem.path.as_str());
        assert_eq!(said.collect::<Vec<_>>(), ["COUNTERSIGN.cookies[1].format"]);
    }
}
