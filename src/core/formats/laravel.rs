//! `laravel`: the encrypted cookies of Laravel, the session's id among them.
//!
//! Layout, percent-encoded for the header (`=` becomes `%3D`):
//!
//! ```text
//! base64(JSON)    JSON = {"iv":IV,"value":CIPHERTEXT,"mac":MAC,"tag":TAG}
//! plaintext       hex(HMAC-SHA1(KEY, NAME || "v2")) "|" payload
//! AES-CBC         MAC = hex(HMAC-SHA256(KEY, IV || CIPHERTEXT)), TAG empty
//! AES-256-GCM     MAC empty, TAG = base64(16 bytes)
//!
//! {"iv":"YJ+wP7JqApke8wAS/mXtMQ==","value":"+is52RGdWjUWlx386i+7zrfZEi+Wy83P2CzjfONn1EMG2RenA3HOHNZqOTA8WZIRqf//h6zVkd3jjR+fR6prLg==","mac":"721b46e22502aef1630270c51520fffbedb72ed18047f555ecbd959acedb5dd3","tag":""}
//! eyJpdiI6IllKK3dQN0pxQXBrZTh3QVMvbVh0TVE9PSIsInZhbHVlIjoiK2lz…IsInRhZyI6IiJ9
//! ```
//!
//! IV and CIPHERTEXT are base64 and go into the MAC as such; its hexadecimal is lower case and compared as
//! text. One key encrypts and signs. The payload is the text that the application set, as it is. What the
//! plaintext starts with binds name and key, so it is made anew for each key. No time is carried.
//!
//! Members may stand in any order, with space and others between them: earlier versions of Laravel escaped
//! slashes and wrote no `tag`. What stands twice, or whose name is behind escapes, is refused. GCM
//! ignores `mac`, which must be a text. Laravel also reads base64 without padding, with unused bits set, or
//! with other characters in between, and never writes it; here base64 is strict.
//!
//! A value without the prefix, from before Laravel bound the name, or one that PHP serialised
//! (`$serialize`), is refused, as Laravel refuses it. Its cipher `aes-128-gcm` is not offered.
//!
//! Source: `Illuminate/Encryption/Encrypter.php`, `Illuminate/Cookie/CookieValuePrefix.php`,
//! `Illuminate/Cookie/Middleware/EncryptCookies.php`; checked against Laravel 8.83.26 by the vectors.

use zeroize::Zeroizing;

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, KeyShape, Keyed, Payload, Refusal,
    Uncarriable,
};
use crate::crypto::cipher::{TAG, cbc_open, cbc_seal, gcm_open, gcm_seal};
use crate::crypto::key::{Encoding, Key};
use crate::crypto::{Digest, Mac, Random, equal, random_bytes};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    from_base64, from_uri_component, hex, is_lower_hex, push_base64, uri_component,
};
use crate::wire::json::{members, string};

pub const FORMATS: &[Description] = &[Description {
    name: "laravel",
    used_by: "Laravel 8.83, EncryptCookies",
    options: &[FormatOption::new(
        "cipher",
        DefaultValue::Text("aes-256-cbc"),
        "`\"aes-128-cbc\"`, `\"aes-256-gcm\"`",
    )
    .shaped_by(&[ShapeValue::Text("aes-256-gcm")])
    .also_used_as(&[ShapeValue::Text("aes-128-cbc")])],
    read: laravel,
}];

fn laravel(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let cipher = table.choice(
        "cipher",
        &[
            ("aes-256-cbc", Laravel::Aes256Cbc),
            ("aes-128-cbc", Laravel::Aes128Cbc),
            ("aes-256-gcm", Laravel::Aes256Gcm),
        ],
    );
    Some(Box::new(cipher.unwrap_or(Laravel::Aes256Cbc)))
}

/// By cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Laravel {
    Aes256Cbc,
    Aes128Cbc,
    Aes256Gcm,
}

impl Laravel {
    const fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc => 16,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }

    /// APP_KEY as Laravel takes it: in base64 where it says so.
    fn key(self, key: &Key) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        let bytes = match key.bytes().strip_prefix(b"base64:") {
            Some(text) => core::str::from_utf8(text).ok().and_then(from_base64),
            None => Some(key.bytes().to_vec()),
        };
        let bytes = bytes.map(Zeroizing::new);
        let bytes = bytes.filter(|key| key.len() == self.key_len());
        bytes.ok_or_else(|| {
            KeyFault::new(match self {
                Self::Aes128Cbc => {
                    "aes-128-cbc needs a key of 16 bytes: APP_KEY as it stands with its \"base64:\", or what follows it with encoding = \"base64\""
                }
                _ => {
                    "needs a key of 32 bytes: APP_KEY as it stands with its \"base64:\", or what follows it with encoding = \"base64\""
                }
            })
            .cure("`php artisan key:generate --show` makes one")
        })
    }
}

impl Format for Laravel {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            binds_name: true,
            least_key: Some(self.key_len()),
            ..FormatProperties::of(Payload::Text)
        }
    }

    fn key_shape(&self) -> KeyShape {
        KeyShape::Base64 {
            prefix: "base64:",
            bytes: self.key_len(),
            encoding: Encoding::Utf8,
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: Digest::Sha256,
            signs: "IV CIPHERTEXT",
        }
    }

    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        let key = self.key(key)?;
        let prefix = Mac::new(Digest::Sha1, &key).sign(&[cookie.as_bytes(), b"v2"]);
        Ok(Box::new(KeyedCookie {
            cipher: *self,
            mac: Mac::new(Digest::Sha256, &key),
            key,
            prefix: Zeroizing::new(hex(&prefix) + "|"),
        }))
    }
}

struct KeyedCookie {
    cipher: Laravel,
    mac: Mac,
    key: Zeroizing<Vec<u8>>,
    /// What the plaintext starts with.
    prefix: Zeroizing<String>,
}

impl Keyed for KeyedCookie {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let json = from_base64(&from_uri_component(value)).ok_or(Refusal::Shape)?;
        let json = core::str::from_utf8(&json).map_err(|_| Refusal::Shape)?;
        let sealed = Sealed::of(json).ok_or(Refusal::Shape)?;
        let plaintext = match self.cipher {
            Laravel::Aes256Gcm => self.gcm_read(&sealed)?,
            _ => self.cbc_read(&sealed)?,
        };
        match plaintext.split_at_checked(self.prefix.len()) {
            Some((prefix, payload)) if equal(prefix, self.prefix.as_bytes()) => {
                Ok(Content::of(payload.to_vec()))
            }
            _ => Err(Refusal::Content),
        }
    }

    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable> {
        let plaintext = Zeroizing::new([self.prefix.as_bytes(), &content.payload].concat());
        let json = match self.cipher {
            Laravel::Aes256Gcm => self.gcm_json(&plaintext, random),
            _ => self.cbc_json(&plaintext, random),
        };
        let json = json.ok_or(Uncarriable)?;
        Ok(uri_component(&base64(json.as_bytes())))
    }
}

impl KeyedCookie {
    fn cbc_mac(&self, iv: &str, ciphertext: &str) -> String {
        hex(&self.mac.sign(&[iv.as_bytes(), ciphertext.as_bytes()]))
    }

    fn cbc_read(&self, sealed: &Sealed) -> Result<Vec<u8>, Refusal> {
        let iv = bytes(&sealed.iv).ok_or(Refusal::Shape)?;
        let ciphertext = from_base64(&sealed.value).ok_or(Refusal::Shape)?;
        if !sealed.tag.is_empty() || !is_lower_hex(&sealed.mac, Digest::Sha256.size()) {
            return Err(Refusal::Shape);
        }
        let mac = self.cbc_mac(&sealed.iv, &sealed.value);
        if equal(mac.as_bytes(), sealed.mac.as_bytes()) {
            cbc_open(&self.key, &iv, &ciphertext).ok_or(Refusal::Content)
        } else {
            Err(Refusal::Signature)
        }
    }

    fn cbc_json(&self, plaintext: &[u8], random: Random) -> Option<String> {
        let iv = random_bytes(random);
        let value = base64(&cbc_seal(&self.key, &iv, plaintext)?);
        let iv = base64(&iv);
        let mac = self.cbc_mac(&iv, &value);
        Some(json(&iv, &value, &mac, ""))
    }

    fn gcm_read(&self, sealed: &Sealed) -> Result<Vec<u8>, Refusal> {
        let iv = bytes(&sealed.iv).ok_or(Refusal::Shape)?;
        let tag: [u8; TAG] = bytes(&sealed.tag).ok_or(Refusal::Shape)?;
        let ciphertext = from_base64(&sealed.value).ok_or(Refusal::Shape)?;
        let plaintext = |key| gcm_open(key, &iv, &ciphertext, &tag);
        self.gcm_key().and_then(plaintext).ok_or(Refusal::Signature)
    }

    fn gcm_json(&self, plaintext: &[u8], random: Random) -> Option<String> {
        let iv = random_bytes(random);
        let (ciphertext, tag) = gcm_seal(self.gcm_key()?, &iv, plaintext)?;
        Some(json(&base64(&iv), &base64(&ciphertext), "", &base64(&tag)))
    }

    /// There, since the key's length has been looked at.
    fn gcm_key(&self) -> Option<&[u8; 32]> {
        self.key.first_chunk()
    }
}

/// What the JSON holds.
struct Sealed {
    iv: String,
    value: String,
    mac: String,
    tag: String,
}

impl Sealed {
    fn of(json: &str) -> Option<Self> {
        let found = members(json, ["iv", "value", "mac", "tag"])?;
        let [iv, value, mac, tag] = found.map(|at| json.get(at?));
        Some(Self {
            iv: string(iv?)?,
            value: string(value?)?,
            mac: string(mac?)?,
            tag: match tag {
                None | Some("null") => String::new(),
                Some(tag) => string(tag)?,
            },
        })
    }
}

/// As PHP writes it: base64 and hexadecimal need no escapes, and slashes get none.
fn json(iv: &str, value: &str, mac: &str, tag: &str) -> String {
    format!(r#"{{"iv":"{iv}","value":"{value}","mac":"{mac}","tag":"{tag}"}}"#)
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_base64(&mut text, bytes);
    text
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    from_base64(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::KeyId;
    use proptest::prelude::*;
    use serde_json::Value;

    const ALL: [Laravel; 3] = [Laravel::Aes256Cbc, Laravel::Aes128Cbc, Laravel::Aes256Gcm];

    fn key(bytes: &[u8]) -> Key {
        Key::new(KeyId::parse("KEY").unwrap(), bytes.to_vec())
    }

    fn keyed(cipher: Laravel, cookie: &str) -> Box<dyn Keyed> {
        let bytes = &b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[..cipher.key_len()];
        cipher.keyed(cookie, &key(bytes)).unwrap()
    }

    fn seven(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn sealed(cipher: Laravel, payload: &[u8]) -> String {
        keyed(cipher, "sid")
            .seal(&Content::of(payload), seven)
            .unwrap()
    }

    /// A value with its JSON changed.
    fn with_json(value: &str, change: impl Fn(&str) -> String) -> String {
        let json = from_base64(&from_uri_component(value)).unwrap();
        let json = change(core::str::from_utf8(&json).unwrap());
        uri_component(&base64(json.as_bytes()))
    }

    #[test]
    fn the_name_is_bound() {
        for cipher in ALL {
            let value = sealed(cipher, b"x");
            assert_eq!(
                keyed(cipher, "sid").open(&value),
                Ok(Content::of(&b"x"[..]))
            );
            for other in ["si", "sid2", "SID", ""] {
                assert_eq!(keyed(cipher, other).open(&value), Err(Refusal::Content));
            }
        }
    }

    #[test]
    fn a_key_is_taken_as_app_key_writes_it() {
        let raw = [0xFB; 32];
        let written = format!("base64:{}", base64(&raw));
        for cipher in [Laravel::Aes256Cbc, Laravel::Aes256Gcm] {
            let content = Content::of(&b"x"[..]);
            let value = cipher
                .keyed("sid", &key(&raw))
                .unwrap()
                .seal(&content, seven);
            let pasted = cipher.keyed("sid", &key(written.as_bytes())).unwrap();
            assert_eq!(pasted.open(&value.unwrap()), Ok(content));
        }
        let unmarked = base64(&raw);
        let short = format!("base64:{}", base64(&raw[1..]));
        let long = [0; 33];
        for bad in [
            unmarked.as_bytes(),
            short.as_bytes(),
            &long,
            &raw[..16],
            b"",
            b"base64:",
            b"base64:\xFF",
        ] {
            for cipher in [Laravel::Aes256Cbc, Laravel::Aes256Gcm] {
                let fault = cipher.keyed("sid", &key(bad)).unwrap_err();
                assert!(fault.reason.contains("32 bytes"), "{fault}");
            }
        }
        let fault = Laravel::Aes128Cbc.keyed("sid", &key(&raw)).unwrap_err();
        assert!(fault.reason.contains("16 bytes"), "{fault}");
    }

    #[test]
    fn json_is_read_as_json_and_written_as_laravel_does() {
        for cipher in ALL {
            let value = sealed(cipher, "é".repeat(40).as_bytes());
            let content = keyed(cipher, "sid").open(&value).unwrap();
            let same = [
                with_json(&value, |json| json.replace('/', "\\/")),
                with_json(&value, |json| json.replace(",\"tag\":\"\"", "")),
                with_json(&value, |json| json.replace("\"tag\":\"\"", "\"tag\":null")),
                with_json(&value, |json| json.replace(':', " :\n")),
                with_json(&value, |json| json.replace('{', "{\"more\":[1],")),
                value.replace("%3D", "="),
            ];
            for same in same {
                assert_eq!(keyed(cipher, "sid").open(&same).as_ref(), Ok(&content));
            }
            assert_eq!(keyed(cipher, "sid").seal(&content, seven), Ok(value));
        }
    }

    #[test]
    fn what_has_not_the_shape_is_refused_unhashed() {
        let fields = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        for cipher in ALL {
            let value = sealed(cipher, b"x");
            let mut spoilt = vec![
                String::new(),
                "%3D".to_owned(),
                value.replace("%3D", ""),
                value.clone() + "A",
                value[..value.len() / 2].to_owned(),
                value.replace("eyJ", "eyK"),
            ];
            for field in ["iv", "value", "mac", "tag"] {
                let longer = fields(&format!("{{\"{field}\":\"AAAA\"}}"));
                for bad in [
                    Value::Null,
                    Value::from(1),
                    longer[field].clone(),
                    Value::from("="),
                ] {
                    let fits = match (cipher, field) {
                        (Laravel::Aes256Gcm, "mac") => bad.is_string(),
                        (Laravel::Aes256Gcm, _) => false,
                        (_, "tag") => bad.is_null(),
                        _ => false,
                    };
                    // a ciphertext of another length is one still
                    if fits || (field == "value" && bad == "AAAA") {
                        continue;
                    }
                    spoilt.push(with_json(&value, |json| {
                        let mut json = fields(json);
                        json[field] = bad.clone();
                        json.to_string()
                    }));
                }
            }
            for json in ["[]", "null", "\"iv\"", "{}", "{\"iv\":{}}"] {
                spoilt.push(with_json(&value, |_| json.to_owned()));
            }
            if cipher.key_len() == 32 {
                let other = match cipher {
                    Laravel::Aes256Gcm => Laravel::Aes256Cbc,
                    _ => Laravel::Aes256Gcm,
                };
                spoilt.push(sealed(other, b"x"));
            }
            for spoilt in spoilt {
                let opened = keyed(cipher, "sid").open(&spoilt);
                assert_eq!(opened, Err(Refusal::Shape), "{spoilt}");
            }
        }
    }

    #[test]
    fn what_another_key_made_is_a_wrong_signature() {
        for cipher in ALL {
            let other = cipher
                .keyed("sid", &key(&vec![1; cipher.key_len()]))
                .unwrap();
            let opened = other.open(&sealed(cipher, b"x")).map(Content::into_owned);
            assert_eq!(opened, Err(Refusal::Signature));
        }
    }

    #[test]
    fn what_has_no_prefix_or_does_not_decrypt_is_content() {
        let bytes = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
        let cookie = KeyedCookie {
            cipher: Laravel::Aes256Cbc,
            mac: Mac::new(Digest::Sha256, bytes),
            key: Zeroizing::new(bytes.to_vec()),
            prefix: Zeroizing::new(String::new()),
        };
        let keyed = keyed(Laravel::Aes256Cbc, "sid");
        for plaintext in [&b""[..], b"x", &[b'0'; 40], &[b'0'; 41], &[b'0'; 200]] {
            let value = cookie.seal(&Content::of(plaintext), seven).unwrap();
            assert_eq!(keyed.open(&value), Err(Refusal::Content));
        }
        let iv = base64(&[0; 16]);
        for ciphertext in ["", "AAAA", &iv] {
            let json = json(&iv, ciphertext, &cookie.cbc_mac(&iv, ciphertext), "");
            let value = uri_component(&base64(json.as_bytes()));
            assert_eq!(keyed.open(&value), Err(Refusal::Content));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String, json in "\\PC{0,40}") {
            for cipher in ALL {
                let keyed = keyed(cipher, "sid");
                prop_assert!(keyed.open(&text).is_err());
                prop_assert!(keyed.open(&base64(json.as_bytes())).is_err());
            }
        }

        #[test]
        fn any_payload_comes_back(payload: Vec<u8>) {
            for cipher in ALL {
                let value = sealed(cipher, &payload);
                prop_assert!(crate::wire::encoding::is_header_text(&value));
                let opened = keyed(cipher, "sid").open(&value).map(Content::into_owned);
                prop_assert_eq!(opened, Ok(Content::of(payload.clone())));
            }
        }
    }
}
