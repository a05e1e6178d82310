//! Which cookies were set anew or deleted lately. An upgrade of one that is still under way would bring it back (S5).

use core::fmt;

use spin::Mutex;

use super::upgrade::opens_page;
use super::{DueUpgrade, Gate, Pending, RequestHead};
use crate::config::{Rule, RuleIndex, Upgrade};
use crate::crypto::Digest;
use crate::formats::Content;
use crate::prelude::*;

/// For how long an upgrade of such a cookie is withheld, in milliseconds: as long as a request that showed it may have
/// been on its way here when the browser was told.
const KEPT_MS: u64 = 10_000;
/// How many are remembered, at most; then the oldest is forgotten.
const MOST: usize = 4_096;
/// How many wait to be told to other isolates, at most.
const MOST_UNTOLD: usize = 16;

/// What tells one visitor's cookie from all others, whatever its key and format: the same before and after an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A cookie of a request, of which an upgrade may be under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upgradable {
    pub rule: RuleIndex,
    /// What it says.
    says: Identity,
    /// The same, whenever it was signed.
    payload: Identity,
    /// Whether the time that is signed in it counts: others that say the same are then rare.
    is_timed: bool,
}

impl Identity {
    fn of(parts: &[&[u8]]) -> Self {
        let hash = Digest::Sha256.hash(parts);
        let start = hash.iter().take(size_of::<u64>());
        Self(start.fold(0, |id, byte| id << 8 | u64::from(*byte)))
    }
}

impl Upgradable {
    pub(super) fn new(at: RuleIndex, rule: &Rule, content: &Content<'_>) -> Self {
        let is_timed = rule.always_carries_time();
        let time = content.time_s.filter(|_| is_timed).unwrap_or_default();
        let payload = Self::payload(rule, content);
        let (name, time) = (rule.spec.name.as_bytes(), time.to_le_bytes());
        Self {
            rule: at,
            says: Identity::of(&[name, &time, &payload.0.to_le_bytes()]),
            payload,
            is_timed,
        }
    }

    /// What a content says, whenever it was signed.
    pub(super) fn payload(rule: &Rule, content: &Content<'_>) -> Identity {
        Identity::of(&[rule.browser.keyed.lasting(&content.payload)])
    }

    /// Whether a newer cookie says the same: nothing is lost where an upgrade of this one overwrites it.
    pub(super) fn says(&self, payload: Identity) -> bool {
        self.payload == payload
    }

    /// Its identity; the visitor's address tells apart cookies that say the same.
    pub(super) fn identity(&self, head: &dyn RequestHead) -> Identity {
        if self.is_timed {
            return self.says;
        }
        match head.request_header("cf-connecting-ip") {
            Some(address) => Identity::of(&[&self.says.0.to_le_bytes(), address.as_bytes()]),
            None => self.says,
        }
    }
}

/// What an isolate remembers of the last few seconds. Times are in Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct Superseded(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    /// Each cookie, and when it was noted: a ring, the oldest at `next` once it is full.
    cookies: Vec<(Identity, u64)>,
    next: usize,
    /// When an upgrade was last due.
    due_ms: Option<u64>,
    /// The cookies that were deleted and of which other isolates have not been told.
    untold: Vec<Identity>,
}

impl Superseded {
    /// Remembers that an upgrade is due.
    pub(super) fn expect(&self, now_ms: u64) {
        self.0.lock().due_ms = Some(now_ms);
    }

    /// Whether an upgrade was due so lately that it, or its like, may still be under way.
    pub(super) fn expects(&self, now_ms: u64) -> bool {
        let due = self.0.lock().due_ms;
        due.is_some_and(|due| now_ms.saturating_sub(due) <= KEPT_MS)
    }

    /// Remembers that this cookie was set anew or deleted.
    pub(super) fn note(&self, cookie: Identity, now_ms: u64) {
        let mut lately = self.0.lock();
        let next = lately.next;
        match lately.cookies.get_mut(next) {
            Some(oldest) => *oldest = (cookie, now_ms),
            None => lately.cookies.push((cookie, now_ms)),
        }
        lately.next = (next + 1) % MOST;
    }

    /// Remembers that other isolates are to be told of this cookie.
    pub(super) fn announce(&self, cookie: Identity) {
        let untold = &mut self.0.lock().untold;
        if untold.len() < MOST_UNTOLD {
            untold.push(cookie);
        }
    }

    /// Whether this cookie was set anew or deleted lately.
    pub(super) fn has(&self, cookie: Identity, now_ms: u64) -> bool {
        let is_it = |(known, noted): &(Identity, u64)| {
            *known == cookie && now_ms.saturating_sub(*noted) <= KEPT_MS
        };
        self.0.lock().cookies.iter().any(is_it)
    }
}

/// What isolates tell each other, where something carries it between them.
impl Gate {
    /// The cookies of a request of which an upgrade is under way: what an isolate that deletes one of them calls it.
    /// Nothing where there is none.
    pub fn under_way(&self, pending: &Pending, head: &dyn RequestHead) -> Option<String> {
        let may_come = |due: &&DueUpgrade| match self.policy.rules[due.rule].spec.upgrade {
            Upgrade::Never => false,
            Upgrade::Navigation => due.allowed && opens_page(head),
            Upgrade::Always => due.allowed,
        };
        let is_due = |cookie: &&Upgradable| {
            let mut due = pending.due.iter().filter(may_come);
            due.any(|due| due.rule == cookie.rule)
        };
        let cookies = pending.upgradable.iter().filter(is_due);
        listed(cookies.map(|cookie| cookie.identity(head)))
    }

    /// The cookies that were deleted since the last call, for the other isolates. Nothing where there is none.
    pub fn deleted(&self) -> Option<String> {
        let untold = core::mem::take(&mut self.superseded.0.lock().untold);
        listed(untold.into_iter())
    }

    /// Takes in what another isolate has told; what is no such list is ignored. `now_ms` is in Unix milliseconds.
    pub fn deleted_elsewhere(&self, cookies: &str, now_ms: u64) {
        for cookie in cookies.split(',').take(MOST_UNTOLD) {
            if let Ok(id) = u64::from_str_radix(cookie, 16) {
                self.superseded.note(Identity(id), now_ms);
            }
        }
    }
}

fn listed(cookies: impl Iterator<Item = Identity>) -> Option<String> {
    let cookies: Vec<String> = cookies.map(|cookie| cookie.to_string()).collect();
    Some(cookies.join(",")).filter(|list| !list.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_cookie_is_known_for_ten_seconds() {
        let superseded = Superseded::default();
        superseded.note(Identity(1), NOW);
        assert!(superseded.has(Identity(1), NOW + KEPT_MS));
        assert!(!superseded.has(Identity(1), NOW + KEPT_MS + 1));
        assert!(!superseded.has(Identity(2), NOW));
    }

    #[test]
    fn an_older_note_does_not_hide_a_newer_one() {
        let superseded = Superseded::default();
        superseded.note(Identity(1), NOW);
        superseded.note(Identity(1), NOW + 9_000);
        assert!(superseded.has(Identity(1), NOW + 19_000));
    }

    #[test]
    fn only_so_many_are_kept_and_the_oldest_goes_first() {
        let superseded = Superseded::default();
        for id in 0..=MOST as u64 {
            superseded.note(Identity(id), NOW);
        }
        assert_eq!(superseded.0.lock().cookies.len(), MOST);
        assert!(!superseded.has(Identity(0), NOW));
        assert!(superseded.has(Identity(1), NOW));
        assert!(superseded.has(Identity(MOST as u64), NOW));
    }
}
