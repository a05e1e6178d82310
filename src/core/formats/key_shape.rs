//! How a framework writes its keys: what `keygen` makes, and what stands in for a secret that is not known.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use crate::crypto::Digest;
use crate::crypto::key::Encoding;
use crate::prelude::*;
use crate::wire::encoding::hex;

/// How the keys of a format are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyShape {
    /// Any text; what is made are fifty characters of the alphabet of Django's `get_random_secret_key`.
    Text,
    /// So many bytes in hexadecimal digits.
    Hex(usize),
    /// So many bytes in base64 with padding, behind a prefix.
    Base64 {
        /// What stands before the base64.
        prefix: &'static str,
        /// How many bytes.
        bytes: usize,
        /// What `encoding` the configuration names the secret with.
        encoding: Encoding,
    },
    /// So many bytes in base64url with padding.
    Base64Url(usize),
}

/// What Django makes its own keys of.
const DJANGO: &[u8; 50] = b"abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)";

impl KeyShape {
    /// A new key as the text of a secret.
    pub fn make(self, random: &mut dyn FnMut(&mut [u8])) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Text => django(random),
            Self::Hex(count) => hex(&bytes(count, random)),
            Self::Base64 {
                prefix,
                bytes: count,
                ..
            } => {
                format!("{prefix}{}", STANDARD.encode(&*bytes(count, random)))
            }
            Self::Base64Url(count) => URL_SAFE.encode(&*bytes(count, random)),
        })
    }

    /// A key of no use, as bytes: another for each seed, and the same for the same.
    pub fn key_bytes(self, seed: &[u8]) -> Vec<u8> {
        let mut count = 0u64;
        let mut fill = |bytes: &mut [u8]| {
            for chunk in bytes.chunks_mut(Digest::Sha256.size()) {
                let block = Digest::Sha256.hash(&[b"placeholder", &count.to_be_bytes(), seed]);
                chunk.copy_from_slice(&block[..chunk.len()]); // no chunk is longer than a block
                count += 1;
            }
        };
        match self {
            Self::Base64 {
                bytes: count,
                encoding: Encoding::Base64,
                ..
            } => bytes(count, &mut fill).to_vec(),
            _ => self.make(&mut fill).as_bytes().to_vec(),
        }
    }

    /// The `encoding` that the configuration names such a secret with.
    pub fn encoding(self) -> Encoding {
        match self {
            Self::Base64 { encoding, .. } => encoding,
            _ => Encoding::Utf8,
        }
    }

    /// For people.
    pub fn describe(self) -> String {
        match self {
            Self::Text => "50 characters of Django's alphabet".to_owned(),
            Self::Hex(count) => format!("{count} bytes as hexadecimal digits"),
            Self::Base64 {
                prefix: "", bytes, ..
            } => format!("{bytes} bytes in base64"),
            Self::Base64 { prefix, bytes, .. } => {
                format!("\"{prefix}\" and {bytes} bytes in base64")
            }
            Self::Base64Url(count) => format!("{count} bytes in URL-safe base64"),
        }
    }
}

fn bytes(count: usize, random: &mut dyn FnMut(&mut [u8])) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    random(&mut bytes);
    bytes
}

/// Each character as likely as any other.
fn django(random: &mut dyn FnMut(&mut [u8])) -> String {
    let mut key = String::with_capacity(50);
    while key.len() < 50 {
        // 250 is the largest multiple of 50 in a byte
        let fair = bytes(64, random);
        let letters = fair.iter().filter(|byte| **byte < 250);
        let letters = letters.filter_map(|byte| DJANGO.get(usize::from(byte % 50)));
        let left = 50 - key.len();
        key.extend(letters.take(left).map(|letter| char::from(*letter)));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_djangos_alphabet_comes_up() {
        let mut state = 1u32;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            }
        };
        let text: String = (0..100)
            .map(|_| KeyShape::Text.make(&mut random).to_string())
            .collect();
        assert!(
            DJANGO
                .iter()
                .all(|letter| text.contains(char::from(*letter)))
        );
        assert_eq!(KeyShape::Text.make(&mut random).len(), 50);
    }
}
