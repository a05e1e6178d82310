//! Lists of a TOML file, edited so that every comment stays with the entry that it is about.

use toml_edit::{Array, Item, TableLike, Value};

use super::table::{inline, merge, set};

/// Adds an entry at the end of a list, which is made where it is missing.
pub fn push(table: &mut dyn TableLike, list: &str, entry: Value) {
    match table.get_mut(list) {
        Some(Item::ArrayOfTables(tables)) => {
            if let Value::InlineTable(fields) = inline(entry) {
                tables.push(fields.into_table());
            }
        }
        Some(Item::Value(Value::Array(array))) => push_formatted(array, entry),
        _ => {
            let mut array = Array::new();
            array.push(entry);
            set(table, list, Value::Array(array));
        }
    }
}

/// Takes an entry out of a list.
pub fn remove(table: &mut dyn TableLike, list: &str, at: usize) {
    match table.get_mut(list) {
        Some(Item::ArrayOfTables(tables)) => {
            if at < tables.len() {
                tables.remove(at);
            }
            if tables.is_empty() {
                // a list without entries is not one that is missing: a rule then goes by another
                table.remove(list);
                set(table, list, Value::Array(Array::new()));
            }
        }
        Some(Item::Value(Value::Array(array))) => remove_formatted(array, at),
        _ => {}
    }
}

/// Puts an entry in the place of another.
pub fn replace(table: &mut dyn TableLike, list: &str, at: usize, entry: Value) {
    match table.get_mut(list) {
        Some(Item::ArrayOfTables(tables)) => {
            if let Some(table) = tables.get_mut(at) {
                merge(table, entry);
            }
        }
        Some(Item::Value(Value::Array(array))) => {
            if let Some(old) = array.get_mut(at) {
                super::table::replace(old, entry);
            }
        }
        _ => {}
    }
}

/// What stands behind the last entry, a comment perhaps, comes to stand between it and the new one.
fn push_formatted(array: &mut Array, entry: Value) {
    let first_indent = array.iter().next().map(|first| lines(&prefix(first)).1);
    let has_comma = array.trailing_comma();
    let tail = match array.iter_mut().last().filter(|_| !has_comma) {
        Some(last) => take_suffix(last),
        None => array.trailing().as_str().unwrap_or_default().to_owned(),
    };
    let is_empty = array.is_empty();
    // one entry a line: up to the end of the tail's last line stands in front of the new entry
    let (before, behind) = match (tail.rfind('\n'), is_empty) {
        (Some(at), _) => {
            let (comments, closing) = tail.split_at_checked(at).unwrap_or((&tail, ""));
            let indent = first_indent.unwrap_or_else(|| format!("{closing}  "));
            let indent = indent.rsplit('\n').next().unwrap_or_default().to_owned();
            (format!("{comments}\n{indent}"), closing.to_owned())
        }
        (None, true) => (String::new(), tail),
        (None, false) => (" ".to_owned(), tail),
    };
    let mut entry = entry.decorated(before, "");
    if has_comma || is_empty {
        array.set_trailing(behind);
    } else {
        entry.decor_mut().set_suffix(behind);
    }
    array.push_formatted(entry);
}

/// The comment behind the entry before stays there; those of the entry itself go with it.
fn remove_formatted(array: &mut Array, at: usize) {
    if at >= array.len() {
        return;
    }
    let is_last = at + 1 == array.len();
    let mut removed = array.remove(at);
    let (behind_previous, _) = lines(&prefix(&removed));
    if is_last && !array.trailing_comma() {
        let tail = take_suffix(&mut removed);
        let (_, rest) = lines(&tail);
        let joined = format!("{behind_previous}{rest}");
        match array.iter_mut().last() {
            Some(last) => last.decor_mut().set_suffix(joined),
            None => set_empty(array, joined),
        }
        return;
    }
    let is_only = array.is_empty();
    let next = match array.get_mut(at) {
        Some(next) => prefix(next),
        None => array.trailing().as_str().unwrap_or_default().to_owned(),
    };
    let joined = if next.contains('\n') {
        format!("{behind_previous}{}", lines(&next).1)
    } else if is_last {
        next
    } else {
        // all in one line: the next takes the very place
        prefix(&removed)
    };
    match array.get_mut(at) {
        Some(next) => next.decor_mut().set_prefix(joined),
        None => array.set_trailing(joined),
    }
    if is_only {
        let left = array.trailing().as_str().unwrap_or_default().to_owned();
        set_empty(array, left);
    }
}

/// What is left between the brackets stays where it is a comment.
fn set_empty(array: &mut Array, left: String) {
    let left = if left.contains('#') {
        left
    } else {
        String::new()
    };
    array.set_trailing(left);
    array.set_trailing_comma(false);
}

/// Up to the end of the line, and the rest from there on.
fn lines(text: &str) -> (String, String) {
    match text.find('\n') {
        Some(at) => {
            let (line, rest) = text.split_at_checked(at).unwrap_or((text, ""));
            (line.to_owned(), rest.to_owned())
        }
        None => (String::new(), text.to_owned()),
    }
}

fn prefix(value: &Value) -> String {
    let prefix = value.decor().prefix().and_then(|prefix| prefix.as_str());
    prefix.unwrap_or_default().to_owned()
}

fn take_suffix(value: &mut Value) -> String {
    let suffix = value.decor().suffix().and_then(|suffix| suffix.as_str());
    let suffix = suffix.unwrap_or_default().to_owned();
    value.decor_mut().set_suffix("");
    suffix
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    #[test]
    fn an_entry_that_is_not_there_is_not_taken_out() {
        for text in ["[[a]]\nb = 1\n", "a = [1]\n"] {
            let mut document: DocumentMut = text.parse().unwrap();
            remove(document.as_table_mut(), "a", 3);
            assert_eq!(document.to_string(), text);
        }
    }
}
