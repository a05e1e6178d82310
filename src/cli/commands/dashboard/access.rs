//! Who may read the dashboard: the page that was opened by its own one-time address, and no other page of the browser.
//!
//! A browser runs pages of many sites, and any of them can send requests to 127.0.0.1. So a request has to name this
//! server as its host (a rebound name does not), come from no other origin, and show a token that no other page has.

use countersign_core::crypto::equal;
use countersign_core::wire::encoding::base64url;
use zeroize::Zeroizing;

/// How many addresses may wait to be opened, and how many pages may be open.
const MOST: usize = 16;

/// The tokens that are good.
pub struct Access {
    port: u16,
    /// Each good for one exchange.
    one_time: Vec<Zeroizing<String>>,
    /// What open pages hold in memory.
    pages: Vec<Zeroizing<String>>,
}

/// What of a request decides whether it is answered.
#[derive(Clone, Copy, Default)]
pub struct RequestHead<'r> {
    pub method: &'r str,
    pub path: &'r str,
    /// The header Host; none where there is none, or several.
    pub host: Option<&'r str>,
    pub origin: Option<&'r str>,
    /// The header Sec-Fetch-Site.
    pub fetch_site: Option<&'r str>,
    /// The token of the header Authorization.
    pub bearer: Option<&'r str>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The page without any figure: anybody on this machine may have that.
    Page,
    /// A page's token for a one-time token.
    Session,
    /// The figures.
    Board,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not name 127.0.0.1 or localhost and the port.
    WrongHost,
    WrongMethod,
    /// Another site's page has sent it.
    OtherSite,
    NotFound,
    /// It shows no token that is good.
    NoToken,
    /// It shows a one-time token that has been used, or never was one.
    Used,
}

impl Access {
    /// Nobody has access yet.
    pub fn new(port: u16) -> Self {
        Self {
            port,
            one_time: Vec::new(),
            pages: Vec::new(),
        }
    }

    /// A one-time token.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn invite(&mut self) -> Result<Zeroizing<String>, getrandom::Error> {
        let token = random()?;
        keep(&mut self.one_time, token.clone());
        Ok(token)
    }

    /// What a request may have.
    ///
    /// # Errors
    /// Why it may have nothing.
    pub fn judge(&self, request: &RequestHead<'_>) -> Result<Resource, Refusal> {
        let host = request.host.filter(|host| self.is_own(host));
        let host = host.ok_or(Refusal::WrongHost)?;
        if request.method != "GET" {
            return Err(Refusal::WrongMethod);
        }
        let (resource, sites): (_, &[&str]) = match request.path {
            // "none": the address was typed, pasted, or opened by this program
            "/" => (Resource::Page, &["none", "same-origin"]),
            "/session" => (Resource::Session, &["same-origin"]),
            "/board" => (Resource::Board, &["same-origin"]),
            _ => return Err(Refusal::NotFound),
        };
        let origin = format!("http://{host}");
        let is_other = request.origin.is_some_and(|other| other != origin)
            || request
                .fetch_site
                .is_some_and(|site| !sites.contains(&site));
        if is_other {
            return Err(Refusal::OtherSite);
        }
        let shown = request.bearer.unwrap_or_default();
        match resource {
            Resource::Board if !holds(&self.pages, shown) => Err(Refusal::NoToken),
            resource => Ok(resource),
        }
    }

    /// A page's token for a one-time token, which is used up.
    ///
    /// # Errors
    /// It is not good, or the system has no random bytes.
    pub fn exchange(&mut self, shown: Option<&str>) -> Result<Zeroizing<String>, Refusal> {
        let shown = shown.ok_or(Refusal::NoToken)?;
        let known = self.one_time.len();
        self.one_time.retain(|token| !is_same(token, shown));
        if self.one_time.len() == known {
            return Err(Refusal::Used);
        }
        let token = random().map_err(|_| Refusal::NoToken)?;
        keep(&mut self.pages, token.clone());
        Ok(token)
    }

    fn is_own(&self, host: &str) -> bool {
        let names = ["127.0.0.1", "localhost"];
        names
            .iter()
            .any(|name| host == format!("{name}:{}", self.port))
    }
}

fn random() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut())?;
    Ok(Zeroizing::new(base64url(bytes.as_ref())))
}

fn keep(tokens: &mut Vec<Zeroizing<String>>, token: Zeroizing<String>) {
    if tokens.len() >= MOST {
        tokens.remove(0);
    }
    tokens.push(token);
}

fn holds(tokens: &[Zeroizing<String>], shown: &str) -> bool {
    tokens.iter().any(|token| is_same(token, shown))
}

fn is_same(token: &str, shown: &str) -> bool {
    equal(token.as_bytes(), shown.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: u16 = 8123;

    fn head<'r>(path: &'r str, bearer: Option<&'r str>) -> RequestHead<'r> {
        RequestHead {
            method: "GET",
            path,
            host: Some("127.0.0.1:8123"),
            bearer,
            ..RequestHead::default()
        }
    }

    #[test]
    fn a_one_time_token_gives_one_page_its_token() {
        let mut access = Access::new(PORT);
        let one_time = access.invite().unwrap();
        let page = access.exchange(Some(&one_time)).unwrap();
        assert_eq!(access.exchange(Some(&one_time)), Err(Refusal::Used));
        assert_eq!(access.exchange(None), Err(Refusal::NoToken));
        assert_eq!(access.exchange(Some("")), Err(Refusal::Used));
        let judge = |bearer| access.judge(&head("/board", bearer));
        assert_eq!(judge(Some(&page)), Ok(Resource::Board));
        for other in [None, Some(""), Some("x"), Some(one_time.as_str())] {
            assert_eq!(judge(other), Err(Refusal::NoToken));
        }
    }

    #[test]
    fn a_host_that_was_rebound_is_refused_whatever_token_it_shows() {
        let mut access = Access::new(PORT);
        let one_time = access.invite().unwrap();
        let page = access.exchange(Some(&one_time)).unwrap();
        let judge = |host| {
            let head = head("/board", Some(&page));
            access.judge(&RequestHead { host, ..head })
        };
        for host in ["127.0.0.1:8123", "localhost:8123"] {
            assert_eq!(judge(Some(host)), Ok(Resource::Board), "{host}");
        }
        for host in [
            "other.example:8123",
            "other.example",
            "127.0.0.1",
            "127.0.0.1:8124",
            "127.0.0.1:8123.other.example",
            "localhost.other.example:8123",
            "[::1]:8123",
            "0.0.0.0:8123",
            "127.0.0.1:8123@other.example",
            "",
        ] {
            assert_eq!(judge(Some(host)), Err(Refusal::WrongHost), "{host}");
        }
        assert_eq!(judge(None), Err(Refusal::WrongHost));
    }

    #[test]
    fn another_site_and_another_method_are_refused() {
        let access = Access::new(PORT);
        let judge = |path, origin, fetch_site| {
            let head = head(path, None);
            access.judge(&RequestHead {
                origin,
                fetch_site,
                ..head
            })
        };
        let own = "http://127.0.0.1:8123";
        assert_eq!(judge("/", None, Some("none")), Ok(Resource::Page));
        assert_eq!(judge("/session", Some(own), None), Ok(Resource::Session));
        let site = Some("same-origin");
        assert_eq!(judge("/session", None, site), Ok(Resource::Session));
        for path in ["/", "/session", "/board"] {
            for site in ["cross-site", "same-site", "newer"] {
                let found = judge(path, None, Some(site));
                assert_eq!(found, Err(Refusal::OtherSite), "{path} {site}");
            }
            for origin in [
                "http://other.example",
                "null",
                "http://localhost:8123",
                "https://127.0.0.1:8123",
            ] {
                let found = judge(path, Some(origin), None);
                assert_eq!(found, Err(Refusal::OtherSite), "{path} {origin}");
            }
        }
        assert_eq!(
            judge("/session", None, Some("none")),
            Err(Refusal::OtherSite)
        );
        assert_eq!(judge("/other", None, None), Err(Refusal::NotFound));
        for method in ["POST", "HEAD", "OPTIONS", "PUT", "DELETE", "get"] {
            let head = head("/", None);
            let found = access.judge(&RequestHead { method, ..head });
            assert_eq!(found, Err(Refusal::WrongMethod), "{method}");
        }
    }
}
