//! What is recorded of the end of a key, and told from that again: which keys a rollback would bring back.
//!
//! A key that leaves the ring leaves it in a commit of wrangler.toml. New bytes under an old name leave no trace
//! there, so a note of git's holds them, in `refs/notes/countersign`: a line `new-bytes WORKER KEY SECONDS`.

use countersign_core::operations::capabilities::Capabilities;

use crate::project::config::Environment;
use crate::project::git;
use crate::remote::arrival;
use crate::remote::deploy::wrong_worker;
use crate::remote::live::LiveWorker;
use crate::rotation::key_roles::fingerprints;
use crate::terminal::answer::Failure;
use crate::terminal::clock;
use crate::terminal::progress::say;

/// The message of the commit that takes a key out of the ring because it has leaked.
pub fn message(key: &str) -> String {
    format!("{REVOKE}{key}")
}

/// The message of the commit that takes a key out of the ring because nobody needs it.
pub fn retirement(key: &str) -> String {
    format!("Retire {key}")
}

/// The same for the last steps of `countersign leave`.
pub fn leaving(what: &[String]) -> String {
    format!("{LEAVE}{}", what.join(", "))
}

/// Whether a commit of this subject took the key out because nobody needs it. One of another subject may have
/// been a revocation.
pub fn is_retirement(subject: &str, key: &str) -> bool {
    let left = subject.strip_prefix(LEAVE).unwrap_or_default();
    subject == retirement(key) || left.split(", ").any(|gone| gone == key)
}

/// The key that a commit of this subject took out of the ring because it has leaked.
pub fn revoked_key(subject: &str) -> Option<&str> {
    subject.strip_prefix(REVOKE)
}

const REVOKE: &str = "Revoke ";

const LEAVE: &str = "Leave: retire ";

/// New bytes under an old name.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyReplacement {
    pub key: String,
    /// From when on, in Unix seconds.
    pub time: u64,
}

impl KeyReplacement {
    /// Those that a key has got now. What was committed up to now may have been deployed with the old ones.
    pub fn of(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            time: clock::now(), // as git tells the time of commits
        }
    }

    /// Records it, and says what no record can mend.
    pub fn note(&self, environment: &Environment<'_>) -> Vec<String> {
        let key = &self.key;
        let mut notes = vec![format!(
            "never roll back to a version from before: it has the old bytes of {key}"
        )];
        if let Err(why) = self.record(environment) {
            notes.push(format!(
                "countersign status cannot warn of that: git took no note of it: {why}"
            ));
        }
        notes
    }

    /// Records it.
    ///
    /// # Errors
    /// Why git did not take it.
    fn record(&self, environment: &Environment<'_>) -> Result<(), String> {
        let worker = worker(environment);
        let line = format!("{NEW_BYTES} {worker} {} {}", self.key, self.time);
        git::note(environment.config(), &line)
    }

    /// All that are recorded for the Worker of an environment.
    pub fn recorded(environment: &Environment<'_>) -> Vec<Self> {
        let worker = worker(environment);
        let lines = git::notes(environment.config());
        let read = lines.iter().filter_map(|line| Self::read(line, &worker));
        read.collect()
    }

    fn read(line: &str, worker: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [NEW_BYTES, of, key, time] if *of == worker => Some(Self {
                key: (*key).to_owned(),
                time: time.parse().ok()?,
            }),
            _ => None,
        }
    }
}

const NEW_BYTES: &str = "new-bytes";

fn worker(environment: &Environment<'_>) -> String {
    environment.worker().unwrap_or_default()
}

/// Waits until the live Worker shows another fingerprint for a key that got new bytes.
///
/// # Errors
/// It goes on showing the old one.
pub fn confirm(
    environment: &Environment<'_>,
    live: &LiveWorker,
    before: &Capabilities,
    key: &str,
) -> Result<(), Failure> {
    say("waiting for the live Worker to show another fingerprint");
    let old = fingerprints(before, key);
    let dead = arrival::seen(|| {
        let capabilities = live.status()?.capabilities(live.site())?;
        Ok(fingerprints(&capabilities, key)
            .is_disjoint(&old)
            .then_some(()))
    });
    let dead = dead.map_err(|failure| {
        failure.hint(format!(
            "{} got new bytes for {key}; the live Worker has to show another fingerprint than before: countersign status{}",
            worker(environment),
            environment.option()
        ))
    })?;
    dead.ok_or_else(|| {
        let worker = worker(environment);
        Failure::unreachable(format!(
            "the old key is still alive: {worker} got new bytes for {key}, and {} shows the fingerprint of the old ones after {}",
            live.site(),
            arrival::waited()
        ))
        .hint(wrong_worker(&worker))
        .hint("look again: countersign status")
    })
}

/// That a key got new bytes, and nobody has looked at what that did.
pub fn unconfirmed(environment: &Environment<'_>, key: &str, why: &str) -> Failure {
    let worker = worker(environment);
    Failure::unreachable(format!(
        "the old key may still be alive: {worker} got new bytes for {key}, and {why}"
    ))
    .hint("the live Worker has to show another fingerprint than before: countersign status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retirement_is_told_from_all_other_ways_to_go() {
        assert!(is_retirement(&retirement("KEY_1"), "KEY_1"));
        assert!(is_retirement(
            &leaving(&["KEY_1".into(), "KEY_2".into()]),
            "KEY_2"
        ));
        for subject in [
            &message("KEY_1"),
            "Retire KEY_11",
            "Leave: retire KEY_11",
            "wip",
            "",
        ] {
            assert!(!is_retirement(subject, "KEY_1"), "{subject}");
        }
    }

    #[test]
    fn new_bytes_are_those_of_one_worker() {
        let read = |line| KeyReplacement::read(line, "shop");
        let known = KeyReplacement {
            key: "KEY_1".to_owned(),
            time: 7,
        };
        assert_eq!(read("new-bytes shop KEY_1 7"), Some(known));
        assert_eq!(read("new-bytes shop-staging KEY_1 7"), None);
        assert_eq!(read("new-bytes shop KEY_1 soon"), None);
        assert_eq!(read("somebody's own note"), None);
    }
}
