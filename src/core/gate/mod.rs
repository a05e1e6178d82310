//! The decision about a request and its response: pure and synchronous, no I/O; the time comes in as a
//! number, randomness as a function. `request` and `judge` hold rules R1 to R7, `response` and `upgrade` rules S2 to S6,
//! `times` when a signed time counts, `navigation` what a page being opened is.

use core::sync::atomic::AtomicBool;

use crate::config::{Policy, RuleIndex};
use crate::crypto::Random;
use crate::crypto::key::KeyId;
use crate::formats::Content;
use crate::gate::superseded::{Superseded, Upgradable};
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::chunks::Shown;

pub mod inspection;
mod judge;
mod navigation;
mod request;
mod response;
mod superseded;
mod times;
mod upgrade;
pub mod verdict;

/// Decides, by a policy, for one isolate.
#[derive(Debug)]
pub struct Gate {
    policy: Policy,
    random: Random,
    /// For each rule: whether the origin has been seen to set the cookie with attributes that an upgrade would
    /// change (S5).
    set_otherwise: Vec<AtomicBool>,
    /// The cookies that were set anew or deleted lately (S5).
    superseded: Superseded,
}

/// What becomes of a request.
#[derive(Debug)]
pub struct RequestDecision {
    /// What is done with it.
    pub action: Action,
    /// What the response is judged with.
    pub pending: Pending,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on, not a byte changed.
    Unchanged,
    /// It goes on with this Cookie header, or with none.
    WithCookie(Option<String>),
    /// It is answered with 403 and these Set-Cookie headers.
    Reject(Vec<String>),
}

/// What a request leaves behind for its response.
#[derive(Debug, Default)]
pub struct Pending {
    /// The verdicts so far.
    pub events: Vec<Event>,
    due: Vec<DueUpgrade>,
    /// For rules whose origin may send a signature again alone: what it is the signature of.
    signed: Vec<(RuleIndex, Content<'static>)>,
    /// For rules whose cookie may come in pieces: what of it the browser has.
    shown: Vec<(RuleIndex, Shown)>,
    /// Those that verified and of which an upgrade may be under way.
    upgradable: Vec<Upgradable>,
    asked_ms: u64,
    /// How many bytes were looked at, hashed and written for the request; what was gone over again counts again.
    pub steps: usize,
}

/// An upgrade that is due.
#[derive(Debug)]
struct DueUpgrade {
    rule: RuleIndex,
    content: Content<'static>,
    /// How many cookies of that name verified.
    verified: usize,
    /// Whether the key that verified lets it be upgraded.
    allowed: bool,
}

/// What becomes of a cookie in a header.
#[derive(Debug, Default)]
enum Edit {
    #[default]
    Keep,
    Drop,
    Write(String),
    /// Other pairs stand in its place, or other headers.
    Replace(String),
}

/// What becomes of a response.
#[derive(Debug, Default)]
pub struct ResponseDecision {
    /// All Set-Cookie headers in their order, where they change.
    pub set_cookies: Option<Vec<String>>,
    /// Whether they are the response's own, unchanged, with others behind them.
    pub only_adds: bool,
    /// Whether `Cache-Control: private` is added.
    pub private: bool,
    /// The verdicts.
    pub events: Vec<Event>,
    /// How many bytes were looked at, hashed and written; what was gone over again counts again.
    pub steps: usize,
}

/// A verdict on one cookie.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The rule.
    pub rule: RuleIndex,
    /// What was decided.
    pub verdict: Verdict,
    /// The key that verified or sealed, where one did.
    pub key: Option<KeyId>,
}

/// What the gate may ask of a request. Few need to be asked.
pub trait RequestHead {
    /// The request's method.
    fn method(&self) -> String;
    /// A request header, its occurrences joined by commas.
    fn request_header(&self, name: &'static str) -> Option<String>;
}

/// What the gate may ask of a request and its response.
pub trait Exchange: RequestHead {
    /// The response's status.
    fn status(&self) -> u16;
    /// A response header, its occurrences joined by commas.
    fn response_header(&self, name: &'static str) -> Option<String>;
}

/// The gate caught itself in a mistake: the header that it built has a managed name that it did not
/// write (R7). The request must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

impl Gate {
    /// A gate for one isolate. `random` is what salts and nonces are drawn from.
    pub fn new(policy: Policy, random: Random) -> Self {
        let set_otherwise = policy
            .rules
            .iter()
            .map(|_| AtomicBool::new(false))
            .collect();
        Self {
            policy,
            random,
            set_otherwise,
            superseded: Superseded::default(),
        }
    }

    /// Its policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether a request to this host, port aside, may be served (B4): one under workers.dev goes round
    /// the zone, and is served only where the configuration lists it.
    pub fn admits(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        let mut labels = host.rsplit('.');
        let mut ends_in = |label: &str| {
            labels
                .next()
                .is_some_and(|it| it.eq_ignore_ascii_case(label))
        };
        let under_workers_dev = ends_in("dev") && ends_in("workers");
        !under_workers_dev || self.policy.hosts.contains(&host.to_ascii_lowercase())
    }
}

impl Pending {
    /// What of a rule's cookie the browser has.
    fn shown(&self, rule: RuleIndex) -> Shown {
        let shown = self.shown.iter().find(|(of, _)| *of == rule);
        shown.map(|(_, shown)| *shown).unwrap_or_default()
    }

    /// Whether the response has to be judged with it.
    pub fn is_pending(&self) -> bool {
        !(self.due.is_empty()
            && self.signed.is_empty()
            && self.shown.is_empty()
            && self.upgradable.is_empty())
    }
}

impl Event {
    fn new(rule: RuleIndex, verdict: Verdict, key: Option<&KeyId>) -> Self {
        Self {
            rule,
            verdict,
            key: key.cloned(),
        }
    }
}
