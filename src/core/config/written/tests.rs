use serde_json::json;

use super::*;

fn ids<'w>(keys: impl IntoIterator<Item = &'w WrittenKey<'w>>) -> Vec<&'w str> {
    keys.into_iter().map(|key| key.id.as_str()).collect()
}

fn names<'w>(ring: &WrittenRing<'w, 'w>) -> Vec<&'w str> {
    ring.rules.iter().filter_map(|rule| rule.name()).collect()
}

#[test]
fn what_a_rule_leaves_out_is_that_of_all_rules() {
    let value = json!({
        "keys": {"current": "NEW", "fallbacks": ["OLD"], "origin": {"current": "SITE", "fallbacks": ["SITE_0"]}},
        "cookies": [
            {"name": "a"},
            {"name": "b", "keys": {"current": {"secret": "OWN"}}},
            {"name": "c", "keys": {"fallbacks": [], "origin": "SITE_1"}},
        ],
    });
    let written = Written::of(&value);
    let keys: Vec<Vec<&str>> = written
        .rules
        .iter()
        .map(|rule| ids(rule.keys.all()))
        .collect();
    assert_eq!(keys[0], ["NEW", "OLD", "SITE", "SITE_0"]);
    assert_eq!(keys[1], ["OWN", "OLD", "SITE", "SITE_0"]);
    assert_eq!(keys[2], ["NEW", "SITE_1"]);
    let own = &written.rules[1].keys;
    assert_eq!(own.path, "COUNTERSIGN.cookies[1].keys");
    let places: Vec<&str> = own.all().map(|key| key.path.as_str()).collect();
    assert_eq!(
        places,
        [
            "COUNTERSIGN.cookies[1].keys.current",
            "COUNTERSIGN.keys.fallbacks[0]",
            "COUNTERSIGN.keys.origin.current",
            "COUNTERSIGN.keys.origin.fallbacks[0]",
        ]
    );
}

#[test]
fn a_ring_is_a_current_key_and_the_rules_that_go_by_it() {
    let value = json!({
        "keys": {"current": "NEW", "fallbacks": ["OLD"], "origin": "SITE"},
        "cookies": [
            {"name": "a"},
            {"name": "b", "keys": {"current": "OWN"}},
            {"name": "c", "keys": {"fallbacks": ["ONLY_C"]}},
        ],
    });
    let written = Written::of(&value);
    let rings = written.rings();
    assert_eq!(rings.len(), 2);
    assert_eq!(names(&rings[0]), ["a", "c"]);
    assert_eq!(ids(rings[0].listed()), ["OLD", "ONLY_C"]);
    assert_eq!(names(&rings[1]), ["b"]);
    assert_eq!(ids(rings[1].listed()), [""; 0]);
    assert_eq!(ids(rings[1].fallbacks()), ["OLD"]);
}

#[test]
fn a_key_that_two_rules_of_a_ring_list_opens_until_the_later_end() {
    let (early, late) = ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z");
    for (shared, own, expected) in [
        (
            json!({"secret": "OLD", "until": early}),
            json!({"secret": "OLD", "until": late}),
            Some(late),
        ),
        (
            json!({"secret": "OLD", "until": late}),
            json!({"secret": "OLD", "until": early}),
            Some(late),
        ),
        (json!({"secret": "OLD", "until": early}), json!("OLD"), None),
    ] {
        let value = json!({
            "keys": {"current": "NEW", "fallbacks": [shared], "origin": "SITE"},
            "cookies": [{"name": "a"}, {"name": "b", "keys": {"fallbacks": [own]}}],
        });
        let written = Written::of(&value);
        let fallbacks = written.shared_ring().fallbacks();
        assert_eq!(fallbacks.len(), 1);
        assert_eq!(fallbacks[0].until_text(), expected);
    }
}

#[test]
fn there_is_no_shared_ring_where_every_rule_has_its_own() {
    let own = json!({"current": "OWN", "origin": "SITE"});
    let value = json!({"cookies": [{"name": "a", "keys": own}]});
    let written = Written::of(&value);
    let rings = written.rings();
    assert_eq!(rings.len(), 1);
    assert_eq!(rings[0].table.path, "COUNTERSIGN.cookies[0].keys");
}

#[test]
fn what_cannot_be_read_is_absent_and_hides_nothing_else() {
    let value = json!({
        "keys": {"current": "a key pasted", "fallbacks": "OLD", "origin": {"current": 7}},
        "cookies": [7, {"name": 7, "format": [], "accept": {}, "keys": "KEY"}, {"name": "c", "keys": {"current": "OWN"}}],
        "origin_header": {"secret": "EDGE"},
    });
    let written = Written::of(&value);
    assert!(written.keys.has_current && written.keys.current.is_none());
    assert!(written.keys.has_origin && written.keys.origin.is_none());
    assert_eq!(written.rules.len(), 3);
    assert_eq!(written.rules[1].name(), None);
    assert!(written.rules[1].accept().is_empty());
    let secrets: Vec<String> = written
        .secrets()
        .iter()
        .map(|named| named.id.to_string())
        .collect();
    assert_eq!(secrets, ["OWN", "EDGE"]);
    assert!(Written::of(&json!([])).rules.is_empty());
}

#[test]
fn a_format_is_its_name_and_its_own_options() {
    let value = json!({"cookies": [{
        "name": "a", "max_age": 60, "format": "itsdangerous", "salt": "s", "version": 1,
        "accept": [{"format": "tornado", "version": 1, "until": "2027-01-01T00:00:00Z"}],
    }]});
    let written = Written::of(&value);
    let rule = &written.rules[0];
    assert_eq!(
        rule.format().to_value(),
        json!({"format": "itsdangerous", "salt": "s"})
    );
    assert!(rule.origin_format().is_none());
    let accepted = &rule.accept()[0];
    assert_eq!(accepted.path, "COUNTERSIGN.cookies[0].accept[0]");
    assert_eq!(
        accepted.to_value(),
        json!({"format": "tornado", "version": 1})
    );
    assert_eq!(accepted.until(), Some(1_798_761_600));
}
