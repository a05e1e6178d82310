//! What must hold of every configuration: it is accepted or every problem is told, and no key is.

use arbitrary::Arbitrary;
use countersign_core::config::Policy;
use countersign_core::config::written::Written;
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::losses;
use serde_json::{Map, Value, json};

/// A configuration: the words of the fields and of the formats in any place, and any JSON.
#[derive(Arbitrary, Debug)]
pub struct ConfigurationCase {
    keys: Node,
    rules: Vec<(u8, Vec<(u8, Node)>)>,
    more: Vec<(u8, Node)>,
    /// Whether each secret is set, short, or missing.
    secrets: u8,
}

#[derive(Arbitrary, Debug)]
enum Node {
    Null,
    Flag(bool),
    Number(i64),
    Float(f64),
    Word(u8),
    Text(crate::message::Text),
    List(Vec<Node>),
    Table(Vec<(u8, Node)>),
}

const WORDS: [&str; 64] = [
    "keys",
    "current",
    "fallbacks",
    "origin",
    "secret",
    "encoding",
    "until",
    "upgrade",
    "allow_weak",
    "cookies",
    "name",
    "format",
    "accept",
    "max_age",
    "leeway",
    "attributes",
    "on_invalid",
    "look_alikes",
    "chunks",
    "mode",
    "unsafe_open",
    "reports",
    "hosts",
    "origin_url",
    "origin_header",
    "observe",
    "enforce",
    "base64",
    "hex",
    "utf8",
    "NEW",
    "OLD",
    "ORIGIN",
    "Path=/; HttpOnly",
    "Path=/; Max-Age=60; Secure",
    "sessionid",
    "user_id",
    "django-session",
    "keygrip",
    "jwt",
    "plain",
    "sealed",
    "iron",
    "laravel",
    "rails-signed",
    "tornado",
    "salt",
    "digest",
    "sha1",
    "sha256",
    "kid",
    "alg",
    "prefix",
    "HS256",
    "strip",
    "reject",
    "forward",
    "always",
    "never",
    "auth.js",
    "h3",
    "2027-02-01T00:00:00Z",
    "31d",
    "navigation",
];
const SHORT: &str = "k3y.sh0rt";
const KEY: &str = "a-key-that-nobody-may-read-in-an-error-0123456789";

impl Node {
    fn json(&self, depth: usize) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => (*number).into(),
            Self::Float(number) => json!(number),
            Self::Word(word) => word_of(*word).into(),
            Self::Text(text) => text.text().into(),
            Self::List(nodes) if depth < 5 => nodes
                .iter()
                .take(6)
                .map(|node| node.json(depth + 1))
                .collect(),
            Self::Table(fields) if depth < 5 => table(fields, depth + 1).into(),
            Self::List(_) | Self::Table(_) => Value::Null,
        }
    }
}

fn word_of(word: u8) -> &'static str {
    WORDS[usize::from(word) % WORDS.len()]
}

fn table(fields: &[(u8, Node)], depth: usize) -> Map<String, Value> {
    let fields = fields.iter().take(10);
    fields
        .map(|(name, node)| (word_of(*name).to_owned(), node.json(depth)))
        .collect()
}

impl ConfigurationCase {
    fn json(&self) -> Value {
        let rules = self.rules.iter().take(4).map(|(format, fields)| {
            let mut rule = json!({
                "name": if format % 2 == 0 { "sessionid" } else { "user_id" },
                "format": word_of(37 + format % 9),
                "attributes": "Path=/; HttpOnly",
            });
            for (name, value) in table(fields, 1) {
                rule[name] = value;
            }
            rule
        });
        let current = match self.secrets >> 6 {
            0 => json!({"secret": "NEW", "encoding": "hex"}),
            1 => json!({"secret": "NEW", "encoding": "base64"}),
            _ => json!("NEW"),
        };
        let mut keys = json!({"current": current, "fallbacks": ["OLD"], "origin": "ORIGIN"});
        if let Value::Object(other) = self.keys.json(0) {
            for (name, value) in other {
                keys[name] = value;
            }
        }
        let mut config = json!({ "keys": keys, "cookies": rules.collect::<Vec<_>>() });
        for (name, value) in table(&self.more, 0) {
            config[name] = value;
        }
        config
    }

    fn secret(&self, name: &str) -> Option<String> {
        let at = ["NEW", "OLD", "ORIGIN"]
            .iter()
            .position(|known| *known == name)?;
        match self.secrets >> (2 * at) & 3 {
            0 => None,
            1 => Some(SHORT.to_owned()),
            _ => Some(format!("{name}-{KEY}")),
        }
    }
}

/// Reads it, and holds the rules against what comes of it.
pub fn check(case: &ConfigurationCase) {
    let config = case.json();
    let _ = Written::of(&config);
    match Policy::parse(&config, &|name| case.secret(name)) {
        Ok(policy) => {
            let own = Capabilities::of(&policy, &|_| None);
            let lost = losses(&own, &own, crate::site::NOW);
            assert!(
                lost.is_empty(),
                "a configuration loses something to itself: {config}"
            );
            let shown = format!("{policy:?}");
            let is_told = shown.contains(KEY) || shown.contains(SHORT);
            assert!(!is_told, "Debug shows a key");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason: {config}");
            for problem in &problems {
                let told = format!("{problem} {problem:?}");
                let is_told = told.contains(KEY) || told.contains(SHORT);
                assert!(!is_told, "a key is told: {problem}");
            }
        }
    }
}
