//! What @hapi/iron makes of a password: a key for each salt, and MACs under such keys.
//!
//! ```text
//! K(salt) = PBKDF2-HMAC-SHA1(password, salt as text, 1 round, 32 bytes)
//! MAC     = base64url(HMAC-SHA256(K(salt), what is signed))
//! ```
//!
//! One round is not slow, and every value has salts of its own: nothing here is worth keeping.

use zeroize::Zeroizing;

use super::KeyFault;
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Pbkdf2, Random, equal, pbkdf2, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{base64_len, base64url, hex, is_base64url};

/// The least length of a password, which Iron counts in UTF-16 units.
pub const LEAST: usize = 32;

/// A password that Iron takes.
pub struct Password(Key);

impl Password {
    /// # Errors
    /// What is wrong with the key, where Iron would throw.
    pub fn of(key: &Key) -> Result<Self, KeyFault> {
        let text = core::str::from_utf8(key.bytes());
        if text.is_ok_and(|text| text.encode_utf16().count() >= LEAST) {
            Ok(Self(key.clone()))
        } else {
            Err(
                KeyFault::new("Iron takes a password of at least 32 characters")
                    .cure("make one with: openssl rand -base64 32"),
            )
        }
    }

    /// The key for a salt.
    pub fn key(&self, salt: &str) -> Zeroizing<Vec<u8>> {
        pbkdf2(Pbkdf2::Sha1, self.0.bytes(), salt.as_bytes(), 1, 32)
    }

    /// The MAC of the parts one after another.
    pub fn sign(&self, salt: &str, parts: &[&[u8]]) -> String {
        base64url(&Mac::new(Digest::Sha256, &self.key(salt)).sign(parts))
    }

    /// Whether this is the MAC of the parts one after another.
    pub fn verify(&self, salt: &str, parts: &[&[u8]], mac: &str) -> bool {
        equal(self.sign(salt, parts).as_bytes(), mac.as_bytes())
    }
}

/// A new salt, of the length that Iron gives it by default.
pub fn new_salt(random: Random) -> String {
    hex(&random_bytes::<32>(random))
}

/// Whether a text may be a salt. Iron writes hexadecimal digits, and how many is an option there.
pub fn is_salt(text: &str) -> bool {
    !text.is_empty() && is_base64url(text)
}

/// Whether a text has the shape of a MAC.
pub fn is_mac(text: &str) -> bool {
    text.len() == base64_len(Digest::Sha256.size()) && is_base64url(text)
}
