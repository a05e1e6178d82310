//! Tables of a TOML file: their fields, set so that comments stay.

use toml_edit::{TableLike, Value};

/// Sets a field in its place, with the comment that it has; a new one in line with the others.
pub(super) fn set(table: &mut dyn TableLike, field: &str, value: Value) {
    if let Some(old) = table.get_mut(field).and_then(|item| item.as_value_mut()) {
        replace(old, value);
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
    table.insert(field, toml_edit::Item::Value(value));
    let width = column.filter(|column| *column > field.len() + 1);
    if let (Some(width), Some(mut key)) = (width, table.key_mut(field)) {
        key.leaf_decor_mut()
            .set_suffix(" ".repeat(width - field.len()));
    }
}

/// Puts a value in the place of another; the comments around it and in it stay.
pub(super) fn replace(old: &mut Value, new: Value) {
    if let Value::InlineTable(table) = old
        && table.to_string().contains('#')
    {
        merge(table, new);
        return;
    }
    let decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}

/// Makes a table say what another value says, field by field. A text is a key's name.
pub(super) fn merge(table: &mut dyn TableLike, new: Value) {
    let Value::InlineTable(new) = inline(new) else {
        return;
    };
    let old: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    for name in old.iter().filter(|name| !new.contains_key(name)) {
        table.remove(name);
    }
    for (name, value) in new {
        set(table, &name, value.decorated(" ", ""));
    }
}

/// A key as the table that its name is short for.
pub(super) fn inline(entry: Value) -> Value {
    match entry {
        Value::String(name) => {
            Value::InlineTable([("secret", Value::String(name))].into_iter().collect())
        }
        entry => entry,
    }
}
