//! The one place that asks what time it is, for all that depends on it.

use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::terminal::time;

/// Sets the time for the tests, which print the same on any day.
///
/// Only a build with debug assertions reads it, as `cargo test` makes them: what `cargo install` and
/// `cargo build --release` make takes the time from the system, whatever the environment says.
const SET: &str = "COUNTERSIGN_NOW";

/// Unix seconds.
///
/// # Panics
/// A test has set what is no time.
pub fn now() -> u64 {
    if cfg!(debug_assertions)
        && let Ok(text) = env::var(SET)
    {
        return read(&text)
            .unwrap_or_else(|| panic!("{SET}: expected Unix seconds or RFC 3339, not {text:?}"));
    }
    system()
}

/// How long something takes.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    #[expect(clippy::disallowed_methods, reason = "a command line has a clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has been since.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

fn read(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| time::read(text))
}

#[expect(clippy::disallowed_methods, reason = "a command line has a clock")]
fn system() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs()) // a clock before 1970 is 1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_sets_the_time_in_seconds_or_as_a_configuration_writes_it() {
        assert_eq!(read("1801440000"), Some(1_801_440_000));
        assert_eq!(read("2027-02-01T00:00:00Z"), Some(1_801_440_000));
        assert_eq!(read("2027-02-01T02:00:00+02:00"), Some(1_801_440_000));
        assert_eq!(read("tomorrow"), None);
        assert_eq!(read(""), None);
    }
}
