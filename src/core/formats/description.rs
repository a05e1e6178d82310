//! What a format says of itself beside its code. The configuration's reader, recognition without a key, the command
//! line, the documents and the tests read it, so that no list of formats stands anywhere else.

use serde_json::{Map, Value};

use super::{Format, KeyShape};
use crate::prelude::*;
use crate::settings::{Problems, Table};

/// A format as data.
#[derive(Debug)]
pub struct Description {
    /// Its name in a configuration.
    pub name: &'static str,
    /// The frameworks that write it, with the versions that it was checked against, for the documents.
    pub used_by: &'static str,
    /// Its options, all of them.
    pub options: &'static [FormatOption],
    /// Reads the options. It reports what is wrong with them itself, and then answers `None`.
    pub read: fn(&mut Table<'_>) -> Option<Box<dyn Format>>,
}

/// An option of a format.
#[derive(Debug)]
pub struct FormatOption {
    /// Its name in a configuration.
    pub name: &'static str,
    /// What it is where it is left out.
    pub default: DefaultValue,
    /// What else it may be and when, for the documents; empty where the default says enough.
    pub about: &'static str,
    /// The values that give a cookie another shape, for recognition.
    pub shapes: &'static [ShapeValue],
    /// Other values that sites use and no shape shows: to be tried with a key.
    pub usual: &'static [ShapeValue],
}

/// What an option is where it is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// A string.
    Text(&'static str),
    /// `true` or `false`.
    Flag(bool),
    /// An integer.
    Number(u64),
    /// To leave it out says something that no value says.
    Unset,
    /// It cannot be left out.
    Required,
}

/// A value of an option that gives a cookie another shape, or that is to be tried.
#[derive(Clone, Copy, Debug)]
pub enum ShapeValue {
    /// A string.
    Text(&'static str),
    /// `true` or `false`.
    Flag(bool),
    /// An integer.
    Number(u64),
    /// A string that the cookie itself holds.
    OfCookie(fn(&str) -> Option<&str>),
    /// The cookie's name.
    Name,
}

/// Stands for a string that has no part in a value's shape.
const ANY_TEXT: &str = "-";

impl FormatOption {
    /// An option of which the cookie's shape does not depend.
    pub const fn new(name: &'static str, default: DefaultValue, about: &'static str) -> Self {
        Self {
            name,
            default,
            about,
            shapes: &[],
            usual: &[],
        }
    }

    /// The digest of a MAC, whose length a signature shows.
    pub const fn digest(default: &'static str, about: &'static str) -> Self {
        Self {
            name: "digest",
            default: DefaultValue::Text(default),
            about,
            shapes: &[
                ShapeValue::Text("md5"),
                ShapeValue::Text("sha1"),
                ShapeValue::Text("sha256"),
                ShapeValue::Text("sha384"),
                ShapeValue::Text("sha512"),
            ],
            usual: &[],
        }
    }

    /// The same option, with values that give a cookie another shape.
    pub const fn shaped_by(self, shapes: &'static [ShapeValue]) -> Self {
        Self { shapes, ..self }
    }

    /// The same option, with other values that sites use.
    pub const fn also_used_as(self, usual: &'static [ShapeValue]) -> Self {
        Self { usual, ..self }
    }
}

impl DefaultValue {
    /// As JSON, where it is a value.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Flag(flag) => Some(flag.into()),
            Self::Number(number) => Some(number.into()),
            Self::Unset | Self::Required => None,
        }
    }
}

impl ShapeValue {
    fn value(self, cookie: &str, cookie_value: &str) -> Option<Value> {
        match self {
            Self::Name => Some(cookie.into()),
            Self::Text(text) => Some(text.into()),
            Self::Flag(flag) => Some(flag.into()),
            Self::Number(number) => Some(number.into()),
            Self::OfCookie(part) => part(cookie_value).map(Value::from),
        }
    }
}

impl Description {
    /// The options that a table sets, but for those that say what would hold without them.
    pub fn options_of(&self, table: &Table<'_>) -> Map<String, Value> {
        let mut set = Map::new();
        for option in self.options {
            if let Some(value) = table.peek(option.name)
                && option.default.value().as_ref() != Some(value)
            {
                set.insert(option.name.to_owned(), value.clone());
            }
        }
        set
    }

    /// How its keys are written where no option says otherwise.
    pub fn key_shape(&self) -> KeyShape {
        let options = self.shapes("").into_iter().next().unwrap_or_default();
        let options = Value::Object(options);
        let problems = Problems::default();
        let table = Table::new("", &options, &problems);
        let format = table.and_then(|mut table| (self.read)(&mut table));
        format.map_or(KeyShape::Text, |format| format.key_shape())
    }

    /// Sets of options of which a cookie of this format fits one: every combination of values that change its shape.
    pub fn shapes(&self, cookie_value: &str) -> Vec<Map<String, Value>> {
        self.combinations(|option| values(option.shapes, "", cookie_value))
    }

    /// Sets of options that a cookie may be signed with: its shapes, each with the other values that sites use.
    pub fn variants(&self, cookie: &str, cookie_value: &str) -> Vec<Map<String, Value>> {
        self.combinations(|option| {
            let mut all = values(option.shapes, cookie, cookie_value);
            all.extend(values(option.usual, cookie, cookie_value));
            all
        })
    }

    fn combinations(
        &self,
        values: impl Fn(&FormatOption) -> Vec<Option<Value>>,
    ) -> Vec<Map<String, Value>> {
        let mut all = vec![Map::new()];
        for option in self.options {
            let mut set: Vec<Option<Value>> = match option.default {
                DefaultValue::Required => vec![Some(ANY_TEXT.into())],
                _ => vec![None],
            };
            set.extend(values(option));
            set.dedup();
            all = combined(&all, option.name, &set);
        }
        all
    }
}

fn values(of: &[ShapeValue], cookie: &str, cookie_value: &str) -> Vec<Option<Value>> {
    let values = of.iter().map(|value| value.value(cookie, cookie_value));
    values.collect()
}

fn combined(
    sets: &[Map<String, Value>],
    option: &str,
    values: &[Option<Value>],
) -> Vec<Map<String, Value>> {
    let mut all = Vec::with_capacity(sets.len() * values.len());
    for set in sets {
        for value in values {
            let mut set = set.clone();
            if let Some(value) = value {
                set.insert(option.to_owned(), value.clone());
            }
            all.push(set);
        }
    }
    all
}
