//! How long a cookie lasts: `Expires` as the `Max-Age` that was meant, and what a framework gives a session.

use countersign_core::wire::cookie::Attributes;

/// Seconds between a response and the end of a cookie that it sets, as the site's settings say it. `date_s` is when
/// the response was made; where the response does not say so, it is about `now_s`.
pub fn max_age(expires_s: i64, date_s: Option<i64>, now_s: u64) -> Option<u64> {
    let now = i64::try_from(now_s).ok()?;
    let seconds = expires_s.checked_sub(date_s.unwrap_or(now))?;
    let seconds = u64::try_from(seconds).ok()?;
    let slack = if date_s.is_some() { 5 } else { 600 };
    Some(rounded(seconds, slack)).filter(|seconds| *seconds > 0)
}

/// The time of a header `Date` in Unix seconds.
pub fn date(text: &str) -> Option<i64> {
    Attributes::parse(&format!("Expires={text}")).expires
}

/// The nearest whole number of days, hours or minutes, where it is no more than `slack` seconds away.
fn rounded(seconds: u64, slack: u64) -> u64 {
    let units = [86_400, 3_600, 60];
    let nearest = units.iter().map(|unit| (seconds + unit / 2) / unit * unit);
    let mut near = nearest.filter(|near| *near > 0 && near.abs_diff(seconds) <= slack);
    near.next().unwrap_or(seconds)
}

/// The age in seconds after which a framework refuses what it signed, unless its settings say otherwise; a lifetime
/// of the cookie's own comes first, but for Tornado, whose settings are two.
pub fn default_age(format: &str, own: Option<u64>) -> Option<u64> {
    const DAY: u64 = 86_400;
    let default = match format {
        "flask-session" | "tornado" => 31 * DAY,
        "django-session" | "starlette-session" => 14 * DAY,
        "securecookie" | "authjs" | "nextauth" => 30 * DAY,
        _ => return own,
    };
    match (format, own) {
        ("tornado", Some(own)) => Some(own.max(default)),
        (_, Some(own)) => Some(own),
        (_, None) => Some(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expires_becomes_what_the_settings_say() {
        for (seconds, expected) in [
            (3_599, 3_600),
            (3_600, 3_600),
            (1_209_598, 1_209_600),
            (31_535_999, 31_536_000),
            (1_800, 1_800),
            (86_401, 86_400),
            (1_209_540, 1_209_540),
            (90, 90),
            (5_432, 5_432),
        ] {
            assert_eq!(
                max_age(1_000_000_000 + seconds, Some(1_000_000_000), 0),
                Some(expected as u64)
            );
        }
        assert_eq!(max_age(10, Some(20), 0), None);
        assert_eq!(max_age(1_003_400, None, 1_000_000), Some(3_600));
        assert_eq!(max_age(i64::MAX, None, 0).map(|age| age > 0), Some(true));
        assert_eq!(date("Mon, 30 Nov 2026 13:43:09 GMT"), Some(1_796_046_189));
        assert_eq!(date("yesterday"), None);
    }

    #[test]
    fn a_signed_time_counts_for_as_long_as_the_framework_takes_it() {
        assert_eq!(default_age("flask-session", None), Some(2_678_400));
        assert_eq!(default_age("flask-session", Some(3_600)), Some(3_600));
        assert_eq!(default_age("tornado", Some(2_592_000)), Some(2_678_400));
        assert_eq!(default_age("jwt", None), None);
    }
}
