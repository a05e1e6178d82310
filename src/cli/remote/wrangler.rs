//! Runs wrangler: the project's own, or the one on PATH.
//!
//! The environment is always said. Without `--env`, wrangler takes it from CLOUDFLARE_ENV, which may stand in the
//! environment or in a `.env`, and writes to another Worker: `shop-production` for `shop`.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde::Deserialize;

use crate::project::config::Environment;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;
use crate::terminal::progress::print_beside;
use crate::terminal::style::{WARNING, styled};

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
    /// It failed for a reason that this program does not tell from others.
    Failed(Refusal),
    /// It succeeded, and printed no list of secrets.
    NoList {
        /// The command that was run.
        command: String,
    },
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
        } else {
            Self::Failed(refusal)
        }
    }
}

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
            WranglerError::NoSuchWorker(refusal)
            | WranglerError::LatestNotDeployed(refusal)
            | WranglerError::Failed(refusal) => {
                Self::unreachable(format!("`{}` failed: {}", refusal.command, refusal.message))
            }
            WranglerError::NoList { command } => {
                Self::unreachable(format!("`{command}` did not answer a list"))
            }
        }
    }
}

/// Runs `wrangler WORDS --config … --env=…`, answers what it printed. Its warnings are shown.
///
/// `input` goes to its standard input, and nowhere else.
///
/// # Errors
/// It is not there, or says that it failed.
pub fn run(
    environment: &Environment<'_>,
    words: &[&str],
    input: Option<&str>,
) -> Result<String, WranglerError> {
    let mut command = Command::new(program(environment));
    command.args(arguments(environment, words));
    command.stdin(match input {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // where it ends without reading, its own words say why
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    let (answer, beside) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() || beside.contains(ERROR_MARK) {
        warn(&beside);
    }
    if output.status.success() {
        return Ok(answer);
    }
    let said = format!("{beside}\n{answer}");
    let command = typed(environment, words);
    Err(WranglerError::failed(command, error_in(&said)))
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
    let words = ["secret", "list", "--format", "json"];
    let text = match run(environment, &words, None) {
        Err(WranglerError::NoSuchWorker(_)) => return Ok(Vec::new()),
        text => text?,
    };
    let list: Option<Vec<ListedSecret>> = harmless::json(&text);
    let list = list.ok_or_else(|| WranglerError::NoList {
        command: typed(environment, &words),
    })?;
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
    fn a_failure_is_sorted_by_the_words_of_wrangler() {
        let failed = |message| WranglerError::failed("npx wrangler".to_owned(), message);
        let no_worker = failed("Worker \"shop\" not found.");
        assert!(matches!(no_worker, WranglerError::NoSuchWorker(_)));
        let not_deployed = failed(
            "You attempted to modify a secret, but the latest version of your Worker isn't currently deployed.",
        );
        assert!(matches!(not_deployed, WranglerError::LatestNotDeployed(_)));
        assert!(matches!(failed("no network"), WranglerError::Failed(_)));
    }
}
