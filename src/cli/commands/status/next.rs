//! The next safe command for each key and format, and from when on it is safe.

use countersign_core::config::written::{
    Written, WrittenFormat, WrittenKey, WrittenRing, WrittenRule,
};
use serde::Serialize;
use serde_json::Value;

use crate::rotation::history::Revision;
use crate::rotation::key_or_format::written as shown;
use crate::rotation::listed::Listed;
use crate::terminal::time::moment;

/// A step that may come next, as `status --json` has it.
#[derive(Serialize)]
pub struct NextStep {
    /// `stage`, `promote` or `retire`.
    pub step: &'static str,
    /// The key that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The rule that it is about, or whose own key it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// The format that it is about, as wrangler.toml writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Value>,
    /// What to type.
    pub command: String,
    /// From when on it is safe, in Unix seconds; none where something else than the time decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The same for people.
    pub when: String,
}

/// The steps. Keys and formats stand as the live configuration writes them; `option` goes behind each command,
/// as [`Environment::option`](crate::project::config::Environment::option) has it.
pub fn steps(configuration: &Value, history: &[Revision], option: &str, now: u64) -> Vec<NextStep> {
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
        steps.push(NextStep {
            step: STAGE,
            key: None,
            rule: None,
            format: None,
            command: "countersign stage KEY_NAME".to_owned(),
            from: None,
            when: "when a rotation is due; the name is yours to choose".to_owned(),
        });
    }
    for step in &mut steps {
        step.command.push_str(option);
    }
    steps
}

fn of_ring(ring: &WrittenRing<'_, '_>, history: &[Revision], now: u64) -> Vec<NextStep> {
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
) -> NextStep {
    let name = ring.rule.and_then(WrittenRule::name);
    let of_rule = name.map_or(String::new(), |name| format!("--rule {name} "));
    let (step, from, when) = fate(Listed::of(key, ring, history), now);
    NextStep {
        step,
        key: Some(key.id.to_string()),
        rule: name.map(str::to_owned),
        format: None,
        command: format!("countersign {step} {of_rule}{}", key.id),
        from,
        when,
    }
}

fn of_format(
    accepted: &WrittenFormat<'_>,
    rule: &WrittenRule<'_>,
    history: &[Revision],
    now: u64,
) -> NextStep {
    let name = rule.name().unwrap_or_default();
    let format = accepted.to_value();
    let is_origins = || {
        rule.origin_format()
            .is_some_and(|origin| origin.to_value() == format)
    };
    let was_sealed =
        |revision: &Revision| revision.draft.format(name).is_ok_and(|old| old == format);
    let listed = match accepted.until() {
        Some(until) => Listed::Ending(until),
        None if is_origins() || history.iter().any(was_sealed) => Listed::Unlimited,
        None => Listed::Staged,
    };
    let (step, from, when) = fate(listed, now);
    NextStep {
        step,
        key: None,
        rule: Some(name.to_owned()),
        command: format!(
            "countersign {step} --rule {name} --format '{}'",
            shown(&format)
        ),
        format: Some(format),
        from,
        when,
    }
}

/// The step that is next for a key or a format, and from when on.
fn fate(listed: Listed, now: u64) -> (&'static str, Option<u64>, String) {
    match listed {
        Listed::Ending(until) => (RETIRE, Some(until), ended(until, now)),
        Listed::Unlimited => (RETIRE, None, OUT_OF_USE.to_owned()),
        Listed::Staged => (PROMOTE, None, STAGED.to_owned()),
    }
}

const STAGE: &str = "stage";
const PROMOTE: &str = "promote";
const RETIRE: &str = "retire";

const STAGED: &str = "once this version has all traffic";
const OUT_OF_USE: &str = "once it is out of use, which the command asks for";

fn ended(until: u64, now: u64) -> String {
    if until > now {
        format!("from {} on", moment(until))
    } else {
        "at any time: it opens nothing any more".to_owned()
    }
}
