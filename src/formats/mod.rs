//! The formats: how a cookie value is signed. One trait, one small file a family, one table.
//!
//! To add a family: write its file, put its vectors into `tests/vectors`, and add it to [`TABLE`].

use std::borrow::Cow;
use std::fmt;

use crate::key::Key;
use crate::settings::{Table, unknown};

mod bottle;
mod cookie_signature;
mod django;
mod itsdangerous;
mod mojolicious;
mod plain;
mod rack;
mod securecookie;
mod tornado;

pub use plain::Plain;

/// Every family. A configuration's `format` is looked up here by name.
const TABLE: &[&[Entry]] = &[
    bottle::FORMATS,
    cookie_signature::FORMATS,
    django::FORMATS,
    itsdangerous::FORMATS,
    mojolicious::FORMATS,
    plain::FORMATS,
    rack::FORMATS,
    securecookie::FORMATS,
    tornado::FORMATS,
];

/// A format's name in a configuration, and how its options are read. The reader reports what is wrong
/// with them itself, and then returns `None`.
pub type Entry = (&'static str, fn(&mut Table<'_>) -> Option<Box<dyn Format>>);

/// A format with its options, for any cookie and any key.
///
/// Its `Debug` text shows every option and no key: two formats are the same where these texts are.
pub trait Format: fmt::Debug + Send + Sync {
    /// What the rules of a configuration need to know of it.
    fn nature(&self) -> Nature;

    /// How the key that signs is made from the secret, for a cookie of this name.
    fn derivation(&self, cookie: &str) -> Derivation;

    /// Readies the format for one cookie name and one key. Cheap work is done here, once; a slow key
    /// derivation waits for the first value whose shape fits.
    ///
    /// # Errors
    /// What is wrong with the key, where this format cannot use it.
    fn keyed(&self, cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, &'static str>;
}

/// A format under one key, for one cookie name.
pub trait Keyed: fmt::Debug + Send + Sync {
    /// Verifies a value as it stands in the header and takes it apart. `now` is in Unix seconds, for
    /// formats that carry their own expiry.
    ///
    /// Nothing but what locates the MAC is parsed before it verifies.
    ///
    /// # Errors
    /// Why the value is refused.
    fn open<'v>(&self, value: &'v str, now: u64) -> Result<Content<'v>, Refusal>;

    /// Signs a content: the text for the header.
    ///
    /// # Errors
    /// [`Uncarriable`] where the format has no way to write this payload.
    fn seal(&self, content: &Content<'_>) -> Result<String, Uncarriable>;
}

/// What a verified value says, apart from its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'v> {
    /// The payload in the family's own encoding, byte for byte as it was signed.
    pub payload: Cow<'v, [u8]>,
    /// The signed time in Unix seconds, where the format carries one.
    pub time: Option<u64>,
}

impl Content<'_> {
    /// The payload as text, where it is text.
    pub fn text(&self) -> Result<&str, Uncarriable> {
        std::str::from_utf8(&self.payload).map_err(|_| Uncarriable)
    }

    /// The same, independent of the header that it was read from.
    pub fn into_owned(self) -> Content<'static> {
        Content {
            payload: Cow::Owned(self.payload.into_owned()),
            time: self.time,
        }
    }
}

/// Why a value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The value has not this format's shape. Nothing was hashed.
    Shape,
    /// The key did not make the signature.
    Signature,
    /// The signature is right; what it signs cannot be read or is not for this cookie.
    Content,
    /// The signature is right; the format's own expiry has passed.
    Expired,
}

/// A payload that a format has no way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncarriable;

/// What the rules of a configuration need to know of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Whether a signed time is part of it.
    pub carries_time: bool,
    /// Whether the signature is good for one cookie name only.
    pub binds_name: bool,
    /// What the payload is. Contents move between formats of the same kind only.
    pub payload: Payload,
    /// The least length of a key in bytes that the framework prescribes, if it does.
    pub least_key: Option<usize>,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The text that the application gave the framework; what an unsigned cookie would hold.
    Text,
    /// A serialisation of that family's own, opaque here.
    Of(&'static str),
}

/// How a signing key is made from a secret. Two formats that share a secret sign with different keys
/// where their derivations differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derivation {
    /// The secret itself is the key.
    Bare,
    /// The key is a hash of the secret with what is named here.
    Derived(Vec<u8>),
    /// Nothing is signed.
    None,
}

/// Reads the format that a table names in its field `format`, with its options.
pub fn read(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let Some(name) = table.text("format") else {
        if !table.has("format") {
            table.missing("format", "name the format of the cookie");
        }
        return None;
    };
    match entries().find(|(known, _)| *known == name) {
        Some((_, reader)) => reader(table),
        None => {
            let names: Vec<&str> = entries().map(|(name, _)| *name).collect();
            table.problem("format", unknown("format", name, &names));
            // the options of the format that was meant are none of the problem
            for (_, reader) in entries() {
                table.know(|table| drop(reader(table)));
            }
            None
        }
    }
}

/// Whether two formats are the same in name and options.
pub fn same(a: &dyn Format, b: &dyn Format) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().copied().flatten()
}
