//! Which keys cookies may have been upgraded to that somebody forged with a key that has leaked.

use countersign_core::operations::capabilities::{Capabilities, RuleCapabilities};

use crate::project::config::Environment;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::history;
use crate::rotation::key_roles::format_of;

/// Whose cookies may be forgeries that were upgraded.
pub fn notes(
    environment: &Environment<'_>,
    draft: &Draft,
    capabilities: &[&Capabilities],
    key: &str,
) -> Vec<String> {
    let history = history::read(environment);
    let revisions = history.iter().flatten().map(|revision| &revision.draft);
    let drafts: Vec<&Draft> = [draft].into_iter().chain(revisions).collect();
    let mut reached = reached(&drafts, capabilities, key);
    // what a key opened that is in no ring any more was upgraded further, or opens no longer
    reached.retain(|id| {
        capabilities
            .iter()
            .any(|capabilities| format_of(capabilities, id).is_some())
    });
    let mut notes = Vec::new();
    if !reached.is_empty() {
        let (were, them) = match reached.len() {
            1 => ("was", "it"),
            _ => ("were", "them"),
        };
        notes.push(format!(
            "while {key} was a fallback, {} {were} current: forged cookies may have been upgraded to {them}; to be sure, revoke {them} as well",
            reached.join(", ")
        ));
    }
    if history.is_none() {
        notes.push(format!("which keys were current while {key} was a fallback before is not known: the configuration has no history in git"));
    }
    notes
}

/// The keys that were current while this one was a fallback, those that were current while these were, and so on.
fn reached(drafts: &[&Draft], capabilities: &[&Capabilities], key: &str) -> Vec<String> {
    let mut reached = vec![key.to_owned()];
    let mut at = 0;
    while let Some(key) = reached.get(at).cloned() {
        let written = drafts.iter().flat_map(|draft| beside(draft, &key));
        let live = capabilities
            .iter()
            .flat_map(|capabilities| beside_live(capabilities, &key));
        for current in written.chain(live) {
            if !reached.contains(&current) {
                reached.push(current);
            }
        }
        at += 1;
    }
    reached.split_off(1)
}

/// The current keys of rings in which this key is a fallback.
fn beside(draft: &Draft, key: &str) -> Vec<String> {
    let own = draft.rings();
    let rings = own
        .iter()
        .map(|rule| rule.as_deref().map_or(Ring::Shared, Ring::Of));
    let currents = rings.filter_map(|ring| {
        let fallbacks = draft.fallbacks(ring).ok()?;
        let is_beside = fallbacks.iter().any(|(id, _)| id == key);
        draft.current(ring).ok().filter(|_| is_beside)
    });
    currents.collect()
}

fn beside_live(capabilities: &Capabilities, key: &str) -> Vec<String> {
    let is_fallback = |rule: &&RuleCapabilities| {
        let mut fallbacks = rule.fallbacks.iter();
        fallbacks.any(|fallback| fallback.key.id.as_str() == key)
    };
    let rules = capabilities.rules.iter().filter(is_fallback);
    rules.map(|rule| rule.current.id.to_string()).collect()
}
