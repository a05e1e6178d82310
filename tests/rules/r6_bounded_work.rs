//! R6: a request costs at most 256 tries and 1 MiB hashed; a value over 16 KiB is refused unhashed. All that is done
//! with a message's bytes is counted in steps, which grow no faster than the message.

use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::crypto::{Digest, Mac};
use countersign_core::formats::{self, Content};
use countersign_core::gate::{Action, Gate};
use countersign_core::settings::{Problems, Table};
use countersign_core::wire::encoding::base64url;
use serde_json::{Value, json};

use crate::django::sessions;
use crate::support::*;
use crate::worst::{self, Site, sites};

const LONGEST: usize = 16 << 10;

/// A gate with so many keys in its ring.
fn gate_with_keys(keys: usize) -> Gate {
    let fallbacks = &["OLD", "OLDER", "ORIGIN"][..keys - 1];
    let keys = json!({"current": "NEW", "fallbacks": fallbacks, "origin": "ORIGIN"});
    gate(keys, [session_rule()])
}

fn cookies(values: impl IntoIterator<Item = String>) -> String {
    let pairs: Vec<String> = values
        .into_iter()
        .map(|v| format!("sessionid={v}"))
        .collect();
    pairs.join("; ")
}

/// The signature of `sess` as Koa makes it.
fn sig(key_name: &str, value: &str) -> String {
    let mac = Mac::new(Digest::Sha1, key(key_name).as_bytes());
    base64url(&mac.sign(&[b"sess=", value.as_bytes()]))
}

fn count(gate: &Gate, header: &str, verdict: &str) -> usize {
    let verdicts = judge(gate, header).verdicts;
    verdicts.iter().filter(|word| *word == verdict).count()
}

/// A value of so many bytes with a signature's shape.
fn of_length(key_name: &str, length: usize) -> String {
    let rest = session(key_name).len() - PAYLOAD.len();
    sessions().sign(key(key_name), &"A".repeat(length - rest), SIGNED)
}

#[test]
fn a_value_of_16_kib_is_judged_and_a_longer_one_is_too_long() {
    let gate = gate_with_keys(1);
    let verdict = |value: String| judge(&gate, &format!("sessionid={value}")).verdicts;
    assert_eq!(verdict(of_length("NEW", LONGEST)), ["current NEW"]);
    assert_eq!(verdict(of_length("STRANGER", LONGEST)), ["bad-signature"]);
    assert_eq!(verdict(of_length("NEW", LONGEST + 1)), ["too-long"]);
    assert_eq!(verdict("x".repeat(LONGEST + 1)), ["too-long"]);
}

#[test]
fn what_is_too_long_is_stripped_even_where_the_rule_says_reject() {
    let gate = session_gate(json!({"on_invalid": "reject"}));
    let header = format!("a=1; sessionid={}", of_length("NEW", LONGEST + 1));
    assert_sent(&gate, &header, Some("a=1"), &["too-long"]);
}

#[test]
fn a_too_long_duplicate_masks_nothing() {
    let gate = gate_with_keys(1);
    let header = format!(
        "sessionid={}; sessionid={}",
        "x".repeat(LONGEST + 1),
        session("NEW")
    );
    let expected = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(forwarded(&gate, &header), Some(expected));
}

#[test]
fn unmanaged_cookies_may_be_as_long_as_they_are() {
    let header = format!("a={}", "x".repeat(LONGEST * 4));
    assert_as_it_came(&gate_with_keys(1), &header, &[]);
}

#[test]
fn the_256th_try_is_made_and_the_257th_is_not() {
    let gate = gate_with_keys(1);
    for (copies, too_long) in [(255, 0), (256, 0), (257, 1), (300, 44)] {
        let header = cookies((0..copies).map(forged_at));
        assert_eq!(
            count(&gate, &header, "too-long"),
            too_long,
            "{copies} copies"
        );
        let judged = copies as usize - too_long;
        assert_eq!(
            count(&gate, &header, "bad-signature"),
            judged,
            "{copies} copies"
        );
        assert_eq!(judge(&gate, &header).action, Action::WithCookie(None));
    }
}

#[test]
fn a_good_cookie_within_the_bound_is_found_and_one_beyond_it_is_not() {
    let gate = gate_with_keys(1);
    let behind = |planted: u64| {
        let good = std::iter::once(session("NEW"));
        judge(&gate, &cookies((0..planted).map(forged_at).chain(good))).action
    };
    let sent = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(behind(255), Action::WithCookie(Some(sent)));
    assert_eq!(behind(256), Action::WithCookie(None));
}

#[test]
fn every_key_that_is_tried_counts() {
    let gate = gate_with_keys(2);
    assert_eq!(
        count(&gate, &cookies((0..128).map(forged_at)), "too-long"),
        0
    );
    assert!(count(&gate, &cookies((0..129).map(forged_at)), "too-long") > 0);
    let gate = gate_with_keys(4);
    assert_eq!(
        count(&gate, &cookies((0..64).map(forged_at)), "too-long"),
        0
    );
    assert!(count(&gate, &cookies((0..65).map(forged_at)), "too-long") > 0);
}

#[test]
fn planted_copies_do_not_use_up_the_work_before_the_good_one_had_its_try() {
    let gate = gate_with_keys(4);
    let values = (0..200).map(forged_at).chain([session("NEW")]);
    let sent = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(forwarded(&gate, &cookies(values)), Some(sent));
}

#[test]
fn a_value_without_a_signatures_shape_costs_no_try() {
    let gate = gate_with_keys(4);
    let shapeless = (0..1000).map(|n| format!("{PAYLOAD}{n}"));
    let header = cookies(shapeless.chain([session("OLDER")]));
    assert_eq!(
        forwarded(&gate, &header),
        Some(format!("sessionid={}", session("ORIGIN")))
    );
}

#[test]
fn one_mebibyte_is_hashed_and_no_more() {
    let gate = gate_with_keys(1);
    let value = of_length("STRANGER", LONGEST);
    for (copies, too_long) in [(63, 0), (64, 0), (65, 1)] {
        let header = cookies(std::iter::repeat_n(value.clone(), copies));
        assert_eq!(
            count(&gate, &header, "too-long"),
            too_long,
            "{copies} copies"
        );
    }
}

/// Each value is tried with every signature: all with all, these would be 2 GB.
#[test]
fn many_values_with_many_signatures_are_not_all_tried() {
    let rule = json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let header = "sess=a; ".repeat(16 << 10) + &"sess.sig=aaaaaaa; ".repeat(16 << 10);
    assert_eq!(forwarded(&gate, &header), None);
    assert!(count(&gate, &header, "too-long") > 0);
}

#[test]
fn the_rules_of_one_request_share_the_bound_and_the_next_request_starts_anew() {
    let messages = json!({"name": "messages", "format": "django-messages", "attributes": "Path=/"});
    let keys = json!({"current": "NEW", "origin": "ORIGIN"});
    let gate = gate(keys, [session_rule(), messages]);
    let message = crate::django::messages().sign(key("NEW"), PAYLOAD, SIGNED);
    let header = |planted| {
        format!(
            "{}; messages={message}",
            cookies((0..planted).map(forged_at))
        )
    };
    let last = |planted| judge(&gate, &header(planted)).verdicts.pop();
    assert_eq!(last(255).as_deref(), Some("current NEW"));
    assert_eq!(last(256).as_deref(), Some("too-long"));
    assert_eq!(last(1).as_deref(), Some("current NEW"));
}

/// What may be spent beside what grows with the header: hashing, and looks in vain for one rule and for 20.
const AT_MOST: usize = (1 << 20) + (512 << 10) + 20 * (32 << 10);

fn steps(site: &Site, header: &str) -> usize {
    let decision = site.gate.request(Some(header), &page(), site.now * 1000);
    decision.unwrap().pending.steps
}

#[test]
fn the_work_of_a_request_grows_no_faster_than_its_header_whatever_the_format() {
    for site in sites(&[1_000]) {
        for (label, kind) in &site.kinds {
            let number = (8 << 10) / kind.times(1).len();
            let [short, long] = [number, 2 * number].map(|n| steps(&site, &kind.times(n)));
            assert!(
                long <= short * 2 + 4_096,
                "{site}, {label}: {short} and {long} steps"
            );
        }
    }
}

#[test]
fn the_work_of_a_long_header_stays_within_what_one_may_cost() {
    for site in sites(&[15_000]) {
        for (label, kind) in site.kinds.iter().step_by(3) {
            let header = kind.header(128 << 10);
            let steps = steps(&site, &header);
            let most = AT_MOST + 8 * header.len();
            assert!(
                steps <= most,
                "{site}, {label}: {steps} steps, at most {most}"
            );
        }
    }
}

/// 700 values and 350 signatures of no shape, with three keys and three digests: once 44 ms.
#[test]
fn signatures_are_looked_over_once_and_not_for_each_value() {
    let site = sites(&[])
        .into_iter()
        .find(|site| site.name.starts_with("keygrip,"))
        .unwrap();
    for signature in [
        "!!!".to_owned(),
        "a".repeat(27),
        "a".repeat(43),
        "a".repeat(128),
    ] {
        let header = |n| "k0=v;".repeat(2 * n) + &format!("k0.sig={signature};").repeat(n);
        let [short, long] = [175, 350].map(|n| steps(&site, &header(n)));
        assert!(
            long <= short * 2 + 4_096,
            "{signature}: {short} and {long} steps"
        );
    }
}

#[test]
fn a_good_pair_is_found_among_hundreds_of_values_and_signatures() {
    let rule = json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let planted = |n: usize| {
        format!(
            "sess=evil{n}; sess.sig={}; ",
            sig("STRANGER", &n.to_string())
        )
    };
    let planted: String = (0..100).map(planted).collect();
    for key_name in ["NEW", "OLD"] {
        let good = format!("sess=good; sess.sig={}", sig(key_name, "good"));
        let expected = format!("sess=good; sess.sig={}", sig("ORIGIN", "good"));
        for header in [format!("{planted}{good}"), format!("{good}; {planted}")] {
            let sent = forwarded(&gate, &header);
            assert_eq!(
                sent.as_deref()
                    .map(|sent| sent.trim_end_matches([' ', ';'])),
                Some(&*expected),
                "{key_name}"
            );
        }
    }
}

/// h3's session, whose every value has salts that 8192 rounds are made with.
fn slow_rule() -> Value {
    json!({"name": "h3", "format": "iron", "iterations": 8_192, "attributes": ATTRIBUTES})
}

fn slow_gate(fallbacks: &[&str]) -> Gate {
    let keys = json!({"current": "NEW", "fallbacks": fallbacks, "origin": "ORIGIN"});
    gate(keys, [slow_rule()])
}

/// A value of a site of its own, so with salts that no other value has.
fn slow(key_name: &str) -> String {
    let (problems, config) = (Problems::default(), slow_rule());
    let format = formats::read(&mut Table::new("", &config, &problems).unwrap()).unwrap();
    let key = Key::new(KeyId::parse("K").unwrap(), key(key_name).into_bytes());
    let keyed = format.keyed("h3", &key).unwrap();
    keyed.seal(&Content::of(&b"{}"[..]), random).unwrap()
}

fn slow_cookies(values: &[String]) -> String {
    let pairs: Vec<String> = values.iter().map(|value| format!("h3={value}")).collect();
    pairs.join("; ")
}

#[test]
fn a_request_makes_six_slow_derivations_and_no_more() {
    let forged: Vec<String> = (0..8).map(|_| slow("STRANGER")).collect();
    let verdicts = judge(&slow_gate(&[]), &slow_cookies(&forged)).verdicts;
    let expected = [vec!["bad-signature"; 6], vec!["too-long"; 2]].concat();
    assert_eq!(verdicts, expected);
    // the key that decrypts is one more
    let good = [&forged[..5], &[slow("NEW")]].concat();
    let gate = slow_gate(&[]);
    assert_eq!(count(&gate, &slow_cookies(&good), "current NEW"), 0);
    assert_eq!(count(&gate, &slow_cookies(&good[1..]), "current NEW"), 1);
}

#[test]
fn a_planted_copy_leaves_enough_for_a_good_one_under_a_fallback() {
    let header = slow_cookies(&[slow("STRANGER"), slow("OLD")]);
    let verdicts = judge(&slow_gate(&["OLD"]), &header).verdicts;
    assert_eq!(verdicts, ["duplicate-dropped", "fallback OLD"]);
}

#[test]
fn a_value_that_was_opened_before_opens_behind_any_number_of_planted_ones() {
    let (gate, good) = (slow_gate(&[]), slow("NEW"));
    assert_eq!(
        count(
            &gate,
            &slow_cookies(std::slice::from_ref(&good)),
            "current NEW"
        ),
        1
    );
    let forged: Vec<String> = (0..8).map(|_| slow("STRANGER")).collect();
    let header = slow_cookies(&[&forged[..], &[good]].concat());
    assert_eq!(count(&gate, &header, "current NEW"), 1);
}

#[test]
fn slow_derivations_count_as_what_they_hash() {
    let (site, derivation) = (worst::slow(), 8_192 * 256);
    let header = site.kinds[0].1.header(128 << 10);
    for _ in 0..3 {
        let steps = steps(&site, &header);
        assert!(steps >= 6 * derivation, "{steps} steps");
        assert!(
            steps <= 6 * derivation + AT_MOST + 8 * header.len(),
            "{steps} steps"
        );
    }
}

#[test]
fn slow_derivations_of_a_response_are_bounded_as_well() {
    let gate = slow_gate(&[]);
    let set = |value: String| format!("h3={value}; {ATTRIBUTES}");
    let lines: Vec<String> = (0..8).map(|_| set(slow("STRANGER"))).collect();
    let answer = gate.response(&lines, &Default::default(), &page(), NOW * 1000);
    let expected = [vec!["origin-unverified"; 6], vec!["too-long"; 2]].concat();
    assert_eq!(words(&gate, &answer.events), expected);
}

/// Adopting a plain cookie seals it: that is work as well.
#[test]
fn no_more_than_256_plain_cookies_are_adopted() {
    let plain = json!([{"format": "plain", "until": "2099-01-01T00:00:00Z"}]);
    let gate = wrapped_gate(json!({"accept": plain, "max_age": 1_209_600}));
    let header = |copies| vec!["user_id=7"; copies].join("; ");
    assert_eq!(count(&gate, &header(256), "accepted-format"), 256);
    assert_eq!(count(&gate, &header(257), "accepted-format"), 256);
}

#[test]
fn what_is_looked_at_in_vain_for_one_rule_leaves_enough_for_the_next() {
    let theme = json!({"name": "theme", "format": "django-session", "attributes": ATTRIBUTES});
    let keys = json!({"current": "NEW", "fallbacks": ["OLD", "OLDER"], "origin": "ORIGIN"});
    let gate = gate(keys, [theme, session_rule()]);
    let header = format!(
        "{}sessionid={}",
        "theme=a; ".repeat(14_000),
        session("OLDER")
    );
    let sent = format!("sessionid={}", session("ORIGIN"));
    assert_eq!(forwarded(&gate, &header), Some(sent));
}

#[test]
fn the_work_of_a_response_grows_no_faster_than_its_set_cookie_headers() {
    let site = sites(&[])
        .into_iter()
        .find(|site| site.name.starts_with("keygrip,"))
        .unwrap();
    let steps = |number: usize| {
        let pair = [
            "k0=v; Path=/".to_owned(),
            format!("k0.sig={}; Path=/", "a".repeat(27)),
        ];
        let lines: Vec<&String> = pair.iter().cycle().take(2 * number).collect();
        let answer = site
            .gate
            .response(&lines, &Default::default(), &page(), NOW * 1000);
        (answer.steps, answer.events.len())
    };
    let ((short, few), (long, many)) = (steps(1_000), steps(2_000));
    assert!(long <= short * 2, "{short} and {long} steps");
    assert_eq!(2 * few, many);
}

#[test]
fn each_value_goes_with_the_signature_behind_it_in_a_response_of_many() {
    let rule = json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES});
    let gate = gate(pinned(), [rule]);
    let lines = |key_name: &str| -> Vec<String> {
        let pair = |n: usize| {
            let value = n.to_string();
            [
                format!("sess={value}; {ATTRIBUTES}"),
                format!("sess.sig={}; {ATTRIBUTES}", sig(key_name, &value)),
            ]
        };
        (0..100).flat_map(pair).collect()
    };
    let answer = gate.response(&lines("ORIGIN"), &Default::default(), &page(), NOW * 1000);
    assert_eq!(answer.set_cookies, Some(lines("NEW")));
    // the last value has its signature before it
    let mut last = lines("ORIGIN").split_off(198);
    last.reverse();
    let answer = gate.response(&last, &Default::default(), &page(), NOW * 1000);
    assert_eq!(words(&gate, &answer.events), ["sealed NEW"]);
}
