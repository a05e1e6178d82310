//! Reads wrangler's configuration as wrangler does: what an environment inherits, and where each thing stands.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::project::document::node::{Node, NodeValue};
use crate::project::document::path::{Step, inside, line, steps};
use crate::project::document::{Syntax, jsonc, split_mark};
use crate::project::file::cause;
use crate::project::lookup::{self, WranglersChoice};
use crate::project::quotes::CURLY_QUOTES;
use crate::terminal::answer::Failure;

/// A wrangler.toml, wrangler.jsonc or wrangler.json.
pub struct Config {
    /// Its path, as it was given or found.
    pub path: PathBuf,
    /// How it is written.
    pub syntax: Syntax,
    /// Whether it was named, rather than found.
    pub is_named: bool,
    /// Without a byte order mark.
    text: String,
    root: Node,
}

/// What `wrangler deploy`, with or without `--env`, makes of it.
#[derive(Clone, Copy)]
pub struct Environment<'c> {
    /// The name behind `--env`; none for the top level.
    pub name: Option<&'c str>,
    config: &'c Config,
    table: &'c Node,
}

/// A field that stands again further down in the same object: wrangler takes the last one.
pub struct DuplicateField {
    pub path: String,
    pub line: usize,
    pub last_line: usize,
}

impl Config {
    /// Reads the file that is given, or the nearest one in this folder or above.
    ///
    /// # Errors
    /// It is not there, or wrangler could not read it.
    pub fn read(given: Option<&Path>) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => lookup::nearest(Path::new(".")).ok_or_else(|| {
                let names = "no wrangler.toml, wrangler.jsonc or wrangler.json";
                Failure::usage(format!("{names} in this folder or above it"))
                    .hint("name one with --config")
            })?,
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            let shown = path.display();
            Failure::usage(format!("{shown} cannot be read: {}", cause(&error)))
                .hint("name a wrangler.toml or a wrangler.jsonc with --config")
        })?;
        Self::parse(path, &text, given.is_some())
    }

    fn parse(path: PathBuf, text: &str, is_named: bool) -> Result<Self, Failure> {
        let syntax = Syntax::of(&path, text);
        let text = split_mark(text).1.to_owned();
        let root = syntax.read(&text).map_err(|error| {
            let line = error.at.map(|at| format!(":{}", line(&text, at)));
            let failure = Failure::usage(format!(
                "{}{} is not valid {}: {error}",
                path.display(),
                line.unwrap_or_default(),
                syntax.name()
            ));
            match error.at.and_then(|at| curly_quote(&text, at)) {
                Some(quote) => failure.hint(format!(
                    "the line has a curly quote ({quote}), as word processors write it: write straight ones, \" or '"
                )),
                None => failure,
            }
        })?;
        Ok(Self {
            path,
            syntax,
            is_named,
            text,
            root,
        })
    }

    /// What a plain `wrangler deploy` takes in place of this file, where it would be called: in this folder, or in
    /// that of a file that was named.
    pub fn wranglers_choice(&self) -> Option<WranglersChoice> {
        let is_default = lookup::NAMES.contains(&self.file_name().as_str());
        let start = if self.is_named {
            self.folder()
        } else {
            Path::new(".")
        };
        // a file of another name is one that has always to be named
        is_default.then(|| lookup::instead_of(&self.path, start))?
    }

    /// Refuses to deploy a file in whose place a plain `wrangler deploy` takes another, unless it was named.
    ///
    /// # Errors
    /// wrangler takes another.
    pub fn refuse_another_choice(&self) -> Result<(), Failure> {
        match self.wranglers_choice() {
            Some(choice) if !self.is_named => {
                let (file, path) = (choice.file().display(), self.path.display());
                Err(Failure::refused(format!(
                    "{path} is not what a plain `wrangler deploy` takes: {file}: {}",
                    choice.reason()
                ))
                .hint(format!(
                    "delete {file}, or name the file here as well: --config {path}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Every field that does not count, since it stands again.
    pub fn duplicates(&self) -> Vec<DuplicateField> {
        let found = match self.syntax {
            Syntax::Toml => Vec::new(), // TOML refuses them
            Syntax::Jsonc => jsonc::duplicates(&self.text),
        };
        let located = found.into_iter().map(|field| DuplicateField {
            path: field.path,
            line: line(&self.text, field.start),
            last_line: line(&self.text, field.last),
        });
        located.collect()
    }

    /// The top level and every environment.
    pub fn environments(&self) -> Vec<Environment<'_>> {
        let named = self.root.get("env").map_or(&[][..], Node::fields);
        let named = named.iter().filter(|field| field.node.is_table());
        let named = named.map(|field| Environment {
            name: Some(&field.name),
            config: self,
            table: &field.node,
        });
        std::iter::once(self.top()).chain(named).collect()
    }

    /// One environment.
    ///
    /// # Errors
    /// It is not there.
    pub fn named(&self, name: &str) -> Result<Environment<'_>, Failure> {
        let environments = self.environments();
        let found = environments.iter().find(|one| one.name == Some(name));
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = environments.iter().filter_map(|one| one.name).collect();
            let place = |name| self.syntax.place(&["env", name]);
            let hint = if known.is_empty() {
                format!("{} has no {} at all", self.path.display(), place("NAME"))
            } else {
                format!("there are {}", known.join(", "))
            };
            let place = place(name);
            Failure::usage(format!("no environment {place} in the configuration")).hint(hint)
        })
    }

    /// The environment of that name, or the top level.
    ///
    /// # Errors
    /// It is not there.
    pub fn one(&self, name: Option<&str>) -> Result<Environment<'_>, Failure> {
        name.map_or_else(|| Ok(self.top()), |name| self.named(name))
    }

    /// The top level.
    pub fn top(&self) -> Environment<'_> {
        Environment {
            name: None,
            config: self,
            table: &self.root,
        }
    }

    /// The folder that it stands in.
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// Its name without the folders.
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

impl<'c> Environment<'c> {
    /// A setting of this environment alone, such as `vars`.
    pub fn own(&self, key: &str) -> Option<&'c Node> {
        self.table.get(key)
    }

    /// Every setting of this environment alone.
    pub fn settings(&self) -> impl Iterator<Item = (&'c str, &'c Node)> {
        let fields = self.table.fields().iter();
        fields.map(|field| (field.name.as_str(), &field.node))
    }

    /// A setting that environments inherit from the top level, such as `routes`.
    pub fn inherited(&self, key: &str) -> Option<&'c Node> {
        self.own(key).or_else(|| self.config.root.get(key))
    }

    /// The variable COUNTERSIGN.
    pub fn countersign(&self) -> Option<Value> {
        Some(self.variable()?.json())
    }

    fn variable(&self) -> Option<&'c Node> {
        self.own("vars")?.get("COUNTERSIGN")
    }

    /// The name of the Worker that it is deployed as.
    pub fn worker(&self) -> Option<String> {
        let own = self.own("name").and_then(Node::as_str);
        let top = self.config.root.get("name").and_then(Node::as_str);
        match (self.name, own) {
            (None, _) => top.map(str::to_owned),
            (Some(_), Some(own)) => Some(own.to_owned()),
            (Some(env), None) => Some(format!("{}-{env}", top?)),
        }
    }

    /// The configuration that it is part of.
    pub fn config(&self) -> &'c Config {
        self.config
    }

    /// How it is written.
    pub fn syntax(&self) -> Syntax {
        self.config.syntax
    }

    /// What a command of countersign's that is to be typed needs behind it: ` --env staging`, or nothing.
    pub fn option(&self) -> String {
        self.name
            .map_or(String::new(), |name| format!(" --env {name}"))
    }

    /// `[env.staging]`, or `env.staging` in JSONC, or `the top level`.
    pub fn title(&self) -> String {
        match self.name {
            Some(name) => self.syntax().place(&["env", name]),
            None => "the top level".to_owned(),
        }
    }

    /// A table of this environment as it is to be written: `[env.staging.vars]`.
    pub fn written_table(&self, path: &[&str]) -> String {
        let env = self.name.map(|name| ["env", name]);
        let full: Vec<&str> = env.iter().flatten().chain(path).copied().collect();
        self.syntax().table(&full)
    }

    /// A setting as it is to be written: `preview_urls = false`.
    pub fn written(&self, name: &str, value: &Value) -> String {
        self.syntax().setting(name, value)
    }

    /// The line where a path such as `COUNTERSIGN.cookies[1].format` stands, or what of it there is; one of
    /// the top level for a setting that is inherited from there.
    pub fn line(&self, path: &str) -> Option<usize> {
        let mut steps = steps(path);
        if steps.first() == Some(&Step::field("COUNTERSIGN")) {
            steps.insert(0, Step::field("vars"));
        }
        let at = |node: &Node| reach(node, &steps);
        let found = at(self.table).or_else(|| match self.name {
            // variables are not inherited: here is where they are missing
            Some(_) if steps.first() == Some(&Step::field("vars")) => self.start(),
            _ => at(&self.config.root),
        });
        Some(line(&self.config.text, found?))
    }

    /// Where it begins, in bytes.
    fn start(&self) -> Option<usize> {
        let path = [Step::field("env"), Step::field(self.name?)];
        reach(&self.config.root, &path)
    }

    /// Every date that stands without quotes: wrangler cannot pass it on.
    pub fn bare_dates(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(node) = self.variable() {
            find_dates("COUNTERSIGN", node, &mut found);
        }
        found
    }
}

/// Where a path leads, or as much of it as there is; none where not even its first step is there.
fn reach(root: &Node, path: &[Step]) -> Option<usize> {
    let (mut at, mut node) = (None, root);
    for step in path {
        let Some((start, next)) = inside(node, step) else {
            break;
        };
        (at, node) = (Some(start), next);
    }
    at
}

/// The first curly quote of the line that a byte is in.
fn curly_quote(text: &str, at: usize) -> Option<char> {
    let from = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let mut line = text.get(from..)?.lines().next()?.chars();
    line.find(|c| CURLY_QUOTES.contains(c))
}

fn find_dates(path: &str, node: &Node, found: &mut Vec<String>) {
    if matches!(node.value, NodeValue::Date(_)) {
        found.push(path.to_owned());
    }
    for (at, entry) in node.entries().iter().enumerate() {
        find_dates(&format!("{path}[{at}]"), entry, found);
    }
    for field in node.fields() {
        find_dates(&format!("{path}.{}", field.name), &field.node, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"name = "shop"
routes = ["a.example/*"]

[vars.COUNTERSIGN]
mode = "enforce"

[vars.COUNTERSIGN.keys]
current = "K"
fallbacks = [{ secret = "OLD", until = 2027-02-01T00:00:00Z }]

[[vars.COUNTERSIGN.cookies]]
name = "a"

[[vars.COUNTERSIGN.cookies]]
name = "b"
accept = [
  { format = "plain" },
]

[env.staging]
workers_dev = true
"#;

    fn config() -> Config {
        let read = Config::parse("wrangler.toml".into(), TEXT, false);
        read.map_err(drop).unwrap()
    }

    #[test]
    fn a_path_leads_to_its_line() {
        let config = config();
        let top = config.top();
        for (path, line) in [
            ("name", 1),
            ("COUNTERSIGN", 4),
            ("COUNTERSIGN.mode", 5),
            ("COUNTERSIGN.keys", 7),
            ("COUNTERSIGN.keys.current", 8),
            ("COUNTERSIGN.keys.fallbacks[0].until", 9),
            ("COUNTERSIGN.cookies[1].name", 15),
            ("COUNTERSIGN.cookies[1].accept[0].format", 17),
            ("COUNTERSIGN.cookies[1].missing", 14),
            ("COUNTERSIGN.missing", 4),
        ] {
            assert_eq!(top.line(path), Some(line), "{path}");
        }
        assert_eq!(top.line("cache"), None);
    }

    #[test]
    fn an_environment_inherits_routes_and_no_vars() {
        let config = config();
        let staging = config.named("staging").unwrap();
        assert!(staging.inherited("routes").is_some());
        assert!(staging.countersign().is_none());
        assert_eq!(staging.worker().as_deref(), Some("shop-staging"));
        assert_eq!(staging.line("workers_dev"), Some(21));
        assert_eq!(staging.line("routes"), Some(2));
        assert_eq!(staging.line("COUNTERSIGN"), Some(20));
        assert!(config.named("prod").is_err());
    }

    #[test]
    fn a_bare_date_is_found_and_read_as_text() {
        let config = config();
        let dates = config.top().bare_dates();
        assert_eq!(dates, ["COUNTERSIGN.keys.fallbacks[0].until"]);
        let value = config.top().countersign().unwrap();
        assert_eq!(
            value["keys"]["fallbacks"][0]["until"],
            "2027-02-01T00:00:00Z"
        );
    }
}
