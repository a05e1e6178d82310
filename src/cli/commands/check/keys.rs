//! What is unwise about the keys, as far as their names tell.

use super::finding::Finding;
use super::inputs::Inputs;
use super::reading::{Keys, Named};

/// Fallbacks that have ended or never will, the origin's key in the ring, and an origin that has moved on.
pub fn find(scene: &Inputs<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for table in &scene.reading.tables {
        for fallback in &table.fallbacks {
            found.extend(fallback_finding(scene, table, fallback));
        }
        if scene.reading.has_django() {
            found.extend(catch_up(table));
        }
    }
    found.dedup();
    found
}

fn fallback_finding(scene: &Inputs<'_>, table: &Keys, fallback: &Named) -> Option<Finding> {
    let id = &fallback.id;
    let warning = |reason: String| Finding::warning(fallback.path.clone(), reason);
    match fallback.until {
        // it changes nothing
        _ if table.is_current(fallback) => None,
        Some(until) if until <= scene.now => Some(
            warning(format!("the time of {id} is over: it opens nothing any more"))
                .cure("take it out of `fallbacks`, and delete the secret once nothing names it"),
        ),
        _ if table.is_origins(fallback) => Some(
            warning(format!("whoever gets {id} from the origin can forge cookies here: it is the origin's own key, and still in the ring"))
                .cure("retire it from `fallbacks` once browsers have moved to the current key; `origin` keeps it"),
        ),
        Some(_) => None,
        None => Some(
            warning(format!("{id} opens cookies for ever: it has no `until`"))
                .cure("fine while it is staged; once it has been current, say until = \"…\": the promotion plus the longest `max_age`"),
        ),
    }
}

/// The origin signs with the current key, and a fallback remembers another: perhaps the origin's last one.
fn catch_up(table: &Keys) -> Option<Finding> {
    let current = table.current.as_ref()?;
    let old = table
        .fallbacks
        .iter()
        .find(|fallback| !table.is_origins(fallback) && fallback.until.is_some())?;
    table.is_origins(current).then(|| {
        let reason = format!(
            "if {} is the key that the site had before, logins end all the same: Django ties each to its SECRET_KEY",
            old.id
        );
        Finding::warning(old.path.clone(), reason)
            .cure("list the old key in the site's SECRET_KEY_FALLBACKS (Django 4.1.8 or newer) as well")
    })
}
