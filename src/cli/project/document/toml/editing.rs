//! Edits TOML in place.

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use super::{list, table};
use crate::project::document::edit::{Edit, TableChange};
use crate::project::document::line_ends;
use crate::project::document::node::{Node, NodeValue};
use crate::project::document::path::Step;

/// The text after an edit; none where it is no TOML or has no such table.
pub fn apply(text: &str, edit: &Edit) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let item = follow(document.as_item_mut(), &edit.table)?;
    change(item.as_table_like_mut()?, &edit.change);
    Some(line_ends::keep(text, &document.to_string()))
}

fn change(table: &mut dyn TableLike, change: &TableChange) {
    match change {
        TableChange::Set { field, node } => table::set(table, field, value(node)),
        TableChange::Remove { field } => drop(table.remove(field)),
        TableChange::Push { list, entry } => list::push(table, list, value(entry)),
        TableChange::ReplaceEntry { list, at, entry } => {
            list::replace(table, list, *at, value(entry));
        }
        TableChange::RemoveEntry { list, at } => list::remove(table, list, *at),
    }
}

/// To ask an item for a field that is not there would make it.
fn follow<'i>(mut item: &'i mut Item, path: &[Step]) -> Option<&'i mut Item> {
    for step in path {
        item = match step {
            Step::Field(name) => item.as_table_like_mut()?.get_mut(name)?,
            Step::Entry(index) => item.get_mut(*index)?,
        };
    }
    Some(item)
}

fn value(node: &Node) -> Value {
    match &node.value {
        NodeValue::Text(text) | NodeValue::Date(text) => Value::from(text.as_str()),
        NodeValue::Boolean(flag) => Value::from(*flag),
        NodeValue::Number(number) => match number.as_i64() {
            Some(integer) => Value::from(integer),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        // TOML has no null, and no setting of ours is one
        NodeValue::Null => Value::from(""),
        NodeValue::List(entries) => Value::Array(entries.iter().map(value).collect()),
        NodeValue::Table(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|field| (field.name.as_str(), value(&field.node)));
            let mut table: InlineTable = fields.collect();
            table.fmt();
            Value::InlineTable(table)
        }
    }
}
