//! One cookie looked at closely: what opens it, and what the gate would do with it now.

use super::judge::{CookieCopy, Outcome, Work};
use crate::config::{Candidate, CandidateKind, Mode, OnInvalid, Policy, Rule, Upgrade};
use crate::crypto::key::KeyId;
use crate::formats::{Content, PAIR};
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::cookie::pairs;
use crate::wire::look_alike::Managed;

pub use crate::formats::recognise;

/// What is known of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The name of the rule that it falls under, or is taken for a look-alike of; none where it is no
    /// business of the gate's.
    pub rule: Option<String>,
    /// What the gate decides; none where no rule names it.
    pub verdict: Option<Verdict>,
    /// Whether it has the shape of a format of its rule.
    pub fits: bool,
    /// What opens it, whether or not the gate takes it.
    pub opened: Option<Opened>,
    /// What the gate does with it now.
    pub fate: Fate,
    /// Whether the browser is due a copy under the current key, and the rule allows it.
    pub is_upgraded: bool,
}

/// What a key makes of a cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The key; none where nothing is signed.
    pub key: Option<KeyId>,
    /// What part the key plays.
    pub role: Role,
    /// The name of the format.
    pub format: &'static str,
    /// Whether the format is one of `accept`.
    pub is_accepted: bool,
    /// Unix seconds from which on the gate does not try this key in this format.
    pub until: Option<u64>,
    /// When it was signed, in Unix seconds, where the format says so.
    pub time_s: Option<u64>,
    /// Its age in seconds, where it was signed in the past.
    pub age_s: Option<u64>,
    /// The signed moment in Unix seconds before which it does not count.
    pub not_before_s: Option<u64>,
    /// The signed moment in Unix milliseconds from which on it does not count.
    pub expiry_ms: Option<u64>,
    /// What was signed.
    pub payload: Vec<u8>,
}

/// What part a key plays in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The ring's current key.
    Current,
    /// A fallback of the ring.
    Fallback,
    /// A key of the origin's that is not in the ring.
    Origin,
    /// Nothing is signed.
    Unsigned,
}

/// What becomes of a cookie on its way to the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it came: no rule names it, the rule observes or forwards, or the origin's copy is the same.
    Unchanged,
    /// It goes on sealed with this key; with none where the origin reads it unsigned.
    Resealed(Option<KeyId>),
    /// It is taken out.
    Stripped,
    /// The request is answered with 403, unless it opens a page: then it is taken out.
    Rejected,
}

impl Role {
    /// The word for people and scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Current => "current",
            Role::Fallback => "fallback",
            Role::Origin => "origin",
            Role::Unsigned => "unsigned",
        }
    }
}

impl Fate {
    /// The word for people and scripts.
    pub fn as_str(&self) -> &'static str {
        match self {
            Fate::Unchanged => "unchanged",
            Fate::Resealed(_) => "resealed",
            Fate::Stripped => "stripped",
            Fate::Rejected => "rejected",
        }
    }
}

impl core::fmt::Debug for Opened {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Opened({:?} by {:?})", self.role, self.key)
    }
}

/// Looks at a cookie as a browser shows it; the value of a pair is `VALUE;SIGNATURE`. `now` is in Unix seconds.
pub fn inspect(policy: &Policy, name: &str, value: &str, now: u64) -> Inspection {
    let position = policy.names.position(name);
    match position {
        Some(Managed::Cookie(rule)) => policy.rules[rule].inspect(value, now),
        Some(Managed::Companion(rule)) => {
            policy.rules[rule].refuse(None, Verdict::Malformed, false)
        }
        None => policy.inspect_unmanaged(name, value),
    }
}

impl Policy {
    /// Name and value of the cookie whose pieces a Cookie header holds, as people paste it.
    pub fn joined(&self, header: &str) -> Option<(&str, String)> {
        let piece = pairs(header).find_map(|pair| self.names.piece(pair))?;
        let spec = &self.rules[piece.rule].spec;
        let value = spec.chunks?.join(&spec.name, header)?;
        Some((&spec.name, value))
    }

    fn inspect_unmanaged(&self, name: &str, value: &str) -> Inspection {
        let alike = self.names.look_alikes(&format!("{name}={value}"));
        let specs = alike.rules.iter().map(|rule| &self.rules[*rule].spec);
        let drops = |mode| {
            let mut specs = specs.clone();
            specs.find(|spec| spec.look_alikes.are_dropped() && spec.mode == mode)
        };
        let (enforcing, observing) = (drops(Mode::Enforce), drops(Mode::Observe));
        let rule = enforcing.or(observing).map(|spec| spec.name.clone());
        Inspection {
            verdict: rule.is_some().then_some(Verdict::LookAlike),
            rule,
            fits: false,
            opened: None,
            fate: match enforcing {
                Some(_) => Fate::Stripped,
                None => Fate::Unchanged,
            },
            is_upgraded: false,
        }
    }
}

impl Rule {
    fn inspect(&self, value: &str, now: u64) -> Inspection {
        let mut parts = value.split(PAIR);
        let first = parts.next().unwrap_or(value);
        let signatures: Vec<&str> = parts.collect();
        let mut copies = [CookieCopy::new(0, first, signatures.len() < 2)];
        // what is sealed with these zeros is thrown away
        self.judge(&mut copies, signatures, &mut Work::new(now, |_| {}));
        let [copy] = copies;
        let opened = (value.len() <= super::judge::LONGEST_VALUE)
            .then(|| self.opened(first, value, now))
            .flatten();
        match copy.outcome {
            Outcome::Verified(found) => Inspection {
                rule: Some(self.spec.name.clone()),
                verdict: Some(found.verdict),
                fits: true,
                opened: opened.or_else(|| Some(self.unsigned(&found.content))),
                fate: match (self.spec.mode, found.for_origin) {
                    (Mode::Enforce, Some(_)) => Fate::Resealed(self.origin.key.clone()),
                    _ => Fate::Unchanged,
                },
                is_upgraded: found.upgrade == Some(true)
                    && self.spec.upgrade != Upgrade::Never
                    && self.spec.mode == Mode::Enforce,
            },
            // what is too long has not been looked at
            Outcome::Refused(verdict) => self.refuse(opened, verdict, verdict != Verdict::TooLong),
            Outcome::Unsigned => self.refuse(opened, Verdict::BadSignature, true),
            Outcome::Unknown => self.refuse(opened, Verdict::Malformed, false),
        }
    }

    fn refuse(&self, opened: Option<Opened>, verdict: Verdict, fits: bool) -> Inspection {
        let is_forged = matches!(verdict, Verdict::BadSignature | Verdict::Malformed);
        Inspection {
            rule: Some(self.spec.name.clone()),
            verdict: Some(verdict),
            fits,
            opened,
            fate: match (self.spec.mode, self.spec.on_invalid) {
                (Mode::Observe, _) | (_, OnInvalid::Forward) => Fate::Unchanged,
                (_, OnInvalid::Reject) if is_forged => Fate::Rejected,
                _ => Fate::Stripped,
            },
            is_upgraded: false,
        }
    }

    /// The first key that opens it, those of the gate before those that it does not try any more, and those
    /// of the origin at last.
    fn opened(&self, value: &str, paired: &str, now: u64) -> Option<Opened> {
        let is_past = |candidate: &&Candidate| candidate.until.is_some_and(|until| until <= now);
        let live = self.candidates.iter().filter(|c| !is_past(c));
        let past = self.candidates.iter().filter(is_past);
        let of_ring = live.chain(past).map(|candidate| (candidate, false));
        let origins = self.origin_candidates.iter();
        let origins = origins.filter(|_| !self.is_plain_at_origin());
        let mut all = of_ring.chain(origins.map(|candidate| (candidate, true)));
        all.find_map(|(candidate, is_origins)| {
            let text = if candidate.is_pair { paired } else { value };
            let content = candidate.keyed.open(text).ok()?;
            Some(Opened {
                key: Some(candidate.key.clone()),
                role: self.role(candidate, is_origins),
                format: self.format_of(candidate, is_origins),
                is_accepted: candidate.accepted.is_some(),
                until: candidate.until,
                time_s: content.time_s,
                age_s: content.time_s.and_then(|time| now.checked_sub(time)),
                not_before_s: content.not_before_s,
                expiry_ms: content.expiry_ms,
                payload: content.payload.into_owned(),
            })
        })
    }

    fn role(&self, candidate: &Candidate, is_origins: bool) -> Role {
        let is_current = candidate.key == *self.spec.ring.current.id();
        match candidate.kind {
            _ if is_origins => Role::Origin,
            CandidateKind::Current => Role::Current,
            CandidateKind::Accepted if is_current => Role::Current,
            CandidateKind::Fallback | CandidateKind::Accepted => Role::Fallback,
        }
    }

    fn format_of(&self, candidate: &Candidate, is_origins: bool) -> &'static str {
        let accepted = candidate.accepted.and_then(|at| self.spec.accept.get(at));
        let format = match accepted {
            Some(accept) => &accept.format,
            None if is_origins => &self.spec.origin_format,
            None => &self.spec.format,
        };
        format.name
    }

    fn unsigned(&self, content: &Content<'_>) -> Opened {
        Opened {
            key: None,
            role: Role::Unsigned,
            format: "plain",
            is_accepted: !self.spec.is_unsealed(),
            until: self.spec.adopt_until,
            time_s: None,
            age_s: None,
            not_before_s: None,
            expiry_ms: None,
            payload: content.payload.to_vec(),
        }
    }
}
