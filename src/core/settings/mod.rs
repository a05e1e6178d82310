//! Reads a configuration table field by field, and gathers what is wrong with it: every problem at
//! once, each with its path and a cure.

use serde_json::{Map, Value};

use crate::crypto::key::KeyId;
use crate::prelude::*;
use crate::wire::calendar::from_rfc3339;

pub mod asked;
mod problem;

use asked::FieldKind;
pub use problem::{Fault, Problem, Problems, Topic};

/// A table that is being read. Every field that is asked for counts as known; [`Table::finish`]
/// reports the others.
pub struct Table<'a> {
    path: String,
    fields: &'a Map<String, Value>,
    known: Vec<&'static str>,
    problems: &'a Problems,
}

impl<'a> Table<'a> {
    /// Starts to read the table at `path`; a value that is none is a problem.
    pub fn new(path: impl Into<String>, value: &'a Value, problems: &'a Problems) -> Option<Self> {
        let path = path.into();
        match value {
            Value::Object(fields) => Some(Self {
                path,
                fields,
                known: Vec::new(),
                problems,
            }),
            other => {
                problems.add(path, format!("expected a table, found {}", kind(other)));
                None
            }
        }
    }

    /// The path of one of its fields.
    pub fn path(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    /// The path of the table itself.
    pub fn own_path(&self) -> &str {
        &self.path
    }

    /// Adds a problem with one of its fields.
    pub fn problem(&self, field: &str, fault: impl Into<Fault>) {
        self.problems.add(self.path(field), fault);
    }

    /// Where its problems gather.
    pub fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// A field as it stands, where it is set.
    pub fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.ask(field, || FieldKind::Any)
    }

    /// The same for a field of which its reader knows what it may be.
    pub fn ask(&mut self, field: &'static str, kind: impl Fn() -> FieldKind) -> Option<&'a Value> {
        self.problems.note_asked(&self.path, field, kind);
        self.known.push(field);
        self.fields.get(field)
    }

    /// A text, where it is set.
    pub fn text(&mut self, field: &'static str) -> Option<&'a str> {
        self.text_of(field, || FieldKind::Text)
    }

    fn text_of(&mut self, field: &'static str, kind: impl Fn() -> FieldKind) -> Option<&'a str> {
        match self.ask(field, kind)? {
            Value::String(text) => Some(text),
            other => self.wrong(field, "a text in quotes", other),
        }
    }

    /// `true` or `false`, where it is set.
    pub fn flag(&mut self, field: &'static str) -> Option<bool> {
        match self.ask(field, || FieldKind::Flag)? {
            Value::Bool(flag) => Some(*flag),
            other => self.wrong(field, "true or false", other),
        }
    }

    /// A whole number, zero or more, where it is set.
    pub fn number(&mut self, field: &'static str) -> Option<u64> {
        let value = self.ask(field, || FieldKind::Number)?;
        match whole_number(value) {
            Some(number) => Some(number),
            None => self.wrong(field, "a whole number, zero or more", value),
        }
    }

    /// A length of time in seconds, where it is set: a whole number of them, or a text such as `"31d"`.
    pub fn seconds(&mut self, field: &'static str) -> Option<u64> {
        let value = self.ask(field, || FieldKind::Seconds)?;
        let seconds = match value {
            // a number in quotes may be a slip
            Value::String(text) if text.ends_with(|c: char| c.is_ascii_alphabetic()) => {
                duration(text)
            }
            other => whole_number(other),
        };
        if seconds.is_none() {
            let fault = Fault::new(format!(
                "expected a whole number of seconds, or a duration in quotes, found {}",
                kind(value)
            ));
            self.problem(
                field,
                fault.cure("for example 1209600 or \"14d\": a number and s, m, h, d or w"),
            );
        }
        seconds
    }

    /// One of some words, where it is set.
    pub fn choice<T: Copy>(&mut self, field: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text_of(field, || FieldKind::choice(words))?;
        if let Some((_, choice)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problem(field, unknown("value", text, &names));
        None
    }

    /// A point in time as RFC 3339 has it, in Unix seconds, where it is set.
    pub fn time(&mut self, field: &'static str) -> Option<u64> {
        let text = self.text_of(field, || FieldKind::Time)?;
        let seconds = time(text);
        if seconds.is_none() {
            let fault = Fault::new("not a time as RFC 3339 writes it");
            self.problem(field, fault.cure("for example \"2027-02-01T00:00:00Z\""));
        }
        seconds
    }

    /// The name of a secret, where it is set. A text that is none is not echoed: it may be a key.
    pub fn key_id(&mut self, field: &'static str) -> Option<KeyId> {
        let text = self.text_of(field, || FieldKind::KeyId)?;
        let id = KeyId::parse(text);
        if id.is_none() {
            self.problem(field, not_a_key_id());
        }
        id
    }

    /// The entries of a list with their paths; empty where it is not set. A scalar is a problem: read
    /// as a list, a text would fall apart into letters.
    pub fn list(&mut self, field: &'static str) -> Vec<(String, &'a Value)> {
        let value = self.ask(field, || FieldKind::List);
        if let Some(other) = value.filter(|value| !value.is_array()) {
            let fault = Fault::new(format!("expected a list, found {}", kind(other)));
            self.problem(
                field,
                match other {
                    Value::String(_) => fault.cure("put it in square brackets"),
                    Value::Object(_) => fault.cure(double_brackets(&self.path(field))),
                    _ => fault,
                },
            );
        }
        entries(&self.path(field), value)
    }

    /// Whether a field is set.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Adds a problem for a field that is needed and not set.
    pub fn missing(&self, field: &str, cure: &'static str) {
        self.problems.note_missing(&self.path, field);
        self.problem(field, Fault::new("missing").cure(cure));
    }

    /// A field as it stands, where it is set, without counting it as known.
    pub fn peek(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field)
    }

    /// Counts fields as known that nothing asks for.
    pub fn ignore(&mut self, fields: impl Iterator<Item = &'static str>) {
        self.known.extend(fields);
    }

    /// Every field that was asked for.
    #[cfg(test)]
    pub fn asked(&self) -> &[&'static str] {
        &self.known
    }

    /// Reports every field that nothing asked for.
    pub fn finish(self) {
        self.finish_with(|_| None);
    }

    /// The same; `cure` says what to do about a field that belongs elsewhere.
    pub fn finish_with(self, cure: impl Fn(&str) -> Option<String>) {
        for name in self.fields.keys() {
            if !self.known.contains(&name.as_str()) {
                if let Some(cure) = cure(name) {
                    self.problem(name, Fault::new("unknown field").cure(cure));
                    continue;
                }
                let shown = if is_harmless(name) || closest(name, &self.known).is_some() {
                    name.as_str()
                } else {
                    "(a name that may be a key)"
                };
                self.problem(shown, unknown("field", name, &self.known));
            }
        }
    }

    fn wrong<T>(&self, field: &str, expected: &str, found: &Value) -> Option<T> {
        self.problem(field, format!("expected {expected}, found {}", kind(found)));
        None
    }
}

/// A point in time as RFC 3339 has it, in Unix seconds.
pub fn time(text: &str) -> Option<u64> {
    u64::try_from(from_rfc3339(text)? / 1000).ok()
}

/// A length of time in seconds: `14d`, `36h`, `90m`, `2w`, `30s`, or a number of seconds.
pub fn duration(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits)? {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_number)?;
    number.checked_mul(unit)
}

/// The entries of a list that stands at `path`, each with its own; none where it is no list.
pub fn entries<'v>(path: &str, value: Option<&'v Value>) -> Vec<(String, &'v Value)> {
    let entries = value.and_then(Value::as_array).into_iter().flatten();
    let placed = |(at, entry)| (format!("{path}[{at}]"), entry);
    entries.enumerate().map(placed).collect()
}

/// What is wrong with a text that should name a secret and does not. It is not echoed: it may be a key.
pub fn not_a_key_id() -> Fault {
    Fault::new("not the name of a secret").cure(
        "write the name of the Worker secret that holds the key ([A-Z][A-Z0-9_]*, at most 64 characters), never the key itself",
    )
}

/// «unknown format "djnago-session"; did you mean "django-session"?». The text is echoed only where
/// it is nearly one of the names: anything else may be a key.
pub fn unknown(what: &str, text: &str, names: &[&str]) -> Fault {
    match closest(text, names) {
        Some(name) => Fault::new(format!("unknown {what} \"{text}\""))
            .cure(format!("did you mean \"{name}\"?")),
        None => {
            let list: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            Fault::new(format!("unknown {what}")).cure(format!("known are {}", list.join(", ")))
        }
    }
}

/// TOML writes each table of a list under a header of its own.
fn double_brackets(path: &str) -> String {
    let no_index = |part: &str| part.split('[').next().unwrap_or_default().to_owned();
    let header: Vec<String> = path.split('.').map(no_index).collect();
    format!(
        "a table of a list has double brackets: [[vars.{}]]",
        header.join(".")
    )
}

/// The names of fields that people write are short and in lower case; keys are not.
fn is_harmless(name: &str) -> bool {
    name.len() <= 16 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Whether a text is one of these names but for a slip of the keyboard.
pub fn is_nearly(text: &str, names: &[&str]) -> bool {
    closest(text, names).is_some()
}

fn closest<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let (distance, name) = names
        .iter()
        .map(|name| (strsim::levenshtein(text, name), *name))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.len() / 4).then_some(name)
}

/// JSON from JavaScript may write a whole number as 60 or as 60.0.
fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        // 2^53: what a JavaScript number holds exactly
        let whole = number as u64;
        (whole as f64 == number && (0.0..9_007_199_254_740_992.0).contains(&number))
            .then_some(whole)
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_word_is_answered_with_the_nearest_one() {
        let names = ["django-session", "django-messages"];
        assert_eq!(
            unknown("format", "djnago-session", &names).to_string(),
            "unknown format \"djnago-session\"; did you mean \"django-session\"?"
        );
        let far = unknown("format", "rot13", &names).to_string();
        assert!(far.contains("known are \"django-session\""));
    }

    #[test]
    fn a_text_that_may_be_a_key_is_not_echoed() {
        for key in [
            "kylGnHU8BtPwm/wxflAy",
            "c91484087997975340d11a7fa3c96637",
            "p8&z4n9wobzw!^8",
        ] {
            assert!(
                !unknown("field", key, &["a"]).to_string().contains(key),
                "{key}"
            );
        }
    }

    #[test]
    fn a_scalar_for_a_list_is_a_problem() {
        let problems = Problems::default();
        let value = json!({"fallbacks": "KEY", "typo": 1});
        let mut table = Table::new("T", &value, &problems).unwrap();
        assert!(table.list("fallbacks").is_empty());
        table.finish();
        let texts: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        assert_eq!(
            texts[0],
            "T.fallbacks: expected a list, found a text; put it in square brackets"
        );
        assert!(texts[1].starts_with("T.typo: unknown field; known are \"fallbacks\""));
    }

    #[test]
    fn a_length_of_time_is_a_number_of_seconds_or_a_duration() {
        let problems = Problems::default();
        let value = json!({"a": 60, "b": "31d", "c": 60.0, "d": "2w", "e": "90", "f": "1y", "g": -1, "h": "+1d", "i": "", "j": true});
        let mut table = Table::new("T", &value, &problems).unwrap();
        assert_eq!(table.seconds("a"), Some(60));
        assert_eq!(table.seconds("b"), Some(2_678_400));
        assert_eq!(table.seconds("c"), Some(60));
        assert_eq!(table.seconds("d"), Some(1_209_600));
        for wrong in ["e", "f", "g", "h", "i", "j"] {
            assert_eq!(table.seconds(wrong), None, "{wrong}");
        }
        assert_eq!(table.seconds("not set"), None);
        assert_eq!(problems.count(), 6);
        let first = problems.into_vec()[0].to_string();
        assert!(
            first.contains("found a text; for example 1209600 or"),
            "{first}"
        );
    }

    #[test]
    fn times_are_rfc_3339() {
        let problems = Problems::default();
        let value = json!({"a": "2027-02-01T00:00:00Z", "b": "2027-02-01", "c": "2027-02-01T02:00:00+02:00"});
        let mut table = Table::new("T", &value, &problems).unwrap();
        assert_eq!(table.time("a"), Some(1_801_440_000));
        assert_eq!(table.time("c"), Some(1_801_440_000));
        assert_eq!(table.time("b"), None);
        assert_eq!(problems.count(), 1);
    }
}
