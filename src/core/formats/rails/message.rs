//! The outer layer: bytes that are signed, or encrypted (`ActiveSupport::MessageVerifier`,
//! `ActiveSupport::MessageEncryptor`).

use once_cell::race::OnceBox;
use zeroize::Zeroizing;

use super::super::Refusal;
use crate::crypto::cipher::{TAG, cbc_open, cbc_seal, gcm_open, gcm_seal};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Pbkdf2, Random, equal, pbkdf2, random_bytes};
use crate::prelude::*;
use crate::wire::encoding::{cut_at_first, from_base64, hex, is_base64, is_lower_hex, push_base64};

/// How a message is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Signed with this digest.
    Signed(Digest),
    /// Encrypted with AES-256-GCM.
    Gcm,
    /// Encrypted with AES-256-CBC, then signed with SHA-1.
    Cbc,
}

/// How a message is protected, and the keys for it.
pub enum Message {
    Signed(Verifier),
    Gcm(CipherKey),
    Cbc(CipherKey, Verifier),
}

impl Message {
    pub fn new(kind: Kind, base: &Key, kdf: Pbkdf2) -> Self {
        let secret = |salt, len| Secret {
            base: base.clone(),
            kdf,
            salt,
            len,
        };
        match kind {
            Kind::Signed(digest) => {
                Self::Signed(Verifier::new(secret("signed cookie", 64), digest))
            }
            Kind::Gcm => Self::Gcm(CipherKey::new(secret("authenticated encrypted cookie", 32))),
            Kind::Cbc => Self::Cbc(
                CipherKey::new(secret("encrypted cookie", 32)),
                Verifier::new(secret("signed encrypted cookie", 64), Digest::Sha1),
            ),
        }
    }

    /// The bytes in a text that [`Message::seal`] made.
    pub fn open(&self, text: &str) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Signed(verifier) => verifier.open(text),
            Self::Gcm(key) => {
                let [ciphertext, iv, tag] = parts(text).ok_or(Refusal::Shape)?;
                let iv = iv.try_into().map_err(|_| Refusal::Shape)?;
                let tag: [u8; TAG] = tag.try_into().map_err(|_| Refusal::Shape)?;
                if ciphertext.is_empty() {
                    return Err(Refusal::Shape);
                }
                gcm_open(key.bytes(), &iv, &ciphertext, &tag).ok_or(Refusal::Signature)
            }
            Self::Cbc(key, verifier) => {
                let inner = verifier.open(text)?;
                cbc_read(key.bytes(), &inner).ok_or(Refusal::Content)
            }
        }
    }

    /// `None` only where a cipher takes no plaintext of this length.
    pub fn seal(&self, data: &[u8], random: Random) -> Option<String> {
        match self {
            Self::Signed(verifier) => Some(verifier.seal(data)),
            Self::Gcm(key) => {
                let iv = random_bytes(random);
                let (ciphertext, tag) = gcm_seal(key.bytes(), &iv, data)?;
                Some(joined(&[&ciphertext, &iv, &tag]))
            }
            Self::Cbc(key, verifier) => {
                let iv = random_bytes(random);
                let ciphertext = cbc_seal(key.bytes(), &iv, data)?;
                Some(verifier.seal(joined(&[&ciphertext, &iv]).as_bytes()))
            }
        }
    }
}

/// Decrypts what a MAC has vouched for.
fn cbc_read(key: &[u8], inner: &[u8]) -> Option<Vec<u8>> {
    let [ciphertext, iv] = parts(core::str::from_utf8(inner).ok()?)?;
    cbc_open(key, &iv.try_into().ok()?, &ciphertext)
}

/// Byte strings in base64, exactly so many.
fn parts<const N: usize>(text: &str) -> Option<[Vec<u8>; N]> {
    let (mut parts, mut rest) = (Vec::new(), text);
    for _ in 1..N {
        let (part, after) = cut_at_first(rest, DASHES)?;
        parts.push(from_base64(part)?);
        rest = after;
    }
    parts.push(from_base64(rest)?); // which holds no further dash
    parts.try_into().ok()
}

fn joined(parts: &[&[u8]]) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            text.push_str(DASHES);
        }
        push_base64(&mut text, part);
    }
    text
}

const DASHES: &str = "--";

/// A key that is made from `secret_key_base` on first use.
struct Secret {
    base: Key,
    kdf: Pbkdf2,
    salt: &'static str,
    len: usize,
}

impl Secret {
    fn derive(&self) -> Zeroizing<Vec<u8>> {
        let salt = self.salt.as_bytes();
        pbkdf2(self.kdf, self.base.bytes(), salt, 1000, self.len)
    }
}

/// `ActiveSupport::MessageVerifier`.
pub struct Verifier {
    secret: Secret,
    digest: Digest,
    mac: OnceBox<Mac>,
}

impl Verifier {
    fn new(secret: Secret, digest: Digest) -> Self {
        let mac = OnceBox::new();
        Self {
            secret,
            digest,
            mac,
        }
    }

    fn signature(&self, data: &str) -> String {
        let mac = || Mac::new(self.digest, &self.secret.derive());
        hex(&self
            .mac
            .get_or_init(|| Box::new(mac()))
            .sign(&[data.as_bytes()]))
    }

    fn open(&self, text: &str) -> Result<Vec<u8>, Refusal> {
        let (data, signature) = cut_at_first(text, DASHES).ok_or(Refusal::Shape)?;
        let is_data = is_base64(data) && !data.is_empty();
        if !is_data || !is_lower_hex(signature, self.digest.size()) {
            return Err(Refusal::Shape);
        }
        if equal(self.signature(data).as_bytes(), signature.as_bytes()) {
            from_base64(data).ok_or(Refusal::Content)
        } else {
            Err(Refusal::Signature)
        }
    }

    fn seal(&self, data: &[u8]) -> String {
        let mut text = joined(&[data]);
        let signature = self.signature(&text);
        text.push_str(DASHES);
        text.push_str(&signature);
        text
    }
}

/// A cipher's key.
pub struct CipherKey {
    secret: Secret,
    made: OnceBox<Zeroizing<[u8; 32]>>,
}

impl CipherKey {
    fn new(secret: Secret) -> Self {
        let made = OnceBox::new();
        Self { secret, made }
    }

    fn bytes(&self) -> &[u8; 32] {
        self.made.get_or_init(|| {
            let mut key = Zeroizing::new([0; 32]);
            key.copy_from_slice(&self.secret.derive()); // 32 bytes, says `Message::new`
            Box::new(key)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::KeyId;

    fn message(kind: Kind) -> Message {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"secret".to_vec());
        Message::new(kind, &key, Pbkdf2::Sha1)
    }

    #[test]
    fn nothing_is_derived_for_a_text_of_another_shape() {
        let signed = message(Kind::Signed(Digest::Sha1));
        let (gcm, cbc) = (message(Kind::Gcm), message(Kind::Cbc));
        let hash = "0".repeat(40);
        for text in [
            "",
            "--",
            "MQ==",
            "MQ==--",
            "M.==--HASH",
            "MQ==--HASH--",
            "MQ==--HASH--MQ==",
            "--HASH",
            "MQ==--HASHa",
            "M Q==--HASH",
            "MQ==-HASH",
            "MQ==--HASH\u{FFFD}",
        ] {
            let text = text.replace("HASH", &hash);
            assert_eq!(signed.open(&text), Err(Refusal::Shape), "{text}");
            assert_eq!(cbc.open(&text), Err(Refusal::Shape), "{text}");
        }
        let (iv, tag) = ("A".repeat(16), format!("{}==", "A".repeat(22)));
        for text in [
            "",
            "--",
            "----",
            "------",
            "--IV--TAG",
            "MQ==--IV",
            "MQ==--IV--",
            "MQ==--IV--IV",
            "MQ==--IV--TAG--TAG",
            "MR==--IV--TAG",
            "MQ--IV--TAG",
            "MQ==--AAAA--TAG",
            "MQ==--IV--AAAA",
            "MQ==--TAG--TAG",
            "MQ==--HASH",
        ] {
            let text = text
                .replace("IV", &iv)
                .replace("TAG", &tag)
                .replace("HASH", &hash);
            assert_eq!(gcm.open(&text), Err(Refusal::Shape), "{text}");
        }
        let (Message::Signed(mac), Message::Gcm(key), Message::Cbc(cbc_key, cbc_mac)) =
            (signed, gcm, cbc)
        else {
            panic!("another kind")
        };
        assert!(mac.mac.get().is_none() && cbc_mac.mac.get().is_none());
        assert!(key.made.get().is_none() && cbc_key.made.get().is_none());
    }

    #[test]
    fn what_fits_is_derived_for_once() {
        let gcm = message(Kind::Gcm);
        let text = gcm.seal(b"1", |bytes| bytes.fill(7)).unwrap();
        let spoilt = text.replace("BwcHBwcHBwcHBwcH", "AwcHBwcHBwcHBwcH");
        assert_ne!(spoilt, text);
        assert_eq!(gcm.open(&spoilt), Err(Refusal::Signature));
        assert_eq!(gcm.open(&text), Ok(b"1".to_vec()));
    }

    #[test]
    fn what_is_rightly_signed_and_cannot_be_read_is_content() {
        let text = message(Kind::Signed(Digest::Sha1));
        let Message::Signed(signed) = &text else {
            panic!("another kind")
        };
        for data in ["MR==", "MQ", "M", "====", "MQ==MQ=="] {
            let text = format!("{data}--{}", signed.signature(data));
            assert_eq!(signed.open(&text), Err(Refusal::Content), "{data}");
        }
        let cbc = message(Kind::Cbc);
        let Message::Cbc(_, verifier) = &cbc else {
            panic!("another kind")
        };
        let iv = format!("{}==", "A".repeat(22));
        for inner in [
            "",
            "x",
            "AAAA",
            "AAAA--IV",
            "IV--IV",
            "IV--AAAA",
            "IV--IV--IV",
            "--IV",
        ] {
            let text = verifier.seal(inner.replace("IV", &iv).as_bytes());
            let expected = match inner {
                "" => Refusal::Shape,
                _ => Refusal::Content,
            };
            assert_eq!(cbc.open(&text), Err(expected), "{inner}");
        }
        assert_eq!(cbc.open(&verifier.seal(b"\xff\xfe")), Err(Refusal::Content));
    }
}
