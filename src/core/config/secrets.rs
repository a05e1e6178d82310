//! The text of the secrets that a configuration names, and the keys that it makes.

use core::cell::RefCell;

use zeroize::Zeroizing;

use super::written::WrittenKey;
use crate::crypto::key::{Encoding, Key, KeyId};
use crate::prelude::*;
use crate::settings::{Fault, Problems, Topic};
use crate::wire::encoding::{from_hex, from_pasted_base64};

/// The least length of a key in bytes where its format prescribes none.
pub const STRONG: usize = 32;

/// The text of secrets by name. A secret that is missing is reported once.
pub struct Secrets<'a> {
    text: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a secret that is missing is one that is not known here.
    has_placeholders: bool,
    problems: &'a Problems,
    missing: RefCell<Vec<KeyId>>,
    /// By name, each with the path where it was found; a map would bring a second kind of tree along.
    warnings: RefCell<Vec<(KeyId, Warning, String)>>,
}

/// What is wrong with a secret, and not refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Warning {
    Weak,
    /// The newline counts: the text is the key.
    EndsInNewline,
    /// The white space does not count.
    HasSpaceAround,
}

impl<'a> Secrets<'a> {
    pub fn new(
        text: &'a dyn Fn(&str) -> Option<String>,
        has_placeholders: bool,
        problems: &'a Problems,
    ) -> Self {
        Self {
            text,
            has_placeholders,
            problems,
            missing: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// A secret's text.
    pub fn text(&self, path: &str, id: &KeyId) -> Option<Zeroizing<String>> {
        let found = (self.text)(id.as_str());
        let is_set = found.is_some();
        if let Some(text) = found.filter(|text| !text.is_empty()) {
            return Some(Zeroizing::new(text));
        }
        let mut missing = self.missing.borrow_mut();
        if !missing.contains(id) {
            missing.push(id.clone());
            let state = if is_set { "is empty" } else { "is not set" };
            let fault = Fault::new(format!("the secret {id} {state}")).cure(format!(
                "set it with `npx wrangler secret put {id}`, and for `wrangler dev` in .dev.vars"
            ));
            self.problems
                .add(path, fault.about(Topic::MissingSecret(id.clone())));
        }
        None
    }

    /// Adds what is wrong with the secrets, and not refused.
    pub fn add_notes(&self, notes: &Problems) {
        for (id, warning, path) in self.warnings.borrow().iter() {
            notes.add(path, warning.fault(id));
        }
    }

    fn warn(&self, id: &KeyId, warning: Warning, path: &str) {
        let mut warnings = self.warnings.borrow_mut();
        let found = warnings.binary_search_by(|(known, of, _)| (known, of).cmp(&(id, &warning)));
        if let Err(at) = found {
            warnings.insert(at, (id.clone(), warning, path.to_owned()));
        }
    }

    /// Whether nothing can be said of a secret, since it is not known here.
    pub fn is_unknown(&self, id: &KeyId) -> bool {
        self.has_placeholders && (self.text)(id.as_str()).is_none()
    }

    /// The key, or in place of one that is not known, or that is missing or unreadable, which is reported, a
    /// placeholder: so that all else that is wrong can be found in the same run.
    pub fn key(&self, written: &WrittenKey<'_>) -> Key {
        let placeholder = || Key::placeholder(written.id.clone(), written.encoding);
        if self.is_unknown(&written.id) {
            return placeholder();
        }
        self.read(written).unwrap_or_else(placeholder)
    }

    /// The same for a key that is not the current one: a short one is not refused.
    pub fn lesser_key(&self, written: &WrittenKey<'_>) -> Key {
        let key = self.key(written);
        if key.bytes().len() < STRONG && !written.allow_weak && !key.is_placeholder() {
            self.warn(key.id(), Warning::Weak, &written.path);
        }
        key
    }

    fn read(&self, written: &WrittenKey<'_>) -> Option<Key> {
        let WrittenKey { path, id, .. } = written;
        let text = self.text(path, id)?;
        if let Some(warning) = Warning::of(&text, written.encoding) {
            self.warn(id, warning, path);
        }
        let bytes = match written.encoding {
            Encoding::Utf8 => Some(text.as_bytes().to_vec()),
            Encoding::Base64 => from_pasted_base64(&text),
            Encoding::Hex => from_hex(text.trim()),
        };
        if bytes.is_none() {
            let fault = Fault::new(format!("the secret {id} is not what `encoding` says"))
                .cure("leave `encoding` out where the framework uses the text as it is");
            self.problems
                .add(path, fault.about(Topic::SecretBytes(id.clone())));
        }
        Some(Key::new(id.clone(), bytes?).written_in(written.encoding))
    }
}

impl Warning {
    /// What is unwise of how a secret's text ends or begins.
    fn of(text: &str, encoding: Encoding) -> Option<Self> {
        let counts = encoding == Encoding::Utf8;
        if counts && text.ends_with('\n') {
            Some(Self::EndsInNewline)
        } else if !counts && text.trim() != text {
            Some(Self::HasSpaceAround)
        } else {
            None
        }
    }

    fn fault(self, id: &KeyId) -> Fault {
        let fault = match self {
            Self::Weak => Fault::new(format!(
                "{id} has fewer than {STRONG} bytes: what it signs can be forged by guessing it"
            )),
            Self::EndsInNewline => Fault::new(format!(
                "the secret {id} ends with a newline, which counts as part of the key"
            ))
            .cure(format!(
                "if the site's key has none, set it again without: `npx wrangler secret put {id}` cuts it off"
            )),
            Self::HasSpaceAround => Fault::new(format!(
                "the secret {id} begins or ends with white space, such as a newline; it does not count as part of the key"
            )),
        };
        fault.about(Topic::SecretBytes(id.clone()))
    }
}
