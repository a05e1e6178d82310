//! What the readers ask their tables for. The schema of the configuration is made from it, so that it says what they
//! read and nothing else.

use crate::prelude::*;

/// Every field that was asked for, each once, in the order of asking.
#[derive(Debug, Default)]
pub struct Asked {
    /// The fields.
    pub fields: Vec<AskedField>,
    /// The paths of those that were needed and not set.
    pub missing: Vec<String>,
}

/// A field that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedField {
    /// The path of its table: `COUNTERSIGN.keys`.
    pub table: String,
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: FieldKind,
}

/// What a field may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// What only its reader knows.
    Any,
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// An integer, zero or more.
    Number,
    /// A number of seconds, or a duration.
    Seconds,
    /// One of these strings.
    Choice(Vec<String>),
    /// A time as RFC 3339 writes it.
    Time,
    /// The name of a secret.
    KeyId,
    /// A string, or a table from the names of secrets to strings.
    TextByKey,
    /// An integer, zero or more, or a table from the names of secrets to such.
    NumberByKey,
    /// An array.
    List,
}

impl FieldKind {
    /// One of some words.
    pub fn choice<T>(words: &[(&str, T)]) -> Self {
        let words = words.iter().map(|(word, _)| (*word).to_owned());
        Self::Choice(words.collect())
    }
}

impl Asked {
    /// The fields of the table at `path`.
    pub fn of<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s AskedField> {
        self.fields.iter().filter(move |field| field.table == path)
    }

    pub(super) fn add(&mut self, table: &str, name: &'static str, kind: FieldKind) {
        let is_same = |field: &AskedField| field.table == table && field.name == name;
        if self.fields.iter().any(is_same) {
            return;
        }
        self.fields.push(AskedField {
            table: table.to_owned(),
            name,
            kind,
        });
    }

    pub(super) fn add_missing(&mut self, table: &str, field: &str) {
        self.missing.push(format!("{table}.{field}"));
    }
}
