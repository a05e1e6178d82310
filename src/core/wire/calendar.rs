//! Dates and Unix time, by `chrono`: what the formats, the configuration and `Expires` need of it. All in UTC.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Timelike};

use crate::prelude::*;

/// Of a second. `chrono` counts a leap second as more of them.
const NANOSECONDS: u32 = 1_000_000_000;

/// The Unix seconds of a moment in UTC, or `None` where the calendar has no such day or the clock no such time.
pub fn seconds([year, month, day]: [u32; 3], [hour, minute, second]: [u32; 3]) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let time = date.and_hms_opt(hour, minute, second)?;
    Some(time.and_utc().timestamp())
}

/// A time as RFC 3339 writes it, in Unix milliseconds; what is finer is cut off. Unix time has no leap seconds.
pub fn from_rfc3339(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    (time.nanosecond() < NANOSECONDS).then(|| time.timestamp_millis())
}

/// A time as Ruby's `iso8601(3)` and JavaScript write it: `2024-01-13T00:33:29.000Z`; `None` behind the year 9999.
pub fn to_iso8601(milliseconds: u64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(i64::try_from(milliseconds).ok()?)?;
    (time.year() <= 9999).then(|| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_rfc_3339_does_not_write_is_refused() {
        for bad in [
            "",
            "2027-02-01",
            "2027-02-30T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-02-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2027-02-01T00:00:00",
            "2027-02-01T00:00:00.Z",
            "2027-02-01T00:00:00+2:00",
            "27-02-01T00:00:00Z",
            "2027-02-01T00:00:00Zx",
            "2027-02-01T00:00Z",
            "2027-02-01T00:00:00+02",
            "2027-02-0éT00:00:00Z",
        ] {
            assert_eq!(from_rfc3339(bad), None, "{bad}");
        }
        assert_eq!(
            from_rfc3339("2027-02-01T02:00:00+02:00"),
            Some(1_801_440_000_000)
        );
        assert_eq!(
            from_rfc3339("2027-02-01 00:00:00.1239z"),
            Some(1_801_440_000_123)
        );
    }

    proptest! {
        #[test]
        fn a_time_comes_back_as_it_was_written(milliseconds in 0..253_402_300_800_000u64) {
            let text = to_iso8601(milliseconds).unwrap();
            prop_assert_eq!(from_rfc3339(&text), Some(milliseconds as i64));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), near in "[0-9TZ:.+ -]{0,32}") {
            from_rfc3339(&text);
            from_rfc3339(&near);
        }
    }

    #[test]
    fn a_day_that_the_calendar_has_not_is_no_time() {
        assert_eq!(seconds([2024, 2, 29], [23, 59, 59]), Some(1_709_251_199));
        assert_eq!(seconds([1601, 1, 1], [0, 0, 0]), Some(-11_644_473_600));
        for (date, time) in [
            ([2023, 2, 29], [0, 0, 0]),
            ([2023, 0, 1], [0, 0, 0]),
            ([2023, 13, 1], [0, 0, 0]),
            ([2023, 1, 0], [0, 0, 0]),
            ([2023, 1, 1], [24, 0, 0]),
            ([2023, 1, 1], [0, 60, 0]),
            ([2023, 1, 1], [0, 0, 60]),
        ] {
            assert_eq!(seconds(date, time), None, "{date:?} {time:?}");
        }
    }

    #[test]
    fn behind_the_year_9999_nothing_is_written() {
        assert_eq!(to_iso8601(253_402_300_800_000), None);
        assert_eq!(to_iso8601(u64::MAX), None);
    }
}
