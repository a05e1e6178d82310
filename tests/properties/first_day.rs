//! The first day: ring and origin have one key and one format, and whatever a real framework made goes both ways
//! byte for byte (topology 1). Values that are sealed anew at random are among them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use countersign_core::config::Policy;
use countersign_core::gate::{Action, Gate, Pending};
use serde_json::{Value, json};

use crate::every_format::jsonl_below;
use crate::support::{ATTRIBUTES, page, random, words};

#[test]
fn on_the_first_day_not_a_byte_changes_whatever_the_format() {
    let (mut counts, mut faults) = (BTreeMap::new(), Vec::new());
    for file in
        jsonl_below(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors"))
    {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let Some(gate) = first_day(&row) else {
                continue;
            };
            let format = row["config"]["format"].as_str().unwrap().to_owned();
            match changes(&gate, &row) {
                None => {}
                Some(false) => *counts.entry(format).or_insert(0) += 1,
                Some(true) => faults.push(row["id"].to_string()),
            }
        }
    }
    assert!(faults.is_empty(), "{} change: {faults:?}", faults.len());
    let rows: usize = counts.values().sum();
    assert!(
        rows > 1_000 && counts.len() > 25,
        "{rows} rows of {counts:?}"
    );
}

/// The gate whose ring is the key of a row; none where no rule can have the row's name.
fn first_day(row: &Value) -> Option<Gate> {
    let mut rule = row["config"].clone();
    rule["name"] = row["cookie"].clone();
    rule["attributes"] = ATTRIBUTES.into();
    if rule["id"].is_null() && !row["notes"]["password_id"].is_null() {
        rule["id"] = row["notes"]["password_id"].clone();
    }
    let encoding = row["key_encoding"].as_str().unwrap_or("utf8");
    let key = json!({"secret": "SITE", "encoding": encoding});
    let keys = json!({"current": key, "origin": key});
    let secret = |_: &str| row["key"].as_str().map(str::to_owned);
    let policy = Policy::parse(&json!({"keys": keys, "cookies": [rule]}), &secret);
    Some(Gate::new(policy.ok()?, random))
}

/// Whether request or response change; none where the row's value is not taken here at all.
fn changes(gate: &Gate, row: &Value) -> Option<bool> {
    let [name, value] = ["cookie", "value"].map(|field| row[field].as_str().unwrap());
    let signature = row["sig_value"]
        .as_str()
        .map(|sig| format!("{name}.sig={sig}"));
    let pairs: Vec<String> = [format!("{name}={value}")]
        .into_iter()
        .chain(signature)
        .collect();
    let now = row["now"]
        .as_u64()
        .or(row["signed_at"].as_u64())
        .unwrap_or(0);
    let header = pairs.join("; ");
    let decision = gate.request(Some(&header), &page(), now * 1000).unwrap();
    if words(gate, &decision.pending.events) != ["current SITE"] {
        return None;
    }
    let set: Vec<String> = pairs.iter().map(|pair| format!("{pair}; Path=/")).collect();
    let answer = gate.response(&set, &Pending::default(), &page(), now * 1000);
    Some(decision.action != Action::Unchanged || answer.set_cookies.is_some())
}
