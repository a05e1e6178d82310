//! The one place that asks what time it is, and how people say it.

use chrono::DateTime;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds.
#[expect(clippy::disallowed_methods, reason = "a command line has a clock")]
pub fn now() -> u64 {
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
