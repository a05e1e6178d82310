//! Edits the configuration in place: the keys of a ring and the formats of a rule move, and every comment, the
//! order and the layout of all else stay.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use countersign_core::config::Policy;
use countersign_core::config::written::{Written, WrittenRing, WrittenRule};
use countersign_core::operations::capabilities::Capabilities;
use serde_json::Value as Json;

use crate::project::config::Environment;
use crate::project::document::edit::{Edit, TableChange, long};
use crate::project::document::node::Node;
use crate::project::document::path::{Step, follow, steps};
use crate::project::document::{Syntax, split_mark};
use crate::project::file;
use crate::project::file::cause;
use crate::terminal::answer::Failure;

mod formats;
mod required;

/// A configuration that is being edited, for one environment.
#[derive(Clone)]
pub struct Draft {
    text: String,
    root: Node,
    syntax: Syntax,
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
            .hint(format!(
                "name the environment with --env; each has its own {}",
                environment
                    .syntax()
                    .place(&["env", "NAME", "vars", "COUNTERSIGN"])
            ))
        })
    }

    /// The text of a configuration; none where it cannot be read or has no variable COUNTERSIGN.
    pub fn parse(text: &str, environment: Option<&str>, path: PathBuf) -> Option<Self> {
        let syntax = Syntax::of(&path, text);
        let draft = Self {
            text: text.to_owned(),
            root: syntax.read(split_mark(text).1).ok()?,
            syntax,
            environment: environment.map(str::to_owned),
            path,
            before: text.to_owned(),
        };
        draft.node(VARIABLE)?;
        Some(draft)
    }

    /// The whole file as it is now.
    pub fn text(&self) -> &str {
        &self.text
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
        file::replace(&self.path, self.before.as_bytes(), self.text.as_bytes())
    }

    /// The variable COUNTERSIGN.
    pub fn value(&self) -> Json {
        self.node(VARIABLE).map_or(Json::Null, Node::json)
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
        entry.set("secret", Node::text(key));
        entry.remove("allow_weak");
        for list in self.lists(ring)? {
            self.push(&list, FALLBACKS, short(entry.clone()))?;
        }
        Ok(())
    }

    /// Makes a fallback the current key, and the key that was current a fallback until then.
    pub fn promote(&mut self, ring: Ring<'_>, key: &str, until: &str) -> Result<(), Failure> {
        let mut old = self.replace_current(ring, key)?;
        let old_name = old.get("secret").and_then(Node::as_str);
        let old_name = old_name.unwrap_or_default().to_owned();
        old.remove("allow_weak");
        old.set("until", Node::text(until));
        let entry = short(old);
        for list in self.lists(ring)? {
            let staged = self.position(&list, key);
            match (self.position(&list, &old_name), staged) {
                (Some(known), staged) => {
                    self.replace(&list, FALLBACKS, known, entry.clone())?;
                    if let Some(at) = staged {
                        self.remove_entry(&list, FALLBACKS, at)?;
                    }
                }
                // the two change places, so that a comment above stays above a fallback
                (None, Some(at)) => self.replace(&list, FALLBACKS, at, entry.clone())?,
                (None, None) => self.push(&list, FALLBACKS, entry.clone())?,
            }
        }
        Ok(())
    }

    /// Makes a fallback the current key; the key that was current is none of the ring's any more.
    pub fn put_in_place(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        self.replace_current(ring, key)?;
        self.unlist(ring, key)
    }

    /// Takes a key out of the fallbacks.
    pub fn unlist(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        for list in self.lists(ring)? {
            self.unlist_in(&list, key)?;
        }
        Ok(())
    }

    /// Takes a key out of those that verify what the origin sets.
    pub fn unlist_origin(&mut self, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        for path in self.tables(ring)? {
            self.unlist_in(&format!("{path}.origin"), key)?;
        }
        Ok(())
    }

    fn unlist_in(&mut self, table: &str, key: &str) -> Result<(), Failure> {
        while let Some(at) = self.position(table, key) {
            self.remove_entry(table, FALLBACKS, at)?;
        }
        Ok(())
    }

    /// The key takes the place of the current one, which is answered. What the origin signs with stays.
    fn replace_current(&mut self, ring: Ring<'_>, key: &str) -> Result<Node, Failure> {
        self.refuse_without_origin(ring)?;
        let table = self.table(ring)?;
        let old = self.entry(&table, "current");
        let mut new = self.listed(ring, key)?.unwrap_or_else(|| {
            let mut entry = old.clone();
            entry.remove("allow_weak");
            entry.set("secret", Node::text(key));
            entry
        });
        new.remove("until");
        new.remove("upgrade");
        self.set(&table, "current", short(new))?;
        Ok(old)
    }

    /// What the origin signs with is never told by an absence: as `current` moves, it has to be written.
    fn refuse_without_origin(&self, ring: Ring<'_>) -> Result<(), Failure> {
        let value = self.value();
        if of(&Written::of(&value), ring)?.keys.has_origin {
            return Ok(());
        }
        Err(
            Failure::refused("`keys` does not name the key that the site signs with").hint(
                format!(
                    "write it: {}; where the site has the current key, name that",
                    self.syntax
                        .setting("origin", &Json::from("NAME_OF_THE_SECRET"))
                ),
            ),
        )
    }

    /// A fallback as it is written.
    fn listed(&mut self, ring: Ring<'_>, key: &str) -> Result<Option<Node>, Failure> {
        let lists = self.lists(ring)?;
        let found = lists.iter().rev().find_map(|list| {
            let at = self.position(list, key)?;
            self.node(list)?.get(FALLBACKS)?.entries().get(at)
        });
        Ok(found.map(long))
    }

    /// Each table whose list of fallbacks belongs to a ring: its own, and those of rules that only list others.
    fn lists(&mut self, ring: Ring<'_>) -> Result<Vec<String>, Failure> {
        self.own_list(ring)?;
        let own = self.table(ring)?;
        let mut tables = self.tables(ring)?;
        tables.retain(|path| {
            let table = self.node(path).filter(|table| table.is_table());
            // a rule that lists none goes by the list of all rules
            table.is_some_and(|table| *path == own || table.get(FALLBACKS).is_some())
        });
        Ok(tables)
    }

    /// A rule that has a current key and no fallbacks of its own goes by those of all: it gets a copy.
    fn own_list(&mut self, ring: Ring<'_>) -> Result<(), Failure> {
        let value = self.value();
        let written = Written::of(&value);
        let ring = of(&written, ring)?;
        if ring.rule.is_none() || ring.table.fallbacks.is_some() {
            return Ok(());
        }
        let shared = self.node(&written.keys.path);
        let shared = shared.and_then(|keys| keys.get(FALLBACKS));
        let shared = shared.map_or(&[][..], Node::entries).to_vec();
        for entry in &shared {
            self.push(&ring.table.path, FALLBACKS, short(long(entry)))?;
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
    fn entry(&self, path: &str, field: &str) -> Node {
        let found = self.node(path).and_then(|table| table.get(field));
        found.map_or_else(|| Node::table([]), long)
    }

    /// Which entry of a list of fallbacks is a key.
    fn position(&self, table: &str, key: &str) -> Option<usize> {
        let entries = self.node(table)?.get(FALLBACKS)?.entries();
        let is_it = |entry| long(entry).get("secret").and_then(Node::as_str) == Some(key);
        entries.iter().position(is_it)
    }

    fn set(&mut self, table: &str, field: &str, node: Node) -> Result<(), Failure> {
        let field = field.to_owned();
        self.apply(self.path_of(table), TableChange::Set { field, node })
    }

    fn push(&mut self, table: &str, list: &str, entry: Node) -> Result<(), Failure> {
        let list = list.to_owned();
        self.apply(self.path_of(table), TableChange::Push { list, entry })
    }

    fn replace(&mut self, table: &str, list: &str, at: usize, entry: Node) -> Result<(), Failure> {
        let list = list.to_owned();
        let change = TableChange::ReplaceEntry { list, at, entry };
        self.apply(self.path_of(table), change)
    }

    fn remove_entry(&mut self, table: &str, list: &str, at: usize) -> Result<(), Failure> {
        let list = list.to_owned();
        self.apply(self.path_of(table), TableChange::RemoveEntry { list, at })
    }

    fn apply(&mut self, table: Vec<Step>, change: TableChange) -> Result<(), Failure> {
        let edit = Edit { table, change };
        let text = self.syntax.apply(&self.text, &edit);
        let read = text.and_then(|text| {
            let root = self.syntax.read(split_mark(&text).1).ok()?;
            Some((text, root))
        });
        // only tables that are there are edited
        let (text, root) = read.ok_or_else(|| {
            let path = self.path.display();
            Failure::usage(format!("{path} cannot be edited")).hint("edit it by hand")
        })?;
        (self.text, self.root) = (text, root);
        Ok(())
    }

    /// What stands at a path such as `COUNTERSIGN.cookies[0].keys`.
    fn node(&self, path: &str) -> Option<&Node> {
        follow(&self.root, &self.path_of(path))
    }

    /// The same from the top of the file.
    fn path_of(&self, path: &str) -> Vec<Step> {
        let mut full = self.own();
        full.push(Step::field("vars"));
        full.extend(steps(path));
        full
    }

    /// Where the environment stands.
    fn own(&self) -> Vec<Step> {
        let name = self.environment.as_deref();
        let path = name.map(|name| [Step::field("env"), Step::field(name)]);
        path.into_iter().flatten().collect()
    }
}

/// A key of which there is no more to say than its name is a text.
fn short(entry: Node) -> Node {
    match (entry.fields(), entry.get("secret")) {
        ([_], Some(name)) => name.clone(),
        _ => entry,
    }
}

/// The field that lists the keys beside the current one.
const FALLBACKS: &str = "fallbacks";

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
