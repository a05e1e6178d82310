//! `hono`: the signed cookies of Hono and of better-auth.
//!
//! Layout, the whole written by `encodeURIComponent` (`=` becomes `%3D`, `+` `%2B`, `/` `%2F`):
//!
//! ```text
//! VALUE "." base64(HMAC-SHA256(SECRET, VALUE))
//! dJ.mq9mkX3QXvRJsm5IZKvikNqCSn00p5o1eyn8W7gWFXI%3D
//! ```
//!
//! The base64 is standard with its padding, 44 characters. Split at the last dot: VALUE may hold dots, and may
//! be empty. The name is not bound: a signed value moves between cookies. No time is carried.
//!
//! Both readers decode percent sequences and compare the signature's bytes, so a value may be encoded otherwise
//! or not at all, and the two unused bits of the signature are free; here too. Both also take a value in double
//! quotes, and Hono decodes the whole sequences of a text that has broken ones; neither writes that, and it is
//! refused here. So is what is not ASCII unencoded, which Hono refuses.
//!
//! Source: `hono/src/utils/cookie.ts`, `better-call/src/{cookies,crypto}.ts`; checked against Hono 4.13.19 and
//! better-auth 1.7.25 with better-call 1.4.5 by the vectors.

use super::description::Description;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::wire::encoding::{
    from_base64_leniently, from_uri_component, is_cookie_octet, push_base64, uri_component,
};

pub const FORMATS: &[Description] = &[Description {
    name: "hono",
    used_by: "Hono 4.13, better-auth 1.7",
    options: &[],
    read: |_| Some(Box::new(Hono)),
}];

/// 32 bytes in base64, padding among them.
const SIGNATURE_LEN: usize = 44;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hono;

impl Format for Hono {
    fn properties(&self) -> FormatProperties {
        FormatProperties::of(Payload::Text)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: Digest::Sha256,
            signs: "VALUE",
        }
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedHono(Mac::new(Digest::Sha256, key.bytes()))))
    }
}

struct KeyedHono(Mac);

impl Keyed for KeyedHono {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        if !value.bytes().all(is_read) {
            return Err(Refusal::Shape);
        }
        let text = from_uri_component(value);
        let (payload, signature) = text.rsplit_once('.').ok_or(Refusal::Shape)?;
        let signature = signature_bytes(signature).ok_or(Refusal::Shape)?;
        if equal(&self.0.sign(&[payload.as_bytes()]), &signature) {
            Ok(Content::of(payload.as_bytes().to_vec()))
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        let mut text = format!("{payload}.");
        push_base64(&mut text, &self.0.sign(&[payload.as_bytes()]));
        Ok(uri_component(&text))
    }
}

/// Whether Hono reads a value with this byte before it decodes.
fn is_read(b: u8) -> bool {
    is_cookie_octet(b) || b == b' ' || b == b','
}

fn signature_bytes(text: &str) -> Option<Vec<u8>> {
    let has_shape = text.len() == SIGNATURE_LEN && text.ends_with('=');
    let bytes = has_shape.then(|| from_base64_leniently(text))?;
    bytes.filter(|bytes| bytes.len() == Digest::Sha256.size())
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;

    fn keyed() -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"a secret".to_vec());
        Hono.keyed("sid", &key).unwrap()
    }

    fn sealed(text: &str) -> String {
        let content = Content::of(text.as_bytes());
        keyed().seal(&content, no_random).unwrap()
    }

    #[test]
    fn only_what_could_be_a_signature_is_hashed() {
        let signature = "7LmPH3+tFkzDvcwdXDVAM9QT4l31cm8EyMm0hQxGg8Q=";
        let good = format!("x.{signature}");
        assert_eq!(keyed().open(&good), Err(Refusal::Signature));
        for shape in [
            signature.to_owned(),
            format!("x.{}", &signature[1..]),
            format!("x.{}", &signature[..43]),
            format!("x.A{signature}"),
            format!("x.{}==", &signature[..42]),
            format!("x.={}", &signature[1..]),
            format!("x.-{}", &signature[1..]),
            format!("\"{good}\""),
            format!("\\{good}"),
            format!("é{good}"),
            format!("%C3{good}").replace('=', "%3D"),
        ] {
            assert_eq!(keyed().open(&shape), Err(Refusal::Shape), "{shape}");
        }
    }

    #[test]
    fn what_would_end_a_value_is_encoded() {
        let text = "a; b=\"c\\\", é%20\r\n.";
        let value = sealed(text);
        assert!(crate::wire::encoding::is_header_text(&value));
        assert_eq!(keyed().open(&value), Ok(Content::of(text.as_bytes())));
    }
}
