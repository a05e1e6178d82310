//! `countersign revoke`: a key that has leaked opens nothing any more, at once.

use clap::{Args, ValueEnum};
use countersign_core::operations::capabilities::{Capabilities, RuleCapabilities};

use crate::project::config::Environment;
use crate::remote::wrangler;
use crate::remote::wrangler::typed;
use crate::rotation::change::{Before, Change, Where};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::history;
use crate::rotation::new_key::{fresh, with_key};
use crate::rotation::promotion::again;
use crate::rotation::revocation::{self, NewBytes};
use crate::rotation::subject::read_key;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::style::{WARNING, styled};

/// End what a leaked key opens, at once
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Revoke {
    /// The key: the name of its secret
    #[arg(value_name = "KEY")]
    key: String,

    /// Give it new bytes now, without a build or a commit; never where the site signs with it
    #[arg(long, conflicts_with_all = ["role", "to", "deploy"])]
    now: bool,

    /// Take this role from it and leave it the others [default: current and fallback]
    #[arg(long, value_enum)]
    role: Vec<Role>,

    /// The fallback that becomes the current key in its place
    #[arg(long, value_name = "KEY")]
    to: Option<String>,

    #[command(flatten)]
    place: Where,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Role {
    /// Signs what browsers get
    Current,
    /// Opens what browsers show
    Fallback,
    /// Opens what the site sets, beside the key that the site signs with
    Origin,
}

const AFTER_HELP: &str = "\
Examples:
  countersign revoke KEY_2026_05 --now                           new bytes under the same name, live at once
  countersign revoke DJANGO_SECRET_KEY --role fallback --deploy  out of the ring; the site goes on signing with it
  countersign revoke KEY_2026_11 --to KEY_2027_05 --deploy       another key takes its place

Sessions that the key sealed end. It goes to all traffic at once: a visitor may choose the version of a
gradual deployment, and would choose the old one.

Exit codes:
  0  done
  1  refused: the ring would have no current key, or the site would not be understood
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

/// What `secret put` says after a deployment that was tried and refused: its version is the latest.
const NOT_DEPLOYED: &str = "the latest version of your Worker isn't currently deployed";

impl Revoke {
    /// Revokes it.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.place.config()?;
        let environment = self.place.environment(&config)?;
        let draft = Draft::open(&environment)?;
        let id = read_key(&self.key)?;
        match self.now {
            true => self.new_bytes(&environment, &draft, id.as_str()),
            false => self.out_of_the_ring(&environment, draft, id.as_str()),
        }
    }

    fn new_bytes(
        &self,
        environment: &Environment<'_>,
        draft: &Draft,
        key: &str,
    ) -> Result<Answer, Failure> {
        let local = draft.capabilities()?;
        let live = self.place.before(environment)?;
        for capabilities in [&local, &live.capabilities] {
            if !signs_at_origin(capabilities, key).is_empty() {
                return Err(Failure::refused(format!("the site signs with {key}: with other bytes the Worker would not understand it, and every session would end"))
                    .hint(format!("take it out of the ring and leave it `origin`: countersign revoke {key}{} --deploy", self.place.option())));
            }
        }
        let Some(format) = format_of(&live.capabilities, key).or_else(|| format_of(&local, key))
        else {
            return Err(Failure::refused(format!("no ring has the key {key}")));
        };
        let value = fresh(&format)?;
        if let Err(problem) = with_key(draft, key, &value) {
            return Err(Failure::refused(format!(
                "a key that countersign makes does not fit: {problem}"
            ))
            .hint(format!(
                "put one that fits into the Worker's secrets: {}",
                typed(environment, &["secret", "put", key])
            )));
        }
        let mut notes = aftermath(environment, draft, &[&local, &live.capabilities], key);
        notes.extend(self.place.clock_note());
        let words = ["secret", "put", key];
        let done = match self.place.dry_run {
            true => format!(
                "countersign keygen --format {format} | {}\n",
                typed(environment, &words)
            ),
            false => {
                self.put(environment, &words, &value)?;
                // from here on what is left to say is said, whatever comes
                let confirmed = self.confirm(environment, live, key);
                notes.extend(NewBytes::of(key).note(environment));
                match confirmed {
                    Ok(done) => done,
                    Err(failure) => return Err(notes.into_iter().fold(failure, Failure::hint)),
                }
            }
        };
        let notes = notes.iter();
        let notes = notes.map(|note| format!("{} {note}\n", styled(WARNING, "note:")));
        Ok(Answer::fine(done + &notes.collect::<String>()))
    }

    fn put(
        &self,
        environment: &Environment<'_>,
        words: &[&str],
        value: &str,
    ) -> Result<(), Failure> {
        let key = &self.key;
        let put = wrangler::run(environment, words, Some(value)).map(drop);
        put.map_err(|failure| match failure.says(NOT_DEPLOYED) {
            true => failure.hint(format!("a version is in the way that was uploaded and never deployed, and the next one takes over its secrets; where they are right: countersign revoke {key}{} --deploy, with --to where it is the current key; where one is wrong, first: {}", self.place.option(), typed(environment, &["versions", "secret", "put", "NAME"]))),
            false => failure,
        })
    }

    /// Says that the key is dead once the live Worker shows another fingerprint for it.
    ///
    /// # Errors
    /// It shows the old one, or was not asked.
    fn confirm(
        &self,
        environment: &Environment<'_>,
        before: &Before,
        key: &str,
    ) -> Result<String, Failure> {
        if !before.is_live {
            return Err(revocation::unconfirmed(
                environment,
                key,
                "the live Worker was not asked",
            ));
        }
        if format_of(&before.capabilities, key).is_none() {
            let site = &before.from;
            return Ok(format!(
                "{key} has new bytes; {site} has no key of that name in its rings, so nothing ends there\n"
            ));
        }
        let live = self.place.live(environment)?;
        revocation::confirm(environment, &live, &before.capabilities, key)?;
        Ok(format!(
            "{key} has new bytes: what the old ones sealed opens no longer\n"
        ))
    }

    fn out_of_the_ring(
        &self,
        environment: &Environment<'_>,
        mut draft: Draft,
        key: &str,
    ) -> Result<Answer, Failure> {
        self.refuse_idle_successor(&draft, key)?;
        let before = draft.capabilities()?;
        let mut notes = aftermath(environment, &draft, &[&before], key);
        let had = draft.text();
        let rings = draft.rings();
        for ring in rings
            .iter()
            .map(|rule| rule.as_deref().map_or(Ring::Shared, Ring::Of))
        {
            self.take_roles(&mut draft, ring, key)?;
        }
        if draft.text() == had && !(self.place.deploys() && self.is_undone(environment, key)?) {
            let nothing = format!("{key} has no such role: there is nothing to take from it");
            return Err(Failure::refused(nothing).hint("countersign status shows who plays which"));
        }
        let after = draft.capabilities()?;
        let origins = signs_at_origin(&after, key);
        if !origins.is_empty() {
            notes.push(format!("the site still signs {} with {key}: who reaches it round the Worker can forge them there, and what else it signs (password-reset links) everywhere; lock the site to the edge, and give it another key", origins.join(", ")));
        }
        if !self.place.deploys() {
            notes.push(format!("{key} is alive until this is deployed"));
        }
        let change = Change {
            notes,
            revokes: Some(key.to_owned()),
            ..again(draft, revocation::message(key))
        };
        self.place.carry_out(environment, change)
    }

    /// A successor of a key that has no place to leave would be forgotten without a word.
    fn refuse_idle_successor(&self, draft: &Draft, key: &str) -> Result<(), Failure> {
        let rings = draft.rings();
        let mut rings = rings
            .iter()
            .map(|rule| rule.as_deref().map_or(Ring::Shared, Ring::Of));
        let is_current = rings.any(|ring| draft.current(ring).is_ok_and(|current| current == key));
        match &self.to {
            Some(to) if !is_current => Err(Failure::usage(format!(
                "--to {to}: {key} is not the current key, so none takes its place"
            ))
            .hint("leave out --to")),
            _ => Ok(()),
        }
    }

    /// Whether it is out of the file, and not out of what is live.
    fn is_undone(&self, environment: &Environment<'_>, key: &str) -> Result<bool, Failure> {
        let live = self.place.before(environment)?;
        Ok(format_of(&live.capabilities, key).is_some())
    }

    fn take_roles(&self, draft: &mut Draft, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
        let takes = |role| match self.role.is_empty() {
            true => role != Role::Origin,
            false => self.role.contains(&role),
        };
        let is_current = draft.current(ring)? == key;
        if takes(Role::Current) && is_current {
            let next = self.successor(draft, ring, key)?;
            draft.put_in_place(ring, &next)?;
        }
        if takes(Role::Fallback) && draft.fallbacks(ring)?.iter().any(|(id, _)| id == key) {
            draft.unlist(ring, key)?;
        }
        if takes(Role::Origin) {
            refuse_deaf(draft, ring, key)?;
            draft.unlist_origin(ring, key)?;
        }
        Ok(())
    }

    /// Who signs what browsers get from now on.
    fn successor(&self, draft: &Draft, ring: Ring<'_>, key: &str) -> Result<String, Failure> {
        let option = self.place.option();
        let fallbacks = draft.fallbacks(ring)?;
        let others: Vec<&str> = fallbacks
            .iter()
            .map(|(id, _)| id.as_str())
            .filter(|id| *id != key)
            .collect();
        let capabilities = draft.capabilities()?;
        // one that is on its way out, or that the site signs with, is not the one to name
        let staged = fallbacks.iter().find(|(id, until)| {
            id != key && until.is_none() && signs_at_origin(&capabilities, id).is_empty()
        });
        let Some(to) = &self.to else {
            let hint = match staged {
                Some((other, _)) => format!("name the one that takes its place: --to {other}"),
                None if !signs_at_origin(&capabilities, key).is_empty() => {
                    format!(
                        "stage another key first: countersign stage NEW_KEY{option}; then come back with --to NEW_KEY"
                    )
                }
                None => format!("give it new bytes: countersign revoke {key}{option} --now"),
            };
            return Err(Failure::refused(format!(
                "{key} is the current key: the ring would have none"
            ))
            .hint(hint));
        };
        let to = read_key(to)?;
        match others.contains(&to.as_str()) {
            true => Ok(to.as_str().to_owned()),
            false => Err(Failure::refused(format!("{to} is no fallback of the ring"))
                .hint(format!("stage it first: countersign stage {to}{option}"))),
        }
    }
}

/// The key that the site signs with cannot be taken: nothing that it sets would be understood.
fn refuse_deaf(draft: &Draft, ring: Ring<'_>, key: &str) -> Result<(), Failure> {
    let rules = draft.rules(ring);
    let capabilities = draft.capabilities()?;
    let mut signed = capabilities
        .rules
        .iter()
        .filter(|rule| rules.contains(&rule.name));
    match signed.any(|rule| rule.origin_current.id.as_str() == key) {
        true => Err(Failure::refused(format!("the site signs with {key}: without it nothing that it sets would be understood"))
            .hint("give the site another key first, and write origin = { current = \"NEW\", fallbacks = [] }")),
        false => Ok(()),
    }
}

/// Rules whose origin verifies with a key.
fn signs_at_origin(capabilities: &Capabilities, key: &str) -> Vec<String> {
    let signs = capabilities.rules.iter().filter(|rule| {
        let mut keys = rule.origin_fallbacks.iter().chain([&rule.origin_current]);
        rule.origin_format.name != countersign_core::operations::capabilities::PLAIN
            && keys.any(|known| known.id.as_str() == key)
    });
    signs.map(|rule| rule.name.clone()).collect()
}

/// The format of the first rule that has a key in its ring.
fn format_of(capabilities: &Capabilities, key: &str) -> Option<String> {
    let mut rules = capabilities.rules.iter();
    let rule = rules.find(|rule| {
        let mut keys = rule
            .fallbacks
            .iter()
            .map(|fallback| &fallback.key)
            .chain([&rule.current]);
        keys.any(|known| known.id.as_str() == key)
    });
    rule.map(|rule| rule.format.name.clone())
}

/// Whose cookies may be forgeries that were upgraded.
fn aftermath(
    environment: &Environment<'_>,
    draft: &Draft,
    capabilities: &[&Capabilities],
    key: &str,
) -> Vec<String> {
    let history = history::read(environment);
    let revisions = history.iter().flatten().map(|revision| &revision.draft);
    let drafts: Vec<&Draft> = [draft].into_iter().chain(revisions).collect();
    let mut reached = reached(&drafts, capabilities, key);
    // what a key opened that is in no ring any more was upgraded further, or opens no longer
    reached.retain(|id| {
        capabilities
            .iter()
            .any(|capabilities| format_of(capabilities, id).is_some())
    });
    let mut notes = Vec::new();
    if !reached.is_empty() {
        let (were, them) = match reached.len() {
            1 => ("was", "it"),
            _ => ("were", "them"),
        };
        notes.push(format!(
            "while {key} was a fallback, {} {were} current: forged cookies may have been upgraded to {them}; to be sure, revoke {them} as well",
            reached.join(", ")
        ));
    }
    if history.is_none() {
        notes.push(format!("which keys were current while {key} was a fallback before is not known: the configuration has no history in git"));
    }
    notes
}

/// The keys that were current while this one was a fallback, those that were current while these were, and so on.
fn reached(drafts: &[&Draft], capabilities: &[&Capabilities], key: &str) -> Vec<String> {
    let mut reached = vec![key.to_owned()];
    let mut at = 0;
    while let Some(key) = reached.get(at).cloned() {
        let written = drafts.iter().flat_map(|draft| beside(draft, &key));
        let live = capabilities
            .iter()
            .flat_map(|capabilities| beside_live(capabilities, &key));
        for current in written.chain(live) {
            if !reached.contains(&current) {
                reached.push(current);
            }
        }
        at += 1;
    }
    reached.split_off(1)
}

/// The current keys of rings in which this key is a fallback.
fn beside(draft: &Draft, key: &str) -> Vec<String> {
    let own = draft.rings();
    let rings = own
        .iter()
        .map(|rule| rule.as_deref().map_or(Ring::Shared, Ring::Of));
    let currents = rings.filter_map(|ring| {
        let fallbacks = draft.fallbacks(ring).ok()?;
        let is_beside = fallbacks.iter().any(|(id, _)| id == key);
        draft.current(ring).ok().filter(|_| is_beside)
    });
    currents.collect()
}

fn beside_live(capabilities: &Capabilities, key: &str) -> Vec<String> {
    let is_fallback = |rule: &&RuleCapabilities| {
        let mut fallbacks = rule.fallbacks.iter();
        fallbacks.any(|fallback| fallback.key.id.as_str() == key)
    };
    let rules = capabilities.rules.iter().filter(is_fallback);
    rules.map(|rule| rule.current.id.to_string()).collect()
}
