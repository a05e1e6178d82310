//! What a key is that a ring lists beside its current one, or a format that a rule accepts: staged, on its way out,
//! or left over.

use countersign_core::config::written::{Written, WrittenKey, WrittenRing};

use crate::rotation::history::Revision;

/// A fallback or an accepted format, by what may become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Nothing has been sealed with it yet.
    Staged,
    /// It has sealed before, and no time ends it.
    Unlimited,
    /// It opens until then, in Unix seconds.
    Ending(u64),
}

impl Listed {
    /// What a key of a ring is, by the history of wrangler.toml.
    pub fn of(key: &WrittenKey<'_>, ring: &WrittenRing<'_, '_>, history: &[Revision]) -> Self {
        // the origin's own has signed before, and so has one that was current in some revision
        let was_current =
            || ring.keys.is_origins(&key.id) || history.iter().any(|old| has_current(old, key));
        match key.until {
            Some(until) => Self::Ending(until),
            None if was_current() => Self::Unlimited,
            None => Self::Staged,
        }
    }
}

fn has_current(revision: &Revision, key: &WrittenKey<'_>) -> bool {
    let value = revision.draft.value();
    let written = Written::of(&value);
    written.each_keys().any(|keys| keys.is_current(&key.id))
}
