//! The next safe command for each key and format, and from when on it is safe.

use countersign_core::config::written::{
    Written, WrittenFormat, WrittenKey, WrittenRing, WrittenRule,
};
use serde_json::Value;

use crate::rotation::history::Revision;
use crate::rotation::key_or_format::written as shown;
use crate::terminal::time::moment;

/// Commands, each with when. Keys and formats stand as the live configuration writes them.
pub fn steps(configuration: &Value, history: &[Revision], now: u64) -> Vec<(String, String)> {
    let written = Written::of(configuration);
    let mut steps = of_ring(&written.shared_ring(), history, now);
    for rule in &written.rules {
        let own = rule.own_ring();
        steps.extend(own.iter().flat_map(|ring| of_ring(ring, history, now)));
        let accepted = rule.accept();
        steps.extend(
            accepted
                .iter()
                .map(|format| of_format(format, rule, history, now)),
        );
    }
    if steps.is_empty() {
        let when = "when a rotation is due; the name is yours to choose";
        steps.push(("countersign stage KEY_NAME".to_owned(), when.to_owned()));
    }
    steps
}

fn of_ring(ring: &WrittenRing<'_, '_>, history: &[Revision], now: u64) -> Vec<(String, String)> {
    // an entry for the current key says nothing, and may stay for the day it is no longer current
    let listed = ring.listed().into_iter();
    let listed = listed.filter(|key| !ring.keys.is_current(&key.id));
    listed.map(|key| of_key(key, ring, history, now)).collect()
}

fn of_key(
    key: &WrittenKey<'_>,
    ring: &WrittenRing<'_, '_>,
    history: &[Revision],
    now: u64,
) -> (String, String) {
    let name = ring.rule.and_then(WrittenRule::name);
    let of_rule = name.map_or(String::new(), |name| format!("--rule {name} "));
    let retire = format!("countersign retire {of_rule}{}", key.id);
    // the origin's own has signed before, and so has one that was current in some revision
    let was_current =
        || ring.keys.is_origins(&key.id) || history.iter().any(|old| has_current(old, key));
    match key.until {
        Some(until) => (retire, ended(until, now)),
        None if was_current() => (retire, OUT_OF_USE.to_owned()),
        None => {
            let promote = format!("countersign promote {of_rule}{}", key.id);
            (promote, STAGED.to_owned())
        }
    }
}

fn has_current(revision: &Revision, key: &WrittenKey<'_>) -> bool {
    let value = revision.draft.value();
    let written = Written::of(&value);
    written.each_keys().any(|keys| keys.is_current(&key.id))
}

fn of_format(
    accepted: &WrittenFormat<'_>,
    rule: &WrittenRule<'_>,
    history: &[Revision],
    now: u64,
) -> (String, String) {
    let name = rule.name().unwrap_or_default();
    let format = accepted.to_value();
    let about = format!("--rule {name} --format '{}'", shown(&format));
    let retire = format!("countersign retire {about}");
    let is_origins = || {
        rule.origin_format()
            .is_some_and(|origin| origin.to_value() == format)
    };
    let was_sealed =
        |revision: &Revision| revision.draft.format(name).is_ok_and(|old| old == format);
    match accepted.until() {
        Some(until) => (retire, ended(until, now)),
        None if is_origins() || history.iter().any(was_sealed) => (retire, OUT_OF_USE.to_owned()),
        None => (format!("countersign promote {about}"), STAGED.to_owned()),
    }
}

const STAGED: &str = "once this version has all traffic";
const OUT_OF_USE: &str = "once it is out of use, which the command asks for";

fn ended(until: u64, now: u64) -> String {
    if until > now {
        format!("from {} on", moment(until))
    } else {
        "at any time: it opens nothing any more".to_owned()
    }
}
