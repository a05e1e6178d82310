//! The formats of a rule: accepted first, then sealed in, then accepted no longer.

use countersign_core::config::written::Written;
use serde_json::Value as Json;
use toml_edit::{InlineTable, Item, TableLike, Value};

use super::{Draft, list, set, short};
use crate::terminal::answer::Failure;

impl Draft {
    /// The formats that a rule accepts, and until when each as it is written.
    pub fn accepted(&self, rule: &str) -> Result<Vec<(Json, Option<String>)>, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let formats = super::rule(&written, rule)?.accept().into_iter();
        let formats = formats.map(|format| {
            let until = format.until_text().map(str::to_owned);
            (format.to_value(), until)
        });
        Ok(formats.collect())
    }

    /// The format that a rule's origin reads, where it is written.
    pub fn origin_format(&self, rule: &str) -> Result<Option<Json>, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let origin = super::rule(&written, rule)?.origin_format();
        Ok(origin.map(|format| format.to_value()))
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
        while let Some(at) = self.accepted_at(rule, format)? {
            list::remove(self.rule(rule)?, "accept", at);
        }
        Ok(())
    }

    /// What a rule seals for browsers in: `format` and its options.
    pub fn format(&self, rule: &str) -> Result<Json, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        Ok(super::rule(&written, rule)?.format().to_value())
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
        let accepted = self.accepted_at(rule, format)?;
        let has_origin = self.origin_format(rule)?.is_some();
        let table = self.rule(rule)?;
        if !has_origin {
            set(table, "origin", short(written(&old)));
        }
        let mut entry = written(&old);
        if let Some(until) = until {
            entry.insert("until", Value::from(until));
        }
        match accepted {
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

    /// Which entry of `accept` is this format.
    fn accepted_at(&self, rule: &str, format: &Json) -> Result<Option<usize>, Failure> {
        let accepted = self.accepted(rule)?;
        Ok(accepted.iter().position(|(known, _)| known == format))
    }

    /// The table of a rule.
    fn rule(&mut self, name: &str) -> Result<&mut dyn TableLike, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let item = self.item(&super::rule(&written, name)?.path);
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
