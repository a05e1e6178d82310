//! What the fuzz targets of tests/fuzz ask of the command line: texts in, texts and plain values out.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::commands::init::dev_vars_line;
use crate::project::document::edit::{Edit, TableChange};
use crate::project::document::node::Node;
use crate::project::document::path::Step;
use crate::project::document::{Syntax, split_mark};
use crate::project::dotenv;
use crate::project::expansion;
use crate::remote::figures::{Resolution, Scope};
use crate::remote::ledger::LedgerReply;
use crate::remote::replies::{Remark, StatusReply};
use crate::rotation::editing::{Draft, Ring};
use crate::terminal::answer::Failure;

/// What is done to a table of a configuration.
#[derive(Clone, Debug)]
pub enum Change<'c> {
    /// Sets a field.
    Set(&'c str, &'c Json),
    /// Takes a field away.
    Remove(&'c str),
    /// Adds an entry to a list.
    Push(&'c str, &'c Json),
    /// Puts an entry in the place of another.
    Replace(&'c str, usize, &'c Json),
    /// Takes an entry out of a list.
    RemoveEntry(&'c str, usize),
}

/// What a command of the rotation does to the shared ring, or to a rule.
#[derive(Clone, Copy, Debug)]
pub enum RingChange<'c> {
    /// Makes a key a fallback.
    Stage(&'c str),
    /// Makes a fallback current, and the current key a fallback until then.
    Promote(&'c str, &'c str),
    /// Makes a key current, and drops the one that was.
    PutInPlace(&'c str),
    /// Takes a key out of the fallbacks.
    Unlist(&'c str),
    /// Lets a rule open a format as well.
    Accept(&'c str, &'c Json),
    /// Lets a rule open a format no longer.
    Unaccept(&'c str, &'c Json),
    /// Makes a format the one that a rule seals in.
    PromoteFormat(&'c str, &'c Json),
    /// Gives a rule a `max_age` in seconds.
    LimitAge(&'c str, u64),
}

/// A line of a `.dev.vars` that sets a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// Reads a configuration as wrangler sends it; none where wrangler would not read it.
pub fn read(is_toml: bool, text: &str) -> Option<Json> {
    let root = syntax(is_toml).read(split_mark(text).1).ok()?;
    Some(root.json())
}

/// The text after a change of the table at the end of a path; numbers in it are places in lists.
pub fn edit(is_toml: bool, text: &str, table: &[&str], change: &Change<'_>) -> Option<String> {
    let steps = table.iter().map(|step| match step.parse() {
        Ok(at) => Step::Entry(at),
        Err(_) => Step::field(step),
    });
    let edit = Edit {
        table: steps.collect(),
        change: change.to_table_change(),
    };
    syntax(is_toml).apply(text, &edit)
}

/// The text after a change of the ring; none where it has no variable COUNTERSIGN, an error as it is told.
pub fn change_ring(
    is_toml: bool,
    text: &str,
    change: RingChange<'_>,
) -> Option<Result<String, String>> {
    let name = if is_toml {
        "wrangler.toml"
    } else {
        "wrangler.jsonc"
    };
    let mut draft = Draft::parse(text, None, name.into())?;
    let done = change.apply(&mut draft);
    let done = done.and_then(|()| draft.update_required());
    Some(match done {
        Ok(()) => Ok(draft.text().to_owned()),
        Err(failure) => Err(failure.to_string()),
    })
}

/// The variables of a `.dev.vars`.
pub fn variables(bytes: &[u8]) -> Vec<Variable> {
    let lines = dotenv::parse(bytes).into_iter();
    let variable = |line: dotenv::Assignment| Variable {
        name: line.name,
        value: line.value.to_string(),
        line: line.line,
    };
    lines.map(variable).collect()
}

/// The same as in a `.env`, where every `$` is expanded; none where that has no end.
pub fn expanded(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let written = variables(bytes).into_iter();
    let written: Vec<_> = written.map(|one| (one.name, one.value)).collect();
    expansion::expand(&written, &Vec::new())
}

/// The line of a `.dev.vars` that `init` writes for a key; none where no line can hold it.
pub fn variable_line(name: &str, value: &str) -> Option<String> {
    dev_vars_line(name, value).map(|line| line.to_string())
}

/// What is told of a status reply: what is wrong, or why it cannot be read. None where it is no status.
pub fn status(text: &str) -> Option<Vec<String>> {
    let reply = StatusReply::parse(text)?;
    let remarks = reply.fields.problems.iter().chain(&reply.fields.notes);
    let mut told: Vec<String> = remarks.map(Remark::to_line).collect();
    told.extend(reply.fields.configuration.as_str().map(str::to_owned));
    if let Err(failure) = reply.capabilities("https://shop.example") {
        told.push(failure.to_string());
    }
    Some(told)
}

/// Why the configuration of a status reply cannot be read; none where it can, or where it is no status.
pub fn capabilities_error(text: &str) -> Option<String> {
    let read = StatusReply::parse(text)?.capabilities("https://shop.example");
    read.err().as_ref().map(Failure::to_string)
}

/// What a ledger's reply comes to: for each key, how often it opened a cookie by the hour and by the day. None where
/// it is no ledger.
pub fn ledger_uses(status: u16, text: &str) -> Option<BTreeMap<String, (u64, u64)>> {
    let LedgerReply::Known(ledger) = LedgerReply::read(status, text)? else {
        return None;
    };
    let mut uses: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (resolution, is_hour) in [(Resolution::Hour, true), (Resolution::Day, false)] {
        let series = ledger.series(resolution, ledger.now.saturating_sub(SPAN_S), Scope::All);
        assert!(series.starts.len() <= MOST_STEPS, "a series without end");
        for (key, counts) in series.keys {
            let _ = ledger.forecast(&key, Scope::All);
            let of_key = uses.entry(key).or_default();
            let sum = counts.iter().sum();
            if is_hour {
                of_key.0 = sum;
            } else {
                of_key.1 = sum;
            }
        }
    }
    let period = ledger.period(0);
    let _ = (period.refusals(), period.upgrades(Scope::All));
    let _ = (ledger.differing_days(), period.share(Scope::All));
    Some(uses)
}

/// A time that is asked about, in seconds, and what it can come to in steps.
const SPAN_S: u64 = 14 * 86_400;
const MOST_STEPS: usize = 14 * 24 + 2;

fn syntax(is_toml: bool) -> Syntax {
    if is_toml { Syntax::Toml } else { Syntax::Jsonc }
}

impl Change<'_> {
    fn to_table_change(&self) -> TableChange {
        match self {
            Self::Set(field, value) => TableChange::Set {
                field: (*field).to_owned(),
                node: Node::of(value),
            },
            Self::Remove(field) => TableChange::Remove {
                field: (*field).to_owned(),
            },
            Self::Push(list, entry) => TableChange::Push {
                list: (*list).to_owned(),
                entry: Node::of(entry),
            },
            Self::Replace(list, at, entry) => TableChange::ReplaceEntry {
                list: (*list).to_owned(),
                at: *at,
                entry: Node::of(entry),
            },
            Self::RemoveEntry(list, at) => TableChange::RemoveEntry {
                list: (*list).to_owned(),
                at: *at,
            },
        }
    }
}

impl RingChange<'_> {
    fn apply(self, draft: &mut Draft) -> Result<(), Failure> {
        match self {
            Self::Stage(key) => draft.stage(Ring::Shared, key),
            Self::Promote(key, until) => draft.promote(Ring::Shared, key, until),
            Self::PutInPlace(key) => draft.put_in_place(Ring::Shared, key),
            Self::Unlist(key) => draft.unlist(Ring::Shared, key),
            Self::Accept(rule, format) => draft.accept(rule, format, None),
            Self::Unaccept(rule, format) => draft.unaccept(rule, format),
            Self::PromoteFormat(rule, format) => draft.promote_format(rule, format, None),
            Self::LimitAge(rule, seconds) => draft.limit_age(rule, seconds),
        }
    }
}
