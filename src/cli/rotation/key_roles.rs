//! What a key does, by what a Worker seals and opens.

use std::collections::BTreeSet;

use countersign_core::operations::capabilities::{
    Capabilities, KeyReference, PLAIN, RuleCapabilities,
};

/// The keys that open what browsers show, rule by rule: `(RULE, KEY)`.
pub fn opening(capabilities: &Capabilities, now: u64) -> BTreeSet<(String, String)> {
    let rules = capabilities.rules.iter();
    let keys = rules.flat_map(|rule| {
        let opens = |until: Option<u64>| until.is_none_or(|until| until > now);
        let fallbacks = rule.fallbacks.iter();
        let fallbacks = fallbacks.filter(move |fallback| opens(fallback.until));
        let keys = fallbacks
            .map(|fallback| &fallback.key)
            .chain([&rule.current]);
        keys.map(|key| (rule.name.clone(), key.id.to_string()))
    });
    keys.collect()
}

/// The keys that open what the site sets, rule by rule.
pub fn opening_at_origin(capabilities: &Capabilities) -> BTreeSet<(String, String)> {
    let rules = capabilities.rules.iter();
    let keys =
        rules.flat_map(|rule| origin_keys(rule).map(|key| (rule.name.clone(), key.id.to_string())));
    keys.collect()
}

/// The fingerprints of a key, wherever it is named.
pub fn fingerprints(capabilities: &Capabilities, key: &str) -> BTreeSet<String> {
    let keys = capabilities.rules.iter().flat_map(|rule| {
        let fallbacks = rule.fallbacks.iter().map(|fallback| &fallback.key);
        fallbacks.chain([&rule.current]).chain(origin_keys(rule))
    });
    let named = keys.filter(|known| known.id.as_str() == key);
    named
        .filter_map(|known| known.fingerprint.clone())
        .collect()
}

/// The name of every key, each once.
pub fn key_names(capabilities: &Capabilities) -> Vec<String> {
    let keys = capabilities.rules.iter().flat_map(|rule| {
        let fallbacks = rule.fallbacks.iter().map(|fallback| &fallback.key);
        let ring = std::iter::once(&rule.current).chain(fallbacks);
        ring.chain(origin_keys(rule))
    });
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        if !names.iter().any(|known| known == key.id.as_str()) {
            names.push(key.id.to_string());
        }
    }
    names
}

/// Rules whose origin verifies with a key.
pub fn signs_at_origin(capabilities: &Capabilities, key: &str) -> Vec<String> {
    let signs = capabilities.rules.iter().filter(|rule| {
        let mut keys = rule.origin_fallbacks.iter().chain([&rule.origin_current]);
        rule.origin_format.name != PLAIN && keys.any(|known| known.id.as_str() == key)
    });
    signs.map(|rule| rule.name.clone()).collect()
}

/// The format of the first rule that has a key in its ring.
pub fn format_of(capabilities: &Capabilities, key: &str) -> Option<String> {
    let mut rules = capabilities.rules.iter();
    let rule = rules.find(|rule| {
        let mut keys = rule
            .fallbacks
            .iter()
            .map(|fallback| &fallback.key)
            .chain([&rule.current]);
        keys.any(|known| known.id.as_str() == key)
    });
    rule.map(|rule| rule.format.name.clone())
}

fn origin_keys(rule: &RuleCapabilities) -> impl Iterator<Item = &KeyReference> {
    rule.origin_fallbacks.iter().chain([&rule.origin_current])
}
