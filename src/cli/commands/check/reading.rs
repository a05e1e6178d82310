//! The configuration as far as it can be read, so that one mistake does not hide the others.

use chrono::DateTime;
use countersign_core::crypto::key::KeyId;
use serde_json::Value;

/// What could be read of the variable COUNTERSIGN.
pub struct Reading {
    pub cookies: Vec<Cookie>,
    /// The keys of all rules, then those of rules that have their own.
    pub tables: Vec<Keys>,
    /// The secret of `origin_header`.
    pub header: Option<Named>,
}

/// An entry of `cookies`.
pub struct Cookie {
    pub path: String,
    pub name: String,
    pub format: String,
    pub attributes: Option<String>,
    pub accept: Vec<Accepted>,
}

/// An entry of `accept`.
pub struct Accepted {
    pub path: String,
    pub format: String,
    pub until: Option<u64>,
}

/// A `keys` table; what a rule's own leaves out is that of all rules.
#[derive(Clone, Default)]
pub struct Keys {
    pub current: Option<Named>,
    pub fallbacks: Vec<Named>,
    /// None where it is left out, which is wrong: no role is told by an absence.
    pub origin: Option<Vec<Named>>,
}

/// A key as it is named.
#[derive(Clone)]
pub struct Named {
    pub path: String,
    pub id: KeyId,
    pub until: Option<u64>,
}

impl Reading {
    pub fn of(value: &Value) -> Self {
        let entries = list(&value["cookies"]);
        let entries = || {
            (0..)
                .zip(entries)
                .map(|(at, entry)| (format!("COUNTERSIGN.cookies[{at}]"), entry))
        };
        let shared = Keys::read("COUNTERSIGN.keys", &value["keys"], &Keys::default());
        let own = entries().filter(|(_, entry)| entry["keys"].is_object());
        let own =
            own.map(|(path, entry)| Keys::read(&format!("{path}.keys"), &entry["keys"], &shared));
        let own: Vec<Keys> = own.collect();
        Self {
            cookies: entries()
                .map(|(path, entry)| Cookie::read(path, entry))
                .collect(),
            tables: std::iter::once(shared).chain(own).collect(),
            header: Named::read(
                "COUNTERSIGN.origin_header".to_owned(),
                &value["origin_header"],
            ),
        }
    }

    /// Every secret that is named, once.
    pub fn secrets(&self) -> Vec<&Named> {
        let mut all: Vec<&Named> = Vec::new();
        let keys = self.tables.iter().flat_map(Keys::all).chain(&self.header);
        for named in keys {
            if !all.iter().any(|known| known.id == named.id) {
                all.push(named);
            }
        }
        all
    }

    /// Whether some cookie is Django's.
    pub fn has_django(&self) -> bool {
        self.cookies
            .iter()
            .any(|cookie| cookie.format.starts_with("django-"))
    }
}

impl Cookie {
    fn read(path: String, value: &Value) -> Self {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let accept = (0..)
            .zip(list(&value["accept"]))
            .map(|(at, entry)| Accepted {
                path: format!("{path}.accept[{at}]"),
                format: entry["format"].as_str().unwrap_or_default().to_owned(),
                until: time(&entry["until"]),
            });
        Self {
            name: text("name").unwrap_or_default(),
            format: text("format").unwrap_or_default(),
            attributes: text("attributes"),
            accept: accept.collect(),
            path,
        }
    }
}

impl Keys {
    fn read(path: &str, value: &Value, shared: &Keys) -> Self {
        let origin = &value["origin"];
        let changing = origin["current"].is_null().then_some(origin);
        let changing = changing.is_none().then(|| {
            let path = format!("{path}.origin");
            let current = Named::read(format!("{path}.current"), &origin["current"]);
            let fallbacks = Named::list(&format!("{path}.fallbacks"), &origin["fallbacks"]);
            current.into_iter().chain(fallbacks).collect()
        });
        let one = || Named::read(format!("{path}.origin"), origin).map(|named| vec![named]);
        let fallbacks = match value["fallbacks"].is_null() {
            true => shared.fallbacks.clone(),
            false => Named::list(&format!("{path}.fallbacks"), &value["fallbacks"]),
        };
        let current = Named::read(format!("{path}.current"), &value["current"]);
        Self {
            current: current.or_else(|| shared.current.clone()),
            fallbacks,
            origin: changing.or_else(one).or_else(|| shared.origin.clone()),
        }
    }

    /// Every key of it.
    pub fn all(&self) -> impl Iterator<Item = &Named> {
        let origin = self.origin.iter().flatten();
        self.current.iter().chain(&self.fallbacks).chain(origin)
    }

    /// Whether the origin verifies with it.
    pub fn is_origins(&self, key: &Named) -> bool {
        let mut origin = self.origin.iter().flatten();
        origin.any(|origin| origin.id == key.id)
    }

    /// Whether it signs what browsers get.
    pub fn is_current(&self, key: &Named) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.id == key.id)
    }
}

impl Named {
    fn read(path: String, value: &Value) -> Option<Self> {
        let text = value.as_str().or_else(|| value["secret"].as_str())?;
        Some(Self {
            path,
            id: KeyId::parse(text)?,
            until: time(&value["until"]),
        })
    }

    fn list(path: &str, value: &Value) -> Vec<Self> {
        let entries = (0..).zip(list(value));
        let named = entries.map(|(at, entry)| Named::read(format!("{path}[{at}]"), entry));
        named.flatten().collect()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// RFC 3339, in Unix seconds.
fn time(value: &Value) -> Option<u64> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    u64::try_from(time.timestamp()).ok()
}
