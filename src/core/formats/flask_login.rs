//! `flask-login`: the `remember_token` of Flask-Login.
//!
//! Layout, in double quotes as Werkzeug quotes where it holds more than it writes bare (below):
//!
//! ```text
//! ID "|" hex(HMAC-SHA512(SECRET_KEY, ID))
//! 4711|a1fd5e7a49094eef1bc099f898217af7c3db99730b64421f54ba4b9e9e0581343032dd564420f930b8903fdb7d3f023df09c624645bb5d912c84249731f74c2e
//! ```
//!
//! Split at the last bar; the hexadecimal is lower case and compared as text. ID is what the application's
//! `get_id` answers. The name is not bound, and no time is carried: a token is good as long as the key.
//!
//! Werkzeug writes letters, digits and ``!#$%&'()*+-./:<=>?@[]^_`{|}~`` bare. With any other character the whole
//! stands in quotes, with `\"` and `\\`, and commas, semicolons, controls and every byte of UTF-8 beyond ASCII as
//! `\ooo`. (Python's `http.cookies`, which the other Flask formats do without, escapes code points.) It also reads
//! quotes where it writes none; here a value has one spelling.
//!
//! SECRET_KEY is taken in ISO-8859-1: a text with a character beyond U+00FF makes Flask-Login fail.
//!
//! Source: `flask_login/utils.py`, `werkzeug/http.py` (`dump_cookie`), `werkzeug/sansio/http.py` (`parse_cookie`);
//! checked against Flask-Login 0.6.3 with Werkzeug 3.1.9 by the vectors.

use alloc::borrow::Cow;

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::wire::encoding::{hex, is_lower_hex};

pub const FORMATS: &[Description] = &[Description {
    name: "flask-login",
    used_by: "Flask-Login 0.6, `remember_token`",
    options: &[],
    read: |_| Some(Box::new(FlaskLogin)),
}];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FlaskLogin;

impl Format for FlaskLogin {
    fn properties(&self) -> FormatProperties {
        FormatProperties::of(Payload::Text)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: Digest::Sha512,
            signs: "VALUE",
        }
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let key = key.latin_1();
        let key = key.ok_or(KeyFault::new(
            "holds a character beyond U+00FF, which Flask-Login cannot use",
        ))?;
        Ok(Box::new(KeyedToken(Mac::new(Digest::Sha512, &key))))
    }
}

struct KeyedToken(Mac);

impl KeyedToken {
    fn signature(&self, id: &str) -> String {
        hex(&self.0.sign(&[id.as_bytes()]))
    }
}

impl Keyed for KeyedToken {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let text = unquoted(value).ok_or(Refusal::Shape)?;
        let (id, signature) = text.rsplit_once('|').ok_or(Refusal::Shape)?;
        if !is_lower_hex(signature, Digest::Sha512.size()) {
            return Err(Refusal::Shape);
        }
        if equal(self.signature(id).as_bytes(), signature.as_bytes()) {
            Ok(Content::of(id.as_bytes().to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let id = content.text()?;
        // which Werkzeug leaves as they are
        if id.bytes().any(|b| (0x1A..0x20).contains(&b)) {
            return Err(Uncarriable);
        }
        Ok(quoted(format!("{id}|{}", self.signature(id))))
    }
}

/// A text as Werkzeug writes it.
fn quoted(text: String) -> String {
    if text.bytes().all(is_bare) {
        return text;
    }
    let mut value = String::with_capacity(text.len() + 2);
    value.push('"');
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => value.extend(['\\', char::from(b)]),
            b' '..=b'~' if b != b',' && b != b';' => value.push(char::from(b)),
            _ => {
                value.push('\\');
                // three bits make a digit below eight
                value.extend([6, 3, 0].map(|shift| char::from(b'0' + (b >> shift & 7))));
            }
        }
    }
    value.push('"');
    value
}

/// The text that [`quoted`] writes as this value, or `None`.
fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    if value.bytes().all(is_bare) {
        return Some(Cow::Borrowed(value));
    }
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                after
            }
            _ => {
                bytes.push(*first);
                after
            }
        };
    }
    let text = String::from_utf8(bytes).ok()?;
    (quoted(text.clone()) == value).then_some(Cow::Owned(text))
}

/// What stands without quotes (`werkzeug/http.py`, `_cookie_no_quote_re`).
fn is_bare(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'()*+-./:<=>?@[]^_`{|}~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn try_key(secret: &str) -> Result<Box<dyn Keyed>, KeyFault> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), secret.as_bytes().to_vec());
        FlaskLogin.keyed("remember_token", &key)
    }

    fn keyed() -> Box<dyn Keyed> {
        try_key("secret").unwrap()
    }

    #[test]
    fn a_key_that_flask_login_cannot_use_is_refused() {
        assert!(try_key("clé").is_ok());
        assert!(try_key("ключ").unwrap_err().reason.contains("U+00FF"));
    }

    #[test]
    fn a_value_has_one_spelling() {
        for (text, value) in [
            ("", ""),
            ("a@b.c|1", "a@b.c|1"),
            ("a b", r#""a b""#),
            (r#"a"\"#, r#""a\"\\""#),
            ("é,;\n", r#""\303\251\054\073\012""#),
        ] {
            assert_eq!(quoted(text.to_owned()), value);
            assert_eq!(unquoted(value).as_deref(), Some(text));
        }
        for bad in [
            "a b",
            "\"",
            "\"a",
            "\"a\"",
            "é",
            r#""\141 ""#,
            r#""\351""#,
            r#""\a b""#,
            r#""a b\""#,
            r#"" \"#,
            "a,b",
        ] {
            assert_eq!(unquoted(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_what_could_be_a_signature_is_hashed() {
        let signature = "0".repeat(128);
        let opened = |value: &str| keyed().open(value).map(Content::into_owned);
        assert_eq!(
            opened(&format!("4711|{signature}")),
            Err(Refusal::Signature)
        );
        assert_eq!(opened(&format!("|{signature}")), Err(Refusal::Signature));
        for shape in [
            signature.clone(),
            format!("4711|{}", &signature[1..]),
            format!("4711|{signature}0"),
            format!("4711|A{}", &signature[1..]),
            format!("4711|{signature}|"),
        ] {
            assert_eq!(opened(&shape), Err(Refusal::Shape), "{shape}");
        }
    }

    #[test]
    fn what_werkzeug_would_write_as_a_bare_control_is_not_sealed() {
        let sealed = |id: &'static str| keyed().seal(&Content::of(id.as_bytes()), no_random);
        assert_eq!(sealed("a\u{1b}"), Err(Uncarriable));
        assert!(sealed("a\u{19}\u{7f}\r\n").is_ok());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(id in "[^\u{1a}-\u{1f}]{0,40}") {
            let content = Content::of(id.as_bytes());
            let value = keyed().seal(&content, no_random).unwrap();
            prop_assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b';'));
            prop_assert_eq!(keyed().open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String) {
            prop_assert!(keyed().open(&text).is_err());
        }
    }
}
