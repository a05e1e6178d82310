//! `countersign leave`: out of Countersign again without logging anyone out, one safe step a run.

use std::collections::BTreeSet;

use clap::Args;
use countersign_core::operations::capabilities::{Capabilities, PLAIN, RuleCapabilities};
use countersign_core::operations::compatibility::losses;

use crate::project::config::Environment;
use crate::remote::wrangler::typed;
use crate::rotation::change::{Change, Where};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::grace;
use crate::rotation::promotion::{again, promoted};
use crate::rotation::revocation;
use crate::rotation::subject::{shown, written};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::style::{GOOD, HINT, WARNING, styled};
use crate::terminal::time::{self, from_now};

/// Take the next safe step out of Countersign
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Leave {
    /// How long what the ring has sealed still opens [default: the longest max_age of its rules]
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    grace: Option<u64>,

    #[command(flatten)]
    place: Where,
}

const AFTER_HELP: &str = "\
Examples:
  countersign leave                     edits wrangler.toml; commit, deploy to all traffic, and run it again
  countersign leave --deploy            the same, deployed
  countersign leave --deploy --dry-run

The steps: the site's own key is staged, promoted, and the others go when their `until` is past; each rule goes
back to the site's own format, a wrapped one to `plain`. It is done when the Worker changes not a byte any
more: then `countersign check --against none` holds, and the routes may go.

Exit codes:
  0  a step is done, there is nothing to do yet, or all is done
  1  refused: what is live has not come so far
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

impl Leave {
    /// Takes the next step.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.place.config()?;
        let environment = self.place.environment(&config)?;
        let draft = Draft::open(&environment)?;
        let capabilities = draft.capabilities()?;
        let now = self.place.now(&environment)?;
        if let Some(change) = self.next_key(&draft, &capabilities, now)? {
            return self.place.carry_out(&environment, change);
        }
        if let Some(change) = self.next_format(&draft, &capabilities, now)? {
            return self.place.carry_out(&environment, change);
        }
        self.last_steps(&environment, draft, &capabilities, now)
    }

    /// A ring whose current key is not the site's own.
    fn next_key(
        &self,
        draft: &Draft,
        capabilities: &Capabilities,
        now: u64,
    ) -> Result<Option<Change>, Failure> {
        for rule in draft.rings() {
            let ring = rule.as_deref().map_or(Ring::Shared, Ring::Of);
            let Some(own) = own_key(draft, capabilities, ring)? else {
                continue;
            };
            if draft.current(ring)? == own {
                continue;
            }
            let fallbacks = draft.fallbacks(ring)?;
            let listed = fallbacks.iter().find(|(id, _)| *id == own);
            return Ok(Some(match listed {
                Some((_, until)) if !is_past(until.as_deref(), now) => {
                    let change = promoted(draft.clone(), &own, ring, self.grace, now)?;
                    Change {
                        message: format!("Leave: promote {own}"),
                        ..change
                    }
                }
                _ => {
                    let mut draft = draft.clone();
                    draft.unlist(ring, &own)?;
                    draft.stage(ring, &own)?;
                    step(draft, format!("Leave: stage {own}"))
                }
            }));
        }
        Ok(None)
    }

    /// A rule that seals in another format than the site's own.
    fn next_format(
        &self,
        draft: &Draft,
        capabilities: &Capabilities,
        now: u64,
    ) -> Result<Option<Change>, Failure> {
        let mut rules = capabilities.rules.iter();
        let Some(rule) = rules.find(|rule| rule.format != rule.origin_format) else {
            return Ok(None);
        };
        let name = rule.name.as_str();
        let Some(format) = draft.origin_format(name)? else {
            return Ok(None);
        };
        let is_plain = format["format"] == PLAIN;
        let seconds = grace::seconds(self.grace, &draft.policy()?, &[name.to_owned()])?;
        let until = grace::until(now, seconds);
        let accepted = draft.accepted(name)?;
        let listed = accepted.iter().find(|(known, _)| *known == format);
        let mut draft = draft.clone();
        Ok(Some(match listed {
            Some((_, end)) if !is_past(end.as_deref(), now) => {
                draft.promote_format(name, &format, Some(&until))?;
                if is_plain {
                    // what carries no time has no age
                    draft.clear(name, "max_age")?;
                }
                step(draft, format!("Leave: {name} in {}", shown(&format)))
            }
            _ => {
                draft.unaccept(name, &format)?;
                draft.accept(name, &format, is_plain.then_some(until.as_str()))?;
                draft.policy().map_err(|failure| match is_plain {
                    true => failure.hint(at_once(name)),
                    false => failure,
                })?;
                let mut change = step(draft, format!("Leave: accept {name} in {}", shown(&format)));
                if is_plain {
                    change.notes.push(format!(
                        "until {until} anyone can have a value of {name} signed that he can guess"
                    ));
                }
                change
            }
        }))
    }

    /// Every ring seals as the site does: what is left of others goes when its time is over.
    fn last_steps(
        &self,
        environment: &Environment<'_>,
        mut draft: Draft,
        capabilities: &Capabilities,
        now: u64,
    ) -> Result<Answer, Failure> {
        let mut waits: BTreeSet<(u64, String)> = BTreeSet::new();
        let mut endless: BTreeSet<String> = BTreeSet::new();
        let mut gone: BTreeSet<String> = BTreeSet::new();
        for rule in draft.rings() {
            let ring = rule.as_deref().map_or(Ring::Shared, Ring::Of);
            let current = draft.current(ring)?;
            for (id, until) in draft.fallbacks(ring)? {
                match until.as_deref().and_then(time::read) {
                    _ if id == current => {}
                    Some(end) if end > now => drop(waits.insert((end, id))),
                    Some(_) => {
                        draft.unlist(ring, &id)?;
                        gone.insert(id);
                    }
                    None => drop(
                        endless.insert(format!("countersign retire {id}{}", environment.option())),
                    ),
                }
            }
        }
        for rule in &capabilities.rules {
            for (format, until) in draft.accepted(&rule.name)? {
                let what = format!("{} in {}", rule.name, shown(&format));
                match until.as_deref().and_then(time::read) {
                    Some(end) if end > now => drop(waits.insert((end, what))),
                    Some(_) => {
                        draft.unaccept(&rule.name, &format)?;
                        gone.insert(what);
                    }
                    None => drop(endless.insert(format!(
                        "countersign retire --rule {} --format '{}'{}",
                        rule.name,
                        written(&format),
                        environment.option()
                    ))),
                }
            }
        }
        if !gone.is_empty() {
            let gone: Vec<String> = gone.into_iter().collect();
            let change = step(draft, revocation::leaving(&gone));
            return self.place.carry_out(environment, change);
        }
        self.answer(environment, capabilities, &waits, &endless, now)
    }

    fn answer(
        &self,
        environment: &Environment<'_>,
        capabilities: &Capabilities,
        waits: &BTreeSet<(u64, String)>,
        endless: &BTreeSet<String>,
        now: u64,
    ) -> Result<Answer, Failure> {
        let mut text = String::new();
        for (end, what) in waits {
            text.push_str(&format!(
                "what {what} sealed may still be in browsers: wait until {}, {}\n",
                time::moment(*end),
                from_now(*end, now)
            ));
        }
        for command in endless {
            text.push_str(&format!("{} {command}\n", styled(HINT, "next:")));
        }
        if !text.is_empty() {
            if let Some(note) = self.place.clock_note() {
                text.push_str(&format!("{} {note}\n", styled(WARNING, "note:")));
            }
            return Ok(Answer::fine(text));
        }
        let none = capabilities.without_worker();
        let lost = [
            losses(&none, capabilities, now),
            losses(capabilities, &none, now),
        ]
        .concat();
        if let Some(loss) = lost.first() {
            return Err(Failure::refused(format!(
                "removing the Worker would still end sessions: {loss}"
            )));
        }
        let before = self.place.before(environment)?;
        let lost = [
            losses(&before.capabilities, &none, now),
            losses(&none, &before.capabilities, now),
        ]
        .concat();
        if let Some(loss) = lost.first() {
            return Err(Failure::refused(format!(
                "what is live, {}, has not come so far: {loss}",
                before.from
            ))
            .hint("deploy this configuration to all traffic first"));
        }
        let note = self.place.clock_note();
        let note = note.map_or(String::new(), |note| {
            format!("{} {note}\n", styled(WARNING, "note:"))
        });
        // wrangler leaves the routes of a wrangler.toml that names none as they are
        Ok(Answer::fine(format!(
            "{note}{}: the Worker changes not a byte that a session needs\n{} remove its routes in the dashboard: wrangler leaves them alone where wrangler.toml names none\n{} {}\n",
            styled(GOOD, "nothing would be lost without it"),
            styled(HINT, "next:"),
            styled(HINT, "then:"),
            typed(environment, &["delete"]),
        )))
    }
}

/// The key that the site signs with, for the rules of a ring that it signs.
fn own_key(
    draft: &Draft,
    capabilities: &Capabilities,
    ring: Ring<'_>,
) -> Result<Option<String>, Failure> {
    let rules = draft.rules(ring);
    let is_signed =
        |rule: &&RuleCapabilities| rules.contains(&rule.name) && rule.origin_format.name != PLAIN;
    let keys = capabilities
        .rules
        .iter()
        .filter(is_signed)
        .map(|rule| rule.origin_current.id.to_string());
    let keys: BTreeSet<String> = keys.collect();
    match keys.len() {
        0 | 1 => Ok(keys.into_iter().next()),
        _ => {
            let keys: Vec<String> = keys.into_iter().collect();
            Err(Failure::refused(format!(
                "the site signs cookies of one ring with different keys: {}",
                keys.join(", ")
            ))
            .hint("give each of these rules a `keys` table with a current key of its own first"))
        }
    }
}

fn is_past(until: Option<&str>, now: u64) -> bool {
    until.and_then(time::read).is_some_and(|end| end <= now)
}

fn at_once(rule: &str) -> String {
    format!(
        "{rule} cannot be read in both ways at once: write format = \"plain\" and its format into `accept` yourself, and deploy that to all traffic at once; whoever is met by both versions meanwhile logs in again"
    )
}

fn step(draft: Draft, message: String) -> Change {
    Change {
        first: "deploy the step before to all traffic, then come back".to_owned(),
        ..again(draft, message)
    }
}
