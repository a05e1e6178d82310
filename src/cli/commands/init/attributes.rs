//! The attributes that a site sets a cookie with, as a rule writes them.

use countersign_core::wire::cookie::{Attributes, pairs, trimmed};
use url::Url;

use super::lifetime;

/// How a site was seen to set a cookie.
#[derive(Clone)]
pub struct Seen {
    /// As a rule has them: with a Path, and a Max-Age in the place of Expires.
    pub attributes: String,
    /// Whether a Max-Age was made of Expires.
    pub has_made_max_age: bool,
}

/// What a Set-Cookie says behind the pair. What is no attribute that browsers read is left out, as is what a terminal
/// obeys.
pub fn seen_attributes(header: &str, url: Option<&Url>, date_s: Option<i64>, now_s: u64) -> Seen {
    let behind = header.split_once(';').map_or("", |(_, behind)| behind);
    let parsed = Attributes::parse(behind);
    let parts = pairs(behind).map(trimmed);
    let parts = parts.filter(|part| is_kept(part) && part.len() < LONGEST);
    let mut parts: Vec<String> = parts.map(str::to_owned).collect();
    if parsed.path.is_none() {
        parts.retain(|part| !is(part, "path"));
        parts.push(format!("Path={}", default_path(url)));
    }
    let made = match (parsed.max_age, parsed.expires) {
        (None, Some(expires)) => lifetime::max_age(expires, date_s, now_s),
        _ => None,
    };
    parts.extend(made.map(|seconds| format!("Max-Age={seconds}")));
    Seen {
        attributes: parts.join("; "),
        has_made_max_age: made.is_some(),
    }
}

/// What sites set a session with most often, where it was not seen.
pub fn usual_attributes(is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!("Path=/; HttpOnly{secure}; SameSite=Lax")
}

/// The longest attribute that is kept, in bytes: browsers ignore those over 1,024 (RFC 6265bis, section 5.6).
const LONGEST: usize = 1_024;

const KEPT: [&str; 8] = [
    "path",
    "domain",
    "secure",
    "httponly",
    "samesite",
    "partitioned",
    "max-age",
    "priority",
];

fn is_kept(part: &str) -> bool {
    let is_text = part.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    is_text && KEPT.iter().any(|known| is(part, known))
}

fn is(part: &str, name: &str) -> bool {
    let own = part.split('=').next().unwrap_or_default();
    trimmed(own).eq_ignore_ascii_case(name)
}

/// Where a browser keeps a cookie without a Path: the folder of the page (RFC 6265, section 5.1.4).
fn default_path(url: Option<&Url>) -> String {
    let path = url.map_or("/", Url::path);
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => path.get(..end).unwrap_or("/").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(header: &str) -> String {
        let url = Url::parse("https://example.com/account/login").unwrap();
        seen_attributes(header, Some(&url), Some(1_796_046_189), 0).attributes
    }

    #[test]
    fn the_sites_own_attributes_become_those_of_a_rule() {
        for (header, expected) in [
            (
                "a=b; Path=/; HttpOnly; SameSite=Lax",
                "Path=/; HttpOnly; SameSite=Lax",
            ),
            (
                "a=b; expires=Mon, 30 Nov 2026 14:43:08 GMT; path=/; HttpOnly",
                "path=/; HttpOnly; Max-Age=3600",
            ),
            (
                "a=b; Expires=Mon, 30 Nov 2026 14:43:08 GMT; Max-Age=60; Path=/",
                "Max-Age=60; Path=/",
            ),
            ("a=b", "Path=/account"),
            ("a=b; Path=relative; Secure", "Secure; Path=/account"),
            (
                "a=b; Path=/; \u{1b}[2J; Domain=\u{202e}x; foo=bar; Priority=High",
                "Path=/; Priority=High",
            ),
        ] {
            assert_eq!(seen(header), expected, "{header}");
        }
    }
}
