//! What is known of a cookie.

use std::fmt;

use countersign_core::crypto::key::Encoding;
use countersign_core::formats::Opening;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::remote::replies::InspectionReply;

/// What is known of a cookie.
pub struct CookieReport {
    /// Its name.
    pub name: String,
    /// What the gate says, as the status endpoint has it; none where there is no configuration.
    pub found: Option<InspectionReply>,
    /// Formats whose shape it has.
    pub recognised: Vec<&'static str>,
    /// The formats in which a key at hand opens it, where no rule does.
    pub opens: Vec<KeyOpening>,
    /// Secrets that the configuration names and that are not known here.
    pub unknown: Vec<String>,
    /// What is in it, where that was asked for.
    pub payload: Option<String>,
    /// The name of the second cookie of a pair, where only one was given.
    pub missing_half: Option<String>,
    /// What is wrong with the configuration, so that no key could be tried.
    pub wrong: Option<String>,
}

/// A format in which a key opens the cookie.
#[derive(Serialize)]
pub struct KeyOpening {
    /// The secret's name, or the key's file.
    pub secret: String,
    /// The format's name.
    pub format: &'static str,
    /// Its options, where they are not the defaults.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// How the secret is written, where that is not its own text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
}

impl KeyOpening {
    pub fn new(secret: &str, opening: Opening) -> Self {
        Self {
            secret: secret.to_owned(),
            format: opening.format,
            options: opening.options,
            encoding: match opening.encoding {
                Encoding::Utf8 => None,
                Encoding::Base64 => Some("base64"),
                Encoding::Hex => Some("hex"),
            },
        }
    }
}

/// `flask-session with FLASK_SECRET`, and what a rule would have to say besides.
impl fmt::Display for KeyOpening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}", self.format, self.secret)?;
        let encoding = self
            .encoding
            .map(|encoding| format!("encoding = \"{encoding}\""));
        let options = self
            .options
            .iter()
            .map(|(name, value)| format!("{name} = {value}"));
        let all: Vec<String> = options.chain(encoding).collect();
        if all.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", all.join(", "))
        }
    }
}

impl CookieReport {
    /// Whether keys are missing here that might have opened it.
    pub fn cannot_tell(&self) -> bool {
        let found = self.found.as_ref();
        let is_unknown = |found: &InspectionReply| {
            found.verdict.as_deref() == Some("bad-signature") && found.key.is_none()
        };
        found.is_some_and(is_unknown) && !self.unknown.is_empty()
    }

    /// Whether the gate refuses it.
    pub fn is_refused(&self) -> bool {
        self.found.as_ref().is_some_and(|found| {
            matches!(found.fate.as_deref(), Some("stripped" | "rejected"))
                || (found.verdict.is_some() && !found.is_opened())
        })
    }

    /// For scripts.
    pub fn to_json(&self) -> Value {
        json!(JsonReport {
            name: &self.name,
            found: self.found.as_ref(),
            recognised: &self.recognised,
            opens: &self.opens,
            unknown_keys: &self.unknown,
            missing_half: self.missing_half.as_deref(),
            problem: self.wrong.as_deref(),
            payload: self.payload.as_deref(),
        })
    }
}

/// The report for scripts.
#[derive(Serialize)]
struct JsonReport<'r> {
    name: &'r str,
    #[serde(flatten)]
    found: Option<&'r InspectionReply>,
    recognised: &'r [&'static str],
    #[serde(skip_serializing_if = "<[KeyOpening]>::is_empty")]
    opens: &'r [KeyOpening],
    unknown_keys: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_half: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'r str>,
}
