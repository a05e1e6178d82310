//! Why a text is no configuration that wrangler reads.

use std::fmt;

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub reason: String,
    /// Where, in bytes.
    pub at: Option<usize>,
}

impl SyntaxError {
    /// At a place.
    pub fn at(at: usize, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            at: Some(at),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
