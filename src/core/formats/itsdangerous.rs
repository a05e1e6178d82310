//! itsdangerous: `itsdangerous` (any signer or URL-safe serializer), `flask-session`,
//! `starlette-session`.
//!
//! Layout, never quoted:
//!
//! ```text
//! PAYLOAD "." TIME "." base64url(HMAC_H(K, PAYLOAD "." TIME))
//! eyJuYW1lIjoiY2FydCIsInVzZXJfaWQiOjQzMzQ2Mn0.akxWTg.vKEOHj1LcagzgGmzUNhgMWyF8k8
//! ```
//!
//! Split at the last separator, since a payload may hold more of them. TIME is base64url of big-endian
//! seconds without leading zero bytes, since 1970, or before itsdangerous 1.0 since 2011 (`epoch`);
//! nothing in the text says which. Without a timestamp it is absent. K by `key_derivation`:
//!
//! | `key_derivation` | K |
//! | --- | --- |
//! | `django-concat` | H(SALT `signer` key) |
//! | `concat` | H(SALT key) |
//! | `hmac` | HMAC_H(key, SALT) |
//! | `none` | key |
//!
//! | format | SALT | K | H | PAYLOAD |
//! | --- | --- | --- | --- | --- |
//! | `itsdangerous` | `salt` | `key_derivation` | `digest` | text, or a serializer's base64url, `.` in front where zlib compressed it |
//! | `flask-session` | `cookie-session` | `hmac` | SHA-1 | base64url of tagged JSON, `.` in front where zlib compressed it |
//! | `starlette-session` | `itsdangerous.Signer` | `django-concat` | SHA-1 | standard base64 of JSON, padded |
//!
//! Source: `itsdangerous/{signer,timed,encoding}.py`, `flask/sessions.py`,
//! `starlette/middleware/sessions.py`; checked against itsdangerous 0.24, 1.1.0 and 2.2.0, Flask 3.1.3
//! and Starlette 1.10.0 by the vectors. itsdangerous compares the signature's bytes: its unused bits
//! and `=` behind it are free, here too. It also takes `+` for `-`, `/` for `_`, characters of no base64
//! among the signature's (Python drops them) where they keep its length whole, anything behind a
//! signature's `=`, and a time with leading zeros, `=` or free unused bits; Flask and Starlette take a
//! value in double quotes, with backslashes before any of its characters. None of them writes that, and
//! here it is refused, so that a time has one spelling.

use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    base64_len, cut_at_last, from_base64url, from_base64url_leniently, is_base64url,
    is_header_text, push_base64url,
};

pub const FORMATS: &[Description] = &[
    Description {
        name: "itsdangerous",
        used_by: "itsdangerous 0.24, 1.1, 2.2; Flask-Session 0.8 with its signer",
        options: &[
            FormatOption::new(
                "salt",
                DefaultValue::Text("itsdangerous.Signer"),
                "serializers sign with `\"itsdangerous\"`",
            )
            .also_used_as(&[
                ShapeValue::Text("itsdangerous"),
                ShapeValue::Text("flask-session"),
                ShapeValue::Text("cookie-session"),
                ShapeValue::Name,
            ]),
            FormatOption::new(
                "key_derivation",
                DefaultValue::Text("django-concat"),
                "`\"concat\"`, `\"hmac\"`, `\"none\"`",
            )
            .also_used_as(&[
                ShapeValue::Text("concat"),
                ShapeValue::Text("hmac"),
                ShapeValue::Text("none"),
            ]),
            FormatOption::digest("sha1", ""),
            FormatOption::new("sep", DefaultValue::Text("."), ""),
            FormatOption::new("timestamp", DefaultValue::Flag(true), "")
                .shaped_by(&[ShapeValue::Flag(false)]),
            FormatOption::new("epoch", DefaultValue::Number(0), "1293840000 before 1.0")
                .also_used_as(&[ShapeValue::Number(1_293_840_000)]),
        ],
        read: configured,
    },
    Description {
        name: "flask-session",
        used_by: "Flask 3.1, Quart 0.22",
        options: &[],
        read: |_| Some(Box::new(Signer::flask())),
    },
    Description {
        name: "starlette-session",
        used_by: "Starlette 1.10 and FastAPI, SessionMiddleware",
        options: &[],
        read: |_| Some(Box::new(Signer::starlette())),
    },
];

const SIGNER_SALT: &str = "itsdangerous.Signer";
/// 2011-01-01, where itsdangerous before 1.0 began to count.
const EPOCH_2011: u64 = 1_293_840_000;

fn configured(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let default = Signer::default();
    let salt = table.text("salt").map_or(default.salt, str::to_owned);
    let derivation = table.choice("key_derivation", KeyDerivation::NAMES);
    let digest = table.choice("digest", Digest::NAMES);
    let timestamp = table.flag("timestamp");
    let sep = sep(table);
    let epoch = epoch(table);
    Some(Box::new(Signer {
        salt,
        derivation: derivation.unwrap_or(default.derivation),
        digest: digest.unwrap_or(default.digest),
        sep: sep?,
        timestamp: timestamp.unwrap_or(default.timestamp),
        epoch: epoch?,
        payload: default.payload,
    }))
}

fn sep(table: &mut Table<'_>) -> Option<String> {
    let sep = table.text("sep").unwrap_or(".");
    // one that could be part of the base64 has no place of its own
    if is_header_text(sep) && !is_base64url(&sep.replace('=', "")) {
        return Some(sep.to_owned());
    }
    table.problem(
        "sep",
        "must hold a character that is none of A-Z a-z 0-9 - _ =, and none that a cookie cannot carry \
         (white space, commas, semicolons, quotes, backslashes, anything beyond ASCII)",
    );
    None
}

fn epoch(table: &mut Table<'_>) -> Option<u64> {
    let epoch = table.number("epoch").unwrap_or(0);
    if epoch == 0 || epoch == EPOCH_2011 {
        return Some(epoch);
    }
    table.problem(
        "epoch",
        format!("must be 0, or {EPOCH_2011} for itsdangerous before 1.0"),
    );
    None
}

/// `Signer` and `TimestampSigner` with their options.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    salt: String,
    derivation: KeyDerivation,
    digest: Digest,
    sep: String,
    timestamp: bool,
    /// Where TIME begins to count, in Unix seconds.
    epoch: u64,
    payload: Payload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyDerivation {
    DjangoConcat,
    Concat,
    Hmac,
    None,
}

impl KeyDerivation {
    const NAMES: &'static [(&'static str, KeyDerivation)] = &[
        ("django-concat", KeyDerivation::DjangoConcat),
        ("concat", KeyDerivation::Concat),
        ("hmac", KeyDerivation::Hmac),
        ("none", KeyDerivation::None),
    ];
}

impl Default for Signer {
    /// `TimestampSigner` as itsdangerous makes it.
    fn default() -> Self {
        Self {
            salt: SIGNER_SALT.to_owned(),
            derivation: KeyDerivation::DjangoConcat,
            digest: Digest::Sha1,
            sep: ".".to_owned(),
            timestamp: true,
            epoch: 0,
            payload: Payload::Text,
        }
    }
}

impl Signer {
    fn flask() -> Self {
        Self {
            salt: "cookie-session".to_owned(),
            derivation: KeyDerivation::Hmac,
            payload: Payload::Of("flask-session"),
            ..Self::default()
        }
    }

    fn starlette() -> Self {
        Self {
            payload: Payload::Of("starlette-session"),
            ..Self::default()
        }
    }

    /// The MAC under K.
    fn mac(&self, key: &[u8]) -> Mac {
        let salt = self.salt.as_bytes();
        let hashed = |parts: &[&[u8]]| Mac::new(self.digest, &self.digest.hash(parts));
        match self.derivation {
            KeyDerivation::DjangoConcat => hashed(&[salt, b"signer", key]),
            KeyDerivation::Concat => hashed(&[salt, key]),
            KeyDerivation::Hmac => Mac::new(self.digest, &Mac::new(self.digest, key).sign(&[salt])),
            KeyDerivation::None => Mac::new(self.digest, key),
        }
    }
}

impl Format for Signer {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: self.timestamp,
            ..FormatProperties::of(self.payload)
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        let Self { salt, digest, .. } = self;
        let made = match self.derivation {
            KeyDerivation::DjangoConcat => format!("{}({salt}signerKEY)", digest.name()),
            KeyDerivation::Concat => format!("{}({salt}KEY)", digest.name()),
            KeyDerivation::Hmac => {
                return Derivation::Mac {
                    digest: *digest,
                    text: salt.clone().into_bytes(),
                };
            }
            KeyDerivation::None => {
                return Derivation::Bare {
                    digest: self.digest,
                    signs: match (self.timestamp, self.epoch) {
                        (true, 0) => "VALUE SEP TIME",
                        (true, _) => "VALUE SEP TIME since 2011",
                        (false, _) => "VALUE",
                    },
                };
            }
        };
        Derivation::Derived(made.into_bytes())
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedSigner {
            mac: self.mac(key.bytes()),
            signature_len: base64_len(self.digest.size()),
            signer: self.clone(),
        }))
    }
}

struct KeyedSigner {
    signer: Signer,
    mac: Mac,
    signature_len: usize,
}

impl KeyedSigner {
    /// The signature's bytes, however its unused bits and its padding are spelled.
    fn signature(&self, text: &str) -> Option<Vec<u8>> {
        let unpadded = text.trim_end_matches('=');
        let fits = unpadded.len() == self.signature_len && is_base64url(unpadded);
        fits.then(|| from_base64url_leniently(text)).flatten()
    }
}

impl Keyed for KeyedSigner {
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let Signer { sep, epoch, .. } = &self.signer;
        let (signed, signature) = cut_at_last(value, sep).ok_or(Refusal::Shape)?;
        let signature = self.signature(signature).ok_or(Refusal::Shape)?;
        let (payload, time) = if self.signer.timestamp {
            let (payload, time) = cut_at_last(signed, sep).ok_or(Refusal::Shape)?;
            (payload, Some(time))
        } else {
            (signed, None)
        };
        if !equal(&self.mac.sign(&[signed.as_bytes()]), &signature) {
            return Err(Refusal::Signature);
        }
        let time = time.map(|text| {
            let seconds = seconds(text).ok_or(Refusal::Content)?;
            seconds.checked_add(*epoch).ok_or(Refusal::Content)
        });
        Ok(Content {
            time_s: time.transpose()?,
            ..Content::of(payload.as_bytes())
        })
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let Signer { sep, epoch, .. } = &self.signer;
        let payload = content.text()?;
        if !is_header_text(payload) {
            return Err(Uncarriable);
        }
        let mut text = String::with_capacity(payload.len() + self.signature_len + 16);
        text.push_str(payload);
        if self.signer.timestamp {
            let time = content.time_s.ok_or(Uncarriable)?;
            text.push_str(sep);
            push_seconds(&mut text, time.checked_sub(*epoch).ok_or(Uncarriable)?);
        }
        let tag = self.mac.sign(&[text.as_bytes()]);
        text.push_str(sep);
        push_base64url(&mut text, &tag);
        Ok(text)
    }
}

/// Zero has no bytes, and so no characters (`itsdangerous/encoding.py`, `int_to_bytes`).
fn push_seconds(text: &mut String, seconds: u64) {
    let zeros = seconds.leading_zeros() as usize / 8;
    push_base64url(text, &seconds.to_be_bytes()[zeros..]); // at most all eight are zero
}

/// The number of a text in the form that [`push_seconds`] writes, or `None`.
fn seconds(text: &str) -> Option<u64> {
    let bytes = from_base64url(text)?;
    if bytes.len() > 8 || bytes.first() == Some(&0) {
        return None;
    }
    Some(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::settings::Problems;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(options: &Value) -> (Option<Box<dyn Format>>, Vec<String>) {
        let problems = Problems::default();
        let mut table = Table::new("T", options, &problems).unwrap();
        let format = configured(&mut table);
        table.finish();
        let problems = problems.into_vec();
        (format, problems.iter().map(ToString::to_string).collect())
    }

    fn keyed(options: &Value) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"a secret".to_vec());
        read(options).0.unwrap().keyed("c", &key).unwrap()
    }

    fn content(payload: &str, time: Option<u64>) -> Content<'_> {
        Content {
            time_s: time,
            ..Content::of(payload.as_bytes())
        }
    }

    #[test]
    fn what_no_framework_could_mean_is_a_problem() {
        for (options, path) in [
            (json!({"sep": ""}), "T.sep: must hold"),
            (json!({"sep": "a="}), "T.sep: must hold"),
            (json!({"sep": "; "}), "T.sep: must hold"),
            (json!({"sep": "é"}), "T.sep: must hold"),
            (json!({"epoch": 1}), "T.epoch: must be 0, or 1293840000"),
            (json!({"epoch": "2011"}), "T.epoch: expected a whole number"),
            (
                json!({"key_derivation": "django"}),
                "T.key_derivation: unknown value",
            ),
        ] {
            let problems = read(&options).1;
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(path), "{problems:?}");
        }
        // every option is known, even beside a wrong one
        let all = json!({"salt": "s", "key_derivation": "hmac", "digest": "sha256", "sep": "",
            "timestamp": false, "epoch": 1});
        assert_eq!(read(&all).1.len(), 2);
    }

    #[test]
    fn keys_that_are_made_alike_compare_equal() {
        let derivation = |options| read(&options).0.unwrap().derivation("c");
        let derived = |text: &str| Derivation::Derived(text.as_bytes().to_vec());
        assert_eq!(
            derivation(json!({"salt": "a"})),
            derivation(json!({"salt": "asigner", "key_derivation": "concat"}))
        );
        assert_eq!(
            derivation(json!({"salt": "a", "digest": "sha256"})),
            derived("sha256(asignerKEY)")
        );
        assert_eq!(
            Signer::flask().derivation("c"),
            Derivation::Mac {
                digest: Digest::Sha1,
                text: b"cookie-session".to_vec()
            }
        );
        assert_eq!(
            derivation(json!({"key_derivation": "none"})),
            Derivation::Bare {
                digest: Digest::Sha1,
                signs: "VALUE SEP TIME"
            }
        );
    }

    #[test]
    fn a_time_has_one_spelling() {
        let (bare, timed) = (keyed(&json!({"timestamp": false})), keyed(&json!({})));
        for (signed, expected) in [
            ("x.akxWTg", Ok(content("x", Some(1_783_387_726)))),
            ("x.", Ok(content("x", Some(0)))),
            (".akxWTg", Ok(content("", Some(1_783_387_726)))),
            ("x.akxWTh", Err(Refusal::Content)), // unused bits
            ("x.akxWTg==", Err(Refusal::Content)),
            ("x.AGpMVk4", Err(Refusal::Content)), // a leading zero byte
            ("x.__________8A", Err(Refusal::Content)), // nine bytes
            ("x.a+xWTg", Err(Refusal::Content)),
            ("akxWTg", Err(Refusal::Shape)),
        ] {
            let value = bare.seal(&content(signed, None), no_random).unwrap();
            assert_eq!(timed.open(&value), expected, "{signed}");
        }
    }

    #[test]
    fn a_time_since_another_epoch_does_not_say_the_same() {
        for made in [KeyDerivation::None, KeyDerivation::Hmac] {
            let since = |epoch, timestamp| {
                let signer = Signer {
                    derivation: made,
                    epoch,
                    timestamp,
                    ..Signer::default()
                };
                signer.derivation("sid")
            };
            let is_bare = matches!(made, KeyDerivation::None);
            assert_eq!(since(0, true) != since(EPOCH_2011, true), is_bare);
            assert_eq!(since(0, false), since(EPOCH_2011, false));
        }
    }

    #[test]
    fn a_time_before_or_beyond_the_epoch_is_neither_written_nor_read() {
        let (unix, since_2011) = (keyed(&json!({})), keyed(&json!({"epoch": EPOCH_2011})));
        let value = since_2011.seal(&content("x", Some(EPOCH_2011 + 5)), no_random);
        assert_eq!(
            unix.open(&value.unwrap()),
            Ok(content("x", Some(5))),
            "the same bytes, read with another epoch"
        );
        let early = content("x", Some(EPOCH_2011 - 1));
        assert_eq!(since_2011.seal(&early, no_random), Err(Uncarriable));
        assert_eq!(
            since_2011.seal(&content("x", None), no_random),
            Err(Uncarriable)
        );
        let late = unix.seal(&content("x", Some(u64::MAX)), no_random).unwrap();
        assert_eq!(since_2011.open(&late), Err(Refusal::Content));
    }

    #[test]
    fn only_what_could_be_a_signature_is_hashed() {
        let keyed = keyed(&json!({"timestamp": false}));
        let signature = "vKEOHj1LcagzgGmzUNhgMWyF8k8";
        for shape in [
            format!("x.{}", &signature[1..]),
            format!("x.{signature}A"),
            format!("x.+{}", &signature[1..]),
            format!("x.={}", &signature[1..]),
            format!("x.{signature}=A"),
            format!("\"x.{signature}\""),
            signature.to_owned(),
        ] {
            assert_eq!(keyed.open(&shape), Err(Refusal::Shape), "{shape}");
        }
        for other in [signature, "vKEOHj1LcagzgGmzUNhgMWyF8k9=="] {
            let value = format!("x.{other}");
            assert_eq!(keyed.open(&value), Err(Refusal::Signature));
        }
    }

    #[test]
    fn only_cookie_octets_are_written() {
        let keyed = keyed(&json!({}));
        for bad in ["a;b", "a b", "a,b", "a\"", "a\\", "é", "a\r", "a\u{7f}"] {
            assert_eq!(
                keyed.seal(&content(bad, Some(1)), no_random),
                Err(Uncarriable)
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(payload in "[!#-+\\--:<-\\[\\]-~]{0,40}", time: u64) {
            for sep in [".", "..", "-.-", "=|"] {
                let keyed = keyed(&json!({"sep": sep}));
                let value = keyed.seal(&content(&payload, Some(time)), no_random).unwrap();
                prop_assert_eq!(keyed.open(&value), Ok(content(&payload, Some(time))));
            }
        }
    }
}
