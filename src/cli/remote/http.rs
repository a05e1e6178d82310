//! Asks over HTTP, with a bearer's token: the live Worker, and Cloudflare.

use std::time::Duration;

use ureq::config::Config;
use ureq::http::Response;
use ureq::{Agent, Body, Error, Proxy};
use url::Url;
use zeroize::Zeroizing;

use crate::project::site;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;
use crate::terminal::waiting;

/// An answer.
pub struct HttpResponse {
    pub status: u16,
    pub text: String,
}

/// `GET`, or `POST` where there is a body; `header` is a further one.
///
/// # Errors
/// Nobody answers, the token would be sent without encryption to another machine, or somebody asks the command to
/// end. Any status is an answer;
/// redirects are not followed, for the token's sake.
pub fn ask(
    url: &str,
    token: &str,
    header: Option<(&str, &str)>,
    body: Option<&str>,
) -> Result<HttpResponse, Failure> {
    let address = Url::parse(url).ok().filter(site::may_carry_a_token);
    let address = address.ok_or_else(|| {
        Failure::usage(format!("{url}: the token would be sent without encryption"))
            .hint("write https://")
    })?;
    let agent = Agent::new_with_config(config(&address));
    let request = Request {
        url: address.into(),
        bearer: Zeroizing::new(format!("Bearer {token}")),
        header: header.map(|(name, value)| (name.to_owned(), value.to_owned())),
        body: body.map(|body| Zeroizing::new(body.to_owned())),
    };
    let url = request.url.clone();
    let read = waiting::for_work(move || request.send(&agent).and_then(read))
        .map_err(|failure| failure.during(&format!("while {url} was asked")))?;
    read.map_err(|error| {
        Failure::unreachable(format!(
            "{url} cannot be reached: {}",
            harmless::line(&error.to_string())
        ))
    })
}

/// What is sent.
struct Request {
    url: String,
    bearer: Zeroizing<String>,
    /// A further header.
    header: Option<(String, String)>,
    body: Option<Zeroizing<String>>,
}

impl Request {
    fn send(&self, agent: &Agent) -> Result<Response<Body>, Error> {
        let own = ("authorization", self.bearer.as_str());
        let further = self.header.iter();
        let further = further.map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = [own].into_iter().chain(further);
        match &self.body {
            None => headers
                .fold(agent.get(&self.url), |request, (name, value)| {
                    request.header(name, value)
                })
                .call(),
            Some(body) => headers
                .fold(agent.post(&self.url), |request, (name, value)| {
                    request.header(name, value)
                })
                .header("content-type", "text/plain")
                .send(body.as_str()),
        }
    }
}

/// How an address is asked. To this machine no proxy is asked: it would see the token, which is not encrypted there.
pub fn config(address: &Url) -> Config {
    let proxy = if site::is_loopback(address) {
        None
    } else {
        Proxy::try_from_env()
    };
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(LONGEST))
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .proxy(proxy)
        .build()
}

const LONGEST: Duration = Duration::from_secs(30);

fn read(mut response: Response<Body>) -> Result<HttpResponse, Error> {
    Ok(HttpResponse {
        status: response.status().as_u16(),
        text: response.body_mut().read_to_string()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_goes_without_encryption_to_another_machine() {
        for url in [
            "http://api.example.com/x",
            "http://localhost:80@example.com/",
            "ftp://127.0.0.1/",
            "x",
        ] {
            let failure = ask(url, "token", None, None).err().unwrap();
            assert!(failure.says("without encryption"), "{url}");
        }
    }

    #[test]
    fn no_proxy_is_asked_for_this_machine() {
        for url in [
            "http://127.0.0.1:8787/",
            "http://localhost/",
            "https://localhost/",
            "http://[::1]/",
        ] {
            assert!(config(&Url::parse(url).unwrap()).proxy().is_none(), "{url}");
        }
    }
}
