//! What is printed to standard error, beside the answer: progress and warnings.
//!
//! What takes over a second shows for how long it has been waited for: in a terminal in a line that changes, elsewhere
//! in a line now and then.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::time::Duration;

use crate::terminal::clock::Stopwatch;
use crate::terminal::harmless::printed;
use crate::terminal::style::{FAINT, styled};
use crate::terminal::time::span;
use crate::terminal::width;
use crate::terminal::wrap::wrapped;

/// Prints to standard error, beside the answer: progress, warnings and failures.
pub fn print_beside(text: &str) {
    finish();
    let text = printed(text);
    let text = match width::of_stream(&stderr()) {
        Some(width) => wrapped(&text, width),
        None => text,
    };
    anstream::eprint!("{text}");
}

/// A step that begins: what is done, as the first line of its progress.
pub fn say(what: &str) {
    begin(what);
    if let Ok(mut step) = STEP.lock()
        && let Some(step) = step.as_mut()
    {
        step.show(0);
    }
}

/// The same for a step that is worth a line only where it takes over a second.
pub fn begin(what: &str) {
    finish();
    if let Ok(mut step) = STEP.lock() {
        *step = Some(Step {
            what: what.to_owned(),
            since: Stopwatch::start(),
            shown: None,
            is_changing: stderr().is_terminal(),
        });
    }
}

/// Shows how long the step has taken, where that is due.
pub fn tick() {
    if let Ok(mut step) = STEP.lock()
        && let Some(step) = step.as_mut()
    {
        let seconds = step.since.elapsed().as_secs();
        if is_due(step.shown, seconds, step.is_changing) && !are_steps_short() {
            step.show(seconds);
        }
    }
}

/// Ends the step: what is printed next begins a line.
pub fn finish() {
    if let Ok(mut step) = STEP.lock()
        && let Some(step) = step.take()
        && step.is_changing
        && step.shown.is_some()
    {
        let _ = stderr().write_all(b"\n");
    }
}

/// What is being waited for.
struct Step {
    what: String,
    since: Stopwatch,
    /// After how many seconds it was shown last.
    shown: Option<u64>,
    /// Whether its line can change.
    is_changing: bool,
}

static STEP: Mutex<Option<Step>> = Mutex::new(None);

impl Step {
    fn show(&mut self, seconds: u64) {
        let time = match seconds {
            0 => String::new(),
            seconds => format!(" {}", span(seconds)),
        };
        let line = styled(FAINT, format!("{} …{time}", self.what));
        let line = printed(&line);
        if self.is_changing {
            // back to the beginning of the line, and what is longer there is wiped out
            anstream::eprint!("\r{line}\x1b[K");
            let _ = stderr().flush();
        } else {
            anstream::eprint!("{line}\n");
        }
        self.shown = Some(seconds);
    }
}

/// A line that changes does so every second; lines that stay come seldom.
fn is_due(shown: Option<u64>, seconds: u64, is_changing: bool) -> bool {
    match shown {
        None => seconds >= 1,
        Some(shown) if is_changing => seconds > shown,
        Some(shown) => {
            let next = MARKS.into_iter().find(|mark| *mark > shown);
            seconds >= next.unwrap_or(shown + SELDOM)
        }
    }
}

/// After how many seconds a line that stays is printed again, and how many lie between later ones.
const MARKS: [u64; 3] = [10, 30, 60];
const SELDOM: u64 = 60;

/// Tests do not depend on how fast the machine is.
fn are_steps_short() -> bool {
    cfg!(debug_assertions) && std::env::var_os("COUNTERSIGN_TEST_NO_PAUSE").is_some()
}

/// How long to wait between two looks: short at first, so that what is quick is not made slow.
pub fn pause(looks: u32) -> Duration {
    Duration::from_millis((1 << looks.min(5)).min(25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay_come_seldom_and_one_that_changes_every_second() {
        let due = |is_changing| {
            let mut shown = None;
            let mut lines = Vec::new();
            for seconds in 0..200 {
                if is_due(shown, seconds, is_changing) {
                    shown = Some(seconds);
                    lines.push(seconds);
                }
            }
            lines
        };
        assert_eq!(due(false), [1, 10, 30, 60, 120, 180]);
        assert_eq!(due(true).len(), 199);
    }
}
