//! One view of a configuration in TOML and in JSONC: what it says, where, how it is edited, and how it is written.

use std::path::Path;

use serde_json::Value as Json;

pub mod edit;
pub mod jsonc;
pub mod line_ends;
pub mod node;
pub mod path;
pub mod syntax_error;
pub mod toml;

use edit::Edit;
use node::Node;
use syntax_error::SyntaxError;

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Toml,
    Jsonc,
}

impl Syntax {
    /// By the end of the file's name, as wrangler goes by; by the text where the name does not tell.
    pub fn of(path: &Path, text: &str) -> Self {
        match path.extension().and_then(|end| end.to_str()) {
            Some("toml") => Self::Toml,
            Some("json" | "jsonc") => Self::Jsonc,
            _ if split_mark(text).1.trim_start().starts_with(['{', '/']) => Self::Jsonc,
            _ => Self::Toml,
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// wrangler would not read it.
    pub fn read(self, text: &str) -> Result<Node, SyntaxError> {
        match self {
            Self::Toml => toml::read(text),
            Self::Jsonc => jsonc::read(text),
        }
    }

    /// The text after an edit; none where it cannot be read or has no such table.
    pub fn apply(self, text: &str, edit: &Edit) -> Option<String> {
        let (mark, text) = split_mark(text);
        let edited = match self {
            Self::Toml => toml::editing::apply(text, edit),
            Self::Jsonc => jsonc::editing::apply(text, edit),
        };
        Some(format!("{mark}{}", edited?))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toml => "TOML",
            Self::Jsonc => "JSON",
        }
    }

    /// A table as it is to be written: `[vars.COUNTERSIGN]`, or `"vars": { "COUNTERSIGN": { … } }`.
    pub fn table(self, path: &[&str]) -> String {
        match self {
            Self::Toml => format!("[{}]", path.join(".")),
            Self::Jsonc => within(path, "{ … }"),
        }
    }

    /// Where a table is: `[env.staging]`, or `env.staging`.
    pub fn place(self, path: &[&str]) -> String {
        match self {
            Self::Toml => format!("[{}]", path.join(".")),
            Self::Jsonc => path.join("."),
        }
    }

    /// A sentence of the core's in which tables are named by their headers in TOML, with their places here.
    pub fn headers(self, sentence: &str) -> String {
        match self {
            Self::Toml => sentence.to_owned(),
            Self::Jsonc => without_headers(sentence),
        }
    }

    /// A setting of a table as it is to be written: `preview_urls = false`, or `"preview_urls": false`.
    pub fn setting(self, name: &str, value: &Json) -> String {
        match self {
            Self::Toml => format!("{name} = {}", toml_value(value)),
            Self::Jsonc => within(&[name], &jsonc::editing::written(&Node::of(value))),
        }
    }
}

/// The byte order mark that some editors put in front, and the text behind it.
pub fn split_mark(text: &str) -> (&str, &str) {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split_at(text.len() - rest.len())
}

/// A value as TOML has it in one line.
pub fn toml_value(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| format!("{name} = {}", toml_value(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Json::Array(values) => {
            let values: Vec<String> = values.iter().map(toml_value).collect();
            format!("[{}]", values.join(", "))
        }
        value => value.to_string(),
    }
}

/// `[[vars.COUNTERSIGN.cookies]]` as `vars.COUNTERSIGN.cookies`.
fn without_headers(sentence: &str) -> String {
    let Some((before, header)) = sentence.split_once("[vars.") else {
        return sentence.to_owned();
    };
    let (name, rest) = header.split_once(']').unwrap_or((header, ""));
    let before = before.strip_suffix('[').unwrap_or(before);
    let rest = rest.strip_prefix(']').unwrap_or(rest);
    format!("{before}vars.{name}{}", without_headers(rest))
}

/// A value below names, in JSON.
fn within(path: &[&str], value: &str) -> String {
    let mut written = value.to_owned();
    for (at, name) in path.iter().enumerate().rev() {
        written = format!("\"{name}\": {written}");
        if at > 0 {
            written = format!("{{ {written} }}");
        }
    }
    written
}
