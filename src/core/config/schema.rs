//! The JSON schema of `COUNTERSIGN` (draft-07, which editors read), made of what the readers ask for: the field's names,
//! what each may be, and what is needed. It is never stricter than they are: what it refuses, the Worker refuses too.
//!
//! Only the nesting of the tables stands here ([`nested`]). The sentences are those of `fields`.

use serde_json::{Map, Value, json};

use super::Policy;
use super::fields::{self, Field};
use super::secrets::Secrets;
use crate::formats::description::{DefaultValue, Description, FormatOption};
use crate::formats::{self, option_meaning};
use crate::prelude::*;
use crate::settings::asked::{Asked, AskedField, FieldKind};
use crate::settings::{Problems, Table};

/// Where the definition of the whole variable stands.
pub const COUNTERSIGN: &str = "#/definitions/Countersign";

/// The definitions of the schema, [`COUNTERSIGN`] among them.
pub fn definitions() -> Map<String, Value> {
    let asked = asked_for_all();
    let mut definitions = Map::new();
    for table in TABLES {
        definitions.insert(table.name.to_owned(), table.schema(&asked));
    }
    definitions.insert("CountersignOrigin".to_owned(), one_or_several_keys(&asked));
    for format in formats::descriptions() {
        definitions.insert(format_definition(format), options_schema(format));
    }
    definitions
}

/// A table of the configuration: the name of its definition, where it stands in [`every_table`], and what its fields
/// are for.
struct TableSchema {
    name: &'static str,
    path: &'static str,
    fields: &'static [&'static [Field]],
    /// What else it may be.
    shape: Shape,
    /// Fields without which it is refused, although [`every_table`] has them.
    needed: &'static [&'static str],
}

/// What a table may be beside a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing else.
    Table,
    /// The name of a secret.
    Key,
    /// Nothing else, and it has a format with its options.
    Format,
}

const TABLES: &[TableSchema] = &[
    TableSchema {
        name: "Countersign",
        path: "COUNTERSIGN",
        fields: &[fields::TOP],
        shape: Shape::Table,
        needed: &["cookies"],
    },
    TableSchema {
        name: "CountersignKeys",
        path: "COUNTERSIGN.keys",
        fields: &[fields::KEYS],
        shape: Shape::Table,
        needed: &[],
    },
    TableSchema {
        name: "CountersignKey",
        path: "COUNTERSIGN.keys.current",
        fields: &[fields::KEY],
        shape: Shape::Key,
        needed: &[],
    },
    TableSchema {
        name: "CountersignFallback",
        path: "COUNTERSIGN.keys.fallbacks[0]",
        fields: &[fields::KEY, fields::FALLBACK],
        shape: Shape::Key,
        needed: &[],
    },
    TableSchema {
        name: "CountersignOriginKeys",
        path: "COUNTERSIGN.keys.origin",
        fields: &[fields::ORIGIN_KEYS],
        shape: Shape::Table,
        needed: &[],
    },
    TableSchema {
        name: "CountersignOriginHeader",
        path: "COUNTERSIGN.origin_header",
        fields: &[fields::ORIGIN_HEADER],
        shape: Shape::Table,
        needed: &[],
    },
    TableSchema {
        name: "CountersignCookie",
        path: "COUNTERSIGN.cookies[0]",
        fields: &[fields::RULE],
        shape: Shape::Format,
        needed: &[],
    },
    TableSchema {
        name: "CountersignAcceptedFormat",
        path: "COUNTERSIGN.cookies[0].accept[0]",
        fields: &[fields::ACCEPTED],
        shape: Shape::Format,
        needed: &[],
    },
    TableSchema {
        name: "CountersignOriginFormat",
        path: "COUNTERSIGN.cookies[0].origin",
        fields: &[fields::ORIGIN_FORMAT],
        shape: Shape::Format,
        needed: &[],
    },
];

/// A configuration in which every table stands once, and nothing in the last ones.
fn every_table() -> Value {
    json!({
        "origin_header": {},
        "keys": {"current": {}, "fallbacks": [{}], "origin": {"fallbacks": []}},
        "cookies": [{"accept": [{}], "origin": {}}],
    })
}

/// What the readers ask for in [`every_table`].
fn asked_for_all() -> Asked {
    let (problems, notes) = (Problems::with_asked(), Problems::default());
    let value = every_table();
    let no_secret = |_: &str| None;
    let secrets = Secrets::new(&no_secret, true, &notes);
    // it is refused, of course: all that counts is what was asked for
    let _ = Policy::read(&value, &secrets, &problems, &notes);
    problems.into_asked()
}

impl TableSchema {
    fn about(&self, field: &str) -> Option<&'static str> {
        let mut fields = self.fields.iter().copied().flatten();
        let found = fields.find(|known| known.name == field);
        found.map(|known| known.about)
    }

    fn schema(&self, asked: &Asked) -> Value {
        let mut properties = Map::new();
        if self.shape == Shape::Format {
            properties = every_option();
        }
        let mut required = self.needed.to_vec();
        for field in asked.of(self.path) {
            let mut schema = nested(self.path, field).unwrap_or_else(|| leaf(&field.kind));
            for (keyword, value) in narrower(self.path, field.name) {
                schema.insert(keyword.to_owned(), value);
            }
            if let Some(about) = self.about(field.name) {
                schema.insert("description".to_owned(), about.into());
            }
            properties.insert(field.name.to_owned(), Value::Object(schema));
            let path = format!("{}.{}", self.path, field.name);
            // whether a lifetime goes by the cookie is said below
            if asked.missing.contains(&path) && field.name != "attributes" {
                required.push(field.name);
            }
        }
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        match self.shape {
            Shape::Table => {}
            Shape::Key => {
                schema["type"] = json!(["string", "object"]);
                schema["pattern"] = KEY_ID.into();
            }
            Shape::Format => schema["allOf"] = self.conditions(asked).into(),
        }
        schema
    }

    /// What depends on another field.
    fn conditions(&self, asked: &Asked) -> Vec<Value> {
        let own: Vec<&str> = asked.of(self.path).map(|field| field.name).collect();
        let format = |description: &Description| {
            let options = description.options.iter().map(|option| option.name);
            let names: Vec<&str> = own.iter().copied().chain(options).collect();
            json!({
                "if": is_format(description.name),
                "then": {
                    "allOf": [{"$ref": format!("#/definitions/{}", format_definition(description))}],
                    "propertyNames": {"enum": names},
                },
            })
        };
        let mut conditions: Vec<Value> = formats::descriptions().map(format).collect();
        if own.contains(&"attributes") {
            conditions.push(json!({
                "if": {"properties": {"upgrade": {"const": "never"}}, "required": ["upgrade"]},
                "else": {"required": ["attributes"]},
            }));
        }
        if own.contains(&"until") {
            conditions.push(json!({"if": is_format("plain"), "then": {"required": ["until"]}}));
        }
        conditions
    }
}

fn is_format(name: &str) -> Value {
    json!({"properties": {"format": {"const": name}}, "required": ["format"]})
}

/// `origin` of a `keys` table: one key, or a table that names several.
fn one_or_several_keys(asked: &Asked) -> Value {
    let of = |name: &str| {
        let mut tables = TABLES.iter().filter(|table| table.name == name);
        tables
            .next()
            .map(|table| table.schema(asked))
            .unwrap_or_default()
    };
    let (one, several) = (of("CountersignKey"), of("CountersignOriginKeys"));
    let properties = |schema: &Value| {
        schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default()
    };
    let names = |schema: &Value| -> Vec<Value> {
        properties(schema)
            .keys()
            .map(|name| name.as_str().into())
            .collect()
    };
    let mut both = properties(&one);
    both.extend(properties(&several));
    let mut schema = one.clone();
    schema["properties"] = both.into();
    schema["required"] = json!([]);
    schema["if"] = json!({
        "required": ["secret"],
        "not": {"anyOf": [{"required": ["current"]}, {"required": ["fallbacks"]}]},
    });
    schema["then"] = json!({"propertyNames": {"enum": names(&one)}});
    schema["else"] =
        json!({"propertyNames": {"enum": names(&several)}, "required": several["required"]});
    schema
}

/// A field that is a table, or a list.
fn nested(path: &str, field: &AskedField) -> Option<Map<String, Value>> {
    let definition = match (path, field.name) {
        ("COUNTERSIGN", "keys") | ("COUNTERSIGN.cookies[0]", "keys") => "CountersignKeys",
        ("COUNTERSIGN", "cookies") => "CountersignCookie",
        ("COUNTERSIGN", "origin_header") => "CountersignOriginHeader",
        ("COUNTERSIGN.keys", "current") => "CountersignKey",
        ("COUNTERSIGN.keys", "fallbacks") => "CountersignFallback",
        ("COUNTERSIGN.keys", "origin") => "CountersignOrigin",
        ("COUNTERSIGN.keys.origin", _) => "CountersignKey",
        ("COUNTERSIGN.cookies[0]", "accept") => "CountersignAcceptedFormat",
        ("COUNTERSIGN.cookies[0]", "origin") => "CountersignOriginFormat",
        ("COUNTERSIGN", "hosts") => {
            return object(json!({"type": "array", "items": {"type": "string"}}));
        }
        _ => return None,
    };
    let reference = json!({"$ref": format!("#/definitions/{definition}")});
    // draft-07 reads nothing beside a `$ref`
    object(match field.kind {
        FieldKind::List => json!({"type": "array", "items": reference}),
        _ => json!({"allOf": [reference]}),
    })
}

/// What else a reader holds against a field.
fn narrower(path: &str, field: &str) -> Vec<(&'static str, Value)> {
    match (path, field) {
        ("COUNTERSIGN", "cookies") => vec![("minItems", 1.into())],
        ("COUNTERSIGN", "origin_url") => vec![("pattern", "^https?://[^/?#]+/?$".into())],
        ("COUNTERSIGN.cookies[0]", "name") => vec![("pattern", COOKIE_NAME.into())],
        (_, "format") => {
            let names: Vec<&str> = formats::names().collect();
            vec![("enum", names.into())]
        }
        _ => Vec::new(),
    }
}

/// A field that is neither a table nor a list.
fn leaf(kind: &FieldKind) -> Map<String, Value> {
    let schema = match kind {
        FieldKind::Any | FieldKind::List => Value::Null,
        FieldKind::Text => json!({"type": "string"}),
        FieldKind::Flag => json!({"type": "boolean"}),
        FieldKind::Number => json!({"type": "integer", "minimum": 0}),
        FieldKind::Seconds => {
            json!({"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+[smhdw]$"})
        }
        FieldKind::Choice(words) => json!({"type": "string", "enum": words}),
        FieldKind::Time => json!({"type": "string", "pattern": TIME}),
        FieldKind::KeyId => json!({"type": "string", "pattern": KEY_ID}),
        FieldKind::TextByKey => by_key(&json!({"type": "string"})),
        FieldKind::NumberByKey => by_key(&json!({"type": "integer", "minimum": 0})),
    };
    object(schema).unwrap_or_default()
}

/// A value, or a table from the names of secrets to such values.
fn by_key(label: &Value) -> Value {
    let table = json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": KEY_ID},
        "additionalProperties": label,
    });
    json!({"anyOf": [label, table]})
}

fn format_definition(format: &Description) -> String {
    format!("CountersignFormat.{}", format.name)
}

/// The options of a format, as its own reader asks for them.
fn options_schema(format: &Description) -> Value {
    let problems = Problems::with_asked();
    for options in format.shapes("") {
        let options = Value::Object(options);
        if let Some(mut table) = Table::new("", &options, &problems) {
            let _ = (format.read)(&mut table);
        }
    }
    let asked = problems.into_asked();
    let mut properties = Map::new();
    for option in format.options {
        let kind = asked.of("").find(|field| field.name == option.name);
        let mut schema = kind.map(|field| leaf(&field.kind)).unwrap_or_default();
        schema.insert("description".to_owned(), option_text(option).into());
        if let Some(default) = option.default.value() {
            schema.insert("default".to_owned(), default);
        }
        properties.insert(option.name.to_owned(), Value::Object(schema));
    }
    let is_required = |option: &&FormatOption| option.default == DefaultValue::Required;
    let required = format.options.iter().filter(is_required);
    let required: Vec<&str> = required.map(|option| option.name).collect();
    json!({
        "description": format!("\"{}\", as {} writes it.", format.name, format.used_by),
        "properties": properties,
        "required": required,
    })
}

/// What an option is for, what holds without it, and what else it may be.
fn option_text(option: &FormatOption) -> String {
    let mut text = option_meaning(option.name).unwrap_or_default().to_owned();
    let default = option.default.value();
    let default = default.map_or_else(|| "none".to_owned(), |value| value.to_string());
    let default = (option.default != DefaultValue::Required).then(|| format!("default: {default}"));
    let about = (!option.about.is_empty()).then(|| option.about.replace('`', ""));
    let more: Vec<String> = default.into_iter().chain(about).collect();
    if !more.is_empty() {
        text.push_str(&format!(" ({})", more.join("; ")));
    }
    text
}

/// Every option of every format by its name, for what an editor offers before the format is known.
fn every_option() -> Map<String, Value> {
    let mut options = Map::new();
    for option in formats::descriptions().flat_map(|format| format.options) {
        let meaning = option_meaning(option.name).unwrap_or_default();
        options.insert(option.name.to_owned(), json!({"description": meaning}));
    }
    options
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// [`KeyId::parse`](crate::crypto::key::KeyId::parse).
const KEY_ID: &str = "^[A-Z][A-Z0-9_]{0,63}$";
/// Tokens of RFC 9110 without a dollar in front, with a letter or digit in them.
const COOKIE_NAME: &str = "^(?!\\$)(?=.*[0-9A-Za-z])[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";
/// RFC 3339, whose `T` and `Z` may be small and whose `T` may be a space.
const TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_asked_for_is_described_and_no_other() {
        let asked = asked_for_all();
        for table in TABLES {
            let mut names: Vec<&str> = asked.of(table.path).map(|field| field.name).collect();
            let described = table.fields.iter().copied().flatten();
            let mut described: Vec<&str> = described.map(|field| field.name).collect();
            names.sort_unstable();
            described.sort_unstable();
            assert_eq!(names, described, "{}", table.path);
        }
    }

    #[test]
    fn every_table_that_is_asked_for_has_a_schema() {
        let known: Vec<&str> = TABLES.iter().map(|table| table.path).collect();
        for field in asked_for_all().fields {
            // a key of an origin is as any other
            let is_key = field.table.starts_with("COUNTERSIGN.keys.origin.");
            assert!(is_key || known.contains(&&*field.table), "{}", field.table);
        }
    }

    #[test]
    fn every_field_has_a_shape() {
        let asked = asked_for_all();
        for table in TABLES {
            for field in asked.of(table.path) {
                let schema = nested(table.path, field).unwrap_or_else(|| leaf(&field.kind));
                assert!(!schema.is_empty(), "{}.{}", table.path, field.name);
            }
        }
        for format in formats::descriptions() {
            let schema = options_schema(format);
            for option in format.options {
                let is_typed = ["type", "anyOf"]
                    .iter()
                    .any(|keyword| schema["properties"][option.name].get(keyword).is_some());
                assert!(is_typed, "{}: {}", format.name, option.name);
                assert!(option_meaning(option.name).is_some(), "{}", option.name);
            }
        }
    }
}
