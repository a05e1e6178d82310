//! The key of a ring, or the format of a rule, that a step is about.

use clap::Args;
use countersign_core::crypto::key::KeyId;
use serde_json::Value;

use crate::project::document::{Syntax, toml_value};
use crate::rotation::editing::Ring;
use crate::terminal::answer::Failure;

/// A key, or a rule and a format.
#[derive(Args)]
pub struct KeyOrFormatArguments {
    /// The key: the name of its secret
    #[arg(
        value_name = "KEY",
        required_unless_present = "format",
        conflicts_with = "format"
    )]
    key: Option<String>,

    /// The format of a rule instead, as wrangler.toml writes it: a name, or 'format = "…", OPTION = …'
    #[arg(long, value_name = "FORMAT", requires = "rule")]
    format: Option<String>,

    /// The rule: the name of its cookie. For a key, one that has a current key of its own
    #[arg(long, value_name = "COOKIE")]
    rule: Option<String>,
}

/// The same, read.
pub enum KeyOrFormat<'a> {
    Key(KeyId, Ring<'a>),
    Format(Value, &'a str),
}

impl KeyOrFormatArguments {
    /// A key of the ring that a rule has for itself, or of the one of all rules.
    pub fn of_key(key: String, rule: Option<String>) -> Self {
        Self {
            key: Some(key),
            format: None,
            rule,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// It is no key's name, or no format.
    pub fn read(&self) -> Result<KeyOrFormat<'_>, Failure> {
        match (&self.key, &self.format, &self.rule) {
            (None, Some(format), Some(rule)) => Ok(KeyOrFormat::Format(read_format(format)?, rule)),
            (key, _, rule) => {
                let key = read_key(key.as_deref().unwrap_or_default())?;
                Ok(KeyOrFormat::Key(
                    key,
                    rule.as_deref().map_or(Ring::Shared, Ring::Of),
                ))
            }
        }
    }
}

/// A key's name.
///
/// # Errors
/// It is none. It is not echoed: it may be a key.
pub fn read_key(text: &str) -> Result<KeyId, Failure> {
    KeyId::parse(text).ok_or_else(|| not_a_name("KEY"))
}

/// That an argument holds no name of a secret.
pub fn not_a_name(argument: &str) -> Failure {
    Failure::usage(format!("{argument}: not the name of a secret"))
        .hint("write a name such as KEY_2026_11: [A-Z][A-Z0-9_]*, at most 64 characters")
}

/// A name, or the fields of a table.
fn read_format(text: &str) -> Result<Value, Failure> {
    let table = if text.contains('=') {
        format!("it = {{ {text} }}")
    } else {
        format!("it = {{ format = \"{text}\" }}")
    };
    let read = Syntax::Toml.read(&table).ok();
    let format = read.and_then(|read| Some(read.get("it")?.json()));
    format
        .filter(|format| format["format"].is_string())
        .ok_or_else(|| {
            Failure::usage("--format: cannot be read")
                .hint("write a name, or 'format = \"django-session\", digest = \"sha256\"'")
        })
}

/// A format as [`read_format`] reads it.
pub fn written(format: &Value) -> String {
    let options = format.as_object().into_iter().flatten();
    let options = options.filter(|(field, _)| *field != "format");
    let options = options.map(|(option, value)| format!(", {option} = {}", toml_value(value)));
    format!(
        "format = {}{}",
        format["format"],
        options.collect::<String>()
    )
}

/// A format as it is written, for people.
pub fn shown(format: &Value) -> String {
    let fields = format.as_object().into_iter().flatten();
    let options: Vec<String> = fields
        .filter(|(field, _)| *field != "format")
        .map(|(option, value)| format!("{option} = {value}"))
        .collect();
    let name = format["format"].as_str().unwrap_or_default();
    if options.is_empty() {
        name.to_owned()
    } else {
        format!("{name} ({})", options.join(", "))
    }
}
