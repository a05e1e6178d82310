//! What the ledger proves of each key, and what it cannot say.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::commands::board::facts::{Facts, KeyRole};
use crate::commands::board::figures_view::differences;
use crate::remote::figures::{Refusal, Resolution, Scope};
use crate::remote::ledger::Ledger;
use crate::rotation::key_lives::{KeyEnd, RingLives};
use crate::terminal::time::moment;

/// The evidence of a period.
#[derive(Serialize)]
pub struct Evidence {
    pub site: String,
    /// When it was asked for by the Worker's clock, in Unix seconds: the end of the period.
    pub made: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of the live configuration as JSON with sorted names.
    pub configuration_sha256: String,
    /// The commit of wrangler.toml that is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The beginning of the period that was asked for, in Unix seconds.
    pub since: u64,
    /// When the ledger began, in Unix seconds.
    pub ledger_since: u64,
    /// In which steps uses are counted in this period.
    pub resolution: Resolution,
    pub keys: Vec<KeyEvidence>,
    pub refusals: Vec<Refusal>,
    pub timeline: Vec<RingLives>,
    /// What the evidence does not cover.
    pub limits: Vec<String>,
}

/// What is known of a key.
#[derive(Serialize)]
pub struct KeyEvidence {
    pub key: String,
    /// What it is for now; none where it is in no ring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// How it left the ring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<KeyEnd>,
    pub finding: Finding,
    /// Cookies that it opened in the steps of the period.
    pub opened: u64,
    /// In Unix seconds, since the ledger began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_opened: Option<u64>,
}

/// Whether a key opened cookies in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// None in the whole period.
    Nothing,
    /// None since the ledger began, which is later than the period.
    NothingRecorded,
    Opened,
}

impl Finding {
    /// Whether it proves what was asked.
    pub fn is_clean(self) -> bool {
        self == Self::Nothing
    }

    fn of(ledger: &Ledger, key: &str, since: u64) -> Self {
        let last = ledger.last_opened(key, Scope::All);
        // the step in which the period begins holds uses from before it as well
        let period = ledger.period(since);
        let step = period.resolution.seconds();
        let whole = if period.from < since {
            period.from + step
        } else {
            period.from
        };
        let opened_later = period.uses_from(key, whole) > 0;
        let is_opened = match last {
            Some(last) => last >= since,
            None => period.uses(key, Scope::All) > 0, // nobody knows when in the first step
        };
        if opened_later || is_opened {
            Self::Opened
        } else if since < ledger.since {
            Self::NothingRecorded
        } else {
            Self::Nothing
        }
    }
}

impl Evidence {
    /// Of one key, or of all that are known; since a moment, or since the ledger began.
    pub fn of(facts: &Facts, ledger: &Ledger, since: Option<u64>, key: Option<&str>) -> Self {
        let since = since.unwrap_or(ledger.since);
        let period = ledger.period(since);
        let names = key.map_or_else(|| names(facts, ledger), |key| vec![key.to_owned()]);
        Self {
            site: facts.site.clone(),
            made: facts.now,
            release: facts.release.clone(),
            version: facts.version.id.clone(),
            configuration_sha256: facts.configuration_hash.clone(),
            commit: facts.commit.clone(),
            since,
            ledger_since: ledger.since,
            resolution: period.resolution,
            keys: names
                .into_iter()
                .map(|key| KeyEvidence::of(facts, ledger, since, key))
                .collect(),
            refusals: period.refusals(),
            timeline: facts.lives.clone(),
            limits: limits(facts, ledger, since),
        }
    }
}

impl KeyEvidence {
    fn of(facts: &Facts, ledger: &Ledger, since: u64, key: String) -> Self {
        let keys = facts.rings.iter().flat_map(|ring| &ring.keys);
        let roles = keys.filter(|known| known.key == key);
        let is_for_browsers =
            |role: &KeyRole| !matches!(role, KeyRole::Origin | KeyRole::OriginFallback);
        let role = roles.map(|known| known.role).find(is_for_browsers);
        let lives = facts.lives.iter().flat_map(|ring| &ring.keys);
        let life = lives.into_iter().find(|life| life.key == key);
        Self {
            role: role.map(crate::commands::board::keys_view::role),
            left: life
                .and_then(|life| life.end.clone())
                .filter(|_| role.is_none()),
            finding: Finding::of(ledger, &key, since),
            opened: ledger.period(since).uses(&key, Scope::All),
            last_opened: ledger.last_opened(&key, Scope::All),
            key,
        }
    }
}

/// Every key that was or is for browsers.
fn names(facts: &Facts, ledger: &Ledger) -> Vec<String> {
    let ring = facts.rings.iter().flat_map(|ring| &ring.keys);
    let ring = ring.filter(|key| !matches!(key.role, KeyRole::Origin | KeyRole::OriginFallback));
    let ring = ring.map(|key| &key.key);
    let lives = facts.lives.iter().flat_map(|ring| &ring.keys);
    let lives = lives.map(|life| &life.key);
    let used = ledger.keys.iter().map(|times| &times.key);
    let mut met = BTreeSet::new();
    let all = ring.chain(lives).chain(used);
    all.filter(|key| met.insert(*key)).cloned().collect()
}

fn limits(facts: &Facts, ledger: &Ledger, since: u64) -> Vec<String> {
    let mut limits = Vec::new();
    if since < ledger.since {
        limits.push(format!(
            "Nothing is known of the time before the ledger began, {}.",
            moment(ledger.since)
        ));
    }
    if ledger.period(since).resolution == Resolution::Day {
        limits.push(
            "Hours are kept for 14 days. Before that, uses are counted by the day in UTC, from the beginning of the first day on.".to_owned(),
        );
    }
    limits.push("Isolates hand their counts over every 30 seconds: the last 30 seconds, and what an isolate that was ended had not handed over, may be missing.".to_owned());
    limits.push("Requests that went round the Worker, by another host, route or address of the site, are not counted.".to_owned());
    limits.push("Counted are cookies that a key opened, not visitors.".to_owned());
    limits.push("A cookie under a key that is not in the ring is refused as bad-signature, and nobody can tell which key made it.".to_owned());
    for new in &facts.replacements {
        limits.push(format!(
            "{} got new bytes under its old name on {}: the ledger counts by the name, so uses from before then are of other bytes.",
            new.key,
            moment(new.time)
        ));
    }
    if let Some(note) = facts.lives_note {
        limits.push(format!("Of the keys' history in git: {note}."));
    }
    let differences = differences(ledger);
    if !differences.is_empty() {
        limits.push(format!(
            "The ledger's hours and days come to different sums, so something was lost: {}.",
            differences.join("; ")
        ));
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::figures::{DAY, HOUR};
    use crate::remote::ledger::{KeyTimes, Tally};

    /// 2027-02-01 00:00 UTC.
    const NOW: u64 = 1_801_440_000;

    fn ledger(last_opened: Option<u64>, uses: &[(u64, u64)]) -> Ledger {
        let tally = |resolution: Resolution| {
            let uses = uses.iter();
            let tallies = uses.map(move |(at, count)| Tally {
                at: resolution.floor(*at),
                rule: "sessionid".to_owned(),
                key: Some("OLD".to_owned()),
                verdict: "fallback".to_owned(),
                reason: None,
                count: *count,
            });
            tallies.collect()
        };
        let times = KeyTimes {
            rule: "sessionid".to_owned(),
            key: "OLD".to_owned(),
            last_opened,
            ..KeyTimes::default()
        };
        Ledger {
            now: NOW,
            since: NOW - 30 * DAY,
            keys: vec![times],
            hours: tally(Resolution::Hour),
            days: tally(Resolution::Day),
        }
    }

    #[test]
    fn a_use_in_the_first_hour_counts_by_the_time_of_the_last_one() {
        let since = NOW - 5 * HOUR + 600;
        let of =
            |last: Option<u64>, uses: &[(u64, u64)]| Finding::of(&ledger(last, uses), "OLD", since);
        let before = since - 60;
        assert_eq!(of(Some(before), &[(before, 9)]), Finding::Nothing);
        assert_eq!(of(Some(since), &[(since, 9)]), Finding::Opened);
        assert_eq!(
            of(None, &[(before, 9)]),
            Finding::Opened,
            "nobody knows when"
        );
        let later = since + 2 * HOUR;
        assert_eq!(
            of(Some(before), &[(later, 1)]),
            Finding::Opened,
            "they differ"
        );
        assert_eq!(of(None, &[]), Finding::Nothing);
    }

    #[test]
    fn nothing_is_proved_of_the_time_before_the_ledger() {
        let ledger = ledger(None, &[]);
        let of = |since| Finding::of(&ledger, "OLD", since);
        assert_eq!(of(ledger.since), Finding::Nothing);
        assert_eq!(of(ledger.since - 1), Finding::NothingRecorded);
        assert!(!of(ledger.since - 1).is_clean());
    }
}
