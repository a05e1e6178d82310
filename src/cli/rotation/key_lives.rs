//! The life of each key, by the history of wrangler.toml: staged, current, fallback, gone.
//!
//! Times are those of commits: a deployment follows them.

use countersign_core::config::written::{Written, WrittenRing, WrittenRule};
use serde::Serialize;

use crate::rotation::history::Revision;
use crate::rotation::revocation::{is_retirement, revoked_key};

/// The keys that a ring has had, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingLives {
    /// The rule that has the ring for itself; none for the ring of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub keys: Vec<KeyLife>,
}

/// What a key has been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyLife {
    pub key: String,
    /// One after the other.
    pub phases: Vec<Phase>,
    /// That it is in the ring no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<KeyEnd>,
}

/// A time in which a key had one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phase {
    pub role: LifeRole,
    /// In Unix seconds. The first one of all may have begun earlier.
    pub from: u64,
    /// In Unix seconds; none as long as it lasts.
    pub to: Option<u64>,
    /// From when on it opens nothing more, as its entry says, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// What a key was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LifeRole {
    /// It opened, and nothing had been sealed with it.
    Staged,
    /// It sealed.
    Current,
    /// It opened what it had sealed.
    Fallback,
}

/// How a key left the ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyEnd {
    pub how: EndKind,
    /// In Unix seconds.
    pub at: u64,
    /// The commit.
    pub commit: String,
}

/// By which kind of step a key left the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndKind {
    Retired,
    Revoked,
    /// By a commit that is no step of countersign's.
    Removed,
}

/// The lives, by a history with the newest revision first. Revisions without a time are left out.
pub fn lives(history: &[Revision]) -> Vec<RingLives> {
    let mut rings: Vec<RingLives> = Vec::new();
    for revision in history.iter().rev() {
        let Some(time) = revision.time else {
            continue;
        };
        let value = revision.draft.value();
        let written = Written::of(&value);
        let states = written.rings();
        let states: Vec<RingState> = states.iter().map(RingState::of).collect();
        for state in &states {
            ring(&mut rings, state.rule.as_deref()).advance(state, revision, time);
        }
        for gone in &mut rings {
            if !states.iter().any(|state| state.rule == gone.rule) {
                gone.keys
                    .iter_mut()
                    .for_each(|life| life.end(revision, time));
            }
        }
    }
    rings
}

/// A ring as a revision has it.
struct RingState {
    rule: Option<String>,
    /// Each key with its `until`, and whether it is the current one, the current one first.
    keys: Vec<(String, Option<u64>, bool)>,
    origin: Vec<String>,
}

impl RingState {
    fn of(ring: &WrittenRing<'_, '_>) -> Self {
        let current = ring.keys.current.iter();
        let current = current.map(|key| (key.id.to_string(), None, true));
        let listed = ring.listed().into_iter();
        let listed = listed.filter(|key| !ring.keys.is_current(&key.id));
        let listed = listed.map(|key| (key.id.to_string(), key.until, false));
        let origin = ring.keys.origin_keys();
        Self {
            rule: ring.rule.and_then(WrittenRule::name).map(str::to_owned),
            keys: current.chain(listed).collect(),
            origin: origin.map(|key| key.id.to_string()).collect(),
        }
    }
}

fn ring<'r>(rings: &'r mut Vec<RingLives>, rule: Option<&str>) -> &'r mut RingLives {
    let known = rings.iter().position(|ring| ring.rule.as_deref() == rule);
    let at = known.unwrap_or_else(|| {
        rings.push(RingLives {
            rule: rule.map(str::to_owned),
            keys: Vec::new(),
        });
        rings.len() - 1
    });
    &mut rings[at] // `at` is the position of one that is there
}

impl RingLives {
    fn advance(&mut self, state: &RingState, revision: &Revision, time: u64) {
        for (key, until, is_current) in &state.keys {
            let is_origins = state.origin.contains(key);
            self.life(key)
                .become_role(*is_current, is_origins, *until, time);
        }
        for life in &mut self.keys {
            if !state.keys.iter().any(|(key, _, _)| *key == life.key) {
                life.end(revision, time);
            }
        }
    }

    fn life(&mut self, key: &str) -> &mut KeyLife {
        let known = self.keys.iter().position(|life| life.key == key);
        let at = known.unwrap_or_else(|| {
            self.keys.push(KeyLife {
                key: key.to_owned(),
                phases: Vec::new(),
                end: None,
            });
            self.keys.len() - 1
        });
        &mut self.keys[at] // `at` is the position of one that is there
    }
}

impl KeyLife {
    fn become_role(&mut self, is_current: bool, is_origins: bool, until: Option<u64>, time: u64) {
        self.end = None; // it may come back
        let was = |role| self.phases.iter().any(|phase| phase.role == role);
        let role = if is_current {
            LifeRole::Current
        } else if is_origins || until.is_some() || was(LifeRole::Current) {
            LifeRole::Fallback
        } else {
            LifeRole::Staged
        };
        match self.phases.last_mut() {
            Some(last) if last.role == role && last.to.is_none() => last.until = until,
            last => {
                if let Some(last) = last {
                    last.to.get_or_insert(time);
                }
                self.phases.push(Phase {
                    role,
                    from: time,
                    to: None,
                    until,
                });
            }
        }
    }

    fn end(&mut self, revision: &Revision, time: u64) {
        if self.end.is_some() {
            return;
        }
        if let Some(last) = self.phases.last_mut() {
            last.to.get_or_insert(time);
        }
        let subject = &revision.subject;
        let how = if is_retirement(subject, &self.key) {
            EndKind::Retired
        } else if revoked_key(subject) == Some(&self.key) {
            EndKind::Revoked
        } else {
            EndKind::Removed
        };
        self.end = Some(KeyEnd {
            how,
            at: time,
            commit: revision.commit.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::editing::Draft;

    fn revision(time: u64, subject: &str, keys: &str) -> Revision {
        let text = format!(
            "[vars.COUNTERSIGN.keys]\norigin = \"SITE\"\n{keys}\n[[vars.COUNTERSIGN.cookies]]\nname = \"a\"\n"
        );
        Revision {
            commit: format!("c{time}"),
            time: Some(time),
            subject: subject.to_owned(),
            draft: Draft::parse(&text, None, "wrangler.toml".into()).unwrap(),
        }
    }

    fn phase(role: LifeRole, from: u64, to: Option<u64>, until: Option<u64>) -> Phase {
        Phase {
            role,
            from,
            to,
            until,
        }
    }

    #[test]
    fn a_key_is_staged_promoted_replaced_and_retired() {
        let until = "{ secret = \"KEY_1\", until = \"2027-02-01T00:00:00Z\" }";
        let mut history = vec![
            revision(10, "Begin", "current = \"KEY_1\"\nfallbacks = [\"SITE\"]"),
            revision(
                20,
                "Stage KEY_2",
                "current = \"KEY_1\"\nfallbacks = [\"KEY_2\"]",
            ),
            revision(
                30,
                "Promote KEY_2",
                &format!("current = \"KEY_2\"\nfallbacks = [{until}]"),
            ),
            revision(40, "Retire KEY_1", "current = \"KEY_2\"\nfallbacks = []"),
        ];
        history.reverse();
        let lives = lives(&history);
        assert_eq!((lives.len(), lives[0].keys.len()), (1, 3));
        let life = |key: &str| lives[0].keys.iter().find(|life| life.key == key).unwrap();
        use LifeRole::{Current, Fallback, Staged};
        assert_eq!(
            life("KEY_1").phases,
            [
                phase(Current, 10, Some(30), None),
                phase(Fallback, 30, Some(40), Some(1_801_440_000)),
            ]
        );
        let end = |how, at: u64| {
            let commit = format!("c{at}");
            Some(KeyEnd { how, at, commit })
        };
        assert_eq!(life("KEY_1").end, end(EndKind::Retired, 40));
        assert_eq!(
            life("KEY_2").phases,
            [
                phase(Staged, 20, Some(30), None),
                phase(Current, 30, None, None),
            ]
        );
        assert_eq!(life("KEY_2").end, None);
        assert_eq!(life("SITE").phases, [phase(Fallback, 10, Some(20), None)]);
        assert_eq!(life("SITE").end, end(EndKind::Removed, 20));
    }

    #[test]
    fn a_ring_of_a_rule_has_lives_of_its_own() {
        let own = "current = \"KEY_1\"\n[[vars.COUNTERSIGN.cookies]]\nname = \"b\"\nkeys = { current = \"OWN\" }";
        let mut history = vec![
            revision(10, "Begin", own),
            revision(20, "Revoke OWN", "current = \"KEY_1\""),
        ];
        history.reverse();
        let lives = lives(&history);
        let own = lives.iter().find(|ring| ring.rule.as_deref() == Some("b"));
        let end = own.unwrap().keys[0].end.as_ref().unwrap();
        assert_eq!((end.how, end.at), (EndKind::Revoked, 20));
    }
}
