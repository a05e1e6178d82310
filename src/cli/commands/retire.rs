//! `countersign retire`: a key that is out of use leaves the ring; a format, a rule.

use clap::Args;
use serde_json::Value;

use crate::project::config::Environment;
use crate::remote::usage::{self, Usage};
use crate::rotation::change::{Change, Where};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::promotion::again;
use crate::rotation::revocation;
use crate::rotation::subject::{About, Subject, shown};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::time;

/// Take a key that is out of use out of the ring
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Retire {
    #[command(flatten)]
    subject: Subject,

    /// Over how many days its uses are counted
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=90))]
    days: u32,

    /// Retire it although it is not known whether it is still in use
    #[arg(long)]
    yes_unknown: bool,

    #[command(flatten)]
    place: Where,
}

const AFTER_HELP: &str = "\
Examples:
  countersign retire KEY_2026_05
  countersign retire KEY_2026_05 --days 30 --deploy
  countersign retire DJANGO_SECRET_KEY        out of the ring; it stays `origin`, with which the site signs

The uses of the last days come from Analytics Engine, where wrangler.toml binds USAGE; CLOUDFLARE_API_TOKEN
and CLOUDFLARE_ACCOUNT_ID have to be in the environment. A key whose `until` is past opens nothing and goes
without asking.

Exit codes:
  0  done
  1  refused: it is in use, or that is not known
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

impl Retire {
    /// Retires it.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.place.config()?;
        let environment = self.place.environment(&config)?;
        let draft = Draft::open(&environment)?;
        let change = match self.subject.read()? {
            About::Key(key, ring) => self.key(&environment, draft, key.as_str(), ring)?,
            About::Format(format, rule) => self.format(&environment, draft, &format, rule)?,
        };
        self.place.carry_out(&environment, change)
    }

    fn key(
        &self,
        environment: &Environment<'_>,
        mut draft: Draft,
        key: &str,
        ring: Ring<'_>,
    ) -> Result<Change, Failure> {
        let message = revocation::retirement(key);
        let fallbacks = draft.fallbacks(ring)?;
        let listed = fallbacks.iter().find(|(known, _)| known == key);
        let is_current = draft.current(ring)? == key;
        let Some((_, until)) = listed else {
            return match (is_current, self.place.deploys()) {
                (true, _) => Err(Failure::refused(format!(
                    "{key} is the current key: it seals what browsers get"
                ))
                .hint("promote another one first")),
                (false, true) => Ok(change(draft, message, Vec::new())),
                (false, false) => Err(Failure::refused(format!(
                    "{key} is no fallback of the ring"
                ))),
            };
        };
        let notes = match is_current {
            // the entry in the list says nothing: the key opens as the current one
            true => vec![format!("{key} stays the current key")],
            false => {
                let rules = draft.rules(ring);
                self.may_go(environment, key, until.as_deref(), &|used| {
                    used.is_of(key) && is_among(&rules, &used.rule)
                })?
            }
        };
        draft.unlist(ring, key)?;
        Ok(change(draft, message, notes))
    }

    fn format(
        &self,
        environment: &Environment<'_>,
        mut draft: Draft,
        format: &Value,
        rule: &str,
    ) -> Result<Change, Failure> {
        let name = shown(format);
        let message = format!("Accept {rule} in {name} no longer");
        let accepted = draft.accepted(rule)?;
        let Some((_, until)) = accepted.iter().find(|(known, _)| known == format) else {
            return match self.place.deploys() {
                true => Ok(change(draft, message, Vec::new())),
                false => Err(Failure::refused(format!("{rule} does not accept {name}"))),
            };
        };
        // which of several formats it was is not recorded
        let uses = |used: &usage::Use| {
            used.verdict == "accepted-format"
                && used.count > 0.0
                && is_among(&[rule.to_owned()], &used.rule)
        };
        let notes = self.may_go(environment, &name, until.as_deref(), &uses)?;
        draft.unaccept(rule, format)?;
        Ok(change(draft, message, notes))
    }

    /// Whether nobody needs it any more; answers what is known.
    fn may_go(
        &self,
        environment: &Environment<'_>,
        what: &str,
        until: Option<&str>,
        is_use: &dyn Fn(&usage::Use) -> bool,
    ) -> Result<Vec<String>, Failure> {
        if let Some(until) = until
            && let Some(end) = time::read(until)
            && end <= self.place.now(environment)?
        {
            return Ok(vec![format!("{what} has opened nothing since {until}")]);
        }
        match usage::ask(environment, self.days)? {
            Usage::Known(uses) => {
                let counts = uses.iter().filter(|used| is_use(used));
                let counts: Vec<String> = counts
                    .map(|used| {
                        format!("\n  {}: {} {} ", used.rule, used.count, used.verdict)
                            .trim_end()
                            .to_owned()
                    })
                    .collect();
                match counts.is_empty() {
                    true => Ok(vec![format!(
                        "{what} opened nothing in the last {} days",
                        self.days
                    )]),
                    false => Err(Failure::refused(format!(
                        "{what} is in use; cookies that it opened in the last {} days:{}",
                        self.days,
                        counts.concat()
                    ))
                    .hint(end_of(until))),
                }
            }
            Usage::Unknown(why) if self.yes_unknown => {
                Ok(vec![format!("whether {what} is in use is unknown: {why}")])
            }
            Usage::Unknown(why) => Err(Failure::refused(format!(
                "whether {what} is in use is unknown: {why}"
            ))
            .hint(format!("{}; or add --yes-unknown", end_of(until)))),
        }
    }
}

fn end_of(until: Option<&str>) -> String {
    match until {
        Some(until) => format!("it may go without asking when its `until` is past, {until}"),
        None => "give its entry an `until`, from which on it may go without asking".to_owned(),
    }
}

/// The end of a long name is a hash in the data.
fn is_among(rules: &[String], recorded: &str) -> bool {
    let start = recorded
        .rsplit_once('~')
        .map_or(recorded, |(start, _)| start);
    rules
        .iter()
        .any(|rule| rule == recorded || (recorded.len() > 60 && rule.starts_with(start)))
}

fn change(draft: Draft, message: String, notes: Vec<String>) -> Change {
    Change {
        notes,
        first: "it still seals something there: promote another one first, and deploy that to all traffic".to_owned(),
        ..again(draft, message)
    }
}
