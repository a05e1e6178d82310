//! Arbitrary configurations: none panics, and one that is accepted makes a gate that works.

use countersign_core::config::Policy;
use countersign_core::formats;
use countersign_core::gate::Gate;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::cases;
use crate::headers::{anything, header};
use crate::support::*;

/// Words that a configuration has a use for.
const WORDS: [&str; 40] = [
    "mode",
    "keys",
    "cookies",
    "current",
    "fallbacks",
    "origin",
    "secret",
    "until",
    "upgrade",
    "encoding",
    "allow_weak",
    "name",
    "format",
    "accept",
    "max_age",
    "leeway",
    "attributes",
    "on_invalid",
    "look_alikes",
    "chunks",
    "auth.js",
    "salt",
    "scheme",
    "digest",
    "layout",
    "sep",
    "timestamp",
    "hosts",
    "origin_url",
    "origin_header",
    "reports",
    "unsafe_open",
    "observe",
    "plain",
    "jwt",
    "django-session",
    "django-signed-cookie",
    "NEW",
    "OLD",
    "sessionid",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => Just("2027-02-01T00:00:00Z".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn right() -> Value {
    let accept =
        json!([{"format": "django-session", "digest": "sha1", "until": "2027-02-01T00:00:00Z"}]);
    let session = with(
        session_rule(),
        json!({"accept": accept, "max_age": 600, "keys": {"current": "NEW"}}),
    );
    let keys = json!({
        "current": {"secret": "NEW", "encoding": "utf8"},
        "fallbacks": ["OLD", {"secret": "OLDER", "until": "2027-02-01T00:00:00Z", "upgrade": false}],
        "origin": {"current": "ORIGIN", "fallbacks": ["NEXT_ORIGIN"]},
    });
    with(
        config(keys, [session, wrapped_rule()]),
        json!({"mode": "enforce", "hosts": [], "reports": "all"}),
    )
}

/// A right configuration in which one place holds something else.
fn nearly_right() -> impl Strategy<Value = Value> {
    let places = places(&right());
    (prop::sample::select(places), value()).prop_map(|(place, value)| {
        let mut config = right();
        *config.pointer_mut(&place).unwrap() = value;
        config
    })
}

/// A rule in any format whose options hold something, mostly of their own kind.
fn in_a_format() -> impl Strategy<Value = Value> {
    let descriptions: Vec<_> = formats::descriptions().collect();
    let text = prop::sample::select(vec![
        "", "sha1", "sha256", "sha512", "md5", "s", "v1", "v2", "private", "HS384", "hmac", "none",
    ]);
    let of_a_kind = prop_oneof![
        3 => text.prop_map(Value::from),
        2 => any::<bool>().prop_map(Value::from),
        2 => (0u64..9000).prop_map(Value::from),
        1 => Just(json!({"NEW": "1"})),
        1 => Just(json!({"NEW": 1})),
        1 => value(),
    ];
    (
        prop::sample::select(descriptions),
        prop::collection::vec(of_a_kind, 4),
        0usize..3,
    )
        .prop_map(|(format, values, place)| {
            let options = format.options.iter().map(|option| option.name.to_owned());
            let mut table: Map<String, Value> = options.zip(values).collect();
            table.insert("format".to_owned(), format.name.into());
            let rule = json!({"name": "sid", "upgrade": "never"});
            let rule = match place {
                0 => with(rule, table.into()),
                1 => with(rule, json!({"format": format.name, "accept": [table]})),
                _ => with(rule, json!({"format": format.name, "origin": table})),
            };
            config(pinned(), [rule])
        })
}

/// The JSON pointers of everything in a value.
fn places(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let deeper = below.into_iter().flat_map(|(name, value)| {
        places(value)
            .into_iter()
            .map(move |place| format!("/{name}{place}"))
    });
    std::iter::once(String::new()).chain(deeper).collect()
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn no_configuration_panics_and_each_is_right_or_has_a_problem(
        config in prop_oneof![value(), nearly_right()],
        header in prop_oneof![header(), anything()],
    ) {
        match Policy::parse(&config, &secret) {
            Err(problems) => {
                Policy::passes_when_wrong(&config, &problems);
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!(problem.path.starts_with("COUNTERSIGN"), "{problem}");
                    prop_assert!(!problem.text().is_empty());
                }
            }
            Ok(policy) => {
                let complaints = schema::complaints(&config);
                prop_assert!(complaints.is_empty(), "{config}: {complaints:?}");
                let gate = Gate::new(policy, random);
                let decision = gate.request(Some(&header), &page(), NOW * 1000).unwrap();
                gate.response(&[header], &decision.pending, &page(), NOW * 1000);
            }
        }
    }

    #[test]
    fn what_the_schema_refuses_the_reader_refuses_as_well(config in prop_oneof![nearly_right(), in_a_format()]) {
        if !schema::complaints(&config).is_empty() {
            let read = Policy::parse_with_placeholders(&config, &|_| None);
            prop_assert!(read.is_err(), "{config}: {:?}", schema::complaints(&config));
        }
    }

    #[test]
    fn no_problem_holds_the_text_of_a_secret(config in prop_oneof![value(), nearly_right()]) {
        let told = told(&problems(&config));
        for (_, text) in SECRETS.iter().filter(|(_, text)| !text.is_empty()) {
            prop_assert!(!told.contains(text), "{told}");
        }
    }
}

#[test]
fn the_right_configuration_is_right() {
    assert_accepted(right());
}
