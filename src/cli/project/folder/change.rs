//! What an upgrade does with one file of a folder, as it is told.

use std::fmt;

use serde::Serialize;

/// What an upgrade has done with one file.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Relative to the folder, with `/`.
    pub path: &'static str,
    #[serde(flatten)]
    pub kind: ChangeKind,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was missing.
    Written,
    /// It is what this release brings. `edited`: it was no longer what the release before had brought.
    Replaced { edited: bool },
    /// It has these lines more.
    LinesAdded { lines: Vec<&'static str> },
    /// Another wrangler is pinned.
    WranglerUpdated { from: String, to: String },
    /// Somebody has chosen a wrangler, or none: so it stays. `tested` is what this release was tested with.
    WranglerKept {
        version: Option<String>,
        tested: String,
    },
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => write!(f, "written: it was missing"),
            Self::Replaced { edited: false } => write!(f, "replaced"),
            Self::Replaced { edited: true } => {
                write!(f, "replaced, and with it what somebody had edited there")
            }
            Self::LinesAdded { lines } => write!(f, "added: {}", lines.join(" ")),
            Self::WranglerUpdated { from, to } => write!(f, "wrangler {from} is now {to}"),
            Self::WranglerKept { version, tested } => match version {
                Some(version) => write!(
                    f,
                    "left at wrangler {version}, which somebody has chosen; this release is tested with {tested}"
                ),
                None => write!(
                    f,
                    "left without wrangler; this release is tested with {tested}"
                ),
            },
        }
    }
}
