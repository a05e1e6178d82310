//! How long a key or a format that has been replaced still opens.

use chrono::DateTime;
use countersign_core::config::Policy;

use crate::answer::Failure;

/// Reads `14d`, `36h`, `90m`, `2w`, or a number of seconds.
///
/// # Errors
/// For the command line.
pub fn duration(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err("write a number and s, m, h, d or w, such as 14d".to_owned()),
    };
    let number: Option<u64> = digits.parse().ok();
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds.ok_or_else(|| "write a number and s, m, h, d or w, such as 14d".to_owned())
}

/// The time of grace in seconds: what is said, or the longest that a session of these rules may live.
///
/// # Errors
/// Nothing is said, and no rule tells.
pub fn seconds(said: Option<u64>, policy: &Policy, rules: &[String]) -> Result<u64, Failure> {
    let of = policy
        .rules
        .iter()
        .filter(|rule| rules.contains(&rule.spec.name));
    let lives = of.filter_map(|rule| {
        let spec = &rule.spec;
        spec.max_age
            .or_else(|| max_age(spec.attributes.as_deref().unwrap_or_default()))
    });
    said.or_else(|| lives.max()).ok_or_else(|| {
        Failure::usage("it is not known how long a session may live: no rule has a max_age")
            .hint("say it: --grace 14d")
    })
}

/// The browser's own limit.
fn max_age(attributes: &str) -> Option<u64> {
    let mut fields = attributes
        .split(';')
        .filter_map(|field| field.trim().split_once('='));
    let (_, seconds) = fields.find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))?;
    seconds.trim().parse().ok()
}

/// That many seconds from now, as a configuration writes it: up to the next full hour, since the deployment
/// is yet to come.
pub fn until(now: u64, seconds: u64) -> String {
    let end = now
        .saturating_add(seconds)
        .div_ceil(3_600)
        .saturating_mul(3_600);
    let time = i64::try_from(end)
        .ok()
        .and_then(|end| DateTime::from_timestamp(end, 0));
    time.map_or("9999-12-31T00:00:00Z".to_owned(), |time| {
        format!("{time:?}")
    })
}

/// A time as a configuration writes it, in Unix seconds.
pub fn read(text: &str) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    u64::try_from(time.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_grace_is_read_and_ends_on_a_full_hour() {
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
        assert_eq!(until(1_801_440_001, 3_600), "2027-02-01T02:00:00Z");
        assert_eq!(until(1_801_440_000, 3_600), "2027-02-01T01:00:00Z");
        assert_eq!(read("2027-02-01T01:00:00Z"), Some(1_801_443_600));
        assert_eq!(max_age("Path=/; Max-Age=60"), Some(60));
    }
}
