//! `plain`: no signature at all.
//!
//! Layout: the value is the payload, as it stands between `=` and `;`, without white space around it:
//!
//! ```text
//! PHPSESSID=3q1i2gbn6bk9vbc1a0nsp8n1ot
//! user="ada@example.com"
//! ```
//!
//! A value is any that RFC 6265bis (section 5.6) lets browsers keep, a tab included (which Chromium 156 does not
//! keep). A signed format that wraps such a cookie takes RFC 6265 cookie-octets only ([`OctetsOnly`]), unless
//! it is made to wrap any value.

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Signatures,
    Uncarriable,
};
use crate::crypto::Random;
use crate::crypto::key::Key;
use crate::prelude::*;
use crate::wire::encoding::is_cookie_octet;

pub const FORMATS: &[Description] = &[Description {
    name: "plain",
    used_by: "as `origin`; as `format` or in `accept` while wrapping or leaving",
    options: &[],
    read: |_| Some(Box::new(Plain)),
}];

/// A value that carries no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain;

impl Format for Plain {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            wraps_any_value: true,
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::None
    }

    fn keyed(&self, _cookie: &str, _key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(Plain))
    }
}

impl Keyed for Plain {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        if is_value(value) {
            Ok(Content::of(value.as_bytes()))
        } else {
            Err(Refusal::Content)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let text = content.text()?;
        if is_value(text) {
            Ok(text.to_owned())
        } else {
            Err(Uncarriable)
        }
    }
}

/// Whether a text can be a cookie's value: it ends neither the pair nor the header, no white space is trimmed
/// from it, and it was read from bytes that the runtime could show. (It shows others as U+FFFD: the site would
/// get back that character's bytes in place of its own.)
fn is_value(text: &str) -> bool {
    let is_kept = |c: char| c == '\t' || !(c.is_ascii_control() || c == ';');
    let is_space = |c: char| matches!(c, ' ' | '\t');
    text.chars()
        .all(|c| is_kept(c) && c != char::REPLACEMENT_CHARACTER)
        && !text.starts_with(is_space)
        && !text.ends_with(is_space)
}

/// A signed format that wraps what a `plain` origin sets, but for RFC 6265 cookie-octets (section 4.1.1)
/// nothing. What its own framework signed for itself may hold anything.
pub struct OctetsOnly(pub Box<dyn Keyed>);

impl Keyed for OctetsOnly {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        in_octets(self.0.open(value)?)
    }

    fn is_signature(&self, text: &str) -> bool {
        self.0.is_signature(text)
    }

    fn open_pair<'v>(
        &self,
        value: &'v str,
        signatures: &Signatures<'_>,
    ) -> Result<Content<'v>, Refusal> {
        in_octets(self.0.open_pair(value, signatures)?)
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        if is_in_octets(content) {
            self.0.seal(content, random)
        } else {
            Err(Uncarriable)
        }
    }
}

fn in_octets(content: Content<'_>) -> Result<Content<'_>, Refusal> {
    if is_in_octets(&content) {
        Ok(content)
    } else {
        Err(Refusal::Content)
    }
}

fn is_in_octets(content: &Content<'_>) -> bool {
    content.payload.iter().copied().all(is_cookie_octet)
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;

    const VALUES: [&str; 9] = [
        "a/b=c",
        "",
        "\"ada@example.com\"",
        "\"Bearer eyJ.eyJ.sig\"",
        "{\"id\":7}",
        "12,15,19",
        "Ada L\tx",
        "Zoë \u{85}\u{a0}日本",
        "a\\\"",
    ];

    #[test]
    fn any_value_that_a_browser_may_keep_is_read_and_written() {
        for value in VALUES {
            let content = Content::of(value.as_bytes());
            assert_eq!(Plain.open(value), Ok(content.clone()), "{value}");
            assert_eq!(Plain.seal(&content, no_random), Ok(value.to_owned()));
        }
    }

    #[test]
    fn what_would_come_back_as_another_value_is_neither_read_nor_written() {
        for bad in [
            "a; admin=1",
            "a\u{1}",
            "a\r\nX: y",
            "a\0",
            "a\u{7f}",
            " a",
            "a\t",
            " ",
            "Zo\u{fffd}",
        ] {
            assert_eq!(Plain.open(bad), Err(Refusal::Content), "{bad:?}");
            let content = Content::of(bad.as_bytes());
            assert_eq!(Plain.seal(&content, no_random), Err(Uncarriable), "{bad:?}");
        }
        let no_text = Content::of(&b"Zo\xEB"[..]);
        assert_eq!(Plain.seal(&no_text, no_random), Err(Uncarriable));
    }

    #[test]
    fn a_format_that_wraps_octets_only_carries_nothing_else() {
        let octets = OctetsOnly(Box::new(Plain));
        for value in VALUES {
            let content = Content::of(value.as_bytes());
            let fits = value.bytes().all(is_cookie_octet);
            assert_eq!(octets.seal(&content, no_random).is_ok(), fits, "{value}");
            let expected = if fits {
                Ok(content)
            } else {
                Err(Refusal::Content)
            };
            assert_eq!(octets.open(value), expected, "{value}");
        }
    }
}
