//! Dates and the seconds since 1970 (proleptic Gregorian calendar, UTC). A library for this would be a fortieth of
//! the Worker.

use crate::prelude::*;

/// What a day holds.
const DAY: i64 = 86_400;
/// Days from the first of March of the year 0 to 1970.
const TO_1970: i64 = 719_468;
/// The days of 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// The Unix seconds of a moment in UTC, or `None` where the calendar has no such day or the clock no such time.
pub fn seconds([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<i64> {
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let days = days([year, month, day]);
    let is_day = (1..=12).contains(&month) && date(days) == [year, month, day];
    (is_time && is_day).then(|| days * DAY + hour * 3600 + minute * 60 + second)
}

/// A time as RFC 3339 writes it, in Unix milliseconds; what is finer is cut off.
pub fn from_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let end = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(end)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let seconds = seconds(
        fields(date, '-', [4, 2, 2])?,
        fields(clock, ':', [2, 2, 2])?,
    )?;
    Some((seconds - offset(zone)?) * 1000 + milliseconds(fraction)?)
}

/// A time as Ruby's `iso8601(3)` and JavaScript write it: `2024-01-13T00:33:29.000Z`; `None` behind the year 9999.
pub fn to_iso8601(milliseconds: u64) -> Option<String> {
    let seconds = i64::try_from(milliseconds / 1000).ok()?;
    let [year, month, day] = date(seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY);
    let [hour, minute, second] = [of_day / 3600, of_day / 60 % 60, of_day % 60];
    let fraction = milliseconds % 1000;
    (year <= 9999).then(|| {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
    })
}

/// Days since 1970. Years begin in March, so that the leap day is the last (Howard Hinnant's `days_from_civil`).
fn days([year, month, day]: [i64; 3]) -> i64 {
    let year = year - i64::from(month <= 2);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_1970
}

/// Year, month and day of a day since 1970 (`civil_from_days`).
fn date(days: i64) -> [i64; 3] {
    let days = days + TO_1970;
    let of_era = days.rem_euclid(ERA);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    [
        days.div_euclid(ERA) * 400 + year + i64::from(month <= 2),
        month,
        day,
    ]
}

/// Numbers of so many digits each.
fn fields(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        *number = parse(parts.next().filter(|part| part.len() == digits)?)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// `Z`, `+02:00`, `-07:00`, in seconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, clock) = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", clock) => (1, clock),
        (_, clock) => (-1, clock),
    };
    let (hours, minutes) = clock.split_once(':')?;
    let is_clock = hours.len() == 2 && minutes.len() == 2;
    let (hours, minutes) = (parse(hours)?, parse(minutes)?);
    (is_clock && hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn milliseconds(fraction: &str) -> Option<i64> {
    parse(fraction)?;
    parse(&format!("{fraction:0<3}")[..3]) // digits, says `parse`, and three at least
}

fn parse(digits: &str) -> Option<i64> {
    let is_number =
        !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate, SecondsFormat};
    use proptest::prelude::*;

    #[test]
    fn what_rfc_3339_does_not_write_is_refused() {
        for bad in [
            "",
            "2027-02-01",
            "2027-02-30T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-02-01T24:00:00Z",
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
        fn every_day_is_chronos(year in 0i64..10_000, month in 0i64..14, day in 0i64..33, second in 0i64..86_400) {
            let clock = [second / 3600, second / 60 % 60, second % 60];
            let theirs = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)
                .and_then(|date| date.and_hms_opt(clock[0] as u32, clock[1] as u32, clock[2] as u32));
            prop_assert_eq!(seconds([year, month, day], clock), theirs.map(|time| time.and_utc().timestamp()));
        }

        #[test]
        fn a_time_is_written_and_read_as_chrono_does(milliseconds in 0..253_402_300_800_000u64) {
            let theirs = DateTime::from_timestamp_millis(milliseconds as i64).unwrap();
            let text = to_iso8601(milliseconds).unwrap();
            prop_assert_eq!(&text, &theirs.to_rfc3339_opts(SecondsFormat::Millis, true));
            prop_assert_eq!(from_rfc3339(&text), Some(milliseconds as i64));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), near in "[0-9TZ:.+ -]{0,32}") {
            from_rfc3339(&text);
            from_rfc3339(&near);
        }
    }

    #[test]
    fn behind_the_year_9999_nothing_is_written() {
        assert_eq!(to_iso8601(253_402_300_800_000), None);
        assert_eq!(to_iso8601(u64::MAX), None);
    }
}
