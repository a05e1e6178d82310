//! `countersign stage`: a new key, or a format, that every version opens before any seals with it.

use clap::Args;
use countersign_core::crypto::key::KeyId;
use serde_json::Value;

use crate::project::config::Environment;
use crate::remote::deploy::NewSecret;
use crate::remote::wrangler;
use crate::remote::wrangler::typed;
use crate::rotation::change::{Change, Where};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::new_key::{fresh, sealed, with_key};
use crate::rotation::subject::{About, Subject, shown};
use crate::terminal::answer::{Answer, Failure};

/// Let the Worker open what a new key or format seals, before anything seals with it
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Stage {
    #[command(flatten)]
    subject: Subject,

    #[command(flatten)]
    place: Where,
}

const AFTER_HELP: &str = "\
Examples:
  countersign stage KEY_2026_11                     into `fallbacks` of wrangler.toml
  countersign stage KEY_2026_11 --deploy            and live, with a new key that nobody sees
  countersign stage KEY_2026_11 --deploy --dry-run  the commands of that, and nothing else
  countersign stage --rule sessionid --format 'format = \"django-session\", digest = \"sha256\"'

What is live is asked at the site: COUNTERSIGN_TOKEN in the environment holds what the Worker's secret of that
name holds. Deploy to all traffic, then go on with `countersign promote`.

Exit codes:
  0  done
  1  refused: it would do harm, or is done already
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

impl Stage {
    /// Stages it.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.place.config()?;
        let environment = self.place.environment(&config)?;
        let draft = Draft::open(&environment)?;
        let change = match self.subject.read()? {
            About::Key(key, ring) => self.key(&environment, draft, &key, ring)?,
            About::Format(format, rule) => self.format(draft, &format, rule)?,
        };
        self.place.carry_out(&environment, change)
    }

    fn key(
        &self,
        environment: &Environment<'_>,
        mut draft: Draft,
        key: &KeyId,
        ring: Ring<'_>,
    ) -> Result<Change, Failure> {
        let id = key.as_str();
        if draft.current(ring)? == id {
            return Err(Failure::refused(format!("{id} is the current key already")));
        }
        let is_there = draft.fallbacks(ring)?.iter().any(|(known, _)| known == id);
        if is_there && !self.place.deploys() {
            return Err(
                Failure::refused(format!("{id} is a fallback already")).hint(format!(
                    "deploy it, then: countersign promote {id}{}",
                    self.place.option()
                )),
            );
        }
        if !is_there {
            draft.stage(ring, id)?;
        }
        let mut change = change(draft, format!("Stage {id}"));
        match self.place.deploys() {
            true => self.new_secret(environment, &mut change, id, ring)?,
            false => change.notes.push(format!(
                "its bytes go into the Worker's secrets before this is deployed: countersign keygen --put {id}{}",
                environment.option()
            )),
        }
        Ok(change)
    }

    fn format(&self, mut draft: Draft, format: &Value, rule: &str) -> Result<Change, Failure> {
        // `plain` is accepted for a time only
        let mut format = format.clone();
        let until = format
            .as_object_mut()
            .and_then(|fields| fields.remove("until"));
        let name = shown(&format);
        if draft.format(rule)? == format {
            return Err(Failure::refused(format!(
                "{rule} is sealed in {name} already"
            )));
        }
        let is_there = draft
            .accepted(rule)?
            .iter()
            .any(|(known, _)| *known == format);
        if is_there && !self.place.deploys() {
            return Err(Failure::refused(format!("{rule} accepts {name} already"))
                .hint("deploy it, then promote it"));
        }
        if !is_there {
            draft.accept(rule, &format, until.as_ref().and_then(Value::as_str))?;
        }
        Ok(change(draft, format!("Accept {rule} in {name}")))
    }

    /// The key itself, unless the Worker has it; and a cookie to try it with.
    fn new_secret(
        &self,
        environment: &Environment<'_>,
        change: &mut Change,
        key: &str,
        ring: Ring<'_>,
    ) -> Result<(), Failure> {
        if wrangler::secrets(environment)?
            .iter()
            .any(|known| known == key)
        {
            change
                .notes
                .push(format!("the Worker has a secret {key}: that is the key"));
            return Ok(());
        }
        let rule = change.draft.rules(ring).into_iter().next();
        let format = match &rule {
            Some(rule) => change.draft.format(rule)?["format"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            None => String::new(),
        };
        let value = fresh(&format)?;
        let policy = with_key(&change.draft, key, &value).map_err(|problem| {
            Failure::refused(format!(
                "a key that countersign makes does not fit: {problem}"
            ))
            .hint(format!(
                "put one that fits into the Worker's secrets: {}",
                typed(environment, &["secret", "put", key])
            ))
        })?;
        let now = self.place.now(environment)?;
        change.cookie = rule.and_then(|rule| sealed(&policy, &rule, key, now));
        change.secret = Some(NewSecret {
            name: key.to_owned(),
            value,
        });
        Ok(())
    }
}

fn change(draft: Draft, message: String) -> Change {
    Change {
        draft,
        message,
        notes: Vec::new(),
        first: "wrangler.toml differs from what is live in other ways as well: countersign check --against live".to_owned(),
        revokes: None,
        secret: None,
        cookie: None,
    }
}
