//! `countersign leave`: out of Countersign again without logging anyone out, one safe step a run.

use std::collections::BTreeSet;

use clap::Args;
use countersign_core::operations::capabilities::{Capabilities, PLAIN, RuleCapabilities};
use countersign_core::operations::compatibility::{Loss, losses};
use serde_json::Value;

use crate::remote::wrangler;
use crate::rotation::change::{Change, note_line};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::rotation::key_or_format::{shown, written};
use crate::rotation::options::ChangeOptions;
use crate::rotation::promotion::promote;
use crate::rotation::revocation;
use crate::rotation::run::{self, Run};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::style::{GOOD, HINT, styled};
use crate::terminal::time::{self, from_now};

/// Take the next safe step out of Countersign
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct LeaveArguments {
    /// How long what the ring has sealed still opens [default: the longest max_age of its rules]
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    grace: Option<u64>,

    #[command(flatten)]
    options: ChangeOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign leave
      edits wrangler.toml; commit, deploy to all traffic, and run it again
  countersign leave --deploy            the same, deployed
  countersign leave --deploy --dry-run

The steps: the site's own key is staged, promoted, and the others go when their
`until` is past; each rule goes back to the site's own format, a wrapped one to
`plain`. It is done when the Worker changes not a byte any more: then
`countersign check --against none` holds, and the routes may go.

Exit codes:
  0  a step is done, there is nothing to do yet, or all is done
  1  refused: what is live would still lose sessions
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

/// What comes before each step.
const PREREQUISITE: &str = "deploy the step before to all traffic, then come back";

/// Why no step is taken.
#[derive(Debug)]
pub enum LeaveError {
    /// The site signs cookies of one ring with several keys.
    SeveralKeys(BTreeSet<String>),
    /// A rule cannot be read as it is and as it is to be.
    NotBoth { rule: String, failure: Failure },
    /// All steps are taken, and the configuration would still lose something without the Worker.
    StillNeeded(Loss),
    /// All steps are taken, and what is live does not know yet.
    NotDeployed { source: String, loss: Loss },
    /// What every command may meet.
    Other(Failure),
}

impl LeaveArguments {
    /// Takes the next step.
    pub fn run(self) -> Result<Answer, LeaveError> {
        run::run(&self.options, |run, draft| {
            let capabilities = draft.capabilities()?;
            let now = run.now()?;
            if let Some(change) = self.next_key(&draft, &capabilities, now)? {
                return Ok(run.carry_out(change)?);
            }
            if let Some(change) = self.next_format(&draft, &capabilities, now)? {
                return Ok(run.carry_out(change)?);
            }
            let mut rest = Rest::default();
            let mut draft = draft;
            rest.clear_keys(run, &mut draft, now)?;
            rest.clear_formats(run, &mut draft, &capabilities, now)?;
            if !rest.gone.is_empty() {
                let gone: Vec<String> = rest.gone.into_iter().collect();
                let change = Change::new(draft, revocation::leaving(&gone), PREREQUISITE);
                return Ok(run.carry_out(change)?);
            }
            if rest.is_empty() {
                done(run, &capabilities, now)
            } else {
                Ok(rest.answer(run, now))
            }
        })
    }

    /// A ring whose current key is not the site's own.
    fn next_key(
        &self,
        draft: &Draft,
        capabilities: &Capabilities,
        now: u64,
    ) -> Result<Option<Change>, LeaveError> {
        for rule in draft.rings() {
            let ring = rule.as_deref().map_or(Ring::Shared, Ring::Of);
            let Some(own) = own_key(draft, capabilities, ring)? else {
                continue;
            };
            if draft.current(ring)? != own {
                return self.key_step(draft.clone(), ring, &own, now).map(Some);
            }
        }
        Ok(None)
    }

    fn key_step(
        &self,
        mut draft: Draft,
        ring: Ring<'_>,
        own: &str,
        now: u64,
    ) -> Result<Change, LeaveError> {
        let fallbacks = draft.fallbacks(ring)?;
        let listed = fallbacks.iter().find(|(id, _)| id == own);
        if listed.is_some_and(|(_, until)| !is_past(until.as_deref(), now)) {
            let change = promote(draft, own, ring, self.grace, now)?;
            return Ok(Change {
                message: format!("Leave: promote {own}"),
                ..change
            });
        }
        draft.unlist(ring, own)?;
        draft.stage(ring, own)?;
        Ok(Change::new(
            draft,
            format!("Leave: stage {own}"),
            PREREQUISITE,
        ))
    }

    /// A rule that seals in another format than the site's own.
    fn next_format(
        &self,
        draft: &Draft,
        capabilities: &Capabilities,
        now: u64,
    ) -> Result<Option<Change>, LeaveError> {
        let mut rules = capabilities.rules.iter();
        let Some(rule) = rules.find(|rule| rule.format != rule.origin_format) else {
            return Ok(None);
        };
        let name = rule.name.as_str();
        let Some(format) = draft.origin_format(name)? else {
            return Ok(None);
        };
        let seconds = grace::seconds(self.grace, &draft.policy()?, &[name.to_owned()])?;
        let until = grace::until(now, seconds);
        let accepted = draft.accepted(name)?;
        let listed = accepted.iter().find(|(known, _)| *known == format);
        let is_accepted = listed.is_some_and(|(_, end)| !is_past(end.as_deref(), now));
        let step = if is_accepted { seal_in } else { accept };
        step(draft.clone(), name, &format, &until).map(Some)
    }
}

/// A rule seals in the site's own format; the one before it opens until then.
fn seal_in(
    mut draft: Draft,
    rule: &str,
    format: &Value,
    until: &str,
) -> Result<Change, LeaveError> {
    draft.promote_format(rule, format, Some(until))?;
    if format["format"] == PLAIN {
        // what carries no time has no age
        draft.clear(rule, "max_age")?;
    }
    let message = format!("Leave: {rule} in {}", shown(format));
    Ok(Change::new(draft, message, PREREQUISITE))
}

/// A rule opens the site's own format as well; `plain` only until then.
fn accept(mut draft: Draft, rule: &str, format: &Value, until: &str) -> Result<Change, LeaveError> {
    let is_plain = format["format"] == PLAIN;
    draft.unaccept(rule, format)?;
    draft.accept(rule, format, is_plain.then_some(until))?;
    if let Err(failure) = draft.policy() {
        return Err(if is_plain {
            let rule = rule.to_owned();
            LeaveError::NotBoth { rule, failure }
        } else {
            failure.into()
        });
    }
    let message = format!("Leave: accept {rule} in {}", shown(format));
    let note = format!("until {until} whoever guesses a value of {rule} can have it signed");
    let notes = if is_plain { vec![note] } else { Vec::new() };
    Ok(Change::new(draft, message, PREREQUISITE).with_notes(notes))
}

/// What is left of other keys and formats, where every ring and rule seals as the site does.
#[derive(Default)]
struct Rest {
    /// What still opens, and until when.
    waits: BTreeSet<(u64, String)>,
    /// The commands for what has no end.
    endless: BTreeSet<String>,
    /// What has been taken out, for its time is over.
    gone: BTreeSet<String>,
}

impl Rest {
    fn clear_keys(&mut self, run: &Run<'_>, draft: &mut Draft, now: u64) -> Result<(), LeaveError> {
        for rule in draft.rings() {
            let ring = rule.as_deref().map_or(Ring::Shared, Ring::Of);
            let current = draft.current(ring)?;
            let mut fallbacks = draft.fallbacks(ring)?;
            fallbacks.retain(|(id, _)| *id != current);
            for (id, until) in fallbacks {
                let retire = format!("countersign retire {id}{}", run.option());
                if self.is_over(until.as_deref(), now, &id, retire) {
                    draft.unlist(ring, &id)?;
                }
            }
        }
        Ok(())
    }

    fn clear_formats(
        &mut self,
        run: &Run<'_>,
        draft: &mut Draft,
        capabilities: &Capabilities,
        now: u64,
    ) -> Result<(), LeaveError> {
        for RuleCapabilities { name, .. } in &capabilities.rules {
            for (format, until) in draft.accepted(name)? {
                let what = format!("{name} in {}", shown(&format));
                let retire = format!(
                    "countersign retire --rule {name} --format '{}'{}",
                    written(&format),
                    run.option()
                );
                if self.is_over(until.as_deref(), now, &what, retire) {
                    draft.unaccept(name, &format)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the time of a key or a format is over; keeps what is to be said of it.
    fn is_over(&mut self, until: Option<&str>, now: u64, what: &str, retire: String) -> bool {
        let end = until.and_then(time::read);
        match end {
            Some(end) if end > now => drop(self.waits.insert((end, what.to_owned()))),
            Some(_) => drop(self.gone.insert(what.to_owned())),
            None => drop(self.endless.insert(retire)),
        }
        end.is_some_and(|end| end <= now)
    }

    fn is_empty(&self) -> bool {
        self.waits.is_empty() && self.endless.is_empty()
    }

    fn answer(&self, run: &Run<'_>, now: u64) -> Answer {
        let mut text = String::new();
        for (end, what) in &self.waits {
            text.push_str(&format!(
                "what {what} sealed may still be in browsers: wait until {}, {}\n",
                time::moment(*end),
                from_now(*end, now)
            ));
        }
        for command in &self.endless {
            text.push_str(&format!("{} {command}\n", styled(HINT, "next:")));
        }
        text.push_str(&clock_note(run));
        Answer::success(text)
    }
}

/// Nothing is left to do here: what is live must have come as far.
fn done(run: &Run<'_>, capabilities: &Capabilities, now: u64) -> Result<Answer, LeaveError> {
    let none = capabilities.without_worker();
    if let Some(loss) = first_loss(capabilities, &none, now) {
        return Err(LeaveError::StillNeeded(loss));
    }
    let before = run.baseline()?;
    if let Some(loss) = first_loss(&before.capabilities, &none, now) {
        let source = before.source.clone();
        return Err(LeaveError::NotDeployed { source, loss });
    }
    // wrangler leaves the routes of a wrangler.toml that names none as they are
    Ok(Answer::success(format!(
        "{}{}: the Worker changes not a byte that a session needs\n{} remove its routes in the dashboard: wrangler leaves them alone where the configuration names none\n{} {}\n",
        clock_note(run),
        styled(GOOD, "nothing would be lost without it"),
        styled(HINT, "next:"),
        styled(HINT, "then:"),
        wrangler::typed(&run.environment, &["delete"]),
    )))
}

fn first_loss(with: &Capabilities, without: &Capabilities, now: u64) -> Option<Loss> {
    let there = losses(with, without, now).into_iter();
    let back = losses(without, with, now);
    there.chain(back).next()
}

fn clock_note(run: &Run<'_>) -> String {
    let note = run.clock_note();
    note.map_or(String::new(), |note| note_line(&note))
}

/// The key that the site signs with, for the rules of a ring that it signs.
fn own_key(
    draft: &Draft,
    capabilities: &Capabilities,
    ring: Ring<'_>,
) -> Result<Option<String>, LeaveError> {
    let rules = draft.rules(ring);
    let is_signed =
        |rule: &&RuleCapabilities| rules.contains(&rule.name) && rule.origin_format.name != PLAIN;
    let signed = capabilities.rules.iter().filter(is_signed);
    let keys = signed.map(|rule| rule.origin_current.id.to_string());
    let keys: BTreeSet<String> = keys.collect();
    if keys.len() > 1 {
        return Err(LeaveError::SeveralKeys(keys));
    }
    Ok(keys.into_iter().next())
}

fn is_past(until: Option<&str>, now: u64) -> bool {
    until.and_then(time::read).is_some_and(|end| end <= now)
}

impl From<Failure> for LeaveError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<LeaveError> for Failure {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::SeveralKeys(keys) => {
                let keys: Vec<String> = keys.into_iter().collect();
                Self::refused(format!(
                    "the site signs cookies of one ring with different keys: {}",
                    keys.join(", ")
                ))
                .hint("give each of these rules a `keys` table with a current key of its own first")
            }
            LeaveError::NotBoth { rule, failure } => failure.hint(format!(
                "{rule} cannot be read in both ways at once: write format = \"plain\" and its format into `accept` yourself, and deploy that to all traffic at once; visitors who meet both versions meanwhile log in again"
            )),
            LeaveError::StillNeeded(loss) => Self::refused(format!(
                "removing the Worker would still end sessions: {loss}"
            )),
            LeaveError::NotDeployed { source, loss } => Self::refused(format!(
                "what is live, {source}, would still lose sessions: {loss}"
            ))
            .hint("deploy this configuration to all traffic first"),
            LeaveError::Other(failure) => failure,
        }
    }
}
