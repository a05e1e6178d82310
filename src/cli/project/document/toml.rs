//! A configuration in TOML, read as wrangler's parser reads it.

use serde_json::Number;
use toml_edit::{Document, Item, Table, TableLike, Value};

use crate::project::document::node::{Field, LARGEST_INTEGER, Node, NodeValue, number};
use crate::project::document::syntax_error::SyntaxError;

pub mod editing;
mod list;
mod table;

/// Reads a text.
///
/// # Errors
/// It is no TOML, or holds an integer that JavaScript has no number for.
pub fn read(text: &str) -> Result<Node, SyntaxError> {
    let document = Document::parse(text).map_err(|error| SyntaxError {
        reason: error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
        at: error.span().map(|span| span.start),
    })?;
    table(document.as_table(), 0)
}

fn table(table: &dyn TableLike, start: usize) -> Result<Node, SyntaxError> {
    let mut fields = Vec::new();
    for (name, item) in table.iter() {
        let start = field_start(table, name).unwrap_or(start);
        fields.push(Field {
            name: name.to_owned(),
            start,
            node: node(item, start)?,
        });
    }
    let value = NodeValue::Table(fields);
    Ok(Node { value, start })
}

/// A header says where a table is; its key may stand in the header of a table inside it.
fn field_start(table: &dyn TableLike, name: &str) -> Option<usize> {
    let (key, item) = table.get_key_value(name)?;
    let header = match item {
        Item::Table(table) => table.span(),
        Item::ArrayOfTables(tables) => tables.iter().next().and_then(Table::span),
        _ => None,
    };
    header.or_else(|| key.span()).map(|span| span.start)
}

fn node(item: &Item, start: usize) -> Result<Node, SyntaxError> {
    match item {
        Item::ArrayOfTables(tables) => {
            let entry = |one: &Table| table(one, one.span().map_or(start, |span| span.start));
            let entries = tables.iter().map(entry).collect::<Result<_, _>>()?;
            let value = NodeValue::List(entries);
            Ok(Node { value, start })
        }
        Item::Table(one) => table(one, start),
        Item::Value(value) => self::value(value, start),
        Item::None => Ok(NodeValue::Null.into()),
    }
}

fn value(value: &Value, start: usize) -> Result<Node, SyntaxError> {
    let start = value.span().map_or(start, |span| span.start);
    let read = match value {
        Value::String(text) => NodeValue::Text(text.value().clone()),
        Value::Integer(integer) => self::integer(*integer.value(), start)?,
        Value::Float(float) => number(*float.value()),
        Value::Boolean(flag) => NodeValue::Boolean(*flag.value()),
        Value::Datetime(date) => NodeValue::Date(date.value().to_string()),
        Value::Array(array) => {
            let entries = array.iter().map(|entry| self::value(entry, start));
            NodeValue::List(entries.collect::<Result<_, _>>()?)
        }
        Value::InlineTable(fields) => return table(fields, start),
    };
    Ok(Node { value: read, start })
}

fn integer(integer: i64, start: usize) -> Result<NodeValue, SyntaxError> {
    if integer.unsigned_abs() as f64 > LARGEST_INTEGER {
        return Err(SyntaxError::at(
            start,
            "the integer is too large for wrangler to read it exactly",
        ));
    }
    Ok(NodeValue::Number(Number::from(integer)))
}
