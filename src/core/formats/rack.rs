//! `rack-session`: Rack::Session::Cookie of Rack 2.
//!
//! Layout, form-escaped for the header (`=` becomes `%3D`, `+` `%2B`, `/` `%2F`):
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

use super::description::{Description, FormatOption};
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

pub const FORMATS: &[Description] = &[Description {
    name: "rack-session",
    used_by: "Rack 2.2, Rack::Session::Cookie",
    options: &[FormatOption::digest("sha1", "")],
    read: rack_session,
}];

fn rack_session(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    Some(Box::new(RackSession(digest.unwrap_or(Digest::Sha1))))
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
        match equal(self.signature(data).as_bytes(), signature.as_bytes()) {
            true => Ok(Content::of(data.as_bytes().to_vec())),
            false => Err(Refusal::Signature),
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let data = content.text()?;
        match is_base64(data) {
            true => Ok(uri_component(&format!("{data}--{}", self.signature(data)))),
            false => Err(Uncarriable),
        }
    }
}
