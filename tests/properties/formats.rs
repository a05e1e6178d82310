//! Every Django format, for arbitrary payloads.

use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Content, Keyed};
use countersign_core::gate::Gate;
use countersign_core::settings::{Problems, Table};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cases;
use crate::django::{self, Hash, Signer, base64url, hash_layout};
use crate::support::*;

const NAME: &str = "a_cookie";

/// A format: its configuration, and the tests' own signer for it; none is the old layout of messages.
#[derive(Clone, Debug)]
struct Format {
    config: Value,
    signer: Option<Signer>,
}

fn format() -> impl Strategy<Value = Format> {
    let digest = prop::sample::select(vec![
        ("sha1", Hash::Sha1),
        ("sha256", Hash::Sha256),
        ("sha384", Hash::Sha384),
        ("sha512", Hash::Sha512),
    ]);
    let sep = prop::sample::select(vec![":", ".", "~", "--/", "; ", "é", "\"", "\\"]);
    (0..6u8, "[a-z.é]{0,8}", sep, any::<bool>(), digest).prop_map(
        |(kind, salt, sep, timed, (digest, hash))| {
            let (config, signer) = match kind {
                0 => (json!({"format": "django-session"}), django::sessions()),
                1 => (json!({"format": "django-messages"}), django::messages()),
                2 => (
                    json!({"format": "django-signed-cookie", "salt": salt}),
                    django::signed_cookie(NAME, &salt),
                ),
                3 => (
                    json!({"format": "django-signed-cookie", "salt": salt, "scheme": "v1"}),
                    django::signed_cookie_v1(NAME, &salt),
                ),
                4 => (
                    json!({"format": "django-signer", "salt": salt, "sep": sep, "timestamp": timed}),
                    Signer { sep, timed, ..django::signer(&salt) },
                ),
                _ => {
                    let config = json!({"format": "django-messages", "layout": "hash"});
                    return Format { config, signer: None };
                }
            };
            Format {
                config: with(config, json!({"digest": digest})),
                signer: Some(signer.with(hash)),
            }
        },
    )
}

/// Text of the characters that Django can send.
fn payload() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{0,60}",
        "\\.[A-Za-z0-9_-]{0,60}",
        "[ -~]{0,40}",
        "[\u{0}-\u{ff}]{0,40}",
        "[:.~\"\\\\; ,é]{0,12}",
    ]
}

impl Format {
    fn keyed(&self, key_name: &str) -> Box<dyn Keyed> {
        let problems = Problems::default();
        let mut table = Table::new("config", &self.config, &problems).unwrap();
        let format = formats::read(&mut table).unwrap();
        let key = Key::new(KeyId::parse(key_name).unwrap(), key(key_name).into_bytes());
        format.keyed(NAME, &key).unwrap()
    }

    fn sign(&self, key_name: &str, payload: &str, time: u64) -> String {
        match &self.signer {
            Some(signer) => signer.sign(key(key_name), payload, time),
            None => hash_layout(key(key_name), payload),
        }
    }

    /// What opening says of a payload and its time.
    fn content(&self, payload: &str, time: u64) -> Content<'static> {
        let (payload, time) = match &self.signer {
            Some(signer) => (payload.to_owned(), signer.timed.then_some(time)),
            None => (base64url(payload), None),
        };
        Content {
            time_s: time,
            ..Content::of(payload.into_bytes())
        }
    }

    fn gate(&self, keys: Value) -> Gate {
        let rule = with(
            self.config.clone(),
            json!({"name": NAME, "attributes": ATTRIBUTES}),
        );
        gate(keys, [rule])
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn sealing_what_was_opened_under_the_same_key_is_the_identity(
        format in format(), payload in payload(), time in any::<u64>(),
    ) {
        let value = format.sign("NEW", &payload, time);
        let keyed = format.keyed("NEW");
        let content = keyed.open(&value).unwrap();
        prop_assert_eq!(&content, &format.content(&payload, time));
        prop_assert_eq!(keyed.seal(&content, random).unwrap(), value);
    }

    #[test]
    fn sealed_under_another_key_it_is_what_django_would_sign_with_that_key(
        format in format(), payload in payload(), time in any::<u64>(),
    ) {
        let value = format.sign("NEW", &payload, time);
        let content = format.keyed("NEW").open(&value).unwrap().into_owned();
        prop_assert!(format.keyed("OLD").open(&value).is_err());
        prop_assert_eq!(format.keyed("OLD").seal(&content, random).unwrap(), format.sign("OLD", &payload, time));
    }

    #[test]
    fn a_changed_value_opens_with_no_other_content(
        format in format(), payload in payload(), time in any::<u64>(),
        at in any::<prop::sample::Index>(), to in prop_oneof!["[ -~]", "\\PC", any::<char>().prop_map(String::from)],
        change in 0..4u8,
    ) {
        let value = format.sign("NEW", &payload, time);
        let mut chars: Vec<String> = value.chars().map(String::from).collect();
        let at = at.index(chars.len());
        match change {
            0 => chars[at].clear(),
            1 => chars.insert(at, to),
            _ => chars[at] = to,
        }
        let changed = chars.concat();
        // another spelling of the same text may open: quotes that were not needed, another escape
        if let Ok(content) = format.keyed("NEW").open(&changed) {
            prop_assert_eq!(content, format.content(&payload, time), "{} for {}", changed, value);
        }
    }

    #[test]
    fn a_changed_letter_of_what_needs_no_quotes_is_refused(
        payload in "[A-Za-z0-9_-]{0,40}", time in any::<u64>(),
        at in any::<prop::sample::Index>(), to in "[ -~]",
    ) {
        let value = django::sessions().sign(key("NEW"), &payload, time);
        let at = at.index(value.len());
        let changed = [&value[..at], &to, &value[at + 1..]].concat();
        let format = Format { config: json!({"format": "django-session"}), signer: None };
        prop_assert_eq!(format.keyed("NEW").open(&changed).is_ok(), changed == value);
    }

    #[test]
    fn no_value_panics(format in format(), value in prop_oneof![any::<String>(), "[ -~]{0,120}"]) {
        prop_assert!(format.keyed("NEW").open(&value).is_err());
    }

    #[test]
    fn a_rotation_there_and_back_gives_the_same_bytes(
        format in format(), payload in payload(), time in 0..NOW,
    ) {
        let rings = [("NEW", "OLD"), ("OLD", "NEW")];
        let first = format!("{NAME}={}", format.sign("OLD", &payload, time));
        let mut held = first.clone();
        for (current, fallback) in rings {
            let gate = format.gate(json!({"current": current, "fallbacks": [fallback], "origin": "ORIGIN"}));
            let judged = judge(&gate, &held);
            let sent = answer_to(&gate, &judged.pending, &page(), &[]).set_cookies.unwrap();
            held = sent[0].strip_suffix(&format!("; {ATTRIBUTES}")).unwrap().to_owned();
            let expected = format.sign(current, &payload, time);
            prop_assert_eq!(&held, &format!("{NAME}={expected}"));
        }
        prop_assert_eq!(held, first);
    }

    #[test]
    fn what_the_origin_sets_comes_back_to_it_as_it_was(
        format in format(), payload in payload(), time in 0..NOW,
    ) {
        let gate = format.gate(pinned());
        let value = format.sign("ORIGIN", &payload, time);
        let sealed = format.sign("NEW", &payload, time);
        let sent = answer(&gate, &[&format!("{NAME}={value}; {ATTRIBUTES}")]).set_cookies.unwrap();
        prop_assert_eq!(&sent, &[format!("{NAME}={sealed}; {ATTRIBUTES}")]);
        prop_assert_eq!(forwarded(&gate, &format!("{NAME}={sealed}")), Some(format!("{NAME}={value}")));
    }
}
