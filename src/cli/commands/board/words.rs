//! Numbers, times and the Worker's words as people read them.

use maud::{Markup, html};

use crate::remote::forecast::Forecast;
use crate::terminal::time::{from_now, moment};

/// `12,408`.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 cookie`, `2 cookies`.
pub fn counted(count: u64, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {one}{s}", number(count))
}

/// `98.1 %`; never 100 % or 0 % of what is not all or nothing.
pub fn percent(share: f64) -> String {
    let text = format!("{:.1} %", share * 100.0);
    match text.as_str() {
        "100.0 %" if share < 1.0 => "over 99.9 %".to_owned(),
        "0.0 %" if share > 0.0 => "under 0.1 %".to_owned(),
        "100.0 %" => "100 %".to_owned(),
        "0.0 %" => "0 %".to_owned(),
        _ => text,
    }
}

/// A moment in Unix seconds, for people and for programs.
pub fn time(seconds: u64) -> Markup {
    html! { time datetime=(machine_time(seconds)) { (moment(seconds)) } }
}

/// The same for programs alone: `2027-02-01T00:00Z`.
pub fn machine_time(seconds: u64) -> String {
    moment(seconds).replace(' ', "T").replace("TUTC", "Z")
}

/// The same with how far it is from now.
pub fn time_from_now(seconds: u64, now: u64) -> Markup {
    html! { (time(seconds)) ", " (from_now(seconds, now)) }
}

/// `2027-02-01`.
pub fn day(seconds: u64) -> String {
    moment(seconds).chars().take(10).collect()
}

/// `2027-02-01 14:00`.
pub fn hour(seconds: u64) -> String {
    moment(seconds).chars().take(16).collect()
}

/// What is to be expected of an old key.
pub fn forecast(forecast: &Forecast) -> String {
    match *forecast {
        Forecast::Unused { days } => format!("It opened nothing on the last {days} complete days."),
        Forecast::Ends {
            by,
            earliest,
            latest,
            days,
        } => {
            let latest = latest.map_or("open end".to_owned(), day);
            format!(
                "At the rate of the last {days} days it opens none from {} on (range {} to {latest}).",
                day(by),
                day(earliest)
            )
        }
        Forecast::NotFalling { days } => {
            format!("No end in sight: over the last {days} days its uses did not clearly fall.")
        }
        Forecast::TooFewDays { days, needed } => format!(
            "Too early to say when none will: {days} of {needed} complete days since it was replaced."
        ),
        Forecast::TooFewUses { uses, needed } => format!(
            "Too few to say when none will: {} in two weeks, and a rate needs {needed}.",
            counted(uses, "cookie")
        ),
    }
}

/// What a mode does with traffic.
pub fn mode(mode: &str) -> &'static str {
    match mode {
        "enforce" => "what does not verify is refused",
        "observe" => "it verifies and reports, and changes nothing",
        "mixed" => "some rules only observe",
        "refused" => "the configuration is wrong, and every request gets 503",
        "unchecked" => "the configuration is wrong, and traffic passes unchecked",
        _ => "",
    }
}

/// What a verdict means; nothing for one that this release does not know.
pub fn verdict(verdict: &str) -> &'static str {
    match verdict {
        "bad-signature" => "the shape fits, no key made the signature",
        "expired" => "older than max_age, or past its own expiry",
        "not-yet-valid" => "signed for a time ahead of the clock",
        "malformed" => "no format's shape",
        "too-long" => "over the bounds, or dropped by browsers",
        "duplicate-dropped" => "an unverified copy beside a verified one",
        "look-alike" => "a spelling that a server might misread",
        "origin-unverified" => "the site set a cookie that none of its keys made",
        "attributes-differ" => "the site sets the cookie otherwise than attributes says",
        _ => "",
    }
}

/// What a reason for not sending an upgrade means.
pub fn withheld(reason: &str) -> &'static str {
    match reason {
        "never" => "upgrade = \"never\"",
        "not-navigation" => "the request opened no page: a script, an image, a service worker",
        "duplicate" => "several cookies of that name verified",
        "response-sets-cookie" => "the site sets or deletes the cookie itself",
        "clear-site-data" => "the response clears the browser's data",
        "status" => "the status is 1xx, 206 or 304",
        "late" => "the response took over 2 s",
        "superseded" => "another response has set or deleted the cookie meanwhile",
        "cacheable" => "a shared cache may store the response",
        "attributes-differ" => "the site sets the cookie otherwise than attributes says",
        "outlived" => "nothing is left of the Max-Age",
        "uncarriable" => "the format cannot write the payload",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_as_people_write_them() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(12_345_678), "12,345,678");
        assert_eq!(counted(1, "cookie"), "1 cookie");
        assert_eq!(percent(0.981), "98.1 %");
        assert_eq!(percent(0.99999), "over 99.9 %");
        assert_eq!(percent(0.00001), "under 0.1 %");
        assert_eq!((percent(1.0), percent(0.0)), ("100 %".into(), "0 %".into()));
        let text = time(1_801_440_000).into_string();
        assert_eq!(
            text,
            "<time datetime=\"2027-02-01T00:00Z\">2027-02-01 00:00 UTC</time>"
        );
    }
}
