//! Decides which step of a rotation is due. It asks nobody: all that it goes by is in [`Facts`].

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::config::Mode;
use countersign_core::config::written::{Written, WrittenKeys, WrittenRing, WrittenRule};
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::status::TOKEN;
use serde_json::Value;

use crate::remote::ledger::Ledger;
use crate::rotation::history::{Revision, since};
use crate::rotation::listed::Listed;
use crate::rotation::out_of_use::Unused;
use crate::rotation::revocation::{KeyReplacement, revoked_key};
use crate::rotation::ring_history::{is_current, lists, owner, used_rings};
use crate::terminal::time::day;

use super::early;
use super::stop::Stop;

#[cfg(test)]
mod tests;

/// What the decision goes by.
pub struct Facts<'f> {
    /// The variable COUNTERSIGN as it is committed.
    pub written: &'f Value,
    /// The same as the live Worker has it.
    pub live: &'f Value,
    /// What the live Worker seals and opens.
    pub capabilities: &'f Capabilities,
    /// The history of wrangler.toml, the newest first.
    pub history: &'f [Revision],
    /// Keys that got new bytes under their names.
    pub new_bytes: &'f [KeyReplacement],
    /// The names of the Worker's secrets.
    pub secrets: &'f [String],
    /// Names of secrets that other environments of wrangler.toml use.
    pub elsewhere: &'f BTreeSet<String>,
    /// The present by the live Worker's clock, in Unix seconds.
    pub now: u64,
    /// How long a key is current, in seconds.
    pub every: u64,
    /// What the live Worker's ledger holds, where there is one that answers.
    pub ledger: Option<&'f Ledger>,
    /// Whether a key that the ledger shows out of use goes before its `until`.
    pub retires_early: bool,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is due; what is next, and when.
    Nothing(Planned),
    /// A key of this name is made and staged.
    Stage {
        key: String,
        rule: Option<String>,
        /// The current key, and since when it has been.
        current: String,
        since: u64,
    },
    /// The staged key becomes the current one.
    Promote {
        key: String,
        rule: Option<String>,
        /// Since when it has been staged.
        since: u64,
    },
    /// The key leaves the ring: its `until` is past.
    Retire {
        key: String,
        rule: Option<String>,
        until: u64,
    },
    /// The key leaves the ring before its `until`: the ledger shows that nobody uses it.
    RetireEarly {
        key: String,
        rule: Option<String>,
        until: u64,
        unused: Unused,
    },
    /// These secrets were keys of the ring, and nothing names them any more.
    CleanUp(Vec<String>),
    /// A person has to look.
    Stop(Stop),
}

/// A step that is to come.
#[derive(Debug, PartialEq, Eq)]
pub struct Planned {
    pub step: PlannedStep,
    /// The rule whose own ring it is; none for the ring of all rules.
    pub rule: Option<String>,
    /// From when on it is due, in Unix seconds.
    pub from: u64,
}

/// What the step does.
#[derive(Debug, PartialEq, Eq)]
pub enum PlannedStep {
    /// Of a key that has been staged since then.
    Promote { key: String, since: u64 },
    /// Of a key that opens until [`Planned::from`].
    Retire { key: String },
    /// The same before its `until`.
    RetireEarly {
        key: String,
        until: u64,
        unused: Unused,
    },
    /// Of a new key, beside the one that has been current since then.
    Stage { current: String, since: u64 },
}

/// How long a key is staged before it is promoted, in seconds: long enough for its version to be everywhere, and
/// for somebody to see that it does no harm.
pub const SETTLING: u64 = 3_600;

/// How long after a revocation no step is taken, in seconds: a person may be about to take the next one.
pub const QUIET: u64 = 86_400;

/// What is due.
pub fn decide(facts: &Facts<'_>) -> Decision {
    let written = Written::of(facts.written);
    let planned = refuse_unusual(facts, &written).and_then(|()| plan(facts, &written));
    let planned = match planned {
        Ok(planned) => planned,
        Err(stop) => return Decision::Stop(stop),
    };
    let Some(first) = planned
        .into_iter()
        .min_by_key(|one| urgency(one, facts.now))
    else {
        return Decision::Stop(Stop::NothingManaged);
    };
    let is_due = first.from <= facts.now;
    let begins = matches!(first.step, PlannedStep::Stage { .. });
    if !is_due || begins {
        let left = leftovers(facts, &written);
        if !left.is_empty() {
            return Decision::CleanUp(left);
        }
    }
    if is_due {
        due(facts, first)
    } else {
        Decision::Nothing(first)
    }
}

/// What is due comes before what is not, and a rotation that has begun is brought to its end before the next one
/// begins.
fn urgency(planned: &Planned, now: u64) -> (bool, u8, u64) {
    let is_due = planned.from <= now;
    let rank = match planned.step {
        _ if !is_due => 0, // the time alone decides
        PlannedStep::Promote { .. } => 0,
        PlannedStep::Retire { .. } | PlannedStep::RetireEarly { .. } => 1,
        PlannedStep::Stage { .. } => 2,
    };
    (!is_due, rank, planned.from)
}

fn due(facts: &Facts<'_>, planned: Planned) -> Decision {
    let Planned { step, rule, from } = planned;
    match step {
        PlannedStep::Promote { key, since } => Decision::Promote { key, rule, since },
        PlannedStep::Retire { key } => Decision::Retire {
            key,
            rule,
            until: from,
        },
        PlannedStep::RetireEarly { key, until, unused } => Decision::RetireEarly {
            key,
            rule,
            until,
            unused,
        },
        PlannedStep::Stage { current, since } => Decision::Stage {
            key: new_name(facts),
            rule,
            current,
            since,
        },
    }
}

/// What no run of this command leaves behind.
fn refuse_unusual(facts: &Facts<'_>, written: &Written<'_>) -> Result<(), Stop> {
    refuse_revocation(facts, written)?;
    if facts.written != facts.live {
        return Err(Stop::LiveDiffers);
    }
    let mut rules = facts.capabilities.rules.iter();
    if let Some(observed) = rules.find(|rule| rule.mode == Mode::Observe) {
        return Err(Stop::OnlyObserved {
            rule: observed.name.clone(),
        });
    }
    let newest = facts.history.first();
    if newest.is_some_and(|newest| newest.subject.starts_with(LEAVING)) {
        return Err(Stop::Leaving);
    }
    refuse_other_fallbacks(written)?;
    refuse_shared_key(written)
}

/// As each commit of `countersign leave` begins.
const LEAVING: &str = "Leave: ";

/// A revocation is under way where it was made of late, and where its key is in the ring again although nobody
/// has staged it since.
fn refuse_revocation(facts: &Facts<'_>, written: &Written<'_>) -> Result<(), Stop> {
    let ring: BTreeSet<&str> = ring_keys(written).collect();
    let mut staged = BTreeSet::new();
    for revision in facts.history {
        if let Some(key) = revision.subject.strip_prefix(STAGE) {
            staged.insert(key);
        }
        let Some(key) = revoked_key(&revision.subject) else {
            continue;
        };
        if ring.contains(key) && !staged.contains(key) && !has_in_ring(revision, key) {
            let key = key.to_owned();
            return Err(Stop::RevokedKeyInUse { key });
        }
        refuse_recent(facts, key.to_owned(), revision.time)?;
    }
    for new in facts.new_bytes {
        refuse_recent(facts, new.key.clone(), Some(new.time))?;
    }
    Ok(())
}

fn has_in_ring(revision: &Revision, key: &str) -> bool {
    let value = revision.draft.value();
    ring_keys(&Written::of(&value)).any(|known| known == key)
}

/// As the commits of `countersign stage` begin.
const STAGE: &str = "Stage ";

fn refuse_recent(facts: &Facts<'_>, key: String, time: Option<u64>) -> Result<(), Stop> {
    let until = time.unwrap_or_default().saturating_add(QUIET);
    if until > facts.now {
        return Err(Stop::RevocationUnderWay { key, until });
    }
    Ok(())
}

/// Where rules of one ring list different fallbacks, the ring is in no one state.
fn refuse_other_fallbacks(written: &Written<'_>) -> Result<(), Stop> {
    let listed = |keys: &WrittenKeys<'_>| {
        let keys = keys.fallbacks().iter();
        keys.map(|key| (key.id.to_string(), key.until))
            .collect::<BTreeSet<_>>()
    };
    for ring in used_rings(written) {
        let differs = |rule: &&&WrittenRule<'_>| listed(&rule.keys) != listed(ring.keys);
        if let Some(rule) = ring.rules.iter().find(differs) {
            return Err(Stop::OtherFallbacks {
                rule: rule.name().unwrap_or_default().to_owned(),
            });
        }
    }
    Ok(())
}

/// A key of two rings has a role in each: a step in one of them is none in the other.
fn refuse_shared_key(written: &Written<'_>) -> Result<(), Stop> {
    let mut known: BTreeMap<String, Option<&str>> = BTreeMap::new();
    for ring in used_rings(written) {
        let name = owner(&ring);
        let current = ring.keys.current.iter();
        for key in current.chain(ring.fallbacks()) {
            match known.insert(key.id.to_string(), name) {
                Some(other) if other != name => {
                    return Err(Stop::SharedKey {
                        key: key.id.to_string(),
                        rules: [other, name].map(|rule| rule.map(str::to_owned)),
                    });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The steps that are to come in all rings.
fn plan(facts: &Facts<'_>, written: &Written<'_>) -> Result<Vec<Planned>, Stop> {
    let mut planned = Vec::new();
    for ring in used_rings(written) {
        planned.extend(plan_ring(facts, &ring)?);
    }
    let staged = planned.iter().filter_map(|one| match &one.step {
        PlannedStep::Promote { key, .. } => Some(key.clone()),
        _ => None,
    });
    let staged: Vec<String> = staged.collect();
    if staged.len() > 1 {
        return Err(Stop::SeveralStaged { keys: staged });
    }
    Ok(planned)
}

fn plan_ring(facts: &Facts<'_>, ring: &WrittenRing<'_, '_>) -> Result<Vec<Planned>, Stop> {
    let rule = owner(ring).map(str::to_owned);
    let plan = |step, from| Planned {
        step,
        rule: rule.clone(),
        from,
    };
    let mut planned = Vec::new();
    let mut has_staged = false;
    let fallbacks = ring.fallbacks().into_iter();
    for fallback in fallbacks.filter(|key| !ring.keys.is_current(&key.id)) {
        let key = fallback.id.to_string();
        match Listed::of(fallback, ring, facts.history) {
            Listed::Unlimited => return Err(Stop::NoUntil { key }),
            Listed::Ending(until) => planned.push(match unused(facts, ring, &key, until) {
                Some(unused) => plan(PlannedStep::RetireEarly { key, until, unused }, facts.now),
                None => plan(PlannedStep::Retire { key }, until),
            }),
            Listed::Staged => {
                let since = age_of(facts, &key, |old| lists(old, owner(ring), &key))?;
                let from = since.saturating_add(SETTLING);
                planned.push(plan(PlannedStep::Promote { key, since }, from));
                has_staged = true;
            }
        }
    }
    if let Some(current) = ring.keys.current.as_ref().filter(|_| !has_staged) {
        let current = current.id.to_string();
        let since = age_of(facts, &current, |old| {
            is_current(old, owner(ring), &current)
        })?;
        let from = since.saturating_add(facts.every);
        planned.push(plan(PlannedStep::Stage { current, since }, from));
    }
    Ok(planned)
}

/// That a fallback whose `until` is to come is out of use, where it may go for that.
fn unused(facts: &Facts<'_>, ring: &WrittenRing<'_, '_>, key: &str, until: u64) -> Option<Unused> {
    let ledger = facts.ledger.filter(|_| facts.retires_early)?;
    let is_early = until > facts.now;
    is_early
        .then(|| early::unused(ledger, facts.history, ring, key))
        .flatten()
}

/// Since when a key has its role, or its bytes where those are newer.
fn age_of(facts: &Facts<'_>, key: &str, has_role: impl Fn(&Revision) -> bool) -> Result<u64, Stop> {
    let role = since(facts.history, has_role).ok_or_else(|| Stop::UnknownAge {
        key: key.to_owned(),
    })?;
    let new = facts.new_bytes.iter().filter(|new| new.key == key);
    Ok(new.map(|new| new.time).fold(role, u64::max))
}

/// The keys that open or seal what browsers have.
fn ring_keys<'w>(written: &'w Written<'_>) -> impl Iterator<Item = &'w str> {
    let keys = written.each_keys();
    let keys = keys.flat_map(|keys| keys.current.iter().chain(keys.fallbacks()));
    keys.map(|key| key.id.as_str())
}

/// The Worker's secrets that were keys of a ring once and are named no more. What was ever more than that stays.
fn leftovers(facts: &Facts<'_>, written: &Written<'_>) -> Vec<String> {
    let (mut keys, mut kept) = (BTreeSet::new(), facts.elsewhere.clone());
    kept.insert(TOKEN.to_owned());
    kept.extend(written.secrets().iter().map(|named| named.id.to_string()));
    for revision in facts.history {
        let value = revision.draft.value();
        let old = Written::of(&value);
        keys.extend(ring_keys(&old).map(str::to_owned));
        let origins = old.each_keys().flat_map(|keys| keys.origin_keys());
        kept.extend(origins.map(|key| key.id.to_string()));
        let header = value["origin_header"]["secret"].as_str();
        kept.extend(header.map(str::to_owned));
    }
    let secrets: BTreeSet<&String> = facts.secrets.iter().collect();
    keys.retain(|key| secrets.contains(key) && !kept.contains(key));
    keys.into_iter().collect()
}

/// A name of the date that no secret has and no configuration has had.
fn new_name(facts: &Facts<'_>) -> String {
    let mut taken: BTreeSet<String> = facts.secrets.iter().cloned().collect();
    taken.extend(facts.elsewhere.iter().cloned());
    let old = facts.history.iter().map(|revision| revision.draft.value());
    for value in old.chain([facts.written.clone()]) {
        let named = Written::of(&value).secrets();
        taken.extend(named.iter().map(|named| named.id.to_string()));
    }
    let plain = format!("KEY_{}", day(facts.now));
    let numbered = (2..).map(|number: u32| format!("{plain}_{number}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    names
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| plain.clone())
}
