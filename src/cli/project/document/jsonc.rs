//! A configuration in JSON with comments and last commas, read as wrangler's parser reads it.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use crate::project::document::node::{Field, Node, NodeValue, number};
use crate::project::document::syntax_error::SyntaxError;

pub mod editing;
mod layout;
mod parser;

use parser::{last, parse};

/// Reads a text. Of several fields of one name the last counts.
///
/// # Errors
/// It is no JSON, or no object.
pub fn read(text: &str) -> Result<Node, SyntaxError> {
    match parse(text)?.value {
        Some(object @ Value::Object(_)) => Ok(node(&object)),
        _ => Err(SyntaxError::at(0, "expected an object: { … }")),
    }
}

/// A field that stands again further down in the same object, and so counts for nothing.
pub struct Duplicate {
    /// Its path.
    pub path: String,
    /// Where it stands, in bytes.
    pub start: usize,
    /// Where the one stands that counts.
    pub last: usize,
}

/// Every field that does not count. A text that is no JSON has none.
pub fn duplicates(text: &str) -> Vec<Duplicate> {
    let mut found = Vec::new();
    if let Ok(parsed) = parse(text)
        && let Some(root) = &parsed.value
    {
        find_duplicates("", root, &mut found);
    }
    found
}

fn find_duplicates(path: &str, value: &Value<'_>, found: &mut Vec<Duplicate>) {
    match value {
        Value::Array(array) => {
            for (at, entry) in array.elements.iter().enumerate() {
                find_duplicates(&format!("{path}[{at}]"), entry, found);
            }
        }
        Value::Object(object) => {
            for property in &object.properties {
                let name = property.name.as_str();
                let path = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                let start = property.range.start;
                match last(object, name) {
                    Some(at) if object.properties[at].range.start != start => {
                        found.push(Duplicate {
                            path,
                            start,
                            last: object.properties[at].range.start,
                        });
                    }
                    _ => find_duplicates(&path, &property.value, found),
                }
            }
        }
        _ => {}
    }
}

fn node(value: &Value<'_>) -> Node {
    let start = value.range().start;
    let read = match value {
        Value::StringLit(text) => NodeValue::Text(text.value.to_string()),
        Value::NumberLit(text) => text.value.parse().map_or(NodeValue::Null, number),
        Value::BooleanLit(flag) => NodeValue::Boolean(flag.value),
        Value::NullKeyword(_) => NodeValue::Null,
        Value::Array(array) => NodeValue::List(array.elements.iter().map(node).collect()),
        Value::Object(object) => NodeValue::Table(fields(object)),
    };
    Node { value: read, start }
}

fn fields(object: &Object<'_>) -> Vec<Field> {
    let properties = object.properties.iter().enumerate();
    let counting = properties.filter(|(at, one)| last(object, one.name.as_str()) == Some(*at));
    let field = |(_, property): (usize, &jsonc_parser::ast::ObjectProp<'_>)| Field {
        name: property.name.as_str().to_owned(),
        start: property.range.start,
        node: node(&property.value),
    };
    counting.map(field).collect()
}
