//! Deploys one version: key and configuration together, tried at 0 % before it gets traffic.

use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::losses;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::project::config::Environment;
use crate::project::ledger;
use crate::remote::arrival;
use crate::remote::live::{LiveWorker, OVERRIDE};
use crate::remote::replies::{InspectionReply, StatusReply};
use crate::remote::skew;
use crate::remote::wrangler;
use crate::terminal::answer::Failure;
use crate::terminal::progress::{begin, say};

mod stage;

pub use stage::RolloutError;
use stage::{Stage, Surroundings, leftover};

/// One deployment.
pub struct Rollout<'r> {
    pub environment: &'r Environment<'r>,
    pub live: LiveWorker,
    pub message: &'r str,
    /// A secret that becomes part of the version.
    pub secret: Option<&'r NewSecret>,
    /// Cookies that the version has to open.
    pub cookies: Vec<String>,
    /// What the version has to say that it seals and opens, but for fingerprints.
    pub expected: Capabilities,
    /// The key that it revokes: the version then gets all traffic at once, untried.
    pub revokes: Option<&'r str>,
}

/// A secret that nobody sees.
pub struct NewSecret {
    pub name: String,
    pub value: Zeroizing<String>,
}

/// What `deployments status --json` says.
#[derive(Deserialize)]
struct DeploymentStatus {
    versions: Vec<DeployedVersion>,
}

#[derive(Deserialize)]
struct DeployedVersion {
    version_id: String,
    /// Its share of the traffic.
    percentage: f64,
}

impl Rollout<'_> {
    /// The commands, in order.
    pub fn typed(&self) -> String {
        let upload = match self.secret {
            Some(secret) => {
                let text = format!("{{\"{}\":\"…\"}}", secret.name);
                format!("echo '{text}' | {}", self.command(&self.upload()))
            }
            None => self.command(&self.upload()),
        };
        let status = self.command(&STATUS);
        let probe = format!(
            "curl --header \"Authorization: Bearer $COUNTERSIGN_TOKEN\" --header '{OVERRIDE}: {}=\"NEW\"' {}{}",
            self.worker(),
            self.live.site(),
            countersign_core::operations::status::PATH
        );
        let tried = self.command(&self.traffic(&["OLD@100", "NEW@0"]));
        let full = self.command(&self.traffic(&["NEW@100"]));
        let lines = if self.revokes.is_some() {
            vec![upload, full]
        } else {
            vec![status, upload, tried, probe, full]
        };
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The version that all traffic goes to; none for what replaces whatever is there.
    ///
    /// # Errors
    /// There is none, or more than one; or a ledger has to be deployed first.
    pub fn replaces(&self) -> Result<Option<String>, Failure> {
        match self.revokes {
            Some(_) => Ok(None),
            None => {
                self.refuse_new_ledger()?;
                deployed(self.environment).map(Some)
            }
        }
    }

    /// Refuses where wrangler.toml binds a ledger that is not live: its migration comes by `wrangler deploy` alone.
    fn refuse_new_ledger(&self) -> Result<(), Failure> {
        if ledger::binding(self.environment).is_none() || self.live.has_ledger()? {
            return Ok(());
        }
        Err(Failure::refused(
            "wrangler.toml binds a ledger, and the live Worker has none: a version cannot bring its migration",
        )
        .hint(format!(
            "deploy it first, by itself: {}",
            wrangler::typed(self.environment, &["deploy"])
        )))
    }

    /// Deploys, trying it first beside the version that it replaces; answers the version.
    ///
    /// # Errors
    /// A step fails: until the last one all traffic stays with the old version. Or the site does not come to
    /// answer with the new one. Or somebody asks the command to end.
    pub fn run(&self, old: Option<&str>) -> Result<String, RolloutError> {
        let before = old.map(|_| self.live.status()).transpose();
        let before = before.map_err(RolloutError::before)?;
        let new = self.uploaded().map_err(self.stopped(Stage::Uploading))?;
        let new = new.as_str();
        if let Some((old, before)) = old.zip(before) {
            self.deploy(&[&format!("{old}@100"), &format!("{new}@0")])
                .map_err(self.stopped(Stage::Uploaded { new }))?;
            self.try_out(new, &before)
                .map_err(|failure| self.withdrawn(failure, new, old))?;
        }
        self.deploy(&[&format!("{new}@100")])
            .map_err(self.stopped(Stage::Switching { new }))?;
        self.await_arrival(new)
            .map_err(self.stopped(Stage::Deployed { new }))?;
        Ok(new.to_owned())
    }

    /// Takes a version out of the deployment that nobody but this command has met. Whoever ends the command does
    /// not wait for that.
    fn withdrawn(&self, failure: Failure, new: &str, old: &str) -> RolloutError {
        if failure.is_interrupted() || self.deploy(&[&format!("{old}@100")]).is_err() {
            return self.stopped(Stage::AtZero { new, old })(failure);
        }
        RolloutError::before(match self.secret {
            Some(secret) => self.hinted(|around| failure.hint(leftover(&secret.name, around))),
            None => failure,
        })
    }

    /// Adds to a failure how far the rollout has come.
    fn stopped(&self, stage: Stage<'_>) -> impl FnOnce(Failure) -> RolloutError {
        move |failure| self.hinted(|around| stage.stop(failure, around))
    }

    fn hinted<T>(&self, hint: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        hint(&Surroundings {
            site: self.live.site(),
            option: self.environment.option(),
            secret: self.secret.map(|secret| secret.name.as_str()),
            command: &|words| self.command(words),
        })
    }

    fn upload(&self) -> Vec<&str> {
        let mut words = vec!["versions", "upload", "--message", self.message];
        if self.secret.is_some() {
            words.extend(["--secrets-file", "/dev/stdin"]);
        }
        words
    }

    fn traffic<'w>(&'w self, shares: &[&'w str]) -> Vec<&'w str> {
        let mut words = vec!["versions", "deploy"];
        words.extend(shares);
        words.extend(["--message", self.message, "--yes"]);
        words
    }

    fn uploaded(&self) -> Result<String, Failure> {
        say("uploading");
        let secret = self.secret.map(|secret| {
            Zeroizing::new(json!({ secret.name.as_str(): secret.value.as_str() }).to_string())
        });
        let answer = wrangler::run(
            self.environment,
            &self.upload(),
            secret.as_deref().map(String::as_str),
        )?;
        answer.uploaded_version().ok_or_else(|| {
            let failure = Failure::from(answer.unreadable("the id of the version"));
            failure.hint(format!(
                "it is uploaded, and has no traffic: {}",
                self.command(&["versions", "list"])
            ))
        })
    }

    fn deploy(&self, shares: &[&str]) -> Result<(), Failure> {
        say(&format!("deploying {}", shares.join(" ")));
        wrangler::run(self.environment, &self.traffic(shares), None)?;
        Ok(())
    }

    /// Status, compatibility, and cookies.
    fn try_out(&self, new: &str, before: &StatusReply) -> Result<(), Failure> {
        say("trying it");
        let tried = self.live.version(&self.worker(), new);
        let status = answers(&tried, new)?;
        let capabilities = status.capabilities("the new version")?;
        if capabilities.without_fingerprints() != self.expected.without_fingerprints() {
            return Err(
                Failure::refused("the new version does not have this configuration")
                    .hint("compare: countersign check --against live"),
            );
        }
        let live = before.capabilities(self.live.site())?;
        let now = skew::now(&status, self.live.site())?;
        let lost = [
            losses(&live, &capabilities, now),
            losses(&capabilities, &live, now),
        ]
        .concat();
        if let Some(loss) = lost.first() {
            return Err(Failure::refused(format!(
                "by the fingerprints of the keys, sessions would be lost: {loss}"
            ))
            .hint(format!("a secret of the new version has other bytes than the live one's, and so would the next version; put the right ones: {}", self.command(&["versions", "secret", "put", "NAME"]))));
        }
        for cookie in &self.cookies {
            opened(&tried.inspect(cookie)?)?;
        }
        Ok(())
    }

    /// Waits until the site answers with the version, and goes by its configuration.
    ///
    /// # Errors
    /// It does not. The version is deployed all the same: to another Worker than the one that answers there,
    /// or the site is slow to have it.
    fn await_arrival(&self, version: &str) -> Result<(), Failure> {
        let arrived = || {
            let status = self.live.status()?;
            let id = status.fields.version.id.as_deref();
            let is_it = id.is_none_or(|id| id == version);
            let capabilities = status.capabilities(self.live.site())?;
            let goes_by_it =
                capabilities.without_fingerprints() == self.expected.without_fingerprints();
            Ok((is_it && goes_by_it).then_some(()))
        };
        begin(&format!(
            "waiting for {} to answer with it",
            self.live.site()
        ));
        arrival::seen(arrived)?.ok_or_else(|| {
            let (site, worker, waited) = (self.live.site(), self.worker(), arrival::waited());
            let lives = self.revokes.map_or(String::new(), |key| {
                format!(": {key} is still alive there, and opens what it opened")
            });
            Failure::unreachable(format!(
                "version {version} of {worker} is deployed, and {site} does not answer with it after {waited}{lives}"
            ))
            .hint(wrong_worker(&worker))
            .hint("look again: countersign status")
        })
    }

    fn worker(&self) -> String {
        self.environment.worker().unwrap_or_default()
    }

    fn command(&self, words: &[&str]) -> String {
        wrangler::typed(self.environment, words)
    }
}

/// The one version that all traffic goes to.
///
/// # Errors
/// There is none, or more than one.
pub fn deployed(environment: &Environment<'_>) -> Result<String, Failure> {
    begin("asking Cloudflare which version has traffic");
    let answer = wrangler::run(environment, &STATUS, None)?;
    let status: Option<DeploymentStatus> = answer.json();
    let status = status.ok_or_else(|| answer.unreadable("a deployment"))?;
    let versions = status.versions;
    let mut with_traffic = versions.into_iter().filter(|one| one.percentage != 0.0);
    match (with_traffic.next(), with_traffic.next()) {
        (Some(version), None) => Ok(version.version_id),
        (Some(_), Some(_)) => Err(Failure::refused(
            "a gradual deployment is under way: two versions have traffic",
        )
        .hint(format!(
            "finish it first: {}",
            wrangler::typed(environment, &["versions", "deploy"])
        ))),
        (None, _) => Err(Failure::unreachable("wrangler reports no deployment")
            .hint("the first deployment is made by hand: docs/runbook.md, First deployment")),
    }
}

const STATUS: [&str; 3] = ["deployments", "status", "--json"];

/// What to compare where the site does not show what wrangler has done.
pub fn wrong_worker(worker: &str) -> String {
    format!(
        "is it the Worker {worker} of the account that wrangler uses that answers there? compare `name`, `routes`, account_id, --env and --url; CLOUDFLARE_ACCOUNT_ID may stand in a .env"
    )
}

/// What the version says of itself, once it does.
fn answers(live: &LiveWorker, version: &str) -> Result<StatusReply, Failure> {
    let answer = arrival::first(|| {
        let status = live.status()?;
        match status.fields.version.id.as_deref() {
            Some(id) => Ok((id == version).then_some(status)),
            None => Err(Failure::refused(
                "the Worker does not report its version, so no version can be tried",
            )
            .hint(
                "add `version_metadata` with the binding CF_VERSION_METADATA to the configuration",
            )),
        }
    })?;
    answer.ok_or_else(|| {
        let waited = arrival::waited();
        Failure::unreachable(format!("version {version} did not answer in {waited}"))
    })
}

/// Whether a test cookie got through.
fn opened(found: &InspectionReply) -> Result<(), Failure> {
    if found.is_opened() && found.passes() {
        return Ok(());
    }
    let verdict = found.verdict.as_deref().unwrap_or("no rule for it");
    Err(Failure::refused(format!(
        "the new version does not take the test cookie: {verdict}"
    ))
    .hint("the traffic stays with the old version; look at the cookie: countersign inspect --live"))
}
