//! Keys and their names.

use alloc::sync::Arc;
use core::fmt;

use zeroize::Zeroizing;

use crate::crypto::{Digest, equal};
use crate::prelude::*;

/// The name of the Worker secret that holds a key: `[A-Z][A-Z0-9_]{0,63}`. It may be logged.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The text as a key id, or `None` where it is none. The text is not echoed anywhere, since a
    /// text that is no key id may be a key.
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters = text.bytes();
        let starts = letters.next().is_some_and(|b| b.is_ascii_uppercase());
        let goes_on = letters.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        (starts && goes_on && text.len() <= 64).then(|| Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret and the name it goes by. Cheap to clone; the bytes are wiped when the last clone goes,
/// are compared in constant time, and never show in `Debug`.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    encoding: Encoding,
    bytes: Arc<Zeroizing<Vec<u8>>>,
    is_placeholder: bool,
}

/// How a secret's text becomes a key's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The text is the key.
    Utf8,
    /// In base64, of either alphabet.
    Base64,
    /// In hexadecimal digits.
    Hex,
}

impl Key {
    /// A key from its bytes.
    pub fn new(id: KeyId, bytes: Vec<u8>) -> Self {
        Self {
            id,
            encoding: Encoding::Utf8,
            bytes: Arc::new(Zeroizing::new(bytes)),
            is_placeholder: false,
        }
    }

    /// In place of a secret that is not known: bytes that depend on its name and encoding alone.
    pub fn placeholder(id: KeyId, encoding: Encoding) -> Self {
        let seed = [b"placeholder ", id.as_str().as_bytes(), &[encoding as u8]];
        let bytes = Digest::Sha512.hash(&seed).to_vec();
        Self {
            is_placeholder: true,
            ..Self::new(id, bytes).written_in(encoding)
        }
    }

    /// Whether it stands for a secret that is not known: nothing can be said of its bytes.
    pub fn is_placeholder(&self) -> bool {
        self.is_placeholder
    }

    /// The same, and how its bytes were written.
    pub fn written_in(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    /// The name of the secret that holds it.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// How the secret's text became its bytes.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The secret itself, for derivations.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The secret's text in ISO-8859-1, which some frameworks of Python sign with: `None` where it has a character
    /// beyond U+00FF. Bytes that are no text stay as they are.
    pub fn latin_1(&self) -> Option<Zeroizing<Vec<u8>>> {
        match core::str::from_utf8(&self.bytes) {
            Ok(text) if self.encoding == Encoding::Utf8 => latin_1(text),
            _ => Some(Zeroizing::new(self.bytes.to_vec())),
        }
    }

    /// Whether both are the same secret by name, read in the same way.
    pub fn is_named_as(&self, other: &Key) -> bool {
        self.id == other.id && self.encoding == other.encoding
    }

    /// Whether a format may make one key of both: it may read a secret's text as base64 by itself.
    pub fn same_secret(&self, other: &Key) -> bool {
        self.id == other.id || self.same_bytes(other)
    }

    /// Whether the bytes are the same, whatever the names.
    pub fn same_bytes(&self, other: &Key) -> bool {
        equal(&self.bytes, &other.bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, redacted)", self.id)
    }
}

/// A text in ISO-8859-1, or `None` where it has a character beyond U+00FF.
pub fn latin_1(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for c in text.chars() {
        bytes.push(u8::try_from(c).ok()?);
    }
    Some(bytes)
}

/// A key in the ring, and what the configuration says of its part there.
#[derive(Clone, Debug)]
pub struct RingKey {
    /// The key.
    pub key: Key,
    /// Unix seconds from which on it is no longer tried.
    pub until: Option<u64>,
    /// Whether what it opens is upgraded to the current key.
    pub upgrade: bool,
}

/// The keys that browsers' cookies may be signed with.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Signs and verifies.
    pub current: Key,
    /// Verify only.
    pub fallbacks: Vec<RingKey>,
}

/// The keys that the origin signs and verifies with.
#[derive(Clone, Debug)]
pub struct OriginKeys {
    /// Signs what the origin is sent.
    pub current: Key,
    /// Verify what the origin sets, beside `current`: an origin in the middle of changing its key.
    pub fallbacks: Vec<Key>,
}

impl OriginKeys {
    /// All of them, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        core::iter::once(&self.current).chain(&self.fallbacks)
    }
}

impl Ring {
    /// All of them, the current one first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        core::iter::once(&self.current).chain(self.fallbacks.iter().map(|fallback| &fallback.key))
    }

    /// Until when, in Unix seconds, a key of these bytes is tried: zero where there is none.
    pub fn trusts_until(&self, key: &Key) -> u64 {
        let same = |fallback: &&RingKey| fallback.key.same_bytes(key);
        let fallbacks = self.fallbacks.iter().filter(same);
        let until = fallbacks.map(|fallback| fallback.until.unwrap_or(u64::MAX));
        if self.current.same_bytes(key) {
            u64::MAX
        } else {
            until.max().unwrap_or_default()
        }
    }

    /// Whether some key of the ring has these bytes.
    pub fn holds(&self, key: &Key) -> bool {
        self.keys().any(|held| held.same_bytes(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_the_name_of_a_worker_secret() {
        for good in ["K", "KEY_2026_11", "DJANGO_SECRET_KEY"] {
            assert!(KeyId::parse(good).is_some(), "{good}");
        }
        let long = "K".repeat(65);
        for bad in [
            "",
            "k",
            "1KEY",
            "_KEY",
            "KEY-1",
            "django-insecure-abc",
            &long,
        ] {
            assert!(KeyId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_never_shows_its_bytes() {
        let key = Key::new(KeyId::parse("K").unwrap(), b"hunter2".to_vec());
        assert!(!format!("{key:?}").contains("hunter2"));
        assert!(!format!("{key:?}").contains("104, 117"));
    }
}
