//! `countersign promote`: a staged key, or format, becomes the one that seals.

use clap::Args;
use countersign_core::crypto::key::KeyId;
use countersign_core::operations::capabilities::PLAIN;
use serde_json::Value;

use crate::remote::wrangler;
use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::rotation::key_or_format::{KeyOrFormatArguments, shown};
use crate::rotation::options::ChangeOptions;
use crate::rotation::promotion::{PREREQUISITE, promote};
use crate::rotation::run::Run;
use crate::rotation::step::{self, Step};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::time;

/// Make a staged key or format the one that seals
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct PromoteArguments {
    #[command(flatten)]
    what: KeyOrFormatArguments,

    /// How long the one before it still opens [default: the longest max_age of its rules]
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    grace: Option<u64>,

    /// How old a cookie may grow from now on, where its new format is the first that carries a time
    #[arg(long, value_name = "DURATION", value_parser = time::duration, requires = "format")]
    max_age: Option<u64>,

    #[command(flatten)]
    options: ChangeOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign promote KEY_2026_11
      `current` in wrangler.toml; the key before it opens until …
  countersign promote KEY_2026_11 --grace 30d
  countersign promote KEY_2026_11 --deploy
      and live, tried before it gets traffic
  countersign promote --rule sessionid --format \\
      'format = \"django-session\", digest = \"sha256\"'

Refused unless the live Worker opens the key already: stage it first, and deploy
that. Never roll back to a version before the staging.

Exit codes:
  0  done
  1  refused: it would do harm, or is done already
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

/// Why nothing is promoted.
#[derive(Debug)]
pub enum PromoteError {
    /// The key is the current one already.
    IsCurrent { key: String },
    /// The key is no fallback; ` --env NAME` for the commands of its environment.
    NotStaged { key: String, option: String },
    /// The rule is sealed in the format already.
    IsSealed { rule: String, format: String },
    /// The rule does not accept the format.
    NotAccepted { rule: String, format: String },
    /// What every command may meet.
    Other(Failure),
}

impl PromoteArguments {
    /// The command for a key, as `countersign rotate` gives it.
    pub fn of_key(what: KeyOrFormatArguments, grace: Option<u64>, options: ChangeOptions) -> Self {
        Self {
            what,
            grace,
            max_age: None,
            options,
        }
    }

    /// Promotes it.
    pub fn run(self) -> Result<Answer, PromoteError> {
        step::take(&self, &self.what, &self.options)
    }

    /// The step for a key that is current in the file: it may be left to deploy.
    fn deploy_again(&self, run: &Run<'_>, draft: Draft, key: &str) -> Result<Change, PromoteError> {
        if !self.options.deploy {
            return Err(PromoteError::IsCurrent {
                key: key.to_owned(),
            });
        }
        let prerequisite = format!(
            "what is live does not open {key}: deploy the staging to all traffic first; or, where a rollback has brought that version back, roll forward at once: {}",
            wrangler::typed(&run.environment, &["deploy"])
        );
        Ok(Change::new(draft, format!("Promote {key}"), prerequisite))
    }
}

impl Step for PromoteArguments {
    type Error = PromoteError;

    fn with_key(
        &self,
        run: &Run<'_>,
        draft: Draft,
        key: &KeyId,
        ring: Ring<'_>,
    ) -> Result<Change, PromoteError> {
        let key = key.as_str();
        if draft.current(ring)? == key {
            return self.deploy_again(run, draft, key);
        }
        if !draft.fallbacks(ring)?.iter().any(|(known, _)| known == key) {
            return Err(PromoteError::NotStaged {
                key: key.to_owned(),
                option: run.option(),
            });
        }
        Ok(promote(draft, key, ring, self.grace, run.now()?)?)
    }

    fn with_format(
        &self,
        run: &Run<'_>,
        mut draft: Draft,
        format: &Value,
        rule: &str,
    ) -> Result<Change, PromoteError> {
        let name = shown(format);
        let message = format!("Seal {rule} in {name}");
        let old = draft.format(rule)?;
        if old == *format {
            if self.options.deploy {
                return Ok(Change::new(draft, message, PREREQUISITE));
            }
            return Err(PromoteError::IsSealed {
                rule: rule.to_owned(),
                format: name,
            });
        }
        let accepted = draft.accepted(rule)?;
        if !accepted.iter().any(|(known, _)| known == format) {
            return Err(PromoteError::NotAccepted {
                rule: rule.to_owned(),
                format: name,
            });
        }
        let now = run.now()?;
        let grace = self.grace.or(self.max_age);
        let seconds = grace::seconds(grace, &draft.policy()?, &[rule.to_owned()])?;
        let until = grace::until(now, seconds);
        draft.promote_format(rule, format, Some(&until))?;
        if let Some(seconds) = self.max_age {
            draft.limit_age(rule, seconds)?;
        }
        let mut change = Change::new(draft, message, PREREQUISITE);
        change.notes.extend(grace::note(self.grace, now, &until));
        if old["format"] == PLAIN {
            change.notes.push(format!(
                "until {until} whoever guesses a value of {rule} can have it signed: where that is a login, take {{ format = \"plain\" }} out of `accept` before you deploy, and all log in again"
            ));
        }
        Ok(change)
    }
}

impl From<Failure> for PromoteError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<PromoteError> for Failure {
    fn from(error: PromoteError) -> Self {
        match error {
            PromoteError::IsCurrent { key } => {
                Self::refused(format!("{key} is the current key already"))
                    .hint("deploy it; when the key before it is out of use: countersign retire")
            }
            PromoteError::NotStaged { key, option } => Self::refused(format!(
                "{key} is not staged: no version opens what it would seal"
            ))
            .hint(format!("countersign stage {key}{option}")),
            PromoteError::IsSealed { rule, format } => {
                Self::refused(format!("{rule} is sealed in {format} already"))
            }
            PromoteError::NotAccepted { rule, format } => Self::refused(format!(
                "{rule} does not accept {format} yet"
            ))
            .hint("stage it first, as it is to be promoted: countersign stage --rule … --format …"),
            PromoteError::Other(failure) => failure,
        }
    }
}
