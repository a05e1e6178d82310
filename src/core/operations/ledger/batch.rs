//! What an isolate hands over: its counts since the last time, in one JSON text.
//!
//! ```json
//! {"isolate":"5f0c…","batch":7,"rows":[{"at":1801436400,"rule":"sessionid","key":"KEY_2026_11","verdict":"current",
//!  "count":120,"first":1801436402,"last":1801439000}]}
//! ```
//!
//! An isolate numbers its batches and sends the next one only when it has an answer to the one before, or gives that
//! one up. So a batch whose number is not above the last one of its isolate has been applied before: an answer that was
//! lost counts nothing twice. Two versions of the Worker may write to one ledger: members that this one does not know
//! are passed over, and verdicts and reasons are words, whichever they are.

use core::ops::Range;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{DAY, HOUR, Row};
use crate::crypto::key::KeyId;
use crate::prelude::*;
use crate::wire::json::{members, string, to_json};

/// The most rows of a batch.
pub const MOST_ROWS: usize = 1_000;
/// The longest text of a batch in bytes.
pub const LONGEST: usize = 512 << 10;
/// For how many seconds a batch is sent again, and the ledger knows which of an isolate's it has.
pub const RETRIED: u64 = DAY;

/// The longest name of a rule, in bytes: a cookie's name is part of a cookie of at most 4,096.
const LONGEST_RULE: usize = 4_096;
/// The longest word for a verdict or a reason, in bytes.
const LONGEST_WORD: usize = 40;
/// The most that one row counts.
const MOST: u64 = u32::MAX as u64;

/// One hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// The isolate: 16 hexadecimal digits that it has drawn.
    pub isolate: String,
    /// Counts the isolate's batches, from 1 on.
    pub batch: u64,
    /// What was counted.
    pub rows: Vec<Row>,
}

impl Batch {
    /// As it is sent.
    pub fn to_text(&self) -> String {
        to_json(self)
    }

    /// Reads what was sent; `now` in Unix seconds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, now: u64) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("longer than a batch can be");
        }
        let batch = Self::read(text).ok_or("no batch in JSON")?;
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if batch.isolate.len() != 16 || !batch.isolate.bytes().all(is_digit) {
            return Err("the isolate is not 16 hexadecimal digits");
        }
        if batch.batch == 0 || batch.batch > MOST {
            return Err("the number of the batch is out of range");
        }
        if batch.rows.len() > MOST_ROWS {
            return Err("more rows than a batch can have");
        }
        batch.rows.iter().try_for_each(|row| row.check(now))?;
        Ok(batch)
    }

    /// Member by member: a derived reader would bring along the texts of errors that nobody reads.
    fn read(text: &str) -> Option<Self> {
        let [isolate, batch, rows] = members(text, ["isolate", "batch", "rows"])?;
        let rows: Vec<&RawValue> = serde_json::from_str(&text[rows?]).ok()?;
        Some(Self {
            isolate: string(&text[isolate?])?,
            batch: text[batch?].parse().ok()?,
            rows: rows
                .into_iter()
                .map(|row| Row::read(row.get()))
                .collect::<Option<_>>()?,
        })
    }
}

impl Row {
    fn read(text: &str) -> Option<Self> {
        let names = [
            "at", "rule", "key", "verdict", "reason", "count", "first", "last",
        ];
        let [at, rule, key, verdict, reason, count, first, last] = members(text, names)?;
        let number = |member: Option<Range<usize>>| text[member?].parse().ok();
        let word = |member: Option<Range<usize>>| string(&text[member?]);
        let word_or_none = |member: Option<Range<usize>>| match member {
            Some(member) => string(&text[member]),
            None => Some(String::new()),
        };
        Some(Self {
            at: number(at)?,
            rule: word(rule)?,
            key: word_or_none(key)?,
            verdict: word(verdict)?,
            reason: word_or_none(reason)?,
            count: number(count)?,
            first: number(first)?,
            last: number(last)?,
        })
    }

    fn check(&self, now: u64) -> Result<(), &'static str> {
        let is_name = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b';' | b'=');
        if !is_text(&self.rule, LONGEST_RULE, is_name) {
            return Err("a rule is no name of a cookie");
        }
        if !self.key.is_empty() && KeyId::parse(&self.key).is_none() {
            return Err("a key is no key id");
        }
        let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_word = |text: &str| is_text(text, LONGEST_WORD, is_word);
        if !is_word(&self.verdict) || !(self.reason.is_empty() || is_word(&self.reason)) {
            return Err("a verdict or a reason is no word");
        }
        if self.count == 0 || self.count > MOST {
            return Err("a count is out of range");
        }
        let is_hour = self.at.is_multiple_of(HOUR);
        let is_recent = self.at <= now + HOUR && now <= self.at.saturating_add(HOUR + 2 * RETRIED);
        if !is_hour || !is_recent {
            return Err("an hour is out of range");
        }
        if self.first < self.at || self.last < self.first || self.last - self.at >= HOUR {
            return Err("a time is outside its hour");
        }
        Ok(())
    }
}

fn is_text(text: &str, longest: usize, is_allowed: impl Fn(u8) -> bool) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(is_allowed)
}
