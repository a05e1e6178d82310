//! What the ledger says of each key: its uses by day over the last 30 days, and how many of the cookies that are opened
//! have moved to the current key.

use std::collections::BTreeMap;
use std::fmt::Write;

use countersign_core::operations::capabilities::RuleCapabilities;
use serde::Serialize;

use crate::commands::board::words::{counted, number, percent};
use crate::remote::figures::{DAY, Resolution, Scope, Share};
use crate::remote::ledger::{Ledger, LedgerReply};
use crate::terminal::style::{FAINT, STRONG, styled};
use crate::terminal::time::from_now;

/// What the ledger says; `rings` is null where it does not answer.
#[derive(Debug, Serialize)]
pub struct Uses {
    /// Since when there is a ledger, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
    /// The present by the Worker's clock, in Unix seconds.
    #[serde(skip)]
    now: u64,
    /// When each day begins, in Unix seconds; the last one is not over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days: Vec<u64>,
    rings: Option<Vec<RingUses>>,
    /// Why it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The uses of rules that share all their keys.
#[derive(Debug, Serialize)]
struct RingUses {
    rules: Vec<String>,
    /// Of the cookies that were opened in the last 24 hours.
    share: Share,
    keys: Vec<KeyUses>,
}

#[derive(Debug, Serialize)]
struct KeyUses {
    key: String,
    /// In Unix seconds; none where the ledger has seen none.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_opened: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_opened: Option<u64>,
    /// Cookies that it opened in the last 24 hours.
    last_24_hours: u64,
    /// The same for each day.
    days: Vec<u64>,
}

/// How many days are shown, today among them.
const DAYS: u64 = 30;

impl Uses {
    /// Nothing where no ledger is bound.
    pub fn of(reply: LedgerReply, rings: &[Vec<&RuleCapabilities>]) -> Option<Self> {
        match reply {
            LedgerReply::Unbound => None,
            LedgerReply::Silent(why) => Some(Self {
                since: None,
                now: 0,
                days: Vec::new(),
                rings: None,
                reason: Some(why),
            }),
            LedgerReply::Known(ledger) => Some(Self::known(&ledger, rings)),
        }
    }

    fn known(ledger: &Ledger, rings: &[Vec<&RuleCapabilities>]) -> Self {
        let from = ledger.now.saturating_sub((DAYS - 1) * DAY);
        let series = ledger.series(Resolution::Day, from, Scope::All);
        let rings = rings.iter().map(|ring| RingUses::of(ledger, ring, from));
        Self {
            since: Some(ledger.since),
            now: ledger.now,
            days: series.starts,
            rings: Some(rings.collect()),
            reason: None,
        }
    }

    /// For people.
    pub fn drawn(&self) -> String {
        let mut text = format!("\n{}\n", styled(STRONG, "uses by day, over 30 days"));
        let Some(rings) = &self.rings else {
            let why = self.reason.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  not known: {why}");
            return text;
        };
        for (at, ring) in rings.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            if rings.len() > 1 {
                let _ = writeln!(text, "  {}", ring.rules.join(", "));
            }
            self.draw_ring(&mut text, ring);
        }
        text
    }

    fn draw_ring(&self, text: &mut String, ring: &RingUses) {
        let most = ring.keys.iter().flat_map(|key| &key.days).max();
        let most = most.copied().unwrap_or_default();
        let first = Resolution::Day.floor(self.since.unwrap_or_default());
        for key in &ring.keys {
            let days = self.days.iter().zip(&key.days);
            let line: String = days
                .map(|(day, uses)| bar(*uses, most, *day >= first))
                .collect();
            let _ = writeln!(text, "  {:<24}{line}  {}", key.key, key.about(self.now));
        }
        let Some(of_current) = ring.share.of_current() else {
            let _ = writeln!(text, "  {}", styled(FAINT, "no cookie opened in 24 hours"));
            return;
        };
        let _ = writeln!(
            text,
            "  of {} opened in 24 hours, {} under the current key",
            counted(ring.share.all, "cookie"),
            percent(of_current)
        );
    }
}

impl RingUses {
    fn of(ledger: &Ledger, ring: &[&RuleCapabilities], from: u64) -> Self {
        let rules: Vec<String> = ring.iter().map(|rule| rule.name.clone()).collect();
        let scope = Scope::Rules(&rules);
        let series = ledger.series(Resolution::Day, from, scope);
        let days = |key: &str| {
            let days: &BTreeMap<String, Vec<u64>> = &series.keys;
            let none = || vec![0; series.starts.len()];
            days.get(key).cloned().unwrap_or_else(none)
        };
        let day = ledger.period(ledger.now.saturating_sub(DAY));
        let keys = key_names(ring).into_iter().map(|key| KeyUses {
            first_opened: ledger.first_opened(&key, scope),
            last_opened: ledger.last_opened(&key, scope),
            last_24_hours: day.uses(&key, scope),
            days: days(&key),
            key,
        });
        Self {
            keys: keys.collect(),
            share: day.share(scope),
            rules: rules.clone(),
        }
    }
}

/// The keys that open what browsers have, the current one first.
fn key_names(ring: &[&RuleCapabilities]) -> Vec<String> {
    let Some(first) = ring.first() else {
        return Vec::new();
    };
    let fallbacks = first.fallbacks.iter().map(|fallback| &fallback.key.id);
    let others = fallbacks.filter(|id| **id != first.current.id);
    let ids = std::iter::once(&first.current.id).chain(others);
    ids.map(ToString::to_string).collect()
}

impl KeyUses {
    fn about(&self, now: u64) -> String {
        match self.last_opened {
            None => "never used since the ledger began".to_owned(),
            Some(last) => format!(
                "{} in 24 hours, the last {}",
                number(self.last_24_hours),
                from_now(last, now.max(last))
            ),
        }
    }
}

/// The uses of a day. The scale is logarithmic, since the last few of an old key vanish beside the many of a new one; a
/// single use is told from none. Of a day before the ledger began nothing is known.
fn bar(uses: u64, most: u64, is_known: bool) -> char {
    if !is_known {
        return '·';
    }
    if uses == 0 {
        return BARS[0];
    }
    let share = (uses as f64).ln_1p() / (most as f64).ln_1p();
    let steps = (BARS.len() - 1) as f64;
    let step = (share * steps).ceil().clamp(1.0, steps);
    BARS[step as usize] // at most the last one
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_logarithmic_and_a_single_use_is_told_from_none() {
        let line = |days: &[u64], most| -> String {
            days.iter().map(|uses| bar(*uses, most, true)).collect()
        };
        assert_eq!(line(&[0, 1, 10, 100, 1_000, 10_000], 10_000), "▁▂▃▅▇█");
        assert_eq!(line(&[0, 1], 1), "▁█");
        assert_eq!(line(&[0, 0], 0), "▁▁");
        assert_eq!(bar(0, 9, false), '·');
    }

    #[test]
    fn a_ledger_that_does_not_answer_has_a_reason_and_no_figures() {
        let silent = Uses::of(LedgerReply::Silent("it is down".to_owned()), &[]).unwrap();
        assert!(silent.drawn().ends_with("\n  not known: it is down\n"));
        let json = serde_json::json!(silent);
        let expected = serde_json::json!({ "rings": null, "reason": "it is down" });
        assert_eq!(json, expected);
        assert!(Uses::of(LedgerReply::Unbound, &[]).is_none());
    }
}
