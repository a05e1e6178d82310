//! Ledgers that a live Worker may have, by name. Two weeks ago `KEY_1` was replaced by `KEY_2`.

use serde_json::{Value, json};

const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;
/// When the day of the tests began.
const TODAY: u64 = crate::NOW - crate::NOW % DAY;

/// How a Worker answers that has the named ledger, or none.
pub fn reply(name: &str) -> (u16, String) {
    let ledger = match name {
        "" => return (404, json!({ "error": "no ledger is bound" }).to_string()),
        "silent" => {
            let error = "the ledger does not answer";
            return (503, json!({ "error": error }).to_string());
        }
        "unused" => ledger(40, 16, &[(20, "current", 900), (16, "fallback", 12)]),
        "used" => ledger(
            40,
            3,
            &[
                (20, "current", 900),
                (16, "fallback", 12),
                (3, "fallback", 2),
            ],
        ),
        "young" => ledger(4, 0, &[]),
        "after" => ledger(9, 0, &[]),
        "quiet" => json!({ "since": crate::NOW - 40 * DAY, "keys": [], "hours": [], "days": [] }),
        "withheld" => withheld(16, &[("cacheable", 60)]),
        "hindered" => withheld(3, &[("cacheable", 60), ("not-navigation", 9_000)]),
        "accepted" => {
            let mut ledger = ledger(40, 0, &[]);
            let entry = json!({ "at": TODAY - 3 * DAY, "rule": "theme", "key": "KEY_2", "verdict": "accepted-format", "count": 5 });
            for entries in ["hours", "days"] {
                ledger[entries].as_array_mut().unwrap().push(entry.clone());
            }
            ledger
        }
        "fetched" => withheld(3, &[("not-navigation", 1_700), ("never", 40)]),
        "few" => withheld(3, &[("cacheable", 49)]),
        _ => panic!("no ledger is called {name}"),
    };
    let reply = json!({ "countersign": "0.1.0", "now": crate::NOW, "ledger": ledger });
    (200, reply.to_string())
}

/// KEY_1 is unused, after upgrades that were withheld so many days ago: `(REASON, COUNT)`.
fn withheld(days: u64, reasons: &[(&str, u64)]) -> Value {
    let mut ledger = ledger(40, 16, &[(20, "current", 900), (16, "fallback", 12)]);
    let counts = reasons.iter().map(|(reason, count)| json!({ "at": TODAY - days * DAY, "rule": "sessionid", "verdict": "upgrade-withheld", "reason": reason, "count": count }));
    let counts: Vec<Value> = counts.collect();
    for (entries, kept) in [("hours", 14), ("days", 400)] {
        if days < kept {
            let entries = ledger[entries].as_array_mut().unwrap();
            entries.extend(counts.iter().cloned());
        }
    }
    ledger
}

/// One that began so many days ago, and what KEY_1 opened: `(DAYS AGO, VERDICT, COUNT)`, last so many days ago; KEY_2
/// opens a hundred cookies a day.
fn ledger(began: u64, last: u64, uses: &[(u64, &str, u64)]) -> Value {
    let entry = |days: u64, key: &str, verdict: &str, count: u64| json!({ "at": TODAY - days * DAY, "rule": "sessionid", "key": key, "verdict": verdict, "count": count });
    let old = uses
        .iter()
        .map(|(days, verdict, count)| entry(*days, "KEY_1", verdict, *count));
    let new = (0..began.min(18)).map(|days| entry(days, "KEY_2", "current", 100));
    let days: Vec<Value> = old.chain(new).collect();
    let recent = |entry: &&Value| entry["at"].as_u64().unwrap() > crate::NOW - 14 * DAY;
    let hours: Vec<Value> = days.iter().filter(recent).cloned().collect();
    let mut keys = vec![
        json!({ "rule": "sessionid", "key": "KEY_2", "first_opened": crate::NOW - began.min(18) * DAY, "last_opened": crate::NOW - 9 }),
    ];
    if !uses.is_empty() {
        keys.push(json!({ "rule": "sessionid", "key": "KEY_1", "first_opened": crate::NOW - 39 * DAY, "last_opened": TODAY - last * DAY + HOUR / 2 }));
    }
    json!({ "since": crate::NOW - began * DAY, "keys": keys, "hours": hours, "days": days })
}
