//! TOML as wrangler passes it on to the Worker: as JSON.

use serde_json::{Map, Number, Value};
use toml_edit::Item;

/// TOML as wrangler sends it. A date becomes its text, so that all else can be checked.
pub fn json(item: &Item) -> Value {
    if let Some(list) = entries(item) {
        return Value::Array(list.iter().map(json).collect());
    }
    if let Some(table) = item.as_table_like() {
        let fields = table.iter().map(|(key, item)| (key.to_owned(), json(item)));
        return Value::Object(fields.collect::<Map<_, _>>());
    }
    match item.as_value() {
        Some(toml_edit::Value::String(text)) => Value::from(text.value().as_str()),
        Some(toml_edit::Value::Integer(number)) => Value::from(*number.value()),
        Some(toml_edit::Value::Float(number)) => {
            Number::from_f64(*number.value()).map_or(Value::Null, Value::Number)
        }
        Some(toml_edit::Value::Boolean(flag)) => Value::from(*flag.value()),
        Some(toml_edit::Value::Datetime(date)) => Value::from(date.value().to_string()),
        _ => Value::Null,
    }
}

/// The entries of a list, however it is written.
pub fn entries(item: &Item) -> Option<Vec<Item>> {
    if let Some(tables) = item.as_array_of_tables() {
        return Some(tables.iter().cloned().map(Item::Table).collect());
    }
    let values = item.as_array()?.iter().cloned();
    Some(values.map(Item::Value).collect())
}
