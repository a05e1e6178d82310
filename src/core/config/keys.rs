//! The keys of a rule, made of what is written and of the secrets that it names.

use super::secrets::Secrets;
use super::written::{WrittenKey, WrittenKeys};
use crate::crypto::key::{OriginKeys, Ring, RingKey};
use crate::prelude::*;
use crate::settings::{Fault, Problems};

/// A rule's keys, and whether its current key may be short.
pub struct Keys {
    pub ring: Ring,
    pub origin: OriginKeys,
    pub allow_weak: bool,
    /// Where the current key is named.
    pub current_path: String,
}

impl Keys {
    /// The keys themselves. A missing `origin` is a problem; the current key takes its place, so that all else
    /// that is wrong can be found in the same run.
    pub fn load(
        written: &WrittenKeys<'_>,
        secrets: &Secrets<'_>,
        problems: &Problems,
    ) -> Option<Self> {
        add_missing(written, problems);
        let current = written.current.as_ref()?;
        let (origin, origin_fallbacks) = match &written.origin {
            Some(origin) => (&origin.current, &origin.fallbacks[..]),
            None => (current, &[][..]),
        };
        let fallback = |written: &WrittenKey<'_>| RingKey {
            key: secrets.lesser_key(written),
            until: written.until,
            upgrade: written.upgrade,
        };
        // of a secret that is missing, the first place is reported: the ring's current key before the origin's
        let signs = secrets.key(current);
        let others = written.fallbacks().iter();
        let others = others.filter(|key| !key.is_same(current));
        Some(Self {
            origin: OriginKeys {
                current: secrets.lesser_key(origin),
                fallbacks: origin_fallbacks
                    .iter()
                    .map(|key| secrets.lesser_key(key))
                    .collect(),
            },
            ring: Ring {
                current: signs,
                fallbacks: others.map(fallback).collect(),
            },
            allow_weak: current.allow_weak,
            current_path: current.path.clone(),
        })
    }
}

fn add_missing(written: &WrittenKeys<'_>, problems: &Problems) {
    let path = &written.path;
    if !written.has_current {
        let fault = Fault::new("missing").cure("name the secret that signs browsers' cookies");
        problems.add(format!("{path}.current"), fault);
    }
    if !written.has_origin {
        let cure = "name the secret that the origin signs with";
        let fault = Fault::new("missing");
        let fault = match &written.current {
            Some(current) => fault.cure(format!(
                "{cure}; where that is the current key, origin = \"{}\"",
                current.id
            )),
            None => fault.cure(cure),
        };
        problems.add(format!("{path}.origin"), fault);
    }
}
