//! The next safe command for each key and format, and from when on it is safe.

use countersign_core::crypto::key::KeyId;
use serde_json::Value;

use crate::rotation::history::Revision;
use crate::rotation::key_or_format::written;
use crate::terminal::time::{self, moment};

/// Commands, each with when. Keys and formats stand as the live configuration writes them.
pub fn steps(configuration: &Value, history: &[Revision], now: u64) -> Vec<(String, String)> {
    let shared = &configuration["keys"];
    let mut steps = of_ring(shared, shared, "", history, now);
    for rule in list(&configuration["cookies"]) {
        let of_rule = format!("--rule {} ", rule["name"].as_str().unwrap_or_default());
        if !rule["keys"]["current"].is_null() {
            steps.extend(of_ring(&rule["keys"], shared, &of_rule, history, now));
        }
        let accepted = list(&rule["accept"]).iter();
        steps.extend(accepted.map(|format| of_format(format, rule, history, now)));
    }
    if steps.is_empty() {
        let when = "when a rotation is due; the name is yours to choose";
        steps.push(("countersign stage KEY_NAME".to_owned(), when.to_owned()));
    }
    steps
}

/// An `origin` that a rule's own keys leave out is that of all rules.
fn of_ring(
    keys: &Value,
    shared: &Value,
    of_rule: &str,
    history: &[Revision],
    now: u64,
) -> Vec<(String, String)> {
    let origin = match &keys["origin"] {
        Value::Null => &shared["origin"],
        own => own,
    };
    let current = id(&keys["current"]);
    let step = |fallback: &Value| {
        // an entry for the current key says nothing, and may stay for the day it is no longer current
        let key = id(fallback).filter(|key| current.as_ref() != Some(key))?;
        let retire = format!("countersign retire {of_rule}{key}");
        Some(match until(fallback) {
            Some(until) => (retire, ended(until, now)),
            None if was_current(&key, origin, history) => (retire, OUT_OF_USE.to_owned()),
            None => (
                format!("countersign promote {of_rule}{key}"),
                STAGED.to_owned(),
            ),
        })
    };
    list(&keys["fallbacks"]).iter().filter_map(step).collect()
}

fn of_format(accepted: &Value, rule: &Value, history: &[Revision], now: u64) -> (String, String) {
    let name = rule["name"].as_str().unwrap_or_default();
    let mut format = accepted.clone();
    if let Some(fields) = format.as_object_mut() {
        fields.remove("until");
    }
    let about = format!("--rule {name} --format '{}'", written(&format));
    let retire = format!("countersign retire {about}");
    let was_sealed = rule["origin"] == format
        || history
            .iter()
            .any(|revision| revision.draft.format(name).is_ok_and(|old| old == format));
    match until(accepted) {
        Some(until) => (retire, ended(until, now)),
        None if was_sealed => (retire, OUT_OF_USE.to_owned()),
        None => (format!("countersign promote {about}"), STAGED.to_owned()),
    }
}

const STAGED: &str = "once this version has all traffic";
const OUT_OF_USE: &str = "once it is out of use, which the command asks for";

fn ended(until: u64, now: u64) -> String {
    match until > now {
        true => format!("from {} on", moment(until)),
        false => "at any time: it opens nothing any more".to_owned(),
    }
}

/// Whether it has signed before: the origin's own did, and so did one that was current in some revision.
fn was_current(key: &KeyId, origin: &Value, history: &[Revision]) -> bool {
    let mut origins = list(&origin["fallbacks"])
        .iter()
        .chain([origin, &origin["current"]]);
    origins.any(|origin| id(origin).as_ref() == Some(key))
        || history.iter().any(|revision| {
            let value = revision.draft.value();
            let rules = list(&value["cookies"]).iter().map(|rule| &rule["keys"]);
            let mut rings = rules.chain([&value["keys"]]);
            rings.any(|keys| id(&keys["current"]).as_ref() == Some(key))
        })
}

/// A key is a name, or a table with a name.
fn id(value: &Value) -> Option<KeyId> {
    KeyId::parse(value.as_str().or_else(|| value["secret"].as_str())?)
}

fn until(value: &Value) -> Option<u64> {
    time::read(value["until"].as_str()?)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
