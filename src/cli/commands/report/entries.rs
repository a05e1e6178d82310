//! The ledger's entries of the period as CSV (RFC 4180).

use csv::{Terminator, WriterBuilder};

use super::evidence::Evidence;
use crate::commands::board::words::machine_time;
use crate::remote::figures::Resolution;
use crate::remote::ledger::Ledger;

/// A line for each entry, behind one with their names.
pub fn csv(ledger: &Ledger, evidence: &Evidence, key: Option<&str>) -> String {
    let period = ledger.period(evidence.since);
    let resolution = match period.resolution {
        Resolution::Hour => "hour",
        Resolution::Day => "day",
    };
    let mut builder = WriterBuilder::new();
    let mut writer = builder
        .terminator(Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    let names = [
        "from",
        "resolution",
        "cookie",
        "key",
        "verdict",
        "reason",
        "count",
    ];
    let mut write = |fields: [&str; 7]| drop(writer.write_record(fields)); // a Vec takes all
    write(names);
    let entries = period.entries();
    let entries = entries.filter(|entry| key.is_none_or(|key| entry.key.as_deref() == Some(key)));
    for entry in entries {
        write([
            &machine_time(entry.at),
            resolution,
            &entry.rule,
            entry.key.as_deref().unwrap_or_default(),
            &entry.verdict,
            entry.reason.as_deref().unwrap_or_default(),
            &entry.count.to_string(),
        ]);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default() // all that went in was text
}
