//! Which versions the live one may be rolled back to, by the history of wrangler.toml.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::Write;

use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::{Loss, losses};
use serde::Serialize;

use crate::rotation::history::Revision;
use crate::rotation::key_roles::{opening, opening_at_origin};
use crate::rotation::revocation::{KeyReplacement, is_retirement, message};
use crate::terminal::style::{ERROR, FAINT, GOOD, STRONG, styled};

/// The live revision and those before it, the newest first.
///
/// # Errors
/// Why they are not known.
pub fn up_to_live<'h>(
    history: Option<&'h [Revision]>,
    live: &Capabilities,
) -> Result<&'h [Revision], &'static str> {
    let history = history.ok_or("the configuration has no history in git here")?;
    let at = history.iter().position(|revision| is_live(revision, live));
    let from = at.and_then(|at| history.get(at..));
    from.ok_or("no commit of the configuration is what is live")
}

/// A commit of wrangler.toml that was live before, as `status --json` has it.
#[derive(Serialize)]
pub struct RollbackTarget {
    /// Its name, as short as git has it.
    commit: String,
    /// The first line of its message.
    subject: String,
    /// Whether it may be rolled back to.
    possible: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether it is what is live by its names: what it was deployed with before had other bytes.
    #[serde(skip)]
    is_live: bool,
}

/// Each revision before the live one that it may be rolled back to, each that would bring a revoked key back, and
/// the first that would lose sessions. Keys go by their names: the history holds no bytes.
pub fn targets(
    up_to_live: &[Revision],
    live: &Capabilities,
    new_bytes: &[KeyReplacement],
    now: u64,
) -> Vec<RollbackTarget> {
    let history = History {
        revisions: up_to_live,
        capabilities: up_to_live.iter().map(|_| OnceCell::new()).collect(),
        live,
        new_bytes,
        now,
    };
    history.targets()
}

/// The same as text, or why it is not known.
pub fn shown(targets: Result<&[RollbackTarget], &str>) -> String {
    let mut text = format!("\n{}\n", styled(STRONG, "roll back to"));
    let note = |text: &str| format!("  {}\n", styled(FAINT, text));
    let targets = match targets {
        Ok(targets) => targets,
        Err(why) => return text + &note(&format!("not known: {why}")),
    };
    if targets.is_empty() {
        return text + &note("nothing: no commit of the configuration was live before this one");
    }
    for target in targets {
        let _ = writeln!(text, "{}", target.line()); // writing to a String cannot fail
    }
    text + &note("a version carries its commit's message, and the bytes that its secrets had then")
}

impl RollbackTarget {
    fn of(revision: &Revision, is_live: bool, reason: Option<String>) -> Self {
        Self {
            commit: revision.commit.clone(),
            subject: revision.subject.clone(),
            possible: reason.is_none(),
            reason,
            is_live,
        }
    }

    fn line(&self) -> String {
        let Self {
            commit, subject, ..
        } = self;
        let which = if self.is_live {
            " (as it was deployed before)"
        } else {
            ""
        };
        match &self.reason {
            None => format!("  {}  {commit}  {subject}{which}", styled(GOOD, "yes")),
            Some(why) => format!(
                "  {}   {commit}  {subject}{which}: {why}",
                styled(ERROR, "no")
            ),
        }
    }
}

/// What was live before, and what is now.
struct History<'p> {
    /// The live revision, and those before it.
    revisions: &'p [Revision],
    /// What each seals and opens, once it has been asked for.
    capabilities: Vec<OnceCell<Option<Capabilities>>>,
    live: &'p Capabilities,
    new_bytes: &'p [KeyReplacement],
    now: u64,
}

impl History<'_> {
    /// None where the Worker refuses it.
    fn capabilities(&self, at: usize) -> Option<&Capabilities> {
        let (known, revision) = (self.capabilities.get(at)?, self.revisions.get(at)?);
        known.get_or_init(|| capabilities(revision)).as_ref()
    }

    fn targets(&self) -> Vec<RollbackTarget> {
        let mut targets = Vec::new();
        for (at, revision) in self.revisions.iter().enumerate() {
            let revoked = self.revoked(at, revision);
            let is_live = self
                .capabilities(at)
                .is_some_and(|own| *own == self.live.without_fingerprints());
            if !revoked.is_empty() {
                let keys: Vec<String> = revoked.into_iter().collect();
                let why = format!("it would accept {} again", keys.join(" and "));
                targets.push(RollbackTarget::of(revision, is_live, Some(why)));
                continue;
            }
            if is_live {
                continue;
            }
            let lost = self.lost(at);
            let is_last = lost.is_some();
            targets.push(RollbackTarget::of(revision, false, lost));
            if is_last {
                break;
            }
        }
        targets
    }

    /// The keys that a revision opens, and the live one does not because they were revoked.
    fn revoked(&self, at: usize, revision: &Revision) -> BTreeSet<String> {
        let Some(old) = self.capabilities(at) else {
            return BTreeSet::new();
        };
        let is_managed = |rule: &str| self.live.rules.iter().any(|live| live.name == rule);
        let (had, has) = (opening(old, self.now), opening(self.live, self.now));
        let gone = had.difference(&has);
        let gone = gone.filter(|key| is_managed(&key.0) && self.was_revoked(at, key));
        let (had_origin, has_origin) = (opening_at_origin(old), opening_at_origin(self.live));
        let gone_there = had_origin.difference(&has_origin);
        let gone_there = gone_there.filter(|(_, key)| self.says(at, &message(key)));
        let named = gone.chain(gone_there).map(|(_, key)| key.clone());
        let new = self.new_bytes.iter().filter(|new| {
            let is_before = revision.time.is_none_or(|time| time <= new.time);
            is_before && had.iter().any(|(_, key)| *key == new.key)
        });
        named.chain(new.map(|new| new.key.clone())).collect()
    }

    /// Whether some commit since took the key out of the ring, and was no retirement. A commit that somebody has
    /// worded anew is none. That a key's time has come to an end is no commit.
    fn was_revoked(&self, at: usize, key: &(String, String)) -> bool {
        let opens = |at: usize| {
            let own = self.capabilities(at);
            own.is_some_and(|own| opening(own, 0).contains(key))
        };
        let since = self.revisions.iter().take(at).enumerate();
        since.into_iter().any(|(newer, revision)| {
            let is_gone = !opens(newer) && opens(newer + 1);
            is_gone && !is_retirement(&revision.subject, &key.1)
        })
    }

    /// Whether a commit since has this subject.
    fn says(&self, at: usize, subject: &str) -> bool {
        let since = self.revisions.get(..at).unwrap_or_default();
        since.iter().any(|revision| revision.subject == subject)
    }

    /// Why it may not be rolled back to; none where it may.
    fn lost(&self, at: usize) -> Option<String> {
        let Some(before) = self.capabilities(at) else {
            return Some("the Worker refuses it".to_owned());
        };
        let forth = losses(self.live, before, self.now);
        let back = losses(before, self.live, self.now);
        forth.iter().chain(&back).next().map(Loss::to_string)
    }
}

/// Whether it is what is live, as far as names tell.
fn is_live(revision: &Revision, live: &Capabilities) -> bool {
    capabilities(revision).is_some_and(|own| own == live.without_fingerprints())
}

fn capabilities(revision: &Revision) -> Option<Capabilities> {
    revision.draft.capabilities().ok()
}
