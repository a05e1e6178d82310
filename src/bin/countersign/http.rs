//! Asks over HTTP, with a bearer's token: the live Worker, and Cloudflare.

use std::time::Duration;

use ureq::Agent;
use ureq::http::Response;
use ureq::{Body, Error};

use crate::answer::Failure;

/// An answer.
pub struct Reply {
    pub status: u16,
    pub text: String,
}

/// `GET`, or `POST` where there is a body; `header` is a further one.
///
/// # Errors
/// Nobody answers. Any status is an answer; redirects are not followed, for the token's sake.
pub fn ask(
    url: &str,
    token: &str,
    header: Option<(&str, &str)>,
    body: Option<&str>,
) -> Result<Reply, Failure> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(LONGEST))
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = Agent::new_with_config(config);
    let bearer = format!("Bearer {token}");
    let headers = [Some(("authorization", bearer.as_str())), header];
    let headers = headers.into_iter().flatten();
    let sent = match body {
        None => headers
            .fold(agent.get(url), |request, (name, value)| {
                request.header(name, value)
            })
            .call(),
        Some(body) => headers
            .fold(agent.post(url), |request, (name, value)| {
                request.header(name, value)
            })
            .header("content-type", "text/plain")
            .send(body),
    };
    let read = sent.and_then(read);
    read.map_err(|error| Failure::unreachable(format!("{url} cannot be reached: {error}")))
}

const LONGEST: Duration = Duration::from_secs(30);

fn read(mut response: Response<Body>) -> Result<Reply, Error> {
    Ok(Reply {
        status: response.status().as_u16(),
        text: response.body_mut().read_to_string()?,
    })
}
