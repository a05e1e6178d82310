//! Asks a site for a page as a visitor does, without any token: which cookies it sets.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Error};
use url::Url;

use crate::project::site;
use crate::remote::http::config;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// A page that a site answered with, without its body.
pub struct Page {
    pub url: Url,
    pub status: u16,
    /// The header `Date`.
    pub date: Option<String>,
    /// Each `Set-Cookie`.
    pub set_cookies: Vec<String>,
    location: Option<String>,
}

/// A page and those that led to it.
pub struct Visit {
    pub pages: Vec<Page>,
    /// The host of another site that the visitor is sent on to, which was not asked.
    pub elsewhere: Option<String>,
}

/// Asks for a page, and follows where the same site leads.
///
/// # Errors
/// The site does not answer, or not in HTTP.
pub fn visit(url: &Url) -> Result<Visit, Failure> {
    let mut pages: Vec<Page> = Vec::new();
    let mut url = url.clone();
    while pages.len() < MOST {
        let page = match get(&url, &shown(&pages)) {
            Ok(page) => page,
            Err(error) if pages.is_empty() => return Err(unreachable(&url, &error)),
            // what the first pages set is known all the same
            Err(_) => break,
        };
        let next = next(&page);
        pages.push(page);
        match next {
            Some(next) if is_same_site(&url, &next) => url = next,
            Some(next) => {
                let elsewhere = next.host_str().map(str::to_owned);
                return Ok(Visit { pages, elsewhere });
            }
            None => break,
        }
    }
    Ok(Visit {
        pages,
        elsewhere: None,
    })
}

/// The most pages that one visit asks for.
const MOST: usize = 8;
/// How long each may take.
const LONGEST: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!(
    "Mozilla/5.0 (compatible; countersign/",
    env!("CARGO_PKG_VERSION"),
    ")"
);

fn get(url: &Url, cookies: &str) -> Result<Page, Error> {
    let agent = Agent::new_with_config(config(url));
    let mut request = agent
        .get(url.as_str())
        .header("user-agent", USER_AGENT)
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    if !cookies.is_empty() {
        request = request.header("cookie", cookies);
    }
    let response = request
        .config()
        .timeout_global(Some(LONGEST))
        .build()
        .call()?;
    Ok(page(url, &response))
}

fn page(url: &Url, response: &Response<Body>) -> Page {
    let headers = response.headers();
    Page {
        url: url.clone(),
        status: response.status().as_u16(),
        date: texts(headers, "date").pop(),
        set_cookies: texts(headers, "set-cookie"),
        location: texts(headers, "location").pop(),
    }
}

fn texts(headers: &HeaderMap, name: &str) -> Vec<String> {
    let values = headers.get_all(name).iter();
    let text = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    text.collect()
}

/// What a browser would show by now: some sites set a cookie and lead back to see whether it comes.
fn shown(pages: &[Page]) -> String {
    let set = pages.iter().flat_map(|page| &page.set_cookies);
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for set_cookie in set {
        let pair = set_cookie.split(';').next().unwrap_or_default().trim();
        let Some((name, _)) = pair.split_once('=') else {
            continue;
        };
        if pair.bytes().all(|byte| byte.is_ascii_graphic()) {
            pairs.retain(|(known, _)| *known != name);
            pairs.push((name, pair));
        }
    }
    let pairs: Vec<&str> = pairs.into_iter().map(|(_, pair)| pair).collect();
    pairs.join("; ")
}

fn next(page: &Page) -> Option<Url> {
    let leads_on = matches!(page.status, 301 | 302 | 303 | 307 | 308);
    let location = page.location.as_ref().filter(|_| leads_on)?;
    let next = page.url.join(location).ok()?;
    matches!(next.scheme(), "http" | "https").then_some(next)
}

/// Whether it is the same host, with or without `www.`, and the encryption is not left.
fn is_same_site(from: &Url, to: &Url) -> bool {
    let host = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    };
    let is_downgrade = from.scheme() == "https" && to.scheme() == "http" && !site::is_loopback(to);
    host(from) == host(to) && !is_downgrade
}

fn unreachable(url: &Url, error: &Error) -> Failure {
    let why = match error {
        Error::HostNotFound => NO_HOST.to_owned(),
        // what the system says of a name has no kind of its own
        Error::Io(error) if error.to_string().contains("lookup address") => NO_HOST.to_owned(),
        Error::Timeout(_) => format!("it did not answer within {} s", LONGEST.as_secs()),
        Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            "nothing answers there; is the site running?".to_owned()
        }
        other => harmless::line(&other.to_string()),
    };
    Failure::unreachable(format!("{} cannot be asked: {why}", address(url))).hint(
        "or hand over what it answered: curl -si URL | countersign init --from -, or a HAR file that a browser exported",
    )
}

const NO_HOST: &str = "there is no such host";

/// An address without what may be secret in it.
pub fn address(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_the_same_site_is_followed_and_never_out_of_encryption() {
        for (from, to, is_same) in [
            ("http://example.com/", "https://www.example.com/x", true),
            (
                "http://127.0.0.1:5000/",
                "http://127.0.0.1:5000/login",
                true,
            ),
            ("https://example.com/", "http://example.com/", false),
            ("https://example.com/", "https://sso.example.com/", false),
            (
                "https://example.com/",
                "https://example.com.evil.test/",
                false,
            ),
        ] {
            assert_eq!(is_same_site(&url(from), &url(to)), is_same, "{from} {to}");
        }
    }

    #[test]
    fn an_address_is_shown_without_passwords_and_queries() {
        let shown = address(&url("https://ada:secret@example.com/a?token=1#x"));
        assert_eq!(shown, "https://example.com/a");
    }
}
