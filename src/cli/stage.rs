//! `countersign stage`: a new key, or a format, that every version opens before any seals with it.

use clap::{Args, Parser};
use countersign_core::config::Policy;
use countersign_core::crypto::key::KeyId;
use countersign_core::formats::Content;
use countersign_core::gate::inspection::inspect;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::answer::{Answer, Failure};
use crate::change::{Change, NewSecret, Where};
use crate::config::Environment;
use crate::deploy::typed;
use crate::dev_vars::Texts;
use crate::editing::{Draft, Ring};
use crate::keygen::Keygen;
use crate::subject::{About, Subject, shown};
use crate::wrangler;

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

/// A key as `countersign keygen` makes it.
///
/// # Errors
/// There is no randomness, or no such format.
pub fn fresh(format: &str) -> Result<Zeroizing<String>, Failure> {
    #[derive(Parser)]
    struct Maker {
        #[command(flatten)]
        keygen: Keygen,
    }
    let format = match format {
        "" | "plain" => "django-session",
        format => format,
    };
    let maker = Maker::try_parse_from(["keygen", "--format", format]);
    let maker = maker.map_err(|error| Failure::usage(error.to_string()))?;
    let made = Zeroizing::new(maker.keygen.run()?.text);
    Ok(Zeroizing::new(made.trim().to_owned()))
}

/// The configuration with this key, and placeholders for all others.
///
/// # Errors
/// What the Worker would say against the key.
pub fn with_key(draft: &Draft, key: &str, value: &str) -> Result<Policy, String> {
    let value_of = draft.value();
    let known: Texts = [(key.to_owned(), value.to_owned())].into();
    Policy::parse_with_placeholders(&value_of, &|name| known.get(name).cloned()).map_err(
        |problems| {
            problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()
        },
    )
}

/// A cookie that the key seals, where a plain word is a payload that the gate takes.
fn sealed(policy: &Policy, rule: &str, key: &str, now: u64) -> Option<String> {
    let rule = policy.rules.iter().find(|known| known.spec.name == rule)?;
    let fallbacks = rule
        .spec
        .ring
        .fallbacks
        .iter()
        .map(|fallback| &fallback.key);
    let key = fallbacks
        .chain([&rule.spec.ring.current])
        .find(|known| known.id().as_str() == key)?;
    let name = &rule.spec.name;
    let keyed = rule.spec.format.keyed(name, key).ok()?;
    let content = Content::of(b"e30".as_slice()).signed_at(now);
    let value = keyed.seal(&content, |bytes| {
        // without randomness it would be a worse nonce, of a cookie that holds nothing
        let _ = getrandom::fill(bytes);
    });
    let value = value
        .ok()
        .filter(|value| !value.contains(countersign_core::formats::PAIR))?;
    let found = inspect(policy, name, &value, now);
    let opens = found
        .opened
        .is_some_and(|opened| opened.key.as_ref() == Some(key.id()));
    opens.then(|| format!("{name}={value}"))
}
