//! What the live Worker answers, as its status endpoint writes it.

use countersign_core::gate::inspection::{Fate, Inspection};
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::status_reply;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// What the Worker says of itself. A field that its release does not have is left out or null.
pub struct StatusReply {
    /// As the Worker sent it.
    pub json: Value,
    /// The fields that this program reads.
    pub fields: StatusFields,
}

/// The fields of a status that this program reads.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct StatusFields {
    /// The present, in Unix seconds.
    pub now: Option<u64>,
    pub mode: Option<String>,
    pub version: VersionMetadata,
    /// What is wrong with the configuration.
    pub problems: Vec<Remark>,
    /// What is unwise in it.
    pub notes: Vec<Remark>,
    /// The variable COUNTERSIGN.
    pub configuration: Value,
}

/// What a version says of itself.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct VersionMetadata {
    pub id: Option<String>,
    pub tag: Option<String>,
    /// When it was made.
    pub timestamp: Option<String>,
}

/// A text, or one with the path that it is about.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Remark {
    Text(String),
    AtPath { path: Option<String>, text: String },
}

/// What the gate does with a cookie: as the status endpoint says it, and as `inspect --json` does.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct InspectionReply {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fate: Option<String>,
    /// The key that signs what the site gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resealed_with: Option<String>,
    /// The key that opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// Until when the key opens, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// When it was signed, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// From when on it counts, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Until when it counts, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_ms: Option<u64>,
    /// Whether it has the shape of a format of its rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fits: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgraded: Option<bool>,
    /// What a Worker of another release says beside.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Why a cookie was not looked at.
#[derive(Deserialize)]
pub struct ErrorReply {
    pub error: String,
}

impl StatusReply {
    /// None where it is not what a status endpoint answers.
    pub fn parse(text: &str) -> Option<Self> {
        let json: Value = harmless::json(text)?;
        let fields = json.is_object().then(|| StatusFields::deserialize(&json));
        Some(Self {
            fields: fields?.ok()?,
            json,
        })
    }

    /// What the Worker of a site seals and opens.
    ///
    /// # Errors
    /// Its configuration is wrong, or one that this program cannot read.
    pub fn capabilities(&self, site: &str) -> Result<Capabilities, Failure> {
        if self.is_wrong() {
            return Err(
                Failure::refused(format!("the configuration of {site} is wrong"))
                    .hint("countersign status says what is wrong with it"),
            );
        }
        status_reply::capabilities(&self.json).map_err(|what| {
            Failure::unreachable(format!(
                "this program cannot read the configuration of {site}: {what}"
            ))
            .hint("take the countersign of the release that is deployed there")
        })
    }

    /// Whether its configuration is wrong.
    pub fn is_wrong(&self) -> bool {
        !self.fields.problems.is_empty()
    }
}

impl Remark {
    /// For people.
    pub fn to_line(&self) -> String {
        match self {
            Self::Text(text) | Self::AtPath { path: None, text } => text.clone(),
            Self::AtPath {
                path: Some(path),
                text,
            } => format!("{path}: {text}"),
        }
    }
}

impl InspectionReply {
    /// Whether the gate opens it.
    pub fn is_opened(&self) -> bool {
        let verdict = self.verdict.as_deref();
        matches!(verdict, Some("current" | "fallback" | "accepted-format"))
    }

    /// Whether it reaches the site.
    pub fn passes(&self) -> bool {
        matches!(self.fate.as_deref(), Some("resealed" | "unchanged"))
    }
}

impl From<&Inspection> for InspectionReply {
    fn from(inspection: &Inspection) -> Self {
        let mut reply = Self {
            rule: inspection.rule.clone(),
            verdict: inspection
                .verdict
                .map(|verdict| verdict.as_str().to_owned()),
            fate: Some(inspection.fate.as_str().to_owned()),
            fits: Some(inspection.fits),
            upgraded: Some(inspection.is_upgraded),
            ..Self::default()
        };
        if let Fate::Resealed(key) = &inspection.fate {
            reply.resealed_with = key.as_ref().map(ToString::to_string);
        }
        if let Some(opened) = &inspection.opened {
            reply.key = opened.key.as_ref().map(ToString::to_string);
            reply.role = Some(opened.role.as_str().to_owned());
            reply.format = Some(opened.format.to_owned());
            reply.accepted = Some(opened.is_accepted);
            reply.until = opened.until;
            reply.time = opened.time_s;
            reply.age = opened.age_s;
            reply.not_before = opened.not_before_s;
            reply.expiry_ms = opened.expiry_ms;
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::config::Policy;
    use countersign_core::formats::Content;
    use countersign_core::operations::status::{Status, Token, inspect_text};
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_795_262_400;

    fn policy() -> Policy {
        let config = json!({
            "keys": { "current": "KEY_1", "fallbacks": ["KEY_0"], "origin": "KEY_0" },
            "cookies": [{
                "name": "theme",
                "format": "cookie-signature",
                "attributes": "Path=/; HttpOnly; Secure; SameSite=Lax",
                "accept": [{ "format": "django-signed-cookie", "until": "2027-02-01T00:00:00Z" }],
            }],
        });
        let secret = |name: &str| Some(format!("{name}-9f1cT7q#zLw0pV5e!xR2bK8dm4Yh6Gs3"));
        Policy::parse_with_placeholders(&config, &secret).unwrap()
    }

    #[test]
    fn this_program_says_of_a_cookie_what_the_worker_says() {
        let policy = policy();
        let token = Token::new(&"t".repeat(32)).unwrap();
        let status = Status {
            token: &token,
            policy: Some(&policy),
            configuration: "null",
            problems: &[],
            passes: false,
            version: Vec::new(),
            now: NOW,
        };
        let spec = &policy.rules[0].spec;
        let keyed = spec.format.keyed("theme", &spec.ring.current).unwrap();
        let content = Content::of(b"dark".as_slice());
        let sealed = format!("theme={}", keyed.seal(&content, |_| {}).unwrap());
        let found = inspect_text(&policy, &sealed, NOW).unwrap();
        assert!(found.opened.is_some(), "{found:?}");
        for cookie in [
            &sealed,
            "theme=dark",
            "theme=s:dark.c2lnbmF0dXJl",
            "other=1",
        ] {
            let own = InspectionReply::from(&inspect_text(&policy, cookie, NOW).unwrap());
            let sent: Value = serde_json::from_str(&status.reply("POST", cookie).body).unwrap();
            assert_eq!(json!(own), sent, "{cookie}");
            let read = InspectionReply::deserialize(&sent).unwrap();
            assert_eq!(json!(read), sent, "{cookie}");
        }
    }

    #[test]
    fn a_status_of_another_release_is_read_as_far_as_it_goes() {
        let text = r#"{"now":7,"notes":["a",{"path":"mode","text":"b"}],"newer":[1]}"#;
        let status = StatusReply::parse(text).unwrap();
        let notes = status.fields.notes.iter().map(Remark::to_line);
        assert_eq!(notes.collect::<Vec<_>>(), ["a", "mode: b"]);
        assert_eq!(status.fields.now, Some(7));
        assert!(!status.is_wrong() && status.json["newer"].is_array());
        assert!(StatusReply::parse("[]").is_none());
        assert!(StatusReply::parse("<html>").is_none());
    }
}
