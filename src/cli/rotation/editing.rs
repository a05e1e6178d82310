//! Edits wrangler.toml in place: the keys of a ring and the formats of a rule move, and every comment, the
//! order and the layout of all else stay.

use std::fs;
use std::path::PathBuf;

use countersign_core::config::Policy;
use countersign_core::config::written::{Written, WrittenRing, WrittenRule};
use countersign_core::operations::capabilities::Capabilities;
use serde_json::Value as Json;
use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use crate::project::config::Environment;
use crate::project::file;
use crate::project::file::cause;
use crate::project::location::steps;
use crate::project::toml::{entries, json};
use crate::terminal::answer::Failure;

mod formats;
mod list;
mod table;

use table::{field, fields, named, position, set, short};

/// A wrangler.toml that is being edited, for one environment.
#[derive(Clone)]
pub struct Draft {
    document: DocumentMut,
    environment: Option<String>,
    path: PathBuf,
    before: String,
}

/// Whose keys are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring<'r> {
    /// Those of all rules that have none of their own.
    Shared,
    /// Those that a rule has of its own.
    Of(&'r str),
}

/// The path of the variable.
const VARIABLE: &str = "COUNTERSIGN";

/// The byte order mark that some editors put in front.
const MARK: char = '\u{feff}';

impl Draft {
    /// Opens the file of an environment.
    ///
    /// # Errors
    /// It cannot be read, or has no variable COUNTERSIGN there.
    pub fn open(environment: &Environment<'_>) -> Result<Self, Failure> {
        let path = environment.config().path.clone();
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!(
                "{} cannot be read: {}",
                path.display(),
                cause(&error)
            ))
        })?;
        let draft = Self::parse(&text, environment.name, path.clone());
        draft.ok_or_else(|| {
            let title = environment.title();
            Failure::usage(format!(
                "{} has no variable COUNTERSIGN for {title}",
                path.display()
            ))
            .hint("name the environment with --env; each has its own [env.NAME.vars.COUNTERSIGN]")
        })
    }

    /// The text of a wrangler.toml; none where it is no TOML or has no variable COUNTERSIGN.
    pub fn parse(text: &str, environment: Option<&str>, path: PathBuf) -> Option<Self> {
        let mut draft = Self {
            document: text.parse().ok()?,
            environment: environment.map(str::to_owned),
            path,
            before: text.to_owned(),
        };
        draft.item(VARIABLE)?;
        Some(draft)
    }

    /// The whole file as it is now.
    pub fn text(&self) -> String {
        let text = self.document.to_string();
        let text = if self.before.contains("\r\n") {
            text.replace("\r\n", "\n").replace('\n', "\r\n")
        } else {
            text
        };
        if self.before.starts_with(MARK) && !text.starts_with(MARK) {
            format!("{MARK}{text}")
        } else {
            text
        }
    }

    /// The whole file as it was.
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Writes it back.
    ///
    /// # Errors
    /// It cannot be written, or somebody has changed it meanwhile.
    pub fn save(&self) -> Result<(), Failure> {
        let after = self.text();
        file::replace(&self.path, self.before.as_bytes(), after.as_bytes())
    }

    /// The variable COUNTERSIGN.
    pub fn value(&self) -> Json {
        let mut draft = self.clone();
        draft.item(VARIABLE).map_or(Json::Null, |item| json(item))
    }

    /// What the Worker makes of it, whatever the bytes of its keys.
    ///
    /// # Errors
    /// The Worker would refuse it.
    pub fn policy(&self) -> Result<Policy, Failure> {
        let value = self.value();
        Policy::parse_with_placeholders(&value, &|_| None).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::refused(format!(
                "the Worker would refuse this configuration:\n  {}",
                problems.join("\n  ")
            ))
        })
    }

    /// What it seals and opens; keys are told apart by their names.
    ///
    /// # Errors
    /// As [`Self::policy`].
    pub fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities::of(&self.policy()?, &|_| None))
    }

    /// The names of rules that go by a ring.
    pub fn rules(&self, ring: Ring<'_>) -> Vec<String> {
        let value = self.value();
        let written = Written::of(&value);
        let rules = of(&written, ring)
            .map(|ring| ring.rules)
            .unwrap_or_default();
        let names = rules.iter().filter_map(|rule| rule.name());
        names.map(str::to_owned).collect()
    }

    /// Every ring: none for the shared one, and the name of each rule that has its own.
    pub fn rings(&self) -> Vec<Option<String>> {
        let value = self.value();
        let written = Written::of(&value);
        let rings = written.rings().into_iter();
        let owner =
            |ring: WrittenRing<'_, '_>| ring.rule.and_then(WrittenRule::name).map(str::to_owned);
        rings.map(owner).collect()
    }

    /// The name of a ring's current key.
    pub fn current(&self, ring: Ring<'_>) -> Result<String, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let current = of(&written, ring)?.table.current.as_ref();
        current.map(|key| key.id.to_string()).ok_or_else(|| {
            Failure::usage("`keys` names no current key")
                .hint("countersign check says what is wrong with it")
        })
    }

    /// The names of a ring's fallbacks, and until when each opens as it is written. Where its rules list different
    /// ones, all of them, each as it opens for longest.
    pub fn fallbacks(&self, ring: Ring<'_>) -> Result<Vec<(String, Option<String>)>, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let fallbacks = of(&written, ring)?.fallbacks().into_iter();
        let named = fallbacks.map(|key| (key.id.to_string(), key.until_text().map(str::to_owned)));
        Ok(named.collect())
    }

    /// Makes a key a fallback; its bytes are written as the current key's are.
    pub fn stage(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        let table = self.table(ring)?;
        let mut entry = self.entry(&table, "current");
        entry.insert("secret", Value::from(key));
        entry.remove("allow_weak");
        self.each_list(ring, |table| {
            list::push(table, "fallbacks", short(entry.clone()))
        })
    }

    /// Makes a fallback the current key, and the key that was current a fallback until then.
    pub fn promote(&mut self, ring: Ring<'_>, key: &str, until: &str) -> Result<(), Failure> {
        let mut old = self.replace_current(ring, key)?;
        let old_name = old
            .get("secret")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        old.remove("allow_weak");
        old.insert("until", Value::from(until));
        self.each_list(ring, |table| {
            let staged = position(table, "fallbacks", "secret", key);
            match position(table, "fallbacks", "secret", &old_name) {
                Some(known) => {
                    list::replace(table, "fallbacks", known, short(old.clone()));
                    staged
                        .into_iter()
                        .for_each(|at| list::remove(table, "fallbacks", at));
                }
                // the two change places, so that a comment above stays above a fallback
                None => match staged {
                    Some(at) => list::replace(table, "fallbacks", at, short(old.clone())),
                    None => list::push(table, "fallbacks", short(old.clone())),
                },
            }
        })
    }

    /// Makes a fallback the current key; the key that was current is none of the ring's any more.
    pub fn put_in_place(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        self.replace_current(ring, key)?;
        self.unlist(ring, key)
    }

    /// Takes a key out of the fallbacks.
    pub fn unlist(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        self.each_list(ring, |table| {
            while let Some(at) = position(table, "fallbacks", "secret", key) {
                list::remove(table, "fallbacks", at);
            }
        })
    }

    /// Takes a key out of those that verify what the origin sets.
    pub fn unlist_origin(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        for path in self.tables(ring)? {
            let origin = self.item(&format!("{path}.origin"));
            if let Some(table) = origin.and_then(Item::as_table_like_mut) {
                while let Some(at) = position(table, "fallbacks", "secret", key) {
                    list::remove(table, "fallbacks", at);
                }
            }
        }
        Ok(())
    }

    /// The key takes the place of the current one, which is answered. What the origin signs with stays.
    fn replace_current(&mut self, ring: Ring<'_>, key: &str) -> Result<InlineTable, Failure> {
        self.refuse_without_origin(ring)?;
        let table = self.table(ring)?;
        let old = self.entry(&table, "current");
        let mut new = self.listed(ring, key)?.unwrap_or_else(|| {
            let mut entry = old.clone();
            entry.remove("allow_weak");
            entry.insert("secret", Value::from(key));
            entry
        });
        new.remove("until");
        new.remove("upgrade");
        if let Some(keys) = self.item(&table).and_then(Item::as_table_like_mut) {
            set(keys, "current", short(new));
        }
        Ok(old)
    }

    /// What the origin signs with is never told by an absence: as `current` moves, it has to be written.
    fn refuse_without_origin(&self, ring: Ring<'_>) -> Result<(), Failure> {
        let value = self.value();
        if of(&Written::of(&value), ring)?.keys.has_origin {
            return Ok(());
        }
        Err(Failure::refused(
            "`keys` does not name the key that the site signs with",
        )
        .hint("write it: origin = \"NAME_OF_THE_SECRET\"; where the site has the current key, name that"))
    }

    /// A fallback as it is written.
    fn listed(&mut self, ring: Ring<'_>, key: &str) -> Result<Option<InlineTable>, Failure> {
        let mut found = None;
        self.each_list(ring, |table| {
            let list = table.get("fallbacks").and_then(entries).unwrap_or_default();
            let listed = list.iter().map(fields);
            found = listed
                .into_iter()
                .find(|entry| named(entry, "secret", key))
                .or(found.take());
        })?;
        Ok(found)
    }

    /// Edits each list of fallbacks that belongs to a ring: its own, and those of rules that only list others.
    fn each_list(
        &mut self,
        ring: Ring<'_>,
        mut edit: impl FnMut(&mut dyn TableLike),
    ) -> Result<(), Failure> {
        self.own_list(ring)?;
        let own = self.table(ring)?;
        for path in self.tables(ring)? {
            let table = self.item(&path).and_then(Item::as_table_like_mut);
            // a rule that lists none goes by the list of all rules
            if let Some(table) = table
                && (path == own || table.contains_key("fallbacks"))
            {
                edit(table);
            }
        }
        Ok(())
    }

    /// A rule that has a current key and no fallbacks of its own goes by those of all: it gets a copy.
    fn own_list(&mut self, ring: Ring<'_>) -> Result<(), Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let ring = of(&written, ring)?;
        if ring.rule.is_none() || ring.table.fallbacks.is_some() {
            return Ok(());
        }
        let shared = self.item(&written.keys.path);
        let shared = shared.and_then(|keys| entries(keys.get("fallbacks")?));
        let own = self.item(&ring.table.path);
        if let Some(keys) = own.and_then(Item::as_table_like_mut) {
            for entry in &shared.unwrap_or_default() {
                list::push(keys, "fallbacks", short(fields(entry)));
            }
        }
        Ok(())
    }

    /// Where the table stands that has a ring's current key.
    fn table(&self, ring: Ring<'_>) -> Result<String, Failure> {
        let value = self.value();
        Ok(of(&Written::of(&value), ring)?.table.path.clone())
    }

    /// Where each table stands that has something of a ring.
    fn tables(&self, ring: Ring<'_>) -> Result<Vec<String>, Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let ring = of(&written, ring)?;
        Ok(ring.tables().map(|keys| keys.path.clone()).collect())
    }

    /// A key as a table with `secret`; an empty one where it is missing.
    fn entry(&mut self, path: &str, field: &str) -> InlineTable {
        let found = self.item(path).and_then(|item| item.get(field));
        found.map(fields).unwrap_or_default()
    }

    /// What stands at a path such as `COUNTERSIGN.cookies[0].keys`.
    fn item(&mut self, path: &str) -> Option<&mut Item> {
        let top = self.document.as_item_mut();
        let own = match &self.environment {
            Some(name) => field(field(top, "env")?, name)?,
            None => top,
        };
        let mut item = field(own, "vars")?;
        for step in steps(path) {
            item = match step.strip_prefix('[') {
                Some(index) => item.get_mut(index.parse::<usize>().ok()?)?,
                None => field(item, step)?,
            };
        }
        Some(item)
    }
}

/// A ring as it is written.
fn of<'w, 'v>(written: &'w Written<'v>, ring: Ring<'_>) -> Result<WrittenRing<'w, 'v>, Failure> {
    let Ring::Of(name) = ring else {
        return Ok(written.shared_ring());
    };
    rule(written, name)?.own_ring().ok_or_else(|| {
        Failure::usage(format!("{name} has no current key of its own"))
            .hint("leave out --rule: it goes by the keys of all rules")
    })
}

/// The rule for a cookie as it is written.
fn rule<'w, 'v>(written: &'w Written<'v>, name: &str) -> Result<&'w WrittenRule<'v>, Failure> {
    written.rule(name).ok_or_else(|| {
        let names: Vec<&str> = written.rules.iter().filter_map(WrittenRule::name).collect();
        Failure::usage(format!("no rule is for a cookie called {name:?}"))
            .hint(format!("there are {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests;
