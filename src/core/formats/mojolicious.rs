//! `mojolicious`: signed cookies and sessions of Mojolicious.
//!
//! Layout, in double quotes with `\"` and `\\` where it holds a comma, semicolon, quote or space:
//!
//! ```text
//! VALUE "--" hex(HMAC-SHA256(SECRET, NAME "=" VALUE))
//! user-53884--f3bcf4ec605402cd8af3f86e04bdfda6ea4f75cfac36c1658a346d325a4210ac
//! ```
//!
//! Split at the last `--`; the hexadecimal is lower case and compared as text. A session's VALUE is
//! base64 of JSON with its own `expires`, opaque here; no time is carried beside it.
//!
//! Mojolicious signs bytes. What is not ASCII is UTF-8 here, as the runtime shows headers; a value in
//! single bytes (ISO-8859-1) does not arrive as text and is refused. A semicolon is quoted only, and
//! browsers cut a cookie there: a VALUE with one is not sealed.
//!
//! Source: `Mojolicious/Controller.pm` (`signed_cookie`), `Mojo/Cookie/*.pm`, `Mojo/Util.pm` (`quote`,
//! `unquote`); checked against Mojolicious 9.31 by the vectors. Before 9.19 it signed with SHA-1:
//! `digest = "sha1"`. Mojolicious also takes quotes where it writes none; here a value has one spelling.

use alloc::borrow::Cow;

use super::description::{Description, FormatOption};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{cut_at_last, hex, is_lower_hex};

pub const FORMATS: &[Description] = &[Description {
    name: "mojolicious",
    used_by: "Mojolicious 9.31",
    options: &[FormatOption::digest("sha256", "`\"sha1\"` before 9.19")],
    read: mojolicious,
}];

fn mojolicious(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    Some(Box::new(Mojolicious(digest.unwrap_or(Digest::Sha256))))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mojolicious(Digest);

impl Format for Mojolicious {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.0,
            signs: "NAME=VALUE",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedCookie {
            name: cookie.to_owned(),
            digest: self.0,
            mac: Mac::new(self.0, key.bytes()),
        }))
    }
}

struct KeyedCookie {
    name: String,
    digest: Digest,
    mac: Mac,
}

impl KeyedCookie {
    fn signature(&self, payload: &str) -> String {
        let parts = [self.name.as_bytes(), b"=", payload.as_bytes()];
        hex(&self.mac.sign(&parts))
    }
}

impl Keyed for KeyedCookie {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = unquoted(value).ok_or(Refusal::Shape)?;
        let (payload, signature) = cut_at_last(&text, "--").ok_or(Refusal::Shape)?;
        if !is_lower_hex(signature, self.digest.size()) {
            return Err(Refusal::Shape);
        }
        if equal(self.signature(payload).as_bytes(), signature.as_bytes()) {
            Ok(Content::of(payload.as_bytes().to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        // U+FFFD stands for bytes that the runtime could not read
        if payload.contains(|c: char| c.is_control() || c == ';' || c == '\u{FFFD}') {
            return Err(Uncarriable);
        }
        Ok(quoted(&format!("{payload}--{}", self.signature(payload))))
    }
}

fn quoted(text: &str) -> String {
    if !text.contains([',', ';', '"', ' ']) {
        return text.to_owned();
    }
    let mut value = String::with_capacity(text.len() + 2);
    value.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            value.push('\\');
        }
        value.push(c);
    }
    value.push('"');
    value
}

/// The text that [`quoted`] writes as this value, or `None`.
fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains([',', ';', '"', ' '])).then_some(Cow::Borrowed(value));
    };
    let inner = rest.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => chars.next()?,
            c => c,
        });
    }
    (quoted(&text) == value).then_some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;

    fn keyed() -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        Mojolicious(Digest::Sha256).keyed("sid", &key).unwrap()
    }

    fn content(text: &str) -> Content<'_> {
        Content::of(text.as_bytes())
    }

    // what Mojolicious 9.31 makes of the UTF-8 bytes and of the single byte of "é"
    #[test]
    fn what_is_not_ascii_is_signed_as_utf_8() {
        let utf_8 = "café--60ce81b739a4243acf06a0c2257a0c8310213e4a53e572891c6ce5963a2b95cf";
        assert_eq!(keyed().open(utf_8), Ok(content("café")));
        assert_eq!(
            keyed().seal(&content("café"), no_random).as_deref(),
            Ok(utf_8)
        );
        let single = "café--f603d048ba3f032658ab098778362d945407c57190c16c89d50c8aace193a0e5";
        assert_eq!(keyed().open(single), Err(Refusal::Signature));
    }

    #[test]
    fn what_could_end_the_value_or_the_header_is_not_sealed() {
        for bad in [
            "a; Domain=x",
            "a\r\nb",
            "a\tb",
            "a\u{7f}",
            "a\u{85}",
            "\u{FFFD}",
        ] {
            assert_eq!(
                keyed().seal(&content(bad), no_random),
                Err(Uncarriable),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_value_has_one_spelling() {
        for text in ["", "a", r"a\b", r#"a\" b"#, r#"\\"\"#, "a, b", r"\ "] {
            assert_eq!(unquoted(&quoted(text)).as_deref(), Some(text));
        }
        for bad in [
            "\"a\"",
            "\"",
            "\"a b",
            "a b",
            r#""a \b""#,
            r#""a "b""#,
            r#""a \""#,
            "a,b",
        ] {
            assert_eq!(unquoted(bad), None, "{bad}");
        }
    }
}
