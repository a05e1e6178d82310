//! What is unwise about the keys, as far as their names tell.

use countersign_core::config::written::{Written, WrittenKey, WrittenKeys, WrittenRule};
use countersign_core::crypto::key::KeyId;

use super::finding::Finding;
use super::inputs::Inputs;
use crate::rotation::history::{self, Revision};

/// Fallbacks that have ended or never will, the origin's key in the ring, and an origin that has moved on.
pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let staged = Staged::by_history(inputs);
    for keys in inputs.written.each_keys() {
        for fallback in keys.fallbacks() {
            found.extend(fallback_finding(inputs, keys, fallback, &staged));
        }
        if has_django(&inputs.written) {
            found.extend(catch_up(keys));
        }
    }
    found.dedup();
    found
}

/// Whether some cookie is Django's.
fn has_django(written: &Written<'_>) -> bool {
    written.rules.iter().any(is_django)
}

fn is_django(rule: &WrittenRule<'_>) -> bool {
    let name = rule.format().name();
    name.is_some_and(|name| name.starts_with("django-"))
}

/// Whether a cookie of Django's goes by a key.
pub fn is_djangos(written: &Written<'_>, key: &str) -> bool {
    let mut rules = written.rules.iter().filter(|rule| is_django(rule));
    rules.any(|rule| rule.keys.all().any(|known| known.id.as_str() == key))
}

/// Which keys have been current, by the history of wrangler.toml; none where it has no history.
struct Staged(Option<Vec<KeyId>>);

impl Staged {
    fn by_history(inputs: &Inputs<'_>) -> Self {
        let history = history::read(&inputs.environment);
        let current = |revision: &Revision| {
            let value = revision.draft.value();
            let written = Written::of(&value);
            let ids = written
                .each_keys()
                .filter_map(|keys| keys.current.as_ref().map(|current| current.id.clone()));
            ids.collect::<Vec<KeyId>>()
        };
        Self(history.map(|history| history.iter().flat_map(current).collect()))
    }

    /// Whether a fallback has not been current yet.
    fn is_staged(&self, id: &KeyId) -> bool {
        let current = self.0.as_ref();
        current.is_some_and(|current| !current.contains(id))
    }
}

fn fallback_finding(
    inputs: &Inputs<'_>,
    keys: &WrittenKeys<'_>,
    fallback: &WrittenKey<'_>,
    staged: &Staged,
) -> Option<Finding> {
    let id = &fallback.id;
    let warning = |reason: String| Finding::warning(fallback.path.clone(), reason);
    match fallback.until {
        // it changes nothing
        _ if keys.is_current(id) => None,
        Some(until) if until <= inputs.now => Some(
            warning(format!("the time of {id} is over: it opens nothing any more"))
                .cure("take it out of `fallbacks`, and delete the secret once nothing names it"),
        ),
        _ if keys.is_origins(id) => Some(
            warning(format!("whoever gets {id} from the origin can forge cookies here: it is the origin's own key, and still in the ring"))
                .cure("retire it from `fallbacks` once browsers have moved to the current key; `origin` keeps it"),
        ),
        Some(_) => None,
        None if staged.is_staged(id) => None,
        None => Some(
            warning(format!("{id} opens cookies for ever: it has no `until`"))
                .cure("fine while it is staged; once it has been current, say until = \"…\": the promotion plus the longest `max_age`"),
        ),
    }
}

/// The origin signs with the current key, and a fallback remembers another: perhaps the origin's last one.
fn catch_up(keys: &WrittenKeys<'_>) -> Option<Finding> {
    let current = keys.current.as_ref()?;
    let mut fallbacks = keys.fallbacks().iter();
    let old = fallbacks.find(|key| !keys.is_origins(&key.id) && key.until.is_some())?;
    keys.is_origins(&current.id).then(|| {
        let reason = format!(
            "if {} is the key that the site had before, logins end all the same: Django ties each to its SECRET_KEY",
            old.id
        );
        Finding::warning(old.path.clone(), reason)
            .cure("list the old key in the site's SECRET_KEY_FALLBACKS (Django 4.1.8 or newer) as well")
    })
}
