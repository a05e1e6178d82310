//! The formats of a rule: accepted first, then sealed in, then accepted no longer.

use countersign_core::formats;
use serde_json::Value as Json;
use toml_edit::{InlineTable, Item, Table, TableLike, Value};

use super::{Draft, Step, list, set, short};
use crate::project::toml::{entries, json};
use crate::terminal::answer::Failure;

impl Draft {
    /// The formats that a rule accepts, and until when each as it is written.
    pub fn accepted(&self, rule: &str) -> Result<Vec<(Json, Option<String>)>, Failure> {
        let position = self.rule_position(rule)?;
        let mut value = self.value();
        let list = value["cookies"][position]["accept"].take();
        let formats = list.as_array().into_iter().flatten().map(|entry| {
            let until = entry["until"].as_str().map(str::to_owned);
            let mut format = entry.clone();
            format.as_object_mut().map(|fields| fields.remove("until"));
            (format, until)
        });
        Ok(formats.collect())
    }

    /// The format that a rule's origin reads, where it is written.
    pub fn origin_format(&self, rule: &str) -> Result<Option<Json>, Failure> {
        let position = self.rule_position(rule)?;
        let mut value = self.value();
        let format = value["cookies"][position]["origin"].take();
        Ok(Some(format).filter(|format| !format.is_null()))
    }

    /// Lets a rule open a further format, until then.
    pub fn accept(
        &mut self,
        rule: &str,
        format: &Json,
        until: Option<&str>,
    ) -> Result<(), Failure> {
        let mut entry = written(format);
        if let Some(until) = until {
            entry.insert("until", Value::from(until));
        }
        let table = self.rule(rule)?;
        list::push(table, "accept", short(entry));
        Ok(())
    }

    /// Lets a rule open a format no longer.
    pub fn unaccept(&mut self, rule: &str, format: &Json) -> Result<(), Failure> {
        let table = self.rule(rule)?;
        while let Some(at) = accepted(table, format) {
            list::remove(table, "accept", at);
        }
        Ok(())
    }

    /// What a rule seals for browsers in: `format` and its options.
    pub fn format(&self, rule: &str) -> Result<Json, Failure> {
        let mut draft = self.clone();
        let mut fields = json(&Item::Table(copied(draft.rule(rule)?)));
        if let Some(fields) = fields.as_object_mut() {
            let name = fields
                .get("format")
                .and_then(Json::as_str)
                .unwrap_or_default();
            let options = formats::description(name).map_or(&[][..], |found| found.options);
            let is_option = |field: &str| options.iter().any(|option| option.name == field);
            fields.retain(|field, _| field == "format" || is_option(field));
        }
        Ok(fields)
    }

    /// Makes an accepted format the one that a rule seals in; the other is accepted until then. What the
    /// origin reads stays what it was.
    pub fn promote_format(
        &mut self,
        rule: &str,
        format: &Json,
        until: Option<&str>,
    ) -> Result<(), Failure> {
        let old = self.format(rule)?;
        let table = self.rule(rule)?;
        if !table.contains_key("origin") {
            set(table, "origin", short(written(&old)));
        }
        let mut entry = written(&old);
        if let Some(until) = until {
            entry.insert("until", Value::from(until));
        }
        match accepted(table, format) {
            Some(at) => list::replace(table, "accept", at, short(entry)),
            None => list::push(table, "accept", short(entry)),
        }
        for option in old.as_object().into_iter().flat_map(|old| old.keys()) {
            if format.get(option).is_none() {
                table.remove(option);
            }
        }
        for (field, value) in written(format) {
            set(table, field.as_str(), value);
        }
        Ok(())
    }

    /// Lets a rule refuse what was signed longer ago than this.
    pub fn limit_age(&mut self, rule: &str, seconds: u64) -> Result<(), Failure> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        set(self.rule(rule)?, "max_age", Value::from(seconds));
        Ok(())
    }

    /// Takes away a field of a rule.
    pub fn clear(&mut self, rule: &str, field: &str) -> Result<(), Failure> {
        self.rule(rule)?.remove(field);
        Ok(())
    }

    fn rule(&mut self, name: &str) -> Result<&mut dyn TableLike, Failure> {
        let at = self.rule_position(name)?;
        let item = self.item(&[Step::Field("cookies"), Step::Entry(at)]);
        item.and_then(Item::as_table_like_mut)
            .ok_or_else(|| Failure::usage(format!("the rule of {name} is no table")))
    }
}

/// A format as it is written, its name first.
fn written(format: &Json) -> InlineTable {
    let fields = format.as_object().into_iter().flatten();
    let (name, options): (Vec<_>, Vec<_>) = fields.partition(|(field, _)| *field == "format");
    name.into_iter()
        .chain(options)
        .filter_map(|(field, value)| Some((field.as_str(), toml(value)?)))
        .collect()
}

fn toml(value: &Json) -> Option<Value> {
    Some(match value {
        Json::String(text) => Value::from(text.as_str()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => Value::from(number.as_i64()?),
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(field, value)| Some((field.as_str(), toml(value)?)));
            Value::InlineTable(fields.collect())
        }
        Json::Array(_) | Json::Null => return None,
    })
}

fn accepted(table: &dyn TableLike, format: &Json) -> Option<usize> {
    let list = table.get("accept").and_then(entries)?;
    list.iter().position(|entry| {
        let mut entry = json(entry);
        entry.as_object_mut().map(|entry| entry.remove("until"));
        entry == *format
    })
}

fn copied(table: &dyn TableLike) -> Table {
    table
        .iter()
        .map(|(field, item)| (field, item.clone()))
        .collect()
}
