//! Times and durations as configurations and people write them.

use std::cmp::Ordering;

use chrono::DateTime;

/// Reads `14d`, `36h`, `90m`, `2w`, or a number of seconds.
///
/// # Errors
/// For the command line.
pub fn duration(text: &str) -> Result<u64, String> {
    let seconds = countersign_core::settings::duration(text);
    seconds.ok_or_else(|| "write a number and s, m, h, d or w, such as 14d".to_owned())
}

/// A time as a configuration writes it, in Unix seconds.
pub fn read(text: &str) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    u64::try_from(time.timestamp()).ok()
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

/// The day of a moment in Unix seconds, in UTC, as a part of a name: `2026_11_30`.
pub fn day(seconds: u64) -> String {
    let day: String = moment(seconds).chars().take(10).collect();
    day.replace('-', "_")
}

/// How far a moment is from now: `in 14 days`, `3 hours ago`.
pub fn from_now(seconds: u64, now: u64) -> String {
    match seconds.cmp(&now) {
        Ordering::Less => format!("{} ago", span(now - seconds)),
        Ordering::Equal => "now".to_owned(),
        Ordering::Greater => format!("in {}", span(seconds - now)),
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
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("14d", 1_209_600),
            ("2w", 1_209_600),
            ("36h", 129_600),
            ("90m", 5_400),
            ("7s", 7),
            ("7", 7),
        ] {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in [
            "",
            "d",
            "-1d",
            "1.5d",
            "99999999999999999999d",
            "14 d",
            "1y",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(read("2027-02-01T01:00:00Z"), Some(1_801_443_600));
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
        assert_eq!(day(1_801_440_000), "2027_02_01");
    }
}
