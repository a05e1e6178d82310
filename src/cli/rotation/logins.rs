//! Who logs in again because a key has been revoked.

use countersign_core::config::Mode;
use countersign_core::operations::capabilities::RuleCapabilities;

use crate::project::git;
use crate::rotation::baseline::Baseline;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::history;
use crate::rotation::key_roles::signs_at_origin;
use crate::rotation::run::Run;

/// The roles that a key loses.
pub struct LostRoles<'k> {
    pub key: &'k str,
    /// Signs what browsers get.
    pub as_current: bool,
    /// Opens what browsers show.
    pub as_fallback: bool,
}

/// Who has a cookie that opens no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Losers {
    Everybody,
    /// Who has not visited since another key was promoted.
    Absent,
    /// Those, if the key was ever current.
    PerhapsAbsent,
    Nobody,
}

impl<'k> LostRoles<'k> {
    /// It loses all of them, as with new bytes.
    pub fn all(key: &'k str) -> Self {
        Self {
            key,
            as_current: true,
            as_fallback: true,
        }
    }

    /// Who logs in again, for people; rule by rule where they differ.
    pub fn logins(&self, run: &Run<'_>, draft: &Draft, live: &Baseline) -> String {
        let was_current = self.was_current(run, draft, live);
        let rules = live.capabilities.rules.iter();
        let found: Vec<(&str, Losers)> = rules
            .filter_map(|rule| {
                Some((
                    rule.name.as_str(),
                    self.losers(rule, live.now, was_current)?,
                ))
            })
            .collect();
        let first = found.first().map_or(Losers::Nobody, |(_, losers)| *losers);
        if found.iter().all(|(_, losers)| *losers == first) {
            return self.text(first);
        }
        let each = found
            .iter()
            .map(|(rule, losers)| format!("{rule}: {}", self.text(*losers)));
        each.collect::<Vec<_>>().join("; ")
    }

    /// None where a rule does not have the key in a role that it loses.
    fn losers(
        &self,
        rule: &RuleCapabilities,
        now: u64,
        was_current: Option<bool>,
    ) -> Option<Losers> {
        let is_current = self.as_current && rule.current.id.as_str() == self.key;
        let mut fallbacks = rule.fallbacks.iter().filter(|_| self.as_fallback);
        let fallback = fallbacks.find(|fallback| fallback.key.id.as_str() == self.key);
        let losers = match (fallback.map(|fallback| fallback.until), was_current) {
            _ if is_current => Losers::Everybody,
            (None, _) => return None,
            (Some(Some(until)), _) if until <= now => Losers::Nobody,
            // an `until` comes with the promotion of another key
            (Some(Some(_)), _) | (_, Some(true)) => Losers::Absent,
            (_, Some(false)) => Losers::Nobody,
            (_, None) => Losers::PerhapsAbsent,
        };
        // what is only observed reaches the site as it is
        Some(if rule.mode == Mode::Observe {
            Losers::Nobody
        } else {
            losers
        })
    }

    /// Whether it has ever signed what browsers get; none where that is not known.
    fn was_current(&self, run: &Run<'_>, draft: &Draft, live: &Baseline) -> Option<bool> {
        let key = self.key;
        // the site did it with its own key before there was a Worker
        let is_sites = !signs_at_origin(&live.capabilities, key).is_empty();
        if is_sites || is_current(draft, key) {
            return Some(true);
        }
        let history = history::read(&run.environment)?;
        let mut drafts = history.iter().map(|revision| &revision.draft);
        if drafts.any(|draft| is_current(draft, key)) {
            return Some(true);
        }
        // what came before the oldest one is not known
        let has_begun_with_it = is_fallback(&history.last()?.draft, key);
        (!has_begun_with_it && !git::is_shallow(run.environment.config())).then_some(false)
    }

    fn text(&self, losers: Losers) -> String {
        match losers {
            Losers::Everybody => "everybody".to_owned(),
            Losers::Absent => "who has not visited since the promotion".to_owned(),
            Losers::PerhapsAbsent => format!(
                "who has not visited since the promotion; nobody, if {} was never current",
                self.key
            ),
            Losers::Nobody => "nobody".to_owned(),
        }
    }
}

/// Whether a ring has it as its current key.
fn is_current(draft: &Draft, key: &str) -> bool {
    any_ring(draft, |ring| draft.current(ring).is_ok_and(|id| id == key))
}

fn is_fallback(draft: &Draft, key: &str) -> bool {
    any_ring(draft, |ring| {
        let fallbacks = draft.fallbacks(ring).unwrap_or_default();
        fallbacks.iter().any(|(id, _)| id == key)
    })
}

fn any_ring(draft: &Draft, holds: impl Fn(Ring<'_>) -> bool) -> bool {
    let rings = draft.rings();
    let mut rings = rings
        .iter()
        .map(|rule| rule.as_deref().map_or(Ring::Shared, Ring::Of));
    rings.any(holds)
}
