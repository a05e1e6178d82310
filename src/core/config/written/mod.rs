//! The configuration as it is written: what each field of `keys` and `cookies` says and where it stands, which keys
//! a rule goes by, and to which ring a key belongs.
//!
//! Nothing is refused here. What cannot be read is absent, and is a problem for who asks: the Worker refuses it
//! ([`Policy::parse`](super::Policy::parse)); `check`, the editing of wrangler.toml and `status` go on without it.

use serde_json::Value;

use crate::crypto::key::KeyId;
use crate::formats;
use crate::prelude::*;
use crate::settings::{Problems, entries, time};

mod keys;
mod ring;

pub use keys::{WrittenKey, WrittenKeys, WrittenOrigin};
pub use ring::WrittenRing;

/// The variable `COUNTERSIGN`.
#[derive(Clone, Debug)]
pub struct Written<'v> {
    value: &'v Value,
    /// The keys of all rules that have none of their own.
    pub keys: WrittenKeys<'v>,
    /// The entries of `cookies`.
    pub rules: Vec<WrittenRule<'v>>,
}

/// An entry of `cookies`.
#[derive(Clone, Debug)]
pub struct WrittenRule<'v> {
    /// Where it stands: `COUNTERSIGN.cookies[0]`.
    pub path: String,
    /// The whole table.
    pub value: &'v Value,
    /// The keys that it goes by: what its own `keys` leave out is that of all rules.
    pub keys: WrittenKeys<'v>,
    /// Its own `keys`, where it has some.
    pub own_keys: Option<WrittenKeys<'v>>,
}

/// A secret that is named somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSecret {
    /// Where.
    pub path: String,
    /// Its name.
    pub id: KeyId,
}

/// A format with its options.
#[derive(Clone, Debug)]
pub struct WrittenFormat<'v> {
    /// Where it stands.
    pub path: String,
    /// The table that it stands in, perhaps among other fields.
    pub value: &'v Value,
}

impl<'v> Written<'v> {
    /// What is written, whatever else is wrong.
    pub fn of(value: &'v Value) -> Self {
        Self::read(value, &Problems::default())
    }

    /// The same; adds what is wrong with the `keys` tables.
    pub(super) fn read(value: &'v Value, problems: &Problems) -> Self {
        let path = "COUNTERSIGN.keys".to_owned();
        let keys = WrittenKeys::read(path, value.get("keys"), problems);
        let rules = entries("COUNTERSIGN.cookies", value.get("cookies")).into_iter();
        let rules = rules.map(|(path, value)| WrittenRule::read(path, value, &keys, problems));
        Self {
            value,
            rules: rules.collect(),
            keys,
        }
    }

    /// Whether it asks to observe, and no rule to enforce.
    pub fn only_observes(&self) -> bool {
        let enforces = |rule: &Value| rule["mode"] == "enforce";
        let some_enforces = match &self.value["cookies"] {
            Value::Array(rules) => rules.iter().any(enforces),
            other => enforces(other),
        };
        self.value["mode"] == "observe" && !some_enforces
    }

    /// The origin's address, where the Worker has no route to it.
    pub fn origin_url(&self) -> Option<&'v str> {
        self.value["origin_url"].as_str()
    }

    /// The rule for a cookie.
    pub fn rule(&self, name: &str) -> Option<&WrittenRule<'v>> {
        self.rules.iter().find(|rule| rule.name() == Some(name))
    }

    /// The keys of all rules, then those of each rule that has some of its own, complete.
    pub fn each_keys(&self) -> impl Iterator<Item = &WrittenKeys<'v>> {
        let own = self.rules.iter().filter(|rule| rule.own_keys.is_some());
        core::iter::once(&self.keys).chain(own.map(|rule| &rule.keys))
    }

    /// Every secret that is named, each where it is named first.
    pub fn secrets(&self) -> Vec<NamedSecret> {
        let keys = self.each_keys().flat_map(WrittenKeys::all);
        let keys = keys.map(|key| (key.path.as_str(), key.id.clone()));
        let header = self.value["origin_header"]["secret"].as_str();
        let header = header.and_then(KeyId::parse);
        let header = header.map(|id| ("COUNTERSIGN.origin_header", id));
        let mut all: Vec<NamedSecret> = Vec::new();
        for (path, id) in keys.chain(header) {
            if !all.iter().any(|known| known.id == id) {
                let path = path.to_owned();
                all.push(NamedSecret { path, id });
            }
        }
        all
    }
}

impl<'v> WrittenRule<'v> {
    fn read(path: String, value: &'v Value, shared: &WrittenKeys<'v>, problems: &Problems) -> Self {
        let own = value.get("keys");
        let own_keys =
            own.map(|own| WrittenKeys::read(format!("{path}.keys"), Some(own), problems));
        Self {
            path,
            value,
            keys: own_keys
                .as_ref()
                .map_or_else(|| shared.clone(), |own| own.over(shared)),
            own_keys,
        }
    }

    /// The cookie's name.
    pub fn name(&self) -> Option<&'v str> {
        self.value["name"].as_str()
    }

    /// The attributes of an upgrade.
    pub fn attributes(&self) -> Option<&'v str> {
        self.value["attributes"].as_str()
    }

    /// What browsers' copies are sealed in.
    pub fn format(&self) -> WrittenFormat<'v> {
        WrittenFormat {
            path: self.path.clone(),
            value: self.value,
        }
    }

    /// What the origin's copies are sealed in, where it is written; else it is [`Self::format`], options and all.
    pub fn origin_format(&self) -> Option<WrittenFormat<'v>> {
        Some(WrittenFormat {
            path: format!("{}.origin", self.path),
            value: self.value.get("origin")?,
        })
    }

    /// The further formats that browsers' copies may be in.
    pub fn accept(&self) -> Vec<WrittenFormat<'v>> {
        let path = format!("{}.accept", self.path);
        let accepted = entries(&path, self.value.get("accept")).into_iter();
        accepted
            .map(|(path, value)| WrittenFormat { path, value })
            .collect()
    }
}

impl<'v> WrittenFormat<'v> {
    /// Its name.
    pub fn name(&self) -> Option<&'v str> {
        self.value["format"].as_str()
    }

    /// Unix seconds from which on it is no longer accepted.
    pub fn until(&self) -> Option<u64> {
        time(self.until_text()?)
    }

    /// The same as it is written.
    pub fn until_text(&self) -> Option<&'v str> {
        self.value["until"].as_str()
    }

    /// `format` and its options, without the fields beside them.
    pub fn to_value(&self) -> Value {
        let description = self.name().and_then(formats::description);
        let options = description.map_or(&[][..], |description| description.options);
        let is_its_own =
            |field: &str| field == "format" || options.iter().any(|option| option.name == field);
        let fields = self.value.as_object().into_iter().flatten();
        let own = fields.filter(|(field, _)| is_its_own(field));
        Value::Object(
            own.map(|(field, value)| (field.clone(), value.clone()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests;
