//! One thing that is wrong or unwise in a configuration: where, why, and what to do about it.

use std::fmt;

use serde::Serialize;

use crate::project::config::Environment;
use crate::terminal::style::{ERROR, HINT, WARNING, styled};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not work, or lets somebody in.
    Error,
    /// It works, and may be what is meant.
    Warning,
}

/// One thing that is wrong or unwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    severity: Severity,
    /// The file that it stands in.
    file: Option<String>,
    line: Option<usize>,
    path: String,
    reason: String,
    cure: Option<String>,
    /// The environment that it was first found in.
    environment: Option<String>,
    /// That environment as its file writes it.
    #[serde(skip)]
    title: Option<String>,
}

impl Finding {
    /// It does not work, or lets somebody in.
    pub fn error(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Severity::Error, path.into(), reason.into())
    }

    /// It works, and may be what is meant.
    pub fn warning(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Severity::Warning, path.into(), reason.into())
    }

    fn new(severity: Severity, path: String, reason: String) -> Self {
        Self {
            severity,
            file: None,
            line: None,
            path,
            reason,
            cure: None,
            environment: None,
            title: None,
        }
    }

    /// What to do about it.
    pub fn cure(self, cure: impl Into<String>) -> Self {
        Self {
            cure: Some(cure.into()),
            ..self
        }
    }

    /// The same, true of the secrets in this file.
    pub fn with_secrets_of(self, file: &str) -> Self {
        let reason = format!("{} (with the secrets in {file})", self.reason);
        Self { reason, ..self }
    }

    /// Where it stands.
    pub fn at(self, file: impl Into<String>, line: Option<usize>) -> Self {
        Self {
            file: Some(file.into()),
            line,
            ..self
        }
    }

    /// Where it stands in an environment's configuration, unless it is known already.
    pub fn located(self, environment: &Environment<'_>) -> Self {
        let found_in = environment.name.map(str::to_owned);
        let located = if self.file.is_some() {
            self
        } else {
            let line = environment.line(&self.path);
            self.at(environment.config().file_name(), line)
        };
        Self {
            title: environment.name.map(|_| environment.title()),
            environment: found_in,
            ..located
        }
    }

    /// To sort by: the file, the configuration first, and the line; what has none comes last.
    pub fn sort_key(&self) -> (bool, String, bool, Option<usize>) {
        let file = self.file.clone().unwrap_or_default();
        (file.starts_with('.'), file, self.line.is_none(), self.line)
    }

    /// Whether it is the same finding, met in another environment.
    pub fn is_same(&self, other: &Finding) -> bool {
        self.line.is_some()
            && (self.line, &self.file) == (other.line, &other.file)
            && self.path == other.path
            && self.reason == other.reason
    }

    /// Where in the configuration: `COUNTERSIGN.mode`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity {
            Severity::Error => write!(f, "{} ", styled(ERROR, "error:"))?,
            Severity::Warning => write!(f, "{} ", styled(WARNING, "warning:"))?,
        }
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
            match (self.line, &self.title) {
                (Some(line), _) => write!(f, "{line}: ")?,
                (None, Some(title)) => write!(f, " {title} ")?,
                (None, None) => write!(f, " ")?,
            }
        }
        writeln!(f, "{}: {}", self.path, self.reason)?;
        if let Some(cure) = &self.cure {
            writeln!(f, "{} {cure}", styled(HINT, "hint:"))?;
        }
        Ok(())
    }
}
