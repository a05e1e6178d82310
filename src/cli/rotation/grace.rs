//! How long a key or a format that has been replaced still opens.

use chrono::DateTime;
use countersign_core::config::Policy;

use crate::terminal::answer::Failure;
use crate::terminal::time;

/// The time of grace in seconds: what is given, or the longest that a session of these rules may live.
///
/// # Errors
/// Nothing is given, and no rule tells.
pub fn seconds(given: Option<u64>, policy: &Policy, rules: &[String]) -> Result<u64, Failure> {
    let of = policy
        .rules
        .iter()
        .filter(|rule| rules.contains(&rule.spec.name));
    let lives = of.filter_map(|rule| {
        let spec = &rule.spec;
        spec.max_age
            .or_else(|| max_age(spec.attributes.as_deref().unwrap_or_default()))
    });
    given.or_else(|| lives.max()).ok_or_else(|| {
        Failure::usage("it is not known how long a session may live: no rule has a max_age")
            .hint("name it: --grace 14d")
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

/// What to say of a time of grace that the full hour makes much longer than what was given.
pub fn note(given: Option<u64>, now: u64, until: &str) -> Option<String> {
    let seconds = given?;
    let end = time::read(until)?;
    let added = end.saturating_sub(now.saturating_add(seconds));
    (added > seconds / 10).then(|| {
        format!(
            "--grace ends at a full hour: until {until}, {} from now",
            time::span(end - now)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_grace_ends_on_a_full_hour() {
        assert_eq!(until(1_801_440_001, 3_600), "2027-02-01T02:00:00Z");
        assert_eq!(until(1_801_440_000, 3_600), "2027-02-01T01:00:00Z");
        assert_eq!(max_age("Path=/; Max-Age=60"), Some(60));
    }

    #[test]
    fn a_minute_that_becomes_an_hour_is_told() {
        let now = 1_801_440_001;
        let of = |seconds| note(Some(seconds), now, &until(now, seconds));
        let said = of(60).unwrap_or_default();
        assert_eq!(
            said,
            "--grace ends at a full hour: until 2027-02-01T01:00:00Z, 59 minutes from now"
        );
        assert_eq!(of(1_209_600), None);
        assert_eq!(note(None, now, &until(now, 60)), None);
    }
}
