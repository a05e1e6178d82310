//! What one isolate has counted and not handed over yet, and when it does.

use crate::config::Policy;
use crate::crypto::Random;
use crate::crypto::key::KeyId;
use crate::gate::Event;
use crate::prelude::*;
use crate::wire::encoding::hex;

use super::batch::{Batch, MOST_ROWS, RETRIED};
use super::kinds::{KINDS, is_opened, number};
use super::{HOUR, Row};

/// The least time between two hand-overs, in milliseconds, first uses aside. It is the longest time that a request's
/// `waitUntil` has behind its response, 30 s, less what the hand-over itself may take.
pub const GAP_MS: u64 = 25_000;
/// By how many times the gap is doubled at most while the ledger fails: up to 200 s.
const MOST_DOUBLINGS: u32 = 3;
/// How long a hand-over waits at least, so that the verdicts on a request's response go with those on the request.
const LEAST_WAIT_MS: u64 = 1_000;
/// From when on a hand-over without an answer counts as failed, in milliseconds.
const LOST_MS: u64 = 30_000;
/// From when on a timer counts as lost that has not gone off, in milliseconds.
const LATE_MS: u64 = 2_000;
/// The most rows that are kept while the ledger fails; older ones are given up.
const MOST_KEPT: usize = 4 * MOST_ROWS;

/// Counts for one isolate.
#[derive(Debug)]
pub struct Tally {
    /// The names of the rules, and the keys of each, the current one first.
    rules: Vec<(String, Vec<KeyId>)>,
    /// For each rule, where its cells begin.
    starts: Vec<usize>,
    /// For each rule, no key and each key, every kind.
    cells: Vec<Cell>,
    /// The cells that are not empty.
    counted: Vec<usize>,
    /// For each rule and key, which kinds there have been ever, as bits.
    met: Vec<u32>,
    /// Unix seconds at which the hour of the cells began.
    hour: u64,
    /// What was counted in hours before, or waits for the ledger to answer again; the oldest first.
    kept: Vec<Row>,
    handover: Handover,
}

/// How often something was decided in the present hour; seconds count from its beginning.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    count: u32,
    first: u16,
    last: u16,
}

/// What is under way to the ledger, and what is next. All times in Unix milliseconds.
#[derive(Debug)]
struct Handover {
    isolate: String,
    /// The number of the last batch.
    batch: u64,
    /// The batch that has no answer yet.
    sent: Option<Sent>,
    /// From when on the next one may be made.
    next: u64,
    /// How often in turn the ledger has failed.
    failures: u32,
    /// When a timer that has been set will go off.
    timer: u64,
    /// Whether a key that is not current has been used for the first time.
    is_urgent: bool,
}

#[derive(Debug)]
struct Sent {
    batch: Batch,
    made: u64,
    /// When it was sent last; none once that has failed.
    under_way: Option<u64>,
    is_retry: bool,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the ledger.
    Applied,
    /// The ledger will never take it.
    Refused,
    /// The ledger did not answer.
    Failed,
}

impl Tally {
    /// Nothing counted so far; `now_ms` in Unix milliseconds. When an isolate hands over for the first time is drawn, so
    /// that isolates which started together do not call together.
    pub fn new(policy: &Policy, random: Random, now_ms: u64) -> Self {
        let rules = policy.rules.iter().map(|rule| {
            let keys = rule.spec.ring.keys().map(|key| key.id().clone());
            (rule.spec.name.clone(), keys.collect::<Vec<_>>())
        });
        let rules: Vec<_> = rules.collect();
        let mut slots = 0;
        let starts = rules.iter().map(|(_, keys)| {
            let start = slots;
            slots += 1 + keys.len();
            start
        });
        let starts = starts.collect();
        let mut drawn = [0; 10];
        random(&mut drawn);
        let (name, phase) = drawn.split_at(8);
        let phase = u64::from(u16::from_le_bytes([phase[0], phase[1]])); // two of ten bytes are behind eight
        Self {
            rules,
            starts,
            cells: vec![Cell::default(); slots * KINDS.len()],
            counted: Vec::new(),
            met: vec![0; slots],
            hour: 0,
            kept: Vec::new(),
            handover: Handover {
                isolate: hex(name),
                batch: 0,
                sent: None,
                next: now_ms + GAP_MS * phase / u64::from(u16::MAX),
                failures: 0,
                timer: 0,
                is_urgent: false,
            },
        }
    }

    /// Counts the verdicts of one side of a request; `now_ms` in Unix milliseconds.
    pub fn count(&mut self, events: &[Event], now_ms: u64) {
        if events.is_empty() {
            return;
        }
        let now = now_ms / 1000;
        let hour = now - now % HOUR;
        if hour != self.hour {
            self.close();
            self.hour = hour;
        }
        let second = (now - hour) as u16; // less than 3,600
        for event in events {
            self.count_one(event, second);
        }
    }

    fn count_one(&mut self, event: &Event, second: u16) {
        let keys = &self.rules[event.rule.0].1;
        let place = event.key.as_ref();
        let place = place.and_then(|key| keys.iter().position(|known| known == key));
        let slot = self.starts[event.rule.0] + place.map_or(0, |at| at + 1);
        let kind = number(event.verdict);
        let at = slot * KINDS.len() + kind;
        let cell = &mut self.cells[at];
        if cell.count == 0 {
            cell.first = second;
            self.counted.push(at);
        }
        cell.count = cell.count.saturating_add(1);
        cell.last = second;
        let bit = 1 << kind;
        if self.met[slot] & bit == 0 {
            self.met[slot] |= bit;
            let is_other = place.is_some_and(|at| at > 0);
            self.handover.is_urgent |= is_other && is_opened(event.verdict);
        }
    }

    /// In how many milliseconds [`Tally::take`] is to be called by a timer that has to be set now; `None` where there is
    /// nothing to hand over, or a timer is set already.
    pub fn wait(&mut self, now_ms: u64) -> Option<u32> {
        let handover = &mut self.handover;
        if self.counted.is_empty() && self.kept.is_empty() && handover.sent.is_none() {
            return None;
        }
        if handover.is_urgent && !handover.is_busy(now_ms) {
            handover.is_urgent = false;
            return Some(0);
        }
        if handover.timer != 0 && now_ms < handover.timer + LATE_MS {
            return None;
        }
        let left = handover.next.saturating_sub(now_ms);
        let wait = left.clamp(LEAST_WAIT_MS, GAP_MS);
        handover.timer = now_ms + wait;
        Some(wait as u32) // at most GAP_MS
    }

    /// Whether a batch is under way.
    pub fn is_busy(&self, now_ms: u64) -> bool {
        self.handover.is_busy(now_ms)
    }

    /// What is to be sent now: the batch whose answer was lost, or all that was counted since. `None` where that is
    /// nothing, or another one is under way.
    pub fn take(&mut self, now_ms: u64) -> Option<String> {
        self.handover.timer = 0;
        if self.is_busy(now_ms) {
            return None;
        }
        let is_old = |sent: &Sent| now_ms > sent.made + RETRIED * 1000;
        if self.handover.sent.as_ref().is_some_and(is_old) {
            self.handover.sent = None;
        }
        if self.handover.sent.is_none() {
            self.make(now_ms)?;
        }
        self.handover.is_urgent = false;
        self.handover.next = now_ms + self.handover.gap();
        let sent = self.handover.sent.as_mut()?;
        sent.under_way = Some(now_ms);
        Some(sent.batch.to_text())
    }

    /// Makes a batch of what was counted.
    fn make(&mut self, now_ms: u64) -> Option<()> {
        self.close();
        if self.kept.is_empty() {
            return None;
        }
        let rows = self.kept.drain(..self.kept.len().min(MOST_ROWS)).collect();
        self.handover.batch += 1;
        self.handover.sent = Some(Sent {
            batch: Batch {
                isolate: self.handover.isolate.clone(),
                batch: self.handover.batch,
                rows,
            },
            made: now_ms,
            under_way: None,
            is_retry: false,
        });
        Some(())
    }

    /// Tells what became of the batch under way. Answers whether there is more to hand over at once.
    pub fn settle(&mut self, outcome: Outcome, now_ms: u64) -> bool {
        let handover = &mut self.handover;
        let Some(sent) = &mut handover.sent else {
            return false;
        };
        if outcome == Outcome::Failed {
            sent.under_way = None;
            sent.is_retry = true;
            handover.failures = (handover.failures + 1).min(MOST_DOUBLINGS);
            handover.next = now_ms + handover.gap();
            return false;
        }
        let was_retry = sent.is_retry;
        handover.sent = None;
        handover.failures = 0;
        let is_more = was_retry || handover.is_urgent || self.kept.len() >= MOST_ROWS;
        is_more && !(self.kept.is_empty() && self.counted.is_empty())
    }

    /// Makes rows of the cells.
    fn close(&mut self) {
        for at in core::mem::take(&mut self.counted) {
            let row = self.row(at);
            self.kept.push(row);
            self.cells[at] = Cell::default();
        }
        let excess = self.kept.len().saturating_sub(MOST_KEPT);
        self.kept.drain(..excess);
    }

    fn row(&self, at: usize) -> Row {
        let (cell, slot) = (self.cells[at], at / KINDS.len());
        let rule = self.starts.partition_point(|start| *start <= slot) - 1; // the first one starts at 0
        let (name, keys) = &self.rules[rule];
        let key = (slot - self.starts[rule]).checked_sub(1);
        let verdict = KINDS[at % KINDS.len()];
        Row {
            at: self.hour,
            rule: name.clone(),
            key: key.map_or_else(String::new, |key| keys[key].as_str().to_owned()),
            verdict: verdict.as_str().to_owned(),
            reason: verdict.reason().unwrap_or_default().to_owned(),
            count: cell.count.into(),
            first: self.hour + u64::from(cell.first),
            last: self.hour + u64::from(cell.last),
        }
    }
}

impl Handover {
    fn is_busy(&self, now_ms: u64) -> bool {
        let under_way = self.sent.as_ref().and_then(|sent| sent.under_way);
        under_way.is_some_and(|since| now_ms < since + LOST_MS)
    }

    fn gap(&self) -> u64 {
        GAP_MS << self.failures
    }
}
