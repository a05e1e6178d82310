//! Whether a fallback may leave the ring before its `until`, by the ledger: only where that has seen all that there was
//! to see.

use countersign_core::config::written::{WrittenRing, WrittenRule};

use crate::remote::figures::Scope;
use crate::remote::ledger::Ledger;
use crate::rotation::history::Revision;
use crate::rotation::out_of_use::{
    LedgerFinding, Opener, Replacement, Subject, Unused, has_each_day, look_up,
};
use crate::rotation::ring_history::{fallback_since, owner};

/// For how many days nobody has used a key that goes early.
pub const UNUSED_DAYS: u32 = 14;

/// That a fallback is out of use, where it may go for that. Not while its upgrades are mostly withheld: then its
/// visitors have not moved, and only stay away.
pub fn unused(
    ledger: &Ledger,
    history: &[Revision],
    ring: &WrittenRing<'_, '_>,
    key: &str,
) -> Option<Unused> {
    if !has_each_day(ledger, UNUSED_DAYS) {
        return None;
    }
    let replaced = fallback_since(history, owner(ring), key)?;
    let rules = rules(ring);
    let upgrades = ledger.period(replaced).upgrades(Scope::Rules(&rules));
    if upgrades.are_mostly_withheld() {
        return None;
    }
    let subject = Subject {
        opener: Opener::Key(key),
        rules: &rules,
        replacement: Replacement::At(replaced),
        longest: None, // the ledger has to have seen all of it
    };
    match look_up(ledger, &subject, UNUSED_DAYS) {
        LedgerFinding::Unused(unused) => Some(unused),
        LedgerFinding::InUse(_) | LedgerFinding::Unknown(_) => None,
    }
}

/// The names of the rules that go by a ring.
pub fn rules(ring: &WrittenRing<'_, '_>) -> Vec<String> {
    let names = ring.rules.iter().filter_map(|rule| WrittenRule::name(rule));
    names.map(str::to_owned).collect()
}
