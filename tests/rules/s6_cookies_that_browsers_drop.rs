//! S6: a sealed cookie pair over 4,096 bytes is still sent, and reported.

use serde_json::json;

use crate::django::{Hash, sessions};
use crate::support::*;

/// A payload with which the pair under a digest has so many bytes.
fn payload(hash: Hash, pair_length: usize) -> String {
    let rest = "sessionid=".len() + signed(&sessions().with(hash), "NEW", "").len();
    // an empty payload is quoted nowhere: its text starts with the separator
    "A".repeat(pair_length - rest)
}

#[test]
fn a_pair_of_4096_bytes_is_sealed_like_any_other() {
    let text = payload(Hash::Sha256, 4096);
    let sealed = format!("sessionid={}", signed(&sessions(), "NEW", &text));
    assert_eq!(sealed.len(), 4096);
    assert_set(
        &session_gate(json!({})),
        &[&format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "ORIGIN", &text)
        )],
        &[&format!("{sealed}; {ATTRIBUTES}")],
        &["sealed NEW"],
    );
}

#[test]
fn a_longer_pair_is_sent_all_the_same_and_reported() {
    let text = payload(Hash::Sha256, 4097);
    assert_set(
        &session_gate(json!({})),
        &[&format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "ORIGIN", &text)
        )],
        &[&format!(
            "sessionid={}; {ATTRIBUTES}",
            signed(&sessions(), "NEW", &text)
        )],
        &["sealed NEW", "too-long"],
    );
}

#[test]
fn an_upgrade_that_is_longer_than_what_the_browser_had_is_reported_too() {
    let gate = session_gate(json!({"accept": [{"format": "django-session", "digest": "sha1"}]}));
    for (pair_length, is_reported) in [(4096, false), (4097, true)] {
        let text = payload(Hash::Sha256, pair_length);
        let shown = signed(&sessions().with(Hash::Sha1), "NEW", &text);
        let judged = judge(&gate, &format!("sessionid={shown}"));
        let answer = answer_to(&gate, &judged.pending, &page(), &[]);
        let sent = answer.set_cookies.expect("an upgrade");
        assert!(sent[0].starts_with(&format!("sessionid={}", signed(&sessions(), "NEW", &text))));
        let verdicts = words(&gate, &answer.events);
        assert_eq!(
            verdicts.contains(&"too-long".to_owned()),
            is_reported,
            "{pair_length} bytes: {verdicts:?}"
        );
    }
}

/// Randomness of these tests alone, so that they come out the same in every run.
mod chance {
    use std::sync::atomic::{AtomicU64, Ordering};

    use countersign_core::config::{Policy, Seal};
    use countersign_core::formats::{Content, Keyed};
    use countersign_core::gate::Gate;
    use serde_json::{Value, json};

    use crate::support::*;

    const LONGEST: usize = 4096;

    fn splitmix(turns: &AtomicU64, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let turn = turns.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            let word = (turn ^ turn >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(word ^ word >> 31).to_le_bytes()[..chunk.len()]);
        }
    }

    fn gate_with(rule: Value, random: fn(&mut [u8])) -> Gate {
        let rule = with(rule, json!({"name": "_app", "attributes": ATTRIBUTES}));
        Gate::new(
            Policy::parse(&config(pinned(), [rule]), &secret).unwrap(),
            random,
        )
    }

    fn rails() -> Value {
        json!({"format": "rails-encrypted", "kdf_digest": "sha1"})
    }

    /// Values that are sealed so that the pair has 4,040 to 4,096 bytes, as it came to be.
    fn fitting(keyed: &dyn Keyed, random: fn(&mut [u8])) -> Vec<String> {
        let sizes = (0..).map(|turn| 2_000 + turn % 200);
        let sealed = sizes.take(2_000).filter_map(|size| {
            let payload = "x".repeat(size);
            keyed.seal(&Content::of(payload.as_bytes()), random).ok()
        });
        let fits = |value: &String| (4_040..=LONGEST).contains(&("_app=".len() + value.len()));
        sealed.filter(fits).take(60).collect()
    }

    #[test]
    fn what_fitted_fits_again_though_chance_makes_it_longer() {
        static TURNS: AtomicU64 = AtomicU64::new(1);
        let drawn = |bytes: &mut [u8]| splitmix(&TURNS, bytes);
        let gate = gate_with(rails(), drawn);
        let values = fitting(&*gate.policy().rules[0].origin.keyed, drawn);
        assert_eq!(values.len(), 60);
        let mut too_long = 0;
        for value in values {
            let set = format!("_app={value}; {ATTRIBUTES}");
            let answer = answer(&gate, &[&set]);
            let sent = answer.set_cookies.as_ref().unwrap()[0].clone();
            let fits = sent.split_once(';').unwrap().0.len() <= LONGEST;
            let told = if fits {
                vec!["sealed NEW"]
            } else {
                vec!["sealed NEW", "too-long"]
            };
            assert_eq!(words(&gate, &answer.events), told);
            too_long += usize::from(!fits);
        }
        assert!(too_long <= 1, "{too_long} of 60");
    }

    #[test]
    fn an_upgrade_is_drawn_again_too() {
        static TURNS: AtomicU64 = AtomicU64::new(2);
        let drawn = |bytes: &mut [u8]| splitmix(&TURNS, bytes);
        let gate = gate_with(rails(), drawn);
        let values = fitting(&*gate.policy().rules[0].candidates[1].keyed, drawn);
        let mut too_long = 0;
        for value in &values {
            let judged = judge(&gate, &format!("_app={value}"));
            assert_eq!(judged.verdicts, ["fallback OLD"]);
            let answer = answer_to(&gate, &judged.pending, &page(), &[]);
            too_long += usize::from(words(&gate, &answer.events).contains(&"too-long".to_owned()));
        }
        assert!(
            values.len() == 60 && too_long <= 1,
            "{too_long} of {}",
            values.len()
        );
    }

    #[test]
    fn what_chance_cannot_shorten_is_not_drawn_for_ever() {
        static DRAWS: AtomicU64 = AtomicU64::new(0);
        let drawn = |bytes: &mut [u8]| {
            DRAWS.fetch_add(1, Ordering::Relaxed);
            bytes.fill(7);
        };
        let gate = gate_with(rails(), drawn);
        let rule = &gate.policy().rules[0];
        let sealed = |by: &Seal, size: usize| {
            let payload = "x".repeat(size);
            let content = Content::of(payload.as_bytes());
            by.keyed.seal(&content, drawn).unwrap()
        };
        let too_long = |size: &usize| "_app=".len() + sealed(&rule.browser, *size).len() > LONGEST;
        // by a few bytes, and as long each time
        let just_too_long = (1_000..).find(too_long).unwrap();
        for (size, most) in [(1_000, 1), (just_too_long, 3), (4_000, 1)] {
            let value = sealed(&rule.origin, size);
            DRAWS.store(0, Ordering::Relaxed);
            answer(&gate, &[&format!("_app={value}; {ATTRIBUTES}")]);
            assert_eq!(DRAWS.load(Ordering::Relaxed), most, "{}", value.len());
        }
    }
}
