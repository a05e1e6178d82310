//! Readies a rule's formats under its keys: each key is derived once for each rule and isolate.

use alloc::sync::Arc;

use super::rule::is_plain;
use super::{Candidate, CandidateKind, Rule, RuleConfig, Seal};
use crate::crypto::key::Key;
use crate::formats::{Configured, Keyed, OctetsOnly, same};
use crate::prelude::*;
use crate::settings::{Fault, Problems, Topic};
use crate::wire::look_alike::{Names, leaves_quote_open, reads_alike};

impl Rule {
    /// `None` where a key does not fit its format.
    pub(super) fn compile(
        spec: RuleConfig,
        guarded: Arc<Names>,
        problems: &Problems,
    ) -> Option<Self> {
        let candidates = candidates(&spec, problems)?;
        let origin_candidates = origin_candidates(&spec, problems)?;
        let browser = seal(&spec, &spec.format, &spec.ring.current, problems)?;
        let origin_format = &spec.origin_format;
        let origin = seal(&spec, origin_format, &spec.origin_keys.current, problems)?;
        Some(Self {
            guarded,
            companion: spec.companion(),
            candidates,
            origin_candidates,
            browser,
            origin,
            spec,
        })
    }
}

impl Rule {
    /// Whether some parser might read another cookie in a value that is vouched for: one of another rule, or
    /// another one of this rule, which nothing vouches for. `value` is what stands behind `NAME=`.
    pub fn carries_other(&self, value: &str) -> bool {
        reads_alike(value) && !self.guarded.carried(value).rules.is_empty()
    }

    /// Whether no parser reads a second managed cookie in a value, this rule's own among them, nor makes it part
    /// of the value what follows it: quotes and commas alone do neither.
    pub fn is_one_cookie(&self, value: &str) -> bool {
        !reads_alike(value) || !(leaves_quote_open(value) || self.carries_other(value))
    }

    /// What [`RuleConfig::is_unsealed`] says, which is too slow to be asked for each request.
    pub fn is_unsealed(&self) -> bool {
        self.browser.key.is_none()
    }

    /// Whether the origin's copy is not signed.
    pub fn is_plain_at_origin(&self) -> bool {
        self.origin.key.is_none()
    }

    /// Whether a time is signed in every cookie that it takes.
    pub fn always_carries_time(&self) -> bool {
        let accepted = self.spec.accept.iter().map(|accept| &accept.format);
        let mut formats = accepted.chain([&self.spec.format]);
        self.spec.adopt_until.is_none() && formats.all(|format| format.properties().carries_time)
    }

    /// Whether the origin's copy is not signed, and the browser's holds whatever value that has.
    pub fn wraps_any_value(&self) -> bool {
        self.is_plain_at_origin() && self.spec.format.properties().wraps_any_value
    }
}

/// The current key first, then the fallbacks; for each, the rule's format and then `accept` (R2).
fn candidates(spec: &RuleConfig, problems: &Problems) -> Option<Vec<Candidate>> {
    let current = (&spec.ring.current, None, true);
    let fallbacks = spec.ring.fallbacks.iter();
    let ring = core::iter::once(current).chain(fallbacks.map(|f| (&f.key, f.until, f.upgrade)));
    let leeway_ms = spec.leeway.unwrap_or_default().saturating_mul(1000);
    let mut candidates = Vec::new();
    for (key, key_until, upgrade) in ring {
        let is_current = key.same_bytes(&spec.ring.current);
        let own = (&spec.format, None, None);
        let accepted = spec.accept.iter().enumerate();
        let accepted = accepted.map(|(at, a)| (&a.format, a.until, Some(at)));
        for (format, format_until, accepted) in core::iter::once(own).chain(accepted) {
            if is_plain(format) {
                continue; // what is not signed is not tried with keys
            }
            let kind = match (accepted, is_current) {
                (Some(_), _) => CandidateKind::Accepted,
                (None, true) => CandidateKind::Current,
                (None, false) => CandidateKind::Fallback,
            };
            candidates.push(Candidate {
                keyed: keyed(spec, format, key, problems)?,
                key: key.id().clone(),
                is_pair: is_pair(format),
                kind,
                accepted,
                until: earlier(key_until, format_until),
                grace_ms: leeway_ms.saturating_add(format.properties().grace_ms),
                upgrade,
                same_as_other_side: same(format, &spec.origin_format)
                    && key.same_bytes(&spec.origin_keys.current),
            });
        }
    }
    Some(candidates)
}

fn origin_candidates(spec: &RuleConfig, problems: &Problems) -> Option<Vec<Candidate>> {
    let format = &spec.origin_format;
    let is_same_format = same(format, &spec.format);
    let keys = if is_plain(format) {
        1 // no key makes a difference
    } else {
        usize::MAX
    };
    spec.origin_keys
        .iter()
        .take(keys)
        .map(|key| {
            Some(Candidate {
                keyed: keyed(spec, format, key, problems)?,
                key: key.id().clone(),
                is_pair: is_pair(format),
                kind: CandidateKind::Current,
                accepted: None,
                until: None,
                grace_ms: 0, // what the origin sets is judged by its signature alone
                upgrade: false,
                same_as_other_side: is_same_format
                    && (is_plain(format) || key.same_bytes(&spec.ring.current)),
            })
        })
        .collect()
}

fn seal(spec: &RuleConfig, format: &Configured, key: &Key, problems: &Problems) -> Option<Seal> {
    Some(Seal {
        keyed: keyed(spec, format, key, problems)?,
        key: (!is_plain(format)).then(|| key.id().clone()),
        carries_time: format.properties().carries_time,
        is_pair: is_pair(format),
    })
}

fn keyed(
    spec: &RuleConfig,
    format: &Configured,
    key: &Key,
    problems: &Problems,
) -> Option<Box<dyn Keyed>> {
    let octets_only = is_plain(&spec.origin_format) && !format.properties().wraps_any_value;
    let placeholder = key.is_placeholder().then(|| {
        let bytes = format.key_shape().key_bytes(key.bytes());
        Key::new(key.id().clone(), bytes)
    });
    match format.keyed(&spec.name, placeholder.as_ref().unwrap_or(key)) {
        Ok(keyed) if octets_only => Some(Box::new(OctetsOnly(keyed))),
        Ok(keyed) => Some(keyed),
        Err(fault) => {
            let id = key.id();
            let reason = fault.reason;
            let reason = Fault::new(format!("the key {id} does not fit its format: {reason}"));
            let fault = fault.cure.into_iter().fold(reason, Fault::cure);
            problems.add(&spec.path, fault.about(Topic::SecretBytes(id.clone())));
            None
        }
    }
}

fn is_pair(format: &Configured) -> bool {
    format.properties().companion.is_some()
}

fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}
