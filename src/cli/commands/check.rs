//! `countersign check`: everything wrong or unwise in wrangler.toml and `.dev.vars`, at once.

use clap::Args;
use serde_json::{Value, json};

use crate::project::config::{Config, Environment};
use crate::project::dev_vars::DevVars;
use crate::project::options::Which;
use crate::terminal::answer::{Answer, Exit, Failure};
use crate::terminal::clock;
use crate::terminal::style::{GOOD, STRONG, styled};

mod against;
mod cookies;
mod finding;
mod inputs;
mod keys;
mod reading;
pub mod refusals;
mod remote;
mod secrets;
mod worker;

use finding::Finding;
use inputs::Inputs;
use reading::Reading;

/// Say everything that is wrong or unwise in wrangler.toml and .dev.vars
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Check {
    /// The environment to check [default: the top level and every one]
    #[arg(long, value_name = "ENV")]
    env: Option<String>,

    /// Leave out .dev.vars, and what only the bytes of keys can tell: for wrangler's build step
    #[arg(long)]
    no_secrets: bool,

    /// Ask Cloudflare as well: secrets that are not set, public version URLs, routes that fail open
    #[arg(long)]
    remote: bool,

    /// Say what would be lost by the change from this configuration to the one that is checked
    #[arg(long, value_name = "live|FILE|none")]
    against: Option<String>,

    /// The site, for --against live [default: the host of the first route]
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_URL",
        hide_env_values = true
    )]
    url: Option<String>,

    /// Answer in JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    which: Which,
}

const AFTER_HELP: &str = "\
Examples:
  countersign check                     before each commit
  countersign check --no-secrets        in wrangler's build step, where no secrets are
  countersign check --against live      before each deployment
  countersign check --against old.toml  what a change loses; whether it may be rolled back
  countersign check --against none      whether the Worker may be installed, or removed
  countersign check --remote            what only Cloudflare knows

--against live wants COUNTERSIGN_TOKEN in the environment: what the Worker's secret of
that name holds. --remote wants CLOUDFLARE_API_TOKEN, for all but the secrets' names.

Exit codes:
  0  nothing is wrong; there may be warnings
  1  something is wrong, or sessions would be lost
  2  the command line is wrong, or a file cannot be read
  3  wrangler, Cloudflare or the live Worker did not answer";

impl Check {
    /// Checks.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = Config::read(self.which.config.as_deref())?;
        let environments = match &self.env {
            Some(name) => vec![config.named(name)?],
            None => config.environments(),
        };
        let mut found: Vec<Finding> = Vec::new();
        for environment in &environments {
            let findings = self.findings(environment, &environments)?.into_iter();
            let mut findings: Vec<Finding> = findings
                .map(|finding| finding.placed(environment))
                .collect();
            findings.sort_by_key(Finding::place);
            for finding in findings {
                if !found.iter().any(|known| known.is_again(&finding)) {
                    found.push(finding);
                }
            }
        }
        let changes = match &self.against {
            Some(other) => self.changes(other, &environments)?,
            None => Vec::new(),
        };
        Ok(self.answer(&found, &changes))
    }

    fn findings(
        &self,
        environment: &Environment<'_>,
        all: &[Environment<'_>],
    ) -> Result<Vec<Finding>, Failure> {
        let mut found = worker::bare_dates(environment);
        found.extend(worker::overruled(environment));
        let Some(value) = environment.countersign() else {
            found.extend(worker::nothing(environment, all));
            return Ok(found);
        };
        let dev_vars = match self.no_secrets {
            true => None,
            false => DevVars::read(environment)?,
        };
        let scene = Inputs {
            environment: *environment,
            reading: Reading::of(&value),
            value,
            dev_vars,
            now: clock::now(),
        };
        found.extend(refusals::find(&scene));
        found.extend(keys::find(&scene));
        found.extend(cookies::find(&scene));
        found.extend(worker::find(&scene));
        found.extend(secrets::find(&scene));
        if self.remote {
            found.extend(remote::find(&scene)?);
        }
        Ok(found)
    }

    fn changes(
        &self,
        other: &str,
        environments: &[Environment<'_>],
    ) -> Result<Vec<against::Change>, Failure> {
        let configured = environments
            .iter()
            .filter(|one| one.countersign().is_some());
        let url = self.url.as_deref();
        let changes = configured.map(|environment| against::change(environment, other, url));
        changes.filter_map(Result::transpose).collect()
    }

    fn answer(&self, found: &[Finding], changes: &[against::Change]) -> Answer {
        let errors = found.iter().filter(|finding| finding.is_error()).count();
        let warnings = found.len() - errors;
        let safe = changes.iter().all(against::Change::is_compatible);
        let text = match self.json {
            true => {
                let findings: Vec<Value> = found.iter().map(Finding::to_json).collect();
                let changes: Vec<Value> = changes.iter().map(against::Change::to_json).collect();
                let answer = json!({
                    "errors": errors, "warnings": warnings, "findings": findings, "against": changes,
                });
                format!("{answer:#}\n")
            }
            false => {
                let found: Vec<String> = found.iter().map(Finding::to_string).collect();
                let changes: Vec<String> = changes.iter().map(against::Change::to_string).collect();
                // what a change loses speaks for itself
                let summary = match found.is_empty() && !changes.is_empty() {
                    true => String::new(),
                    false => summary(errors, warnings),
                };
                format!("{}{summary}{}", found.join("\n"), changes.join("\n"))
            }
        };
        let exit = match errors == 0 && safe {
            true => Exit::Fine,
            false => Exit::Problems,
        };
        Answer { text, exit }
    }
}

fn summary(errors: usize, warnings: usize) -> String {
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let counts = [count(errors, "error"), count(warnings, "warning")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    match counts.is_empty() {
        true => format!("{}\n", styled(GOOD, "nothing is wrong")),
        false => format!("\n{}\n", styled(STRONG, counts.join(", "))),
    }
}
