//! Tables of a TOML file: their fields, and the short forms of keys and formats.

use toml_edit::{InlineTable, Item, TableLike, Value};

use crate::project::toml::entries;

/// A field that is there. To ask an item for one that is not would make it.
pub(super) fn field<'i>(item: &'i mut Item, name: &str) -> Option<&'i mut Item> {
    item.as_table_like_mut()?.get_mut(name)
}

/// Sets a field in its place, with the comment that it has; a new one in line with the others.
pub(super) fn set(table: &mut dyn TableLike, field: &str, value: Value) {
    if let Some(Item::Value(old)) = table.get_mut(field) {
        let decor = old.decor().clone();
        *old = value;
        *old.decor_mut() = decor;
        return;
    }
    let column = table.iter().next().and_then(|(first, _)| {
        let key = table.key(first)?;
        let space = key.leaf_decor().suffix()?.as_str()?.len();
        Some(first.len() + space)
    });
    // what stands before the closing brace of an inline table
    let last = table
        .iter_mut()
        .last()
        .and_then(|(_, item)| item.as_value_mut());
    let space = last.and_then(|last| {
        let suffix = last.decor().suffix()?.as_str()?.to_owned();
        let is_space = !suffix.is_empty() && !suffix.contains('#');
        is_space.then(|| last.decor_mut().set_suffix(""))?;
        Some(suffix)
    });
    let value = value.decorated(" ", space.unwrap_or_default());
    table.insert(field, Item::Value(value));
    let width = column.filter(|column| *column > field.len() + 1);
    if let (Some(width), Some(mut key)) = (width, table.key_mut(field)) {
        key.leaf_decor_mut()
            .set_suffix(" ".repeat(width - field.len()));
    }
}

/// An entry of a list of keys or formats, as a table; a text is a secret's name.
pub(super) fn fields(item: &Item) -> InlineTable {
    match item {
        Item::Value(Value::InlineTable(fields)) => fields.clone(),
        Item::Table(table) => table.clone().into_inline_table(),
        Item::Value(value) => [("secret", value.clone().decorated("", ""))]
            .into_iter()
            .collect(),
        _ => InlineTable::new(),
    }
}

/// A key of which there is no more to say than its name is a text.
pub(super) fn short(mut entry: InlineTable) -> Value {
    match entry.get("secret") {
        Some(name) if entry.len() == 1 => name.clone().decorated("", ""),
        _ => {
            entry.fmt();
            Value::InlineTable(entry).decorated("", "")
        }
    }
}

pub(super) fn named(entry: &InlineTable, field: &str, name: &str) -> bool {
    entry.get(field).and_then(Value::as_str) == Some(name)
}

pub(super) fn position(
    table: &dyn TableLike,
    list: &str,
    field: &str,
    name: &str,
) -> Option<usize> {
    let list = table.get(list).and_then(entries)?;
    list.iter()
        .position(|entry| named(&fields(entry), field, name))
}
