//! A `keys` table as it is written.

use serde_json::Value;

use crate::config::misplaced;
use crate::crypto::key::{Encoding, KeyId};
use crate::prelude::*;
use crate::settings::{Problems, Table, entries, not_a_key_id};

/// A `keys` table.
#[derive(Clone, Debug, Default)]
pub struct WrittenKeys<'v> {
    /// Where it stands, or would stand.
    pub path: String,
    /// Signs what browsers get.
    pub current: Option<WrittenKey<'v>>,
    /// Open what browsers show as well; none where the list is left out.
    pub fallbacks: Option<Vec<WrittenKey<'v>>>,
    /// The origin's own; none where they are left out, which is wrong: no role is told by an absence.
    pub origin: Option<WrittenOrigin<'v>>,
    /// Whether `current` is written, readable or not.
    pub has_current: bool,
    /// Whether `origin` is.
    pub has_origin: bool,
}

/// The keys of an origin: one, or `{ current = …, fallbacks = […] }` where it is changing its own.
#[derive(Clone, Debug)]
pub struct WrittenOrigin<'v> {
    /// Signs for the origin.
    pub current: WrittenKey<'v>,
    /// Open what the origin sets as well.
    pub fallbacks: Vec<WrittenKey<'v>>,
}

/// A key: the name of a secret, or a table that says more.
#[derive(Clone, Debug)]
pub struct WrittenKey<'v> {
    /// Where it stands.
    pub path: String,
    /// As it stands there.
    pub value: &'v Value,
    /// The name of the secret.
    pub id: KeyId,
    /// How the secret's text becomes the key.
    pub encoding: Encoding,
    /// Whether it may be short.
    pub allow_weak: bool,
    /// Unix seconds from which on it is not tried.
    pub until: Option<u64>,
    /// Whether what it opens is upgraded.
    pub upgrade: bool,
}

impl<'v> WrittenKeys<'v> {
    /// Reads a table; adds what is wrong with it.
    pub(super) fn read(path: String, value: Option<&'v Value>, problems: &Problems) -> Self {
        let table = value.and_then(|value| Some((value, Table::new(&*path, value, problems)?)));
        let Some((value, mut table)) = table else {
            return Self {
                path,
                ..Self::default()
            };
        };
        table.value("current");
        table.value("origin");
        table.list("fallbacks");
        let field = |name: &str| Some((format!("{path}.{name}"), value.get(name)?));
        let current = field("current");
        let current =
            current.and_then(|(path, value)| WrittenKey::read(path, value, false, problems));
        let fallbacks = field("fallbacks");
        let fallbacks =
            fallbacks.map(|(path, value)| WrittenKey::list(&path, Some(value), true, problems));
        let origin = field("origin");
        let origin = origin.and_then(|(path, value)| WrittenOrigin::read(path, value, problems));
        let (has_current, has_origin) = (table.has("current"), table.has("origin"));
        table.finish_with(misplaced::in_keys);
        Self {
            path,
            current,
            fallbacks,
            origin,
            has_current,
            has_origin,
        }
    }

    /// A rule's own keys, with those of all rules where it has none.
    pub(super) fn over(&self, shared: &Self) -> Self {
        let own = self.clone();
        Self {
            path: own.path,
            current: own.current.or_else(|| shared.current.clone()),
            fallbacks: own.fallbacks.or_else(|| shared.fallbacks.clone()),
            origin: own.origin.or_else(|| shared.origin.clone()),
            has_current: own.has_current || shared.has_current,
            has_origin: own.has_origin || shared.has_origin,
        }
    }

    /// The fallbacks, of which there may be none.
    pub fn fallbacks(&self) -> &[WrittenKey<'v>] {
        self.fallbacks.as_deref().unwrap_or_default()
    }

    /// The keys that the origin verifies with.
    pub fn origin_keys(&self) -> impl Iterator<Item = &WrittenKey<'v>> {
        self.origin.iter().flat_map(WrittenOrigin::all)
    }

    /// Every key.
    pub fn all(&self) -> impl Iterator<Item = &WrittenKey<'v>> {
        let ring = self.current.iter().chain(self.fallbacks());
        ring.chain(self.origin_keys())
    }

    /// Whether a key signs what browsers get.
    pub fn is_current(&self, id: &KeyId) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.id == *id)
    }

    /// Whether the origin verifies with a key.
    pub fn is_origins(&self, id: &KeyId) -> bool {
        self.origin_keys().any(|origin| origin.id == *id)
    }
}

impl<'v> WrittenOrigin<'v> {
    fn read(path: String, value: &'v Value, problems: &Problems) -> Option<Self> {
        let has = |field: &str| value.get(field).is_some();
        let is_one = has("secret") && !has("current") && !has("fallbacks");
        if is_one || !value.is_object() {
            return Some(Self {
                current: WrittenKey::read(path, value, false, problems)?,
                fallbacks: Vec::new(),
            });
        }
        let mut table = Table::new(&*path, value, problems)?;
        table.value("current");
        table.list("fallbacks");
        if !table.has("current") {
            table.missing("current", "name the secret that the origin signs with");
        }
        let current = value
            .get("current")
            .and_then(|value| WrittenKey::read(table.path("current"), value, false, problems));
        let path = table.path("fallbacks");
        table.finish();
        let fallbacks = WrittenKey::list(&path, value.get("fallbacks"), false, problems);
        Some(Self {
            current: current?,
            fallbacks,
        })
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &WrittenKey<'v>> {
        core::iter::once(&self.current).chain(&self.fallbacks)
    }
}

impl<'v> WrittenKey<'v> {
    fn read(
        path: String,
        value: &'v Value,
        is_fallback: bool,
        problems: &Problems,
    ) -> Option<Self> {
        if let Value::String(text) = value {
            let Some(id) = KeyId::parse(text) else {
                problems.add(path, not_a_key_id());
                return None;
            };
            return Some(Self {
                path,
                value,
                id,
                encoding: Encoding::Utf8,
                allow_weak: false,
                until: None,
                upgrade: true,
            });
        }
        let mut table = Table::new(&*path, value, problems)?;
        let id = table.key_id("secret");
        if !table.has("secret") {
            table.missing("secret", "name the secret that holds the key");
        }
        let encoding = table.choice("encoding", ENCODINGS);
        let allow_weak = table.flag("allow_weak");
        let (until, upgrade) = if is_fallback {
            (table.time("until"), table.flag("upgrade"))
        } else {
            (None, None)
        };
        table.finish();
        Some(Self {
            path,
            value,
            id: id?,
            encoding: encoding.unwrap_or(Encoding::Utf8),
            allow_weak: allow_weak.unwrap_or_default(),
            until,
            upgrade: upgrade.unwrap_or(true),
        })
    }

    /// The entries of a list. Of several that make the same fallback the first counts.
    fn list(
        path: &str,
        value: Option<&'v Value>,
        is_fallback: bool,
        problems: &Problems,
    ) -> Vec<Self> {
        let mut list: Vec<Self> = Vec::new();
        for (path, value) in entries(path, value) {
            let Some(key) = Self::read(path, value, is_fallback, problems) else {
                continue;
            };
            match list.iter().find(|known| is_fallback && known.is_same(&key)) {
                Some(known) => {
                    problems.add(&key.path, format!("{} names it too", known.path));
                }
                None => list.push(key),
            }
        }
        list
    }

    /// Whether both make the same key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.encoding == other.encoding
    }

    /// Until when it opens, as it is written.
    pub fn until_text(&self) -> Option<&'v str> {
        self.value["until"].as_str()
    }
}

const ENCODINGS: &[(&str, Encoding)] = &[
    ("utf8", Encoding::Utf8),
    ("base64", Encoding::Base64),
    ("hex", Encoding::Hex),
];
