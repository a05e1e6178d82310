//! The formats of a rule: accepted first, then sealed in, then accepted no longer.

use countersign_core::config::written::Written;
use serde_json::Value as Json;

use super::Draft;
use crate::project::document::edit::TableChange;
use crate::project::document::node::Node;
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
        let rule = self.rule(rule)?;
        self.push(&rule, ACCEPT, accepted_entry(format, until))
    }

    /// Lets a rule open a format no longer.
    pub fn unaccept(&mut self, rule: &str, format: &Json) -> Result<(), Failure> {
        while let Some(at) = self.accepted_at(rule, format)? {
            let rule = self.rule(rule)?;
            self.remove_entry(&rule, ACCEPT, at)?;
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
        let rule = self.rule(rule)?;
        if !has_origin {
            self.set(&rule, "origin", written(&old))?;
        }
        let entry = accepted_entry(&old, until);
        match accepted {
            Some(at) => self.replace(&rule, ACCEPT, at, entry)?,
            None => self.push(&rule, ACCEPT, entry)?,
        }
        for option in old.as_object().into_iter().flat_map(|old| old.keys()) {
            if format.get(option).is_none() {
                self.remove(&rule, option)?;
            }
        }
        for field in written(format).fields() {
            self.set(&rule, &field.name, field.node.clone())?;
        }
        Ok(())
    }

    /// Lets a rule refuse what was signed longer ago than this.
    pub fn limit_age(&mut self, rule: &str, seconds: u64) -> Result<(), Failure> {
        let rule = self.rule(rule)?;
        self.set(&rule, "max_age", Node::of(&Json::from(seconds)))
    }

    /// Takes away a field of a rule.
    pub fn clear(&mut self, rule: &str, field: &str) -> Result<(), Failure> {
        let rule = self.rule(rule)?;
        self.remove(&rule, field)
    }

    fn remove(&mut self, table: &str, field: &str) -> Result<(), Failure> {
        let field = field.to_owned();
        self.apply(self.path_of(table), TableChange::Remove { field })
    }

    /// Which entry of `accept` is this format.
    fn accepted_at(&self, rule: &str, format: &Json) -> Result<Option<usize>, Failure> {
        let accepted = self.accepted(rule)?;
        Ok(accepted.iter().position(|(known, _)| known == format))
    }

    /// Where the table of a rule stands.
    fn rule(&self, name: &str) -> Result<String, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        Ok(super::rule(&written, name)?.path.clone())
    }
}

/// The field that lists the formats that are opened beside the rule's own.
const ACCEPT: &str = "accept";

fn accepted_entry(format: &Json, until: Option<&str>) -> Node {
    let mut entry = written(format);
    if let Some(until) = until {
        entry.set("until", Node::text(until));
    }
    entry
}

/// A format as it is written, its name first.
fn written(format: &Json) -> Node {
    let fields = format.as_object().into_iter().flatten();
    let (name, options): (Vec<_>, Vec<_>) = fields.partition(|(field, _)| *field == "format");
    let fields = name.into_iter().chain(options);
    Node::table(fields.map(|(field, value)| (field.as_str(), Node::of(value))))
}
