//! The address of a site, and where a token may be sent.

use std::fmt;

use url::{Host, Url};

use crate::terminal::answer::Failure;

/// A site: a scheme, a host and a port, and nothing else.
#[derive(Clone)]
pub struct Site(Url);

impl Site {
    /// Reads what is given as `--url` or COUNTERSIGN_URL. Without a scheme it is https.
    ///
    /// # Errors
    /// It is no site, or one to which the token would go without encryption.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        };
        let no_site = |why: &str| {
            Failure::usage(format!("--url: {why}")).hint(
                "name the site alone: --url https://www.example.com (COUNTERSIGN_URL likewise)",
            )
        };
        let url = url.map_err(|why| no_site(&format!("not the address of a site: {why}")))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(no_site("expected https://"));
        }
        if let Some(part) = beside_the_site(&url) {
            return Err(no_site(&format!("expected a site alone, found {part}")));
        }
        if may_carry_a_token(&url) {
            return Ok(Self(url));
        }
        Err(
            Failure::usage("--url: the token would be sent without encryption")
                .hint("write https://"),
        )
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.0)
    }

    /// A path of the site.
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

/// What an address has that names no site.
fn beside_the_site(url: &Url) -> Option<&'static str> {
    let has_user = !url.username().is_empty() || url.password().is_some();
    let parts = [
        (has_user, "a user name or a password"),
        (!matches!(url.path(), "" | "/"), "a path"),
        (url.query().is_some(), "a query"),
        (url.fragment().is_some(), "a fragment"),
    ];
    let found = parts.into_iter().find(|(is_there, _)| *is_there);
    found.map(|(_, part)| part)
}

/// Whether a token may be sent there: encrypted, or to this machine.
pub fn may_carry_a_token(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Whether the host is this machine, as the URL standard reads it.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, bool), String> {
        let site = Site::parse(text).map_err(|failure| failure.to_string().to_owned())?;
        Ok((site.to_string(), site.is_local()))
    }

    #[test]
    fn a_site_is_a_scheme_a_host_and_a_port() {
        for (text, site, is_local) in [
            ("https://www.example.com", "https://www.example.com", false),
            ("https://www.example.com/", "https://www.example.com", false),
            ("WWW.example.com", "https://www.example.com", false),
            (
                "www.example.com:8443",
                "https://www.example.com:8443",
                false,
            ),
            ("https://example.com:443", "https://example.com", false),
            ("http://localhost:8787/", "http://localhost:8787", true),
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787", true),
            ("http://[::1]:8787", "http://[::1]:8787", true),
            ("https://localhost:8787", "https://localhost:8787", true),
        ] {
            assert_eq!(parse(text), Ok((site.to_owned(), is_local)), "{text}");
        }
    }

    #[test]
    fn what_is_more_than_a_site_is_refused() {
        for (text, part) in [
            ("https://www.example.com/.well-known/countersign", "a path"),
            ("https://www.example.com//", "a path"),
            ("www.example.com/app", "a path"),
            ("https://www.example.com?x", "a query"),
            ("https://www.example.com/#x", "a fragment"),
            ("https://www.example.com#", "a fragment"),
            ("https://user@www.example.com", "a user name"),
            ("https://:secret@www.example.com", "a user name"),
            ("http://localhost:80@otherhost/", "a user name"),
            ("http://127.0.0.1@otherhost", "a user name"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
        for text in [
            "",
            "https://",
            "ftp://www.example.com",
            "file:///etc",
            "https://a b",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_goes_without_encryption_to_this_machine_alone() {
        for text in [
            "http://www.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.",
            "http://10.0.0.1",
            "http://0.0.0.0:8787",
            "http://[::ffff:10.0.0.1]",
            "http://localhost\\@otherhost",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        // the parser reads these as every browser does
        assert!(parse("http://0x7f.1:8787").unwrap().1);
        assert!(parse("http://127.1").unwrap().1);
    }
}
