//! `countersign promote`: a staged key, or format, becomes the one that seals.

use clap::Args;
use countersign_core::operations::capabilities::PLAIN;
use serde_json::Value;

use crate::project::config::Environment;
use crate::remote::wrangler::typed;
use crate::rotation::change::{Change, Where};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::rotation::promotion::{again, promoted};
use crate::rotation::subject::{About, Subject, shown};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::time;

/// Make a staged key or format the one that seals
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Promote {
    #[command(flatten)]
    subject: Subject,

    /// How long the one before it still opens [default: the longest max_age of its rules]
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    grace: Option<u64>,

    /// How old a cookie may grow from now on, where its new format is the first that carries a time
    #[arg(long, value_name = "DURATION", value_parser = time::duration, requires = "format")]
    max_age: Option<u64>,

    #[command(flatten)]
    place: Where,
}

const AFTER_HELP: &str = "\
Examples:
  countersign promote KEY_2026_11               `current` in wrangler.toml; the key before it opens until …
  countersign promote KEY_2026_11 --grace 30d
  countersign promote KEY_2026_11 --deploy      and live, tried before it gets traffic
  countersign promote --rule sessionid --format 'format = \"django-session\", digest = \"sha256\"'

Refused unless the live Worker opens the key already: stage it first, and deploy that. Never roll back
to a version before the staging.

Exit codes:
  0  done
  1  refused: it would do harm, or is done already
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

impl Promote {
    /// Promotes it.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.place.config()?;
        let environment = self.place.environment(&config)?;
        let draft = Draft::open(&environment)?;
        let change = match self.subject.read()? {
            About::Key(key, ring) => self.key(&environment, draft, key.as_str(), ring)?,
            About::Format(format, rule) => self.format(&environment, draft, &format, rule)?,
        };
        self.place.carry_out(&environment, change)
    }

    fn key(
        &self,
        environment: &Environment<'_>,
        draft: Draft,
        key: &str,
        ring: Ring<'_>,
    ) -> Result<Change, Failure> {
        if draft.current(ring)? == key {
            let is_done = Failure::refused(format!("{key} is the current key already"));
            return match self.place.deploys() {
                true => Ok(Change {
                    first: format!(
                        "what is live does not open {key}: deploy the staging to all traffic first; or, where a rollback has brought that version back, roll forward at once: {}",
                        typed(environment, &["deploy"])
                    ),
                    ..again(draft, format!("Promote {key}"))
                }),
                false => Err(is_done
                    .hint("deploy it; when the key before it is out of use: countersign retire")),
            };
        }
        if !draft.fallbacks(ring)?.iter().any(|(known, _)| known == key) {
            return Err(Failure::refused(format!(
                "{key} is not staged: no version opens what it would seal"
            ))
            .hint(format!("countersign stage {key}{}", self.place.option())));
        }
        let now = self.place.now(environment)?;
        promoted(draft, key, ring, self.grace, now)
    }

    fn format(
        &self,
        environment: &Environment<'_>,
        mut draft: Draft,
        format: &Value,
        rule: &str,
    ) -> Result<Change, Failure> {
        let name = shown(format);
        let message = format!("Seal {rule} in {name}");
        if draft.format(rule)? == *format {
            return match self.place.deploys() {
                true => Ok(again(draft, message)),
                false => Err(Failure::refused(format!(
                    "{rule} is sealed in {name} already"
                ))),
            };
        }
        if !draft
            .accepted(rule)?
            .iter()
            .any(|(known, _)| known == format)
        {
            return Err(Failure::refused(format!("{rule} does not accept {name} yet"))
                .hint("stage it first, as it is to be promoted: countersign stage --rule … --format …"));
        }
        let seconds = grace::seconds(
            self.grace.or(self.max_age),
            &draft.policy()?,
            &[rule.to_owned()],
        )?;
        let until = grace::until(self.place.now(environment)?, seconds);
        let adopts = draft.format(rule)?["format"] == PLAIN;
        draft.promote_format(rule, format, Some(&until))?;
        if let Some(seconds) = self.max_age {
            draft.limit_age(rule, seconds)?;
        }
        let mut change = again(draft, message);
        if adopts {
            change.notes.push(format!(
                "until {until} anyone can have a value of {rule} signed that he can guess: where that is a login, take {{ format = \"plain\" }} out of `accept` before you deploy, and all log in again"
            ));
        }
        Ok(change)
    }
}
