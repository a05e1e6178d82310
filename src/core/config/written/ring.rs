//! Which keys stand in which ring, and which rules go by it.

use super::{Written, WrittenKey, WrittenKeys, WrittenRule};
use crate::prelude::*;

/// One current key, and the fallbacks beside it.
#[derive(Clone, Debug)]
pub struct WrittenRing<'w, 'v> {
    /// The rule that has it for itself; none for the ring of all others.
    pub rule: Option<&'w WrittenRule<'v>>,
    /// The table that its current key stands in. What that leaves out is not here.
    pub table: &'w WrittenKeys<'v>,
    /// The same, complete.
    pub keys: &'w WrittenKeys<'v>,
    /// The rules that go by it.
    pub rules: Vec<&'w WrittenRule<'v>>,
}

impl<'v> Written<'v> {
    /// Every ring: the one of all rules, then those of rules that have their own.
    pub fn rings(&self) -> Vec<WrittenRing<'_, 'v>> {
        let shared = self.shared_ring();
        let is_used = self.keys.has_current || !shared.rules.is_empty();
        let shared = is_used.then_some(shared);
        let own = self.rules.iter().filter_map(WrittenRule::own_ring);
        shared.into_iter().chain(own).collect()
    }

    /// The ring of all rules that have no current key of their own.
    pub fn shared_ring(&self) -> WrittenRing<'_, 'v> {
        let rules = self.rules.iter();
        WrittenRing {
            rule: None,
            table: &self.keys,
            keys: &self.keys,
            rules: rules.filter(|rule| rule.own_ring().is_none()).collect(),
        }
    }
}

impl<'v> WrittenRule<'v> {
    /// The ring that it has for itself: where it has a current key of its own.
    pub fn own_ring(&self) -> Option<WrittenRing<'_, 'v>> {
        let table = self.own_keys.as_ref().filter(|own| own.has_current)?;
        Some(WrittenRing {
            rule: Some(self),
            table,
            keys: &self.keys,
            rules: Vec::from([self]),
        })
    }
}

impl<'w, 'v> WrittenRing<'w, 'v> {
    /// Each `keys` table of it: the one with its current key, then those of rules that go by it and put other
    /// fallbacks, or another origin, in the place of its own.
    pub fn tables(&self) -> impl Iterator<Item = &'w WrittenKeys<'v>> {
        let shared = self.rule.is_none().then_some(&self.rules);
        let others = shared.into_iter().flatten();
        core::iter::once(self.table).chain(others.filter_map(|rule| rule.own_keys.as_ref()))
    }

    /// The fallbacks that its tables list, each once: the one that opens for longest.
    pub fn listed(&self) -> Vec<&'w WrittenKey<'v>> {
        longest(self.tables().flat_map(WrittenKeys::fallbacks))
    }

    /// The fallbacks that its rules go by, each once: the one that opens for longest.
    pub fn fallbacks(&self) -> Vec<&'w WrittenKey<'v>> {
        let others = self.tables().skip(1).flat_map(WrittenKeys::fallbacks);
        longest(self.keys.fallbacks().iter().chain(others))
    }
}

fn longest<'w, 'v: 'w>(keys: impl Iterator<Item = &'w WrittenKey<'v>>) -> Vec<&'w WrittenKey<'v>> {
    let end = |key: &WrittenKey<'_>| key.until.unwrap_or(u64::MAX);
    let mut longest: Vec<&WrittenKey<'v>> = Vec::new();
    for key in keys {
        match longest.iter_mut().find(|known| known.id == key.id) {
            Some(known) if end(known) < end(key) => *known = key,
            Some(_) => {}
            None => longest.push(key),
        }
    }
    longest
}
