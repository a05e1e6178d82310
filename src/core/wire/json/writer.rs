//! JSON written as it goes: in the wasm a fraction of what a tree of values takes.

use crate::prelude::*;

/// A text of JSON that is being written. In a list, and at the top, names are empty.
#[derive(Debug, Default)]
pub struct Json(String);

impl Json {
    /// What has been written.
    pub fn into_text(self) -> String {
        self.0
    }

    /// Starts an object or a list: `{` or `[`.
    pub fn open(&mut self, name: &str, bracket: char) {
        self.name(name);
        self.0.push(bracket);
    }

    /// Ends it.
    pub fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.quote(text);
    }

    /// Adds a whole number, where there is one.
    pub fn number(&mut self, name: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.raw(name, &number.to_string());
        }
    }

    /// Adds `true` or `false`.
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.raw(name, if flag { "true" } else { "false" });
    }

    /// Adds what is JSON already.
    pub fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.push_str(json);
    }

    fn name(&mut self, name: &str) {
        // a text ends with its quote, so such a bracket is one that was opened
        if !self.0.is_empty() && !self.0.ends_with(['{', '[']) {
            self.0.push(',');
        }
        if !name.is_empty() {
            self.quote(name);
            self.0.push(':');
        }
    }

    fn quote(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                '\0'..='\u{1f}' => self.0.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    proptest! {
        #[test]
        fn whatever_is_written_is_read_again(name in "[a-z]\\PC*", text: String, number: u64, flag: bool) {
            let mut written = Json::default();
            written.open("", '{');
            written.open("list", '[');
            written.text("", &text);
            written.open("", '{');
            written.close('}');
            written.number("", Some(number));
            written.close(']');
            written.number("none", None);
            written.flag("flag", flag);
            written.text(&format!("{name}*"), &text);
            written.close('}');
            let read: Value = serde_json::from_str(&written.into_text()).unwrap();
            let expected = json!({"list": [text, {}, number], "flag": flag, format!("{name}*"): text});
            prop_assert_eq!(read, expected);
        }
    }
}
