//! A fallback becomes the current key, and the key that was current a fallback for a time.

use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::terminal::answer::Failure;

/// What comes before a promotion.
pub const PREREQUISITE: &str = "what is live has to open it before anything seals with it: deploy the staging to all traffic, then come back";

/// The step for a key that is a fallback.
///
/// # Errors
/// It is not known how long the key before it has to open.
pub fn promote(
    mut draft: Draft,
    key: &str,
    ring: Ring<'_>,
    grace: Option<u64>,
    now: u64,
) -> Result<Change, Failure> {
    let policy = draft.policy()?;
    let rules = draft.rules(ring);
    let seconds = grace::seconds(grace, &policy, &rules)?;
    let until = grace::until(now, seconds);
    let old = draft.current(ring)?;
    draft.promote(ring, key, &until)?;
    let unlimited = policy.rules.iter().map(|rule| &rule.spec);
    let unlimited = unlimited.filter(|spec| rules.contains(&spec.name) && spec.max_age.is_none());
    let names: Vec<&str> = unlimited.map(|spec| spec.name.as_str()).collect();
    let mut change = Change::new(draft, format!("Promote {key}"), PREREQUISITE);
    change.notes.extend(grace::note(grace, now, &until));
    if !names.is_empty() {
        change.notes.push(format!(
            "no max_age ends {}: what {old} sealed and nobody has shown since opens no longer after {until}",
            names.join(", ")
        ));
    }
    Ok(change)
}
