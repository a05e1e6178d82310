//! `plug-session`, `plug-cookie`: signed and encrypted cookies of Elixir's Plug, and so of Phoenix.
//!
//! Layout; the base64url is without padding, K = PBKDF2-HMAC-SHA256(secret_key_base, SALT, 1000, 32 bytes):
//!
//! ```text
//! "SFMyNTY." base64url(term) "." base64url(HMAC-SHA256(K, all before the last dot))
//! SFMyNTY.g3QAAAACbQAAAAFubQAAAARDZVJybQAAAAd1c2VyX2lkYgAABM4.3QHGiSI3fKMasIl_zTJll6fNHk6x-BnFDVM_AkjxP4Q
//!
//! "XCP." base64url(NONCE TAG XChaCha20-Poly1305(K, NONCE, term; beside it "A128GCM"))            encrypted
//! XCP.-c_QIIoLmVQEcZspfX2bpzi2481vamDIKMNvInq5RcWwpAHbhD403WvpBlOiuycKPqSfBAeHDXR4iDL9NyKGQ6YPza9HstLlng7pMO8B
//!
//! "QTEyOEdDTQ." base64url(CEK, wrapped) "." base64url(IV) "." base64url(AES-128-GCM) "." base64url(TAG)
//! ```
//!
//! The last is how plug_crypto before 2.0 encrypted. It opens, as it does there, and is never written.
//!
//! `plug-session` is the cookie store of Plug.Session. SALT is its `signing_salt`, or its `encryption_salt`
//! where there is one. The term is opaque here; no name is bound, no time is carried.
//!
//! `plug-cookie` is `put_resp_cookie` with `sign: true`, or `encrypt: true` (here `encrypted = true`). SALT is
//! NAME_cookie, which binds the name. The term is `{value, signed, max_age}`, in milliseconds and seconds,
//! and of it only that much is read. It is another kind of payload than a session's: neither would be taken
//! for the other.
//!
//! Source: plug `lib/plug/session/cookie.ex`, `lib/plug/conn.ex`; plug_crypto `lib/plug/crypto.ex`,
//! `message_verifier.ex`, `message_encryptor.ex`; checked against plug 1.16.1 with plug_crypto 2.1.1 by the
//! vectors. As there, the unused bits of the last base64 may be anything and it may be padded. Keys with
//! other `key_iterations`, `key_length` or `key_digest` than the default are not known here.

use once_cell::race::OnceBox;
use zeroize::Zeroizing;

use self::stamp::Stamp;
use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{TAG, gcm_open_beside, xchacha_open, xchacha_seal};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Pbkdf2, Random, equal, pbkdf2, random_bytes};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    base64url, from_base64url, from_base64url_leniently, is_base64url, push_base64url,
};

mod stamp;

pub const FORMATS: &[Description] = &[
    Description {
        name: "plug-session",
        used_by: "Plug 1.16 (Phoenix), its session's cookie store",
        options: &[
            FormatOption::new("signing_salt", DefaultValue::Required, ""),
            FormatOption::new(
                "encryption_salt",
                DefaultValue::Unset,
                "signed only where it is left out",
            )
            .shaped_by(&[ShapeValue::Text("-")]),
        ],
        read: session,
    },
    Description {
        name: "plug-cookie",
        used_by: "Plug 1.16 (Phoenix), `put_resp_cookie` with `sign` or `encrypt`",
        options: &[
            FormatOption::new("encrypted", DefaultValue::Flag(false), "")
                .shaped_by(&[ShapeValue::Flag(true)]),
        ],
        read: put_resp_cookie,
    },
];

fn put_resp_cookie(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let encrypted = table.flag("encrypted").unwrap_or_default();
    Some(Box::new(Cookie { encrypted }))
}

fn session(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    if !table.has("signing_salt") {
        table.missing("signing_salt", "copy it from the options of Plug.Session");
    }
    let signing_salt = table.text("signing_salt").map(str::to_owned);
    let encryption_salt = table.text("encryption_salt").map(str::to_owned);
    Some(Box::new(Session {
        signing_salt: signing_salt?,
        encryption_salt,
    }))
}

/// What Plug asks of a `secret_key_base`, in bytes.
const LEAST_KEY: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    signing_salt: String,
    encryption_salt: Option<String>,
}

impl Session {
    fn salts(&self) -> Salts {
        let signing = Some(self.signing_salt.clone());
        match &self.encryption_salt {
            None => Salts::Signing(self.signing_salt.clone()),
            Some(salt) => Salts::Encryption(salt.clone(), signing),
        }
    }
}

impl Format for Session {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            least_key: Some(LEAST_KEY),
            ..FormatProperties::of(Payload::Of("plug-session"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(48)
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        self.salts().derivation()
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedSession(Token::new(self.salts(), key))))
    }
}

struct KeyedSession(Token);

impl Keyed for KeyedSession {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        self.0.open(value).map(Content::of)
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        self.0.seal(&content.payload, random)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cookie {
    encrypted: bool,
}

impl Cookie {
    fn salts(self, cookie: &str) -> Salts {
        let salt = format!("{cookie}_cookie");
        if !self.encrypted {
            Salts::Signing(salt)
        } else {
            Salts::Encryption(salt, None)
        }
    }
}

impl Format for Cookie {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: true,
            carries_expiry: true,
            grace_ms: 1, // it counts at its end, and no longer
            binds_name: true,
            least_key: Some(LEAST_KEY),
            ..FormatProperties::of(Payload::Of("plug-cookie"))
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64Url(48)
    }

    fn derivation(&self, cookie: &str) -> Derivation {
        self.salts(cookie).derivation()
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedCookie(Token::new(self.salts(cookie), key))))
    }
}

struct KeyedCookie(Token);

impl Keyed for KeyedCookie {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let term = self.0.open(value)?;
        let stamp = Stamp::of(&term).ok_or(Refusal::Content)?;
        Ok(Content::of(term)
            .signed_at(stamp.signed / 1000)
            .expiring_at(stamp.end))
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        Stamp::of(&content.payload).ok_or(Uncarriable)?;
        self.0.seal(&content.payload, random)
    }
}

/// What keys are made with.
#[derive(Clone, Debug)]
enum Salts {
    Signing(String),
    /// And the signing salt, which tokens from before plug_crypto 2.0 need too.
    Encryption(String, Option<String>),
}

impl Salts {
    /// The key that encrypts is made from its own salt alone.
    fn derivation(&self) -> Derivation {
        let (used, salt) = match self {
            Self::Signing(salt) => ("HMAC-SHA256", salt),
            Self::Encryption(salt, _) => ("XChaCha20-Poly1305", salt),
        };
        Derivation::Derived(format!("plug PBKDF2-SHA256 1000 32 {used} {salt}").into_bytes())
    }
}

/// What Plug's cookies have in common, under one key.
struct Token {
    key: Key,
    salts: Salts,
    mac: OnceBox<Mac>,
    cipher: OnceBox<Zeroizing<Vec<u8>>>,
    /// What tokens from before plug_crypto 2.0 authenticate beside the key that they hold.
    beside: OnceBox<Zeroizing<Vec<u8>>>,
}

const SIGNED: &str = "SFMyNTY.";
const ENCRYPTED: &str = "XCP.";
const ENCRYPTED_BEFORE_2: &str = "QTEyOEdDTQ.";
const BESIDE: &[u8] = b"A128GCM";
const NONCE: usize = 24;

impl Token {
    fn new(salts: Salts, key: &Key) -> Self {
        Self {
            key: key.clone(),
            salts,
            mac: OnceBox::new(),
            cipher: OnceBox::new(),
            beside: OnceBox::new(),
        }
    }

    fn derived(&self, salt: &str) -> Zeroizing<Vec<u8>> {
        pbkdf2(Pbkdf2::Sha256, self.key.bytes(), salt.as_bytes(), 1000, 32)
    }

    fn mac(&self, salt: &str) -> &Mac {
        self.mac
            .get_or_init(|| Box::new(Mac::new(Digest::Sha256, &self.derived(salt))))
    }

    fn cipher(&self, salt: &str) -> Option<&[u8; 32]> {
        let key = self.cipher.get_or_init(|| Box::new(self.derived(salt)));
        key.first_chunk()
    }

    fn open(&self, value: &str) -> Result<Vec<u8>, Refusal> {
        match &self.salts {
            Salts::Signing(salt) => self.verified(value, salt),
            Salts::Encryption(salt, signing) => match value.strip_prefix(ENCRYPTED) {
                Some(text) => self.decrypted(text, salt),
                None => self.decrypted_before_2(value, salt, signing.as_deref()),
            },
        }
    }

    fn verified(&self, value: &str, salt: &str) -> Result<Vec<u8>, Refusal> {
        let (signed, signature) = value.rsplit_once('.').ok_or(Refusal::Shape)?;
        let term = signed.strip_prefix(SIGNED).ok_or(Refusal::Shape)?;
        let signature = from_segment(signature).ok_or(Refusal::Shape)?;
        if signature.len() != Digest::Sha256.size() || !is_base64url(term) {
            return Err(Refusal::Shape);
        }
        if !equal(&self.mac(salt).sign(&[signed.as_bytes()]), &signature) {
            return Err(Refusal::Signature);
        }
        from_base64url(term).ok_or(Refusal::Content)
    }

    fn decrypted(&self, text: &str, salt: &str) -> Result<Vec<u8>, Refusal> {
        let bytes = from_segment(text).ok_or(Refusal::Shape)?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE>().ok_or(Refusal::Shape)?;
        let (tag, ciphertext) = rest.split_first_chunk::<TAG>().ok_or(Refusal::Shape)?;
        self.cipher(salt)
            .and_then(|key| xchacha_open(key, nonce, BESIDE, ciphertext, tag))
            .ok_or(Refusal::Signature)
    }

    fn decrypted_before_2(
        &self,
        value: &str,
        salt: &str,
        signing: Option<&str>,
    ) -> Result<Vec<u8>, Refusal> {
        let parts = Before2::read(value).ok_or(Refusal::Shape)?;
        let derived = || signing.map(|salt| self.derived(salt)).unwrap_or_default();
        let beside = self.beside.get_or_init(|| Box::new(derived()));
        self.cipher(salt)
            .and_then(|key| parts.decrypted(key, beside))
            .ok_or(Refusal::Signature)
    }

    fn seal(&self, term: &[u8], random: Random) -> Result<String, Uncarriable> {
        match &self.salts {
            Salts::Signing(salt) => {
                let mut value = format!("{SIGNED}{}", base64url(term));
                let tag = self.mac(salt).sign(&[value.as_bytes()]);
                value.push('.');
                push_base64url(&mut value, &tag);
                Ok(value)
            }
            Salts::Encryption(salt, _) => {
                let nonce: [u8; NONCE] = random_bytes(random);
                let key = self.cipher(salt).ok_or(Uncarriable)?;
                let (text, tag) = xchacha_seal(key, &nonce, BESIDE, term).ok_or(Uncarriable)?;
                let bytes = [&nonce[..], &tag, &text].concat();
                Ok(format!("{ENCRYPTED}{}", base64url(&bytes)))
            }
        }
    }
}

/// The parts of a token from before plug_crypto 2.0: a key of its own (CEK), encrypted with the derived
/// key, and the term, encrypted with that.
struct Before2 {
    wrapped: [u8; 16],
    wrapped_tag: [u8; TAG],
    wrapped_iv: [u8; 12],
    iv: [u8; 12],
    text: Vec<u8>,
    tag: [u8; TAG],
}

impl Before2 {
    fn read(value: &str) -> Option<Self> {
        let mut parts = value.strip_prefix(ENCRYPTED_BEFORE_2)?.split('.');
        let mut part = || from_segment(parts.next()?);
        let (key, iv, text, tag) = (part()?, part()?, part()?, part()?);
        let (wrapped, rest) = key.split_first_chunk()?;
        let (wrapped_tag, wrapped_iv) = rest.split_first_chunk()?;
        parts.next().is_none().then_some(Self {
            wrapped: *wrapped,
            wrapped_tag: *wrapped_tag,
            wrapped_iv: wrapped_iv.try_into().ok()?,
            iv: iv.try_into().ok()?,
            text,
            tag: tag.try_into().ok()?,
        })
    }

    fn decrypted(&self, key: &[u8], beside: &[u8]) -> Option<Vec<u8>> {
        let key = gcm_open_beside(
            key,
            &self.wrapped_iv,
            beside,
            &self.wrapped,
            &self.wrapped_tag,
        )?;
        let key = Zeroizing::new(key);
        gcm_open_beside(&key, &self.iv, BESIDE, &self.text, &self.tag)
    }
}

/// The bytes of a base64url text as Elixir's `Base` reads it: padded or not, whatever its unused bits are.
fn from_segment(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padded = digits.len().div_ceil(4) * 4;
    let is_whole = text.len() == digits.len() || text.len() == padded;
    is_whole.then(|| from_base64url_leniently(digits)).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::settings::{Problem, Problems};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(config: Value) -> Result<Box<dyn Format>, String> {
        let problems = Problems::default();
        let mut table = Table::new("rule", &config, &problems).unwrap();
        let format = match table.text("format") {
            Some("plug-cookie") => put_resp_cookie(&mut table),
            _ => session(&mut table),
        };
        table.finish();
        let problems: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        format
            .filter(|_| problems.is_empty())
            .ok_or(problems.join("\n"))
    }

    fn keyed(config: Value, name: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), vec![b'k'; 64]);
        read(config).unwrap().keyed(name, &key).unwrap()
    }

    fn signed() -> Value {
        json!({"signing_salt": "ssalt"})
    }

    fn encrypted() -> Value {
        json!({"signing_salt": "ssalt", "encryption_salt": "esalt"})
    }

    fn cookie(encrypted: bool) -> Value {
        json!({"format": "plug-cookie", "encrypted": encrypted})
    }

    /// `{"x", 1_700_000_000_000, 60}`
    const STAMPED: &[u8] = b"\x83h\x03m\0\0\0\x01xn\x06\0\x00\x68\xe5\xcf\x8b\x01a\x3c";
    const AT: u64 = 1_700_000_000;

    fn random(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn sealed(config: Value, name: &str, payload: &[u8]) -> String {
        let content = Content::of(payload);
        keyed(config, name).seal(&content, random).unwrap()
    }

    // made by the code of plug_crypto 1.2 under Erlang 25
    #[test]
    fn what_plug_crypto_before_2_encrypted_opens() {
        let session = "QTEyOEdDTQ.4oZJUMTG5lLr0nB7ASPitXyUcq8x_ziIqjZsbgrzz66Jw4_DYfzyV_HvOd4.lZdx3e83ExUdC-HI.7_tKckufQ_gFyVuE0m5_VpDs3NE.4aUg6bv1KNuph3_7sl5xWA";
        let opened = keyed(encrypted(), "sid").open(session).unwrap();
        assert_eq!(*opened.payload, *b"\x83t\0\0\0\x01m\0\0\0\x07user_ida\x07");
        let stamped = "QTEyOEdDTQ.FWrGZARR7O1Q9u_m96DJn91huIjmmNbf2ZlEtI14G9H-7PZ8CuK7tj2FwSc.UPLRSn41ItMzrHpN.iGuEPY4PKvApwAK7Yd98K9XFuS8.gPCBRgbHM3h2itE5fdhwGw";
        let opened = keyed(cookie(true), "sid").open(stamped).unwrap();
        assert_eq!(*opened.payload, *STAMPED);
        let other_salt = json!({"signing_salt": "x", "encryption_salt": "esalt"});
        assert_eq!(
            keyed(other_salt, "sid").open(session),
            Err(Refusal::Signature)
        );
        for bad in ["", ".AA", "."] {
            let bad = format!("{session}{bad}");
            let refusal = keyed(encrypted(), "sid").open(&bad).map(|_| ());
            assert_eq!(refusal.is_ok(), bad == session, "{bad}");
        }
        // the unused bits of a part's last character are not read
        let ends = |at: &usize| matches!(session.as_bytes().get(at + 1), None | Some(b'.'));
        for at in (0..session.len()).filter(|at| !ends(at)) {
            let mut spoilt = session.to_owned();
            let other = if spoilt.as_bytes()[at] == b'A' {
                "B"
            } else {
                "A"
            };
            spoilt.replace_range(at..=at, other);
            assert!(keyed(encrypted(), "sid").open(&spoilt).is_err(), "{spoilt}");
        }
    }

    #[test]
    fn a_cookie_is_bound_to_its_name() {
        for encrypted in [false, true] {
            let value = sealed(cookie(encrypted), "sid", STAMPED);
            assert!(keyed(cookie(encrypted), "sid").open(&value).is_ok());
            let other = keyed(cookie(encrypted), "side").open(&value);
            assert_eq!(other, Err(Refusal::Signature));
        }
        // a session whose salt is what a cookie of that name has
        let named = json!({"signing_salt": "sid_cookie"});
        let (session, cookie) = (read(named).unwrap(), read(cookie(false)).unwrap());
        assert_eq!(session.derivation("x"), cookie.derivation("sid"));
        assert_ne!(session.derivation("x"), cookie.derivation("x"));
        assert_ne!(session.properties().payload, cookie.properties().payload);
    }

    #[test]
    fn a_cookie_ends_when_its_age_is_reached() {
        let keyed = keyed(cookie(false), "sid");
        let value = sealed(cookie(false), "sid", STAMPED);
        let expected = Content::of(STAMPED)
            .signed_at(AT)
            .expiring_at(Some((AT + 60) * 1000));
        assert_eq!(keyed.open(&value), Ok(expected));
        // Plug counts the very moment in
        assert_eq!(read(cookie(false)).unwrap().properties().grace_ms, 1);
    }

    #[test]
    fn what_is_no_stamped_term_is_no_cookie() {
        // what a session of the same salt signs
        let unstamped = sealed(json!({"signing_salt": "sid_cookie"}), "sid", b"\x83j");
        let keyed = keyed(cookie(false), "sid");
        assert_eq!(keyed.open(&unstamped), Err(Refusal::Content));
        assert_eq!(
            keyed.seal(&Content::of(&b"\x83j"[..]), no_random),
            Err(Uncarriable)
        );
    }

    #[test]
    fn a_session_has_one_layout() {
        let (signed_value, sealed_value) = (
            sealed(signed(), "a", b"term"),
            sealed(encrypted(), "a", b"term"),
        );
        assert!(signed_value.starts_with("SFMyNTY.dGVybQ.") && sealed_value.starts_with("XCP."));
        let (signed, encrypted) = (keyed(signed(), "b"), keyed(encrypted(), "b"));
        assert_eq!(signed.open(&signed_value), Ok(Content::of(&b"term"[..])));
        assert_eq!(encrypted.open(&sealed_value), Ok(Content::of(&b"term"[..])));
        assert_eq!(signed.open(&sealed_value), Err(Refusal::Shape));
        assert_eq!(encrypted.open(&signed_value), Err(Refusal::Shape));
        for bad in [
            "SFMzODQ.dGVybQ.",
            "SFMyNTY.dGVybQ=.",
            "SFMyNTY.a.dGVybQ.",
            "SFMyNTY.",
        ] {
            let bad = signed_value.replace("SFMyNTY.dGVybQ.", bad);
            assert_eq!(signed.open(&bad), Err(Refusal::Shape), "{bad}");
        }
        for bad in ["XCP.", "XCP.AAAA", "XCP.é", "XCQ.AAAA"] {
            assert_eq!(encrypted.open(bad), Err(Refusal::Shape), "{bad}");
        }
    }

    #[test]
    fn keys_differ_where_salt_or_use_do() {
        let derivation = |config| read(config).unwrap().derivation("sid");
        let other_signing = json!({"signing_salt": "other", "encryption_salt": "esalt"});
        assert_eq!(derivation(encrypted()), derivation(other_signing));
        assert_ne!(derivation(encrypted()), derivation(signed()));
        assert_ne!(derivation(cookie(true)), derivation(cookie(false)));
    }

    #[test]
    fn wrong_options_are_explained() {
        for (config, expected) in [
            (json!({}), "rule.signing_salt: missing; copy it"),
            (
                json!({"encryption_salt": "x"}),
                "rule.signing_salt: missing",
            ),
            (
                json!({"signing_salt": 1}),
                "rule.signing_salt: expected a text",
            ),
            (
                json!({"format": "plug-cookie", "encrypted": "yes"}),
                "rule.encrypted: expected true",
            ),
        ] {
            let problems = read(config).map(|_| ()).unwrap_err();
            assert!(problems.contains(expected), "{problems}");
        }
    }

    #[test]
    fn a_base64_is_padded_in_full_or_not_at_all() {
        for (text, bytes) in [
            ("YQ", &b"a"[..]),
            ("YQ==", b"a"),
            ("YR", b"a"),
            ("YWJj", b"abc"),
            ("", b""),
        ] {
            assert_eq!(from_segment(text).as_deref(), Some(bytes), "{text}");
        }
        for bad in ["YQ=", "YQ===", "YWJj=", "YWJj====", "Y", "=", "Y=Q="] {
            assert_eq!(from_segment(bad), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_was_sealed_opens_and_no_text_panics(text: String, payload: Vec<u8>, part in "[A-Za-z0-9_=.-]{0,80}") {
            for config in [signed(), encrypted(), cookie(false), cookie(true)] {
                let keyed = keyed(config, "sid");
                for value in [text.clone(), format!("{SIGNED}{part}"), format!("{ENCRYPTED}{part}"), format!("{ENCRYPTED_BEFORE_2}{part}")] {
                    prop_assert!(keyed.open(&value).is_err());
                }
                let content = Content::of(payload.clone());
                if let Ok(value) = keyed.seal(&content, random) {
                    prop_assert_eq!(keyed.open(&value), Ok(content));
                }
            }
        }
    }
}
