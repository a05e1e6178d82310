//! A step of a key's or a format's life: what stage, promote and retire have in common.

use countersign_core::crypto::key::KeyId;
use serde_json::Value;

use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::key_or_format::{KeyOrFormat, KeyOrFormatArguments};
use crate::rotation::options::ChangeOptions;
use crate::rotation::run::{self, Run};
use crate::terminal::answer::{Answer, Failure};

/// A command that takes one step with a key of a ring, or with a format of a rule.
pub trait Step {
    /// Why the command refuses a step, beside what every command may meet.
    type Error: From<Failure>;

    /// The step with a key.
    fn with_key(
        &self,
        run: &Run<'_>,
        draft: Draft,
        key: &KeyId,
        ring: Ring<'_>,
    ) -> Result<Change, Self::Error>;

    /// The step with a format.
    fn with_format(
        &self,
        run: &Run<'_>,
        draft: Draft,
        format: &Value,
        rule: &str,
    ) -> Result<Change, Self::Error>;
}

/// Takes the step.
///
/// # Errors
/// Those of the step, and of [`Run::carry_out`].
pub fn take<S: Step>(
    step: &S,
    arguments: &KeyOrFormatArguments,
    options: &ChangeOptions,
) -> Result<Answer, S::Error> {
    run::run(options, |run, draft| {
        let change = match arguments.read()? {
            KeyOrFormat::Key(key, ring) => step.with_key(run, draft, &key, ring)?,
            KeyOrFormat::Format(format, rule) => step.with_format(run, draft, &format, rule)?,
        };
        Ok(run.carry_out(change)?)
    })
}
