//! S3: a deletion passes as it is, and no upgraded twin outlives it.

use serde_json::json;

use crate::support::*;

/// Values that an origin may write into a deletion, a good one among them.
fn values() -> [String; 3] {
    ["deleted".to_owned(), forged(), session("ORIGIN")]
}

#[test]
fn an_empty_value_is_a_deletion_and_passes_as_it_is() {
    let gate = session_gate(json!({}));
    for header in [
        "sessionid=; Path=/",
        "sessionid= ; Path=/",
        "sessionid=\"\"; Path=/",
        "sessionid=; Path=/; Max-Age=1209600",
        "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax",
    ] {
        assert_set(&gate, &[header], &[header], &["deletion"]);
    }
}

#[test]
fn a_max_age_of_zero_or_less_is_a_deletion_whatever_the_value() {
    let gate = session_gate(json!({}));
    for value in values() {
        for attributes in [
            "Path=/; Max-Age=0",
            "max-age=-1; Path=/",
            "MAX-AGE = -99999999999999999999 ;Path=/",
            "Path=/; Max-Age=0; Expires=Fri, 31 Dec 2099 23:59:59 GMT",
            "Path=/; Max-Age=3600; Max-Age=0",
        ] {
            let header = format!("sessionid={value}; {attributes}");
            assert_set(&gate, &[&header], &[&header], &["deletion"]);
        }
    }
}

#[test]
fn an_expiry_in_the_past_is_a_deletion_where_there_is_no_max_age() {
    let gate = session_gate(json!({}));
    for value in values() {
        for attributes in [
            "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "Path=/; expires=Thu, 01-Jan-1970 00:00:10 GMT",
            "Path=/; expires=Fri, 15 Jan 2027 07:59:59 GMT",
            "Path=/; Expires=Fri, 31 Dec 2099 23:59:59 GMT; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            let header = format!("sessionid={value}; {attributes}");
            assert_set(&gate, &[&header], &[&header], &["deletion"]);
        }
    }
}

#[test]
fn what_is_no_deletion_is_sealed() {
    let lasting = [
        "Path=/; Max-Age=1",
        "Path=/; Max-Age=0; Max-Age=3600",
        "Path=/; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=Fri, 31 Dec 2099 23:59:59 GMT",
        "Path=/; Expires=Fri, 15 Jan 2027 08:00:01 GMT",
    ];
    let of_the_session = [
        "Path=/",
        "Path=/; Expires=never",
        "Path=/; Max-Age=soon",
        "Path=/; Max-Age=",
    ];
    let lasting = lasting.map(|attributes| (attributes, "Path=/; Max-Age=3600"));
    let of_the_session = of_the_session.map(|attributes| (attributes, "Path=/"));
    for (attributes, of_rule) in lasting.into_iter().chain(of_the_session) {
        let gate = session_gate(json!({"attributes": of_rule}));
        assert_set(
            &gate,
            &[&format!("sessionid={}; {attributes}", session("ORIGIN"))],
            &[&format!("sessionid={}; {attributes}", session("NEW"))],
            &["sealed NEW"],
        );
    }
}

/// Asserts that a deletion is followed by another with the attributes of the rule.
#[track_caller]
fn assert_followed(attributes: &str, deletion: &str) {
    let gate = session_gate(json!({"attributes": attributes}));
    let sent = answer(&gate, &["a=1", deletion, "b=2"])
        .set_cookies
        .expect(deletion);
    assert_eq!(sent.len(), 4, "{sent:?}");
    assert_eq!([&sent[0], &sent[1], &sent[3]], ["a=1", deletion, "b=2"]);
    let (name, value, second) = split_url(&sent[2]);
    assert_eq!((name.as_str(), value.as_str()), ("sessionid", ""));
    assert!(second.contains(&"Max-Age=0".to_owned()), "{second:?}");
    for place in attributes
        .split("; ")
        .filter(|a| a.starts_with("Path") || a.starts_with("Domain"))
    {
        assert!(
            second.contains(&place.to_owned()),
            "{second:?} lacks {place}"
        );
    }
}

#[test]
fn a_deletion_in_another_place_is_followed_by_one_where_upgrades_are_set() {
    assert_followed(
        "Path=/; HttpOnly; Max-Age=1209600",
        "sessionid=; Path=/app; Max-Age=0",
    );
    assert_followed("Path=/; HttpOnly; Max-Age=1209600", "sessionid=; Max-Age=0");
    assert_followed(
        "Path=/; Domain=example.com",
        "sessionid=; Path=/; Max-Age=0",
    );
    assert_followed(
        "Path=/",
        "sessionid=; Path=/; Domain=example.com; Max-Age=0",
    );
    assert_followed(
        "Path=/; Domain=example.com",
        "sessionid=; Path=/; Domain=www.example.com",
    );
    assert_followed("Path=/", "sessionid=; Path=/; Path=/app; Max-Age=0");
}

#[test]
fn a_deletion_in_the_same_place_is_not_followed() {
    for (attributes, deletion) in [
        ("Path=/; HttpOnly; Secure", "sessionid=; Path=/; Max-Age=0"),
        (
            "Path=/; Domain=example.com",
            "sessionid=; domain=.Example.COM; path=/; Max-Age=0",
        ),
        ("Path=/", "sessionid=; Path=/app; Path=/; Max-Age=0"),
        ("Secure", "sessionid=; HttpOnly; Max-Age=0"),
    ] {
        // no upgrade needs a Path there
        let gate = session_gate(json!({"attributes": attributes, "upgrade": "never"}));
        assert_set(&gate, &[deletion], &[deletion], &["deletion"]);
    }
}

#[test]
fn without_attributes_no_second_deletion_is_needed() {
    let gate = session_gate(json!({"attributes": null, "upgrade": "never"}));
    let deletion = "sessionid=; Path=/app; Max-Age=0";
    assert_set(&gate, &[deletion], &[deletion], &["deletion"]);
}

#[test]
fn a_plain_origins_deletion_passes_as_it_is() {
    let deletion = "user_id=deleted; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT";
    assert_set(
        &wrapped_gate(json!({})),
        &[deletion],
        &[deletion],
        &["deletion"],
    );
}
