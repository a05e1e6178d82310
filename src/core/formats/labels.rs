//! What a framework calls a key where its values say which key they are under: a number or a short text,
//! the same for every key or each key its own.

use serde_json::{Map, Value};

use super::KeyFault;
use crate::crypto::key::KeyId;
use crate::prelude::*;
use crate::settings::asked::FieldKind;
use crate::settings::{Fault, Table, not_a_key_id};

/// What the framework calls the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// The configuration does not say.
    None,
    /// One label, whatever the key.
    One(String),
    /// A label for each key, in the order of the keys.
    Each(Vec<(KeyId, String)>),
}

impl Labels {
    /// Reads a field that holds a text, or a table from key ids to texts: `{ KEY_A = "1", KEY_B = "2" }`.
    pub fn read(table: &mut Table<'_>, field: &'static str) -> Self {
        match table.ask(field, || FieldKind::TextByKey) {
            Some(Value::Object(keys)) => Self::each(table, field, keys, &TEXTS),
            _ => Self::one(table.text(field).map(str::to_owned)),
        }
    }

    /// Reads a field that holds a whole number, or a table from key ids to such: `{ KEY_A = 1, KEY_B = 2 }`.
    pub fn read_numbers(table: &mut Table<'_>, field: &'static str) -> Self {
        match table.ask(field, || FieldKind::NumberByKey) {
            Some(Value::Object(keys)) => Self::each(table, field, keys, &NUMBERS),
            _ => Self::one(table.number(field).map(|number| number.to_string())),
        }
    }

    /// The label of a key, if the configuration says any.
    ///
    /// # Errors
    /// What is wrong where it labels other keys and not this one.
    pub fn of(&self, id: &KeyId) -> Result<Option<&str>, KeyFault> {
        match self {
            Self::None => Ok(None),
            Self::One(label) => Ok(Some(label)),
            Self::Each(labels) => match labels.iter().find(|(key, _)| key == id) {
                Some((_, label)) => Ok(Some(label)),
                None => {
                    Err(KeyFault::new("is not in the format's table by key").cure("add it there"))
                }
            },
        }
    }

    fn one(label: Option<String>) -> Self {
        label.map_or(Self::None, Self::One)
    }

    fn each(table: &Table<'_>, field: &str, keys: &Map<String, Value>, kind: &Kind) -> Self {
        if keys.is_empty() {
            let cure = format!("name each key, for example {}", kind.example);
            table.problem(field, Fault::new("is empty").cure(cure));
        }
        let mut labels = Vec::new();
        for (name, label) in keys {
            match (KeyId::parse(name), (kind.read)(label)) {
                (None, _) => table.problem(field, not_a_key_id()),
                (Some(id), None) => table.problem(
                    field,
                    format!("what stands for {id} must be {}", kind.expected),
                ),
                (Some(id), Some(label)) => labels.push((id, label)),
            }
        }
        Self::Each(labels)
    }
}

struct Kind {
    expected: &'static str,
    example: &'static str,
    read: fn(&Value) -> Option<String>,
}

const TEXTS: Kind = Kind {
    expected: "a text in quotes",
    example: "{ KEY_A = \"1\", KEY_B = \"2\" }",
    read: |label| label.as_str().map(str::to_owned),
};

const NUMBERS: Kind = Kind {
    expected: "a whole number, zero or more",
    example: "{ KEY_A = 1, KEY_B = 2 }",
    read: |label| label.as_u64().map(|number| number.to_string()),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Problem, Problems};
    use serde_json::json;

    fn read(config: Value) -> (Labels, String) {
        let problems = Problems::default();
        let mut table = Table::new("rule", &config, &problems).unwrap();
        let labels = Labels::read(&mut table, "id");
        table.finish();
        let problems: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        (labels, problems.join("\n"))
    }

    fn id(name: &str) -> KeyId {
        KeyId::parse(name).unwrap()
    }

    #[test]
    fn a_key_has_its_own_label_or_the_one_of_all() {
        let (labels, problems) = read(json!({}));
        assert_eq!((labels.of(&id("A")), problems.as_str()), (Ok(None), ""));
        let (labels, problems) = read(json!({"id": "1"}));
        assert_eq!(
            (labels.of(&id("A")), problems.as_str()),
            (Ok(Some("1")), "")
        );
        let (labels, problems) = read(json!({"id": {"A": "1", "B": "x2"}}));
        assert_eq!(
            (labels.of(&id("B")), problems.as_str()),
            (Ok(Some("x2")), "")
        );
        assert!(
            labels
                .of(&id("C"))
                .unwrap_err()
                .to_string()
                .contains("add it there")
        );
    }

    #[test]
    fn what_cannot_be_a_label_is_explained_and_not_echoed() {
        for (config, expected) in [
            (
                json!({"id": 1}),
                "rule.id: expected a text in quotes, found a number",
            ),
            (json!({"id": {}}), "rule.id: is empty; name each key"),
            (
                json!({"id": {"A": 1}}),
                "what stands for A must be a text in quotes",
            ),
            (
                json!({"id": {"p8&z4n9wobzw!^8": "1"}}),
                "not the name of a secret",
            ),
        ] {
            let (_, problems) = read(config);
            assert!(problems.contains(expected), "{problems}");
            assert!(!problems.contains("wobzw"), "{problems}");
        }
    }
}
