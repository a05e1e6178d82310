//! The lines of a `.dev.vars` or `.env` file, as the dotenv that wrangler bundles reads them.
//!
//! ```text
//! export NAME = 'a value'   # a comment
//! ```
//!
//! dotenv 16.3.1, `lib/main.js`: a regular expression finds the lines, another takes the quotes away. Both are taken
//! over as they stand, in an engine for JavaScript's, so that what is odd about them is odd here, too.

use std::sync::LazyLock;

use regress::{Match, Regex};
use zeroize::Zeroizing;

/// One line that sets a variable.
pub struct Assignment {
    /// The variable's name.
    pub name: String,
    /// Its value as dotenv reads it.
    pub value: Zeroizing<String>,
    /// The line of the name, counted from 1.
    pub line: usize,
    /// Whether the value has no quotes and was cut at a `#`.
    pub is_cut: bool,
}

/// Every line that sets a variable, in order. Of several with one name the last counts.
pub fn parse(bytes: &[u8]) -> Vec<Assignment> {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let text = Zeroizing::new(text.replace("\r\n", "\n").replace('\r', "\n"));
    let (mut found, mut line, mut counted) = (Vec::new(), 1, 0);
    for one in LINE.find_iter(&text) {
        let Some(assignment) = read(&text, &one) else {
            continue;
        };
        let at = one.group(NAME).map_or(counted, |name| name.start);
        let passed = text.get(counted..at).unwrap_or_default();
        line += passed.matches('\n').count();
        counted = at;
        found.push(Assignment { line, ..assignment });
    }
    found
}

fn read(text: &str, one: &Match) -> Option<Assignment> {
    let name = text.get(one.group(NAME)?)?;
    let (quoted, bare) = (one.group(QUOTED), one.group(BARE));
    let is_cut = bare.clone().is_some_and(|range| is_cut(text, range));
    let written = quoted.or(bare).and_then(|range| text.get(range));
    Some(Assignment {
        name: name.to_owned(),
        value: value(written.unwrap_or_default()),
        line: 0,
        is_cut,
    })
}

/// `" #"` may be meant as a comment; `"ab#cd"` is not.
fn is_cut(text: &str, bare: std::ops::Range<usize>) -> bool {
    let behind = text.get(bare.end..).unwrap_or_default();
    let value = text.get(bare).unwrap_or_default();
    behind.starts_with('#') && !value.trim().is_empty() && !value.ends_with(is_space)
}

/// Without white space and quotes around it. In double quotes `\n` and `\r` are line ends.
fn value(written: &str) -> Zeroizing<String> {
    let trimmed = written.trim_matches(is_space);
    let mut value = Zeroizing::new(String::with_capacity(trimmed.len()));
    let mut copied = 0;
    // of a value over several lines each may have quotes of its own
    for quotes in AROUND.find_iter(trimmed) {
        value.push_str(trimmed.get(copied..quotes.start()).unwrap_or_default());
        let inside = quotes.group(INSIDE).and_then(|range| trimmed.get(range));
        value.push_str(inside.unwrap_or_default());
        copied = quotes.end();
    }
    value.push_str(trimmed.get(copied..).unwrap_or_default());
    if trimmed.starts_with('"') {
        let newlines = Zeroizing::new(value.replace("\\n", "\n"));
        value = Zeroizing::new(newlines.replace("\\r", "\r"));
    }
    value
}

/// What JavaScript's `trim` and `\s` take for white space.
fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

// dotenv's LINE, with a group of its own for a value in quotes and one for a value without
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"(?:^|^)\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(?:(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`)|([^#\r\n]+))?\s*(?:#.*)?(?:$|$)"#,
    )
});
const NAME: usize = 1;
const QUOTED: usize = 2;
const BARE: usize = 3;

static AROUND: LazyLock<Regex> = LazyLock::new(|| regex(r#"^(['"`])([\s\S]*)\1$"#));
const INSIDE: usize = 2;

fn regex(pattern: &str) -> Regex {
    // the two patterns above are constant, and every test compiles them
    Regex::with_flags(pattern, "m").expect("a regular expression of JavaScript's")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (String, String, bool) {
        let found = parse(text.as_bytes());
        assert_eq!(found.len(), 1, "{text:?}");
        let one = &found[0];
        (one.name.clone(), one.value.to_string(), one.is_cut)
    }

    #[test]
    fn values_are_read_as_dotenv_reads_them() {
        for (text, name, value, is_cut) in [
            ("A=b", "A", "b", false),
            ("export A = b ", "A", "b", false),
            ("A: b", "A", "b", false),
            ("A.b-C=d", "A.b-C", "d", false),
            ("A=\"b # c\" # d", "A", "b # c", false),
            ("A='b\\nc'", "A", "b\\nc", false),
            ("A=\"b\\nc\"", "A", "b\nc", false),
            ("A=`b'c\"d`", "A", "b'c\"d", false),
            ("A=b#c", "A", "b", true),
            ("A=b # c", "A", "b", false),
            ("A=#c", "A", "", false),
            ("A=", "A", "", false),
            ("A=\"b\nc\"", "A", "b\nc", false),
            ("# no\n\nA=b", "A", "b", false),
            ("A=b\r\n", "A", "b", false),
            ("\u{feff}A=b", "A", "b", false),
            ("A='it's so'", "A", "it's so", false),
            ("A='it\\'s'", "A", "it\\'s", false),
            ("A=\"a\\\"b\"", "A", "a\\\"b", false),
            ("A='b\\'", "A", "b\\", false),
            ("A=b\\", "A", "b\\", false),
            ("A=\"b\"c\"#d", "A", "b\"c", true),
            // the value begins on the next line, and the quotes go, line by line
            ("A=\n'b'", "A", "b", false),
            ("A='b", "A", "'b", false),
            ("A=''b''", "A", "'b'", false),
        ] {
            assert_eq!(one(text), (name.into(), value.into(), is_cut), "{text:?}");
        }
        assert!(parse(b"nothing here\n=b\n").is_empty());
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line() {
        let found = parse(b"A=b\rB=c\r\r\nC=d");
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_str(), one.value.as_str(), one.line))
            .collect();
        assert_eq!(found, [("A", "b", 1), ("B", "c", 2), ("C", "d", 4)]);
    }

    #[test]
    fn a_value_over_several_lines_does_not_shift_the_lines_below() {
        let found = parse(b"A=\"x\ny\"\nB=z\n\nC=w");
        let lines: Vec<usize> = found.iter().map(|one| one.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }
}
