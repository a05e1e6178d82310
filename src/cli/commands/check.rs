//! `countersign check`: everything wrong or unwise in wrangler.toml and `.dev.vars`, at once.

use clap::Args;
use countersign_core::config::written::Written;
use serde::Serialize;
use serde_json::json;

use crate::project::config::Environment;
use crate::project::dev_vars::DevVars;
use crate::project::options::QueryOptions;
use crate::terminal::answer::{Answer, Exit, Failure};
use crate::terminal::clock;
use crate::terminal::style::{GOOD, STRONG, styled};

mod against;
mod bindings;
mod configuration;
mod cookies;
mod deployment;
mod finding;
mod inputs;
mod keys;
mod ledger;
pub mod refusals;
mod remote;
mod required;
mod secrets;
mod upgrades;
mod worker;

use against::Comparison;
use finding::Finding;
use inputs::Inputs;

/// Say everything that is wrong or unwise in wrangler's configuration and .dev.vars
#[derive(Args)]
#[command(after_help = AFTER_HELP, mut_arg("env", |env| env.help(ENVIRONMENTS)))]
pub struct CheckArguments {
    /// Leave out .dev.vars, and what only the bytes of keys can tell: for wrangler's build step
    #[arg(long)]
    no_secrets: bool,

    /// Ask Cloudflare as well: secrets that are not set, public version URLs, routes that fail open
    #[arg(long)]
    remote: bool,

    /// Say what would be lost by the change from this configuration to the one that is checked
    #[arg(long, value_name = "live|FILE|none")]
    against: Option<String>,

    #[command(flatten)]
    query: QueryOptions,
}

/// Every environment is checked where none is named.
const ENVIRONMENTS: &str = "The environment to check [default: the top level and every one]";

const AFTER_HELP: &str = "\
Examples:
  countersign check                     before each commit
  countersign check --no-secrets        in wrangler's build step, where no secrets are
  countersign check --against live      before each deployment
  countersign check --against old.toml  what a change loses; whether it may be rolled back
  countersign check --against none      whether the Worker may be installed, or removed
  countersign check --remote            what only Cloudflare knows

--against live wants COUNTERSIGN_TOKEN in the environment: what the Worker's
secret of that name holds. Where the Worker has a ledger, it also says whether most
upgrades to the current key are withheld, and why. --remote wants
CLOUDFLARE_API_TOKEN, for all but the secrets' names.

Exit codes:
  0  nothing is wrong; there may be warnings
  1  something is wrong, or sessions would be lost
  2  the command line is wrong, or a file cannot be read
  3  wrangler, Cloudflare or the live Worker did not answer";

impl CheckArguments {
    /// Checks.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.query.worker.file.read()?;
        let environments = match &self.query.worker.env {
            Some(name) => vec![config.named(name)?],
            None => config.environments(),
        };
        let mut found: Vec<Finding> = Vec::new();
        let is_named = self.query.worker.env.is_some();
        let about_file = configuration::find(&config, is_named).into_iter();
        found.extend(about_file.map(|finding| finding.located(&config.top())));
        let sources = self.sources(&environments)?;
        for environment in &environments {
            let findings = self.findings(environment, &environments)?.into_iter();
            let mut findings: Vec<Finding> = findings
                .map(|finding| finding.located(environment))
                .collect();
            findings.sort_by_key(Finding::sort_key);
            for finding in findings {
                if !found.iter().any(|known| known.is_same(&finding)) {
                    found.push(finding);
                }
            }
        }
        let changes = match &self.against {
            Some(other) => self.changes(other, &environments)?,
            None => Vec::new(),
        };
        Ok(self.answer(&found, &changes, &sources))
    }

    /// Where the keys of each environment come from; none where there is no such file.
    fn sources(&self, environments: &[Environment<'_>]) -> Result<Vec<Option<KeySource>>, Failure> {
        if self.no_secrets {
            return Ok(vec![None]);
        }
        let configured = environments
            .iter()
            .filter(|one| one.countersign().is_some());
        let source = |dev_vars: DevVars| KeySource {
            files: dev_vars.file_names(),
            is_dot_env: dev_vars.is_dot_env,
        };
        configured
            .map(|environment| Ok(DevVars::read(environment)?.map(source)))
            .collect()
    }

    fn findings(
        &self,
        environment: &Environment<'_>,
        all: &[Environment<'_>],
    ) -> Result<Vec<Finding>, Failure> {
        let mut found = worker::bare_dates(environment);
        let misplaced = deployment::misplaced(environment);
        let Some(value) = environment.countersign() else {
            found.extend(misplaced);
            found.extend(worker::nothing(environment, all));
            return Ok(found);
        };
        let dev_vars = if self.no_secrets {
            None
        } else {
            DevVars::read(environment)?
        };
        let inputs = Inputs {
            environment: *environment,
            value: &value,
            written: Written::of(&value),
            dev_vars,
            now: clock::now(),
        };
        found.extend(refusals::find(&inputs));
        found.extend(deployment::find(environment));
        found.extend(keys::find(&inputs));
        found.extend(cookies::find(&inputs));
        found.extend(worker::find(&inputs));
        found.extend(ledger::find(environment));
        found.extend(secrets::find(&inputs));
        found.extend(bindings::find(&inputs));
        found.extend(required::find(&inputs));
        found.retain(|finding| {
            !misplaced
                .iter()
                .any(|one| deployment::is_about(one, finding))
        });
        found.extend(misplaced);
        if self.remote {
            found.extend(remote::find(&inputs)?);
        }
        if self.is_against_live() {
            found.extend(upgrades::find(
                environment,
                self.query.worker.url.as_deref(),
            )?);
        }
        Ok(found)
    }

    fn is_against_live(&self) -> bool {
        let other = self.against.as_deref();
        other.is_some_and(against::is_live)
    }

    fn changes(
        &self,
        other: &str,
        environments: &[Environment<'_>],
    ) -> Result<Vec<Comparison>, Failure> {
        let configured = environments
            .iter()
            .filter(|one| one.countersign().is_some());
        let url = self.query.worker.url.as_deref();
        let changes = configured.map(|environment| against::compare(environment, other, url));
        changes.filter_map(Result::transpose).collect()
    }

    fn answer(
        &self,
        found: &[Finding],
        changes: &[Comparison],
        sources: &[Option<KeySource>],
    ) -> Answer {
        let errors = found.iter().filter(|finding| finding.is_error()).count();
        let warnings = found.len() - errors;
        let safe = changes.iter().all(Comparison::is_compatible);
        let text = if self.query.json {
            let report = JsonReport {
                errors,
                warnings,
                keys_checked: sources.iter().all(Option::is_some),
                findings: found,
                against: changes.iter().map(Comparison::to_json).collect(),
            };
            format!("{:#}\n", json!(report))
        } else {
            let found: Vec<String> = found.iter().map(Finding::to_string).collect();
            let changes: Vec<String> = changes.iter().map(Comparison::to_string).collect();
            // what a change loses speaks for itself
            let summary = if found.is_empty() && !changes.is_empty() {
                String::new()
            } else {
                summary(errors, warnings) + &self.note(sources)
            };
            format!("{}{summary}{}", found.join("\n"), changes.join("\n"))
        };
        let exit = if errors == 0 && safe {
            Exit::Success
        } else {
            Exit::Problems
        };
        Answer { text, exit }
    }

    /// Which keys were looked at, where it is not those of a `.dev.vars`. Whoever leaves them out knows it.
    fn note(&self, sources: &[Option<KeySource>]) -> String {
        if self.no_secrets {
            return String::new();
        }
        if sources.iter().any(Option::is_none) {
            return NO_KEYS.to_owned();
        }
        let of_dot_env = sources.iter().flatten().filter(|one| one.is_dot_env);
        let mut files: Vec<&str> = of_dot_env.map(|one| one.files.as_str()).collect();
        files.dedup();
        let lines = files.iter().map(|files| {
            format!(
                "the keys are those of {files}, as under `wrangler dev`: there is no .dev.vars\n"
            )
        });
        lines.collect()
    }
}

/// Where the keys of an environment come from.
struct KeySource {
    /// The names of the files.
    files: String,
    is_dot_env: bool,
}

/// What could not be looked at.
const NO_KEYS: &str = "the keys were not looked at: there is no .dev.vars\n";

/// The answer for scripts.
#[derive(Serialize)]
struct JsonReport<'f> {
    errors: usize,
    warnings: usize,
    /// Whether the bytes of keys were looked at.
    keys_checked: bool,
    findings: &'f [Finding],
    against: Vec<against::JsonComparison>,
}

fn summary(errors: usize, warnings: usize) -> String {
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let counts = [count(errors, "error"), count(warnings, "warning")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    if counts.is_empty() {
        format!("{}\n", styled(GOOD, "nothing is wrong"))
    } else {
        format!("\n{}\n", styled(STRONG, counts.join(", ")))
    }
}
