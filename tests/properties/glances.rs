//! What is told at a glance, against the long look.

use countersign_core::wire::look_alike::{Managed, Names, is_special, opens_quote};
use countersign_core::wire::rule_index::RuleIndex;
use proptest::prelude::*;

use crate::cases;
use crate::headers::{NAMES, anything, header};

/// Names that start in every way: with a letter, with what parsers trim, with what they decode.
const ODD: [&str; 4] = ["__Host-sid", "%73id", "'S", "!$7"];

fn names() -> Names {
    let all = (0..).map(RuleIndex).zip(NAMES.into_iter().chain(ODD));
    Names::new(all.map(|(rule, name)| (name.to_owned(), Managed::Cookie(rule))))
}

fn is_another(names: &Names, pair: &str) -> bool {
    let is_meant = names.exact(pair).is_some() || !names.look_alikes(pair).rules.is_empty();
    !(is_meant || is_special(pair) || opens_quote(pair))
}

/// Every text of up to four of the characters that parsers treat in ways of their own.
fn short_texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    for from in 0.. {
        let Some(text) = texts.get(from).filter(|text| text.chars().count() < 4) else {
            break;
        };
        let text = text.clone();
        texts.extend(
            " \t\"$%'73=sSu_a[\\,\u{a0}"
                .chars()
                .map(|c| format!("{text}{c}")),
        );
    }
    texts
}

#[test]
fn no_short_text_deceives_a_glance() {
    let names = ["s", "_S", "%73", "'a", "u7"].into_iter();
    let names = Names::new(names.map(|name| (name.to_owned(), Managed::Cookie(RuleIndex(0)))));
    for text in short_texts() {
        assert!(
            !names.is_plainly_other(&text) || is_another(&names, &text),
            "{text:?}"
        );
    }
}

#[test]
fn a_glance_is_enough_for_what_sites_set() {
    for pair in [
        " _ga=GA1.1.10",
        "csrftoken=kZ3v",
        " OptanonConsent=a&b=c%3A1",
        "",
        " ",
    ] {
        assert!(names().is_plainly_other(pair), "{pair:?}");
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn no_header_deceives_a_glance(header in prop_oneof![header(), anything()]) {
        let names = names();
        for pair in header.split(';') {
            prop_assert!(!names.is_plainly_other(pair) || is_another(&names, pair), "{pair:?}");
        }
    }
}
