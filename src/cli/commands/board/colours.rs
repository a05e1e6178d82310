//! One colour for each key, the same in every part: keys in the order in which they came.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::commands::board::facts::Facts;

/// How many colours the style has.
const COLOURS: usize = 8;

/// The place of each key in the order, by which it has its colour.
pub struct Colours(BTreeMap<String, usize>);

impl Colours {
    /// Of all keys that are named anywhere.
    pub fn of(facts: &Facts) -> Self {
        let mut known: BTreeMap<&str, u64> = BTreeMap::new();
        let mut meet = |key, time: u64| {
            let first: &mut u64 = known.entry(key).or_insert(time);
            *first = time.min(*first);
        };
        let lives = facts.lives.iter().flat_map(|ring| &ring.keys);
        for life in lives {
            let first = life.phases.first().map(|phase| phase.from);
            meet(&life.key, first.unwrap_or(u64::MAX));
        }
        if let Some(ledger) = facts.ledger() {
            for times in &ledger.keys {
                let first = times.first_opened.or(times.first_sealed);
                meet(&times.key, first.unwrap_or(u64::MAX));
            }
            let entries = ledger.days.iter().chain(&ledger.hours);
            for entry in entries {
                entry.key.iter().for_each(|key| meet(key, entry.at));
            }
        }
        let keys = facts.rings.iter().flat_map(|ring| &ring.keys);
        keys.for_each(|key| meet(&key.key, u64::MAX));
        let order: BTreeSet<(u64, &str)> = known.iter().map(|(key, time)| (*time, *key)).collect();
        let order = order.into_iter().enumerate();
        Self(order.map(|(at, (_, key))| (key.to_owned(), at)).collect())
    }

    /// The class of a key's colour.
    pub fn class(&self, key: &str) -> String {
        format!("k{}", self.place(key) % COLOURS)
    }

    /// Whether its areas have lines across, so that neighbours differ by more than a colour.
    pub fn has_lines(&self, key: &str) -> bool {
        self.place(key) % 2 == 1
    }

    /// A key's name behind its colour.
    pub fn named(&self, key: &str) -> Markup {
        html! { span.key { (self.swatch(key)) span.name { (key) } } }
    }

    /// A small square in the key's colour, with its lines.
    pub fn swatch(&self, key: &str) -> Markup {
        html! {
            svg class=(format!("swatch {}", self.class(key))) viewBox="0 0 12 12" aria-hidden="true" {
                rect.fill width="12" height="12" rx="2" {}
                @if self.has_lines(key) { path.lines d="M0 3H12M0 6H12M0 9H12" {} }
            }
        }
    }

    /// Where a key stands in the order.
    pub fn place(&self, key: &str) -> usize {
        self.0.get(key).copied().unwrap_or_default()
    }
}
