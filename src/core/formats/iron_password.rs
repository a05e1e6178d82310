//! What @hapi/iron makes of a password: a key for each salt, and MACs under such keys.
//!
//! ```text
//! K(salt) = PBKDF2-HMAC-SHA1(password, salt as text, so many rounds, 32 bytes)
//! MAC     = base64url(HMAC-SHA256(K(salt), what is signed))
//! ```
//!
//! One round, Iron's default, is not slow: every value gets salts of its own, and no key is kept. With more rounds
//! a derivation takes milliseconds, and a visitor chooses the salt. So the gate bounds the rounds of a request, the
//! last keys are kept by their salt, and everything that is sealed in one isolate has the same two salts (one for
//! encryption, one for MACs) with an IV of its own. A salt only keeps keys from being computed ahead for many sites.

use core::mem;

use once_cell::race::OnceBox;
use spin::Mutex;
use zeroize::Zeroizing;

use super::KeyFault;
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Pbkdf2, Random, equal, pbkdf2, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{base64_len, base64url, hex, is_base64url};

/// The least length of a password, which Iron counts in UTF-16 units.
pub const LEAST: usize = 32;

/// The rounds that are not slow.
pub const FAST: u32 = 1;

/// How many keys are kept, and the longest salt of one, in bytes: Iron's own.
const KEPT: usize = 64;
const LONGEST_SALT: usize = 64;

/// A password that Iron takes.
pub struct Password {
    key: Key,
    rounds: u32,
    kept: Mutex<Kept>,
    encryption_salt: OnceBox<String>,
    mac_salt: OnceBox<String>,
}

/// The keys of the last salts, the next one to go at `next`.
#[derive(Default)]
struct Kept {
    keys: Vec<(String, DerivedKey)>,
    next: usize,
}

/// A key that was made from the password.
pub type DerivedKey = Zeroizing<Vec<u8>>;

impl Password {
    /// A password whose keys take so many rounds.
    ///
    /// # Errors
    /// What is wrong with the key, where Iron would throw.
    pub fn of(key: &Key, rounds: u32) -> Result<Self, KeyFault> {
        let text = core::str::from_utf8(key.bytes());
        if !text.is_ok_and(|text| text.encode_utf16().count() >= LEAST) {
            return Err(
                KeyFault::new("Iron takes a password of at least 32 characters")
                    .cure("make one with: openssl rand -base64 32"),
            );
        }
        Ok(Self {
            key: key.clone(),
            rounds,
            kept: Mutex::default(),
            encryption_salt: OnceBox::new(),
            mac_salt: OnceBox::new(),
        })
    }

    /// The key for a salt.
    pub fn key(&self, salt: &str) -> DerivedKey {
        match self.kept_key(salt) {
            Some(key) => key,
            None => self.derived(salt),
        }
    }

    /// The key for a salt that a visitor chose; none where that takes more rounds than are left.
    pub fn key_within(&self, salt: &str, rounds: &mut u32) -> Option<DerivedKey> {
        if let Some(key) = self.kept_key(salt) {
            return Some(key);
        }
        if self.is_slow() {
            *rounds = rounds.checked_sub(self.rounds)?;
        }
        Some(self.derived(salt))
    }

    /// The salt of what is encrypted next.
    pub fn encryption_salt(&self, random: Random) -> String {
        self.salt(&self.encryption_salt, random)
    }

    /// The salt of what is signed next.
    pub fn mac_salt(&self, random: Random) -> String {
        self.salt(&self.mac_salt, random)
    }

    /// The MAC of the parts one after another.
    pub fn sign(&self, salt: &str, parts: &[&[u8]]) -> String {
        mac(&self.key(salt), parts)
    }

    /// Whether this is the MAC of the parts one after another; none where that takes more rounds than are left.
    pub fn verify(
        &self,
        salt: &str,
        parts: &[&[u8]],
        shown: &str,
        rounds: &mut u32,
    ) -> Option<bool> {
        let own = mac(&self.key_within(salt, rounds)?, parts);
        Some(equal(own.as_bytes(), shown.as_bytes()))
    }

    fn is_slow(&self) -> bool {
        self.rounds > FAST
    }

    fn salt(&self, kept: &OnceBox<String>, random: Random) -> String {
        if self.is_slow() {
            kept.get_or_init(|| Box::new(new_salt(random))).clone()
        } else {
            new_salt(random)
        }
    }

    fn derived(&self, salt: &str) -> DerivedKey {
        let (password, salt_bytes) = (self.key.bytes(), salt.as_bytes());
        let key = pbkdf2(Pbkdf2::Sha1, password, salt_bytes, self.rounds, 32);
        self.keep(salt, &key);
        key
    }

    fn kept_key(&self, salt: &str) -> Option<DerivedKey> {
        if !self.is_slow() {
            return None;
        }
        let kept = self.kept.try_lock()?;
        let found = kept.keys.iter().find(|(kept_salt, _)| kept_salt == salt);
        found.map(|(_, key)| key.clone())
    }

    fn keep(&self, salt: &str, key: &DerivedKey) {
        if !self.is_slow() || salt.len() > LONGEST_SALT {
            return;
        }
        if let Some(mut kept) = self.kept.try_lock() {
            kept.push(salt.to_owned(), key.clone());
        }
    }
}

impl Kept {
    fn push(&mut self, salt: String, key: DerivedKey) {
        let next = (self.next + 1) % KEPT;
        let at = mem::replace(&mut self.next, next);
        match self.keys.get_mut(at) {
            Some(oldest) => *oldest = (salt, key),
            None => self.keys.push((salt, key)),
        }
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> String {
    base64url(&Mac::new(Digest::Sha256, key).sign(parts))
}

/// A new salt, of the length that Iron gives it by default.
fn new_salt(random: Random) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::KeyId;

    const ROUNDS: u32 = 3;

    fn slow() -> Password {
        let key = Key::new(KeyId::parse("K").unwrap(), vec![b'p'; LEAST]);
        Password::of(&key, ROUNDS).unwrap()
    }

    #[test]
    fn a_salt_costs_its_rounds_once() {
        let (password, mut rounds) = (slow(), 2 * ROUNDS);
        let first = password.key_within("a", &mut rounds).unwrap();
        assert_eq!(password.key_within("a", &mut rounds), Some(first));
        assert_eq!(rounds, ROUNDS);
        assert!(password.key_within("b", &mut rounds).is_some());
        assert_eq!(password.key_within("c", &mut rounds), None);
        assert!(password.key_within("b", &mut rounds).is_some());
    }

    #[test]
    fn as_many_keys_are_kept_and_no_more() {
        let (password, mut rounds) = (slow(), u32::MAX);
        for salt in 0..2 * KEPT {
            password.key_within(&salt.to_string(), &mut rounds).unwrap();
        }
        assert_eq!(password.kept.lock().keys.len(), KEPT);
        let (last, first) = ((2 * KEPT - 1).to_string(), "0");
        rounds = 0;
        assert!(password.key_within(&last, &mut rounds).is_some());
        assert_eq!(password.key_within(first, &mut rounds), None);
    }

    #[test]
    fn a_long_salt_is_not_kept() {
        let (password, mut rounds) = (slow(), u32::MAX);
        password.key_within(&"a".repeat(LONGEST_SALT + 1), &mut rounds);
        assert!(password.kept.lock().keys.is_empty());
    }
}
