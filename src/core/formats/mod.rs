//! The formats: how a cookie value is signed. One trait, one small file a family, one table.
//!
//! To add a family: write its file, put its vectors into `tests/vectors`, and add it to [`TABLE`].

use alloc::borrow::Cow;
use core::any::Any;
use core::fmt;
use core::ops::{Deref, Range};

use serde_json::{Map, Value};

use crate::crypto::key::Key;
use crate::crypto::{Digest, Random};
use crate::prelude::*;
use crate::settings::Table;

mod authjs;
mod bottle;
mod claims;
mod cookie_rs;
mod cookie_signature;
pub mod description;
mod django;
mod fernet;
mod flask_login;
mod framework_names;
mod hapi;
mod hono;
mod iron;
mod iron_password;
mod itsdangerous;
mod jwt;
mod key_fault;
pub mod key_shape;
mod keygrip;
mod labels;
mod laravel;
mod litestar;
mod mojolicious;
mod oauth2_proxy;
mod option_meaning;
mod plain;
mod plug;
mod pyramid;
mod rack;
mod rails;
mod recognise;
mod sealed;
mod secure_session;
mod securecookie;
mod signatures;
mod tornado;
mod yii2;

pub use description::Description;
pub use framework_names::unknown_format;
pub use key_fault::KeyFault;
pub use key_shape::KeyShape;
pub use option_meaning::option_meaning;
pub use plain::{OctetsOnly, Plain};
pub use recognise::{FittingShape, Opening, fitting_shapes, openings, recognise};
pub use signatures::Signatures;

/// Every family. A configuration's `format` is looked up here by name.
const TABLE: &[&[Description]] = &[
    authjs::FORMATS,
    bottle::FORMATS,
    cookie_rs::FORMATS,
    cookie_signature::FORMATS,
    django::FORMATS,
    fernet::FORMATS,
    flask_login::FORMATS,
    hapi::FORMATS,
    hono::FORMATS,
    iron::FORMATS,
    itsdangerous::FORMATS,
    jwt::FORMATS,
    keygrip::FORMATS,
    laravel::FORMATS,
    litestar::FORMATS,
    mojolicious::FORMATS,
    oauth2_proxy::FORMATS,
    plain::FORMATS,
    plug::FORMATS,
    pyramid::FORMATS,
    rack::FORMATS,
    rails::FORMATS,
    sealed::FORMATS,
    secure_session::FORMATS,
    securecookie::FORMATS,
    tornado::FORMATS,
    yii2::FORMATS,
];

/// A format by its name in a configuration, with its options.
#[derive(Debug)]
pub struct Configured {
    /// The name.
    pub name: &'static str,
    /// As they are written, where they differ from the default.
    options: Map<String, Value>,
    format: Box<dyn Format>,
}

impl Configured {
    /// Its options, but for those that say what would hold without them: the same for the same format.
    pub fn options(&self) -> &Map<String, Value> {
        &self.options
    }
}

impl Deref for Configured {
    type Target = dyn Format;
    fn deref(&self) -> &Self::Target {
        &*self.format
    }
}

/// A format with its options, for any cookie and any key.
///
/// Two formats are the same where their types are and all their options.
pub trait Format: Same + Send + Sync {
    /// What the rules of a configuration need to know of it.
    fn properties(&self) -> FormatProperties;

    /// How the framework writes its keys.
    fn key_shape(&self) -> KeyShape {
        KeyShape::Text
    }

    /// How the key that signs is made from the secret, for a cookie of this name.
    fn derivation(&self, cookie: &str) -> Derivation;

    /// Readies the format for one cookie name and one key. Cheap work is done here, once; a slow key
    /// derivation waits for the first value whose shape fits.
    ///
    /// # Errors
    /// What is wrong with the key, where this format cannot use it.
    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault>;
}

impl fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Format")
    }
}

/// Comparison with a format of any type.
pub trait Same: Any {
    /// Whether the other is of this type and equal.
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: Any + PartialEq> Same for T {
    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}

/// A format under one key, for one cookie name.
pub trait Keyed: Send + Sync {
    /// Verifies a value as it stands in the header and takes it apart. The times in it are not judged here:
    /// the gate does that, by the clock.
    ///
    /// Nothing but what locates the MAC is parsed before it verifies.
    ///
    /// # Errors
    /// Why the value is refused.
    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal>;

    /// The same for a format whose values have salts of their own that keys are slowly made from: a visitor chooses
    /// them. `rounds` of PBKDF2 are left for such keys, and what is used is taken off. `None` where a value asks for
    /// more.
    fn open_within<'v>(
        &self,
        value: &'v str,
        _rounds: &mut u32,
    ) -> Option<Result<Content<'v>, Refusal>> {
        Some(self.open(value))
    }

    /// Whether a text has the shape of a signature in a cookie of its own. Most formats have none.
    fn is_signature(&self, _text: &str) -> bool {
        false
    }

    /// Verifies a value by any of these signatures, of which at least one has the shape of one.
    ///
    /// # Errors
    /// Why the value is refused.
    fn open_pair<'v>(
        &self,
        _value: &'v str,
        _signatures: &Signatures<'_>,
    ) -> Result<Content<'v>, Refusal> {
        Err(Refusal::Shape)
    }

    /// The part of a payload that is the same under every key and option of the family.
    fn lasting<'p>(&self, payload: &'p [u8]) -> &'p [u8] {
        payload
    }

    /// Signs a content: the text for the header. `random` is for formats whose every value has a salt or
    /// nonce of its own.
    ///
    /// # Errors
    /// [`Uncarriable`] where the format has no way to write this payload.
    fn seal(&self, content: &Content<'_>, random: Random) -> Result<String, Uncarriable>;
}

// for all of them, so that none can show a key
impl fmt::Debug for dyn Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(redacted)")
    }
}

/// What a verified value says, apart from its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'v> {
    /// The payload in the family's own encoding, byte for byte as it was signed.
    pub payload: Cow<'v, [u8]>,
    /// The signed time in Unix seconds, where the format carries one.
    pub time_s: Option<u64>,
    /// The signed moment in Unix seconds before which the value does not count, where one is set beside
    /// the signed time.
    pub not_before_s: Option<u64>,
    /// The signed moment in Unix milliseconds from which on the value no longer counts, where the format
    /// carries one and it is set.
    pub expiry_ms: Option<u64>,
}

impl<'v> Content<'v> {
    /// A payload that carries no time.
    pub fn of(payload: impl Into<Cow<'v, [u8]>>) -> Self {
        Self {
            payload: payload.into(),
            time_s: None,
            not_before_s: None,
            expiry_ms: None,
        }
    }

    /// The same, signed at this time in Unix seconds.
    pub fn signed_at(self, seconds: u64) -> Self {
        Self {
            time_s: Some(seconds),
            ..self
        }
    }

    /// The same, good from this moment in Unix seconds on, if any.
    pub fn not_before(self, not_before_s: Option<u64>) -> Self {
        Self {
            not_before_s,
            ..self
        }
    }

    /// The same, good until this moment in Unix milliseconds, if any.
    pub fn expiring_at(self, expiry_ms: Option<u64>) -> Self {
        Self { expiry_ms, ..self }
    }

    /// The payload as text, where it is text.
    pub fn text(&self) -> Result<&str, Uncarriable> {
        core::str::from_utf8(&self.payload).map_err(|_| Uncarriable)
    }

    /// The same, independent of the header that it was read from.
    pub fn into_owned(self) -> Content<'static> {
        Content {
            payload: Cow::Owned(self.payload.into_owned()),
            ..self
        }
    }
}

/// What stands between value and signature where the signature is a cookie of its own.
pub const PAIR: char = ';';

/// Why a value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The value has not this format's shape. Nothing was hashed.
    Shape,
    /// The key did not make the signature.
    Signature,
    /// The signature is right; what it signs cannot be read or is not for this cookie.
    Content,
}

/// A payload that a format has no way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncarriable;

/// What the rules of a configuration need to know of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatProperties {
    /// Whether a signed time is part of it.
    pub carries_time: bool,
    /// Whether the signature is good for one cookie name only.
    pub binds_name: bool,
    /// What the payload is. Contents move between formats of the same kind only.
    pub payload: Payload,
    /// Whether an expiry may be part of it. What cannot be carried over would let a session live on.
    pub carries_expiry: bool,
    /// How long past its expiry a value still counts, in milliseconds, for the framework itself.
    pub grace_ms: u64,
    /// The least length of a key in bytes that the framework prescribes, if it does.
    pub least_key: Option<usize>,
    /// What the name of a second cookie, that holds the signature alone, adds to the name. To such a format
    /// a value is `VALUE;SIGNATURE`: no cookie value holds a semicolon.
    pub companion: Option<&'static str>,
    /// Whether any value that a browser may keep, an empty one among them, can be its payload where the origin's
    /// cookie is not signed. Other formats wrap RFC 6265 cookie-octets only, and an empty value deletes.
    pub wraps_any_value: bool,
}

impl FormatProperties {
    /// A payload that no time goes with, signed for any name, with a key of any length.
    pub const fn of(payload: Payload) -> Self {
        Self {
            carries_time: false,
            binds_name: false,
            payload,
            carries_expiry: false,
            grace_ms: 0,
            least_key: None,
            companion: None,
            wraps_any_value: false,
        }
    }
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The text that the application gave the framework; what an unsigned cookie would hold.
    Text,
    /// A serialisation of that family's own, opaque here.
    Of(&'static str),
}

/// How a signing key is made from a secret. What two formats make of a shared secret is never mistaken
/// for each other's where their derivations differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derivation {
    /// The secret itself is the key.
    Bare {
        /// What it is used with.
        digest: Digest,
        /// What is signed, such as `NAME=VALUE`.
        signs: &'static str,
    },
    /// The key is made from the secret with what is named here: salt, steps, and the digest that it is
    /// then used with where that is an option.
    Derived(Vec<u8>),
    /// The key is the MAC of this text under the secret: whoever has that text signed has the key.
    Mac {
        /// Of the MAC, and what the key is then used with.
        digest: Digest,
        /// What is signed.
        text: Vec<u8>,
    },
    /// A part of the secret is the key.
    Part {
        /// Which, in bytes.
        bytes: Range<usize>,
        /// What it is used with.
        used: &'static str,
        /// Whether what a visitor chose is signed with it and the MAC is shown: that could be a key which another
        /// format makes from the same part.
        is_bare: bool,
    },
    /// Nothing is signed.
    None,
}

/// Reads the format that a table names in its field `format`, with its options.
pub fn read(table: &mut Table<'_>) -> Option<Configured> {
    let Some(name) = table.text("format") else {
        if !table.has("format") {
            table.missing("format", "name the format of the cookie");
        }
        return None;
    };
    let Some(description) = description(name) else {
        table.problem("format", unknown_format(name));
        // the options of the format that was meant are none of the problem
        let options = descriptions().flat_map(|description| description.options);
        table.ignore(options.map(|option| option.name));
        return None;
    };
    let options = description.options_of(table);
    Some(Configured {
        name: description.name,
        options,
        format: (description.read)(table)?,
    })
}

/// The names of all formats.
pub fn names() -> impl Iterator<Item = &'static str> {
    descriptions().map(|description| description.name)
}

/// Whether two formats are the same in name and options.
pub fn same(a: &Configured, b: &Configured) -> bool {
    a.name == b.name && a.format.is_same(&*b.format)
}

/// Every format, as it describes itself.
pub fn descriptions() -> impl Iterator<Item = &'static Description> {
    TABLE.iter().copied().flatten()
}

/// The format of this name.
pub fn description(name: &str) -> Option<&'static Description> {
    descriptions().find(|description| description.name == name)
}

/// For tests of formats that need no randomness.
#[cfg(test)]
fn no_random(_: &mut [u8]) {
    panic!("a format that is not random asks for randomness");
}

/// For tests of the others: bytes that are not all alike, and the same every time.
#[cfg(test)]
fn counted(bytes: &mut [u8]) {
    (0..).zip(bytes).for_each(|(count, byte)| *byte = count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::settings::Problems;
    use serde_json::{Value, json};

    fn configured(value: &Value) -> Configured {
        let problems = Problems::default();
        let format = Table::new("rule", value, &problems).and_then(|mut table| read(&mut table));
        assert!(problems.is_empty(), "{problems:?}");
        format.unwrap()
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = Key::new(KeyId::parse("KEY").unwrap(), b"hunter2".to_vec());
        let keyed = configured(&json!({"format": "flask-session"})).keyed("sid", &key);
        assert_eq!(format!("{:?}", keyed.unwrap()), "Keyed(redacted)");
    }

    #[test]
    fn a_description_names_every_option_that_its_reader_asks_for() {
        for description in descriptions() {
            let mut asked = Vec::new();
            for options in description.shapes("") {
                let (problems, options) = (Problems::default(), Value::Object(options));
                let mut table = Table::new("", &options, &problems).unwrap();
                (description.read)(&mut table);
                asked.extend(table.asked().iter().copied());
            }
            asked.sort_unstable();
            asked.dedup();
            let mut described: Vec<&str> = description.options.iter().map(|o| o.name).collect();
            described.sort_unstable();
            assert_eq!(asked, described, "{}", description.name);
        }
    }

    #[test]
    fn an_option_at_its_default_is_left_out_of_a_format() {
        for description in descriptions() {
            let mut table = description.shapes("")[0].clone();
            table.insert("format".to_owned(), description.name.into());
            let short = configured(&Value::Object(table.clone()));
            for option in description.options {
                if let Some(default) = option.default.value() {
                    let mut table = table.clone();
                    table.insert(option.name.to_owned(), default);
                    let long = configured(&Value::Object(table));
                    assert!(same(&short, &long), "{}: {}", description.name, option.name);
                    assert_eq!(short.options(), long.options());
                }
            }
        }
    }

    #[test]
    fn formats_are_the_same_where_name_and_every_option_are() {
        let all = [
            json!({"format": "flask-session"}),
            json!({"format": "itsdangerous", "salt": "s", "digest": "sha512"}),
            json!({"format": "itsdangerous", "salt": "s"}),
            json!({"format": "itsdangerous", "salt": "t"}),
            json!({"format": "tornado"}),
            json!({"format": "tornado", "key_version": 1}),
            json!({"format": "tornado", "version": 1}),
            json!({"format": "iron-session"}),
            json!({"format": "iron"}),
            json!({"format": "plain"}),
        ];
        for (at, a) in all.iter().enumerate() {
            for (other, b) in all.iter().enumerate() {
                assert_eq!(same(&configured(a), &configured(b)), at == other, "{a} {b}");
            }
        }
        let default = json!({"format": "itsdangerous", "salt": "s", "digest": "sha1"});
        assert!(same(&configured(&all[2]), &configured(&default)));
    }
}
