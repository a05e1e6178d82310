//! The history of wrangler.toml: what each commit made of an environment.

use crate::project::config::Environment;
use crate::project::git::{self, Commit};
use crate::rotation::editing::Draft;

/// A commit that changed the configuration, and what it made of it.
pub struct Revision {
    /// The commit's name, as short as git has it.
    pub commit: String,
    /// When it was made, in Unix seconds; none where git does not tell.
    pub time: Option<u64>,
    /// The first line of its message.
    pub subject: String,
    pub draft: Draft,
}

/// The history, the newest first; none where there is none to ask. Commits in which the file cannot be read
/// or has no such environment are left out.
pub fn read(environment: &Environment<'_>) -> Option<Vec<Revision>> {
    let config = environment.config();
    let revision = |commit: Commit| {
        Some(Revision {
            draft: Draft::parse(&commit.text, environment.name, config.path.clone())?,
            commit: commit.name,
            time: commit.time,
            subject: commit.subject,
        })
    };
    let commits = git::commits(config)?;
    Some(commits.into_iter().filter_map(revision).collect())
}

/// Since when something holds without a break up to the newest revision, in Unix seconds; none where it does not
/// hold there, or git does not tell the time. Where it holds in all of them, it may have held before.
pub fn since(history: &[Revision], holds: impl Fn(&Revision) -> bool) -> Option<u64> {
    let holding = history.iter().take_while(|revision| holds(revision));
    holding.last()?.time
}
