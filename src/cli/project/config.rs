//! Reads wrangler.toml as wrangler does: what an environment inherits, and where each thing stands.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml_edit::{Document, Item, TableLike};

use crate::project::file::cause;
use crate::project::location::{inside, line, start, steps};
use crate::project::quotes::CURLY_QUOTES;
use crate::project::toml::{entries, json};
use crate::terminal::answer::Failure;

/// A wrangler.toml.
pub struct Config {
    /// Its path, as it was given or found.
    pub path: PathBuf,
    document: Document<String>,
}

/// What `wrangler deploy`, with or without `--env`, makes of it.
#[derive(Clone, Copy)]
pub struct Environment<'c> {
    /// The name behind `--env`; none for the top level.
    pub name: Option<&'c str>,
    config: &'c Config,
    table: &'c dyn TableLike,
}

impl Config {
    /// Reads the file that is given, or the nearest wrangler.toml in this folder or above.
    ///
    /// # Errors
    /// It is not there, or is no TOML.
    pub fn read(given: Option<&Path>) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => nearest()?,
        };
        let shown = path.display();
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!("{shown} cannot be read: {}", cause(&error)))
                .hint("name a wrangler.toml with --config")
        })?;
        let document = Document::parse(text.clone()).map_err(|error| {
            let line = error.span().map(|span| line(&text, span.start));
            let line = line.map_or(String::new(), |line| format!(":{line}"));
            let failure = Failure::usage(format!(
                "{shown}{line} is not valid TOML: {}",
                error.message().lines().next().unwrap_or_default()
            ));
            match error.span().and_then(|span| curly_quote(&text, span.start)) {
                Some(quote) => failure.hint(format!(
                    "the line has a curly quote ({quote}), as word processors write it: write straight ones, \" or '"
                )),
                None => failure,
            }
        })?;
        Ok(Self { path, document })
    }

    /// The top level and every `[env.NAME]`.
    pub fn environments(&self) -> Vec<Environment<'_>> {
        let named = self.env().into_iter().flat_map(|env| env.iter());
        let named = named.filter_map(|(name, item)| self.environment(Some(name), item));
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
            let hint = if known.is_empty() {
                format!("{} has no [env.NAME] at all", self.path.display())
            } else {
                format!("there are {}", known.join(", "))
            };
            Failure::usage(format!("no environment [env.{name}] in the configuration")).hint(hint)
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
            table: self.document.as_table(),
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

    fn env(&self) -> Option<&dyn TableLike> {
        self.document.get("env")?.as_table_like()
    }

    fn environment<'c>(&'c self, name: Option<&'c str>, item: &'c Item) -> Option<Environment<'c>> {
        Some(Environment {
            name,
            config: self,
            table: item.as_table_like()?,
        })
    }
}

impl<'c> Environment<'c> {
    /// A setting of this environment alone, such as `vars`.
    pub fn own(&self, key: &str) -> Option<&'c Item> {
        self.table.get(key)
    }

    /// Every setting of this environment alone.
    pub fn settings(&self) -> impl Iterator<Item = (&'c str, &'c Item)> {
        self.table.iter()
    }

    /// A setting that environments inherit from the top level, such as `routes`.
    pub fn inherited(&self, key: &str) -> Option<&'c Item> {
        self.own(key).or_else(|| self.config.document.get(key))
    }

    /// The variable COUNTERSIGN.
    pub fn countersign(&self) -> Option<Value> {
        let item = self.own("vars")?.as_table_like()?.get("COUNTERSIGN")?;
        Some(json(item))
    }

    /// The name of the Worker that it is deployed as.
    pub fn worker(&self) -> Option<String> {
        let own = self.own("name").and_then(Item::as_str);
        let top = self.config.document.get("name").and_then(Item::as_str);
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

    /// What a command of countersign's that is to be typed needs behind it: ` --env staging`, or nothing.
    pub fn option(&self) -> String {
        self.name
            .map_or(String::new(), |name| format!(" --env {name}"))
    }

    /// `[env.staging]`, or `the top level`.
    pub fn title(&self) -> String {
        match self.name {
            Some(name) => format!("[env.{name}]"),
            None => "the top level".to_owned(),
        }
    }

    /// The line where a path such as `COUNTERSIGN.cookies[1].format` stands, or what of it there is; one of
    /// the top level for a setting that is inherited from there.
    pub fn line(&self, path: &str) -> Option<usize> {
        let steps = steps(path);
        let (first, rest) = steps.split_first()?;
        let (first, rest) = match *first {
            "COUNTERSIGN" => ("vars", steps.as_slice()),
            first => (first, rest),
        };
        let mut at = match (self.own(first), self.name) {
            (Some(_), _) => start(self.table, first)?,
            // variables are not inherited: here is where they are missing
            (None, Some(name)) if first == "vars" => {
                let at = start(self.config.env()?, name)?;
                return Some(line(self.config.document.raw(), at));
            }
            (None, _) => start(self.config.document.as_table(), first)?,
        };
        let mut item = self.inherited(first)?;
        for step in rest {
            let Some((start, next)) = inside(item, step) else {
                break;
            };
            at = start.unwrap_or(at);
            item = next;
        }
        Some(line(self.config.document.raw(), at))
    }

    /// Every date that stands without quotes: wrangler cannot pass it on.
    pub fn bare_dates(&self) -> Vec<String> {
        let mut found = Vec::new();
        let vars = self.own("vars").and_then(Item::as_table_like);
        if let Some(item) = vars.and_then(|vars| vars.get("COUNTERSIGN")) {
            find_dates("COUNTERSIGN", item, &mut found);
        }
        found
    }
}

/// The first curly quote of the line that a byte is in.
fn curly_quote(text: &str, at: usize) -> Option<char> {
    let from = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let mut line = text.get(from..)?.lines().next()?.chars();
    line.find(|c| CURLY_QUOTES.contains(c))
}

fn find_dates(path: &str, item: &Item, found: &mut Vec<String>) {
    if item.as_datetime().is_some() {
        found.push(path.to_owned());
    }
    for (at, entry) in entries(item).iter().flatten().enumerate() {
        find_dates(&format!("{path}[{at}]"), entry, found);
    }
    for (key, item) in item.as_table_like().iter().flat_map(|table| table.iter()) {
        find_dates(&format!("{path}.{key}"), item, found);
    }
}

fn nearest() -> Result<PathBuf, Failure> {
    let here = Path::new(".");
    let folder = here.canonicalize().unwrap_or_else(|_| here.to_owned());
    for (up, folder) in folder.ancestors().enumerate() {
        if folder.join("wrangler.toml").is_file() {
            let relative = "../".repeat(up);
            return Ok(PathBuf::from(format!("{relative}wrangler.toml")));
        }
        for other in ["wrangler.jsonc", "wrangler.json"] {
            if folder.join(other).is_file() {
                return Err(Failure::usage(format!(
                    "found {other}, which this command does not read"
                ))
                .hint("keep the configuration in wrangler.toml"));
            }
        }
    }
    Err(
        Failure::usage("no wrangler.toml in this folder or above it")
            .hint("name one with --config"),
    )
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
        Config {
            path: "wrangler.toml".into(),
            document: Document::parse(TEXT.to_owned()).unwrap(),
        }
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
