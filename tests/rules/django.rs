//! A little Django signer, written from Django's documentation of the wire format and not from `src`, so
//! that the code under test is not its own oracle.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Which hash, by Django's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// `django.core.signing.Signer`, or `TimestampSigner` where it is timed.
#[derive(Clone, Debug)]
pub struct Signer {
    pub salt: String,
    /// What stands in front of the secret.
    pub prefix: &'static str,
    pub hash: Hash,
    pub sep: &'static str,
    pub timed: bool,
}

/// `django.contrib.sessions.backends.signed_cookies`.
pub fn sessions() -> Signer {
    signer("django.contrib.sessions.backends.signed_cookies")
}

/// `django.contrib.messages.storage.cookie`, Django 3.1 and later.
pub fn messages() -> Signer {
    Signer {
        prefix: "django.http.cookies",
        ..signer("django.contrib.messages")
    }
}

/// `set_signed_cookie` since 5.2.15.
pub fn signed_cookie(name: &str, salt: &str) -> Signer {
    let length = salt.chars().count();
    Signer {
        prefix: "django.http.cookies",
        ..signer(&format!("django.http.cookies.v2:{length}:{salt}{name}"))
    }
}

/// `set_signed_cookie` before.
pub fn signed_cookie_v1(name: &str, salt: &str) -> Signer {
    Signer {
        prefix: "django.http.cookies",
        ..signer(&format!("{name}{salt}"))
    }
}

/// `TimestampSigner(salt=…)`.
pub fn signer(salt: &str) -> Signer {
    Signer {
        salt: salt.to_owned(),
        prefix: "",
        hash: Hash::Sha256,
        sep: ":",
        timed: true,
    }
}

impl Signer {
    pub fn with(self, hash: Hash) -> Self {
        Self { hash, ..self }
    }

    /// The value as it stands in a header.
    pub fn sign(&self, secret: impl AsRef<[u8]>, payload: &str, time: u64) -> String {
        quoted(&self.sign_raw(secret, payload, time))
    }

    /// The value before Python quotes it.
    pub fn sign_raw(&self, secret: impl AsRef<[u8]>, payload: &str, time: u64) -> String {
        let sep = self.sep;
        let signed = if self.timed {
            format!("{payload}{sep}{}", base62(time))
        } else {
            payload.to_owned()
        };
        let salted = [self.salt.as_bytes(), b"signer", self.prefix.as_bytes()].concat();
        let key = self.hash.of(&[&salted, secret.as_ref()].concat());
        let signature = URL_SAFE_NO_PAD.encode(self.hash.hmac(&key, signed.as_bytes()));
        format!("{signed}{sep}{signature}")
    }
}

/// Messages before Django 3.1.
pub fn hash_layout(secret: impl AsRef<[u8]>, json: &str) -> String {
    let key = Hash::Sha1.of(&[b"django.contrib.messages", secret.as_ref()].concat());
    let hash = Hash::Sha1.hmac(&key, json.as_bytes());
    let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
    quoted(&format!("{hex}${json}"))
}

/// Later messages hold the same JSON in base64url.
pub fn base64url(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

impl Hash {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => Sha1::digest(bytes).to_vec(),
            Hash::Sha256 => Sha256::digest(bytes).to_vec(),
            Hash::Sha384 => Sha384::digest(bytes).to_vec(),
            Hash::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    pub fn hmac(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        fn run<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Vec<u8> {
            let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
            mac.update(bytes);
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Hash::Sha1 => run::<Hmac<Sha1>>(key, bytes),
            Hash::Sha256 => run::<Hmac<Sha256>>(key, bytes),
            Hash::Sha384 => run::<Hmac<Sha384>>(key, bytes),
            Hash::Sha512 => run::<Hmac<Sha512>>(key, bytes),
        }
    }
}

/// `http.cookies` quoting: what is not legal in a token goes inside quotes, as octal where it might end
/// the value.
pub fn quoted(text: &str) -> String {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:".contains(c);
    if !text.is_empty() && text.chars().all(is_legal) {
        return text.to_owned();
    }
    let inner: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            ',' | ';' | '\0'..'\u{20}' | '\u{7f}'.. => format!("\\{:03o}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{inner}\"")
}

fn base62(mut number: u64) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[(number % 62) as usize]);
        number /= 62;
        if number == 0 {
            digits.reverse();
            return String::from_utf8(digits).unwrap();
        }
    }
}
