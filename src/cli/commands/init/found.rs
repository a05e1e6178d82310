//! The cookies of a site: what of them was seen, and what each may be.

use countersign_core::formats::{FittingShape, PAIR, fitting_shapes};
use countersign_core::wire::chunks::Chunks;
use countersign_core::wire::cookie::{Attributes, SetCookie, pair_value, pairs, trimmed};
use url::Url;

use super::attributes::{Seen, seen_attributes};
use super::exchange::Exchange;
use super::lifetime;
use crate::project::copied_cookies::is_copied;

/// A cookie of a site. It has no `Debug`: its value is as good as a password.
pub struct FoundCookie {
    pub name: String,
    /// As a browser shows it, its pieces joined; of a pair `VALUE;SIGNATURE`.
    pub value: String,
    /// How the site sets it; none where that was not seen.
    pub seen: Option<Seen>,
    /// The formats that it has the shape of.
    pub shapes: Vec<FittingShape>,
    /// Whose way of writing it in pieces was seen.
    pub chunks: Option<Chunks>,
}

/// What becomes of a cookie unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// It looks signed.
    Manage,
    /// It is not signed in a way that is known: it may be wrapped.
    Unsigned,
    /// It must be left to the site, for this reason.
    Leave(&'static str),
}

impl FoundCookie {
    pub fn suggestion(&self) -> Suggestion {
        let lower = self.name.to_ascii_lowercase();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.starts_with(prefix));
        if is_copied(&self.name) {
            Suggestion::Leave(
                "page scripts copy it into a header or a form: it is not to be managed",
            )
        } else if starts(&EDGE) {
            Suggestion::Leave("a proxy's or a load balancer's own")
        } else if starts(&ANALYTICS) {
            Suggestion::Leave("analytics, written by page scripts")
        } else if self.shapes.is_empty() {
            Suggestion::Unsigned
        } else {
            Suggestion::Manage
        }
    }
}

/// How cookies begin that a proxy sets, in lower case.
const EDGE: [&str; 8] = [
    "__cf",
    "_cfuvid",
    "cf_",
    "awsalb",
    "arraffinity",
    "__ddg",
    "incap_ses",
    "visid_incap",
];
/// How cookies begin that analytics set.
const ANALYTICS: [&str; 8] = [
    "_ga", "_gid", "_gcl", "_fbp", "_hj", "_pk_", "_clck", "_clsk",
];

/// A cookie as the exchanges have it.
struct RawCookie {
    name: String,
    value: String,
    seen: Option<Seen>,
}

/// The cookies that a site has set or a browser has shown it, the latest value of each; other sites' exchanges do
/// not count.
pub fn gather(exchanges: &[Exchange], site: Option<&Url>, now_s: u64) -> Vec<FoundCookie> {
    let mut raw: Vec<RawCookie> = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| is_of(exchange, site)) {
        for pair in exchange.cookies.iter().flat_map(|header| pairs(header)) {
            take_shown(&mut raw, pair);
        }
        let date_s = exchange.date.as_deref().and_then(lifetime::date);
        for header in &exchange.set_cookies {
            take_set(&mut raw, header, exchange.url.as_ref(), date_s, now_s);
        }
    }
    joined(raw)
}

/// Whether an exchange was with the site: with its host, with one below it, or above it.
fn is_of(exchange: &Exchange, site: Option<&Url>) -> bool {
    let (Some(url), Some(site)) = (&exchange.url, site) else {
        return true;
    };
    let (Some(one), Some(other)) = (url.host_str(), site.host_str()) else {
        return true;
    };
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    let (one, other) = (bare(one), bare(other));
    one == other || one.ends_with(&format!(".{other}")) || other.ends_with(&format!(".{one}"))
}

fn take_shown(raw: &mut Vec<RawCookie>, pair: &str) {
    let Some((name, _)) = pair
        .split_once('=')
        .filter(|(name, _)| is_name(trimmed(name)))
    else {
        return;
    };
    let (name, value) = (trimmed(name), pair_value(pair));
    if !is_value(value) {
        return;
    }
    take(raw, name, value, None);
}

/// The latest value counts, and the latest attributes that were seen.
fn take(raw: &mut Vec<RawCookie>, name: &str, value: &str, seen: Option<Seen>) {
    if let Some(known) = raw.iter_mut().find(|cookie| cookie.name == name) {
        value.clone_into(&mut known.value);
        known.seen = seen.or_else(|| known.seen.take());
    } else if raw.len() < MOST {
        raw.push(RawCookie {
            name: name.to_owned(),
            value: value.to_owned(),
            seen,
        });
    }
}

fn take_set(
    raw: &mut Vec<RawCookie>,
    header: &str,
    url: Option<&Url>,
    date_s: Option<i64>,
    now_s: u64,
) {
    let Some(set) = SetCookie::parse(header).filter(|set| is_name(set.name) && is_value(set.value))
    else {
        return;
    };
    let moment = date_s
        .and_then(|date| u64::try_from(date).ok())
        .unwrap_or(now_s);
    if set.is_deletion(moment) {
        raw.retain(|cookie| cookie.name != set.name);
        return;
    }
    let seen = seen_attributes(header, url, date_s, now_s);
    take(raw, set.name, set.value, Some(seen));
}

/// More cookies than any browser keeps for a site (RFC 6265, section 6.1, asks for 50).
const MOST: usize = 200;

/// What a rule may name, as the configuration has it: a token (RFC 6265), which holds nothing that a terminal obeys.
fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    has_letter && !name.starts_with('$') && name.len() <= 128 && name.bytes().all(is_token)
}

fn is_value(value: &str) -> bool {
    value.len() <= 16_384 && !value.chars().any(char::is_control)
}

/// The cookies with their signatures and their pieces.
fn joined(raw: Vec<RawCookie>) -> Vec<FoundCookie> {
    let header: Vec<String> = raw
        .iter()
        .map(|cookie| format!("{}={}", cookie.name, cookie.value))
        .collect();
    let header = header.join("; ");
    let has = |name: &str| raw.iter().any(|cookie| cookie.name == name);
    let value_of = |name: &str| {
        let mut named = raw.iter().filter(|cookie| cookie.name == name);
        named.next().map(|cookie| cookie.value.as_str())
    };
    let mut found: Vec<FoundCookie> = Vec::new();
    for cookie in &raw {
        let is_signature = cookie.name.strip_suffix(".sig").is_some_and(has);
        if is_signature {
            continue;
        }
        if let Some((chunks, name)) = piece_of(cookie) {
            // the first piece stands for all
            if let Some(value) = chunks.join(&name, &header) {
                found.push(found_cookie(name, value, cookie.seen.clone(), Some(chunks)));
            }
            continue;
        }
        let signature = value_of(&format!("{}.sig", cookie.name));
        let signature = signature.map_or(String::new(), |signature| format!("{PAIR}{signature}"));
        let value = format!("{}{signature}", cookie.value);
        found.push(found_cookie(
            cookie.name.clone(),
            value,
            cookie.seen.clone(),
            None,
        ));
    }
    found.retain(|cookie| !is_later_piece(&cookie.name, &header));
    found
}

fn found_cookie(
    name: String,
    value: String,
    seen: Option<Seen>,
    chunks: Option<Chunks>,
) -> FoundCookie {
    let shapes = fitting_shapes(&name, &value);
    FoundCookie {
        chunks: chunks.or_else(|| usual_chunks(&name)),
        name,
        value,
        seen,
        shapes,
    }
}

/// Of a cookie that is the first piece of another, or the head of its pieces: whose way it is, and the other's name.
fn piece_of(cookie: &RawCookie) -> Option<(Chunks, String)> {
    if Chunks::H3.marked(&cookie.value).is_some() {
        return Some((Chunks::H3, cookie.name.clone()));
    }
    let whole = cookie.name.strip_suffix(".0")?;
    Some((usual_chunks(whole)?, whole.to_owned()))
}

/// Whose way a cookie of this name is written in pieces, where its value is long.
fn usual_chunks(name: &str) -> Option<Chunks> {
    if name.ends_with("authjs.session-token") || name.ends_with("next-auth.session-token") {
        Some(Chunks::AuthJs)
    } else if name.starts_with("sb-") && name.ends_with("-auth-token") {
        Some(Chunks::Supabase)
    } else {
        None
    }
}

/// Whether a cookie is a further piece of another that was seen: `NAME.1` beside `NAME.0`, or behind h3's marker.
fn is_later_piece(name: &str, header: &str) -> bool {
    let Some((whole, number)) = name.rsplit_once('.') else {
        return false;
    };
    let is_number = number.parse::<usize>().is_ok_and(|number| number > 0);
    let joins = |chunks: Chunks| chunks.join(whole, header).is_some();
    is_number && (joins(Chunks::H3) || usual_chunks(whole).is_some_and(joins))
}

/// How long a cookie lasts by itself, in seconds; none where it ends with the browser.
pub fn own_lifetime(attributes: &str) -> Option<u64> {
    let max_age = Attributes::parse(attributes).max_age?;
    u64::try_from(max_age).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_796_046_189;

    fn found(set_cookies: &[&str], cookies: Option<&str>) -> Vec<FoundCookie> {
        let exchange = Exchange {
            set_cookies: set_cookies.iter().map(|text| (*text).to_owned()).collect(),
            cookies: cookies.map(str::to_owned),
            ..Exchange::default()
        };
        gather(&[exchange], None, NOW)
    }

    fn names(found: &[FoundCookie]) -> Vec<&str> {
        found.iter().map(|cookie| cookie.name.as_str()).collect()
    }

    #[test]
    fn the_latest_value_counts_and_a_deletion_is_none() {
        let cookies = found(
            &["a=1; Path=/", "b=2", "a=3; Path=/x", "b=; Max-Age=0"],
            Some("c=4"),
        );
        assert_eq!(names(&cookies), ["c", "a"]);
        assert_eq!(cookies[1].value, "3");
        assert!(cookies[0].seen.is_none());
    }

    #[test]
    fn a_pair_is_one_cookie_and_so_are_pieces() {
        let cookies = found(&[], Some("theme=dark; theme.sig=s1gn; other.sig=x"));
        assert_eq!(names(&cookies), ["theme", "other.sig"]);
        assert_eq!(cookies[0].value, "dark;s1gn");
        let pieces = "authjs.session-token.0=ab; authjs.session-token.1=cd; a.1=x";
        let cookies = found(&[], Some(pieces));
        assert_eq!(names(&cookies), ["authjs.session-token", "a.1"]);
        assert_eq!(cookies[0].value, "abcd");
        let cookies = found(&[], Some("h3=__chunked__2; h3.1=ab; h3.2=cd"));
        assert_eq!(names(&cookies), ["h3"]);
        assert_eq!(cookies[0].value, "abcd");
        assert_eq!(cookies[0].chunks, Some(Chunks::H3));
    }

    #[test]
    fn what_no_rule_can_name_and_what_a_terminal_obeys_is_left_out() {
        let long = format!("{}=1", "n".repeat(5_000_000));
        let cookies = found(
            &[
                "\u{1b}[2Ja=1",
                "a\u{202e}b=1",
                "=1",
                "a b=1",
                "é=1",
                "ok=a\u{1b}[1m",
                &long,
                "fine=1",
            ],
            None,
        );
        assert_eq!(names(&cookies), ["fine"]);
        let many: Vec<String> = (0..10_000).map(|number| format!("c{number}=1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(found(&many, None).len(), MOST);
    }

    #[test]
    fn each_cookie_is_suggested_for_what_it_is() {
        let flask = "session=eyJ1IjoxfQ.aTz0aA.Y6UKIppBFuvWaIY4IhHzDaqgPxc";
        let cookies = found(
            &[flask, "XSRF-TOKEN=x", "PHPSESSID=abc", "__cf_bm=x", "_ga=x"],
            None,
        );
        let suggestions: Vec<bool> = cookies
            .iter()
            .map(|cookie| cookie.suggestion() == Suggestion::Manage)
            .collect();
        assert_eq!(suggestions, [true, false, false, false, false]);
        assert_eq!(cookies[2].suggestion(), Suggestion::Unsigned);
    }

    #[test]
    fn other_sites_of_a_har_file_do_not_count() {
        let url = |text: &str| Url::parse(text).unwrap();
        let exchange = |text: &str| Exchange {
            url: Some(url(text)),
            set_cookies: vec!["a=1".to_owned()],
            ..Exchange::default()
        };
        let site = url("https://www.example.com/");
        for (text, counts) in [
            ("https://www.example.com/x", true),
            ("https://example.com/x", true),
            ("https://api.example.com/", true),
            ("https://ads.test/", false),
            ("https://notexample.com/", false),
        ] {
            assert_eq!(
                gather(&[exchange(text)], Some(&site), NOW).len() == 1,
                counts,
                "{text}"
            );
        }
    }
}
