//! The one place that asks what time it is, and how people say it.

use chrono::DateTime;
use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::grace;

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

fn read(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| grace::read(text))
}

#[expect(clippy::disallowed_methods, reason = "a command line has a clock")]
fn system() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_secs()) // a clock before 1970 is 1970
}

/// A moment in Unix seconds as RFC 3339 writes it, without the seconds.
pub fn moment(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or(seconds.to_string(), |time| {
        time.naive_utc()
            .to_string()
            .chars()
            .take(16)
            .chain(" UTC".chars())
            .collect()
    })
}

/// How far a moment is from now: `in 14 days`, `3 hours ago`.
pub fn from_now(seconds: u64, now: u64) -> String {
    match seconds >= now {
        _ if seconds == now => "now".to_owned(),
        true => format!("in {}", span(seconds - now)),
        false => format!("{} ago", span(now - seconds)),
    }
}

/// A number of seconds in the largest unit that there are two of.
pub fn span(seconds: u64) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = units.iter().find(|(unit, _)| seconds >= 2 * unit);
    match unit {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None if seconds == 1 => "1 second".to_owned(),
        None => format!("{seconds} seconds"),
    }
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

    #[test]
    fn people_say_a_time_in_its_largest_unit() {
        assert_eq!(span(1), "1 second");
        assert_eq!(span(119), "119 seconds");
        assert_eq!(span(7_199), "119 minutes");
        assert_eq!(span(1_209_600), "14 days");
        assert_eq!(from_now(100, 40), "in 60 seconds");
        assert_eq!(from_now(40, 100), "60 seconds ago");
        assert_eq!(from_now(40, 40), "now");
        assert_eq!(moment(1_801_440_000), "2027-02-01 00:00 UTC");
    }
}
