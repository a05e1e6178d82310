//! `countersign retire`: a key that is out of use leaves the ring; a format, a rule.

use std::fmt::Write;

use clap::Args;
use countersign_core::crypto::key::KeyId;
use serde_json::Value;

use crate::commands::board::words;
use crate::project::git;
use crate::remote::figures::Scope;
use crate::remote::ledger::{Ledger, LedgerReply};
use crate::remote::usage::{self, KeyUse, Usage};
use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::rotation::history::{self, since};
use crate::rotation::key_or_format::{KeyOrFormatArguments, shown};
use crate::rotation::options::ChangeOptions;
use crate::rotation::out_of_use::{LedgerFinding, Opener, Replacement, Subject, look_up};
use crate::rotation::revocation;
use crate::rotation::ring_history;
use crate::rotation::run::Run;
use crate::rotation::step::{self, Step};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::time;

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

/// What is known of the use of a key or a format.
enum KnownUse {
    /// None, and how that is known.
    None(String),
    Some {
        uses: Vec<KeyUse>,
        outlook: Option<String>,
    },
    /// Nothing, and why.
    Unknown(String),
}

/// By the ledger of the live Worker, or by Analytics Engine where it has none.
fn known(run: &Run<'_>, subject: &Subject<'_>, days: u32) -> Result<KnownUse, Failure> {
    let is_asked = run.options.against.is_none() && !run.options.offline;
    let reply = if is_asked {
        run.live_worker()?.ledger_or_silence()
    } else {
        LedgerReply::Unbound
    };
    match reply {
        LedgerReply::Known(ledger) => Ok(by_ledger(&ledger, subject, days)),
        LedgerReply::Silent(why) => Ok(KnownUse::Unknown(why)),
        LedgerReply::Unbound => by_analytics(run, subject, days),
    }
}

fn by_ledger(ledger: &Ledger, subject: &Subject<'_>, days: u32) -> KnownUse {
    match look_up(ledger, subject, days) {
        LedgerFinding::Unused(unused) => KnownUse::None(format!(
            "{unused}, by the ledger, which may miss the last 30 seconds"
        )),
        LedgerFinding::InUse(uses) => KnownUse::Some {
            uses,
            outlook: outlook(ledger, subject),
        },
        LedgerFinding::Unknown(gap) => KnownUse::Unknown(gap.to_string()),
    }
}

/// When a key was last used, and when it will have been for the last time.
fn outlook(ledger: &Ledger, subject: &Subject<'_>) -> Option<String> {
    let Opener::Key(key) = subject.opener else {
        return None;
    };
    let last = subject.last_opened(ledger)?;
    let forecast = ledger.forecast(key, Scope::Rules(subject.rules));
    Some(format!(
        "The last one {}. {}",
        time::from_now(last, ledger.now.max(last)),
        words::forecast(&forecast)
    ))
}

fn by_analytics(run: &Run<'_>, subject: &Subject<'_>, days: u32) -> Result<KnownUse, Failure> {
    let mut uses = match usage::ask(&run.environment, days)? {
        Usage::Known(uses) => uses,
        Usage::Unknown(why) => return Ok(KnownUse::Unknown(why)),
    };
    uses.retain(|used| {
        let is_use = match subject.opener {
            Opener::Key(key) => used.is_of(key),
            // which of several formats it was is not recorded
            Opener::AcceptedFormat => used.is_accepted(),
        };
        is_use && is_among(subject.rules, &used.rule)
    });
    Ok(if uses.is_empty() {
        KnownUse::None(format!("opened nothing in the last {days} days"))
    } else {
        KnownUse::Some {
            uses,
            outlook: None,
        }
    })
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

/// Since when a key seals nothing, by the history of wrangler.toml.
fn replacement(run: &Run<'_>, key: &str, ring: Ring<'_>) -> Replacement {
    let is_whole = !git::is_shallow(run.environment.config());
    let history = history::read(&run.environment).filter(|_| is_whole);
    let Some(history) = history else {
        return Replacement::Unknown;
    };
    let rule = match ring {
        Ring::Shared => None,
        Ring::Of(rule) => Some(rule),
    };
    if !ring_history::has_sealed(&history, rule, key) {
        return Replacement::Never;
    }
    let since = ring_history::fallback_since(&history, rule, key);
    since.map_or(Replacement::Unknown, Replacement::At)
}

/// The same for a format: a promotion puts the one before among the accepted ones.
fn format_replacement(run: &Run<'_>, format: &Value, rule: &str) -> Replacement {
    let history = history::read(&run.environment).unwrap_or_default();
    let since = since(&history, |old| {
        let accepted = old.draft.accepted(rule).unwrap_or_default();
        accepted.iter().any(|(known, _)| known == format)
    });
    since.map_or(Replacement::Unknown, Replacement::At)
}

/// How long a session of these rules may live, where that is known.
fn longest(draft: &Draft, rules: &[String]) -> Option<u64> {
    grace::seconds(None, &draft.policy().ok()?, rules).ok()
}

/// The end of a long name is a hash in the data.
fn is_among(rules: &[String], recorded: &str) -> bool {
    let start = recorded
        .rsplit_once('~')
        .map_or(recorded, |(start, _)| start);
    rules
        .iter()
        .any(|rule| rule == recorded || (recorded.len() > 60 && rule.starts_with(start)))
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
