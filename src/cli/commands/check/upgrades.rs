//! That most upgrades to the current key are withheld, by the ledger of the live Worker: without this it is learnt when
//! the old key is retired.

use countersign_core::config::written::{Written, WrittenRule};

use super::finding::Finding;
use crate::commands::board::words::number;
use crate::project::config::Environment;
use crate::remote::figures::{DAY, Scope};
use crate::remote::hindrance::Hindrance;
use crate::remote::ledger::{Ledger, LedgerReply};
use crate::remote::live::LiveWorker;
use crate::remote::wrangler;
use crate::terminal::answer::Failure;

/// Over how many days the upgrades are counted.
const DAYS: u64 = 7;

/// Asks the live Worker's ledger, where it has one.
///
/// # Errors
/// There is no site or no token.
pub fn find(environment: &Environment<'_>, url: Option<&str>) -> Result<Vec<Finding>, Failure> {
    let Some(value) = environment.countersign() else {
        return Ok(Vec::new());
    };
    let live = LiveWorker::new(url, Some(environment))?;
    Ok(match live.ledger_or_silence() {
        LedgerReply::Known(ledger) => withheld(&ledger, &Written::of(&value)),
        LedgerReply::Silent(why) => vec![silent(environment, &why)],
        LedgerReply::Unbound => Vec::new(),
    })
}

fn withheld(ledger: &Ledger, written: &Written<'_>) -> Vec<Finding> {
    let period = ledger.period(ledger.now.saturating_sub(DAYS * DAY));
    let of_rule = |rule: &WrittenRule<'_>| {
        let name = rule.name()?;
        let upgrades = period.upgrades(Scope::Rules(&[name.to_owned()]));
        let hindrance = upgrades.hindrance()?;
        let is_mended = hindrance.reason == "not-navigation" && rule.value["upgrade"] == "always";
        (!is_mended).then(|| finding(&rule.path, name, &hindrance))
    };
    written.rules.iter().filter_map(of_rule).collect()
}

fn finding(path: &str, name: &str, hindrance: &Hindrance) -> Finding {
    let Hindrance {
        reason,
        count,
        sent,
    } = hindrance;
    let text = format!(
        "most upgrades of {name} to the current key are withheld: {} as `{reason}` in {DAYS} days, and {} were sent; who is not upgraded has to log in again when the old key is retired",
        number(*count),
        number(*sent)
    );
    Finding::warning(format!("{path}.upgrade"), text).cure(hindrance.cure())
}

fn silent(environment: &Environment<'_>, why: &str) -> Finding {
    let reason = format!("whether upgrades to the current key are withheld is not known: {why}");
    let tail = wrangler::typed(environment, &["tail"]);
    Finding::warning("--against live", reason).cure(format!("its logs say more: {tail}"))
}
