//! What is known of the use of a key or a format that is to be retired.

use serde_json::Value;

use crate::commands::board::words;
use crate::project::git;
use crate::remote::figures::Scope;
use crate::remote::ledger::{Ledger, LedgerReply};
use crate::remote::usage::{self, KeyUse, Usage};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::rotation::history::{self, Revision};
use crate::rotation::out_of_use::{LedgerFinding, Opener, Replacement, Subject, look_up};
use crate::rotation::ring_history;
use crate::rotation::run::Run;
use crate::terminal::answer::Failure;
use crate::terminal::time;

/// What is known of the use of a key or a format.
pub enum KnownUse {
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
///
/// # Errors
/// There is no site or no token, or Analytics Engine does not answer as it should.
pub fn known(run: &Run<'_>, subject: &Subject<'_>, days: u32) -> Result<KnownUse, Failure> {
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

/// Since when a key seals nothing, by the history of wrangler.toml.
pub fn replacement(run: &Run<'_>, key: &str, ring: Ring<'_>) -> Replacement {
    let Some(history) = whole_history(run) else {
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
pub fn format_replacement(run: &Run<'_>, format: &Value, rule: &str) -> Replacement {
    let history = whole_history(run).unwrap_or_default();
    let since = ring_history::begun(&history, |old| {
        let accepted = old.draft.accepted(rule).unwrap_or_default();
        accepted.iter().any(|(known, _)| known == format)
    });
    since.map_or(Replacement::Unknown, Replacement::At)
}

/// None where git has no history, or one that is cut off.
fn whole_history(run: &Run<'_>) -> Option<Vec<Revision>> {
    let is_whole = !git::is_shallow(run.environment.config());
    history::read(&run.environment).filter(|_| is_whole)
}

/// How long a session of these rules may live, where that is known.
pub fn longest(draft: &Draft, rules: &[String]) -> Option<u64> {
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
