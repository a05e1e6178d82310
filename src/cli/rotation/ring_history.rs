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

/// Since when a key is a fallback that is not the current key, in Unix seconds; none where git does not say.
pub fn fallback_since(history: &[Revision], rule: Option<&str>, key: &str) -> Option<u64> {
    begun(history, |old| {
        lists(old, rule, key) && !is_current(old, rule, key)
    })
}

/// When something began that holds up to the newest revision, in Unix seconds; none where it does not hold there, or has
/// held since the first one, before which git knows nothing.
pub fn begun(history: &[Revision], holds: impl Fn(&Revision) -> bool) -> Option<u64> {
    let oldest = history.last()?;
    let has_begun = !holds(oldest);
    has_begun.then(|| since(history, holds)).flatten()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::editing::Draft;

    fn revision(time: u64, keys: &str) -> Revision {
        let text = format!(
            "[vars.COUNTERSIGN]\nkeys = {{ {keys}, origin = \"SITE\" }}\n[[vars.COUNTERSIGN.cookies]]\nname = \"a\"\n"
        );
        Revision {
            commit: time.to_string(),
            time: Some(time),
            subject: String::new(),
            draft: Draft::parse(&text, None, "wrangler.toml".into()).unwrap(),
        }
    }

    #[test]
    fn a_key_is_a_fallback_since_the_commit_that_made_it_one() {
        let history = [
            revision(30, r#"current = "K2", fallbacks = ["K1", "K3"]"#),
            revision(20, r#"current = "K2", fallbacks = ["K1"]"#),
            revision(10, r#"current = "K1", fallbacks = ["K2"]"#),
        ];
        assert_eq!(fallback_since(&history, None, "K1"), Some(20));
        assert_eq!(fallback_since(&history, None, "K3"), Some(30));
        assert_eq!(fallback_since(&history, None, "K2"), None, "it is current");
        assert_eq!(
            fallback_since(&history, Some("a"), "K1"),
            None,
            "another ring"
        );
        let cut = &history[..2];
        assert_eq!(
            fallback_since(cut, None, "K1"),
            None,
            "it may have been before"
        );
    }

    #[test]
    fn a_key_that_was_never_current_and_is_not_the_sites_own_has_sealed_nothing() {
        let history = [
            revision(20, r#"current = "K2", fallbacks = ["K1", "SITE", "K3"]"#),
            revision(10, r#"current = "K1", fallbacks = []"#),
        ];
        let sealed = ["K1", "K2", "SITE", "K3"].map(|key| has_sealed(&history, None, key));
        assert_eq!(sealed, [true, true, true, false]);
        assert!(has_sealed(&[], None, "K3"), "not known");
    }
}
