//! What the ledger's entries come to: uses of keys by hour and day, shares, refusals and upgrades by reason.
//!
//! All of it is pure. What is counted are cookies that were opened, not visitors: one visitor opens many.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::remote::ledger::{Ledger, Tally};

/// In seconds.
pub const HOUR: u64 = 3_600;
/// In seconds.
pub const DAY: u64 = 86_400;
/// How far back the hours reach, in seconds.
pub const HOURS_KEPT: u64 = 14 * DAY;
/// The same for the days.
pub const DAYS_KEPT: u64 = 400 * DAY;

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request's cookie was opened.
    Opened,
    /// A cookie that the site set was sealed.
    Sealed,
    /// Something was refused, or is wrong.
    Refused,
    /// A cookie was sent anew under the current key.
    Upgraded,
    /// The same was due, and not done.
    Withheld,
    /// Anything else, and words that this release does not know.
    Other,
}

/// The rules that are asked about.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'s> {
    All,
    Rules(&'s [String]),
}

/// In which steps time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    Hour,
    Day,
}

/// The entries of a time up to now.
#[derive(Clone, Copy)]
pub struct Period<'l> {
    entries: &'l [Tally],
    /// From when on they count, in Unix seconds: the beginning of an hour or a day, never later than what was asked.
    pub from: u64,
    pub resolution: Resolution,
}

/// Uses of each key, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// When each step begins, in Unix seconds, without a gap.
    pub starts: Vec<u64>,
    pub resolution: Resolution,
    /// A key, and how many cookies it opened in each step.
    pub keys: BTreeMap<String, Vec<u64>>,
}

/// Cookies that were opened, and those of them under the current key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    pub current: u64,
    pub all: u64,
}

/// Refusals of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub rule: String,
    pub verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub count: u64,
}

/// Upgrades that were due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Upgrades {
    pub sent: u64,
    /// Why others were not sent, the most frequent reason first.
    pub withheld: Vec<(String, u64)>,
}

impl Kind {
    /// What a word of the Worker's is about.
    pub fn of(verdict: &str) -> Self {
        match verdict {
            "current" | "fallback" | "accepted-format" => Self::Opened,
            "sealed" => Self::Sealed,
            "bad-signature" | "expired" | "not-yet-valid" | "malformed" | "too-long"
            | "duplicate-dropped" | "look-alike" | "origin-unverified" | "attributes-differ" => {
                Self::Refused
            }
            "upgraded" => Self::Upgraded,
            "upgrade-withheld" => Self::Withheld,
            _ => Self::Other,
        }
    }
}

impl Scope<'_> {
    /// Whether a rule is meant.
    pub fn includes(self, rule: &str) -> bool {
        match self {
            Self::All => true,
            Self::Rules(rules) => rules.iter().any(|known| known == rule),
        }
    }
}

impl Resolution {
    /// In seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    /// The beginning of the step that a moment is in.
    pub fn floor(self, moment: u64) -> u64 {
        moment - moment % self.seconds()
    }
}

impl Ledger {
    /// The entries from a moment on: by the hour where these reach back so far, else from the beginning of its day.
    pub fn period(&self, since: u64) -> Period<'_> {
        let hour = Resolution::Hour.floor(since);
        let resolution = if hour >= self.oldest_hour() {
            Resolution::Hour
        } else {
            Resolution::Day
        };
        Period {
            entries: self.entries(resolution),
            from: resolution.floor(since),
            resolution,
        }
    }

    /// The beginning of the first hour that is there as a whole.
    pub fn oldest_hour(&self) -> u64 {
        let oldest = self.now.saturating_sub(HOURS_KEPT);
        oldest.div_ceil(HOUR) * HOUR
    }

    /// When a key last opened a cookie, in Unix seconds; none where it never did since the ledger began.
    pub fn last_opened(&self, key: &str, scope: Scope<'_>) -> Option<u64> {
        let of = self.keys.iter();
        let of = of.filter(|times| times.key == key && scope.includes(&times.rule));
        of.filter_map(|times| times.last_opened).max()
    }

    /// The same for the first time.
    pub fn first_opened(&self, key: &str, scope: Scope<'_>) -> Option<u64> {
        let of = self.keys.iter();
        let of = of.filter(|times| times.key == key && scope.includes(&times.rule));
        of.filter_map(|times| times.first_opened).min()
    }

    /// The uses of each key in the steps from one that holds `from`, or the oldest that is kept, up to the running one.
    pub fn series(&self, resolution: Resolution, from: u64, scope: Scope<'_>) -> Series {
        let kept = match resolution {
            Resolution::Hour => HOURS_KEPT,
            Resolution::Day => DAYS_KEPT,
        };
        let first = resolution.floor(from.max(self.now.saturating_sub(kept)));
        let last = resolution.floor(self.now.max(from));
        let starts: Vec<u64> = (first..=last)
            .step_by(resolution.seconds() as usize)
            .collect();
        let mut keys: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for entry in opened(self.entries(resolution), scope) {
            let (Some(key), true) = (&entry.key, entry.at >= first) else {
                continue;
            };
            let uses = keys.entry(key.clone());
            let uses = uses.or_insert_with(|| vec![0; starts.len()]);
            let at = (entry.at - first) / resolution.seconds();
            if let Some(step) = uses.get_mut(at as usize) {
                *step += entry.count;
            }
        }
        Series {
            starts,
            resolution,
            keys,
        }
    }

    /// The days whose hours are all there and come to another sum than the day: `(DAY, BY DAY, BY HOUR)`. There is
    /// none unless something was lost.
    pub fn differing_days(&self) -> Vec<(u64, u64, u64)> {
        let mut sums: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for entry in &self.days {
            sums.entry(entry.at).or_default().0 += entry.count;
        }
        for entry in &self.hours {
            let day = Resolution::Day.floor(entry.at);
            sums.entry(day).or_default().1 += entry.count;
        }
        let first = self.oldest_hour().div_ceil(DAY) * DAY;
        let whole = sums.into_iter().filter(|(day, _)| *day >= first);
        let differing = whole.filter(|(_, (by_day, by_hour))| by_day != by_hour);
        differing
            .map(|(day, (by_day, by_hour))| (day, by_day, by_hour))
            .collect()
    }

    pub(super) fn entries(&self, resolution: Resolution) -> &[Tally] {
        match resolution {
            Resolution::Hour => &self.hours,
            Resolution::Day => &self.days,
        }
    }
}

impl<'l> Period<'l> {
    /// How many cookies a key opened.
    pub fn uses(&self, key: &str, scope: Scope<'_>) -> u64 {
        let of = self.opened(scope);
        let of = of.filter(|entry| entry.key.as_deref() == Some(key));
        of.map(|entry| entry.count).sum()
    }

    /// The same in the steps from a moment on.
    pub fn uses_from(&self, key: &str, from: u64) -> u64 {
        Period { from, ..*self }.uses(key, Scope::All)
    }

    /// How many cookies were opened, and how many of them under the current key.
    pub fn share(&self, scope: Scope<'_>) -> Share {
        let mut share = Share::default();
        for entry in self.opened(scope) {
            share.all += entry.count;
            if entry.verdict == "current" {
                share.current += entry.count;
            }
        }
        share
    }

    /// What was refused, the most frequent first.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut counts: BTreeMap<(&str, &str, Option<&str>), u64> = BTreeMap::new();
        for entry in self.of_kind(Kind::Refused) {
            let reason = entry.reason.as_deref();
            let refusal = (entry.verdict.as_str(), entry.rule.as_str(), reason);
            *counts.entry(refusal).or_default() += entry.count;
        }
        let counts = counts.into_iter();
        let mut refusals: Vec<Refusal> = counts
            .map(|((verdict, rule, reason), count)| Refusal {
                rule: rule.to_owned(),
                verdict: verdict.to_owned(),
                reason: reason.map(str::to_owned),
                count,
            })
            .collect();
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
        refusals
    }

    /// The upgrades that were due.
    pub fn upgrades(&self, scope: Scope<'_>) -> Upgrades {
        let of = |kind| {
            let entries = self.of_kind(kind);
            entries.filter(move |entry| scope.includes(&entry.rule))
        };
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in of(Kind::Withheld) {
            let reason = entry.reason.as_deref().unwrap_or("no reason given");
            *reasons.entry(reason).or_default() += entry.count;
        }
        let reasons = reasons.into_iter();
        let mut withheld: Vec<(String, u64)> = reasons
            .map(|(reason, count)| (reason.to_owned(), count))
            .collect();
        withheld.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Upgrades {
            sent: of(Kind::Upgraded).map(|entry| entry.count).sum(),
            withheld,
        }
    }

    /// Every entry of it.
    pub fn entries(&self) -> impl Iterator<Item = &'l Tally> + use<'l> {
        let from = self.from;
        self.entries.iter().filter(move |entry| entry.at >= from)
    }

    fn opened<'s>(&self, scope: Scope<'s>) -> impl Iterator<Item = &'l Tally> + use<'l, 's> {
        let from = self.from;
        opened(self.entries, scope).filter(move |entry| entry.at >= from)
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &'l Tally> + use<'l> {
        self.entries()
            .filter(move |entry| Kind::of(&entry.verdict) == kind)
    }
}

impl Series {
    /// How many cookies were opened in a step, under whatever key.
    pub fn sum(&self, step: usize) -> u64 {
        let counts = self.keys.values().filter_map(|uses| uses.get(step));
        counts.sum()
    }
}

impl Share {
    /// From 0 to 1; none where nothing was opened.
    pub fn of_current(self) -> Option<f64> {
        (self.all > 0).then(|| self.current as f64 / self.all as f64)
    }
}

impl Upgrades {
    /// How many were not sent.
    pub fn withheld_count(&self) -> u64 {
        self.withheld.iter().map(|(_, count)| count).sum()
    }

    /// Whether more are withheld than sent, of enough to tell. An old key then never goes out of use.
    pub fn are_mostly_withheld(&self) -> bool {
        let withheld = self.withheld_count();
        withheld + self.sent >= ENOUGH && withheld > self.sent
    }
}

/// Of how many upgrades on a share means something.
const ENOUGH: u64 = 20;

fn opened<'l, 's>(
    entries: &'l [Tally],
    scope: Scope<'s>,
) -> impl Iterator<Item = &'l Tally> + use<'l, 's> {
    let opened = |entry: &&Tally| Kind::of(&entry.verdict) == Kind::Opened;
    let in_scope = move |entry: &&Tally| scope.includes(&entry.rule);
    entries.iter().filter(opened).filter(in_scope)
}

#[cfg(test)]
mod tests {
    use countersign_core::gate::verdict::{Difference, Verdict, Withheld};

    use super::*;
    use crate::remote::ledger::KeyTimes;

    /// 2027-02-01 00:00 UTC.
    const NOW: u64 = 1_801_440_000;

    fn tally(at: u64, key: &str, verdict: &str, count: u64) -> Tally {
        Tally {
            at,
            rule: "sessionid".to_owned(),
            key: Some(key.to_owned()).filter(|key| !key.is_empty()),
            verdict: verdict.to_owned(),
            reason: None,
            count,
        }
    }

    fn ledger() -> Ledger {
        let withheld = |reason: &str, count| Tally {
            reason: Some(reason.to_owned()),
            ..tally(NOW - HOUR, "OLD", "upgrade-withheld", count)
        };
        let hours = vec![
            tally(NOW - 2 * HOUR, "OLD", "current", 100),
            tally(NOW - HOUR, "OLD", "fallback", 30),
            tally(NOW - HOUR, "NEW", "current", 70),
            tally(NOW - HOUR, "", "bad-signature", 3),
            tally(NOW - HOUR, "", "expired", 5),
            tally(NOW - HOUR, "OLD", "upgraded", 4),
            tally(NOW - HOUR, "OLD", "a-newer-word", 1_000),
            withheld("late", 1),
            withheld("not-navigation", 9),
        ];
        let days = vec![
            tally(NOW - 20 * DAY, "OLD", "current", 500),
            tally(NOW - DAY, "OLD", "current", 130),
        ];
        let times = |rule: &str, last| KeyTimes {
            rule: rule.to_owned(),
            key: "OLD".to_owned(),
            first_opened: Some(NOW - 20 * DAY),
            last_opened: last,
            ..KeyTimes::default()
        };
        Ledger {
            now: NOW,
            since: NOW - 30 * DAY,
            keys: vec![times("sessionid", Some(NOW - 7)), times("theme", None)],
            hours,
            days,
        }
    }

    #[test]
    fn what_is_opened_and_refused_is_what_the_gate_says_it_is() {
        for verdict in [
            Verdict::Current,
            Verdict::Fallback,
            Verdict::AcceptedFormat,
            Verdict::BadSignature,
            Verdict::Expired,
            Verdict::NotYetValid,
            Verdict::Malformed,
            Verdict::TooLong,
            Verdict::DuplicateDropped,
            Verdict::LookAlike,
            Verdict::Sealed,
            Verdict::Deletion,
            Verdict::OriginUnverified,
            Verdict::AttributesDiffer(Difference::Path),
            Verdict::Upgraded,
            Verdict::UpgradeWithheld(Withheld::Late),
        ] {
            let kind = Kind::of(verdict.as_str());
            assert_eq!(kind == Kind::Refused, verdict.is_refusal(), "{verdict:?}");
            let is_known = kind != Kind::Other || verdict == Verdict::Deletion;
            assert!(is_known, "{verdict:?}");
        }
        assert_eq!(Kind::of("a-newer-word"), Kind::Other);
    }

    #[test]
    fn uses_shares_refusals_and_upgrades_are_counted_from_an_hour_on() {
        let ledger = ledger();
        let period = ledger.period(NOW - HOUR + 59);
        let from = (period.from, period.resolution);
        assert_eq!(from, (NOW - HOUR, Resolution::Hour));
        assert_eq!(period.uses("OLD", Scope::All), 30);
        assert_eq!(period.uses("NEW", Scope::All), 70);
        assert_eq!(period.uses("OLD", Scope::Rules(&["theme".to_owned()])), 0);
        let (current, all) = (70, 100);
        assert_eq!(period.share(Scope::All), Share { current, all });
        assert_eq!(Share { current, all }.of_current(), Some(0.7));
        let refusals = period.refusals();
        let words: Vec<(&str, u64)> = refusals.iter().map(|r| (&*r.verdict, r.count)).collect();
        assert_eq!(words, [("expired", 5), ("bad-signature", 3)]);
        let upgrades = period.upgrades(Scope::All);
        assert_eq!((upgrades.sent, upgrades.withheld_count()), (4, 10));
        assert_eq!(upgrades.withheld[0], ("not-navigation".to_owned(), 9));
        assert!(!upgrades.are_mostly_withheld(), "14 are too few to tell");
    }

    #[test]
    fn what_is_older_than_the_hours_is_counted_from_the_beginning_of_its_day() {
        let ledger = ledger();
        let period = ledger.period(NOW - 19 * DAY - 1);
        assert_eq!(
            (period.from, period.resolution),
            (NOW - 20 * DAY, Resolution::Day)
        );
        assert_eq!(period.uses("OLD", Scope::All), 630);
        assert_eq!(ledger.period(NOW - 14 * DAY).resolution, Resolution::Hour);
        assert_eq!(
            ledger.period(NOW - 14 * DAY - 1).resolution,
            Resolution::Day
        );
        assert_eq!(ledger.last_opened("OLD", Scope::All), Some(NOW - 7));
        let theme = ["theme".to_owned()];
        assert_eq!(ledger.last_opened("OLD", Scope::Rules(&theme)), None);
        assert_eq!(ledger.last_opened("NEW", Scope::All), None);
    }

    #[test]
    fn a_series_has_no_gap_and_ends_with_the_running_step() {
        let ledger = ledger();
        let series = ledger.series(Resolution::Hour, NOW - 3 * HOUR, Scope::All);
        assert_eq!(series.starts.len(), 4);
        assert_eq!(series.keys["OLD"], [0, 100, 30, 0]);
        assert_eq!(series.keys["NEW"], [0, 0, 70, 0]);
        assert_eq!(series.sum(2), 100);
        assert_eq!(series.keys.len(), 2);
    }

    /// Events at times of a simple generator, kept as a ledger keeps them.
    fn recorded(seed: u64, now: u64) -> Ledger {
        let mut state = seed;
        let mut next = move |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        let mut kept = [BTreeMap::new(), BTreeMap::new()];
        for _ in 0..2_000 {
            let at = now - next(40 * DAY);
            let key = ["OLD", "NEW", ""][next(3) as usize];
            let verdict = ["current", "fallback", "expired", "upgraded"][next(4) as usize];
            for (kept, resolution) in kept.iter_mut().zip([Resolution::Hour, Resolution::Day]) {
                let entry = (resolution.floor(at), key, verdict);
                *kept.entry(entry).or_insert(0_u64) += 1;
            }
        }
        let [hours, days] = kept.map(|kept| {
            let tallies = kept.into_iter();
            let tallies = tallies.map(|((at, key, verdict), count)| tally(at, key, verdict, count));
            tallies.collect::<Vec<_>>()
        });
        let oldest = now - HOURS_KEPT;
        Ledger {
            now,
            since: now - 40 * DAY,
            hours: hours.into_iter().filter(|hour| hour.at >= oldest).collect(),
            days,
            keys: Vec::new(),
        }
    }

    #[test]
    fn sums_by_day_equal_sums_by_hour_where_both_exist() {
        for seed in 0..50 {
            let now = NOW + seed * 1_789;
            let ledger = recorded(seed, now);
            assert_eq!(ledger.differing_days(), [], "seed {seed}");
            let from = ledger.oldest_hour().div_ceil(DAY) * DAY;
            let by_day = ledger.series(Resolution::Day, from, Scope::All);
            let by_hour = ledger.series(Resolution::Hour, from, Scope::All);
            for (key, days) in &by_day.keys {
                let hours = by_hour.keys[key].chunks(24);
                let hours: Vec<u64> = hours.map(|day| day.iter().sum()).collect();
                assert_eq!(*days, hours, "seed {seed}, {key}");
            }
            let mut broken = ledger.clone();
            broken.days.last_mut().unwrap().count += 1;
            assert_eq!(broken.differing_days().len(), 1, "seed {seed}");
        }
    }
}
