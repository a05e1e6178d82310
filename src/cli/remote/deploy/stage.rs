//! How far a rollout has come where it stops, and what to do then.

use crate::terminal::answer::Failure;

/// Where a rollout stops.
#[derive(Clone, Copy)]
pub enum Stage<'v> {
    /// Nothing is known to be uploaded.
    Uploading,
    /// The version is there, and in no deployment.
    Uploaded { new: &'v str },
    /// It is part of the deployment, without traffic.
    AtZero { new: &'v str, old: &'v str },
    /// It is given all traffic.
    Switching { new: &'v str },
    /// It has all traffic.
    Deployed { new: &'v str },
}

/// Why a rollout has not come to its end.
pub struct RolloutError {
    pub failure: Failure,
    /// Whether the version is deployed all the same; none where that is not known.
    pub is_deployed: Option<bool>,
}

/// What a hint names.
pub struct Surroundings<'s> {
    /// The site that should answer with the version.
    pub site: &'s str,
    /// ` --env NAME`, behind commands of this program.
    pub option: String,
    /// The secret that came with the version.
    pub secret: Option<&'s str>,
    /// A command of wrangler's, as a person would type it.
    pub command: &'s dyn Fn(&[&str]) -> String,
}

impl RolloutError {
    /// Nothing is uploaded.
    pub fn before(failure: Failure) -> Self {
        Self {
            failure,
            is_deployed: Some(false),
        }
    }
}

impl Stage<'_> {
    /// The failure with what has been done by then.
    pub fn stop(self, failure: Failure, around: &Surroundings<'_>) -> RolloutError {
        let hint = self.hint(failure.is_interrupted(), around);
        let failure = hint.into_iter().fold(failure, Failure::hint);
        let is_idle = matches!(self, Self::Uploaded { .. } | Self::AtZero { .. });
        RolloutError {
            failure: match around.secret {
                Some(secret) if is_idle => failure.hint(leftover(secret, around)),
                _ => failure,
            },
            is_deployed: match self {
                Self::Switching { .. } => None,
                stage => Some(matches!(stage, Self::Deployed { .. })),
            },
        }
    }

    fn hint(self, is_interrupted: bool, around: &Surroundings<'_>) -> Option<String> {
        let (site, status) = (around.site, format!("countersign status{}", around.option));
        match self {
            Self::Uploading if is_interrupted => Some(format!(
                "whether the version has been uploaded is not known; it has no traffic: {}",
                (around.command)(&["versions", "list"])
            )),
            Self::Uploaded { new } => {
                Some(format!("version {new} is uploaded, and has no traffic"))
            }
            Self::AtZero { new, old } => Some(format!(
                "version {new} may still be part of the deployment, at 0 %; take it out: {}",
                (around.command)(&["versions", "deploy", &format!("{old}@100"), "--yes"])
            )),
            Self::Switching { new } => Some(format!(
                "whether version {new} has all traffic by now is not known: {status}"
            )),
            Self::Deployed { new } if is_interrupted => Some(format!(
                "version {new} is deployed; whether {site} answers with it has not been seen: {status}"
            )),
            Self::Uploading | Self::Deployed { .. } => None,
        }
    }
}

/// The secret of a version without traffic goes over into the next one.
pub fn leftover(secret: &str, around: &Surroundings<'_>) -> String {
    format!(
        "the secret {secret} came with that version, and goes over into the next one; to be rid of it: {}",
        (around.command)(&["versions", "secret", "delete", secret])
    )
}
