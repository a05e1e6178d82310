//! Runs wrangler: the project's own, or the one on PATH.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::answer::Failure;
use crate::config::Environment;

const WRANGLER: &str = match cfg!(windows) {
    true => "wrangler.cmd",
    false => "wrangler",
};

/// How `secret list` ends its first sentence where nothing has been deployed yet.
const NO_SUCH_WORKER: &str = " not found.";

/// Runs `wrangler WORDS --config … --env …`, answers what it printed.
///
/// `input` goes to its standard input, and nowhere else.
///
/// # Errors
/// It is not there, or says that it failed.
pub fn run(
    environment: &Environment<'_>,
    words: &[&str],
    input: Option<&str>,
) -> Result<String, Failure> {
    let mut command = Command::new(program(environment));
    command.args(arguments(environment, words));
    command.stdin(match input {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_there(&error))?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // where it ends without reading, its own words say why
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| not_there(&error))?;
    let text = |bytes: &[u8]| plain(&String::from_utf8_lossy(bytes)).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => {
            let said = format!("{}\n{}", text(&output.stderr), text(&output.stdout));
            let command = shown(environment, words);
            Err(Failure::unreachable(format!(
                "`{command}` failed: {}",
                error_in(&said)
            )))
        }
    }
}

/// Without colours, which wrangler gives its errors wherever they go.
fn plain(said: &str) -> String {
    anstream::adapter::strip_str(said).to_string()
}

/// What wrangler marks as its error, up to the next empty line; all of it where nothing is marked.
fn error_in(said: &str) -> &str {
    let error = said.split_once("[ERROR] ").map_or(said, |(_, error)| error);
    error.trim().split("\n\n").next().unwrap_or_default()
}

/// The command line as a person would type it.
pub fn shown(environment: &Environment<'_>, words: &[&str]) -> String {
    let arguments = arguments(environment, words);
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let words: Vec<_> = words.collect();
    format!("npx wrangler {}", words.join(" "))
}

fn arguments(environment: &Environment<'_>, words: &[&str]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    arguments.extend(["--config".into(), environment.config().path.clone().into()]);
    match environment.name {
        Some(name) => arguments.extend(["--env".into(), name.into()]),
        // where there are several, wrangler wants to hear that the top level is meant
        None if environment.config().environments().len() > 1 => arguments.push("--env=".into()),
        None => {}
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

fn not_there(error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::unreachable("wrangler is not installed")
            .hint("run `npm install` in the folder of wrangler.toml"),
        _ => Failure::unreachable(format!("wrangler cannot be run: {error}")),
    }
}

/// The names of the Worker's secrets; none where it has not been deployed yet.
///
/// # Errors
/// As [`run`], or its answer is no list.
pub fn secrets(environment: &Environment<'_>) -> Result<Vec<String>, Failure> {
    let words = ["secret", "list", "--format", "json"];
    let text = match run(environment, &words, None) {
        Ok(text) => text,
        Err(failure) if failure.says(NO_SUCH_WORKER) => return Ok(Vec::new()),
        Err(failure) => return Err(failure),
    };
    let list: Option<Vec<Value>> = serde_json::from_str(&text).ok();
    let names = list.map(|list| {
        let names = list.iter().filter_map(|secret| secret["name"].as_str());
        names.map(str::to_owned).collect()
    });
    names.ok_or_else(|| {
        Failure::unreachable(format!(
            "`{}` did not answer a list",
            shown(environment, &words)
        ))
    })
}
