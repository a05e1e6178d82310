//! The Cookie and Set-Cookie headers (RFC 6265), taken apart so that what is not touched stays byte
//! for byte.

use crate::prelude::*;
use crate::wire::calendar::seconds;
use crate::wire::encoding::{cut_at, place};

/// The pairs of a Cookie header: the texts between semicolons, white space and all.
pub fn pairs(header: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(header);
    core::iter::from_fn(move || {
        let text = rest?;
        let (pair, behind) = match cut_at(text, b';') {
            Some((pair, behind)) => (pair, Some(behind)),
            None => (text, None),
        };
        rest = behind;
        Some(pair)
    })
}

/// The value of a pair without the spaces and tabs around it; empty where there is no `=`.
pub fn pair_value(pair: &str) -> &str {
    cut_at(pair, b'=').map_or("", |(_, value)| trimmed(value))
}

/// A Set-Cookie header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetCookie<'h> {
    header: &'h str,
    /// The name, without white space around it.
    pub name: &'h str,
    /// The value, without white space around it.
    pub value: &'h str,
    /// Everything from the first semicolon on, that included.
    attributes: &'h str,
}

impl<'h> SetCookie<'h> {
    /// Takes a header's text apart; `None` where there is no `=` before the first semicolon.
    pub fn parse(header: &'h str) -> Option<Self> {
        let end = place(header, b';').unwrap_or(header.len());
        let (pair, attributes) = header.split_at(end);
        let (name, value) = cut_at(pair, b'=')?;
        Some(Self {
            header,
            name: trimmed(name),
            value: trimmed(value),
            attributes,
        })
    }

    /// The header with another value; everything before and after the value stays.
    pub fn with_value(&self, value: &str) -> String {
        let end = self.header.len() - self.attributes.len();
        let start = place(self.header, b'=').map_or(end, |at| at + 1);
        let old = &self.header[start..end];
        let lead = old.len() - old.trim_start_matches(SPACE).len();
        let trail = old.trim_start_matches(SPACE).len() - self.value.len();
        [
            &self.header[..start + lead],
            value,
            &old[old.len() - trail..],
            self.attributes,
        ]
        .concat()
    }

    /// The header of another cookie with the same attributes.
    pub fn beside(&self, name: &str, value: &str) -> String {
        [name, "=", value, self.attributes].concat()
    }

    /// Its attributes.
    pub fn attributes(&self) -> Attributes<'h> {
        Attributes::parse(self.attributes.trim_start_matches(';'))
    }

    /// Whether it deletes the cookie: an empty value, `Max-Age` of zero or less, or, without Max-Age,
    /// `Expires` in the past (RFC 6265, section 5.3, step 3). `now` is in Unix seconds.
    pub fn is_deletion(&self, now: u64) -> bool {
        self.is_deletion_by(&self.attributes(), now)
    }

    /// The same, its attributes being known.
    pub fn is_deletion_by(&self, attributes: &Attributes<'_>, now: u64) -> bool {
        attributes.have_ended(now) || self.value.is_empty() || self.value == "\"\""
    }
}

/// Attributes of a Set-Cookie header, as browsers read them: the last of a kind counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    text: &'a str,
    /// `Path`, where it starts with a slash.
    pub path: Option<&'a str>,
    /// `Domain`, without a leading dot; compare it without regard to case.
    pub domain: Option<&'a str>,
    /// Whether `Partitioned` is there.
    pub partitioned: bool,
    /// Whether `Secure` is there.
    pub secure: bool,
    /// Whether `HttpOnly` is there.
    pub http_only: bool,
    /// `SameSite`, where it has one of the three values.
    pub same_site: Option<SameSite>,
    /// `Max-Age` in seconds.
    pub max_age: Option<i64>,
    /// `Expires` in Unix seconds.
    pub expires: Option<i64>,
}

/// With which requests from other sites a cookie is sent. Without one, browsers differ: Chromium takes it for
/// `Lax` with an exception for young cookies, Firefox and Safari for `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With none.
    Strict,
    /// With pages that are opened from there.
    Lax,
    /// With all.
    None,
}

impl SameSite {
    fn parse(text: &str) -> Option<Self> {
        let values = [
            ("strict", Self::Strict),
            ("lax", Self::Lax),
            ("none", Self::None),
        ];
        let mut values = values.into_iter();
        let found = values.find(|(name, _)| text.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

impl<'a> Attributes<'a> {
    /// Reads `Path=/; HttpOnly; …`.
    pub fn parse(text: &'a str) -> Self {
        let mut attributes = Self {
            text,
            ..Self::default()
        };
        for (name, value) in each_attribute(text) {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is("path") {
                attributes.path = value.starts_with('/').then_some(value);
            } else if is("domain") {
                let domain = value.strip_prefix('.').unwrap_or(value);
                attributes.domain = (!domain.is_empty()).then_some(domain);
            } else if is("partitioned") {
                attributes.partitioned = true;
            } else if is("secure") {
                attributes.secure = true;
            } else if is("httponly") {
                attributes.http_only = true;
            } else if is("samesite") {
                attributes.same_site = SameSite::parse(value);
            } else if is("max-age") {
                attributes.max_age = max_age(value).or(attributes.max_age);
            } else if is("expires") {
                attributes.expires = date(value).or(attributes.expires);
            }
        }
        attributes
    }

    /// Whether a browser deletes a cookie with these attributes, whatever its value: `Max-Age` of zero or less,
    /// or, without Max-Age, `Expires` in the past. `now` is in Unix seconds.
    pub fn have_ended(&self, now: u64) -> bool {
        match (self.max_age, self.expires) {
            (Some(max_age), _) => max_age <= 0,
            (None, Some(expires)) => i64::try_from(now).is_ok_and(|now| expires <= now),
            (None, None) => false,
        }
    }

    /// In what a cookie with these attributes, which the origin sets, is another than one with those of an
    /// upgrade.
    pub fn differences(&self, upgrade: &Attributes<'_>) -> impl Iterator<Item = Difference> {
        let all = [
            (Difference::Path, self.path != upgrade.path),
            (Difference::Domain, !self.is_domain_of(upgrade)),
            (
                Difference::Partitioned,
                self.partitioned != upgrade.partitioned,
            ),
            (Difference::Secure, self.secure != upgrade.secure),
            (Difference::HttpOnly, self.http_only != upgrade.http_only),
            (Difference::SameSite, self.same_site != upgrade.same_site),
            (
                Difference::Persistence,
                self.is_persistent() != upgrade.is_persistent(),
            ),
        ];
        all.into_iter()
            .filter_map(|(difference, differs)| differs.then_some(difference))
    }

    /// Whether the cookie outlives the browser's session (RFC 6265, section 5.3, step 3).
    fn is_persistent(&self) -> bool {
        self.max_age.is_some() || self.expires.is_some()
    }

    fn is_domain_of(&self, other: &Attributes<'_>) -> bool {
        match (self.domain, other.domain) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        }
    }

    /// Whether a cookie with these attributes is stored beside one with the others rather than in its
    /// place.
    pub fn differ_in_place(&self, other: &Attributes<'_>) -> bool {
        self.path != other.path || !self.is_domain_of(other)
    }

    /// The Set-Cookie header that sets a cookie with these attributes and this `Max-Age` in place of
    /// their own.
    pub fn set(&self, name: &str, value: &str, max_age: Option<i64>) -> String {
        let mut header = format!("{name}={value}");
        for part in pairs(self.text) {
            let part = trimmed(part);
            let name = trimmed(cut_at(part, b'=').map_or(part, |(name, _)| name));
            let is = |kind: &str| name.eq_ignore_ascii_case(kind);
            match max_age {
                Some(_) if is("max-age") || (is("expires") && max_age <= Some(0)) => {}
                _ if part.is_empty() => {}
                _ => {
                    header.push_str("; ");
                    header.push_str(part);
                }
            }
        }
        if let Some(seconds) = max_age {
            header.push_str(&format!("; Max-Age={seconds}"));
        }
        header
    }

    /// The Set-Cookie header that deletes a cookie with these attributes.
    pub fn deletion(&self, name: &str) -> String {
        self.set(name, "", Some(0))
    }
}

/// In what a cookie that the origin sets is another than one that an upgrade would set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Difference {
    /// `Path`.
    Path,
    /// `Domain`.
    Domain,
    /// `Partitioned`.
    Partitioned,
    /// `Secure`.
    Secure,
    /// `HttpOnly`.
    HttpOnly,
    /// `SameSite`.
    SameSite,
    /// Whether it outlives the browser's session: by `Max-Age` or `Expires`.
    Persistence,
}

impl Difference {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::Path => "path",
            Difference::Domain => "domain",
            Difference::Partitioned => "partitioned",
            Difference::Secure => "secure",
            Difference::HttpOnly => "http-only",
            Difference::SameSite => "same-site",
            Difference::Persistence => "persistence",
        }
    }
}

/// What a Set-Cookie header may say beside name and value.
pub const ATTRIBUTE_NAMES: [&str; 9] = [
    "Path",
    "Domain",
    "Max-Age",
    "Expires",
    "Secure",
    "HttpOnly",
    "SameSite",
    "Partitioned",
    "Priority",
];

/// The white space that may stand around names and values.
pub const SPACE: [char; 2] = [' ', '\t'];

/// A text without [`SPACE`] around it.
pub fn trimmed(text: &str) -> &str {
    let text = trimmed_start(text);
    let trail = text.bytes().rev().take_while(is_space).count();
    &text[..text.len() - trail] // so many bytes are ASCII
}

/// A text without [`SPACE`] before it.
pub fn trimmed_start(text: &str) -> &str {
    let lead = text.bytes().take_while(is_space).count();
    &text[lead..] // so many bytes are ASCII
}

fn is_space(b: &u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// The attributes of a text one by one: name and value, without white space around them.
pub fn each_attribute(text: &str) -> impl Iterator<Item = (&str, &str)> {
    pairs(text).map(|part| {
        let (name, value) = cut_at(part, b'=').unwrap_or((part, ""));
        (trimmed(name), trimmed(value))
    })
}

/// RFC 6265, section 5.2.2: digits, with a minus sign before them perhaps; anything else is ignored.
fn max_age(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse().unwrap_or(i64::MAX); // too many digits: as far away as can be
    Some(if negative { -seconds } else { seconds })
}

/// The cookie-date of RFC 6265, section 5.1.1, which takes nearly any order and separator, in Unix
/// seconds.
fn date(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let is_delimiter = |c: char| !(c.is_ascii_alphanumeric() || c == ':' || !c.is_ascii());
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if time.is_none() && clock(token).is_some() {
            time = clock(token);
        } else if day.is_none() && number(token, 1..=2).is_some() {
            day = number(token, 1..=2);
        } else if month.is_none() && month_of(token).is_some() {
            month = month_of(token);
        } else if year.is_none() {
            year = number(token, 2..=4);
        }
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    (year >= 1601).then_some(())?;
    seconds([year, month?, day?], time?)
}

fn clock(token: &str) -> Option<[u32; 3]> {
    let mut fields = token.splitn(3, ':').map(|field| number(field, 1..=2));
    Some([fields.next()??, fields.next()??, fields.next()??])
}

/// The digits that a token starts with, where there are so many and no letter follows at once.
fn number(token: &str, digits: core::ops::RangeInclusive<usize>) -> Option<u32> {
    let count = token.bytes().take_while(u8::is_ascii_digit).count();
    digits
        .contains(&count)
        .then(|| token[..count].parse().ok())?
}

fn month_of(token: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let start = token.get(..3)?.to_ascii_lowercase();
    (1..)
        .zip(MONTHS)
        .find_map(|(number, month)| (month == start).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn everything_but_the_value_stays() {
        let header = "a = old ;Path=/;  HttpOnly;x=y=z";
        let cookie = SetCookie::parse(header).unwrap();
        assert_eq!((cookie.name, cookie.value), ("a", "old"));
        assert_eq!(cookie.with_value("new"), "a = new ;Path=/;  HttpOnly;x=y=z");
        assert_eq!(SetCookie::parse("a=").unwrap().with_value("n"), "a=n");
        assert_eq!(SetCookie::parse("no pair; a=b"), None);
    }

    #[test]
    fn a_deletion_is_what_browsers_take_for_one() {
        let now = 1_700_000_000;
        for deletion in [
            "a=; Path=/",
            "a=\"\"; Path=/",
            "a=x; Max-Age=0",
            "a=x; max-age=-1",
            "a=x; Max-Age=100; Max-Age=0",
            "a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "a=x; expires=Thu, 01-Jan-1970 00:00:10 GMT",
            "a=x; Expires=Sunday, 06-Nov-94 08:49:37 GMT",
            "a=x; Expires=Sun Nov  6 08:49:37 1994",
        ] {
            assert!(
                SetCookie::parse(deletion).unwrap().is_deletion(now),
                "{deletion}"
            );
        }
        for other in [
            "a=x",
            "a=x; Max-Age=0; Max-Age=100",
            "a=x; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "a=x; Max-Age=soon",
            "a=x; Max-Age=99999999999999999999",
            "a=x; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
            "a=x; Expires=garbage",
        ] {
            assert!(
                !SetCookie::parse(other).unwrap().is_deletion(now),
                "{other}"
            );
        }
    }

    #[test]
    fn attributes_are_read_as_browsers_read_them() {
        let a = Attributes::parse("path=/a; PATH=/; Domain=.Example.com; Partitioned; Max-Age=60");
        assert_eq!(
            (a.path, a.domain, a.partitioned, a.max_age),
            (Some("/"), Some("Example.com"), true, Some(60))
        );
        assert!(!a.differ_in_place(&Attributes::parse("Path=/; domain=example.COM")));
        assert!(a.differ_in_place(&Attributes::parse("Path=/")));
        assert!(a.differ_in_place(&Attributes::parse("Path=/x; Domain=example.com")));
    }

    #[test]
    fn a_cookie_is_set_and_deleted_with_attributes() {
        let a = Attributes::parse("Path=/; HttpOnly; Max-Age=1209600; Secure");
        assert_eq!(
            a.set("s", "v", Some(60)),
            "s=v; Path=/; HttpOnly; Secure; Max-Age=60"
        );
        assert_eq!(
            a.set("s", "v", None),
            "s=v; Path=/; HttpOnly; Max-Age=1209600; Secure"
        );
        assert_eq!(a.deletion("s"), "s=; Path=/; HttpOnly; Secure; Max-Age=0");
    }

    proptest! {
        #[test]
        fn no_header_panics(text in any::<String>()) {
            if let Some(cookie) = SetCookie::parse(&text) {
                cookie.is_deletion(0);
                prop_assert_eq!(cookie.with_value(cookie.value), text.clone());
            }
            Attributes::parse(&text).set("a", "b", Some(1));
            prop_assert!(pairs(&text).eq(text.split(';')));
            pairs(&text).map(pair_value).for_each(drop);
            date(&text);
        }
    }
}
