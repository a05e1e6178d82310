//! Django's signed cookies: `django-session`, `django-messages`, `django-signed-cookie`,
//! `django-signer`.
//!
//! Layout, quoted for the header by Python's `http.cookies`:
//!
//! ```text
//! PAYLOAD ":" TIME ":" base64url(HMAC_H(H(SALT || "signer" || SECRET), PAYLOAD ":" TIME))
//! eyJ1c2VyX2lkIjo0ODI5NDEsIm5hbWUiOiJkZSJ9:1ptCvA:Y6UKIppBFuvWaIY4IhHzDaqgPxc
//! ```
//!
//! Split at the last separator, since a payload may hold more of them. TIME is base 62; a bare `Signer`
//! has none. The base64 is compared as text: no padding, no variants. A payload that zlib compressed
//! starts with a dot, and the dot is signed.
//!
//! | format | SALT | SECRET |
//! | --- | --- | --- |
//! | `django-session` | `django.contrib.sessions.backends.signed_cookies` | key |
//! | `django-messages` | `django.contrib.messages` | `django.http.cookies` key |
//! | `django-signed-cookie`, `v2` | `django.http.cookies.v2:` length of salt `:` salt cookie-name | `django.http.cookies` key |
//! | `django-signed-cookie`, `v1` | cookie-name salt | `django.http.cookies` key |
//! | `django-signer` | given | key |
//!
//! `django-messages` with `layout = "hash"`, Django before 3.1, is a layout of its own:
//! `hex(HMAC-SHA1(SHA1("django.contrib.messages" || key), JSON)) "$" JSON`.
//!
//! Source: `django/core/signing.py`, `django/http/{request,response}.py`,
//! `django/contrib/messages/storage/cookie.py`; checked against Django 2.2.28, 3.0.14, 3.1.14, 3.2.25,
//! 4.2.30, 5.2.12 and 5.2.19. Django takes a time with leading zeros, which it never writes; here it is
//! refused, so that a time has one spelling.

use alloc::borrow::Cow;

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    base64_len, base64url, cut_at_last, from_base62, from_base64url, from_hex, is_base64url,
    push_base62, push_base64url, push_hex, python_quoted, python_unquoted,
};

pub const FORMATS: &[Description] = &[
    Description {
        name: "django-session",
        used_by: "Django 2.2 to 5.2, sessions in signed cookies",
        options: &[FormatOption::digest(
            "sha256",
            "`\"sha1\"` before Django 3.1",
        )],
        read: session,
    },
    Description {
        name: "django-messages",
        used_by: "Django 2.2 to 5.2, messages in cookies",
        options: &[
            FormatOption::digest("sha256", ""),
            FormatOption::new(
                "layout",
                DefaultValue::Unset,
                "`\"hash\"` before Django 3.1",
            )
            .shaped_by(&[ShapeValue::Text("hash")]),
        ],
        read: messages,
    },
    Description {
        name: "django-signed-cookie",
        used_by: "Django 2.2 to 5.2, `set_signed_cookie`",
        options: &[
            FormatOption::new("salt", DefaultValue::Text(""), "").also_used_as(&[ShapeValue::Name]),
            FormatOption::new(
                "scheme",
                DefaultValue::Text("v2"),
                "`\"v1\"` up to 5.2.14 and 4.2.30",
            )
            .also_used_as(&[ShapeValue::Text("v1")]),
            FormatOption::digest("sha256", ""),
        ],
        read: signed_cookie,
    },
    Description {
        name: "django-signer",
        used_by: "Django 2.2 to 5.2, `Signer` and `TimestampSigner`",
        options: &[
            FormatOption::new(
                "salt",
                DefaultValue::Unset,
                "the class's own where it is left out",
            )
            .also_used_as(&[ShapeValue::Text("django.core.signing"), ShapeValue::Name]),
            FormatOption::new("sep", DefaultValue::Text(":"), ""),
            FormatOption::new("timestamp", DefaultValue::Flag(true), "")
                .shaped_by(&[ShapeValue::Flag(false)]),
            FormatOption::digest("sha256", ""),
        ],
        read: signer,
    },
];

const SESSION_SALT: &str = "django.contrib.sessions.backends.signed_cookies";
const MESSAGES_SALT: &str = "django.contrib.messages";
/// What `get_cookie_signer` puts in front of the secret.
const COOKIE_SECRET: &str = "django.http.cookies";

fn session(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    Some(Box::new(Signer {
        salt: Salt::Fixed(SESSION_SALT.to_owned()),
        secret_prefix: "",
        payload: Payload::Of("django-session"),
        ..Signer::read(table)
    }))
}

fn messages(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    if let Some(()) = table.choice("layout", &[("hash", ())]) {
        return Some(Box::new(HashLayout));
    }
    Some(Box::new(Signer {
        salt: Salt::Fixed(MESSAGES_SALT.to_owned()),
        secret_prefix: COOKIE_SECRET,
        payload: Payload::Of("django-messages"),
        ..Signer::read(table)
    }))
}

fn signed_cookie(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let salt = table.text("salt").unwrap_or_default().to_owned();
    let v1 = table.choice("scheme", &[("v2", false), ("v1", true)]);
    Some(Box::new(Signer {
        salt: match v1 {
            Some(true) => Salt::CookieV1(salt),
            _ => Salt::CookieV2(salt),
        },
        secret_prefix: COOKIE_SECRET,
        ..Signer::read(table)
    }))
}

fn signer(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let timestamp = table.flag("timestamp").unwrap_or(true);
    let default = if timestamp {
        "django.core.signing.TimestampSigner"
    } else {
        "django.core.signing.Signer"
    };
    let salt = table.text("salt").unwrap_or(default).to_owned();
    let sep = table.text("sep").unwrap_or(":").to_owned();
    // Django's own condition: a separator that could be part of the base64 has no place of its own
    let is_writable = sep.chars().all(|c| u32::from(c) <= 0xFF);
    if !is_writable || is_base64url(&sep.replace('=', "")) {
        table.problem(
            "sep",
            "must hold a character that is none of A-Z a-z 0-9 - _ =, and none above U+00FF",
        );
        return None;
    }
    Some(Box::new(Signer {
        salt: Salt::Fixed(salt),
        timestamp,
        sep,
        ..Signer::read(table)
    }))
}

/// `Signer` and `TimestampSigner` with their options.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    salt: Salt,
    secret_prefix: &'static str,
    digest: Digest,
    sep: String,
    timestamp: bool,
    payload: Payload,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Salt {
    Fixed(String),
    /// `get_signed_cookie` since 5.2.15: unambiguous in salt and name.
    CookieV2(String),
    /// Before: name and salt run together, so ("ab", "c") and ("a", "bc") make one key.
    CookieV1(String),
}

impl Signer {
    /// What all have in common: timestamped text, a colon, SHA-256 unless `digest` says otherwise.
    fn read(table: &mut Table<'_>) -> Self {
        Self {
            salt: Salt::Fixed(String::new()),
            secret_prefix: "",
            digest: table
                .choice("digest", Digest::NAMES)
                .unwrap_or(Digest::Sha256),
            sep: ":".to_owned(),
            timestamp: true,
            payload: Payload::Text,
        }
    }

    /// All that is hashed in front of the key.
    fn key_prefix(&self, cookie: &str) -> String {
        let salt = match &self.salt {
            Salt::Fixed(salt) => salt.clone(),
            Salt::CookieV2(salt) => {
                let length = salt.chars().count();
                format!("django.http.cookies.v2:{length}:{salt}{cookie}")
            }
            Salt::CookieV1(salt) => format!("{cookie}{salt}"),
        };
        format!("{salt}signer{}", self.secret_prefix)
    }
}

impl Format for Signer {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: self.timestamp,
            binds_name: !matches!(self.salt, Salt::Fixed(_)),
            ..FormatProperties::of(self.payload)
        }
    }

    fn derivation(&self, cookie: &str) -> Derivation {
        let prefix = self.key_prefix(cookie);
        Derivation::Derived(format!("{}({prefix}KEY)", self.digest.name()).into_bytes())
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let derived = self
            .digest
            .hash(&[self.key_prefix(cookie).as_bytes(), key.bytes()]);
        Ok(Box::new(KeyedSigner {
            mac: Mac::new(self.digest, &derived),
            signature_len: base64_len(self.digest.size()),
            sep: self.sep.clone(),
            timestamp: self.timestamp,
        }))
    }
}

struct KeyedSigner {
    mac: Mac,
    signature_len: usize,
    sep: String,
    timestamp: bool,
}

/// A quoted value's text lives apart from the header; an unquoted one's does not.
fn part<'v>(text: &Cow<'v, str>, range: core::ops::Range<usize>) -> Cow<'v, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text.as_bytes()[range]),
        Cow::Owned(text) => Cow::Owned(text.as_bytes()[range].to_vec()),
    }
}

impl KeyedSigner {
    /// The signature is split off by its length: no separator can reach into base64url.
    fn split<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let end = text.len().checked_sub(self.signature_len)?;
        let (signed, signature) = text.split_at_checked(end)?;
        is_base64url(signature).then_some((signed.strip_suffix(&*self.sep)?, signature))
    }

    fn push_signature(&self, text: &mut String) {
        let tag = self.mac.sign(&[text.as_bytes()]);
        text.push_str(&self.sep);
        push_base64url(text, &tag);
    }
}

impl Keyed for KeyedSigner {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = python_unquoted(value);
        let (signed, signature) = self.split(&text).ok_or(Refusal::Shape)?;
        let (payload, time) = if self.timestamp {
            cut_at_last(signed, &self.sep).ok_or(Refusal::Shape)?
        } else {
            (signed, "")
        };
        let expected = base64url(&self.mac.sign(&[signed.as_bytes()]));
        if !equal(expected.as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        let time = if self.timestamp {
            Some(from_base62(time).ok_or(Refusal::Content)?)
        } else {
            None
        };
        Ok(Content {
            time_s: time,
            ..Content::of(part(&text, 0..payload.len()))
        })
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        let mut text = String::with_capacity(payload.len() + self.signature_len + 16);
        text.push_str(payload);
        if self.timestamp {
            text.push_str(&self.sep);
            push_base62(&mut text, content.time_s.ok_or(Uncarriable)?);
        }
        self.push_signature(&mut text);
        python_quoted(&text).ok_or(Uncarriable)
    }
}

/// Messages before Django 3.1. The payload is handed on in the encoding of later versions, base64url
/// of the JSON, so that it can be carried over to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HashLayout;

impl Format for HashLayout {
    fn properties(&self) -> FormatProperties {
        FormatProperties::of(Payload::Of("django-messages"))
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Derived(format!("sha1({MESSAGES_SALT}KEY)").into_bytes())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let derived = Digest::Sha1.hash(&[MESSAGES_SALT.as_bytes(), key.bytes()]);
        Ok(Box::new(KeyedHash(Mac::new(Digest::Sha1, &derived))))
    }
}

struct KeyedHash(Mac);

impl Keyed for KeyedHash {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = python_unquoted(value);
        let (hash, json) = text.split_once('$').ok_or(Refusal::Shape)?;
        let lower = hash.bytes().all(|b| !b.is_ascii_uppercase());
        if hash.len() != 2 * Digest::Sha1.size() || !lower {
            return Err(Refusal::Shape);
        }
        let hash = from_hex(hash).ok_or(Refusal::Shape)?;
        if equal(&hash, &self.0.sign(&[json.as_bytes()])) {
            Ok(Content::of(base64url(json.as_bytes()).into_bytes()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        // A payload that Django compressed does not decode: only Django itself compresses, and a
        // browser's copy for an origin of this layout was never Django's.
        let json = if payload.starts_with('[') {
            payload.as_bytes().to_vec() // Django 3.1 wrote the JSON as it is
        } else {
            from_base64url(payload).ok_or(Uncarriable)?
        };
        let json = String::from_utf8(json).map_err(|_| Uncarriable)?;
        let mut text = String::with_capacity(json.len() + 41);
        push_hex(&mut text, &self.0.sign(&[json.as_bytes()]));
        text.push('$');
        text.push_str(&json);
        python_quoted(&text).ok_or(Uncarriable)
    }
}
