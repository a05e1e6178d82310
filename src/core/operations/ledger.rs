//! The ledger: how often each key opened and sealed the cookies of each rule, hour by hour, and what was refused.
//!
//! An isolate counts in a [`Tally`], which costs a request an index into a table. What it has counted goes to the
//! Durable Object `Ledger` as a [`batch`], now and then and off the path of requests. The object's answer is made by
//! [`reply`]. All of it names rules, key ids and verdicts, and holds no value, payload, address or key (B3).

use serde::Serialize;

use crate::prelude::*;

pub mod batch;
mod kinds;
pub mod reply;
pub mod tally;

pub use tally::Tally;

/// An hour in seconds: what is counted apart.
pub const HOUR: u64 = 3_600;
/// A day in seconds.
pub const DAY: u64 = 24 * HOUR;
/// For how many seconds hours are kept. Afterwards they are parts of their day.
pub const HOURS_KEPT: u64 = 14 * DAY;
/// For how many seconds days are kept. When a key was first and last used is kept for good.
pub const DAYS_KEPT: u64 = 400 * DAY;

/// How often something was decided in one hour, or on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Unix seconds at which the hour or the day begins, in UTC.
    pub at: u64,
    /// The cookie's name.
    pub rule: String,
    /// The key that opened or sealed; empty where none did.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The verdict's word.
    pub verdict: String,
    /// The reason's word; empty where the verdict has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// How often.
    pub count: u64,
    /// Unix seconds of the first time.
    pub first: u64,
    /// Unix seconds of the last time.
    pub last: u64,
}
