//! The ledger of the live Worker: how often each key opened, sealed and refused cookies, by hour and by day.

use countersign_core::operations::status::PATH;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::remote::live::LiveWorker;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// What is known of the ledger.
pub enum LedgerReply {
    /// What it holds, and the Worker's clock.
    Known(Ledger),
    /// The Worker has none.
    Unbound,
    /// The Worker has one, and got no answer from it; why.
    Silent(String),
}

/// What a ledger holds. Verdicts and reasons are words of the Worker's release: this program may not know all of them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Ledger {
    /// The present by the Worker's clock, in Unix seconds.
    #[serde(skip_deserializing)]
    pub now: u64,
    /// When it began, in Unix seconds. Before that nothing is known.
    pub since: u64,
    pub keys: Vec<KeyTimes>,
    /// The last 14 days by the hour.
    pub hours: Vec<Tally>,
    /// The last 400 days by the day, in UTC.
    pub days: Vec<Tally>,
}

/// When a key was first and last used for a rule, in Unix seconds; none where it never was.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct KeyTimes {
    pub rule: String,
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_opened: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_opened: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_sealed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sealed: Option<u64>,
}

/// How often something was decided in an hour or a day.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct Tally {
    /// When the hour or the day began, in Unix seconds.
    pub at: u64,
    pub rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub count: u64,
}

/// The reply with the figures; fields of other releases are passed over.
#[derive(Deserialize)]
struct Body {
    now: u64,
    ledger: Ledger,
}

impl LiveWorker {
    /// What the ledger of the Worker holds.
    ///
    /// # Errors
    /// The Worker does not answer, or not as Countersign does.
    pub fn ledger(&self) -> Result<LedgerReply, Failure> {
        let reply = self.ask(&format!("{PATH}?ledger"), None)?;
        LedgerReply::read(reply.status, &reply.text).ok_or_else(|| self.not_countersign(&reply))
    }

    /// The same where a failure is no reason to stop: the ledger is then silent.
    pub fn ledger_or_silence(&self) -> LedgerReply {
        let reply = self.ledger();
        reply.unwrap_or_else(|failure| LedgerReply::Silent(failure.to_string()))
    }
}

impl LedgerReply {
    /// None where it is no answer of Countersign's.
    pub fn read(status: u16, text: &str) -> Option<Self> {
        let json: Value = harmless::json(text)?;
        let error = json["error"].as_str();
        match (status, error) {
            (404, Some(_)) => Some(Self::Unbound),
            (503, Some(error)) => Some(Self::Silent(error.to_owned())),
            // a release without a ledger answers its status
            (200, None) if json["ledger"].is_null() && json["countersign"].is_string() => {
                Some(Self::Unbound)
            }
            (200, None) => {
                let Body { now, ledger } = serde_json::from_value(json).ok()?;
                let ledger = Ledger { now, ..ledger };
                (now <= LATEST).then(|| Self::Known(ledger.bounded()))
            }
            _ => None,
        }
    }
}

impl Ledger {
    /// Without what no ledger can hold: times and counts can then be added up without a thought.
    fn bounded(mut self) -> Self {
        self.since = self.since.min(self.now);
        for entries in [&mut self.hours, &mut self.days] {
            entries.retain(|entry| entry.at <= self.now);
            for entry in entries {
                entry.count = entry.count.min(MOST);
            }
        }
        self
    }
}

/// The last second of the year 9999.
const LATEST: u64 = 253_402_300_799;
/// More than the cookies of any hour or day.
const MOST: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, text: &str) -> LedgerReply {
        LedgerReply::read(status, text).unwrap()
    }

    #[test]
    fn the_figures_of_a_newer_release_are_read_as_far_as_they_go() {
        let text = r#"{"countersign":"0.9.0","now":1801440000,"newer":{},"ledger":{"since":1800000000,"newer":[1],
          "keys":[{"rule":"sessionid","key":"KEY_1","last_opened":1801439000,"newer":1}],
          "hours":[{"at":1801436400,"rule":"sessionid","verdict":"newer","reason":"new","count":9,"newer":true}],
          "days":[]}}"#;
        let LedgerReply::Known(ledger) = read(200, text) else {
            panic!("{text}");
        };
        assert_eq!((ledger.now, ledger.since), (1_801_440_000, 1_800_000_000));
        assert_eq!(ledger.keys[0].last_opened, Some(1_801_439_000));
        assert_eq!(ledger.keys[0].first_opened, None);
        assert_eq!(ledger.hours[0].verdict, "newer");
        assert_eq!(ledger.hours[0].key, None);
    }

    #[test]
    fn figures_that_no_ledger_has_are_no_figures() {
        let text = |now: u64, at: u64| {
            format!(
                r#"{{"countersign":"0.1.0","now":{now},"ledger":{{"since":{at},"days":[{{"at":{at},"count":18446744073709551615}}]}}}}"#
            )
        };
        assert!(LedgerReply::read(200, &text(u64::MAX, 0)).is_none());
        let LedgerReply::Known(later) = read(200, &text(1_801_440_000, u64::MAX)) else {
            panic!("it is a ledger");
        };
        assert_eq!((later.since, later.days.len()), (1_801_440_000, 0));
        let LedgerReply::Known(many) = read(200, &text(1_801_440_000, 0)) else {
            panic!("it is a ledger");
        };
        assert_eq!(many.days[0].count, MOST);
    }

    #[test]
    fn a_worker_without_a_ledger_is_told_from_one_whose_ledger_is_silent() {
        let unbound = read(404, r#"{"error":"no ledger is bound"}"#);
        assert!(matches!(unbound, LedgerReply::Unbound));
        let silent = read(503, r#"{"error":"it is \u001b[2J down"}"#);
        assert!(matches!(silent, LedgerReply::Silent(why) if why == "it is \u{fffd}[2J down"));
        let older = r#"{"countersign":"0.1.0","now":7,"mode":"enforce"}"#;
        assert!(matches!(read(200, older), LedgerReply::Unbound));
        for (status, text) in [(404, "<html>"), (200, "[]"), (500, "{}"), (200, "{}")] {
            assert!(LedgerReply::read(status, text).is_none(), "{status} {text}");
        }
    }
}
