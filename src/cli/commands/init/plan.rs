//! What is to be written: the keys and the rules, and the configuration that they make.

use countersign_core::config::Policy;
use countersign_core::formats;
use countersign_core::formats::{Configured, FormatProperties};
use countersign_core::settings::{Problems, Table};
use countersign_core::wire::chunks::Chunks;
use serde_json::{Map, Value, json};
use url::Url;
use zeroize::Zeroizing;

use crate::project::site::is_loopback;

/// A Worker in front of a site.
pub struct Plan {
    /// The Worker's name.
    pub worker: String,
    /// The site, where it is known.
    pub site: Option<Url>,
    /// The first is the key of all rules that name no other.
    pub keys: Vec<PlannedKey>,
    pub rules: Vec<PlannedRule>,
}

/// A key, which is current and the site's own: nothing changes for a visitor.
pub struct PlannedKey {
    /// The name of the secret.
    pub secret: String,
    /// How its text becomes the key, where that is not the text itself.
    pub encoding: Option<&'static str>,
    /// None where nobody gave it.
    pub text: Option<Zeroizing<String>>,
}

/// A rule for a cookie.
#[derive(Clone)]
pub struct PlannedRule {
    pub name: String,
    pub format: &'static str,
    /// The format's, where they are not the defaults.
    pub options: Map<String, Value>,
    pub chunks: Option<Chunks>,
    /// In seconds.
    pub max_age_s: Option<u64>,
    pub attributes: String,
    /// What a reader of the rule should know of them.
    pub note: Option<&'static str>,
    /// Which of the plan's keys.
    pub key: usize,
}

/// The format of a rule for a cookie that the site does not sign, until its sealing is staged.
pub const UNSIGNED: &str = "plain";

impl Plan {
    /// Whether the site is on this machine.
    pub fn is_local(&self) -> bool {
        self.site.as_ref().is_some_and(is_loopback)
    }

    /// The variable COUNTERSIGN.
    pub fn configuration(&self) -> Value {
        let mut value = json!({
            "mode": "observe",
            "keys": self.keys.first().map(PlannedKey::ring),
            "cookies": self.rules.iter().map(|rule| self.rule(rule)).collect::<Vec<_>>(),
        });
        if self.is_local() {
            value["reports"] = "all".into();
        }
        value
    }

    fn rule(&self, rule: &PlannedRule) -> Value {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), rule.name.clone().into());
        fields.insert("format".to_owned(), rule.format.into());
        fields.extend(rule.options.clone());
        if rule.format == UNSIGNED {
            fields.insert("accept".to_owned(), json!([]));
            fields.insert("origin".to_owned(), json!({ "format": UNSIGNED }));
        }
        if let Some(chunks) = rule.chunks {
            fields.insert("chunks".to_owned(), chunks.as_str().into());
        }
        if let Some(seconds) = rule.max_age_s {
            fields.insert("max_age".to_owned(), seconds.into());
        }
        fields.insert("attributes".to_owned(), rule.attributes.clone().into());
        if let Some(key) = self.keys.get(rule.key).filter(|_| rule.key > 0) {
            fields.insert("keys".to_owned(), key.ring());
        }
        Value::Object(fields)
    }

    /// The policy that it makes, with placeholders for the keys that nobody gave.
    ///
    /// # Errors
    /// What the Worker would refuse, each with its path and a fix.
    pub fn policy(&self) -> Result<Policy, Vec<String>> {
        let text = |name: &str| {
            let mut named = self.keys.iter().filter(|key| key.secret == name);
            named.find_map(|key| key.text.as_ref().map(|text| text.to_string()))
        };
        let policy = Policy::parse_with_placeholders(&self.configuration(), &text);
        policy.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }
}

impl PlannedKey {
    fn ring(&self) -> Value {
        let key = match self.encoding {
            Some(encoding) => json!({ "secret": self.secret, "encoding": encoding }),
            None => json!(self.secret),
        };
        json!({ "current": key, "origin": key })
    }
}

/// What is known of a format with its options; none where it cannot be read.
pub fn properties(format: &str, options: &Map<String, Value>) -> Option<FormatProperties> {
    let mut fields = options.clone();
    fields.insert("format".to_owned(), format.into());
    let (fields, problems) = (Value::Object(fields), Problems::default());
    let read: Option<Configured> =
        Table::new("", &fields, &problems).and_then(|mut table| formats::read(&mut table));
    Some(read?.properties())
}
