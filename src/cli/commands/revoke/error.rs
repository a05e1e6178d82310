//! Why a key is not revoked.

use crate::remote::wrangler::WranglerError;
use crate::rotation::new_key::NewKeyError;
use crate::terminal::answer::Failure;

/// Why a key is not revoked. `option` is ` --env NAME` for the commands of its environment, or nothing.
#[derive(Debug)]
pub enum RevokeError {
    /// The site signs with the key, and new bytes at the Worker alone would part the two.
    SignsAtOrigin { key: String, option: String },
    /// The key is bound from a Secrets Store, where this program cannot put new bytes.
    IsStored { key: String, option: String },
    /// No ring has the key; these are there.
    NotInRing { key: String, known: Vec<String> },
    /// There is no new key in its place.
    NewKey(NewKeyError),
    /// The latest version was never deployed, and `secret put` would build on it.
    LatestNotDeployed {
        key: String,
        option: String,
        /// The command that puts another value into the version that was not deployed.
        put: String,
        error: Box<WranglerError>,
    },
    /// The key has none of the roles that are to be taken.
    NoSuchRole { key: String },
    /// The ring would have no current key.
    NoSuccessor {
        key: String,
        option: String,
        cure: Successor,
    },
    /// A successor is named, and the key has no place to leave.
    NotCurrent { key: String, to: String },
    /// The successor is no fallback of the ring.
    NotFallback { to: String, option: String },
    /// The site signs with the key: what it sets would not be understood.
    OriginSigns { key: String },
    /// What every command may meet.
    Other(Failure),
}

/// Where a successor comes from.
#[derive(Debug)]
pub enum Successor {
    /// This key is staged.
    Staged(String),
    /// None is staged, and the key cannot get new bytes, for the site has it too.
    StageOne,
    /// None is staged, and the key can get new bytes.
    NewBytes,
}

impl From<Failure> for RevokeError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<NewKeyError> for RevokeError {
    fn from(error: NewKeyError) -> Self {
        Self::NewKey(error)
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::SignsAtOrigin { key, option } => Self::refused(format!("the site signs with {key}: with other bytes the Worker would not understand it, and every session would end"))
                .hint(format!("take it out of the ring and leave it `origin`: countersign revoke {key}{option} --deploy")),
            RevokeError::IsStored { key, option } => Self::refused(format!("{key} is bound from a Secrets Store, where this command cannot put new bytes"))
                .hint(format!("take it out of the ring: countersign revoke {key}{option} --deploy"))
                .hint("or change it in its store and deploy: what runs keeps the bytes that it has read"),
            RevokeError::NotInRing { key, known } => {
                Self::refused(format!("no ring has the key {key}"))
                    .hint(format!("the configuration has {}", known.join(", ")))
            }
            RevokeError::NewKey(error) => error.into(),
            RevokeError::LatestNotDeployed { key, option, put, error } => Self::from(*error)
                .hint(format!("the latest version was uploaded and never deployed, and the next one takes over its secrets; where they are right: countersign revoke {key}{option} --deploy, with --to where it is the current key; where one is wrong, first: {put}")),
            RevokeError::NoSuchRole { key } => Self::refused(format!(
                "{key} has no such role: there is nothing to take from it"
            ))
            .hint("countersign status shows which key has which role"),
            RevokeError::NoSuccessor { key, option, cure } => {
                let hint = match cure {
                    Successor::Staged(other) => {
                        format!("name the one that takes its place: --to {other}")
                    }
                    Successor::StageOne => format!("stage another key first: countersign stage NEW_KEY{option}; then come back with --to NEW_KEY"),
                    Successor::NewBytes => {
                        format!("give it new bytes: countersign revoke {key}{option} --now")
                    }
                };
                Self::refused(format!("{key} is the current key: the ring would have none"))
                    .hint(hint)
            }
            RevokeError::NotCurrent { key, to } => Self::usage(format!(
                "--to {to}: {key} is not the current key, so none takes its place"
            ))
            .hint("leave out --to"),
            RevokeError::NotFallback { to, option } => {
                Self::refused(format!("{to} is no fallback of the ring"))
                    .hint(format!("stage it first: countersign stage {to}{option}"))
            }
            RevokeError::OriginSigns { key } => Self::refused(format!("the site signs with {key}: without it nothing that it sets would be understood"))
                .hint("give the site another key first, and write origin = { current = \"NEW\", fallbacks = [] }"),
            RevokeError::Other(failure) => failure,
        }
    }
}
