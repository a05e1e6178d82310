//! The configuration as types: read once, and cannot be wrong afterwards.
//!
//! [`Policy::parse`] reads the variable `COUNTERSIGN`; `keys`, `origin` and `rule` read its parts, `checks` holds
//! what is refused although it can be read (C1 to C4), `compile` readies keys and formats for the gate.

use alloc::sync::Arc;
use core::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::crypto::key::{KeyId, OriginKeys, Ring};
use crate::formats::{Configured, Keyed};
use crate::prelude::*;
use crate::settings::{Fault, Problem, Problems, Table};
use crate::wire::chunks::Chunks;
use crate::wire::look_alike::Names;
pub use crate::wire::rule_index::RuleIndex;

use secrets::Secrets;
use written::Written;

mod attributes;
mod checks;
mod compile;
mod fields;
mod keys;
mod misplaced;
mod origin;
mod rule;
pub mod schema;
mod secrets;
pub mod written;

/// What a Worker does, decided by its configuration.
#[derive(Debug)]
pub struct Policy {
    /// Which verdicts are logged.
    pub reports: Reports,
    /// The origin's address, where the Worker has no route to it.
    pub origin_url: Option<String>,
    /// A header set on each request, so that the origin can insist on it.
    pub origin_header: Option<OriginHeader>,
    /// Hosts under workers.dev that may be used all the same, in lower case.
    pub hosts: Vec<String>,
    /// One for each managed cookie.
    pub rules: Vec<Rule>,
    /// The managed names, and the rules that they stand for.
    pub names: Names,
    /// What is unwise and not refused.
    pub notes: Vec<Problem>,
}

/// Which verdicts are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reports {
    /// Refusals alone.
    #[default]
    Refusals,
    /// Every verdict.
    All,
    /// None.
    None,
}

/// A header that proves to the origin that a request came through the Worker.
pub struct OriginHeader {
    /// The header's name.
    pub name: String,
    /// Its value, a secret.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for OriginHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OriginHeader({}, redacted)", self.name)
    }
}

/// Whether verdicts are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Verify, report, and act.
    #[default]
    Enforce,
    /// Verify and report; change nothing.
    Observe,
}

/// When an upgrade may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// When a page is opened.
    #[default]
    Navigation,
    /// On every kind of request.
    Always,
    /// Not at all.
    Never,
}

/// What happens to a cookie that does not verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInvalid {
    /// It is taken out.
    #[default]
    Strip,
    /// The request is answered with 403.
    Reject,
    /// It goes on as it came.
    Forward,
}

/// What happens to look-alikes of the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LookAlikes {
    /// They are taken out.
    #[default]
    Drop,
    /// They are taken out, and so is what has the bare name anywhere in its value: for servers that split at
    /// commas and take a word without `=` for an empty cookie.
    Strict,
    /// They go on as they came.
    Forward,
}

impl LookAlikes {
    /// Whether they are taken out.
    pub fn are_dropped(self) -> bool {
        self != LookAlikes::Forward
    }
}

/// A rule as the configuration states it.
#[derive(Debug)]
pub struct RuleConfig {
    /// Where it stands: `COUNTERSIGN.cookies[0]`.
    pub path: String,
    /// The cookie's exact name.
    pub name: String,
    /// How the browser's copy is signed.
    pub format: Configured,
    /// Further formats that a browser's copy may be in.
    pub accept: Vec<Accept>,
    /// Until when (Unix seconds) unsigned cookies from before the first deployment are adopted.
    pub adopt_until: Option<u64>,
    /// How the origin's copy is signed.
    pub origin_format: Configured,
    /// Seconds after which a signed time is too old.
    pub max_age: Option<u64>,
    /// For how many seconds a browser's copy still counts past its signed expiry.
    pub leeway: Option<u64>,
    /// Attributes of an upgrade.
    pub attributes: Option<String>,
    /// When an upgrade may be sent.
    pub upgrade: Upgrade,
    /// What happens to a cookie that does not verify.
    pub on_invalid: OnInvalid,
    /// What happens to look-alikes.
    pub look_alikes: LookAlikes,
    /// How a value that is too long for one cookie is written in several.
    pub chunks: Option<Chunks>,
    /// Whether verdicts are carried out.
    pub mode: Mode,
    /// Whether the operator has said that `forward` may open the origin to unverified cookies.
    pub unsafe_open: bool,
    /// The keys of browsers' copies.
    pub ring: Ring,
    /// The keys of the origin's copies.
    pub origin_keys: OriginKeys,
}

/// A further format that a browser's copy may be in.
#[derive(Debug)]
pub struct Accept {
    /// The format.
    pub format: Configured,
    /// Unix seconds from which on it is no longer accepted.
    pub until: Option<u64>,
}

/// A rule made ready: a [`RuleConfig`] with its formats under its keys.
#[derive(Debug)]
pub struct Rule {
    /// What the configuration says.
    pub spec: RuleConfig,
    /// What a browser's copy may be sealed with, in the order in which it is tried.
    pub candidates: Vec<Candidate>,
    /// What the origin's copy may be sealed with, in the order in which it is tried.
    pub origin_candidates: Vec<Candidate>,
    /// The name of the second cookie, that holds the signature alone in some format of the rule.
    pub companion: Option<String>,
    /// Seals for the browser.
    pub browser: Seal,
    /// Seals for the origin.
    pub origin: Seal,
    /// The names that no value may carry where some parser might read them in it.
    guarded: Arc<Names>,
}

/// One key in one format, to open with.
#[derive(Debug)]
pub struct Candidate {
    /// The format under the key.
    pub keyed: Box<dyn Keyed>,
    /// The key.
    pub key: KeyId,
    /// Whether the signature is a cookie of its own.
    pub is_pair: bool,
    /// What part key and format play.
    pub kind: CandidateKind,
    /// Which of `accept` its format is; none where it is the rule's own.
    pub accepted: Option<usize>,
    /// Unix seconds from which on it is not tried.
    pub until: Option<u64>,
    /// For how long a value still counts past its signed expiry, in milliseconds: by the framework's own rule
    /// and by the configuration's.
    pub grace_ms: u64,
    /// Whether the key's entry lets what it opens be upgraded.
    pub upgrade: bool,
    /// Whether the other side has the same key and format, so that the value can stay as it is.
    pub same_as_other_side: bool,
}

/// What part a candidate's key and format play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// The current key and the rule's format; for the origin, any key of its own.
    Current,
    /// A fallback and the rule's format.
    Fallback,
    /// Any key, and a format of `accept`.
    Accepted,
}

/// One key in one format, to seal with.
#[derive(Debug)]
pub struct Seal {
    /// The format under the key.
    pub keyed: Box<dyn Keyed>,
    /// The key; none where the format signs nothing.
    pub key: Option<KeyId>,
    /// Whether the format writes a time.
    pub carries_time: bool,
    /// Whether the signature is a cookie of its own.
    pub is_pair: bool,
}

impl Policy {
    /// Reads the variable `COUNTERSIGN`. `secret` answers the text of a Worker secret by its name.
    ///
    /// # Errors
    /// Every problem there is, each with its path and a cure.
    pub fn parse(
        value: &Value,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        Self::parse_by(value, secret, false)
    }

    /// The same where secrets are not at hand: each that `secret` does not know has a placeholder, of whose bytes
    /// nothing is said.
    ///
    /// # Errors
    /// What the Worker refuses, whatever the bytes of unknown secrets are.
    pub fn parse_with_placeholders(
        value: &Value,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        Self::parse_by(value, secret, true)
    }

    fn parse_by(
        value: &Value,
        secret: &dyn Fn(&str) -> Option<String>,
        has_placeholders: bool,
    ) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let notes = Problems::default();
        let secrets = Secrets::new(secret, has_placeholders, &problems);
        let policy = Self::read(value, &secrets, &problems, &notes);
        match policy {
            Some(policy) if problems.is_empty() => Ok(Self {
                notes: notes.into_vec(),
                ..policy
            }),
            _ => Err(problems.into_vec()),
        }
    }

    /// Whether traffic passes although the configuration is wrong: only where it asks to observe, no rule to
    /// enforce, and nothing stops it (C2), so that a first deployment does not take a site down.
    pub fn passes_when_wrong(value: &Value, problems: &[Problem]) -> bool {
        Written::of(value).only_observes() && !problems.iter().any(Problem::stops_traffic)
    }

    fn read(
        value: &Value,
        secrets: &Secrets<'_>,
        problems: &Problems,
        notes: &Problems,
    ) -> Option<Self> {
        let mut table = Table::new("COUNTERSIGN", value, problems)?;
        let mode = table.choice("mode", rule::MODES).unwrap_or_default();
        let reports = table.choice("reports", REPORTS).unwrap_or_default();
        let origin_url = origin::read_origin_url(&mut table);
        let origin_header = origin::read_origin_header(&mut table, secrets);
        let hosts = origin::read_hosts(&mut table);
        let written = Written::read(value, problems);
        table.value("keys");
        table.list("cookies");
        if written.rules.is_empty() {
            add_missing_rules(&table);
        }
        let specs: Vec<Option<RuleConfig>> = written
            .rules
            .iter()
            .map(|rule| RuleConfig::read(rule, mode, secrets, problems))
            .collect();
        secrets.add_notes(notes);
        table.finish_with(misplaced::at_top);
        let readable: Vec<&RuleConfig> = specs.iter().flatten().collect();
        checks::check(&readable, problems);
        let specs: Vec<RuleConfig> = specs.into_iter().collect::<Option<_>>()?;
        let is_guarded =
            |spec: &RuleConfig| spec.mode == Mode::Enforce && spec.look_alikes.are_dropped();
        let (names, guarded) = (names(&specs, |_| true), names(&specs, is_guarded));
        let guarded = Arc::new(guarded);
        let rules = specs
            .into_iter()
            .map(|spec| Rule::compile(spec, guarded.clone(), problems));
        Some(Self {
            reports,
            origin_url,
            origin_header,
            hosts,
            rules: rules.collect::<Option<_>>()?,
            names,
            notes: Vec::new(),
        })
    }
}

/// The managed names of those rules that are meant.
fn names(specs: &[RuleConfig], is_meant: impl Fn(&RuleConfig) -> bool) -> Names {
    let meant = (0..).map(RuleIndex).zip(specs);
    let meant = meant.filter(|(_, spec)| is_meant(spec));
    let names = Names::new(meant.clone().flat_map(|(rule, spec)| spec.names(rule)));
    let names = names.with_pieces(meant.filter_map(|(rule, spec)| spec.chunked(rule)));
    names.strict_for(|rule| specs[rule].look_alikes == LookAlikes::Strict)
}

fn add_missing_rules(table: &Table<'_>) {
    let cure = "name at least one cookie: [[vars.COUNTERSIGN.cookies]]";
    if !table.has("cookies") {
        table.missing("cookies", cure);
    } else if table.problems().is_empty() {
        table.problem("cookies", Fault::new("empty").cure(cure));
    }
    if !table.has("keys") {
        table.missing("keys", "name the secrets: [vars.COUNTERSIGN.keys]");
    }
}

const REPORTS: &[(&str, Reports)] = &[
    ("refusals", Reports::Refusals),
    ("all", Reports::All),
    ("none", Reports::None),
];
