//! What can be done to a configuration in place.

use crate::project::document::node::Node;
use crate::project::document::path::Step;

/// A change of one table. What it does not name keeps its bytes: comments, order, indentation and line ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The path of the table.
    pub table: Vec<Step>,
    pub change: TableChange,
}

/// What changes in the table. A list that is named is one of its fields.
#[derive(Clone, Debug, PartialEq)]
pub enum TableChange {
    /// Sets a field in its place; a new one comes last.
    Set { field: String, node: Node },
    /// Takes a field away.
    Remove { field: String },
    /// Adds an entry at the end of a list, which is made where it is missing.
    Push { list: String, entry: Node },
    /// Puts an entry in the place of another.
    ReplaceEntry {
        list: String,
        at: usize,
        entry: Node,
    },
    /// Takes an entry out of a list, and the comments that are about it.
    RemoveEntry { list: String, at: usize },
}

/// A key as the table that its name is short for.
pub fn long(entry: &Node) -> Node {
    match entry.as_str() {
        Some(name) => Node::table([("secret", Node::text(name))]),
        None => entry.clone(),
    }
}
