//! The secrets that `wrangler dev` gives the Worker on this machine: those of `.dev.vars`, or where there is none,
//! of `.env`.
//!
//! wrangler 4.164, `src/dev/dev-vars.ts` and `src/config/dot-env.ts`: of `.dev.vars.NAME` and `.dev.vars` the first
//! that is there counts, alone and as it stands. Where there is neither, `.env`, `.env.local`, `.env.NAME` and
//! `.env.NAME.local` count together, the last one most, and every `$` in them is expanded.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use crate::project::config::Environment;
use crate::project::dotenv::{self, Assignment};
use crate::project::expansion::{Variables, expand};
use crate::project::file::cause;
use crate::project::quotes::CURLY_QUOTES;
use crate::terminal::answer::Failure;

/// SecretValues of secrets, by name.
pub type SecretValues = std::collections::BTreeMap<String, String>;

/// The secrets of a machine, for `wrangler dev`.
pub struct DevVars {
    secrets: Vec<DevVar>,
    /// The names of the files that count, the one that counts most last.
    files: Vec<String>,
    /// Whether they are `.env` files, which are there for other programs, too.
    pub is_dot_env: bool,
}

/// One line of a file.
pub struct DevVar {
    /// Its name.
    pub name: String,
    /// Its value as wrangler reads it.
    pub value: Zeroizing<String>,
    /// The name of the file.
    pub file: String,
    /// The line, counted from 1; none for what comes from the environment.
    pub line: Option<usize>,
    /// Whether the value has no quotes and was cut at a `#`.
    pub is_cut: bool,
    /// Whether wrangler reads another value than is written, because of a `$`.
    pub is_expanded: bool,
    /// A quote that it begins or ends with and that is part of the value.
    pub stray_quote: Option<char>,
}

impl DevVars {
    /// Those of an environment; none where no such file is there.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn read(environment: &Environment<'_>) -> Result<Option<Self>, Failure> {
        let own = environment.name.map(|name| format!(".dev.vars.{name}"));
        for file in own.into_iter().chain([".dev.vars".to_owned()]) {
            if let Some(secrets) = read_file(environment, &file)? {
                return Ok(Some(Self {
                    secrets,
                    files: vec![file],
                    is_dot_env: false,
                }));
            }
        }
        if is_set_to("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "false") {
            return Ok(None);
        }
        Self::read_dot_env(environment)
    }

    fn read_dot_env(environment: &Environment<'_>) -> Result<Option<Self>, Failure> {
        let (mut secrets, mut files) = (Vec::new(), Vec::new());
        let own = environment.name.map(|name| format!(".env.{name}"));
        let local = own.as_ref().map(|own| format!("{own}.local"));
        let shared = [".env", ".env.local"].map(str::to_owned);
        for file in shared.into_iter().chain(own).chain(local) {
            if let Some(lines) = read_file(environment, &file)? {
                secrets.extend(lines);
                files.push(file);
            }
        }
        if files.is_empty() {
            return Ok(None);
        }
        let process = if includes_process(environment) {
            let set =
                env::vars_os().map(|(name, value)| [name, value].map(|text| text.into_string()));
            let texts = set.filter_map(|pair| match pair {
                [Ok(name), Ok(value)] => Some((name, value)),
                _ => None,
            });
            texts.collect()
        } else {
            Vec::new()
        };
        let file = files.last().cloned().unwrap_or_default();
        expand_all(&mut secrets, &process).ok_or_else(|| {
            Failure::usage(format!(
                "{file}: its variables name each other without end: `wrangler dev` hangs"
            ))
            .hint("write \\$ for a $ that is part of a value")
        })?;
        Ok(Some(Self {
            secrets,
            files,
            is_dot_env: true,
        }))
    }

    /// A `.env` file as it is written; none where it cannot be read.
    pub fn at(path: &Path) -> Option<Self> {
        let file = path.display().to_string();
        let lines = dotenv::parse(&Zeroizing::new(fs::read(path).ok()?)).into_iter();
        Some(Self {
            secrets: lines.map(|line| DevVar::new(line, &file)).collect(),
            files: vec![file],
            is_dot_env: true,
        })
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
        let texts: BTreeMap<String, String> = self
            .secrets
            .iter()
            .map(|secret| (secret.name.clone(), secret.value.to_string()))
            .collect();
        let set = texts.into_iter().filter(|(_, text)| !text.is_empty());
        set.collect()
    }

    /// The name of the file that counts most.
    pub fn file_name(&self) -> &str {
        self.files.last().map_or("", String::as_str)
    }

    /// The names of all files that count.
    pub fn file_names(&self) -> String {
        self.files.join(", ")
    }
}

/// What a file sets; none where it is not there.
fn read_file(environment: &Environment<'_>, file: &str) -> Result<Option<Vec<DevVar>>, Failure> {
    match fs::read(environment.config().folder().join(file)) {
        Ok(bytes) => {
            let lines = dotenv::parse(&Zeroizing::new(bytes)).into_iter();
            Ok(Some(lines.map(|line| DevVar::new(line, file)).collect()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let text = format!("{file} cannot be read: {}", cause(&error));
            Err(Failure::usage(text))
        }
    }
}

/// Whether what is set in the environment counts as well, and more than the files.
fn includes_process(environment: &Environment<'_>) -> bool {
    environment.own("secrets").is_some() || is_set_to("CLOUDFLARE_INCLUDE_PROCESS_ENV", "true")
}

fn is_set_to(variable: &str, value: &str) -> bool {
    env::var(variable).is_ok_and(|set| set.eq_ignore_ascii_case(value))
}

/// Gives every name its value after the expansion, and adds what only the environment sets; none where the
/// expansion has no end.
fn expand_all(secrets: &mut Vec<DevVar>, process: &Variables) -> Option<()> {
    let written: Variables = secrets
        .iter()
        .map(|secret| (secret.name.clone(), secret.value.to_string()))
        .collect();
    let expanded: BTreeMap<String, String> = expand(&written, process)?.into_iter().collect();
    // the last line of a name is the one that counts
    let mut settled = BTreeSet::new();
    for secret in secrets.iter_mut().rev() {
        if settled.insert(secret.name.clone())
            && let Some(value) = expanded.get(&secret.name)
        {
            let is_set_there = process
                .iter()
                .any(|(name, set)| *name == secret.name && set == value);
            secret.is_expanded = !is_set_there && secret.value.replace("\\$", "$") != *value;
            secret.value = Zeroizing::new(value.clone());
        }
    }
    let only_there = process
        .iter()
        .filter(|(name, _)| !expanded.contains_key(name));
    secrets.extend(only_there.map(|(name, value)| DevVar {
        name: name.clone(),
        value: Zeroizing::new(value.clone()),
        file: "the environment".to_owned(),
        line: None,
        is_cut: false,
        is_expanded: false,
        stray_quote: None,
    }));
    Some(())
}

impl DevVar {
    fn new(assignment: Assignment, file: &str) -> Self {
        Self {
            stray_quote: stray_quote(&assignment.value),
            name: assignment.name,
            value: assignment.value,
            file: file.to_owned(),
            line: Some(assignment.line),
            is_cut: assignment.is_cut,
            is_expanded: false,
        }
    }

    /// Whether it has bytes that are no UTF-8, which wrangler replaces.
    pub fn is_damaged(&self) -> bool {
        self.value.contains(char::REPLACEMENT_CHARACTER)
    }
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

    fn read(text: &str) -> Vec<DevVar> {
        let lines = dotenv::parse(text.as_bytes()).into_iter();
        lines.map(|line| DevVar::new(line, ".env")).collect()
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
            ("A='it's'", None),
            ("A=it's", None),
        ] {
            assert_eq!(read(text)[0].stray_quote, quote, "{text}");
        }
    }

    #[test]
    fn what_the_expansion_changes_is_told() {
        let mut secrets = read("A=x\nB=pa$A\nC=pa$$\nD=pa\\$A\n");
        let process = vec![("E".to_owned(), "y".to_owned())];
        expand_all(&mut secrets, &process).unwrap();
        let found: Vec<_> = secrets
            .iter()
            .map(|one| (one.value.as_str(), one.is_expanded, one.line.is_some()))
            .collect();
        assert_eq!(
            found,
            [
                ("x", false, true),
                ("pax", true, true),
                ("pa$$", false, true),
                ("pa$A", false, true),
                ("y", false, false),
            ]
        );
    }
}
