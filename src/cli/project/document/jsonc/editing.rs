//! Edits JSONC in place: pieces of the text change, and every other byte stays. The parser's own tree for edits
//! takes blank lines away and writes each object over several lines.

use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::{Token, TokenAndRange};

use super::layout::{Layout, Splice};
use super::parser::{last, parse};
use crate::project::document::edit::{Edit, TableChange, long};
use crate::project::document::node::{Node, NodeValue};
use crate::project::document::path::Step;

/// The text after an edit; none where it is no JSON or has no such object.
pub fn apply(text: &str, edit: &Edit) -> Option<String> {
    let parsed = parse(text).ok()?;
    let root = parsed.value?;
    let source = Source {
        text,
        tokens: parsed.tokens.unwrap_or_default(),
    };
    let object = follow(&root, &edit.table)?.as_object()?;
    Some(splice(text, source.change(object, &edit.change)))
}

fn follow<'v, 'a>(root: &'v Value<'a>, path: &[Step]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Field(name) => Some(&property(value.as_object()?, name)?.1.value),
        Step::Entry(index) => value.as_array()?.elements.get(*index),
    })
}

/// The property of that name that counts, and which one it is.
fn property<'v, 'a>(object: &'v Object<'a>, name: &str) -> Option<(usize, &'v ObjectProp<'a>)> {
    let at = last(object, name)?;
    Some((at, object.properties.get(at)?))
}

/// The text, and what it consists of.
struct Source<'t> {
    text: &'t str,
    tokens: Vec<TokenAndRange<'t>>,
}

impl Source<'_> {
    fn change(&self, object: &Object<'_>, change: &TableChange) -> Vec<Splice> {
        let list = |list: &str| property(object, list)?.1.value.as_array();
        match change {
            TableChange::Set { field, node } => self.set(object, field, node),
            TableChange::Remove { field } => self.remove(object, field),
            TableChange::Push { list: name, entry } => match list(name) {
                Some(array) => self.array(array).push(&written(entry), ""),
                None => self.set(object, name, &NodeValue::List(vec![entry.clone()]).into()),
            },
            TableChange::ReplaceEntry {
                list: name,
                at,
                entry,
            } => {
                let old = list(name).and_then(|array| array.elements.get(*at));
                old.map(|old| self.replace(old, entry)).unwrap_or_default()
            }
            TableChange::RemoveEntry { list: name, at } => list(name)
                .map(|array| self.array(array).remove(*at))
                .unwrap_or_default(),
        }
    }

    fn set(&self, object: &Object<'_>, field: &str, node: &Node) -> Vec<Splice> {
        match property(object, field) {
            Some((_, property)) => self.replace(&property.value, node),
            None => {
                let new = format!("{}: {}", written(&Node::text(field)), written(node));
                self.object(object).push(&new, " ")
            }
        }
    }

    fn remove(&self, object: &Object<'_>, field: &str) -> Vec<Splice> {
        let found = property(object, field);
        found.map_or(Vec::new(), |(at, _)| self.object(object).remove(at))
    }

    /// The comments in an object stay: it is changed field by field.
    fn replace(&self, old: &Value<'_>, node: &Node) -> Vec<Splice> {
        let range = old.range();
        match old {
            Value::Object(object) if self.has_comment(object) => self.merge(object, &long(node)),
            _ => vec![(range.start..range.end, written(node))],
        }
    }

    fn merge(&self, object: &Object<'_>, new: &Node) -> Vec<Splice> {
        let names = object.properties.iter().map(|one| one.name.as_str());
        let gone: Vec<&str> = names.filter(|name| new.get(name).is_none()).collect();
        let set = new.fields().iter().map(|field| TableChange::Set {
            field: field.name.clone(),
            node: field.node.clone(),
        });
        let removed = gone.into_iter().map(|field| TableChange::Remove {
            field: field.to_owned(),
        });
        // one after the other, since each changes the layout
        let start = object.range.start;
        let mut text = self
            .text
            .get(start..object.range.end)
            .unwrap_or_default()
            .to_owned();
        let before = (start..object.range.end, text.clone());
        for change in set.chain(removed) {
            let edit = Edit {
                table: Vec::new(),
                change,
            };
            match apply(&text, &edit) {
                Some(after) => text = after,
                None => return vec![before],
            }
        }
        vec![(before.0, text)]
    }

    fn has_comment(&self, object: &Object<'_>) -> bool {
        let range = object.range;
        self.tokens.iter().any(|token| {
            matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_))
                && token.range.start > range.start
                && token.range.end < range.end
        })
    }

    fn array(&self, array: &Array<'_>) -> Layout<'_> {
        let items = array.elements.iter().map(Ranged::range);
        let items = items.map(|range| range.start..range.end).collect();
        let whole = array.range.start..array.range.end;
        Layout::new(self.text, &self.tokens, whole, items)
    }

    fn object(&self, object: &Object<'_>) -> Layout<'_> {
        let items = object.properties.iter().map(|one| one.range);
        let items = items.map(|range| range.start..range.end).collect();
        let whole = object.range.start..object.range.end;
        Layout::new(self.text, &self.tokens, whole, items)
    }
}

/// Puts every piece in its place. They do not overlap.
fn splice(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|(range, _)| range.start);
    let (mut spliced, mut at) = (String::new(), 0);
    for (range, new) in splices {
        spliced.push_str(text.get(at..range.start).unwrap_or_default());
        spliced.push_str(&new);
        at = range.end;
    }
    spliced.push_str(text.get(at..).unwrap_or_default());
    spliced
}

/// A value in one line.
pub fn written(node: &Node) -> String {
    match &node.value {
        NodeValue::List(entries) => {
            let entries: Vec<String> = entries.iter().map(written).collect();
            format!("[{}]", entries.join(", "))
        }
        NodeValue::Table(fields) if fields.is_empty() => "{}".to_owned(),
        NodeValue::Table(fields) => {
            let name = |name: &str| serde_json::Value::from(name).to_string();
            let fields = fields.iter();
            let fields =
                fields.map(|field| format!("{}: {}", name(&field.name), written(&field.node)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => node.json().to_string(),
    }
}
