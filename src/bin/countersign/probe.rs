//! Asks one version of a Worker, whatever share of the traffic it has.

use std::env;
use std::time::Duration;

use countersign::outline::Outline;
use countersign::status::{PATH, TOKEN};
use serde_json::Value;
use ureq::Agent;
use zeroize::Zeroizing;

use crate::answer::Failure;

/// By which Cloudflare lets a request choose a version of the deployment: `worker="version"`.
const OVERRIDE: &str = "cloudflare-workers-version-overrides";

/// One version of the Worker; the one that traffic meets where none is named.
pub struct Probe {
    url: String,
    token: Zeroizing<String>,
    version: Option<String>,
}

impl Probe {
    /// `site` is one that [`crate::live::Live`] has passed.
    ///
    /// # Errors
    /// There is no token.
    pub fn new(site: &str, version: Option<(&str, &str)>) -> Result<Self, Failure> {
        let token = env::var(TOKEN).map_err(|_| Failure::usage("COUNTERSIGN_TOKEN is not set"))?;
        Ok(Self {
            url: format!("{site}{PATH}"),
            token: Zeroizing::new(token.trim().to_owned()),
            version: version.map(|(worker, version)| format!("{worker}=\"{version}\"")),
        })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// It does not answer as Countersign does.
    pub fn status(&self) -> Result<Value, Failure> {
        self.ask(None)
    }

    /// What it says of a cookie.
    ///
    /// # Errors
    /// It does not answer as Countersign does.
    pub fn look_at(&self, cookie: &str) -> Result<Value, Failure> {
        self.ask(Some(cookie))
    }

    fn ask(&self, body: Option<&str>) -> Result<Value, Failure> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        let agent = Agent::new_with_config(config);
        let version = self.version.as_deref();
        let bearer = format!("Bearer {}", *self.token);
        let headers = [
            ("authorization", Some(bearer.as_str())),
            (OVERRIDE, version),
        ];
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let sent = match body {
            None => headers
                .fold(agent.get(&self.url), |request, (name, value)| {
                    request.header(name, value)
                })
                .call(),
            Some(body) => headers
                .fold(agent.post(&self.url), |request, (name, value)| {
                    request.header(name, value)
                })
                .send(body),
        };
        let read = sent.and_then(|mut reply| reply.body_mut().read_to_string());
        let text = read.map_err(|error| {
            Failure::unreachable(format!("{} cannot be reached: {error}", self.url))
        })?;
        let json: Option<Value> = serde_json::from_str(&text).ok();
        json.filter(Value::is_object).ok_or_else(|| {
            Failure::unreachable(format!("{} did not answer as Countersign does", self.url))
        })
    }
}

/// An outline without fingerprints, for one that was made where no keys are.
pub fn unprinted(outline: &Outline) -> Outline {
    let mut outline = outline.clone();
    for rule in &mut outline.rules {
        let fallbacks = rule.fallbacks.iter_mut().map(|fallback| &mut fallback.key);
        let keys = fallbacks.chain(&mut rule.origin_fallbacks);
        for key in keys.chain([&mut rule.current, &mut rule.origin_current]) {
            key.print = None;
        }
    }
    outline
}
