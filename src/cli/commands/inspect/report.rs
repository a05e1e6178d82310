//! What is known of a cookie.

use serde_json::{Value, json};

/// What is known of a cookie.
pub struct CookieReport {
    /// Its name.
    pub name: String,
    /// What the gate says, as the status endpoint has it; none where there is no configuration.
    pub found: Option<Value>,
    /// Formats whose shape it has.
    pub recognised: Vec<&'static str>,
    /// Secrets that the configuration names and that are not known here.
    pub unknown: Vec<String>,
    /// What is in it, where that was asked for.
    pub payload: Option<String>,
    /// What is wrong with the configuration, so that no key could be tried.
    pub wrong: Option<String>,
}

impl CookieReport {
    /// Whether keys are missing here that might have opened it.
    pub fn cannot_tell(&self) -> bool {
        let found = self.found.as_ref();
        let is_unknown =
            |found: &Value| found["verdict"] == "bad-signature" && found["key"].is_null();
        found.is_some_and(is_unknown) && !self.unknown.is_empty()
    }

    /// Whether the gate refuses it.
    pub fn is_refused(&self) -> bool {
        let fate = self.found.as_ref().and_then(|found| found["fate"].as_str());
        let verdict = self
            .found
            .as_ref()
            .and_then(|found| found["verdict"].as_str());
        let taken = ["current", "fallback", "accepted-format"];
        matches!(fate, Some("stripped" | "rejected"))
            || verdict.is_some_and(|verdict| !taken.contains(&verdict))
    }

    /// For scripts.
    pub fn to_json(&self) -> Value {
        let mut json = self.found.clone().unwrap_or_else(|| json!({}));
        json["name"] = self.name.as_str().into();
        json["recognised"] = self.recognised.clone().into();
        json["unknown_keys"] = self.unknown.clone().into();
        if let Some(wrong) = &self.wrong {
            json["problem"] = wrong.as_str().into();
        }
        if let Some(payload) = &self.payload {
            json["payload"] = payload.as_str().into();
        }
        json
    }
}
