//! Why a format cannot use a key.

use core::fmt;

/// What is wrong with a key, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFault {
    /// What is wrong.
    pub reason: &'static str,
    /// What to do about it, where the reason does not say.
    pub cure: Option<&'static str>,
}

impl KeyFault {
    /// What is wrong.
    pub const fn new(reason: &'static str) -> Self {
        Self { reason, cure: None }
    }

    /// The same, with what to do about it.
    pub const fn cure(self, cure: &'static str) -> Self {
        Self {
            cure: Some(cure),
            ..self
        }
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)?;
        self.cure.map_or(Ok(()), |cure| write!(f, "; {cure}"))
    }
}
