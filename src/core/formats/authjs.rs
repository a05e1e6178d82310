//! `authjs`, `nextauth`: the session tokens of Auth.js 5 and NextAuth 4, which are encrypted JSON Web Tokens.
//!
//! Layout (JWE compact serialisation, RFC 7516, section 7.1; `dir`, so the second part is empty), each part base64url
//! without padding:
//!
//! ```text
//! HEADER ".." IV "." CIPHER "." TAG
//! authjs    HEADER {"alg":"dir","enc":"A256CBC-HS512","kid":KID}, IV 16 bytes, TAG 32
//!           K = HKDF-SHA256(secret, salt NAME, info "Auth.js Generated Encryption Key (" NAME ")", 64 bytes)
//!           KID = base64url(SHA-512({"k":base64url(K),"kty":"oct"})): the key's thumbprint (RFC 7638)
//! nextauth  HEADER {"alg":"dir","enc":"A256GCM"}, IV 12 bytes, TAG 16
//!           K = HKDF-SHA256(secret, SALT, info "NextAuth.js Generated Encryption Key", 32 bytes)
//! eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..CAQDHXpkhH9oKoGz.gnpJ3i…YjyeYA.BwBt_hPOeQH0cWPgGqCfmQ
//! ```
//!
//! The header's text is authenticated beside the plaintext. A256CBC-HS512 is AES-256-CBC under the last 32 bytes of K,
//! and HMAC-SHA512 under the first 32, cut to 32 bytes, over header, IV, ciphertext and the header's length in bits (RFC
//! 7518, section 5.2). The plaintext is the claims as JSON, kept byte for byte, with `iat` and `exp` in each: both
//! libraries take an `exp` for 15 seconds longer.
//!
//! NAME is the cookie's, so `authjs` binds it; a NextAuth session does not. NextAuth's short-lived cookies of a login
//! (`…pkce.code_verifier`, `…state`, `…nonce`) have their own name for SALT, which then stands behind the info in
//! brackets: `salt`. What either library writes as NAME.0, NAME.1, … because it is long is not covered here.
//!
//! A token with another `kid` is of another key. Auth.js also reads one without, as it wrote them before it knew several
//! secrets: that opens, and is sealed with one.
//!
//! Stricter than the libraries, which also read base64url with unused bits set, header members in any order, and, Auth.js
//! alone, A256GCM under the first 32 bytes of K: neither writes that.
//!
//! Source: `src/jwt.ts` of @auth/core, `src/jwt/index.ts` of next-auth, jose; checked against @auth/core 0.41.3 with jose
//! 6.2.18 and next-auth 4.24.15 with jose 4.15.9 by the vectors.

use zeroize::Zeroizing;

use super::claims;
use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{cbc_open, cbc_seal, gcm_open_beside, gcm_seal_beside};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, Tag, equal, hkdf, random_bytes};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{base64_len, base64url, from_base64url, is_base64url};

pub const FORMATS: &[Description] = &[
    Description {
        name: "authjs",
        used_by: "Auth.js 5 (@auth/core 0.41, next-auth 5)",
        options: &[],
        read: |_| Some(Box::new(SessionToken::AuthJs)),
    },
    Description {
        name: "nextauth",
        used_by: "NextAuth 4.24 (next-auth 4)",
        options: &[FormatOption::new(
            "salt",
            DefaultValue::Text(""),
            "the cookie's name for what NextAuth keeps during a login",
        )
        .also_used_as(&[ShapeValue::Name])],
        read: nextauth,
    },
];

fn nextauth(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let salt = table.text("salt").unwrap_or_default();
    Some(Box::new(SessionToken::NextAuth {
        salt: salt.to_owned(),
    }))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SessionToken {
    AuthJs,
    NextAuth { salt: String },
}

impl SessionToken {
    /// What HKDF is told beside the secret: salt, and what the key is for.
    fn made_for<'t>(&'t self, cookie: &'t str) -> (&'t str, String) {
        match self {
            Self::AuthJs => (cookie, format!("Auth.js {INFO} ({cookie})")),
            Self::NextAuth { salt } if salt.is_empty() => ("", format!("NextAuth.js {INFO}")),
            Self::NextAuth { salt } => (salt, format!("NextAuth.js {INFO} ({salt})")),
        }
    }

    fn token(&self, key: &[u8]) -> Option<Token> {
        match self {
            Self::AuthJs => {
                let thumbprint = thumbprint(key);
                let header = base64url(format!("{CBC_HEADER}{KID}{thumbprint}\"}}").as_bytes());
                let bare = Some(base64url(format!("{CBC_HEADER}}}").as_bytes()));
                let cipher = Cipher::cbc(key)?;
                Some(Token {
                    header,
                    bare,
                    cipher,
                })
            }
            Self::NextAuth { .. } => Some(Token {
                header: base64url(GCM_HEADER),
                bare: None,
                cipher: Cipher::Gcm(Zeroizing::new(key.to_vec())),
            }),
        }
    }

    fn key_len(&self) -> usize {
        match self {
            Self::AuthJs => 64,
            Self::NextAuth { .. } => 32,
        }
    }
}

const INFO: &str = "Generated Encryption Key";
const CBC_HEADER: &str = r#"{"alg":"dir","enc":"A256CBC-HS512""#;
const KID: &str = r#","kid":""#;
const GCM_HEADER: &[u8] = br#"{"alg":"dir","enc":"A256GCM"}"#;

/// RFC 7638, section 3, with the hash as long as the key.
fn thumbprint(key: &[u8]) -> String {
    let jwk = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, base64url(key)));
    base64url(&Digest::Sha512.hash(&[jwk.as_bytes()]))
}

impl Format for SessionToken {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            carries_expiry: true,
            grace_ms: 15_000,
            binds_name: *self == Self::AuthJs,
            ..FormatProperties::of(Payload::Of("Auth.js"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(32)
    }

    fn derivation(&self, cookie: &str) -> Derivation {
        let (_, info) = self.made_for(cookie);
        Derivation::Derived(format!("HKDF-SHA256 {info}").into_bytes())
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let (salt, info) = self.made_for(cookie);
        let derived = hkdf(
            key.bytes(),
            salt.as_bytes(),
            info.as_bytes(),
            self.key_len(),
        );
        let token = derived.and_then(|key| self.token(&key));
        Ok(Box::new(
            token.ok_or(KeyFault::new("cannot be made into a key"))?,
        ))
    }
}

struct Token {
    /// The first part of what is sealed.
    header: String,
    /// The same without a `kid`, where that opens too.
    bare: Option<String>,
    cipher: Cipher,
}

impl Keyed for Token {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let parts = Parts::of(value).filter(|parts| self.cipher.fits(parts));
        let parts = parts.ok_or(Refusal::Shape)?;
        if parts.header != self.header && Some(parts.header) != self.bare.as_deref() {
            return Err(self.refusal(parts.header));
        }
        let plaintext = self.cipher.open(&parts)?;
        content(plaintext).ok_or(Refusal::Content)
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        // what would not open again
        claims::issued_at(content.text()?).ok_or(Uncarriable)?;
        let sealed = self.cipher.seal(&self.header, &content.payload, random);
        let [iv, ciphertext, tag] = sealed.ok_or(Uncarriable)?;
        Ok(format!("{}..{iv}.{ciphertext}.{tag}", self.header))
    }
}

impl Token {
    /// Why a header is refused that is not this key's: it may be another's.
    fn refusal(&self, header: &str) -> Refusal {
        let text = from_base64url(header).filter(|_| header.len() == self.header.len());
        let rest = text
            .as_deref()
            .and_then(|text| text.strip_prefix(CBC_HEADER.as_bytes()));
        if rest.is_some_and(|rest| rest.starts_with(KID.as_bytes()) && rest.ends_with(b"\"}")) {
            Refusal::Signature
        } else {
            Refusal::Shape
        }
    }
}

/// The claims, which must be text, and their times.
fn content(plaintext: Vec<u8>) -> Option<Content<'static>> {
    let json = String::from_utf8(plaintext).ok()?;
    let issued = claims::issued_at(&json)?;
    let content = claims::timed(Content::of(Vec::new()), &json)?.signed_at(issued);
    Some(Content {
        payload: json.into_bytes().into(),
        ..content
    })
}

/// The parts of a token, of which the second is empty.
struct Parts<'v> {
    header: &'v str,
    iv: &'v str,
    ciphertext: &'v str,
    tag: &'v str,
}

impl<'v> Parts<'v> {
    fn of(value: &'v str) -> Option<Self> {
        let mut parts = value.split('.');
        let header = parts.next()?;
        let is_direct = parts.next()?.is_empty();
        let [iv, ciphertext, tag] = [parts.next()?, parts.next()?, parts.next()?];
        let is_token = is_direct && parts.next().is_none() && is_base64url(ciphertext);
        is_token.then_some(Self {
            header,
            iv,
            ciphertext,
            tag,
        })
    }
}

/// How the claims are encrypted, under one key.
enum Cipher {
    /// A256CBC-HS512.
    Cbc { mac: Mac, key: Zeroizing<Vec<u8>> },
    /// A256GCM.
    Gcm(Zeroizing<Vec<u8>>),
}

/// How much of the MAC is the tag of A256CBC-HS512, in bytes.
const CBC_TAG: usize = 32;

impl Cipher {
    fn cbc(key: &[u8]) -> Option<Self> {
        let (mac_key, key) = key.split_at_checked(32)?;
        Some(Self::Cbc {
            mac: Mac::new(Digest::Sha512, mac_key),
            key: Zeroizing::new(key.to_vec()),
        })
    }

    fn fits(&self, parts: &Parts<'_>) -> bool {
        let (iv, tag) = match self {
            Self::Cbc { .. } => (16, CBC_TAG),
            Self::Gcm(_) => (12, 16),
        };
        parts.iv.len() == base64_len(iv) && parts.tag.len() == base64_len(tag)
    }

    fn open(&self, parts: &Parts<'_>) -> Result<Vec<u8>, Refusal> {
        let ciphertext = from_base64url(parts.ciphertext).ok_or(Refusal::Shape)?;
        match self {
            Self::Cbc { mac, key } => {
                let iv = bytes(parts.iv)?;
                let tag: [u8; CBC_TAG] = bytes(parts.tag)?;
                let own = cbc_tag(mac, parts.header, &iv, &ciphertext);
                if !equal(&own[..CBC_TAG], &tag) {
                    return Err(Refusal::Signature);
                }
                cbc_open(key, &iv, &ciphertext).ok_or(Refusal::Content)
            }
            Self::Gcm(key) => {
                let (iv, tag) = (bytes(parts.iv)?, bytes(parts.tag)?);
                gcm_open_beside(key, &iv, parts.header.as_bytes(), &ciphertext, &tag)
                    .ok_or(Refusal::Signature)
            }
        }
    }

    /// IV, ciphertext and tag as they are written.
    fn seal(&self, header: &str, plaintext: &[u8], random: Random) -> Option<[String; 3]> {
        match self {
            Self::Cbc { mac, key } => {
                let iv = random_bytes(random);
                let ciphertext = cbc_seal(key, &iv, plaintext)?;
                let tag = cbc_tag(mac, header, &iv, &ciphertext);
                Some([&iv[..], &ciphertext, &tag[..CBC_TAG]].map(base64url))
            }
            Self::Gcm(key) => {
                let iv = random_bytes(random);
                let (ciphertext, tag) = gcm_seal_beside(key, &iv, header.as_bytes(), plaintext)?;
                Some([&iv[..], &ciphertext, &tag].map(base64url))
            }
        }
    }
}

/// RFC 7518, section 5.2.2.1; an HMAC-SHA512, so longer than the tag.
fn cbc_tag(mac: &Mac, header: &str, iv: &[u8], ciphertext: &[u8]) -> Tag {
    let bits = (header.len() as u64 * 8).to_be_bytes();
    mac.sign(&[header.as_bytes(), iv, ciphertext, &bits])
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], Refusal> {
    let bytes = from_base64url(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Refusal::Shape)
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;

    const CLAIMS: &str = r#"{"sub":"1","iat":1700000000,"exp":1700003600}"#;
    const NEXTAUTH: SessionToken = SessionToken::NextAuth {
        salt: String::new(),
    };

    fn keyed(format: &SessionToken, cookie: &str, secret: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), secret.as_bytes().to_vec());
        format.keyed(cookie, &key).unwrap()
    }

    fn sealed(format: &SessionToken, claims: &str) -> String {
        let content = Content::of(claims.as_bytes());
        keyed(format, "sid", "a").seal(&content, counted).unwrap()
    }

    #[test]
    fn times_are_those_of_the_claims() {
        for format in [SessionToken::AuthJs, NEXTAUTH] {
            let value = sealed(&format, CLAIMS);
            let content = keyed(&format, "sid", "a").open(&value).unwrap();
            assert_eq!(content.text(), Ok(CLAIMS));
            assert_eq!(content.time_s, Some(1_700_000_000));
            assert_eq!(content.expiry_ms, Some(1_700_003_600_000));
        }
    }

    #[test]
    fn a_token_is_good_for_one_key_and_of_authjs_for_one_name() {
        for format in [SessionToken::AuthJs, NEXTAUTH] {
            let value = sealed(&format, CLAIMS);
            let other_key = keyed(&format, "sid", "b").open(&value);
            assert_eq!(other_key, Err(Refusal::Signature));
            let other_name = keyed(&format, "sad", "a").open(&value);
            assert_eq!(other_name.is_ok(), format == NEXTAUTH);
        }
        let salted = SessionToken::NextAuth {
            salt: "state".to_owned(),
        };
        let value = sealed(&salted, CLAIMS);
        assert_eq!(
            keyed(&NEXTAUTH, "sid", "a").open(&value),
            Err(Refusal::Signature)
        );
    }

    #[test]
    fn only_what_is_a_token_of_this_kind_is_hashed() {
        for (own, other) in [
            (SessionToken::AuthJs, NEXTAUTH),
            (NEXTAUTH, SessionToken::AuthJs),
        ] {
            let value = sealed(&own, CLAIMS);
            let token = keyed(&own, "sid", "a");
            let header = value.split('.').next().unwrap();
            for bad in [
                String::new(),
                value.replacen("..", ".", 1),
                value.replacen("..", ".AA.", 1),
                format!("{value}."),
                format!("{value}A"),
                value.replacen(header, "", 1),
                value.replacen(header, &base64url(br#"{"alg":"none"}"#), 1),
                value.replacen(header, "\u{e9}", 1),
                sealed(&other, CLAIMS),
            ] {
                assert_eq!(token.open(&bad), Err(Refusal::Shape), "{bad}");
            }
        }
    }

    #[test]
    fn claims_without_times_are_neither_read_nor_written() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"iat":"1"}"#,
            r#"{"exp":1}"#,
            r#"{"iat":1,"iat":2}"#,
        ] {
            let content = Content::of(bad.as_bytes());
            for format in [SessionToken::AuthJs, NEXTAUTH] {
                let token = keyed(&format, "sid", "a");
                assert_eq!(token.seal(&content, counted), Err(Uncarriable), "{bad}");
            }
        }
        for bad in [r#"{"iat":1,"exp":"x"}"#, "{\"iat\":1", "\u{fffd}"] {
            assert_eq!(content(bad.as_bytes().to_vec()), None, "{bad}");
        }
        assert_eq!(content(vec![0xFF]), None);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(name in "[ -~]{0,20}", iat in 0..1u64 << 40) {
            let claims = format!(r#"{{"name":{},"iat":{iat}}}"#, crate::wire::json::ascii_string(&name));
            for format in [SessionToken::AuthJs, NEXTAUTH] {
                let opened = keyed(&format, "sid", "a").open(&sealed(&format, &claims)).map(Content::into_owned);
                let opened = opened.unwrap();
                prop_assert_eq!(opened.text(), Ok(claims.as_str()));
            }
        }

        #[test]
        fn no_text_panics(text: String, parts in "[a-zA-Z0-9_.-]{0,80}") {
            for format in [SessionToken::AuthJs, NEXTAUTH] {
                let token = keyed(&format, "sid", "a");
                let _ = token.open(&text);
                let _ = token.open(&format!("{}..{parts}", base64url(GCM_HEADER)));
            }
        }
    }
}
