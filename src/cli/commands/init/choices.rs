//! What was chosen on the command line, so that it is not asked for.

use std::path::PathBuf;

use url::Url;
use zeroize::Zeroizing;

use super::proof::Wanted;
use crate::terminal::answer::Failure;

/// The answers that are known before any question.
#[derive(Default)]
pub struct Choices {
    /// The names of the cookies to manage; none where they are to be asked for.
    pub cookies: Vec<String>,
    /// The names of unsigned ones to wrap.
    pub wrapped: Vec<String>,
    pub wanted: Wanted,
    pub key: Option<Zeroizing<String>>,
    /// The name of the secret.
    pub secret: Option<String>,
    /// The name of the Worker.
    pub worker: Option<String>,
    pub folder: Option<PathBuf>,
}

impl Choices {
    /// Whether cookies were named.
    pub fn has_cookies(&self) -> bool {
        !self.cookies.is_empty() || !self.wrapped.is_empty()
    }
}

/// The address of a page. Without a scheme it is http for this machine, and https for any other.
///
/// # Errors
/// It is no address of a page.
pub fn address(text: &str) -> Result<Url, Failure> {
    let text = text.trim();
    let no_address = |why: &str| {
        Failure::usage(format!("not the address of a site: {why}")).hint(
            "write it as a browser shows it: https://www.example.com, or http://127.0.0.1:5000",
        )
    };
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        let host = text.split(['/', ':']).next().unwrap_or_default();
        let is_here = host == "localhost" || host.starts_with("127.");
        let scheme = if is_here { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{text}"))
    };
    let mut url = url.map_err(|why| no_address(&why.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(no_address("expected http:// or https://"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The name that a Worker gets unless another is chosen: that of the site, or of the folder for a site on this machine.
pub fn worker_name(site: Option<&Url>, folder: &str) -> String {
    let host = site
        .filter(|site| !crate::project::site::is_loopback(site))
        .and_then(Url::host_str);
    let of = host.map_or(folder, |host| host.strip_prefix("www.").unwrap_or(host));
    let letters = of.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    });
    let name: String = letters.collect();
    let name = name
        .trim_matches('-')
        .strip_prefix("countersign")
        .unwrap_or(name.trim_matches('-'));
    // wrangler takes at most 63 characters
    let name: String = format!("countersign-{}", name.trim_matches('-'))
        .chars()
        .take(63)
        .collect();
    name.trim_end_matches('-').to_owned()
}

/// The zone of a host, as far as its name tells: its last two labels, or three below such as co.uk.
pub fn zone(host: &str) -> String {
    let labels: Vec<&str> = host.split('.').collect();
    let is_second =
        |label: &str| ["co", "com", "org", "net", "gov", "ac", "edu", "ne", "or"].contains(&label);
    let count = match labels.as_slice() {
        [.., second, top] if top.len() == 2 && is_second(second) => 3,
        _ => 2,
    };
    let from = labels.len().saturating_sub(count);
    labels.get(from..).unwrap_or_default().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, expected) in [
            ("www.example.com", "https://www.example.com/"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
            ("127.0.0.1:5000/login", "http://127.0.0.1:5000/login"),
            ("localhost:3000", "http://localhost:3000/"),
            ("https://example.com/a#b", "https://example.com/a"),
        ] {
            assert_eq!(address(text).unwrap().as_str(), expected, "{text}");
        }
        for text in [
            "",
            "ftp://example.com",
            "https://",
            "a b",
            "file:///etc/passwd",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_worker_is_named_after_its_site_or_its_folder() {
        let name = |site: &str, folder: &str| worker_name(Some(&Url::parse(site).unwrap()), folder);
        assert_eq!(
            name("https://www.example.com/", "x"),
            "countersign-example-com"
        );
        assert_eq!(
            name("http://127.0.0.1:5000/", "My Shop"),
            "countersign-my-shop"
        );
        assert_eq!(
            name("http://127.0.0.1:5000/", "countersign-shop"),
            "countersign-shop"
        );
        assert_eq!(name("http://127.0.0.1:5000/", "…"), "countersign");
        assert_eq!(
            name(&format!("https://{}.example.com", "a".repeat(60)), "x").len(),
            63
        );
    }

    #[test]
    fn a_zone_is_guessed_by_the_name_of_the_host() {
        for (host, expected) in [
            ("www.example.com", "example.com"),
            ("example.com", "example.com"),
            ("shop.example.co.uk", "example.co.uk"),
            ("a.b.example.de", "example.de"),
        ] {
            assert_eq!(zone(host), expected);
        }
    }
}
