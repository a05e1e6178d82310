//! Runs wrangler: the project's own, or the one on PATH.
//!
//! The environment is always said. Without `--env`, wrangler takes it from CLOUDFLARE_ENV, which may stand in the
//! environment or in a `.env`, and writes to another Worker: `shop-production` for `shop`.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use serde::Deserialize;

use crate::project::config::Environment;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;
use crate::terminal::process::{self, ProcessError};
use crate::terminal::progress::{begin, print_beside};
use crate::terminal::style::{WARNING, styled};

mod answer;
mod record;

pub use answer::WranglerAnswer;
use record::Record;

const WRANGLER: &str = if cfg!(windows) {
    "wrangler.cmd"
} else {
    "wrangler"
};

/// What wrangler puts in front of an error.
const ERROR_MARK: &str = "[ERROR] ";

/// How `secret list` ends its first sentence where nothing has been deployed yet. wrangler prints no code for it.
const NO_SUCH_WORKER: &str = " not found.";

/// What `secret put` says after a deployment that was tried and refused: its version is the latest.
const NOT_DEPLOYED: &str = "the latest version of your Worker isn't currently deployed";

/// What `versions upload` says where wrangler.toml has a migration that no deployment has applied.
const PENDING_MIGRATION: &str = "has a pending Durable Object migration";

/// Why wrangler did not do what it was asked.
#[derive(Debug)]
pub enum WranglerError {
    /// There is none in the project and none on PATH.
    NotInstalled,
    /// The operating system does not run it.
    CannotRun(std::io::Error),
    /// Nothing has been deployed under the Worker's name yet.
    NoSuchWorker(Refusal),
    /// A version was uploaded after the one that is deployed, and would be deployed with a new secret.
    LatestNotDeployed(Refusal),
    /// A Durable Object's class is new or gone: only `wrangler deploy` makes it or takes it away.
    PendingMigration(Refusal),
    /// It failed for a reason that this program does not tell from others.
    Failed(Refusal),
    /// It succeeded, and its answer cannot be read.
    Unreadable {
        /// The command that was run.
        command: String,
        /// What was looked for.
        wanted: &'static str,
        /// What it printed.
        text: String,
    },
    /// Somebody has asked this program to end while it ran.
    Interrupted {
        /// The command that was run.
        command: String,
    },
}

impl WranglerAnswer {
    /// That it has another shape than this program knows.
    pub fn unreadable(self, wanted: &'static str) -> WranglerError {
        WranglerError::Unreadable {
            command: self.command,
            wanted,
            text: self.text,
        }
    }
}

/// What a command of wrangler's failed with.
#[derive(Debug)]
pub struct Refusal {
    command: String,
    /// wrangler's words.
    message: String,
}

impl WranglerError {
    /// Sorts a failure by wrangler's words: its exit code is 1 for all of them.
    fn failed(command: String, message: &str) -> Self {
        let refusal = Refusal {
            command,
            message: message.to_owned(),
        };
        if message.contains(NO_SUCH_WORKER) {
            Self::NoSuchWorker(refusal)
        } else if message.contains(NOT_DEPLOYED) {
            Self::LatestNotDeployed(refusal)
        } else if message.contains(PENDING_MIGRATION) {
            Self::PendingMigration(refusal)
        } else {
            Self::Failed(refusal)
        }
    }
}

/// The last lines of a text, each behind some space.
fn indented(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return " nothing".to_owned();
    }
    let last = lines.iter().skip(lines.len().saturating_sub(MOST_LINES));
    last.map(|line| format!("\n  {line}")).collect()
}

const MOST_LINES: usize = 20;

impl From<std::io::Error> for WranglerError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == ErrorKind::NotFound {
            Self::NotInstalled
        } else {
            Self::CannotRun(error)
        }
    }
}

impl From<WranglerError> for Failure {
    fn from(error: WranglerError) -> Self {
        match error {
            WranglerError::NotInstalled => Self::unreachable("wrangler is not installed")
                .hint("run `npm install` in the folder of the configuration"),
            WranglerError::CannotRun(error) => {
                Self::unreachable(format!("wrangler cannot be run: {error}"))
            }
            WranglerError::PendingMigration(refusal) => Self::refused(format!(
                "`{}`: wrangler.toml has a migration that is not deployed yet, and a version cannot bring it",
                refusal.command
            ))
            .hint("deploy it first, by itself, with the keys that are live: npx wrangler deploy; docs/runbook.md, The ledger"),
            WranglerError::NoSuchWorker(refusal)
            | WranglerError::LatestNotDeployed(refusal)
            | WranglerError::Failed(refusal) => {
                Self::unreachable(format!("`{}` failed: {}", refusal.command, refusal.message))
            }
            WranglerError::Unreadable {
                command,
                wanted,
                text,
            } => Self::unreachable(format!(
                "`{command}` did not answer {wanted} as this program reads it; it printed:{}",
                indented(&text)
            ))
            .hint("take the wrangler that package.json names: npm install"),
            WranglerError::Interrupted { command } => {
                Self::interrupted().during(&format!("while `{command}` ran"))
            }
        }
    }
}

/// Runs `wrangler WORDS --config … --env=…`, answers what it printed. Its warnings are shown.
///
/// `input` goes to its standard input, and nowhere else.
///
/// # Errors
/// It is not there, or says that it failed; or somebody asks this program to end, and it has ended.
pub fn run(
    environment: &Environment<'_>,
    words: &[&str],
    input: Option<&str>,
) -> Result<WranglerAnswer, WranglerError> {
    let record = Record::new();
    let mut command = Command::new(program(environment));
    command.args(arguments(environment, words));
    make_readable(&mut command);
    process::in_own_group(&mut command);
    if let Some(record) = &record {
        record.give_to(&mut command);
    }
    let output = process::run(command, input.map(str::as_bytes));
    let output = output.map_err(|error| match error {
        ProcessError::CannotRun(error) => WranglerError::from(error),
        ProcessError::Interrupted => WranglerError::Interrupted {
            command: typed(environment, words),
        },
    })?;
    let (answer, beside) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() || beside.contains(ERROR_MARK) {
        warn(&beside);
    }
    let command = typed(environment, words);
    let entries = record.map(|record| record.entries()).unwrap_or_default();
    if output.status.success() {
        return Ok(WranglerAnswer {
            command,
            text: answer,
            entries,
        });
    }
    let said = format!("{beside}\n{answer}");
    let written = failure_in(&entries).filter(|_| !said.contains(ERROR_MARK));
    let message = written.as_deref().unwrap_or_else(|| error_in(&said));
    Err(WranglerError::failed(command, message))
}

/// Has it print its answers and its errors, which it keeps to itself where less is to be logged, and no secret.
fn make_readable(command: &mut Command) {
    let level = env::var("WRANGLER_LOG").unwrap_or_default().to_lowercase();
    if !["debug", "info", "log"].contains(&level.as_str()) {
        command.env("WRANGLER_LOG", "log");
    }
    command.env("WRANGLER_LOG_SANITIZE", "true");
}

/// Why a command failed, as it has written it down.
fn failure_in(entries: &[serde_json::Value]) -> Option<String> {
    let mut entries = entries.iter().rev();
    let entry = entries.find(|entry| entry["type"] == "command-failed")?;
    let message = harmless::lines(entry["message"].as_str()?);
    let first = message.trim().split("\n\n").next()?;
    (!first.is_empty()).then(|| first.to_owned())
}

fn text(output: &[u8]) -> String {
    let lines = harmless::lines(&String::from_utf8_lossy(output));
    lines.trim().to_owned()
}

/// Shows what wrangler warns of, each text once: every command of a run says the same.
fn warn(beside: &str) {
    static SHOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let warnings = warnings_in(beside);
    let Ok(mut shown) = SHOWN.lock() else { return };
    if warnings.is_empty() || shown.contains(&warnings) {
        return;
    }
    let lines = warnings.lines().map(|line| format!("  {line}\n"));
    let lines: String = lines.collect();
    print_beside(&format!("{}\n{lines}", styled(WARNING, "wrangler says:")));
    shown.push(warnings);
}

/// What stands before an error on standard error, without empty lines; all of it where there is no error.
fn warnings_in(beside: &str) -> String {
    let before = match beside.split_once(ERROR_MARK) {
        // a sign stands in front of the mark
        Some((before, _)) => before.trim_end().trim_end_matches(['✘', 'X', 'x']),
        None => beside,
    };
    let lines = before.lines().filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// What wrangler marks as its error, up to the next empty line; all of it where nothing is marked.
fn error_in(said: &str) -> &str {
    let error = said.split_once(ERROR_MARK).map_or(said, |(_, error)| error);
    error.trim().split("\n\n").next().unwrap_or_default()
}

/// The command line as a person would type it.
pub fn typed(environment: &Environment<'_>, words: &[&str]) -> String {
    let arguments = arguments(environment, words);
    let words = arguments.iter().map(|word| quoted(&word.to_string_lossy()));
    format!("npx wrangler {}", words.collect::<Vec<_>>().join(" "))
}

fn quoted(word: &str) -> String {
    if word.contains(' ') {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

fn arguments(environment: &Environment<'_>, words: &[&str]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    arguments.extend(["--config".into(), environment.config().path.clone().into()]);
    match environment.name {
        Some(name) => arguments.extend(["--env".into(), name.into()]),
        None => arguments.push("--env=".into()),
    }
    arguments
}

/// Refuses where there is no wrangler to run.
///
/// # Errors
/// There is none in the project and none on PATH.
pub fn refuse_missing(environment: &Environment<'_>) -> Result<(), WranglerError> {
    let program = program(environment);
    let path = env::var_os("PATH").unwrap_or_default();
    let is_on_path = || env::split_paths(&path).any(|folder| folder.join(&program).is_file());
    if program.is_absolute() || is_on_path() {
        Ok(())
    } else {
        Err(WranglerError::NotInstalled)
    }
}

fn program(environment: &Environment<'_>) -> PathBuf {
    let folder = environment.config().folder();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let installed = folder
        .ancestors()
        .map(|folder| folder.join("node_modules/.bin").join(WRANGLER));
    let mut installed = installed.filter(|path| path.is_file());
    installed.next().unwrap_or_else(|| WRANGLER.into())
}

/// The names of the Worker's secrets; none where it has not been deployed yet.
///
/// # Errors
/// As [`run`], or its answer is no list.
pub fn secrets(environment: &Environment<'_>) -> Result<Vec<String>, WranglerError> {
    /// An entry of the list.
    #[derive(Deserialize)]
    struct ListedSecret {
        name: String,
    }
    begin("asking Cloudflare for the names of the secrets");
    let words = ["secret", "list", "--format", "json"];
    let answer = match run(environment, &words, None) {
        Err(WranglerError::NoSuchWorker(_)) => return Ok(Vec::new()),
        answer => answer?,
    };
    let list: Option<Vec<ListedSecret>> = answer.json();
    let list = list.ok_or_else(|| answer.unreadable("a list of secrets"))?;
    Ok(list.into_iter().map(|secret| secret.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrangler_warns_of_is_told_from_its_error() {
        let warning =
            "▲ [WARNING] Processing wrangler.toml configuration:\n\n    - No environment found";
        let shown =
            "▲ [WARNING] Processing wrangler.toml configuration:\n    - No environment found";
        assert_eq!(warnings_in(warning), shown);
        let both =
            format!("{warning}\n\n✘ [ERROR] Worker \"shop\" not found.\n\n  Deploy first.\n");
        assert_eq!(error_in(&both), "Worker \"shop\" not found.");
        assert_eq!(warnings_in(&both), shown);
        assert_eq!(warnings_in("✘ [ERROR] no"), "");
        assert_eq!(warnings_in(""), "");
    }

    #[test]
    fn a_failure_that_is_only_written_down_is_read_there() {
        let entries = [
            serde_json::json!({ "type": "wrangler-session", "version": 1 }),
            serde_json::json!({ "type": "command-failed", "version": 1, "message": "Worker \"shop\" not found.\n\nDeploy first." }),
        ];
        let found = failure_in(&entries);
        assert_eq!(found.as_deref(), Some("Worker \"shop\" not found."));
        assert_eq!(failure_in(&entries[..1]), None);
    }

    #[test]
    fn what_cannot_be_read_is_shown_by_its_last_lines() {
        assert_eq!(indented(" \n"), " nothing");
        assert_eq!(indented("a\n\nb"), "\n  a\n  b");
        let long: String = (0..30).map(|line| format!("{line}\n")).collect();
        assert!(indented(&long).starts_with("\n  10\n  11"));
    }

    #[test]
    fn a_failure_is_sorted_by_the_words_of_wrangler() {
        let failed = |message| WranglerError::failed("npx wrangler".to_owned(), message);
        let no_worker = failed("Worker \"shop\" not found.");
        assert!(matches!(no_worker, WranglerError::NoSuchWorker(_)));
        let not_deployed = failed(
            "You attempted to modify a secret, but the latest version of your Worker isn't currently deployed.",
        );
        assert!(matches!(not_deployed, WranglerError::LatestNotDeployed(_)));
        let migration = failed(
            "This Worker has a pending Durable Object migration, which cannot be applied by `wrangler versions upload`.",
        );
        assert!(matches!(migration, WranglerError::PendingMigration(_)));
        assert!(matches!(failed("no network"), WranglerError::Failed(_)));
    }
}
