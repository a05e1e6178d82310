//! What the ledger says of the keys that still open, in lines beside the step.

use countersign_core::config::written::Written;
use serde_json::Value;

use crate::commands::board::words::{counted, number};
use crate::remote::figures::{DAY, Scope};
use crate::remote::ledger::{Ledger, LedgerReply};
use crate::rotation::ring_history::used_rings;
use crate::terminal::style::{FAINT, styled};
use crate::terminal::time::{from_now, span};

use super::early::{UNUSED_DAYS, rules};

/// What it holds, where it answers.
pub fn known(reply: &LedgerReply) -> Option<&Ledger> {
    match reply {
        LedgerReply::Known(ledger) => Some(ledger),
        LedgerReply::Unbound | LedgerReply::Silent(_) => None,
    }
}

/// A line for each fallback that still opens; nothing where no ledger is bound.
pub fn lines(reply: &LedgerReply, written: &Value, now: u64) -> String {
    let lines = match reply {
        LedgerReply::Unbound => Vec::new(),
        LedgerReply::Silent(why) => vec![format!("not known: {why}")],
        LedgerReply::Known(ledger) => of_keys(ledger, &Written::of(written), now),
    };
    let lines = lines.into_iter();
    let lines = lines.map(|line| format!("{} {line}\n", styled(FAINT, "ledger:")));
    lines.collect()
}

fn of_keys(ledger: &Ledger, written: &Written<'_>, now: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for ring in used_rings(written) {
        let rules = rules(&ring);
        let fallbacks = ring.fallbacks().into_iter();
        let open = fallbacks.filter(|key| {
            !ring.keys.is_current(&key.id) && key.until.is_some_and(|until| until > now)
        });
        lines.extend(open.map(|key| of_key(ledger, key.id.as_str(), Scope::Rules(&rules))));
        lines.extend(hindrance(ledger, Scope::Rules(&rules)));
    }
    lines
}

/// That most upgrades to the current key are withheld.
fn hindrance(ledger: &Ledger, scope: Scope<'_>) -> Option<String> {
    let asked = ledger.now.saturating_sub(u64::from(UNUSED_DAYS) * DAY);
    let found = ledger.period(asked).upgrades(scope).hindrance()?;
    Some(format!(
        "most upgrades are withheld: {} as `{}` in {UNUSED_DAYS} days, and {} were sent; {}",
        number(found.count),
        found.reason,
        number(found.sent),
        found.cure()
    ))
}

fn of_key(ledger: &Ledger, key: &str, scope: Scope<'_>) -> String {
    let now = ledger.now;
    let asked = now.saturating_sub(u64::from(UNUSED_DAYS) * DAY);
    let uses = ledger.period(asked).uses(key, scope);
    let last = match ledger.last_opened(key, scope) {
        Some(last) => format!("last opened a cookie {}", from_now(last, now.max(last))),
        None => "has opened no cookie since the ledger began".to_owned(),
    };
    let days = if ledger.since <= asked {
        format!("{UNUSED_DAYS} days")
    } else {
        format!(
            "the {} that it covers",
            span(now.saturating_sub(ledger.since))
        )
    };
    format!("{key} {last}; {} in {days}", counted(uses, "use"))
}
