//! How an isolate's counts come to the ledger: `entry.js` sets the timer and makes the call, the core says when.

use wasm_bindgen::prelude::*;

use super::isolate::made;
use super::now_ms;
use countersign_core::operations::ledger::tally::Outcome;

/// In how many milliseconds [`ledger_batch`] is to be called; less than zero where it is not.
#[wasm_bindgen]
pub fn ledger_wait() -> i32 {
    made(|isolate| isolate.with_tally(|tally| tally.wait(now_ms())))
        .flatten()
        .flatten()
        .map_or(-1, |wait| wait as i32) // at most 25,000
}

/// Whether a batch is under way.
#[wasm_bindgen]
pub fn ledger_is_busy() -> bool {
    made(|isolate| isolate.with_tally(|tally| tally.is_busy(now_ms()))).flatten() == Some(true)
}

/// What the ledger is to be sent now.
#[wasm_bindgen]
pub fn ledger_batch() -> Option<String> {
    made(|isolate| isolate.with_tally(|tally| tally.take(now_ms())))
        .flatten()
        .flatten()
}

/// Tells how the ledger has answered: by an HTTP status, or not at all, for a `reason`. Answers whether to call
/// [`ledger_batch`] again at once.
#[wasm_bindgen]
pub fn ledger_answered(status: u16, reason: Option<String>) -> bool {
    let outcome = match status {
        200..=299 => Outcome::Applied,
        400..=499 if status != 429 => Outcome::Refused,
        _ => Outcome::Failed,
    };
    let settle = |isolate: &super::Isolate| {
        if outcome != Outcome::Applied {
            isolate.tell_ledger(outcome, status, reason.as_deref());
        }
        isolate.with_tally(|tally| tally.settle(outcome, now_ms()))
    };
    made(settle).flatten() == Some(true)
}
