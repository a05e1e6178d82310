//! One step of a key's or a format's life: the edited configuration, and what it does to sessions.

use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::{Note, losses, notes};

use crate::project::config::{Config, Environment};
use crate::project::{difference, git};
use crate::remote::deploy::NewSecret;
use crate::remote::wrangler;
use crate::rotation::baseline::Baseline;
use crate::rotation::editing::Draft;
use crate::terminal::answer::Failure;
use crate::terminal::style::{HINT, STRONG, WARNING, styled};

/// A step.
pub struct Change {
    /// The edited configuration.
    pub draft: Draft,
    /// Says what it does: the commit's message.
    pub message: String,
    /// What there is to say beside it.
    pub notes: Vec<String>,
    /// What to do first, where it cannot be done with what is live.
    pub prerequisite: String,
    /// The key that it revokes: it goes to all traffic at once, and may end sessions.
    pub revokes: Option<String>,
    /// Who logs in again because of that.
    pub logins: Option<String>,
    /// A new secret that goes with it.
    pub secret: Option<NewSecret>,
    /// A cookie that it has to open.
    pub cookie: Option<String>,
}

impl Change {
    /// The draft as it stands.
    pub fn new(draft: Draft, message: impl Into<String>, prerequisite: impl Into<String>) -> Self {
        Self {
            draft,
            message: message.into(),
            notes: Vec::new(),
            prerequisite: prerequisite.into(),
            revokes: None,
            logins: None,
            secret: None,
            cookie: None,
        }
    }

    /// The same with something to say beside it.
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// Whether it changes the file.
    pub fn is_edited(&self) -> bool {
        self.draft.text() != self.draft.before()
    }

    /// The lines that change, what ends, and what else there is to say.
    pub fn describe(&self, config: &Config, ends: &[String]) -> String {
        let mut text = String::new();
        if self.is_edited() {
            let lines = difference::lines(self.draft.before(), self.draft.text());
            text = format!("{}\n{lines}", styled(STRONG, config.path.display()));
        }
        for end in ends {
            text.push_str(&format!("{} {end}\n", styled(WARNING, "ends:")));
        }
        text.extend(self.logins.as_deref().map(logins_line));
        for note in &self.notes {
            text.push_str(&note_line(note));
        }
        text
    }

    /// The commands with which the operator deploys the edited file.
    pub fn next_commands(&self, environment: &Environment<'_>) -> String {
        let commit = git::typed(environment.config(), &self.message);
        let commands = [commit, wrangler::typed(environment, &["deploy"])];
        let lines = commands.map(|command| format!("{} {command}\n", styled(HINT, "next:")));
        lines.concat()
    }

    /// Refuses what would end sessions while both are live.
    ///
    /// # Errors
    /// One seals what the other does not open.
    pub fn refuse_losses(&self, before: &Baseline, after: &Capabilities) -> Result<(), Failure> {
        let now = before.now;
        let by_change = losses(&before.capabilities, after, now).into_iter();
        let by_rollback = losses(after, &before.capabilities, now).into_iter();
        let by_change = by_change.map(|loss| format!("\n  lost by the change: {loss}"));
        let by_rollback = by_rollback.map(|loss| format!("\n  lost by rolling back: {loss}"));
        let lost: String = by_change.chain(by_rollback).collect();
        if lost.is_empty() {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "sessions would be lost; what is live is {}{lost}",
            before.source
        ))
        .hint(self.prerequisite.clone()))
    }
}

/// What a revocation ends.
pub fn ended(before: &Baseline, after: &Capabilities) -> Vec<String> {
    let now = before.now;
    let lost = losses(&before.capabilities, after, now);
    let noted = notes(&before.capabilities, after, now);
    let noted = noted
        .iter()
        .filter(|note| !matches!(note, Note::Opens { .. }));
    let lost = lost.iter().map(ToString::to_string);
    lost.chain(noted.map(ToString::to_string)).collect()
}

/// A line that says who logs in again.
pub fn logins_line(who: &str) -> String {
    format!("{} {who}\n", styled(WARNING, "logs in again:"))
}

/// A line that says something beside the rest.
pub fn note_line(note: &str) -> String {
    format!("{} {note}\n", styled(WARNING, "note:"))
}
