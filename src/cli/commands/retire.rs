//! `countersign retire`: a key that is out of use leaves the ring; a format, a rule.

use std::fmt::Write;

use clap::Args;
use countersign_core::crypto::key::KeyId;
use serde_json::Value;

use crate::remote::usage::KeyUse;
use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::key_or_format::{KeyOrFormatArguments, shown};
use crate::rotation::options::ChangeOptions;
use crate::rotation::out_of_use::{Opener, Subject};
use crate::rotation::revocation;
use crate::rotation::run::Run;
use crate::rotation::step::{self, Step};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::time;

mod known_use;

use known_use::{KnownUse, format_replacement, known, longest, replacement};

/// Take a key that is out of use out of the ring
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct RetireArguments {
    #[command(flatten)]
    what: KeyOrFormatArguments,

    /// Over how many days its uses are counted
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=90))]
    days: u32,

    /// Retire it although it is not known whether it is still in use
    #[arg(long)]
    yes_unknown: bool,

    #[command(flatten)]
    options: ChangeOptions,
}

/// Over how many days uses are counted unless it is said otherwise.
const DAYS: u32 = 7;

const AFTER_HELP: &str = "\
Examples:
  countersign retire KEY_2026_05
  countersign retire KEY_2026_05 --days 30 --deploy
  countersign retire DJANGO_SECRET_KEY
      out of the ring; it stays `origin`, with which the site signs

The uses of the last days come from the live Worker's ledger. Where it has none,
they come from Analytics Engine, where wrangler.toml binds USAGE;
CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID then have to be in the
environment. A key whose `until` is past opens nothing and goes without asking.

Exit codes:
  0  done
  1  refused: it is in use, or that is not known
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

/// What to do where it still seals in what is live.
const PREREQUISITE: &str =
    "it still seals something there: promote another one first, and deploy that to all traffic";

/// Why nothing is retired.
#[derive(Debug)]
pub enum RetireError {
    /// The key seals what browsers get.
    IsCurrent { key: String },
    /// The key is no fallback of the ring.
    NotListed { key: String },
    /// The rule does not accept the format.
    NotAccepted { rule: String, format: String },
    /// It opened cookies of late.
    InUse {
        what: String,
        days: u32,
        uses: Vec<KeyUse>,
        /// When it last did, and when none is expected any more, for people.
        outlook: Option<String>,
        /// When it may go without asking, as it is written.
        until: Option<String>,
    },
    /// Nobody knows whether it opened any.
    UnknownUse {
        what: String,
        why: String,
        until: Option<String>,
    },
    /// What every command may meet.
    Other(Failure),
}

impl RetireArguments {
    /// The command for a key whose `until` is past, as `countersign rotate` gives it.
    pub fn of_ended(what: KeyOrFormatArguments, options: ChangeOptions) -> Self {
        Self {
            what,
            days: DAYS,
            yes_unknown: false,
            options,
        }
    }

    /// The command for a key that nobody has used for so many days.
    pub fn of_unused(what: KeyOrFormatArguments, days: u32, options: ChangeOptions) -> Self {
        Self {
            days,
            ..Self::of_ended(what, options)
        }
    }

    /// Retires it.
    pub fn run(self) -> Result<Answer, RetireError> {
        step::take(&self, &self.what, &self.options)
    }

    /// Refuses what somebody may still need; answers what is known.
    fn refuse_in_use(
        &self,
        run: &Run<'_>,
        what: &str,
        until: Option<String>,
        subject: &Subject<'_>,
    ) -> Result<Vec<String>, RetireError> {
        if let Some(until) = &until
            && let Some(end) = time::read(until)
            && end <= run.now()?
        {
            return Ok(vec![format!("{what} has opened nothing since {until}")]);
        }
        match known(run, subject, self.days)? {
            KnownUse::None(note) => Ok(vec![format!("{what} {note}")]),
            KnownUse::Some { uses, outlook } => Err(RetireError::InUse {
                what: what.to_owned(),
                days: self.days,
                uses,
                outlook,
                until,
            }),
            KnownUse::Unknown(why) if self.yes_unknown => {
                Ok(vec![format!("whether {what} is in use is unknown: {why}")])
            }
            KnownUse::Unknown(why) => Err(RetireError::UnknownUse {
                what: what.to_owned(),
                why,
                until,
            }),
        }
    }
}

impl Step for RetireArguments {
    type Error = RetireError;

    fn with_key(
        &self,
        run: &Run<'_>,
        mut draft: Draft,
        key: &KeyId,
        ring: Ring<'_>,
    ) -> Result<Change, RetireError> {
        let key = key.as_str();
        let message = revocation::retirement(key);
        let fallbacks = draft.fallbacks(ring)?;
        let listed = fallbacks.into_iter().find(|(known, _)| known == key);
        let is_current = draft.current(ring)? == key;
        let Some((_, until)) = listed else {
            let key = key.to_owned();
            return if is_current {
                Err(RetireError::IsCurrent { key })
            } else if self.options.deploy {
                Ok(Change::new(draft, message, PREREQUISITE))
            } else {
                Err(RetireError::NotListed { key })
            };
        };
        let notes = if is_current {
            // the entry in the list says nothing: the key opens as the current one
            vec![format!("{key} stays the current key")]
        } else {
            let rules = draft.rules(ring);
            let subject = Subject {
                opener: Opener::Key(key),
                rules: &rules,
                replacement: replacement(run, key, ring),
                longest: longest(&draft, &rules),
            };
            self.refuse_in_use(run, key, until, &subject)?
        };
        draft.unlist(ring, key)?;
        Ok(Change::new(draft, message, PREREQUISITE).with_notes(notes))
    }

    fn with_format(
        &self,
        run: &Run<'_>,
        mut draft: Draft,
        format: &Value,
        rule: &str,
    ) -> Result<Change, RetireError> {
        let name = shown(format);
        let message = format!("Accept {rule} in {name} no longer");
        let accepted = draft.accepted(rule)?;
        let Some((_, until)) = accepted.into_iter().find(|(known, _)| known == format) else {
            if self.options.deploy {
                return Ok(Change::new(draft, message, PREREQUISITE));
            }
            return Err(RetireError::NotAccepted {
                rule: rule.to_owned(),
                format: name,
            });
        };
        let rules = [rule.to_owned()];
        let subject = Subject {
            opener: Opener::AcceptedFormat,
            rules: &rules,
            replacement: format_replacement(run, format, rule),
            longest: longest(&draft, &rules),
        };
        let notes = self.refuse_in_use(run, &name, until, &subject)?;
        draft.unaccept(rule, format)?;
        Ok(Change::new(draft, message, PREREQUISITE).with_notes(notes))
    }
}

impl From<Failure> for RetireError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<RetireError> for Failure {
    fn from(error: RetireError) -> Self {
        match error {
            RetireError::IsCurrent { key } => Self::refused(format!(
                "{key} is the current key: it seals what browsers get"
            ))
            .hint("promote another one first"),
            RetireError::NotListed { key } => {
                Self::refused(format!("{key} is no fallback of the ring"))
            }
            RetireError::NotAccepted { rule, format } => {
                Self::refused(format!("{rule} does not accept {format}"))
            }
            RetireError::InUse {
                what,
                days,
                uses,
                outlook,
                until,
            } => {
                let mut text =
                    format!("{what} is in use; cookies that it opened in the last {days} days:");
                for used in uses {
                    // writing to a String cannot fail
                    let _ = write!(text, "\n  {}: {} {}", used.rule, used.count, used.verdict);
                }
                text.extend(outlook.map(|outlook| format!("\n{outlook}")));
                Self::refused(text).hint(end_of(until.as_deref()))
            }
            RetireError::UnknownUse { what, why, until } => {
                Self::refused(format!("whether {what} is in use is unknown: {why}")).hint(format!(
                    "{}; or add --yes-unknown",
                    end_of(until.as_deref())
                ))
            }
            RetireError::Other(failure) => failure,
        }
    }
}

fn end_of(until: Option<&str>) -> String {
    match until {
        Some(until) => format!("it may go without asking when its `until` is past, {until}"),
        None => "give its entry an `until`, from which on it may go without asking".to_owned(),
    }
}
