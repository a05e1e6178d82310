//! The request side of the gate, for arbitrary Cookie headers.

use countersign_core::gate::{Action, Gate};
use proptest::prelude::*;
use serde_json::json;

use crate::cases;
use crate::headers::{FORGED, NAMES, anything, expected, header, is_tame, tame_header};
use crate::parsers::{OTHERS, Parser, SPLITTERS};
use crate::support::*;

/// A session under a key of the origin's, and a user that the origin reads unsigned.
fn both() -> Gate {
    gate(pinned(), [session_rule(), wrapped_rule()])
}

/// Both in front of the origin's own key, where a gate may observe.
fn first_day_in(mode: &str) -> Gate {
    let keys = json!({"current": "ORIGIN", "fallbacks": ["OLD", "NEW"], "origin": "ORIGIN"});
    let user = with(wrapped_rule(), json!({"origin": null}));
    gate_of(with(
        config(keys, [session_rule(), user]),
        json!({"mode": mode}),
    ))
}

/// What the origin is sent, if anything.
fn sent(gate: &Gate, header: &str) -> String {
    forwarded(gate, header).unwrap_or_default()
}

fn trimmed(pair: &str) -> &str {
    pair.trim_matches([' ', '\t'])
}

fn managed_name(pair: &str) -> Option<&'static str> {
    let (name, _) = pair.split_once('=')?;
    let name = name.trim_start_matches([' ', '\t']);
    NAMES.into_iter().find(|managed| *managed == name)
}

/// Whether rule R7 could have anything to say about a pair; no reason to drop it, only no proof that it
/// must not be dropped.
fn is_suspicious(pair: &str) -> bool {
    let text = percent_decoded(pair).to_ascii_lowercase();
    let text: String = text
        .chars()
        .map(|c| {
            if ".[+".contains(c) || c.is_whitespace() {
                '_'
            } else {
                c
            }
        })
        .collect();
    NAMES.iter().any(|name| text.contains(name)) || pair.contains(['"', '$'])
}

fn percent_decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let digits = |range| {
            after
                .get(range)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        };
        rest = match (digits(0..2), after.strip_prefix('u').and(digits(1..5))) {
            (Some(byte), _) => {
                out.push(char::from(byte));
                &after[2..]
            }
            (None, Some(byte)) => {
                out.push(char::from(byte));
                &after[5..]
            }
            (None, None) => {
                out.push('%');
                after
            }
        };
    }
    out + rest
}

/// Asserts that a parser finds no managed name with a value that the gate did not write. A bare word has none.
fn assert_none_forged(
    (parser, parse): Parser,
    header: &str,
    built: &str,
) -> Result<(), TestCaseError> {
    for (name, value) in parse(built) {
        if NAMES.contains(&name.as_str()) && !value.is_empty() {
            prop_assert!(
                expected(&name).contains(&value),
                "{parser} finds {name}={value:?} in {built:?}, built from {header:?}"
            );
        }
    }
    Ok(())
}

/// Asserts that a parser finds every managed cookie that the gate wrote.
fn assert_none_masked(
    (parser, parse): Parser,
    header: &str,
    built: &str,
) -> Result<(), TestCaseError> {
    let written = |pairs: Vec<(String, String)>| {
        let is_written = |(name, value): &(String, String)| {
            NAMES.contains(&name.as_str()) && expected(name).contains(value)
        };
        pairs.into_iter().filter(is_written).collect::<Vec<_>>()
    };
    let (_, plainly) = SPLITTERS[0];
    prop_assert_eq!(
        written(parse(built)),
        written(plainly(built)),
        "{} sees other cookies in {:?}, built from {:?}",
        parser,
        built,
        header
    );
    Ok(())
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn no_managed_name_that_the_gate_did_not_write_is_in_its_header(header in header()) {
        let built = sent(&both(), &header);
        for parser in SPLITTERS.iter().chain(&OTHERS) {
            assert_none_forged(*parser, &header, &built)?;
        }
    }

    #[test]
    fn with_strict_rules_no_parser_finds_even_an_empty_one(header in prop_oneof![header(), anything()]) {
        let strict = |rule| with(rule, json!({"look_alikes": "strict"}));
        let built = sent(&gate(pinned(), [strict(session_rule()), strict(wrapped_rule())]), &header);
        for (parser, parse) in SPLITTERS.iter().chain(&OTHERS) {
            for (name, value) in parse(&built) {
                prop_assert!(
                    !NAMES.contains(&name.as_str()) || expected(&name).contains(&value),
                    "{} finds {}={:?} in {:?}, built from {:?}", parser, name, value, built, header
                );
            }
        }
    }

    #[test]
    fn words_in_a_value_are_nothing_to_the_gate(
        words in prop::collection::vec(("[a-z]{1,6}|sessionid|SessionID|user_id|user id", "[ ,\t|:\\]\\[}{]{1,2}"), 0..8),
    ) {
        let value: String = words.into_iter().map(|(word, between)| word + &between).collect();
        let value = value.replace("sessionid[", "sessionid ").replace("SessionID[", "SessionID ");
        let value = value.replace("user_id[", "user_id ").replace("user id[", "user id ");
        let header = format!("a=1; q=x {value}; b=2");
        let judged = judge(&both(), &header);
        prop_assert_eq!(judged.action, Action::Unchanged, "{}", header);
    }

    #[test]
    fn no_managed_cookie_that_the_gate_wrote_is_masked(header in header()) {
        let built = sent(&both(), &header);
        for parser in SPLITTERS {
            assert_none_masked(parser, &header, &built)?;
        }
    }

    #[test]
    fn neither_holds_for_headers_of_any_kind(header in anything()) {
        let built = sent(&both(), &header);
        for parser in SPLITTERS.iter().chain(&OTHERS) {
            assert_none_forged(*parser, &header, &built)?;
        }
        for parser in SPLITTERS {
            assert_none_masked(parser, &header, &built)?;
        }
    }

    #[test]
    fn unmanaged_cookies_survive_to_the_byte_and_in_order(header in tame_header()) {
        let built = sent(&both(), &header);
        let tame = |header: &str| -> Vec<String> {
            header.split(';').filter(|pair| is_tame(pair)).map(|pair| trimmed(pair).to_owned()).collect()
        };
        prop_assert_eq!(tame(&built), tame(&header));
    }

    #[test]
    fn whatever_is_sent_came_in_that_order_and_only_what_is_suspicious_is_missing(
        header in prop_oneof![header(), anything()],
    ) {
        let built = sent(&both(), &header);
        let mut rest = built.split(';').filter(|pair| !trimmed(pair).is_empty()).peekable();
        let mut is_first = true;
        for pair in header.split(';').filter(|pair| !trimmed(pair).is_empty()) {
            let goes_on = rest.next_if(|sent| match managed_name(pair) {
                Some(name) => managed_name(sent) == Some(name),
                None if is_first => sent.trim_start_matches([' ', '\t']) == pair.trim_start_matches([' ', '\t']),
                None => *sent == pair,
            });
            is_first &= goes_on.is_none();
            prop_assert!(
                goes_on.is_some() || managed_name(pair).is_some() || is_suspicious(pair),
                "{pair:?} of {header:?} is missing from {built:?}"
            );
        }
        prop_assert_eq!(rest.next(), None, "{:?} became {:?}", header, built);
    }

    #[test]
    fn what_needs_no_change_is_the_same_object(header in prop_oneof![header(), anything()]) {
        let gate = both();
        if let Action::WithCookie(Some(built)) = judge(&gate, &header).action {
            prop_assert!(built != header || header.contains(char::REPLACEMENT_CHARACTER));
        }
    }

    #[test]
    fn nothing_forged_ever_verifies(header in header()) {
        for pair in sent(&both(), &header).split(';') {
            if managed_name(pair).is_some() {
                prop_assert!(!pair.contains(FORGED), "{pair:?} of {header:?}");
            }
        }
    }

    #[test]
    fn observe_never_changes_a_request_and_tells_what_enforce_would(
        header in prop_oneof![header(), anything()],
    ) {
        let judged = judge(&first_day_in("observe"), &header);
        prop_assert_eq!(judged.action, Action::Unchanged);
        prop_assert_eq!(judged.verdicts, judge(&first_day_in("enforce"), &header).verdicts);
    }

    #[test]
    fn a_gate_decides_the_same_every_time(header in header()) {
        let gate = both();
        let (first, second) = (judge(&gate, &header), judge(&gate, &header));
        prop_assert_eq!(first.action, second.action);
        prop_assert_eq!(first.verdicts, second.verdicts);
    }

    #[test]
    fn with_reject_and_with_forward_no_header_panics(
        header in prop_oneof![header(), anything()],
        on_invalid in prop::sample::select(vec!["reject", "forward"]),
        now in any::<u64>(),
    ) {
        let gate = session_gate(json!({"on_invalid": on_invalid, "unsafe_open": true, "max_age": 60}));
        prop_assert!(gate.request(Some(&header), &subrequest(), now).is_ok());
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn work_is_bounded_and_no_less_is_done(copies in 50..400u64, keys in 1..=4usize) {
        let fallbacks = &["OLD", "OLDER", "ORIGIN"][..keys - 1];
        let keys_table = json!({"current": "NEW", "fallbacks": fallbacks, "origin": "ORIGIN"});
        let gate = gate(keys_table, [session_rule()]);
        let pairs: Vec<String> = (0..copies).map(|n| format!("sessionid={}", forged_at(n))).collect();
        let verdicts = judge(&gate, &pairs.join("; ")).verdicts;
        let too_long = verdicts.iter().filter(|verdict| *verdict == "too-long").count();
        prop_assert_eq!(verdicts.len(), pairs.len());
        prop_assert_eq!(too_long > 0, pairs.len() * keys > 256, "{} copies, {} keys", copies, keys);
    }
}
