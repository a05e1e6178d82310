//! Asks git, and makes the one commit that a deployment stands on.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::project::config::Config;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// How far back the history is read.
const LONGEST: &str = "--max-count=1000";

/// Refuses a working tree with changes: what is deployed has to be a commit.
///
/// # Errors
/// There are changes, or no git.
pub fn refuse_dirty(config: &Config) -> Result<(), Failure> {
    let changes = run(config, &["status", "--porcelain"]).map_err(|why| {
        Failure::refused(format!("--deploy needs a commit, and git failed: {why}"))
    })?;
    if changes.trim().is_empty() {
        return Ok(());
    }
    Err(
        Failure::refused("the working tree has changes: what is deployed has to be a commit")
            .hint("commit or stash them: git status"),
    )
}

/// Commits the configuration and nothing else.
///
/// # Errors
/// git refuses.
pub fn commit(config: &Config, message: &str) -> Result<(), Failure> {
    let name = config.file_name();
    run(
        config,
        &["commit", "--quiet", "--message", message, "--", &name],
    )
    .map(drop)
    .map_err(|why| Failure::unreachable(format!("git did not commit {name}: {why}")))
}

/// The command that makes the commit, as a person would type it.
pub fn typed(config: &Config, message: &str) -> String {
    let path = config.path.display();
    format!("git commit --message '{message}' -- {path}")
}

/// A commit that changed the configuration.
pub struct Commit {
    /// Its name, as short as git has it.
    pub name: String,
    /// When it was made, in Unix seconds; none where git does not tell.
    pub time: Option<u64>,
    /// The first line of its message.
    pub subject: String,
    /// The whole file as it was then.
    pub text: String,
}

/// The commits of the configuration, the newest first; none where there is no history to ask. Those in which
/// git cannot show the file are left out.
pub fn commits(config: &Config) -> Option<Vec<Commit>> {
    let file = config.file_name();
    let log = run(config, &["log", LONGEST, "--format=%h %ct %s", "--", &file]).ok()?;
    let commit = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (time, subject) = timed(rest);
        Some(Commit {
            text: run(config, &["show", &format!("{name}:./{file}")]).ok()?,
            name: harmless::line(name),
            time,
            subject: harmless::line(subject),
        })
    };
    let has_one = log.lines().next().is_some();
    has_one.then(|| log.lines().filter_map(commit).collect())
}

/// The newest commit of the configuration; none where there is none.
pub fn newest(config: &Config) -> Option<String> {
    let file = config.file_name();
    let said = run(
        config,
        &["log", "--max-count=1", "--format=%H", "--", &file],
    )
    .ok()?;
    said.lines().next().map(str::to_owned)
}

/// Whether the history is cut off, as it is where CI fetches the newest commit alone.
pub fn is_shallow(config: &Config) -> bool {
    let said = run(config, &["rev-parse", "--is-shallow-repository"]);
    said.is_ok_and(|said| said.trim() == "true")
}

/// `TIME SUBJECT`.
fn timed(text: &str) -> (Option<u64>, &str) {
    let split = text.split_once(' ');
    let time = split.and_then(|(time, subject)| Some((time.parse().ok()?, subject)));
    time.map_or((None, text), |(time, subject)| (Some(time), subject))
}

/// The lines of every note of the project's own in the repository, in no order.
pub fn notes(config: &Config) -> Vec<String> {
    let said = run(config, &["log", LONGEST, NOTES, "--format=%N"]);
    let lines = said.iter().flat_map(|said| said.lines());
    lines.map(str::to_owned).collect()
}

/// Adds a line to the note of the commit that is checked out. No commit is made, and no branch moves.
///
/// # Errors
/// git's reason, or that there is no commit to put it at.
pub fn note(config: &Config, line: &str) -> Result<(), String> {
    run(
        config,
        &["notes", "--ref=countersign", "append", "--message", line],
    )
    .map(drop)
}

/// Where [`note`] puts them.
const NOTES: &str = "--notes=refs/notes/countersign";

/// Runs git in the folder of the configuration; answers what it printed, or why it failed.
fn run(config: &Config, words: &[&str]) -> Result<String, String> {
    let folder: &Path = config.folder();
    let output = Command::new("git")
        .args([OsStr::new("-C"), folder.as_os_str()])
        .args(words)
        .output()
        .map_err(|error| format!("it cannot be run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = harmless::lines(&text(&output.stderr));
    Err(said.lines().next().unwrap_or_default().to_owned())
}
