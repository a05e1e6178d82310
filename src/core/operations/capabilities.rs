//! What a policy seals and opens, without a byte of a key: to be compared with what runs elsewhere.
//!
//! An [`Capabilities`] is had from a policy, or for no Worker at all. What the live Worker tells of itself is its
//! configuration and the fingerprints of its keys: that makes a policy again, with other keys in their places.

use core::fmt;

use serde_json::{Map, Value};

use crate::config::{LookAlikes, Mode, Policy, RuleConfig};
use crate::crypto::key::{Encoding, Key, KeyId};
use crate::formats::Configured;
use crate::prelude::*;
use crate::wire::chunks::Chunks;

/// What a policy seals and opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// One for each managed cookie.
    pub rules: Vec<RuleCapabilities>,
}

/// What a rule seals and opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCapabilities {
    /// The cookie's name.
    pub name: String,
    /// Whether verdicts are carried out.
    pub mode: Mode,
    /// Seconds after which a signed time is too old.
    pub max_age: Option<u64>,
    /// Seconds that a signed expiry may be passed by.
    pub leeway: u64,
    /// What happens to look-alikes of the name.
    pub look_alikes: LookAlikes,
    /// How a value that is too long for one cookie is written in several.
    pub chunks: Option<Chunks>,
    /// How the browser's copy is signed.
    pub format: FormatReference,
    /// Further formats that a browser's copy may be in. `plain` is a time in which cookies from before
    /// the first deployment are adopted.
    pub accept: Vec<AcceptedFormat>,
    /// Seals for the browser.
    pub current: KeyReference,
    /// Open what the browser shows, beside the current key.
    pub fallbacks: Vec<Fallback>,
    /// Whether what the origin does not sign is wrapped only where it consists of cookie-octets (RFC 6265).
    pub wraps_octets_only: bool,
    /// How the origin's copy is signed.
    pub origin_format: FormatReference,
    /// Seals for the origin.
    pub origin_current: KeyReference,
    /// Open what the origin sets, beside its current key.
    pub origin_fallbacks: Vec<KeyReference>,
}

/// A format by name and options. Its text is `django-session (digest = "sha1")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatReference {
    /// The name.
    pub name: String,
    /// The options that make a difference.
    pub options: Map<String, Value>,
}

/// A further format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFormat {
    /// The format.
    pub format: FormatReference,
    /// Unix seconds from which on it is no longer accepted.
    pub until: Option<u64>,
}

/// A key that opens and does not seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The key.
    pub key: KeyReference,
    /// Unix seconds from which on it is no longer tried.
    pub until: Option<u64>,
    /// Whether what it opens is upgraded.
    pub upgrade: bool,
}

/// A key by its name and, where it is known, a fingerprint of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    /// The name of the secret.
    pub id: KeyId,
    /// How its text becomes the key.
    pub encoding: Encoding,
    /// The fingerprint. Those of one comparison are made in the same way.
    pub fingerprint: Option<String>,
}

/// One way in which a cookie is sealed, or may be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The format, name and options as they are for this key.
    pub format: String,
    /// The key; none where the format signs nothing.
    pub key: Option<KeyReference>,
    /// Unix seconds from which on it opens no longer.
    pub until: Option<u64>,
}

/// Whom a cookie is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The visitor's browser.
    Browser,
    /// The site behind the Worker.
    Origin,
}

/// The format that signs nothing.
pub const PLAIN: &str = "plain";

impl Capabilities {
    /// The capabilities of a policy. `fingerprint` makes the fingerprint of a key, where there is one.
    pub fn of(policy: &Policy, fingerprint: &dyn Fn(&Key) -> Option<String>) -> Self {
        let rules = policy.rules.iter();
        Self {
            rules: rules
                .map(|rule| RuleCapabilities::of(&rule.spec, fingerprint))
                .collect(),
        }
    }

    /// The same site without a Worker: each origin's own keys and format.
    pub fn without_worker(&self) -> Self {
        Self {
            rules: self
                .rules
                .iter()
                .map(RuleCapabilities::without_worker)
                .collect(),
        }
    }

    /// The same without fingerprints, as one that is made where no keys are.
    pub fn without_fingerprints(&self) -> Self {
        let mut capabilities = self.clone();
        for rule in &mut capabilities.rules {
            let fallbacks = rule.fallbacks.iter_mut().map(|fallback| &mut fallback.key);
            let keys = fallbacks.chain(&mut rule.origin_fallbacks);
            for key in keys.chain([&mut rule.current, &mut rule.origin_current]) {
                key.fingerprint = None;
            }
        }
        capabilities
    }

    /// The rule for a cookie.
    pub fn rule(&self, name: &str) -> Option<&RuleCapabilities> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

impl RuleCapabilities {
    fn of(spec: &RuleConfig, fingerprint: &dyn Fn(&Key) -> Option<String>) -> Self {
        let reference = |key: &Key| KeyReference {
            id: key.id().clone(),
            encoding: key.encoding(),
            fingerprint: fingerprint(key),
        };
        let accepted = spec.accept.iter().map(|accept| AcceptedFormat {
            format: FormatReference::of(&accept.format),
            until: accept.until,
        });
        let adopted = spec.adopt_until.map(|until| AcceptedFormat {
            format: FormatReference::plain(),
            until: Some(until),
        });
        let fallbacks = spec.ring.fallbacks.iter().map(|fallback| Fallback {
            key: reference(&fallback.key),
            until: fallback.until,
            upgrade: fallback.upgrade,
        });
        Self {
            name: spec.name.clone(),
            mode: spec.mode,
            max_age: spec.max_age,
            leeway: spec.leeway.unwrap_or_default(),
            look_alikes: spec.look_alikes,
            chunks: spec.chunks,
            format: FormatReference::of(&spec.format),
            accept: accepted.chain(adopted).collect(),
            current: reference(&spec.ring.current),
            fallbacks: fallbacks.collect(),
            wraps_octets_only: spec.wraps_octets_only(),
            origin_format: FormatReference::of(&spec.origin_format),
            origin_current: reference(&spec.origin_keys.current),
            origin_fallbacks: spec.origin_keys.fallbacks.iter().map(reference).collect(),
        }
    }

    /// The cookie as the origin alone has it.
    pub fn without_worker(&self) -> Self {
        let fallback = |key: &KeyReference| Fallback {
            key: key.clone(),
            until: None,
            upgrade: true,
        };
        Self {
            mode: Mode::Enforce,
            max_age: None,
            look_alikes: LookAlikes::Forward,
            wraps_octets_only: false,
            format: self.origin_format.clone(),
            accept: Vec::new(),
            current: self.origin_current.clone(),
            fallbacks: self.origin_fallbacks.iter().map(fallback).collect(),
            ..self.clone()
        }
    }

    /// How it seals what it sends to a side. A rule that only observes leaves browsers what the origin seals.
    pub fn seals(&self, side: Side) -> Capability {
        match (side, self.mode) {
            (Side::Browser, Mode::Enforce) => Capability::new(&self.format, &self.current, None),
            _ => Capability::new(&self.origin_format, &self.origin_current, None),
        }
    }

    /// How it opens what comes from a side, whenever. What only observes opens what the origin opens.
    pub fn opens(&self, side: Side) -> Vec<Capability> {
        match (side, self.mode) {
            (Side::Browser, Mode::Enforce) => self.opens_for_browsers(),
            _ => {
                let keys = core::iter::once(&self.origin_current).chain(&self.origin_fallbacks);
                keys.map(|key| Capability::new(&self.origin_format, key, None))
                    .collect()
            }
        }
    }

    fn opens_for_browsers(&self) -> Vec<Capability> {
        let fallbacks = self.fallbacks.iter().map(|f| (&f.key, f.until));
        let ring = core::iter::once((&self.current, None)).chain(fallbacks);
        let accepted = self.accept.iter().map(|a| (&a.format, a.until));
        let formats = core::iter::once((&self.format, None)).chain(accepted);
        let mut ways = Vec::new();
        for (key, key_until) in ring {
            for (format, format_until) in formats.clone() {
                let until = key_until.into_iter().chain(format_until).min();
                ways.push(Capability::new(format, key, until));
            }
        }
        // what is not signed is not tried with keys: it has no end but its own
        ways.retain(|way| way.key.is_some());
        let plain = formats.filter(|(format, _)| format.is_plain());
        ways.extend(plain.map(|(format, until)| Capability::new(format, &self.current, until)));
        ways
    }
}

impl FormatReference {
    /// The capabilities of a format.
    pub fn of(format: &Configured) -> Self {
        Self {
            name: format.name.to_owned(),
            options: format.options().clone(),
        }
    }

    /// The format that signs nothing.
    pub fn plain() -> Self {
        Self {
            name: PLAIN.to_owned(),
            options: Map::new(),
        }
    }

    fn is_plain(&self) -> bool {
        self.name == PLAIN
    }

    /// As it is for one key: an option that says something for each key says it for this one, so that the
    /// format of a key is the same when another key is added.
    fn under(&self, key: &KeyId) -> Self {
        let mut own = Self {
            name: self.name.clone(),
            options: Map::new(),
        };
        for (option, value) in &self.options {
            let said = match value {
                Value::Object(keys) => keys.get(key.as_str()),
                value => Some(value),
            };
            if let Some(said) = said {
                own.options.insert(option.clone(), said.clone());
            }
        }
        own
    }
}

impl fmt::Display for FormatReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (at, (option, value)) in self.options.iter().enumerate() {
            let before = if at == 0 { " (" } else { ", " };
            write!(f, "{before}{option} = {value}")?;
        }
        f.write_str(if self.options.is_empty() { "" } else { ")" })
    }
}

impl Capability {
    fn new(format: &FormatReference, key: &KeyReference, until: Option<u64>) -> Self {
        Self {
            format: format.under(&key.id).to_string(),
            key: (!format.is_plain()).then(|| key.clone()),
            until,
        }
    }

    /// Whether this opens, by then, what `sealed` seals.
    pub fn opens(&self, sealed: &Capability, now: u64) -> bool {
        let same_key = match (&self.key, &sealed.key) {
            (Some(own), Some(other)) => own.is_same(other),
            (own, other) => own.is_none() && other.is_none(),
        };
        same_key && self.format == sealed.format && self.until.is_none_or(|until| now < until)
    }
}

impl KeyReference {
    /// Whether both are the same key: by the fingerprints where both have one, else by name.
    pub fn is_same(&self, other: &KeyReference) -> bool {
        match (&self.fingerprint, &other.fingerprint) {
            (Some(own), Some(other)) => own == other,
            _ => self.id == other.id && self.encoding == other.encoding,
        }
    }
}
