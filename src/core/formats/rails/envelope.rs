//! The inner layer: the serialised value, and around it what it is for and until when
//! (`ActiveSupport::Messages::Metadata`).
//!
//! ```text
//! {"_rails":{"message":"InVzZXItNDEyOTc0Ig==","exp":"2024-01-13T00:33:29.000Z","pur":"cookie.theme_52"}}
//! ```
//!
//! `message` is the serialised value in base64, `exp` ISO 8601 in milliseconds or `null`. A payload is the
//! serialised value: JSON or a Marshal dump, opaque here. The envelope is written anew from the payload,
//! the expiry and the cookie's name, so one that is not byte for byte what Rails writes is refused.
//!
//! With `purpose = true` (`use_cookies_with_metadata`, on since `load_defaults 6.0`) every value has an
//! envelope with the cookie's name. Rails also takes a value without a purpose, from before the
//! setting, and then a renamed cookie too. Here that is refused, which costs such values their sessions
//! unless the rule says `accept = [{ format = "rails-signed", purpose = false }]`. So that `accept` is
//! tried, the refusal is as of a wrong signature: the value is signed, but in the other way.
//!
//! With `purpose = false` a value stands bare, or, where it expires, in an envelope whose `pur` is `null`.
//! An envelope with a purpose is refused, again as one signed in the other way. So is anything else that Rails might take for an envelope: it
//! would read what the envelope holds, and with the purpose that it claims.
//!
//! Where years do not have four digits, an expiry is refused; Ruby would write and read it.

use super::super::{Content, Refusal, Uncarriable};
use crate::prelude::*;
use crate::wire::calendar::{from_rfc3339, to_iso8601};
use crate::wire::encoding::{cut_at_first, from_base64, push_base64};

const MESSAGE: &str = r#"{"_rails":{"message":""#;
const EXPIRY: &str = r#"","exp":"#;
const NO_PURPOSE: &str = r#","pur":null}}"#;

/// What is written around a value for one cookie.
pub struct Envelope {
    /// From `pur` to the end.
    end: String,
    purpose: bool,
}

impl Envelope {
    pub fn new(cookie: &str, purpose: bool) -> Self {
        // the only character of a cookie's name that Rails escapes in JSON
        let name = cookie.replace('&', r"\u0026");
        Self {
            end: if purpose {
                format!(r#","pur":"cookie.{name}"}}}}"#)
            } else {
                NO_PURPOSE.to_owned()
            },
            purpose,
        }
    }

    pub fn open(&self, data: Vec<u8>) -> Result<Content<'static>, Refusal> {
        match self.unwrapped(&data) {
            Some(content) => Ok(content),
            None if self.is_bare(&data) => Ok(Content::of(data)),
            None if has_purpose(&data) != self.purpose => Err(Refusal::Signature),
            None => Err(Refusal::Content),
        }
    }

    pub fn seal(&self, content: &Content<'_>) -> Result<Vec<u8>, Uncarriable> {
        let expiry = match content.expiry_ms {
            None if !self.purpose => {
                let data = content.payload.to_vec();
                return self.is_bare(&data).then_some(data).ok_or(Uncarriable);
            }
            None => "null".to_owned(),
            Some(expiry) => written(expiry).ok_or(Uncarriable)?,
        };
        let mut text = MESSAGE.to_owned();
        push_base64(&mut text, &content.payload);
        Ok([&text, EXPIRY, &expiry, &self.end].concat().into_bytes())
    }

    /// What is in an envelope that is written exactly as [`Envelope::seal`] writes it.
    fn unwrapped(&self, data: &[u8]) -> Option<Content<'static>> {
        let text = core::str::from_utf8(data).ok()?;
        let inner = text.strip_prefix(MESSAGE)?.strip_suffix(&self.end)?;
        let (message, expiry) = cut_at_first(inner, EXPIRY)?;
        let expiry = match expiry {
            "null" if self.purpose => None,
            quoted => Some(read(quoted)?),
        };
        Some(Content::of(from_base64(message)?).expiring_at(expiry))
    }

    /// Whether Rails would read this as a value that stands bare. JSON, which Ruby's parser takes with
    /// comments and escaped letters, is looked at more strictly than needed; a Marshal dump is none.
    fn is_bare(&self, data: &[u8]) -> bool {
        let is_object = matches!(data.trim_ascii_start().first(), Some(b'{' | b'/'));
        let holds = |part: &[u8]| data.windows(part.len()).any(|window| window == part);
        let named: [&[u8]; 4] = [b"_rails\"", br"\u005", br"\u006", br"\u007"];
        let is_mistakable = is_object && named.into_iter().any(holds);
        !(self.purpose || is_mistakable)
    }
}

fn has_purpose(data: &[u8]) -> bool {
    data.starts_with(MESSAGE.as_bytes()) && !data.ends_with(NO_PURPOSE.as_bytes())
}

/// Unix milliseconds of a time that [`written`] wrote.
fn read(quoted: &str) -> Option<u64> {
    let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let millis = u64::try_from(from_rfc3339(text)?).ok()?;
    (written(millis)? == quoted).then_some(millis)
}

/// Unix milliseconds as Ruby's `iso8601(3)` has them, in quotes.
fn written(millis: u64) -> Option<String> {
    Some(format!("\"{}\"", to_iso8601(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(purpose: bool, text: &str) -> Result<Content<'static>, Refusal> {
        Envelope::new("sid", purpose).open(text.into())
    }

    // written by ActiveSupport 6.1.7.10
    const WRITTEN: &str =
        r#"{"_rails":{"message":"MQ==","exp":"2020-02-29T23:59:59.007Z","pur":"cookie.sid"}}"#;

    #[test]
    fn an_envelope_comes_out_as_rails_writes_it() {
        let content = opened(true, WRITTEN).unwrap();
        assert_eq!(*content.payload, *b"1");
        assert_eq!(content.expiry_ms, Some(1_583_020_799_007));
        let again = Envelope::new("sid", true).seal(&content).unwrap();
        assert_eq!(again, WRITTEN.as_bytes());
        let and = Envelope::new("a&b", true).seal(&Content::of(&b"1"[..]));
        let text = r#"{"_rails":{"message":"MQ==","exp":null,"pur":"cookie.a\u0026b"}}"#;
        assert_eq!(and.unwrap(), text.as_bytes());
    }

    #[test]
    fn an_envelope_that_rails_would_not_write_is_refused() {
        for (from, to) in [
            ("MQ==", "MQ"),
            ("MQ==", "MR=="),
            ("cookie.sid", "cookie.sid2"),
            ("cookie.sid", "cookie.SID"),
            ("\"cookie.sid\"", "null"),
            (":{", ": {"),
            ("}}", "}} "),
            ("}}", ",\"a\":1}}"),
            ("007Z", "007+00:00"),
            ("007Z", "0070Z"),
            (".007Z", "Z"),
            ("T23:59:59", "T23:59:60"),
            ("2020-02-29", "2021-02-29"),
            ("2020-02-29", "1969-02-28"),
            ("2020-02-29", "12020-02-29"),
            ("\"2020-02-29T23:59:59.007Z\"", "1583020799007"),
            ("\"2020-02-29T23:59:59.007Z\"", ""),
        ] {
            let text = WRITTEN.replace(from, to);
            assert_ne!(text, WRITTEN);
            let is_other_way = text.contains(": {") || text.contains("null");
            let refusal = if is_other_way {
                Refusal::Signature
            } else {
                Refusal::Content
            };
            assert_eq!(opened(true, &text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn an_envelope_is_good_for_one_name() {
        let elsewhere = Envelope::new("other", true);
        assert_eq!(elsewhere.open(WRITTEN.into()), Err(Refusal::Content));
    }

    #[test]
    fn without_purpose_nothing_passes_that_rails_would_take_for_another_envelope() {
        let null = r#"{"_rails":{"message":"MQ==","exp":null,"pur":null}}"#;
        for mistakable in [
            WRITTEN,
            null,
            r#" {"a":1, "_rails":{"message":"MQ=="}}"#,
            r#"/**/{"_rails":{"message":"MQ=="}}"#,
            r#"{"\u005frails":{"message":"MQ=="}}"#,
            r#"{"_r\u0061ils":{"message":"MQ=="}}"#,
        ] {
            let refusal = match mistakable {
                WRITTEN => Refusal::Signature,
                _ => Refusal::Content,
            };
            assert_eq!(opened(false, mistakable), Err(refusal), "{mistakable}");
            let content = Content::of(mistakable.as_bytes());
            let sealed = Envelope::new("sid", false).seal(&content);
            assert_eq!(sealed, Err(Uncarriable), "{mistakable}");
        }
        for bare in [
            "1",
            r#""_rails""#,
            r#"{"a":"\u003cb\u003e rails"}"#,
            "\u{4}\u{8}{_rails\"",
        ] {
            assert_eq!(opened(false, bare), Ok(Content::of(bare.as_bytes())));
        }
    }

    #[test]
    fn a_year_of_five_digits_is_not_written() {
        let content = |expiry| Content::of(&b"1"[..]).expiring_at(Some(expiry));
        let envelope = Envelope::new("sid", true);
        let last = 253_402_300_799_999;
        let text = String::from_utf8(envelope.seal(&content(last)).unwrap()).unwrap();
        assert!(text.contains("\"9999-12-31T23:59:59.999Z\""));
        for beyond in [last + 1, u64::MAX] {
            assert_eq!(envelope.seal(&content(beyond)), Err(Uncarriable));
        }
    }
}
