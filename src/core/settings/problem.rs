//! What is wrong with a configuration: where, why, and what to type. Text is made of it where it is shown.

use alloc::borrow::Cow;
use core::cell::RefCell;
use core::fmt;

use super::asked::{Asked, FieldKind};
use crate::crypto::key::KeyId;
use crate::prelude::*;

/// One thing that is wrong with a configuration. Its text is `PATH: REASON; CURE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `COUNTERSIGN.cookies[1].format`.
    pub path: String,
    /// What is wrong.
    pub reason: Cow<'static, str>,
    /// What to do about it, where that is known.
    pub cure: Option<Cow<'static, str>>,
    /// What it is about.
    pub about: Topic,
}

/// What a problem is about, for callers that have to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Topic {
    /// What is written.
    #[default]
    Configuration,
    /// Observing where a ring has moved (C2).
    Observing,
    /// A secret that is not set, or empty.
    MissingSecret(KeyId),
    /// The bytes of a secret.
    SecretBytes(KeyId),
}

/// A problem without its place. Its text is `REASON; CURE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    reason: Cow<'static, str>,
    cure: Option<Cow<'static, str>>,
    about: Topic,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, fault: impl Into<Fault>) -> Self {
        let Fault {
            reason,
            cure,
            about,
        } = fault.into();
        Self {
            path: path.into(),
            reason,
            cure,
            about,
        }
    }

    /// Whether traffic must stop where the configuration asks to observe, too (C2).
    pub fn stops_traffic(&self) -> bool {
        self.about == Topic::Observing
    }

    /// Reason and cure in one text.
    pub fn text(&self) -> String {
        text(&self.reason, self.cure.as_deref())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.text())
    }
}

impl Fault {
    /// What is wrong.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: reason.into(),
            cure: None,
            about: Topic::default(),
        }
    }

    /// The same, with what to do about it.
    pub fn cure(self, cure: impl Into<Cow<'static, str>>) -> Self {
        let cure = Some(cure.into());
        Self { cure, ..self }
    }

    /// The same, about something in particular.
    pub fn about(self, about: Topic) -> Self {
        Self { about, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(&self.reason, self.cure.as_deref()))
    }
}

fn text(reason: &str, cure: Option<&str>) -> String {
    match cure {
        Some(cure) => [reason, "; ", cure].concat(),
        None => reason.to_owned(),
    }
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self::new(reason)
    }
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::new(reason)
    }
}

/// Where problems gather; and, for the schema, what the readers ask for.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Problem>>,
    asked: Option<RefCell<Asked>>,
}

impl Problems {
    /// The same, where what is asked for is wanted as well.
    pub fn with_asked() -> Self {
        Self {
            asked: Some(RefCell::default()),
            ..Self::default()
        }
    }

    /// What was asked for; nothing unless it was wanted.
    pub fn into_asked(self) -> Asked {
        self.asked.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Notes that a field was asked for, where that is wanted.
    pub(super) fn note_asked(
        &self,
        table: &str,
        field: &'static str,
        kind: impl Fn() -> FieldKind,
    ) {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().add(table, field, kind());
        }
    }

    /// Notes that a field was needed, where that is wanted.
    pub(super) fn note_missing(&self, table: &str, field: &str) {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().add_missing(table, field);
        }
    }

    /// Adds one.
    pub fn add(&self, path: impl Into<String>, fault: impl Into<Fault>) {
        self.push(Problem::new(path, fault));
    }

    /// Not inlined: a configuration is read once, and problems are added in many places.
    #[cold]
    #[inline(never)]
    fn push(&self, problem: Problem) {
        self.found.borrow_mut().push(problem);
    }

    /// Adds one unless it is there.
    pub fn add_once(&self, problem: Problem) {
        let is_known = self.found.borrow().contains(&problem);
        if !is_known {
            self.push(problem);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// All of them, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.found.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_problem_is_its_reason_and_its_cure() {
        let bare = Problem::new("T.a", "empty");
        assert_eq!(
            (bare.text(), bare.to_string()),
            ("empty".into(), "T.a: empty".into())
        );
        let cured = Problem::new("T.a", Fault::new("empty").cure("write one"));
        assert_eq!(cured.to_string(), "T.a: empty; write one");
        assert!(!cured.stops_traffic());
    }

    #[test]
    fn observing_is_what_stops_traffic() {
        let fault = Fault::new("no off switch").about(Topic::Observing);
        assert!(Problem::new("T.mode", fault).stops_traffic());
    }
}
