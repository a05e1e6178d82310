//! `hapi`: cookies that hapi signs (`server.state` with `sign`), whatever their encoding.
//!
//! Layout:
//!
//! ```text
//! VALUE "." MSALT "*" base64url(HMAC-SHA256(K(MSALT), "hapi.signed.cookie.1\n" NAME "\n" VALUE))
//! Li5zY29yZS4yNzUu.85607edb057d3ef1a0f6833f40b3929e143df4f9dbf371da425d2cacb9d6cbb4*AurMGVxA6U27ulX5bHH3
//!   cKqhfrRByugHysAltm_0qNc
//! ```
//!
//! K is @hapi/iron's (see `iron_password.rs`); MSALT is random. Split at the last point; the MAC is
//! compared as text. The payload is VALUE: base64, base64 of JSON, form fields or an Iron seal, opaque
//! here. A cookie that is sealed and not signed is none of this format: that is `iron`.
//!
//! hapi never verifies a cookie with `encoding: 'none'`, though it signs it: such a cookie reaches the
//! application with its signature, and no key protects it.
//!
//! Source: `lib/index.js` of @hapi/statehood; checked against @hapi/statehood 8.2.1 with @hapi/iron 7.0.1
//! by the vectors.

use super::description::Description;
use super::iron_password::{FAST, LEAST, Password, is_mac, is_salt};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::Random;
use crate::crypto::key::Key;
use crate::prelude::*;
use crate::wire::encoding::is_header_text;

pub const FORMATS: &[Description] = &[Description {
    name: "hapi",
    used_by: "hapi 21.4, cookies that it signs",
    options: &[],
    read: |_| Some(Box::new(Hapi)),
}];

const PREFIX: &str = "hapi.signed.cookie.1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hapi;

impl Format for Hapi {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: true,
            least_key: Some(LEAST),
            ..FormatProperties::of(Payload::Text)
        }
    }

    /// Not `iron`'s, though the keys are made alike: what is signed starts otherwise, so a MAC of the one
    /// is never one of the other.
    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(48)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Derived(PREFIX.into())
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedHapi {
            signed_before: format!("{PREFIX}\n{cookie}\n"),
            password: Password::of(key, FAST)?,
        }))
    }
}

struct KeyedHapi {
    signed_before: String,
    password: Password,
}

impl Keyed for KeyedHapi {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let (payload, signature) = value.rsplit_once('.').ok_or(Refusal::Shape)?;
        let (salt, mac) = signature.split_once('*').ok_or(Refusal::Shape)?;
        if !is_salt(salt) || !is_mac(mac) || !is_header_text(payload) {
            return Err(Refusal::Shape);
        }
        let parts = [self.signed_before.as_bytes(), payload.as_bytes()];
        match self.password.verify(salt, &parts, mac, &mut 0) {
            Some(true) => Ok(Content::of(payload.as_bytes())),
            _ => Err(Refusal::Signature),
        }
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let payload = content.text()?;
        if !is_header_text(payload) {
            return Err(Uncarriable);
        }
        let salt = self.password.mac_salt(random);
        let parts = [self.signed_before.as_bytes(), payload.as_bytes()];
        let mac = self.password.sign(&salt, &parts);
        Ok(format!("{payload}.{salt}*{mac}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn keyed(name: &str) -> Box<dyn Keyed> {
        let password = b"a password of 32 characters, just".to_vec();
        let key = Key::new(KeyId::parse("KEY").unwrap(), password);
        Hapi.keyed(name, &key).unwrap()
    }

    fn sealed(payload: &str) -> String {
        keyed("sid")
            .seal(&Content::of(payload.as_bytes()), counted)
            .unwrap()
    }

    #[test]
    fn a_signature_is_good_for_one_name() {
        let value = sealed("YQ==");
        assert_eq!(keyed("sid").open(&value), Ok(Content::of(&b"YQ=="[..])));
        assert_eq!(keyed("sad").open(&value), Err(Refusal::Signature));
    }

    #[test]
    fn only_what_could_be_a_signature_is_hashed() {
        let value = sealed("a.b");
        let mac = value.rsplit_once('*').unwrap().1;
        for bad in [
            "",
            "a",
            "a.b",
            "a.ab*",
            &value[..value.len() - 1],
            &format!("{value}*"),
            &format!("a.*{mac}"),
            &format!("a.ab {mac}"),
            &format!("é.ab*{mac}"),
        ] {
            assert_eq!(keyed("sid").open(bad), Err(Refusal::Shape), "{bad}");
        }
        let other = value.replacen('a', "b", 1);
        assert_eq!(keyed("sid").open(&other), Err(Refusal::Signature));
    }

    #[test]
    fn what_could_end_the_value_or_the_header_is_not_sealed() {
        for bad in [
            "a b", "a;b", "a,b", "\"a\"", "a\\b", "a\r\n", "é", "\u{FFFD}",
        ] {
            let content = Content::of(bad.as_bytes());
            assert_eq!(
                keyed("sid").seal(&content, counted),
                Err(Uncarriable),
                "{bad:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload in "[!#-+\\--:<-\\[\\]-~]{0,40}") {
            let value = sealed(&payload);
            prop_assert_eq!(keyed("sid").open(&value), Ok(Content::of(payload.as_bytes())));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = keyed("sid").open(&text);
        }
    }
}
