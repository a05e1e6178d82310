//! `plain`: no signature at all.
//!
//! Layout: the value is the payload, in RFC 6265 cookie-octets (section 4.1.1):
//! `PHPSESSID=3q1i2gbn6bk9vbc1a0nsp8n1ot`.

use super::{Content, Derivation, Entry, Format, Keyed, Nature, Payload, Refusal, Uncarriable};
use crate::encoding::is_cookie_octet;
use crate::key::Key;
use crate::primitives::Random;

pub const FORMATS: &[Entry] = &[("plain", |_| Some(Box::new(Plain)))];

/// A value that carries no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain;

impl Format for Plain {
    fn nature(&self) -> Nature {
        Nature::of(Payload::Text)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::None
    }

    fn keyed(&self, _cookie: &str, _key: &Key) -> Result<Box<dyn Keyed>, &'static str> {
        Ok(Box::new(Plain))
    }
}

impl Keyed for Plain {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        match value.bytes().all(is_cookie_octet) {
            true => Ok(Content::of(value.as_bytes())),
            false => Err(Refusal::Content),
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        match content.payload.iter().copied().all(is_cookie_octet) {
            true => Ok(content.text()?.to_owned()),
            false => Err(Uncarriable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;

    #[test]
    fn only_cookie_octets_are_written() {
        let seal = |text: &str| Plain.seal(&Content::of(text.as_bytes()), no_random);
        assert_eq!(seal("a/b=c"), Ok("a/b=c".to_owned()));
        for bad in [
            "a; admin=1",
            "a b",
            "a\"",
            "a,b",
            "a\\",
            "é",
            "a\u{1}",
            "a\u{7f}",
        ] {
            assert_eq!(seal(bad), Err(Uncarriable), "{bad}");
        }
    }
}
