//! One thing that is wrong or unwise in a configuration: where, why, and what to do about it.

use std::fmt;

use serde_json::{Value, json};

use crate::project::config::Environment;
use crate::terminal::style::{ERROR, HINT, WARNING, styled};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does not work, or lets somebody in.
    Error,
    /// It works, and may be what is meant.
    Warning,
}

/// One thing that is wrong or unwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    severity: Severity,
    place: Option<Place>,
    path: String,
    reason: String,
    cure: Option<String>,
    /// The environment that it was first found in.
    environment: Option<String>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: String,
    line: Option<usize>,
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
            place: None,
            path,
            reason,
            cure: None,
            environment: None,
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
        let file = file.into();
        Self {
            place: Some(Place { file, line }),
            ..self
        }
    }

    /// Where it stands in an environment's configuration, unless it is known already.
    pub fn placed(self, environment: &Environment<'_>) -> Self {
        let found_in = environment.name.map(str::to_owned);
        let this = match self.place {
            Some(_) => self,
            None => {
                let line = environment.line(&self.path);
                self.at(environment.config().file_name(), line)
            }
        };
        Self {
            environment: found_in,
            ..this
        }
    }

    /// To sort by: the file, wrangler.toml first, and the line; what has none comes last.
    pub fn place(&self) -> (bool, String, usize) {
        let place = self.place.as_ref();
        let file = place.map(|place| place.file.clone()).unwrap_or_default();
        let line = place.and_then(|place| place.line).unwrap_or(usize::MAX);
        (file.starts_with('.'), file, line)
    }

    /// Whether it is the same finding, met in another environment.
    pub fn is_again(&self, other: &Finding) -> bool {
        let lined = |finding: &Finding| finding.place.as_ref().is_some_and(|p| p.line.is_some());
        self.place == other.place
            && lined(self)
            && self.path == other.path
            && self.reason == other.reason
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// For scripts.
    pub fn to_json(&self) -> Value {
        let place = self.place.as_ref();
        json!({
            "severity": match self.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "environment": self.environment,
            "file": place.map(|place| &place.file),
            "line": place.and_then(|place| place.line),
            "path": self.path,
            "reason": self.reason,
            "cure": self.cure,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity {
            Severity::Error => write!(f, "{} ", styled(ERROR, "error:"))?,
            Severity::Warning => write!(f, "{} ", styled(WARNING, "warning:"))?,
        }
        if let Some(place) = &self.place {
            write!(f, "{}:", place.file)?;
            match (place.line, &self.environment) {
                (Some(line), _) => write!(f, "{line}: ")?,
                (None, Some(environment)) => write!(f, " [env.{environment}] ")?,
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
