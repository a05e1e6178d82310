//! What a key was in a ring, by the history of wrangler.toml.

use countersign_core::config::written::{Written, WrittenRing, WrittenRule};

use crate::rotation::history::{Revision, since};

/// The rings that some rule goes by.
pub fn used_rings<'w, 'v>(written: &'w Written<'v>) -> impl Iterator<Item = WrittenRing<'w, 'v>> {
    let rings = written.rings().into_iter();
    rings.filter(|ring| !ring.rules.is_empty())
}

/// The rule that has the ring for itself; none for the ring of all others.
pub fn owner<'v>(ring: &WrittenRing<'_, 'v>) -> Option<&'v str> {
    ring.rule.and_then(WrittenRule::name)
}

/// Whether a key was the current one.
pub fn is_current(revision: &Revision, rule: Option<&str>, key: &str) -> bool {
    in_ring(revision, rule, |ring| {
        let current = ring.keys.current.as_ref();
        current.is_some_and(|current| current.id.as_str() == key)
    })
}

/// Whether a key was a fallback.
pub fn lists(revision: &Revision, rule: Option<&str>, key: &str) -> bool {
    in_ring(revision, rule, |ring| {
        ring.fallbacks()
            .iter()
            .any(|listed| listed.id.as_str() == key)
    })
}

/// Since when a key is a fallback that is not the current key, in Unix seconds; none where it is not, or git does not
/// tell the time.
pub fn fallback_since(history: &[Revision], rule: Option<&str>, key: &str) -> Option<u64> {
    since(history, |old| {
        lists(old, rule, key) && !is_current(old, rule, key)
    })
}

/// Whether something may have been sealed with a key: it was current once, or is the site's own. Without any revision
/// that is not known.
pub fn has_sealed(history: &[Revision], rule: Option<&str>, key: &str) -> bool {
    let is_origins = |old: &Revision| {
        in_ring(old, rule, |ring| {
            let mut keys = ring.keys.origin_keys();
            keys.any(|origin| origin.id.as_str() == key)
        })
    };
    let mut revisions = history.iter();
    history.is_empty() || revisions.any(|old| is_current(old, rule, key) || is_origins(old))
}

fn in_ring(
    revision: &Revision,
    rule: Option<&str>,
    holds: impl Fn(&WrittenRing<'_, '_>) -> bool,
) -> bool {
    let value = revision.draft.value();
    let written = Written::of(&value);
    let mut rings = used_rings(&written);
    rings.any(|ring| owner(&ring) == rule && holds(&ring))
}
