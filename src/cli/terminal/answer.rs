//! What a command comes back with: a text and an exit code, or why it could not do what it was asked.

use std::fmt;
use std::io::{Write, stdout};
use std::process::ExitCode;

use crate::terminal::harmless::printed;
use crate::terminal::progress::{finish, print_beside};
use crate::terminal::style::{ERROR, HINT, styled};
use crate::terminal::width;
use crate::terminal::wrap::wrapped;

/// Exit codes, as `--help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Success = 0,
    /// The command did its work and found something wrong, or refused to do harm.
    Problems = 1,
    /// The command line is wrong, or a file cannot be read.
    Usage = 2,
    /// wrangler, Cloudflare or the live Worker did not do what they were asked.
    Unreachable = 3,
    /// Somebody has asked it to end, as with Ctrl-C: 128 and the number of SIGINT, as shells have it.
    Interrupted = 130,
}

/// What a command has to say.
pub struct Answer {
    /// For standard output; with colours, which are taken out where it is no terminal.
    pub text: String,
    /// How the process ends.
    pub exit: Exit,
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    what: String,
    hints: Vec<String>,
    exit: Exit,
}

impl Answer {
    /// A text, and nothing to complain of.
    pub fn success(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            exit: Exit::Success,
        }
    }

    /// Prints it; answers the exit code.
    pub fn print(&self) -> ExitCode {
        finish();
        // a reader that has gone, such as `head`, has read enough
        let text = printed(&self.text);
        let text = match width::of_stream(&stdout()) {
            Some(width) => wrapped(&text, width),
            None => text,
        };
        let _ = anstream::stdout().write_all(text.as_bytes());
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Failure {
    /// The command line is wrong, or a file cannot be read.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(what, Exit::Usage)
    }

    /// The command refuses to do harm.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(what, Exit::Problems)
    }

    /// Somebody else did not do what they were asked.
    pub fn unreachable(what: impl Into<String>) -> Self {
        Self::new(what, Exit::Unreachable)
    }

    /// Somebody has asked the command to end.
    pub fn interrupted() -> Self {
        Self::new("interrupted", Exit::Interrupted)
    }

    /// Whether somebody has asked the command to end.
    pub fn is_interrupted(&self) -> bool {
        self.exit == Exit::Interrupted
    }

    /// The same with what was being done.
    pub fn during(self, step: &str) -> Self {
        Self {
            what: format!("{} {step}", self.what),
            ..self
        }
    }

    /// The same with what to do about it, behind what it hints already.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What to do about it.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The same as a refusal, where what is missing is a reason to stop and no mistake in what was typed.
    pub fn into_refusal(self) -> Self {
        Self {
            exit: Exit::Problems,
            ..self
        }
    }

    /// Its text and its hints in one line.
    pub fn with_hints(&self) -> String {
        let hints = self.hints.iter().map(String::as_str);
        let parts: Vec<&str> = std::iter::once(self.what.as_str()).chain(hints).collect();
        parts.join("; ")
    }

    /// Whether its text has this in it.
    #[cfg(test)]
    pub fn says(&self, text: &str) -> bool {
        self.what.contains(text)
    }

    /// Prints it; answers the exit code.
    pub fn print(&self) -> ExitCode {
        let mut text = format!("{} {}\n", styled(ERROR, "error:"), self.what);
        for hint in &self.hints {
            text.push_str(&format!("{} {hint}\n", styled(HINT, "hint:")));
        }
        print_beside(&text);
        ExitCode::from(self.exit as u8)
    }

    fn new(what: impl Into<String>, exit: Exit) -> Self {
        Self {
            what: what.into(),
            hints: Vec::new(),
            exit,
        }
    }
}
