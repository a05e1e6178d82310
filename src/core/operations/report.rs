//! How verdicts are logged (B3): the rule, the verdict and the key id; never a value, a payload or a key.

use serde::Serialize;

use crate::config::{Mode, Policy};
use crate::crypto::Digest;
use crate::gate::Event;
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::encoding::base64url;
use crate::wire::json::to_json;

/// For how many seconds the same refusal is counted rather than repeated.
const QUIET: u64 = 60;
/// How many data points one side of a request may write; both together stay at 20.
const POINTS: usize = 10;

/// The longest index of a data point in bytes.
const LONGEST_INDEX: usize = 96;

/// Writes log lines for one isolate.
#[derive(Debug, Default)]
pub struct Reporter {
    logged: Vec<(Event, LastLogged)>,
}

#[derive(Debug, Default)]
struct LastLogged {
    at: u64,
    since: u64,
}

/// A log line.
#[derive(Debug, PartialEq, Eq)]
pub struct LogLine {
    /// One line of JSON.
    pub text: String,
    /// Whether it tells of something wrong with the configuration.
    pub is_error: bool,
}

/// A log line as JSON.
#[derive(Serialize)]
struct Line<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ray: Option<&'a str>,
    source: &'static str,
    verdicts: Vec<VerdictEntry<'a>>,
}

/// One verdict of a line, as JSON.
#[derive(Serialize)]
struct VerdictEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<u64>,
    rule: &'a str,
    verdict: &'static str,
}

/// A data point for Workers Analytics Engine.
#[derive(Debug, PartialEq)]
pub struct DataPoint {
    /// Rule and key id: Analytics Engine samples for each index, so that a rare fallback must not share
    /// one with the many uses of the current key.
    pub index: String,
    /// The verdict, with its reason where it has one.
    pub verdict: String,
    /// How many verdicts it stands for.
    pub weight: f64,
}

impl Reporter {
    /// The line for one request, if there is anything to tell. `now` is in Unix seconds; `ray` is the
    /// request's `cf-ray`.
    pub fn line(
        &mut self,
        policy: &Policy,
        events: &[Event],
        ray: Option<&str>,
        now: u64,
    ) -> Option<LogLine> {
        let mut is_error = false;
        let mut verdicts = Vec::new();
        for (event, count) in counted(events) {
            if !policy.should_log(event.verdict) {
                continue;
            }
            if let Some(repeated) = self.repeated(event, count, now) {
                is_error |= event.verdict == Verdict::OriginUnverified;
                verdicts.push(VerdictEntry {
                    count: Some(count).filter(|count| *count > 1),
                    key: event.key.as_ref().map(|key| key.as_str()),
                    reason: event.verdict.reason(),
                    repeated: Some(repeated).filter(|count| *count > 0),
                    rule: &policy.rules[event.rule].spec.name,
                    verdict: event.verdict.as_str(),
                });
            }
        }
        if verdicts.is_empty() {
            return None;
        }
        let observes = |event: &Event| policy.rules[event.rule].spec.mode == Mode::Observe;
        let observing = events.iter().any(observes);
        let text = to_json(&Line {
            mode: if observing { "observe" } else { "enforce" },
            ray,
            source: "countersign",
            verdicts,
        });
        Some(LogLine { text, is_error })
    }

    /// How often this refusal was kept quiet since it was last logged; `None` to keep it quiet now.
    fn repeated(&mut self, event: &Event, count: u64, now: u64) -> Option<u64> {
        if !event.verdict.is_refusal() {
            return Some(0);
        }
        let logged = self.logged.iter_mut().find(|(known, _)| known == event);
        match logged.map(|(_, logged)| logged) {
            Some(logged) if now < logged.at + QUIET => {
                logged.since += count;
                None
            }
            Some(logged) => {
                logged.at = now;
                Some(core::mem::take(&mut logged.since))
            }
            None => {
                self.logged
                    .push((event.clone(), LastLogged { at: now, since: 0 }));
                Some(0)
            }
        }
    }
}

/// The data points for one side of a request: alike verdicts make one point.
pub fn points(policy: &Policy, events: &[Event]) -> Vec<DataPoint> {
    let mut points: Vec<DataPoint> = Vec::new();
    for (event, count) in counted(events) {
        let key = event.key.as_ref().map_or("-", |key| key.as_str());
        points.push(DataPoint {
            index: index(&policy.rules[event.rule].spec.name, key),
            verdict: match event.verdict.reason() {
                Some(reason) => format!("{}:{reason}", event.verdict.as_str()),
                None => event.verdict.as_str().to_owned(),
            },
            weight: count as f64,
        });
    }
    points.truncate(POINTS);
    points
}

/// Each verdict once, with how often it stands there: a request may hold thousands of one cookie. It is looked up
/// among the few of its rule.
fn counted(events: &[Event]) -> Vec<(&Event, u64)> {
    let mut counted: Vec<(&Event, u64)> = Vec::new();
    let mut of_rules: Vec<Vec<usize>> = Vec::new();
    for event in events {
        if of_rules.len() <= event.rule.0 {
            of_rules.resize_with(event.rule.0 + 1, Vec::new);
        }
        let of_rule = &mut of_rules[event.rule];
        match of_rule.iter().find(|at| counted[**at].0 == event) {
            Some(at) => counted[*at].1 += 1,
            None => {
                of_rule.push(counted.len());
                counted.push((event, 1));
            }
        }
    }
    counted
}

/// `RULE/KEY_ID`. Where that is longer than an index may be, a hash stands for the end of the name, so
/// that indexes stay distinct.
fn index(rule: &str, key: &str) -> String {
    let index = format!("{rule}/{key}");
    if index.len() <= LONGEST_INDEX {
        return index;
    }
    let hash = base64url(&Digest::Sha256.hash(&[rule.as_bytes()])[..6]);
    let start = LONGEST_INDEX.saturating_sub(key.len() + hash.len() + 2);
    format!("{}~{hash}/{key}", &rule[..start]) // cookie names are ASCII
}
