//! The status endpoint of the live Worker.

use std::env;

use countersign_core::operations::status::{PATH, TOKEN};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::project::config::Environment;
use crate::project::dev_vars::DevVars;
use crate::project::routes::patterns;
use crate::project::site::Site;
use crate::remote::http::{self, HttpResponse};
use crate::remote::replies::{ErrorReply, InspectionReply, StatusReply};
use crate::remote::wrangler;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// A live Worker and the token that it answers to.
pub struct LiveWorker {
    site: Site,
    /// The site as a text.
    site_text: String,
    token: Zeroizing<String>,
    /// The header that chooses a version; without it, any that traffic meets answers.
    version: Option<String>,
}

/// By which Cloudflare lets a request choose a version of a deployment: `worker="version"`.
pub const OVERRIDE: &str = "Cloudflare-Workers-Version-Overrides";

impl LiveWorker {
    /// The site that is named, or the host of an environment's first route. The token comes from the
    /// environment variable COUNTERSIGN_TOKEN, for a Worker on this machine also from .dev.vars.
    ///
    /// # Errors
    /// There is no site or no token.
    pub fn new(url: Option<&str>, environment: Option<&Environment<'_>>) -> Result<Self, Failure> {
        let site = match url {
            Some(url) => Site::parse(url)?,
            None => environment.and_then(site).ok_or_else(|| {
                Failure::usage("it is not known where the site is: no route names a host")
                    .hint("name the site: --url https://www.example.com")
            })??,
        };
        let token = match (env::var(TOKEN), environment) {
            (Ok(token), _) => Some(token),
            (Err(_), Some(environment)) if site.is_local() => local_token(environment)?,
            (Err(_), _) => None,
        };
        let token = token.ok_or_else(|| no_token(environment))?;
        Ok(Self {
            site_text: site.to_string(),
            site,
            token: Zeroizing::new(token.trim().to_owned()),
            version: None,
        })
    }

    /// One version of it, whatever share of the traffic that has.
    pub fn version(&self, worker: &str, version: &str) -> Self {
        Self {
            site: self.site.clone(),
            site_text: self.site_text.clone(),
            token: self.token.clone(),
            version: Some(format!("{worker}=\"{version}\"")),
        }
    }

    /// What the Worker says of itself.
    ///
    /// # Errors
    /// It does not answer.
    pub fn status(&self) -> Result<StatusReply, Failure> {
        let reply = self.ask(PATH, None)?;
        let status = StatusReply::parse(&reply.text).filter(|_| reply.status == 200);
        status.ok_or_else(|| self.not_countersign(&reply))
    }

    /// What the Worker says of a cookie, `NAME=VALUE`.
    ///
    /// # Errors
    /// It does not answer, or its configuration is wrong.
    pub fn inspect(&self, cookie: &str) -> Result<InspectionReply, Failure> {
        let reply = self.ask(PATH, Some(cookie))?;
        let failure = match reply.status {
            200 => {
                let read = harmless::json(&reply.text);
                return read.ok_or_else(|| self.not_countersign(&reply));
            }
            503 => StatusReply::parse(&reply.text)
                .filter(StatusReply::is_wrong)
                .map(|_| {
                    Failure::refused(
                        "the live Worker's configuration is wrong, so it looks at no cookie",
                    )
                    .hint("countersign status says what is wrong with it")
                }),
            400 | 413 => harmless::json(&reply.text).map(|ErrorReply { error }| {
                Failure::usage(format!("the live Worker says: {error}"))
            }),
            _ => None,
        };
        Err(failure.unwrap_or_else(|| self.not_countersign(&reply)))
    }

    /// Whether a ledger is bound to it. One of an older release, which knows of none, answers its status.
    ///
    /// # Errors
    /// It does not answer.
    pub fn has_ledger(&self) -> Result<bool, Failure> {
        let reply = self.ask(&format!("{PATH}?ledger=keys"), None)?;
        let told: Option<Value> = harmless::json(&reply.text);
        Ok(match reply.status {
            200 => told.is_some_and(|told| told.get("ledger").is_some()),
            404 => false,
            _ => true,
        })
    }

    /// Where it was asked, without the path.
    pub fn site(&self) -> &str {
        &self.site_text
    }

    /// Asks for a path of the site, with the token.
    ///
    /// # Errors
    /// Nobody answers.
    pub(super) fn ask(&self, path: &str, body: Option<&str>) -> Result<HttpResponse, Failure> {
        let version = self.version.as_deref();
        let header = version.map(|version| (OVERRIDE, version));
        let reply = http::ask(&self.site.join(path), &self.token, header, body);
        reply.map_err(|failure| {
            failure.hint(
                "where the site is another: --url https://www.example.com, or COUNTERSIGN_URL",
            )
        })
    }

    /// That what answered is not Countersign.
    pub(super) fn not_countersign(&self, reply: &HttpResponse) -> Failure {
        let url = self.site.join(PATH);
        Failure::unreachable(format!(
            "{url} answered {}, and not as Countersign does",
            reply.status
        ))
        .hint("either the token is another, or no Worker with the secret COUNTERSIGN_TOKEN (32 bytes or more) is on this route")
    }
}

/// The host of the first route that names one.
fn site(environment: &Environment<'_>) -> Option<Result<Site, Failure>> {
    let patterns = patterns(environment);
    let hosts = patterns
        .iter()
        .filter_map(|pattern| pattern.split('/').next());
    let mut named = hosts.filter(|host| !host.contains('*'));
    Some(Site::parse(&format!("https://{}", named.next()?)))
}

fn no_token(environment: Option<&Environment<'_>>) -> Failure {
    let put = match environment {
        Some(environment) => wrangler::typed(environment, &["secret", "put", TOKEN]),
        None => format!("npx wrangler secret put {TOKEN} --env="),
    };
    Failure::usage(format!("{TOKEN} is not set")).hint(format!("put into the environment what the Worker's secret of that name holds; to make one: countersign keygen > token, then {put} < token"))
}

/// That of .dev.vars, for the Worker that runs on this machine.
fn local_token(environment: &Environment<'_>) -> Result<Option<String>, Failure> {
    let dev_vars = DevVars::read(environment)?;
    Ok(dev_vars.and_then(|dev_vars| dev_vars.text(TOKEN).map(str::to_owned)))
}
