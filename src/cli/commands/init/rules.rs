//! The rule of a cookie, with the site's own attributes.

use serde_json::{Map, Value};

use super::attributes::usual_attributes;
use super::found::{FoundCookie, own_lifetime};
use super::lifetime::default_age;
use super::plan::{PlannedRule, UNSIGNED, properties};

/// The rule of a cookie.
pub fn rule(
    cookie: &FoundCookie,
    format: &'static str,
    options: Map<String, Value>,
    key: usize,
    is_https: bool,
) -> PlannedRule {
    let attributes = cookie.seen.as_ref().map(|seen| seen.attributes.clone());
    let note = match &cookie.seen {
        None => Some(
            "How the site sets this cookie was not seen: compare `attributes` with its Set-Cookie.",
        ),
        Some(seen) if seen.has_made_max_age => {
            Some("The site says Expires; Max-Age is the same as a duration.")
        }
        Some(_) => None,
    };
    let attributes = attributes.unwrap_or_else(|| usual_attributes(is_https));
    let carries_time =
        properties(format, &options).is_some_and(|properties| properties.carries_time);
    let own = own_lifetime(&attributes);
    PlannedRule {
        name: cookie.name.clone(),
        format,
        options,
        chunks: cookie.chunks.filter(|_| format != "keygrip"),
        max_age_s: carries_time.then(|| default_age(format, own)).flatten(),
        attributes,
        note,
        key,
    }
}

/// The rule of a cookie that the site does not sign: Countersign seals it once that is staged and promoted.
pub fn unsigned_rule(cookie: &FoundCookie, is_https: bool) -> PlannedRule {
    rule(cookie, UNSIGNED, Map::new(), 0, is_https)
}
