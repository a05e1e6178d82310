//! Makes text from elsewhere harmless before a terminal sees it: what Cloudflare, the live Worker, wrangler and
//! git answer may hold escape sequences, line ends and marks that turn the direction of writing, and so move
//! the cursor, hide lines or forge them.
//!
//! Answers are cleaned where they come in. [`printed`] is the last gate, for all that is printed.

use anstyle::Style;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::terminal::style::{ERROR, FAINT, GOOD, HINT, STRONG, WARNING};

/// What stands in the place of a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// One line of text.
pub fn line(text: &str) -> String {
    text.chars()
        .map(|c| if is_harmful(c) { REPLACEMENT } else { c })
        .collect()
}

/// Text that may have several lines, without colours.
pub fn lines(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let lines: Vec<String> = text.lines().map(line).collect();
    lines.join("\n")
}

/// JSON, its texts and names each as one line; none where it is no JSON, or not of this type.
pub fn json<T: DeserializeOwned>(text: &str) -> Option<T> {
    let read = serde_json::from_str(text).ok().map(value)?;
    serde_json::from_value(read).ok()
}

fn value(read: Value) -> Value {
    match read {
        Value::String(text) => Value::String(line(&text)),
        Value::Array(entries) => Value::Array(entries.into_iter().map(value).collect()),
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, field)| (line(&name), value(field)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A text of this program, in which line ends, tabs and its own styles are all that a terminal obeys.
pub fn printed(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((style, behind)) = style_at(rest) {
            clean.push_str(&style);
            rest = behind;
            continue;
        }
        let is_layout = matches!(c, '\n' | '\t') || rest.starts_with("\r\n");
        clean.push(if is_harmful(c) && !is_layout {
            REPLACEMENT
        } else {
            c
        });
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    clean
}

/// One of the program's styles, or the end of one, that a text begins with.
fn style_at(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('\x1b') {
        return None;
    }
    let styles = [ERROR, WARNING, HINT, GOOD, STRONG, FAINT];
    let begins = styles.iter().map(|style| style.render().to_string());
    let ends = std::iter::once(Style::new().bold().render_reset().to_string());
    let mut written = begins.chain(ends);
    written.find_map(|style| {
        let behind = text.strip_prefix(&style)?;
        Some((style, behind))
    })
}

/// Controls, line and paragraph separators, and marks of direction (Unicode, UAX #9).
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::style::styled;

    #[test]
    fn an_answer_cannot_move_the_cursor_or_forge_a_line() {
        assert_eq!(line("a\x1b[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(line("7f1c\nyes"), "7f1c\u{fffd}yes");
        assert_eq!(line("a\u{9b}2J\u{202e}b"), "a\u{fffd}2J\u{fffd}b");
        assert_eq!(line("Zoë Ω 日本"), "Zoë Ω 日本");
        let read: Value =
            json(r#"{"id":"\u001b]0;x\u0007","l":[{"\u001b[1m":"a\nb"}],"n":1}"#).unwrap();
        let texts = r#"{"id":"�]0;x�","l":[{"�[1m":"a�b"}],"n":1}"#;
        assert_eq!(read.to_string(), texts);
        assert!(json::<Value>("<html>").is_none());
    }

    #[test]
    fn what_wrangler_says_keeps_its_lines_and_loses_its_colours() {
        assert_eq!(
            lines("\x1b[33mone\x1b[0m\r\ntwo\u{202e}\n"),
            "one\ntwo\u{fffd}"
        );
    }

    #[test]
    fn only_the_styles_of_the_program_reach_a_terminal() {
        for style in [ERROR, WARNING, HINT, GOOD, STRONG, FAINT] {
            let text = format!("{} b\n", styled(style, "a"));
            assert_eq!(printed(&text), text);
        }
        assert_eq!(
            printed("a\x1b[8mb\x1b[2K\tc\r\nd\re"),
            "a\u{fffd}[8mb\u{fffd}[2K\tc\r\nd\u{fffd}e"
        );
    }
}
