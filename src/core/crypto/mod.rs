//! Every cryptographic step; with its folder the only place that names a crypto crate.
//!
//! Safety argument: MACs are HMAC over keys that are prepared once (the two padded blocks are hashed
//! ahead), and are compared by [`equal`] in time that depends on the lengths alone.

use hmac::{Hmac, KeyInit};
use md5::Md5;
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::prelude::*;

mod aes;
mod aes_encrypt;
pub mod cipher;
pub mod key;

/// Fills bytes with randomness fit for keys. The core has none of its own: it comes in from outside.
pub type Random = fn(&mut [u8]);

/// Bytes from a source of randomness.
pub fn random_bytes<const N: usize>(random: Random) -> [u8; N] {
    let mut bytes = [0; N];
    random(&mut bytes);
    bytes
}

/// A hash function, by the name that frameworks call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// MD5, 16 bytes: under HMAC not yet broken, and what Bottle 0.12 and older sites use.
    Md5,
    /// SHA-1, 20 bytes: still sound under HMAC, and what older frameworks use.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Digest {
    /// The names in a configuration.
    pub const NAMES: &'static [(&'static str, Digest)] = &[
        ("md5", Digest::Md5),
        ("sha1", Digest::Sha1),
        ("sha256", Digest::Sha256),
        ("sha384", Digest::Sha384),
        ("sha512", Digest::Sha512),
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        name_in(Self::NAMES, self)
    }

    /// The length of a hash in bytes.
    pub const fn size(self) -> usize {
        match self {
            Digest::Md5 => 16,
            Digest::Sha1 => 20,
            Digest::Sha256 => 32,
            Digest::Sha384 => 48,
            Digest::Sha512 => 64,
        }
    }

    /// The hash of the parts one after another. The result is treated as a secret, since all that is
    /// hashed here are keys.
    pub fn hash(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        fn run<H: sha2::Digest>(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
            let mut hash = H::new();
            parts.iter().for_each(|part| hash.update(part));
            Zeroizing::new(hash.finalize().to_vec())
        }
        match self {
            Digest::Md5 => run::<Md5>(parts),
            Digest::Sha1 => run::<Sha1>(parts),
            Digest::Sha256 => run::<Sha256>(parts),
            Digest::Sha384 => run::<Sha384>(parts),
            Digest::Sha512 => run::<Sha512>(parts),
        }
    }
}

/// A key of `len` bytes made from a password (PBKDF2-HMAC, RFC 8018, section 5.2), which is slow on
/// purpose: it costs `rounds` MACs for each block of the digest's size.
pub fn pbkdf2(
    digest: Pbkdf2,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    len: usize,
) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; len]);
    match digest {
        Pbkdf2::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut key),
        Pbkdf2::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut key),
    }
    key
}

/// A key of `len` bytes made from a secret (HKDF with SHA-256, RFC 5869), none where that is over 8,160.
pub fn hkdf(secret: &[u8], salt: &[u8], info: &[u8], len: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new(vec![0; len]);
    let hkdf = hkdf::Hkdf::<Sha256>::new(Some(salt), secret);
    hkdf.expand(info, &mut key).ok()?;
    Some(key)
}

/// The digests that frameworks derive keys with by PBKDF2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pbkdf2 {
    /// With HMAC-SHA-1.
    Sha1,
    /// With HMAC-SHA-256.
    Sha256,
}

impl Pbkdf2 {
    /// The names in a configuration.
    pub const NAMES: &'static [(&'static str, Pbkdf2)] =
        &[("sha1", Pbkdf2::Sha1), ("sha256", Pbkdf2::Sha256)];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        name_in(Self::NAMES, self)
    }
}

fn name_in<T: PartialEq>(names: &[(&'static str, T)], of: T) -> &'static str {
    names
        .iter()
        .find(|(_, known)| *known == of)
        .map_or("", |(name, _)| name)
}

/// An HMAC whose key is already absorbed: made once for each key, used for each cookie.
pub struct Mac(Prepared);

enum Prepared {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Box<Hmac<Sha384>>),
    Sha512(Box<Hmac<Sha512>>),
}

/// A MAC's bytes.
pub struct Tag {
    bytes: [u8; 64],
    len: usize,
}

impl Mac {
    /// Prepares HMAC with `digest` under `key`, which may have any length.
    pub fn new(digest: Digest, key: &[u8]) -> Self {
        // HMAC takes a key of any length, so `new_from_slice` cannot fail.
        const ANY_LENGTH: &str = "HMAC takes a key of any length";
        Self(match digest {
            Digest::Md5 => Prepared::Md5(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
            Digest::Sha1 => Prepared::Sha1(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
            Digest::Sha256 => Prepared::Sha256(Hmac::new_from_slice(key).expect(ANY_LENGTH)),
            Digest::Sha384 => {
                Prepared::Sha384(Box::new(Hmac::new_from_slice(key).expect(ANY_LENGTH)))
            }
            Digest::Sha512 => {
                Prepared::Sha512(Box::new(Hmac::new_from_slice(key).expect(ANY_LENGTH)))
            }
        })
    }

    /// The MAC of the parts one after another.
    pub fn sign(&self, parts: &[&[u8]]) -> Tag {
        fn run<M: hmac::Mac + Clone>(keyed: &M, parts: &[&[u8]]) -> Tag {
            let mut mac = keyed.clone();
            parts.iter().for_each(|part| mac.update(part));
            let output = mac.finalize().into_bytes();
            let mut tag = Tag {
                bytes: [0; 64],
                len: output.len(),
            };
            tag.bytes[..output.len()].copy_from_slice(&output);
            tag
        }
        match &self.0 {
            Prepared::Md5(mac) => run(mac, parts),
            Prepared::Sha1(mac) => run(mac, parts),
            Prepared::Sha256(mac) => run(mac, parts),
            Prepared::Sha384(mac) => run(mac.as_ref(), parts),
            Prepared::Sha512(mac) => run(mac.as_ref(), parts),
        }
    }
}

impl core::fmt::Debug for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Mac(redacted)")
    }
}

impl core::ops::Deref for Tag {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Whether two byte strings are equal, in time that depends on their lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 2202 case 2 and RFC 4231 case 2.
    #[test]
    fn hmac_matches_the_rfcs() {
        let message: &[&[u8]] = &[b"what do ya want ", b"for nothing?"];
        let hex = |tag: Tag| tag.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(Mac::new(Digest::Sha1, b"Jefe").sign(message)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert_eq!(
            hex(Mac::new(Digest::Sha256, b"Jefe").sign(message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(
            hex(Mac::new(Digest::Sha384, b"Jefe").sign(message)).starts_with("af45d2e376484031")
        );
        assert!(
            hex(Mac::new(Digest::Sha512, b"Jefe").sign(message)).starts_with("164b7a7bfcf819e2")
        );
    }

    // RFC 5869, test case 1.
    #[test]
    fn hkdf_matches_the_rfc() {
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let key = hkdf(&[0x0b; 22], &salt, &info, 42).unwrap();
        assert_eq!(key[..8], [0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a]);
        assert_eq!(key[38..], [0x87, 0x18, 0x58, 0x65]);
    }

    #[test]
    fn equal_is_equality() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"ab"));
    }
}
