//! Reads `.dev.vars` as wrangler does: by the rules of dotenv, where a value without quotes ends at `#`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::project::config::Environment;
use crate::project::file::cause;
use crate::project::quotes::CURLY_QUOTES;
use crate::terminal::answer::Failure;

/// SecretValues of secrets, by name.
pub type SecretValues = std::collections::BTreeMap<String, String>;

/// The secrets of a machine, for `wrangler dev`.
pub struct DevVars {
    /// The file that they stand in.
    pub path: PathBuf,
    secrets: Vec<DevVar>,
}

/// One line of the file.
pub struct DevVar {
    /// Its name.
    pub name: String,
    /// Its value as wrangler reads it.
    pub value: Zeroizing<String>,
    /// The line, counted from 1.
    pub line: usize,
    /// Whether the value has no quotes and was cut at a `#`.
    pub is_cut: bool,
    /// A quote that it begins or ends with and that is part of the value.
    pub stray_quote: Option<char>,
}

impl DevVars {
    /// The file of an environment: `.dev.vars.NAME` where it is there, else `.dev.vars`; never both.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(environment: &Environment<'_>) -> Result<Option<Self>, Failure> {
        let folder = environment.config().folder();
        let own = environment.name.map(|name| format!(".dev.vars.{name}"));
        for name in own.into_iter().chain([".dev.vars".to_owned()]) {
            let path = folder.join(&name);
            match fs::read_to_string(&path) {
                Ok(text) => {
                    let secrets = parse(&Zeroizing::new(text));
                    return Ok(Some(Self { path, secrets }));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let text = format!("{name} cannot be read: {}", cause(&error));
                    return Err(Failure::usage(text));
                }
            }
        }
        Ok(None)
    }

    /// A file of the same syntax; none where it cannot be read.
    pub fn at(path: &std::path::Path) -> Option<Self> {
        let secrets = parse(&Zeroizing::new(fs::read_to_string(path).ok()?));
        let path = path.to_owned();
        Some(Self { path, secrets })
    }

    /// A secret's text. Of several with one name the last counts.
    pub fn text(&self, name: &str) -> Option<&str> {
        let secret = self.secrets.iter().rfind(|secret| secret.name == name)?;
        Some(&secret.value)
    }

    /// Every line that sets a secret.
    pub fn secrets(&self) -> &[DevVar] {
        &self.secrets
    }

    /// All that are not empty, by name.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let texts = self
            .secrets
            .iter()
            .filter(|secret| !secret.value.is_empty());
        texts
            .map(|secret| (secret.name.clone(), secret.value.to_string()))
            .collect()
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

fn parse(text: &str) -> Vec<DevVar> {
    let text = Zeroizing::new(text.replace("\r\n", "\n").replace('\r', "\n"));
    let (mut secrets, mut rest, mut line) = (Vec::new(), text.as_str(), 1);
    while !rest.is_empty() {
        let read = statement(rest);
        let length = read.as_ref().map_or(0, |(_, length)| *length);
        // what is no statement is skipped to the end of its line
        let end = rest.get(length..).and_then(|tail| tail.find('\n'));
        let next = end.map_or(rest.len(), |end| length + end + 1);
        let (passed, tail) = rest.split_at_checked(next).unwrap_or((rest, ""));
        if let Some((secret, _)) = read {
            secrets.push(DevVar { line, ..secret });
        }
        line += passed.matches('\n').count();
        rest = tail;
    }
    secrets
}

/// `export NAME = VALUE # comment`; answers how many bytes it takes up to the end of the value.
fn statement(text: &str) -> Option<(DevVar, usize)> {
    let start = text.trim_start_matches([' ', '\t']);
    let start = match start.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start_matches([' ', '\t']),
        _ => start,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let behind = start.trim_start_matches(is_name);
    let name = start.strip_suffix(behind).filter(|name| !name.is_empty())?;
    let spaceless = behind.trim_start_matches([' ', '\t']);
    let value = match (spaceless.strip_prefix('='), behind.strip_prefix(':')) {
        (Some(value), _) => value,
        (None, Some(value)) if value.starts_with([' ', '\t']) => value,
        _ => return None,
    };
    let value = value.trim_start_matches([' ', '\t']);
    let (value_text, tail, is_cut) = quoted(value).unwrap_or_else(|| bare(value));
    let secret = DevVar {
        name: name.to_owned(),
        stray_quote: stray_quote(&value_text),
        value: Zeroizing::new(value_text),
        line: 0,
        is_cut,
    };
    Some((secret, text.len() - tail.len()))
}

/// A value in quotes, that nothing but a comment follows. In double quotes `\n` and `\r` are line ends.
fn quoted(text: &str) -> Option<(String, &str, bool)> {
    let quote = text.chars().next().filter(|c| "'\"`".contains(*c))?;
    let inside = text.strip_prefix(quote)?;
    let mut escaped = false;
    let end = inside.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\';
        ends
    })?;
    let (value, tail) = inside.split_at_checked(end)?;
    let tail = tail.strip_prefix(quote)?;
    let rest_of_line = tail.lines().next().unwrap_or_default().trim_start();
    if !rest_of_line.is_empty() && !rest_of_line.starts_with('#') {
        return None;
    }
    let value = match quote {
        '"' => value.replace("\\n", "\n").replace("\\r", "\r"),
        _ => value.to_owned(),
    };
    Some((value, tail, false))
}

/// A value without quotes: it ends at a `#`, and at the end of the line.
fn bare(text: &str) -> (String, &str, bool) {
    let end = text.find(['#', '\n']).unwrap_or(text.len());
    let (value, tail) = text.split_at_checked(end).unwrap_or((text, ""));
    // " #" may be meant as a comment; "ab#cd" is not
    let is_cut = tail.starts_with('#') && !value.is_empty() && !value.ends_with([' ', '\t']);
    (unwrapped(value.trim()).to_owned(), tail, is_cut)
}

/// Without the quotes around it, which dotenv takes away here, too: of `''b''` it leaves `'b'`.
fn unwrapped(value: &str) -> &str {
    let quote = value.chars().next().filter(|c| "'\"`".contains(*c));
    let inside = quote.and_then(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    inside.unwrap_or(value)
}

/// A quote at the beginning of a value, or one at its end, as one that is not closed, doubled or curly leaves it.
fn stray_quote(value: &str) -> Option<char> {
    let is_quote = |c: &char| "'\"`".contains(*c) || CURLY_QUOTES.contains(c);
    let ends = value.chars().next().into_iter().chain(value.chars().last());
    ends.into_iter().find(is_quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (String, String, bool) {
        let secrets = parse(text);
        assert_eq!(secrets.len(), 1, "{text}");
        let secret = &secrets[0];
        (secret.name.clone(), secret.value.to_string(), secret.is_cut)
    }

    #[test]
    fn values_are_read_as_dotenv_reads_them() {
        for (text, name, value, is_cut) in [
            ("A=b", "A", "b", false),
            ("export A = b ", "A", "b", false),
            ("A: b", "A", "b", false),
            ("A=\"b # c\" # d", "A", "b # c", false),
            ("A='b\\nc'", "A", "b\\nc", false),
            ("A=\"b\\nc\"", "A", "b\nc", false),
            ("A=`b'c\"d`", "A", "b'c\"d", false),
            ("A=b#c", "A", "b", true),
            ("A=b # c", "A", "b", false),
            ("A=", "A", "", false),
            ("A=\"b\nc\"", "A", "b\nc", false),
            ("# no\n\nA=b", "A", "b", false),
            ("A=b\r\n", "A", "b", false),
        ] {
            assert_eq!(one(text), (name.into(), value.into(), is_cut), "{text}");
        }
        assert!(parse("nothing here\n=b\n").is_empty());
    }

    #[test]
    fn a_quote_that_belongs_to_the_value_is_told() {
        for (text, quote) in [
            ("A='b", Some('\'')),
            ("A=\"b", Some('"')),
            ("A=''b''", Some('\'')),
            ("A=\"\"b\"\"", Some('"')),
            ("A=b'", Some('\'')),
            ("A=“b”", Some('“')),
            ("A='b'", None),
            ("A=\"b\"", None),
            ("A=\"it's\"", None),
            ("A=it's", None),
        ] {
            let secrets = parse(text);
            assert_eq!(secrets[0].stray_quote, quote, "{text}");
        }
    }

    #[test]
    fn a_value_over_several_lines_does_not_shift_the_lines_below() {
        let secrets = parse("A=\"x\ny\"\nB=z\n\nC=w");
        let lines: Vec<usize> = secrets.iter().map(|secret| secret.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }
}
