//! What must hold of a `.dev.vars`: any bytes are read, and a line that `init` writes says what it was made of and
//! changes no other.

use arbitrary::Arbitrary;
use countersign_cli::fuzzing::{Variable, expanded, variable_line, variables};

/// A file of any bytes, and one of lines that are written here.
#[derive(Arbitrary, Debug)]
pub struct DevVarsCase {
    bytes: Vec<u8>,
    tokens: Vec<u8>,
    lines: Vec<Line>,
    changed: u8,
    new_value: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Line {
    Variable(Vec<u8>),
    Comment(u8),
    Empty,
}

const TOKENS: [&str; 28] = [
    "A", "B=", "=", "\n", "\r\n", "\r", " ", "\t", "'", "\"", "`", "#", " #", "\\", "\\n", "\\r",
    "\\'", "$", "${A}", "${A:-b}", "$B", "export ", ":", ".", "-", "\u{a0}", "é", "secret",
];

fn text(tokens: &[u8]) -> String {
    let of = tokens.iter().take(64);
    of.map(|at| TOKENS[usize::from(*at) % TOKENS.len()])
        .collect()
}

/// Reads and writes it, and holds the rules against what comes of it.
pub fn check(case: &DevVarsCase) {
    for bytes in [case.bytes.clone(), text(&case.tokens).into_bytes()] {
        lines_are_counted(&bytes, &variables(&bytes));
        let _ = expanded(&bytes);
    }
    a_line_changes_itself_alone(case);
}

/// Each variable stands in a line of the file, the next not before it.
fn lines_are_counted(bytes: &[u8], found: &[Variable]) {
    let text = String::from_utf8_lossy(bytes)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let lines = text.split('\n').count();
    let mut last = 1;
    for variable in found {
        assert!(
            (last..=lines).contains(&variable.line),
            "{variable:?} of {text:?}"
        );
        assert!(!variable.name.is_empty(), "{variable:?} of {text:?}");
        let own = text.split('\n').nth(variable.line - 1).unwrap_or_default();
        assert!(own.contains(&variable.name), "{variable:?} of {text:?}");
        last = variable.line;
    }
}

/// What is written is read, and a line in the place of another leaves the others as they are.
fn a_line_changes_itself_alone(case: &DevVarsCase) {
    let mut file: Vec<String> = Vec::new();
    let mut expected: Vec<(String, String)> = Vec::new();
    let mut places = Vec::new();
    for (at, line) in case.lines.iter().take(8).enumerate() {
        let written = match line {
            Line::Variable(tokens) => {
                let (name, value) = (format!("KEY_{at}"), text(tokens));
                let Some(written) = variable_line(&name, &value) else {
                    continue;
                };
                places.push(file.len());
                expected.push((name, value));
                written
            }
            Line::Comment(length) => format!("# {}\n", "it is so ".repeat(usize::from(length % 8))),
            Line::Empty => "\n".to_owned(),
        };
        file.push(written);
    }
    reads(&file, &expected);
    if expected.is_empty() {
        return;
    }
    let at = usize::from(case.changed) % expected.len();
    let value = text(&case.new_value);
    if let Some(line) = variable_line(&expected[at].0, &value) {
        file[places[at]] = line;
        expected[at].1 = value;
        reads(&file, &expected);
    }
}

fn reads(file: &[String], expected: &[(String, String)]) {
    let found = variables(file.concat().as_bytes()).into_iter();
    let found: Vec<_> = found.map(|one| (one.name, one.value)).collect();
    assert_eq!(found, expected, "{file:?}");
}
