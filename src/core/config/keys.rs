//! Reads the `keys` tables, and the secrets that they name.

use core::cell::RefCell;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::crypto::key::{Encoding, Key, KeyId, OriginKeys, Ring, RingKey};
use crate::prelude::*;
use crate::settings::{NOT_A_KEY_ID, Problems, Table};
use crate::wire::encoding::{from_hex, from_pasted_base64};

/// The least length of a key in bytes where its format prescribes none.
pub const STRONG: usize = 32;

/// The text of secrets by name. A secret that is missing is reported once.
pub struct Secrets<'a> {
    text: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a secret that is missing is one that is not known here.
    has_placeholders: bool,
    problems: &'a Problems,
    missing: RefCell<Vec<KeyId>>,
    /// By name, each with the path where it was found; a map would bring a second kind of tree along.
    notes: RefCell<Vec<(KeyId, Unwise, String)>>,
}

/// What is unwise of a secret, and not refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unwise {
    Weak,
    /// The newline counts: the text is the key.
    EndsInNewline,
    /// The white space does not count.
    HasSpaceAround,
}

/// The `keys` table as it is written: the global one, or what a rule puts in its place.
#[derive(Clone, Default)]
pub struct Entries {
    current: Option<Entry>,
    fallbacks: Option<Vec<Entry>>,
    origin: Option<(Entry, Vec<Entry>)>,
    /// Whether `current` is written, readable or not.
    has_current: bool,
    /// Whether `origin` is.
    has_origin: bool,
}

/// What is written of one key.
#[derive(Clone)]
struct Entry {
    path: String,
    id: KeyId,
    encoding: Encoding,
    allow_weak: bool,
    until: Option<u64>,
    upgrade: bool,
}

const ENCODINGS: &[(&str, Encoding)] = &[
    ("utf8", Encoding::Utf8),
    ("base64", Encoding::Base64),
    ("hex", Encoding::Hex),
];

/// A rule's keys, and whether its current key may be short.
pub struct Keys {
    pub ring: Ring,
    pub origin: OriginKeys,
    pub allow_weak: bool,
    /// Where the current key is named.
    pub current_path: String,
}

impl<'a> Secrets<'a> {
    pub fn new(
        text: &'a dyn Fn(&str) -> Option<String>,
        has_placeholders: bool,
        problems: &'a Problems,
    ) -> Self {
        Self {
            text,
            has_placeholders,
            problems,
            missing: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    /// A secret's text.
    pub fn text(&self, path: &str, id: &KeyId) -> Option<Zeroizing<String>> {
        match (self.text)(id.as_str()) {
            Some(text) if !text.is_empty() => Some(Zeroizing::new(text)),
            found => {
                let mut missing = self.missing.borrow_mut();
                if !missing.contains(id) {
                    missing.push(id.clone());
                    let fault = match found {
                        Some(_) => "is empty",
                        None => "is not set",
                    };
                    self.problems.add(
                        path,
                        format!("the secret {id} {fault}; set it with `npx wrangler secret put {id}`, and for `wrangler dev` in .dev.vars"),
                    );
                }
                None
            }
        }
    }

    /// Tells what is unwise of the secrets.
    pub fn add_notes(&self, notes: &Problems) {
        for (id, unwise, path) in self.notes.borrow().iter() {
            notes.add(path, unwise.text(id));
        }
    }

    fn note(&self, id: &KeyId, unwise: Unwise, path: &str) {
        let mut notes = self.notes.borrow_mut();
        let found = notes.binary_search_by(|(known, of, _)| (known, of).cmp(&(id, &unwise)));
        if let Err(at) = found {
            notes.insert(at, (id.clone(), unwise, path.to_owned()));
        }
    }

    /// Whether nothing can be said of a secret, since it is not known here.
    pub fn is_unknown(&self, id: &KeyId) -> bool {
        self.has_placeholders && (self.text)(id.as_str()).is_none()
    }

    /// The key, or in place of one that is not known, or that is missing or unreadable, which is reported, a
    /// placeholder: so that all else that is wrong can be found in the same run.
    fn key(&self, entry: &Entry) -> Key {
        let placeholder = || Key::placeholder(entry.id.clone(), entry.encoding);
        if self.is_unknown(&entry.id) {
            return placeholder();
        }
        self.read(entry).unwrap_or_else(placeholder)
    }

    fn read(&self, entry: &Entry) -> Option<Key> {
        let text = self.text(&entry.path, &entry.id)?;
        if let Some(unwise) = Unwise::of(&text, entry.encoding) {
            self.note(&entry.id, unwise, &entry.path);
        }
        let bytes = match entry.encoding {
            Encoding::Utf8 => Some(text.as_bytes().to_vec()),
            Encoding::Base64 => from_pasted_base64(&text),
            Encoding::Hex => from_hex(text.trim()),
        };
        match bytes {
            Some(bytes) => Some(Key::new(entry.id.clone(), bytes).written_in(entry.encoding)),
            None => {
                let id = &entry.id;
                self.problems.add(
                    &entry.path,
                    format!("the secret {id} is not what `encoding` says; leave `encoding` out where the framework uses the text as it is"),
                );
                None
            }
        }
    }

    fn lesser_key(&self, entry: &Entry) -> Key {
        let key = self.key(entry);
        if key.bytes().len() < STRONG && !entry.allow_weak && !key.is_placeholder() {
            self.note(key.id(), Unwise::Weak, &entry.path);
        }
        key
    }
}

impl Unwise {
    /// What is unwise of how a secret's text ends or begins.
    fn of(text: &str, encoding: Encoding) -> Option<Self> {
        let counts = encoding == Encoding::Utf8;
        match () {
            () if counts && text.ends_with('\n') => Some(Self::EndsInNewline),
            () if !counts && text.trim() != text => Some(Self::HasSpaceAround),
            () => None,
        }
    }

    fn text(self, id: &KeyId) -> String {
        match self {
            Self::Weak => format!(
                "{id} has fewer than {STRONG} bytes: what it signs can be forged by guessing it"
            ),
            Self::EndsInNewline => format!(
                "the secret {id} ends with a newline, which counts as part of the key; if the site's key has none, set it again without: `npx wrangler secret put {id}` cuts it off"
            ),
            Self::HasSpaceAround => format!(
                "the secret {id} begins or ends with white space, such as a newline; it does not count as part of the key"
            ),
        }
    }
}

impl Entries {
    /// Reads a `keys` table.
    pub fn read(path: String, value: &Value, problems: &Problems) -> Self {
        let Some(mut table) = Table::new(path, value, problems) else {
            return Self::default();
        };
        let current = table
            .value("current")
            .and_then(|value| Entry::read(table.path("current"), value, false, problems));
        let is_set = table.has("fallbacks");
        let mut fallbacks: Vec<Entry> = Vec::new();
        for (path, value) in table.list("fallbacks") {
            let Some(entry) = Entry::read(path, value, true, problems) else {
                continue;
            };
            match fallbacks.iter().find(|known| known.is_same(&entry)) {
                Some(known) => problems.add(&entry.path, format!("{} names it too", known.path)),
                None => fallbacks.push(entry),
            }
        }
        let fallbacks = is_set.then_some(fallbacks);
        let origin = table
            .value("origin")
            .and_then(|value| read_origin(table.path("origin"), value, problems));
        let (has_current, has_origin) = (table.has("current"), table.has("origin"));
        table.finish();
        Self {
            current,
            fallbacks,
            origin,
            has_current,
            has_origin,
        }
    }

    /// A rule's own entries, with the global ones where it has none.
    pub fn over(self, shared: &Entries) -> Self {
        Self {
            current: self.current.or_else(|| shared.current.clone()),
            fallbacks: self.fallbacks.or_else(|| shared.fallbacks.clone()),
            origin: self.origin.or_else(|| shared.origin.clone()),
            has_current: self.has_current || shared.has_current,
            has_origin: self.has_origin || shared.has_origin,
        }
    }

    /// The keys themselves. A missing `origin` is a problem; the current key takes its place, so that all else
    /// that is wrong can be found in the same run.
    pub fn load(&self, path: &str, secrets: &Secrets<'_>, problems: &Problems) -> Option<Keys> {
        if !self.has_current {
            problems.add(
                format!("{path}.current"),
                "missing; name the secret that signs browsers' cookies",
            );
        }
        if !self.has_origin {
            problems.add(format!("{path}.origin"), self.missing_origin());
        }
        let current_entry = self.current.as_ref()?;
        let current = secrets.key(current_entry);
        let fallbacks = self.fallbacks.iter().flatten();
        let fallbacks = fallbacks.filter(|entry| !entry.is_same(current_entry));
        let origin = match &self.origin {
            None => OriginKeys {
                current: secrets.lesser_key(current_entry),
                fallbacks: Vec::new(),
            },
            Some((current, fallbacks)) => OriginKeys {
                current: secrets.lesser_key(current),
                fallbacks: fallbacks.iter().map(|e| secrets.lesser_key(e)).collect(),
            },
        };
        Some(Keys {
            ring: Ring {
                current,
                fallbacks: fallbacks
                    .map(|entry| RingKey {
                        key: secrets.lesser_key(entry),
                        until: entry.until,
                        upgrade: entry.upgrade,
                    })
                    .collect(),
            },
            origin,
            allow_weak: current_entry.allow_weak,
            current_path: current_entry.path.clone(),
        })
    }
}

impl Entries {
    fn missing_origin(&self) -> String {
        let what = "missing; name the secret that the origin signs with";
        match &self.current {
            Some(current) => format!(
                "{what}; where that is the current key, origin = \"{}\"",
                current.id
            ),
            None => what.to_owned(),
        }
    }
}

impl Entry {
    /// Whether both make the same key.
    fn is_same(&self, other: &Entry) -> bool {
        self.id == other.id && self.encoding == other.encoding
    }

    /// A secret's name, or a table with more to say.
    fn read(path: String, value: &Value, is_fallback: bool, problems: &Problems) -> Option<Self> {
        if let Value::String(text) = value {
            let Some(id) = KeyId::parse(text) else {
                problems.add(path, NOT_A_KEY_ID);
                return None;
            };
            return Some(Self {
                path,
                id,
                encoding: Encoding::Utf8,
                allow_weak: false,
                until: None,
                upgrade: true,
            });
        }
        let mut table = Table::new(path, value, problems)?;
        let id = table.key_id("secret");
        if !table.has("secret") {
            table.missing("secret", "name the secret that holds the key");
        }
        let encoding = table.choice("encoding", ENCODINGS);
        let allow_weak = table.flag("allow_weak");
        let (until, upgrade) = match is_fallback {
            true => (table.time("until"), table.flag("upgrade")),
            false => (None, None),
        };
        let path = table.own_path().to_owned();
        table.finish();
        Some(Self {
            path,
            id: id?,
            encoding: encoding.unwrap_or(Encoding::Utf8),
            allow_weak: allow_weak.unwrap_or_default(),
            until,
            upgrade: upgrade.unwrap_or(true),
        })
    }
}

/// One key, or `{ current = …, fallbacks = […] }` for an origin that is changing its own.
fn read_origin(path: String, value: &Value, problems: &Problems) -> Option<(Entry, Vec<Entry>)> {
    let has = |field: &str| value.get(field).is_some();
    let is_one = has("secret") && !has("current") && !has("fallbacks");
    if is_one || !value.is_object() {
        return Some((Entry::read(path, value, false, problems)?, Vec::new()));
    }
    let mut table = Table::new(path, value, problems)?;
    let current = table
        .value("current")
        .and_then(|value| Entry::read(table.path("current"), value, false, problems));
    if !table.has("current") {
        table.missing("current", "name the secret that the origin signs with");
    }
    let fallbacks = table
        .list("fallbacks")
        .into_iter()
        .filter_map(|(path, value)| Entry::read(path, value, false, problems))
        .collect();
    table.finish();
    Some((current?, fallbacks))
}
