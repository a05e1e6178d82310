//! Fields that belong into another table, and options of another format: where to write them.

use super::fields::{self, Field};
use crate::formats;
use crate::prelude::*;

/// What to do about a field of `COUNTERSIGN` that is one of `keys` or of a cookie.
pub fn at_top(field: &str) -> Option<String> {
    let table = table_of(field, &[KEYS, RULE])?;
    Some(belongs_into(table))
}

/// What to do about a field of a `keys` table that is one of `COUNTERSIGN` or of a cookie.
pub fn in_keys(field: &str) -> Option<String> {
    let table = table_of(field, &[TOP, RULE])?;
    Some(belongs_into(table))
}

/// What to do about a field of a cookie that is one of `COUNTERSIGN` or of `keys`, or an option of another format.
pub fn in_rule(field: &str, format: Option<&str>) -> Option<String> {
    if KEYS.has(field) {
        let own = format!(
            "it belongs into `keys`: [vars.COUNTERSIGN.keys] for all cookies, or keys = {{ {field} = … }} for this one"
        );
        return Some(own);
    }
    if let Some(table) = table_of(field, &[TOP]) {
        return Some(belongs_into(table));
    }
    option_of_others(field, format?)
}

/// A table of the configuration and its fields.
struct TableFields {
    header: &'static str,
    fields: &'static [Field],
}

impl TableFields {
    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }
}

const TOP: TableFields = TableFields {
    header: "[vars.COUNTERSIGN]",
    fields: fields::TOP,
};

const KEYS: TableFields = TableFields {
    header: "[vars.COUNTERSIGN.keys]",
    fields: fields::KEYS,
};

const RULE: TableFields = TableFields {
    header: "[[vars.COUNTERSIGN.cookies]]",
    fields: fields::RULE,
};

fn table_of(field: &str, tables: &[TableFields]) -> Option<&'static str> {
    let found = tables.iter().find(|table| table.has(field))?;
    Some(found.header)
}

fn belongs_into(header: &str) -> String {
    format!("it belongs into {header}: in TOML a line belongs to the last header above it")
}

/// The formats that have an option which this one does not.
fn option_of_others(option: &str, format: &str) -> Option<String> {
    if let Some((_, with)) = GENERAL.iter().find(|(special, _)| *special == format)
        && formats::description("itsdangerous")?
            .options
            .iter()
            .any(|known| known.name == option)
    {
        return Some(format!(
            "\"{format}\" has no options; where the site sets this one, use format = \"itsdangerous\" with {with}"
        ));
    }
    let has = |description: &&formats::Description| {
        description.options.iter().any(|known| known.name == option)
    };
    let others: Vec<String> = formats::descriptions()
        .filter(has)
        .map(|description| format!("\"{}\"", description.name))
        .collect();
    let list = others.join(", ");
    (!others.is_empty())
        .then(|| format!("\"{format}\" has no such option; formats that have it: {list}"))
}

/// Formats without options that sign as `itsdangerous` does, and with what.
const GENERAL: [(&str, &str); 2] = [
    (
        "flask-session",
        "salt = \"cookie-session\", key_derivation = \"hmac\", digest = \"sha1\", and change what differs",
    ),
    (
        "starlette-session",
        "salt = \"itsdangerous.Signer\", key_derivation = \"django-concat\", digest = \"sha1\", and change what differs",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_sent_to_the_table_that_has_it() {
        let text = |said: Option<String>| said.unwrap_or_default();
        assert!(text(in_keys("mode")).contains("into [vars.COUNTERSIGN]:"));
        assert!(text(in_keys("max_age")).contains("into [[vars.COUNTERSIGN.cookies]]:"));
        assert!(text(at_top("current")).contains("into [vars.COUNTERSIGN.keys]:"));
        assert!(text(in_rule("hosts", None)).contains("into [vars.COUNTERSIGN]:"));
        assert!(text(in_rule("fallbacks", None)).contains("keys = { fallbacks = … }"));
        assert!(text(at_top("chunks")).contains("into [[vars.COUNTERSIGN.cookies]]:"));
        assert_eq!(at_top("colour"), None);
    }

    #[test]
    fn an_option_of_another_format_is_told_as_such() {
        let flask = in_rule("salt", Some("flask-session")).unwrap_or_default();
        assert!(
            flask.contains("format = \"itsdangerous\" with salt"),
            "{flask}"
        );
        let express = in_rule("cipher", Some("express")).unwrap_or_default();
        assert!(express.contains("\"rails-encrypted\""), "{express}");
        assert_eq!(in_rule("colour", Some("express")), None);
    }
}
