//! A second reading of some formats, written from the frameworks' own documents and not from the core: what a site
//! would take, and what a visitor may show. The oracles ask it, and never the core's `open`.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How one framework signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Django's session in a signed cookie.
    Django,
    /// Keygrip: the signature is a cookie of its own.
    Keygrip,
    /// A JSON Web Token with HS256.
    Jwt,
    /// Laravel's encrypted cookies, AES-256-CBC.
    Laravel,
    /// Rails' signed cookies.
    Rails,
}

/// All of them.
pub const SCHEMES: [Scheme; 5] = [
    Scheme::Django,
    Scheme::Keygrip,
    Scheme::Jwt,
    Scheme::Laravel,
    Scheme::Rails,
];

/// A cookie's value, and that of its second cookie where the signature is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub value: String,
    pub companion: Option<String>,
}

/// Times that are signed, in Unix seconds. A scheme signs those that it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub signed: u64,
    pub expiry: Option<u64>,
    pub not_before: Option<u64>,
}

/// What a site reads in a value that its key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What was signed, its times among it: what another key signs instead must be the same.
    pub payload: String,
    pub times: Times,
}

impl Scheme {
    /// Signs as the framework does, for a cookie of that name.
    pub fn sign(self, key: &str, name: &str, payload: &str, times: Times) -> Signed {
        let value = match self {
            Self::Django => {
                let text = format!("{payload}:{}", base62(times.signed));
                let signature = URL_SAFE_NO_PAD.encode(sha256(&django_key(key), text.as_bytes()));
                format!("{text}:{signature}")
            }
            Self::Keygrip => payload.to_owned(),
            Self::Jwt => token(ALGORITHM, key, payload, times),
            Self::Laravel => laravel_sealed(key, name, payload),
            Self::Rails => {
                let text = rails_text(name, payload, times.expiry);
                escaped(&format!(
                    "{text}--{}",
                    hex(&sha1(&rails_key(key), text.as_bytes()))
                ))
            }
        };
        let companion =
            (self == Self::Keygrip).then(|| keygrip_signature(key, name, payload.as_bytes()));
        Signed { value, companion }
    }

    /// A token that says that it is signed otherwise than it is.
    pub fn token_of_another(key: &str, payload: &str, times: Times) -> Signed {
        Signed {
            value: token("HS512", key, payload, times),
            companion: None,
        }
    }

    /// Whether a value stands as the framework writes it. What it reads beside that the gate may refuse.
    pub fn writes(self, value: &str) -> bool {
        let written = match self {
            Self::Django | Self::Keygrip | Self::Jwt => return true,
            Self::Laravel => laravel_written(value),
            Self::Rails => unescaped(value).map(|text| escaped(&text)),
        };
        written.as_deref() == Some(value)
    }

    /// What a site with this key reads in a cookie of that name.
    pub fn read(
        self,
        key: &str,
        name: &str,
        value: &str,
        companion: Option<&str>,
    ) -> Option<Reading> {
        let timeless = |payload: &str| Reading {
            payload: payload.to_owned(),
            times: Times::default(),
        };
        match self {
            Self::Django => {
                let (text, signature) = value.rsplit_once(':')?;
                let (_, time) = text.rsplit_once(':')?;
                let made = URL_SAFE_NO_PAD.encode(sha256(&django_key(key), text.as_bytes()));
                let signed = from_base62(time)?;
                (made == signature).then(|| Reading {
                    payload: text.to_owned(),
                    times: Times {
                        signed,
                        ..Times::default()
                    },
                })
            }
            Self::Keygrip => {
                let made = keygrip_signature(key, name, value.as_bytes());
                (Some(made.as_str()) == companion).then(|| timeless(value))
            }
            Self::Jwt => {
                let (text, signature) = value.rsplit_once('.')?;
                let made = URL_SAFE_NO_PAD.encode(sha256(key.as_bytes(), text.as_bytes()));
                let (head, claims) = text.split_once('.')?;
                let json = |part: &str| {
                    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
                    serde_json::from_slice::<Value>(&bytes).ok()
                };
                let (head, claims) = (json(head)?, json(claims)?);
                (made == signature && head["alg"] == ALGORITHM).then(|| Reading {
                    payload: text.to_owned(),
                    times: Times {
                        signed: claims["iat"].as_u64().unwrap_or_default(),
                        expiry: claims["exp"].as_u64(),
                        not_before: claims["nbf"].as_u64(),
                    },
                })
            }
            Self::Laravel => laravel_opened(key, name, value).map(|payload| timeless(&payload)),
            Self::Rails => {
                let value = unescaped(value)?;
                let (text, signature) = value.split_once("--")?;
                let made = hex(&sha1(&rails_key(key), text.as_bytes()));
                let data: Value = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
                let is_ours = data["_rails"]["pur"] == format!("cookie.{name}");
                let expiry = match data["_rails"]["exp"].as_str() {
                    Some(date) => Some(from_rails_date(date)?),
                    None => None,
                };
                (made == signature && is_ours).then(|| Reading {
                    payload: text.to_owned(),
                    times: Times {
                        expiry,
                        ..Times::default()
                    },
                })
            }
        }
    }
}

fn sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `salted_hmac` of the session's salt, SHA-256.
fn django_key(key: &str) -> Vec<u8> {
    let salt = "django.contrib.sessions.backends.signed_cookies";
    Sha256::digest([salt.as_bytes(), b"signer", key.as_bytes()].concat()).to_vec()
}

fn base62(mut number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[(number % 62) as usize]);
        number /= 62;
        if number == 0 {
            break;
        }
    }
    digits.reverse();
    String::from_utf8(digits).expect("digits are ASCII")
}

fn from_base62(digits: &str) -> Option<u64> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'A'..=b'Z' => Some(c - b'A' + 10),
        b'a'..=b'z' => Some(c - b'a' + 36),
        _ => None,
    };
    digits.bytes().try_fold(0, |number: u64, c| {
        number.checked_mul(62)?.checked_add(u64::from(digit(c)?))
    })
}

fn keygrip_signature(key: &str, name: &str, value: &[u8]) -> String {
    let text = [name.as_bytes(), b"=", value].concat();
    URL_SAFE_NO_PAD.encode(sha1(key.as_bytes(), &text))
}

const ALGORITHM: &str = "HS256";

/// Whatever its header says, it is signed with HS256.
fn token(algorithm: &str, key: &str, payload: &str, times: Times) -> String {
    let head = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
    let [head, claims] =
        [head.into_bytes(), claims(payload, times)].map(|part| URL_SAFE_NO_PAD.encode(part));
    let text = format!("{head}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(sha256(key.as_bytes(), text.as_bytes()));
    format!("{text}.{signature}")
}

fn claims(payload: &str, times: Times) -> Vec<u8> {
    let mut claims = serde_json::json!({ "p": payload, "iat": times.signed });
    if let Some(expiry) = times.expiry {
        claims["exp"] = expiry.into();
    }
    if let Some(not_before) = times.not_before {
        claims["nbf"] = not_before.into();
    }
    claims.to_string().into_bytes()
}

/// Derived once for each key: there are four.
fn rails_key(key: &str) -> [u8; 64] {
    static DERIVED: Mutex<BTreeMap<String, [u8; 64]>> = Mutex::new(BTreeMap::new());
    let mut derived = DERIVED.lock().expect("nobody panics with it");
    let derive = || pbkdf2::pbkdf2_hmac_array::<Sha256, 64>(key.as_bytes(), b"signed cookie", 1000);
    *derived.entry(key.to_owned()).or_insert_with(derive)
}

fn rails_text(name: &str, payload: &str, expiry: Option<u64>) -> String {
    let message = STANDARD.encode(serde_json::json!(payload).to_string());
    let pur = format!("cookie.{name}");
    let exp = expiry.map_or("null".to_owned(), |end| format!("\"{}\"", rails_date(end)));
    // Rails writes the members in this order
    STANDARD.encode(format!(
        r#"{{"_rails":{{"message":"{message}","exp":{exp},"pur":"{pur}"}}}}"#
    ))
}

/// 2027-01-01T00:00:00Z: everything happens in that month.
const JANUARY: u64 = 1_798_761_600;

fn rails_date(seconds: u64) -> String {
    let (days, rest) = ((seconds - JANUARY) / 86_400, seconds % 86_400);
    let (hours, minutes, seconds) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!(
        "2027-01-{:02}T{hours:02}:{minutes:02}:{seconds:02}.000Z",
        days + 1
    )
}

/// The Unix seconds of a date that [`rails_date`] wrote.
fn from_rails_date(date: &str) -> Option<u64> {
    let number = |at: std::ops::Range<usize>| date.get(at)?.parse::<u64>().ok();
    let (days, hours) = (number(8..10)?.checked_sub(1)?, number(11..13)?);
    let seconds = hours * 3_600 + number(14..16)? * 60 + number(17..19)?;
    let read = JANUARY + days * 86_400 + seconds;
    (rails_date(read) == date).then_some(read)
}

/// A key of Laravel's: `base64:` and 32 bytes, or the bytes in base64 alone.
fn laravel_key(key: &str) -> [u8; 32] {
    let bytes = STANDARD.decode(key.trim_start_matches("base64:"));
    bytes.expect("base64").try_into().expect("32 bytes")
}

fn laravel_prefix(key: &[u8], name: &str) -> String {
    format!("{}|", hex(&sha1(key, format!("{name}v2").as_bytes())))
}

fn laravel_sealed(key: &str, name: &str, payload: &str) -> String {
    let key = laravel_key(key);
    let iv: [u8; 16] = Sha256::digest(payload.as_bytes())[..16]
        .try_into()
        .expect("16 bytes");
    let plain = laravel_prefix(&key, name) + payload;
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&key.into(), &iv.into());
    let value = STANDARD.encode(cipher.encrypt_padded_vec_mut::<Pkcs7>(plain.as_bytes()));
    let iv = STANDARD.encode(iv);
    let mac = hex(&sha256(&key, format!("{iv}{value}").as_bytes()));
    laravel_envelope(&iv, &value, &mac)
}

fn laravel_envelope(iv: &str, value: &str, mac: &str) -> String {
    let json = format!(r#"{{"iv":"{iv}","value":"{value}","mac":"{mac}","tag":""}}"#);
    escaped(&STANDARD.encode(json))
}

/// What a value says, as Laravel writes it.
fn laravel_written(value: &str) -> Option<String> {
    let json: Value = serde_json::from_slice(&STANDARD.decode(unescaped(value)?).ok()?).ok()?;
    let [iv, value, mac] = ["iv", "value", "mac"].map(|name| json[name].as_str());
    Some(laravel_envelope(iv?, value?, mac?))
}

fn laravel_opened(key: &str, name: &str, value: &str) -> Option<String> {
    let key = laravel_key(key);
    let json: Value = serde_json::from_slice(&STANDARD.decode(unescaped(value)?).ok()?).ok()?;
    let (iv, sealed) = (json["iv"].as_str()?, json["value"].as_str()?);
    let mac = hex(&sha256(&key, format!("{iv}{sealed}").as_bytes()));
    let iv: [u8; 16] = STANDARD.decode(iv).ok()?.try_into().ok()?;
    let cipher = cbc::Decryptor::<aes::Aes256>::new(&key.into(), &iv.into());
    let plain = cipher.decrypt_padded_vec_mut::<Pkcs7>(&STANDARD.decode(sealed).ok()?);
    let plain = String::from_utf8(plain.ok()?).ok()?;
    let payload = plain.strip_prefix(&laravel_prefix(&key, name))?;
    (json["mac"] == mac.as_str()).then(|| payload.to_owned())
}

/// `=`, `+` and `/` as they stand in a cookie.
fn escaped(text: &str) -> String {
    text.replace('=', "%3D")
        .replace('+', "%2B")
        .replace('/', "%2F")
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                tail
            }
            (b'%', _) => return None,
            (first, tail) => {
                bytes.push(*first);
                tail
            }
        };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{RULES, Role};

    #[test]
    fn what_a_scheme_signs_it_reads_under_that_key_and_name_alone() {
        for rule in &RULES {
            let (key, other) = (rule.key(Role::Current), rule.key(Role::Origin));
            let times = Times {
                signed: 1_800_000_000,
                ..Times::default()
            };
            let signed = rule.scheme.sign(key, rule.name, "eyJhIjoxfQ", times);
            let read = |key, name| {
                let companion = signed.companion.as_deref();
                rule.scheme.read(key, name, &signed.value, companion)
            };
            assert!(read(key, rule.name).is_some(), "{}", rule.name);
            assert_eq!(read(other, rule.name), None, "{}", rule.name);
            let binds_name = !matches!(rule.scheme, Scheme::Django | Scheme::Jwt);
            assert_eq!(read(key, "other").is_none(), binds_name, "{}", rule.name);
        }
    }
}
