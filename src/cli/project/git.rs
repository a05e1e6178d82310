//! Asks git, and makes the one commit that a deployment stands on.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::project::config::Config;
use crate::project::file::{self, cause};
use crate::terminal::answer::Failure;
use crate::terminal::harmless;
use crate::terminal::process::{self, ProcessError};

/// How far back the history is read.
const LONGEST: &str = "--max-count=1000";

/// Refuses a working tree with changes: what is deployed has to be a commit.
///
/// # Errors
/// There are changes, or no git.
pub fn refuse_dirty(config: &Config) -> Result<(), Failure> {
    let changes = run(config, &["status", "--porcelain"]).map_err(|error| {
        error.into_failure(|why| {
            Failure::refused(format!("--deploy needs a commit, and git failed: {why}"))
        })
    })?;
    if changes.trim().is_empty() {
        return Ok(());
    }
    Err(
        Failure::refused("the working tree has changes: what is deployed has to be a commit")
            .hint("commit or stash them: git status"),
    )
}

/// Refuses where git would not make the commit, or nobody would find it again.
///
/// # Errors
/// Nobody is named as the author, the file is not tracked, no branch is checked out, or a merge is under way.
pub fn refuse_uncommittable(config: &Config) -> Result<(), Failure> {
    let refused = |what: &str| {
        let what = format!("--deploy makes a commit, and {what}");
        move |why: String| Failure::refused(format!("{what}: {why}"))
    };
    for who in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
        run(config, &["var", who]).map_err(|error| {
            let failure = error.into_failure(refused("git does not know who makes it"));
            failure.hint("git config user.name \"…\" and git config user.email \"…\"")
        })?;
    }
    let file = config.file_name();
    run(config, &["ls-files", "--error-unmatch", "--", &file])
        .map_err(|error| error.into_failure(refused("git does not track the configuration")))?;
    if let Some(what) = under_way(config) {
        return Err(
            Failure::refused(format!("--deploy makes a commit, and {what} is under way"))
                .hint("bring it to its end, or give it up: git status"),
        );
    }
    run(config, &["symbolic-ref", "--quiet", "HEAD"])
        .map(drop)
        .map_err(|error| {
            error
                .into_failure(|_| {
                    Failure::refused(
                        "--deploy makes a commit, and no branch is checked out: it would be lost",
                    )
                })
                .hint("check one out: git switch main; in a job that GitLab runs: git switch --force-create \"$CI_COMMIT_BRANCH\"")
        })
}

/// What somebody has begun in the repository and not ended.
fn under_way(config: &Config) -> Option<&'static str> {
    let mut words = vec!["rev-parse"];
    words.extend(UNDER_WAY.iter().flat_map(|(file, _)| ["--git-path", file]));
    let paths = run(config, &words).ok()?;
    let mut each = paths.lines().zip(UNDER_WAY);
    let found = each.find(|(path, _)| config.folder().join(path).exists());
    found.map(|(_, (_, what))| what)
}

const UNDER_WAY: [(&str, &str); 5] = [
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
];

/// Commits the configuration, which holds `after`, and nothing else. Where that fails, it holds `before` again.
///
/// # Errors
/// git refuses, as a hook makes it do, or somebody asks this program to end.
pub fn commit(config: &Config, message: &str, before: &str) -> Result<(), Failure> {
    let name = config.file_name();
    let head = head(config);
    let words = ["commit", "--quiet", "--message", message, "--", &name];
    let Err(error) = run(config, &words) else {
        return Ok(());
    };
    let failure = error.into_failure(|why| {
        Failure::unreachable(format!("git did not commit {name}:{}", said(&why)))
    });
    let failure = if failure.is_interrupted() {
        failure.during("while git made the commit")
    } else {
        failure
    };
    // one that was ended may have made it
    if self::head(config) != head {
        return Err(failure.hint(format!("the commit {message:?} is made, and nothing is uploaded: run the command again, or take it back with git revert")));
    }
    Err(match take_back(config, before) {
        Ok(()) => failure.hint(format!("{name} is as it was before, and nothing is uploaded")),
        Err(also) => failure.hint(format!("{name} has the change, which is not committed: {also}; take it back: git checkout -- {name}")),
    })
}

/// One line behind the colon, or several below it.
fn said(why: &str) -> String {
    let lines: Vec<&str> = why.lines().filter(|line| !line.trim().is_empty()).collect();
    match lines.as_slice() {
        [one] => format!(" {one}"),
        many => many.iter().map(|line| format!("\n  {line}")).collect(),
    }
}

/// Writes the configuration as it was, whatever a hook has made of it, and has git stage nothing of it.
fn take_back(config: &Config, before: &str) -> Result<(), Failure> {
    let now = fs::read(&config.path).map_err(|error| Failure::usage(cause(&error)))?;
    file::replace(&config.path, &now, before.as_bytes())?;
    let name = config.file_name();
    run(config, &["reset", "--quiet", "--", &name])
        .map(drop)
        .map_err(|error| error.into_failure(Failure::unreachable))
}

/// The commit that is checked out; none where there is none yet.
fn head(config: &Config) -> Option<String> {
    run(config, &["rev-parse", "HEAD"]).ok()
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
    .map_err(GitError::line)
}

/// Where [`note`] puts them.
const NOTES: &str = "--notes=refs/notes/countersign";

/// Why git has not done what it was asked.
enum GitError {
    /// Its words.
    Failed(String),
    /// Somebody has asked this program to end.
    Interrupted,
}

impl GitError {
    /// The failure that its words make, or that somebody asks this program to end.
    fn into_failure(self, of: impl FnOnce(String) -> Failure) -> Failure {
        match self {
            Self::Failed(why) => of(why),
            Self::Interrupted => Failure::interrupted(),
        }
    }

    /// In one line.
    fn line(self) -> String {
        match self {
            Self::Failed(why) => why.lines().next().unwrap_or_default().to_owned(),
            Self::Interrupted => Failure::interrupted().to_string(),
        }
    }
}

/// Runs git in the folder of the configuration; answers what it printed.
fn run(config: &Config, words: &[&str]) -> Result<String, GitError> {
    let folder: &Path = config.folder();
    let mut command = Command::new("git");
    command
        .args([OsStr::new("-C"), folder.as_os_str()])
        .args(words);
    let output = process::run(command, None).map_err(|error| match error {
        ProcessError::CannotRun(error) => GitError::Failed(format!("it cannot be run: {error}")),
        ProcessError::Interrupted => GitError::Interrupted,
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(GitError::Failed(harmless::lines(&text(&output.stderr))))
}
