//! `countersign stage`: a new key, or a format, that every version opens before any seals with it.

use clap::Args;
use countersign_core::config::written::{Written, WrittenKeys};
use countersign_core::crypto::key::KeyId;
use countersign_core::operations::status::TOKEN;
use serde_json::Value;

use crate::project::secrets_store::StoredSecret;
use crate::remote::deploy::NewSecret;
use crate::remote::wrangler;
use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::key_or_format::{KeyOrFormatArguments, shown};
use crate::rotation::new_key::{fitting, seal_test_cookie};
use crate::rotation::options::ChangeOptions;
use crate::rotation::run::Run;
use crate::rotation::step::{self, Step};
use crate::terminal::answer::{Answer, Failure};

/// Let the Worker open what a new key or format seals, before anything seals with it
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct StageArguments {
    #[command(flatten)]
    what: KeyOrFormatArguments,

    #[command(flatten)]
    options: ChangeOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign stage KEY_2026_11           into `fallbacks` of wrangler.toml
  countersign stage KEY_2026_11 --deploy  and live, with a new key that nobody sees
  countersign stage KEY_2026_11 --deploy --dry-run
      the commands of that, and nothing else
  countersign stage --rule sessionid --format \\
      'format = \"django-session\", digest = \"sha256\"'

What is live is asked at the site: COUNTERSIGN_TOKEN in the environment holds
what the Worker's secret of that name holds. Deploy to all traffic, then go on
with `countersign promote`.

Exit codes:
  0  done
  1  refused: it would do harm, or is done already
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

/// What to do about other differences from what is live.
const PREREQUISITE: &str = "the configuration differs from what is live in other ways as well: countersign check --against live";

/// Why nothing is staged.
#[derive(Debug)]
pub enum StageError {
    /// The key is the current one already.
    IsCurrent { key: String },
    /// The key is a fallback already; ` --env NAME` for the commands of its environment.
    IsFallback { key: String, option: String },
    /// The rule is sealed in the format already.
    IsSealed { rule: String, format: String },
    /// The rule accepts the format already.
    IsAccepted { rule: String, format: String },
    /// The name is that of the status endpoint's token.
    IsToken,
    /// What every command may meet.
    Other(Failure),
}

impl StageArguments {
    /// The command for a key, as `countersign rotate` gives it.
    pub fn of_key(what: KeyOrFormatArguments, options: ChangeOptions) -> Self {
        Self { what, options }
    }

    /// Stages it.
    pub fn run(self) -> Result<Answer, StageError> {
        step::take(&self, &self.what, &self.options)
    }

    /// The key itself, unless the Worker has it; and a cookie to try it with.
    fn add_secret(
        &self,
        run: &Run<'_>,
        change: &mut Change,
        key: &str,
        ring: Ring<'_>,
    ) -> Result<(), Failure> {
        if let Some(stored) = StoredSecret::of(&run.environment, key) {
            change.notes.push(stored_note(key, &stored));
            return Ok(());
        }
        let set = wrangler::secrets(&run.environment)?;
        if set.iter().any(|known| known == key) {
            let note = format!("the Worker has a secret {key}: that is the key");
            change.notes.push(note);
            return Ok(());
        }
        let rule = change.draft.rules(ring).into_iter().next();
        let format = match &rule {
            Some(rule) => change.draft.format(rule)?["format"].take(),
            None => Value::Null,
        };
        let format = format.as_str().unwrap_or_default();
        let (value, policy) = fitting(&run.environment, &change.draft, key, format)?;
        let now = run.now()?;
        change.cookie = rule.and_then(|rule| seal_test_cookie(&policy, &rule, key, now));
        change.secret = Some(NewSecret {
            name: key.to_owned(),
            value,
        });
        Ok(())
    }
}

impl Step for StageArguments {
    type Error = StageError;

    fn with_key(
        &self,
        run: &Run<'_>,
        mut draft: Draft,
        key: &KeyId,
        ring: Ring<'_>,
    ) -> Result<Change, StageError> {
        let id = key.as_str();
        if draft.current(ring)? == id {
            return Err(StageError::IsCurrent { key: id.to_owned() });
        }
        let is_there = draft.fallbacks(ring)?.iter().any(|(known, _)| known == id);
        if is_there && !self.options.deploy {
            return Err(StageError::IsFallback {
                key: id.to_owned(),
                option: run.option(),
            });
        }
        if id == TOKEN {
            return Err(StageError::IsToken);
        }
        let is_origins = is_origins(&draft, id);
        if !is_there {
            draft.stage(ring, id)?;
        }
        let mut change = Change::new(draft, format!("Stage {id}"), PREREQUISITE);
        if is_origins && !is_there {
            change.notes.push(format!("{id} is the site's own key: whoever gets it from the site can forge cookies here from now on; for a key of the ring alone, stage another name; to go back to the site's own: countersign leave"));
        }
        if self.options.deploy {
            self.add_secret(run, &mut change, id, ring)?;
        } else if let Some(stored) = StoredSecret::of(&run.environment, id) {
            change.notes.push(stored_note(id, &stored));
        } else if !is_origins {
            change.notes.push(format!(
                "its bytes go into the Worker's secrets before this is deployed: countersign keygen --put {id}{}",
                run.option()
            ));
        }
        Ok(change)
    }

    fn with_format(
        &self,
        _: &Run<'_>,
        mut draft: Draft,
        format: &Value,
        rule: &str,
    ) -> Result<Change, StageError> {
        // `plain` is accepted for a time only
        let mut format = format.clone();
        let fields = format.as_object_mut();
        let until = fields.and_then(|fields| fields.remove("until"));
        let name = shown(&format);
        if draft.format(rule)? == format {
            return Err(StageError::IsSealed {
                rule: rule.to_owned(),
                format: name,
            });
        }
        let accepted = draft.accepted(rule)?;
        let is_there = accepted.iter().any(|(known, _)| *known == format);
        if is_there && !self.options.deploy {
            return Err(StageError::IsAccepted {
                rule: rule.to_owned(),
                format: name,
            });
        }
        if !is_there {
            draft.accept(rule, &format, until.as_ref().and_then(Value::as_str))?;
        }
        let message = format!("Accept {rule} in {name}");
        Ok(Change::new(draft, message, PREREQUISITE))
    }
}

/// What is said of a key that only who has the store can put there.
fn stored_note(key: &str, stored: &StoredSecret) -> String {
    format!(
        "{key} is bound from a Secrets Store, where this command cannot put it; it has to be there before this is deployed: {}",
        stored.creation()
    )
}

/// Whether the site signs with a key.
fn is_origins(draft: &Draft, key: &str) -> bool {
    let value = draft.value();
    let written = Written::of(&value);
    let mut origins = written.each_keys().flat_map(WrittenKeys::origin_keys);
    origins.any(|known| known.id.as_str() == key)
}

impl From<Failure> for StageError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        match error {
            StageError::IsCurrent { key } => {
                Self::refused(format!("{key} is the current key already"))
            }
            StageError::IsFallback { key, option } => {
                Self::refused(format!("{key} is a fallback already")).hint(format!(
                    "deploy it, then: countersign promote {key}{option}"
                ))
            }
            StageError::IsSealed { rule, format } => {
                Self::refused(format!("{rule} is sealed in {format} already"))
            }
            StageError::IsAccepted { rule, format } => {
                Self::refused(format!("{rule} accepts {format} already"))
                    .hint("deploy it, then promote it")
            }
            StageError::IsToken => Self::refused(format!("{TOKEN} is the token of the status endpoint, which is shown to the Worker, and no key"))
                .hint("stage a key of another name, such as KEY_2026_11"),
            StageError::Other(failure) => failure,
        }
    }
}
