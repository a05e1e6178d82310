//! Where in a TOML file a path such as `COUNTERSIGN.cookies[1].format` stands.

use toml_edit::{Item, TableLike};

/// `a.b[1]` as `a`, `b`, `[1`.
pub fn steps(path: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    for field in path.split('.') {
        let (name, index) = match field.find('[') {
            Some(at) => field.split_at(at),
            None => (field, ""),
        };
        steps.push(name);
        steps.extend(index.split(']').filter(|index| !index.is_empty()));
    }
    steps
}

/// Where one step leads, and where that stands.
pub fn inside<'i>(item: &'i Item, step: &str) -> Option<(Option<usize>, &'i Item)> {
    let Some(index) = step.strip_prefix('[') else {
        let table = item.as_table_like()?;
        return Some((start(table, step), table.get(step)?));
    };
    let entry = item.get(index.parse::<usize>().ok()?)?;
    Some((entry.span().map(|span| span.start), entry))
}

/// Where a key of a table stands, in bytes.
pub fn start(table: &dyn TableLike, key: &str) -> Option<usize> {
    let (key, item) = table.get_key_value(key)?;
    // a header says where a table is; its key may stand in the header of a table inside it
    let header = match item {
        Item::Table(table) => table.span(),
        Item::ArrayOfTables(tables) => tables.iter().next().and_then(toml_edit::Table::span),
        _ => None,
    };
    header.or_else(|| key.span()).map(|span| span.start)
}

/// The line that a byte is in, counted from 1.
pub fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}
