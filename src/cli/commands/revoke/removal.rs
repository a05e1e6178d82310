//! A key leaves the rings of wrangler.toml.

use super::error::{RevokeError, Successor};
use super::upgrades;
use crate::rotation::change::Change;
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::key_or_format::read_key;
use crate::rotation::key_roles::{format_of, key_names, signs_at_origin};
use crate::rotation::logins::LostRoles;
use crate::rotation::promotion::PREREQUISITE;
use crate::rotation::revocation;
use crate::rotation::run::Run;
use crate::terminal::answer::Answer;

/// Which roles a key loses, and which key takes its place.
pub struct Removal<'r> {
    pub key: &'r str,
    /// Signs what browsers get.
    pub as_current: bool,
    /// Opens what browsers show.
    pub as_fallback: bool,
    /// Opens what the site sets, beside the key that the site signs with.
    pub at_origin: bool,
    /// The fallback that becomes the current key.
    pub successor: Option<&'r str>,
}

impl Removal<'_> {
    /// Takes the roles, writes, and deploys.
    ///
    /// # Errors
    /// The ring would have no current key, or the site would not be understood.
    pub fn carry_out(&self, run: &Run<'_>, mut draft: Draft) -> Result<Answer, RevokeError> {
        let key = self.key;
        self.refuse_idle_successor(&draft)?;
        let before = draft.capabilities()?;
        let known = key_names(&before);
        if !known.iter().any(|id| id == key) && !run.options.deploy {
            return Err(RevokeError::NotInRing {
                key: key.to_owned(),
                known,
            });
        }
        let roles = LostRoles {
            key,
            as_current: self.as_current,
            as_fallback: self.as_fallback,
        };
        let logins = roles.logins(run, &draft, run.baseline()?);
        let mut notes = upgrades::notes(&run.environment, &draft, &[&before], key);
        let had = draft.text().to_owned();
        for rule in draft.rings() {
            let ring = rule.as_deref().map_or(Ring::Shared, Ring::Of);
            self.take_roles(run, &mut draft, ring)?;
        }
        if draft.text() == had && !(run.options.deploy && self.is_live(run)?) {
            return Err(RevokeError::NoSuchRole {
                key: key.to_owned(),
            });
        }
        let origins = signs_at_origin(&draft.capabilities()?, key);
        if !origins.is_empty() {
            notes.push(format!("the site still signs {} with {key}: who reaches it round the Worker can forge them there, and what else it signs (password-reset links) everywhere; lock the site to the edge, and give it another key", origins.join(", ")));
        }
        if !run.options.deploy {
            notes.push(format!("{key} is alive until this is deployed"));
        }
        let change = Change::new(draft, revocation::message(key), PREREQUISITE);
        Ok(run.carry_out(Change {
            revokes: Some(key.to_owned()),
            logins: Some(logins),
            ..change.with_notes(notes)
        })?)
    }

    /// A successor of a key that has no place to leave would be forgotten without a word.
    fn refuse_idle_successor(&self, draft: &Draft) -> Result<(), RevokeError> {
        let rings = draft.rings();
        let mut rings = rings
            .iter()
            .map(|rule| rule.as_deref().map_or(Ring::Shared, Ring::Of));
        let is_current = rings.any(|ring| draft.current(ring).is_ok_and(|id| id == self.key));
        match self.successor {
            Some(to) if !is_current => Err(RevokeError::NotCurrent {
                key: self.key.to_owned(),
                to: to.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether what is live has it in a ring.
    fn is_live(&self, run: &Run<'_>) -> Result<bool, RevokeError> {
        let live = run.baseline()?;
        Ok(format_of(&live.capabilities, self.key).is_some())
    }

    fn take_roles(
        &self,
        run: &Run<'_>,
        draft: &mut Draft,
        ring: Ring<'_>,
    ) -> Result<(), RevokeError> {
        let key = self.key;
        if self.as_current && draft.current(ring)? == key {
            let next = self.successor(run, draft, ring)?;
            draft.put_in_place(ring, &next)?;
        }
        if self.as_fallback && draft.fallbacks(ring)?.iter().any(|(id, _)| id == key) {
            draft.unlist(ring, key)?;
        }
        if self.at_origin {
            refuse_origins_own(draft, ring, key)?;
            draft.unlist_origin(ring, key)?;
        }
        Ok(())
    }

    /// The key that signs what browsers get from now on.
    fn successor(
        &self,
        run: &Run<'_>,
        draft: &Draft,
        ring: Ring<'_>,
    ) -> Result<String, RevokeError> {
        let Some(to) = self.successor else {
            return Err(RevokeError::NoSuccessor {
                key: self.key.to_owned(),
                option: run.option(),
                cure: self.possible_successor(draft, ring)?,
            });
        };
        let to = read_key(to)?.as_str().to_owned();
        let fallbacks = draft.fallbacks(ring)?;
        if to != self.key && fallbacks.iter().any(|(id, _)| *id == to) {
            Ok(to)
        } else {
            Err(RevokeError::NotFallback {
                to,
                option: run.option(),
            })
        }
    }

    fn possible_successor(&self, draft: &Draft, ring: Ring<'_>) -> Result<Successor, RevokeError> {
        let capabilities = draft.capabilities()?;
        let signs = |key: &str| !signs_at_origin(&capabilities, key).is_empty();
        // one that is on its way out, or that the site signs with, is not the one to name
        let mut fallbacks = draft.fallbacks(ring)?.into_iter();
        let staged = fallbacks.find(|(id, until)| id != self.key && until.is_none() && !signs(id));
        Ok(match staged {
            Some((other, _)) => Successor::Staged(other),
            None if signs(self.key) => Successor::StageOne,
            None => Successor::NewBytes,
        })
    }
}

/// The key that the site signs with cannot be taken: nothing that it sets would be understood.
fn refuse_origins_own(draft: &Draft, ring: Ring<'_>, key: &str) -> Result<(), RevokeError> {
    let rules = draft.rules(ring);
    let capabilities = draft.capabilities()?;
    let mut signed = capabilities
        .rules
        .iter()
        .filter(|rule| rules.contains(&rule.name));
    if signed.any(|rule| rule.origin_current.id.as_str() == key) {
        return Err(RevokeError::OriginSigns {
            key: key.to_owned(),
        });
    }
    Ok(())
}
