//! `rack-session`: Rack::Session::Cookie of Rack 2; with `version = 2` that of the gem rack-session 2
//! (`rack/encrypted.rs`), which Rack 3 and Sinatra 4 have.
//!
//! Layout of the former, form-escaped for the header (`=` becomes `%3D`, `+` `%2B`, `/` `%2F`):
//!
//! ```text
//! base64(session) "--" hex(HMAC-SHA1(SECRET, the base64 text))
//! BAh7B0kiD3Nlc3Npb25faWQG…%3D%3D--2d8f…
//! ```
//!
//! The base64 is strict, the hexadecimal lower case and compared as text. The session is a Marshal dump
//! or JSON, and opaque here. The name is not bound, no time is carried.
//!
//! Source: `lib/rack/session/cookie.rb`; checked against Rack 2.2.22 by the vectors.

use self::encrypted::{Encrypted, Encryptor};
use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    cut_at_last, from_uri_component, hex, holds, is_base64, is_lower_hex, uri_component,
};

mod encrypted;

pub const FORMATS: &[Description] = &[Description {
    name: "rack-session",
    used_by: "Rack 2.2, Rack::Session::Cookie; rack-session 2.0 and 2.1 (Rack 3, Sinatra 4)",
    options: &[
        FormatOption::new(
            "version",
            DefaultValue::Number(1),
            "2 for the gem rack-session 2, which encrypts",
        )
        .shaped_by(&[ShapeValue::Number(2)]),
        FormatOption::digest("sha1", "version 1 alone"),
        FormatOption::new(
            "encryptor",
            DefaultValue::Text("v2"),
            "`\"v1\"` before rack-session 2.1.2; version 2 alone",
        )
        .shaped_by(&[ShapeValue::Text("v1")]),
        FormatOption::new(
            "purpose",
            DefaultValue::Flag(false),
            "`true` where the middleware is given a `key`; version 2 alone",
        )
        .also_used_as(&[ShapeValue::Flag(true)]),
    ],
    read: rack_session,
}];

fn rack_session(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let version = table.number("version").unwrap_or(1);
    let digest = table.choice("digest", Digest::NAMES);
    let digest = digest.unwrap_or(Digest::Sha1);
    let encryptor = table.choice("encryptor", Encryptor::NAMES);
    let encryptor = encryptor.unwrap_or(Encryptor::V2);
    let purpose = table.flag("purpose").unwrap_or_default();
    let other = match version {
        1 if encryptor != Encryptor::V2 => Some("encryptor"),
        1 if purpose => Some("purpose"),
        2 if digest != Digest::Sha1 => Some("digest"),
        1 | 2 => None,
        _ => {
            table.problem("version", "must be 2, or 1 for Rack 2");
            None
        }
    };
    if let Some(field) = other {
        let cure = format!("version {version} has none; leave it out, or say `version` as well");
        table.problem(field, cure);
    }
    Some(match version {
        2 => Box::new(Encrypted { encryptor, purpose }),
        _ => Box::new(RackSession(digest)),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RackSession(Digest);

impl Format for RackSession {
    fn properties(&self) -> FormatProperties {
        FormatProperties::of(Payload::Of("rack-session"))
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.0,
            signs: "BASE64",
        }
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedSession {
            mac: Mac::new(self.0, key.bytes()),
            digest: self.0,
        }))
    }
}

struct KeyedSession {
    mac: Mac,
    digest: Digest,
}

impl KeyedSession {
    fn signature(&self, data: &str) -> String {
        hex(&self.mac.sign(&[data.as_bytes()]))
    }
}

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        // Rack would read a space
        if holds(value, b'+') {
            return Err(Refusal::Shape);
        }
        let text = from_uri_component(value);
        let (data, signature) = cut_at_last(&text, "--").ok_or(Refusal::Shape)?;
        if !is_lower_hex(signature, self.digest.size()) || !is_base64(data) {
            return Err(Refusal::Shape);
        }
        if equal(self.signature(data).as_bytes(), signature.as_bytes()) {
            Ok(Content::of(data.as_bytes().to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let data = content.text()?;
        if is_base64(data) {
            Ok(uri_component(&format!("{data}--{}", self.signature(data))))
        } else {
            Err(Uncarriable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Problems;
    use serde_json::{Value, json};

    fn problem(config: Value) -> Option<String> {
        let problems = Problems::default();
        rack_session(&mut Table::new("rule", &config, &problems).unwrap());
        let first = problems.into_vec().into_iter().next();
        first.map(|problem| problem.to_string())
    }

    #[test]
    fn each_option_is_of_one_version() {
        for good in [
            json!({"digest": "sha256"}),
            json!({"version": 1, "encryptor": "v2", "purpose": false}),
            json!({"version": 2, "encryptor": "v1", "purpose": true, "digest": "sha1"}),
        ] {
            assert_eq!(problem(good.clone()), None, "{good}");
        }
        for (bad, expected) in [
            (json!({"version": 3}), "rule.version: must be 2"),
            (
                json!({"encryptor": "v1"}),
                "rule.encryptor: version 1 has none",
            ),
            (json!({"purpose": true}), "rule.purpose: version 1 has none"),
            (
                json!({"version": 2, "digest": "sha256"}),
                "rule.digest: version 2 has none",
            ),
        ] {
            let problem = problem(bad.clone()).unwrap_or_default();
            assert!(problem.starts_with(expected), "{bad}: {problem}");
        }
    }
}
