//! `yii2`: the cookies of Yii 2 under its `cookieValidationKey`, `_identity` among them; Craft CMS's too.
//!
//! Layout, percent-encoded as PHP's `setcookie` does (`:` becomes `%3A`, a space `%20`):
//!
//! ```text
//! hex(HMAC-SHA256(KEY, D)) D        D = serialize([NAME, VALUE])
//! e5e75ecbf72edf8b3317db3484258a63497e81c237b1b4fe4410ef98c515c678a%3A2%3A%7Bi%3A0%3Bs%3A18%3A%22_identity-frontend%22%3Bi%3A1%3Bi%3A4711%3B%7D
//! ```
//!
//! The hexadecimal is lower case and compared as text. D starts with `a:2:{i:0;s:4:"NAME";i:1;` (4 bytes of NAME), goes
//! on with VALUE as PHP serialises it, and ends in `}`. The name is compared there and VALUE is opaque: nothing is
//! ever unserialised. No time is carried. PHP before 7.4 wrote a space as `+`, and every PHP reads it so; here too.
//!
//! Source: `framework/web/{Request,Response}.php` (`loadCookies`, `sendCookies`), `framework/base/Security.php`
//! (`hashData`, `validateData`) of Yii 2.0, read and not run; the vectors are made by PHP 8.2 with the functions that
//! they call (`hash_hmac`, `serialize`, `unserialize`, `rawurlencode`, `urldecode`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use super::description::{Description, FormatOption};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{hex, is_lower_hex};

pub const FORMATS: &[Description] = &[Description {
    name: "yii2",
    used_by: "Yii 2.0, `cookieValidationKey` (read, not run)",
    options: &[FormatOption::digest("sha256", "Security's `macHash`")],
    read: yii2,
}];

fn yii2(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let digest = table.choice("digest", Digest::NAMES);
    Some(Box::new(Yii2(digest.unwrap_or(Digest::Sha256))))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Yii2(Digest);

impl Format for Yii2 {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: true,
            ..FormatProperties::of(Payload::Of("yii2"))
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.0,
            signs: "serialize([NAME, VALUE])",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let named = format!("{ARRAY}{}:\"{cookie}\";i:1;", cookie.len());
        Ok(Box::new(KeyedCookie {
            named: named.into_bytes(),
            mac: Mac::new(self.0, key.bytes()),
            hex_len: 2 * self.0.size(),
        }))
    }
}

/// An array of two, the first of them a string.
const ARRAY: &str = "a:2:{i:0;s:";

struct KeyedCookie {
    /// What the signed text of this cookie starts with.
    named: Vec<u8>,
    mac: Mac,
    hex_len: usize,
}

impl Keyed for KeyedCookie {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let spaced: Vec<u8> = value
            .bytes()
            .map(|b| if b == b'+' { b' ' } else { b })
            .collect();
        let bytes: Vec<u8> = percent_decode(&spaced).collect();
        let (signature, data) = bytes.split_at_checked(self.hex_len).ok_or(Refusal::Shape)?;
        let is_hex = core::str::from_utf8(signature)
            .is_ok_and(|signature| is_lower_hex(signature, self.hex_len / 2));
        if !is_hex || !data.starts_with(ARRAY.as_bytes()) {
            return Err(Refusal::Shape);
        }
        if !equal(hex(&self.mac.sign(&[data])).as_bytes(), signature) {
            return Err(Refusal::Signature);
        }
        let rest = data.strip_prefix(&self.named[..]);
        let payload = rest.and_then(|rest| rest.strip_suffix(b"}"));
        Ok(Content::of(payload.ok_or(Refusal::Content)?.to_vec()))
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let data = [&self.named, &content.payload[..], b"}"].concat();
        let signature = hex(&self.mac.sign(&[&data]));
        Ok(signature + &percent_encode(&data, ENCODED).to_string())
    }
}

/// What `rawurlencode` encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    fn keyed(cookie: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        Yii2(Digest::Sha256).keyed(cookie, &key).unwrap()
    }

    fn signed(data: &str) -> String {
        let signature = hex(&Mac::new(Digest::Sha256, b"secret").sign(&[data.as_bytes()]));
        signature + data
    }

    #[test]
    fn a_name_is_compared_whole() {
        let own = "a:2:{i:0;s:3:\"sid\";i:1;i:7;}";
        assert_eq!(
            keyed("sid").open(&signed(own)),
            Ok(Content::of(&b"i:7;"[..]))
        );
        for other in [
            "a:2:{i:0;s:5:\"other\";i:1;i:7;}",
            "a:2:{i:0;s:2:\"sid\";i:1;i:7;}",
            "a:2:{i:0;s:10:\"sid\";i:1;i:\";i:1;i:7;}",
            "a:2:{i:0;s:3:\"sid\";i:2;i:7;}",
            "a:2:{i:0;s:3:\"sid\";i:1;i:7;",
        ] {
            assert_eq!(
                keyed("sid").open(&signed(other)),
                Err(Refusal::Content),
                "{other}"
            );
        }
    }

    #[test]
    fn only_what_could_be_signed_is_hashed() {
        let data = "a:2:{i:0;s:3:\"sid\";i:1;i:7;}";
        let signature = "0".repeat(64);
        let opened = |value: &str| keyed("sid").open(value).map(Content::into_owned);
        assert_eq!(
            opened(&format!("{signature}{data}")),
            Err(Refusal::Signature)
        );
        for shape in [
            String::new(),
            signature.clone(),
            format!("{}{data}", &signature[1..]),
            format!("A{}{data}", &signature[1..]),
            format!("é{}{data}", &signature[2..]),
            format!("{signature}i:7;"),
        ] {
            assert_eq!(opened(&shape), Err(Refusal::Shape), "{shape}");
        }
    }

    #[test]
    fn a_plus_is_a_space() {
        let data = "a:2:{i:0;s:3:\"sid\";i:1;s:3:\"a b\";}";
        let content = Content::of(&b"s:3:\"a b\";"[..]);
        let value = keyed("sid").seal(&content, no_random).unwrap();
        assert!(value.contains("a%20b"), "{value}");
        for spelled in [signed(data), value.replace("%20", "+"), value] {
            assert_eq!(keyed("sid").open(&spelled), Ok(content.clone()));
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload: Vec<u8>) {
            let content = Content::of(payload);
            let value = keyed("sid").seal(&content, no_random).unwrap();
            prop_assert_eq!(keyed("sid").open(&value), Ok(content));
        }

        #[test]
        fn no_text_panics(text: String) {
            prop_assert!(keyed("sid").open(&text).is_err());
        }
    }
}
