//! Whether a key or a format is out of use, by the ledger of the live Worker. All of it is pure.
//!
//! No use in the days that are asked about counts only where the ledger can have seen one: it was there for all of
//! them, it counts, and it was there before the key was replaced, or for as long as a session may live.

use std::collections::BTreeMap;
use std::fmt;

use crate::remote::figures::{DAY, Kind, Resolution, Scope};
use crate::remote::ledger::{Ledger, Tally};
use crate::remote::usage::KeyUse;
use crate::terminal::time::{from_now, moment, span};

/// What may be out of use.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    pub opener: Opener<'s>,
    /// The rules that go by it.
    pub rules: &'s [String],
    pub replacement: Replacement,
    /// How long a session of these rules may live, in seconds, where that is known.
    pub longest: Option<u64>,
}

/// What opens cookies.
#[derive(Clone, Copy, Debug)]
pub enum Opener<'s> {
    Key(&'s str),
    /// Any format that the rules accept: the ledger does not say which.
    AcceptedFormat,
}

/// Since when nothing is sealed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Nothing ever was: it was only staged.
    Never,
    /// In Unix seconds.
    At(u64),
    /// git does not say.
    Unknown,
}

/// What the ledger says.
#[derive(Debug)]
pub enum LedgerFinding {
    Unused(Unused),
    /// It opened cookies in the days that were asked about.
    InUse(Vec<KeyUse>),
    /// The ledger cannot know.
    Unknown(Gap),
}

/// That nothing was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unused {
    /// In so many days.
    pub days: u32,
    /// When a key last opened a cookie, in Unix seconds; none where the ledger has seen none.
    pub last_opened: Option<u64>,
    /// The present by the Worker's clock, in Unix seconds.
    pub now: u64,
}

/// Why the ledger cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It does not reach back so far. Times in Unix seconds.
    Younger { since: u64, days: u32, now: u64 },
    /// It began after the replacement, and has not been there for as long as a session may live.
    AfterReplacement { since: u64, at: Option<u64> },
    /// It has counted no cookie on the last day.
    Quiet,
    /// Its counts say that nothing was opened, and its times that something was.
    Contradiction,
}

/// What the ledger says of so many last days.
pub fn look_up(ledger: &Ledger, subject: &Subject<'_>, days: u32) -> LedgerFinding {
    let from = ledger.now.saturating_sub(u64::from(days) * DAY);
    let uses = uses(ledger, subject, from);
    if !uses.is_empty() {
        return LedgerFinding::InUse(uses);
    }
    let last_opened = subject.last_opened(ledger);
    if let Some(gap) = gap(ledger, subject, days) {
        LedgerFinding::Unknown(gap)
    } else if last_opened.is_some_and(|last| last >= from) {
        LedgerFinding::Unknown(Gap::Contradiction)
    } else {
        LedgerFinding::Unused(Unused {
            days,
            last_opened,
            now: ledger.now,
        })
    }
}

/// Whether the ledger has counted a cookie on each of so many last days.
pub fn has_each_day(ledger: &Ledger, days: u32) -> bool {
    let from = ledger.now.saturating_sub(u64::from(days) * DAY);
    let series = ledger.series(Resolution::Day, from, Scope::All);
    let complete = series.starts.len().saturating_sub(1); // today is not over
    (0..complete).all(|day| series.sum(day) > 0)
}

fn uses(ledger: &Ledger, subject: &Subject<'_>, from: u64) -> Vec<KeyUse> {
    let entries = ledger.period(from).entries();
    let mut counts: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for entry in entries.filter(|entry| entry.count > 0 && subject.is_use(entry)) {
        let key = entry.key.as_deref().unwrap_or_default();
        *counts
            .entry((&entry.rule, key, &entry.verdict))
            .or_default() += entry.count;
    }
    let counts = counts.into_iter();
    counts
        .map(|((rule, key, verdict), count)| KeyUse {
            rule: rule.to_owned(),
            key: key.to_owned(),
            verdict: verdict.to_owned(),
            count: count as f64,
        })
        .collect()
}

fn gap(ledger: &Ledger, subject: &Subject<'_>, days: u32) -> Option<Gap> {
    let (since, now) = (ledger.since, ledger.now);
    if since > now.saturating_sub(u64::from(days) * DAY) {
        return Some(Gap::Younger { since, days, now });
    }
    if !subject.is_covered(ledger) {
        let at = match subject.replacement {
            Replacement::At(at) => Some(at),
            Replacement::Never | Replacement::Unknown => None,
        };
        return Some(Gap::AfterReplacement { since, at });
    }
    let day = ledger.period(now.saturating_sub(DAY));
    (day.share(Scope::All).all == 0).then_some(Gap::Quiet)
}

impl Subject<'_> {
    fn is_use(&self, entry: &Tally) -> bool {
        let is_own = match self.opener {
            Opener::Key(key) => entry.key.as_deref() == Some(key),
            Opener::AcceptedFormat => entry.verdict == "accepted-format",
        };
        let scope = Scope::Rules(self.rules);
        is_own && Kind::of(&entry.verdict) == Kind::Opened && scope.includes(&entry.rule)
    }

    /// In Unix seconds; none where the ledger has seen none, and for formats, whose times it does not keep.
    pub fn last_opened(&self, ledger: &Ledger) -> Option<u64> {
        match self.opener {
            Opener::Key(key) => ledger.last_opened(key, Scope::Rules(self.rules)),
            Opener::AcceptedFormat => None,
        }
    }

    /// Whether nothing can be left of what was sealed before the ledger began.
    fn is_covered(&self, ledger: &Ledger) -> bool {
        let was_there = match self.replacement {
            Replacement::Never => true,
            Replacement::At(at) => ledger.since <= at,
            Replacement::Unknown => false,
        };
        let is_long_ago = |longest| ledger.since.saturating_add(longest) <= ledger.now;
        was_there || self.was_seen_current(ledger) || self.longest.is_some_and(is_long_ago)
    }

    /// Whether the ledger has counted under it while it was the current key.
    fn was_seen_current(&self, ledger: &Ledger) -> bool {
        let Opener::Key(key) = self.opener else {
            return false;
        };
        let scope = Scope::Rules(self.rules);
        let mut own = ledger.keys.iter();
        let has_sealed = own.any(|times| {
            times.key == key && scope.includes(&times.rule) && times.last_sealed.is_some()
        });
        has_sealed || ledger.replaced(key, scope) > 0
    }
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.days;
        match self.last_opened {
            None => write!(f, "opened no cookie in {days} days"),
            Some(last) => write!(
                f,
                "last opened a cookie {}; 0 uses in {days} days",
                from_now(last, self.now.max(last))
            ),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Younger { since, days, now } => write!(
                f,
                "the ledger began {} ago, and {days} days are asked about",
                span(now.saturating_sub(since))
            ),
            Self::AfterReplacement { since, at } => {
                let began = moment(since);
                write!(f, "the ledger began {began}, ")?;
                match at {
                    Some(at) => write!(f, "after this was replaced, {}", moment(at)),
                    None => write!(f, "and git does not say when this was replaced"),
                }?;
                write!(
                    f,
                    ": it has not been there for as long as a session may live"
                )
            }
            Self::Quiet => f.write_str("the ledger has counted no cookie in 24 hours"),
            Self::Contradiction => {
                f.write_str("the counts of the ledger differ from its times of the last use")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::ledger::KeyTimes;

    /// 2027-02-01 12:00 UTC.
    const NOW: u64 = 1_801_483_200;
    const HOUR: u64 = 3_600;

    fn tally(at: u64, rule: &str, key: &str, verdict: &str, count: u64) -> Tally {
        Tally {
            at: at - at % HOUR,
            rule: rule.to_owned(),
            key: Some(key.to_owned()),
            verdict: verdict.to_owned(),
            reason: None,
            count,
        }
    }

    /// NEW opens a cookie an hour; OLD opened one so many seconds ago, for the first rule.
    fn ledger(began_days_ago: u64, old: Option<u64>) -> Ledger {
        let new = (0..14 * 24).map(|hours| tally(NOW - hours * HOUR, "a", "NEW", "current", 1));
        let old_at = old.map(|ago| NOW - ago);
        let hours = new.chain(old_at.map(|at| tally(at, "a", "OLD", "fallback", 3)));
        let hours: Vec<Tally> = hours.collect();
        let mut days = hours.clone();
        days.iter_mut().for_each(|day| day.at -= day.at % DAY);
        Ledger {
            now: NOW,
            since: NOW - began_days_ago * DAY,
            keys: vec![KeyTimes {
                rule: "a".to_owned(),
                key: "OLD".to_owned(),
                first_opened: old_at,
                last_opened: old_at,
                ..KeyTimes::default()
            }],
            hours,
            days,
        }
    }

    fn key(rules: &[String]) -> Subject<'_> {
        Subject {
            opener: Opener::Key("OLD"),
            rules,
            replacement: Replacement::At(NOW - 20 * DAY),
            longest: Some(14 * DAY),
        }
    }

    /// In words.
    fn said(ledger: &Ledger, subject: &Subject<'_>, days: u32) -> String {
        match look_up(ledger, subject, days) {
            LedgerFinding::Unused(unused) => unused.to_string(),
            LedgerFinding::InUse(uses) => {
                let uses = uses.iter();
                let uses =
                    uses.map(|used| format!("{} {} {}", used.rule, used.verdict, used.count));
                uses.collect::<Vec<_>>().join(", ")
            }
            LedgerFinding::Unknown(gap) => gap.to_string(),
        }
    }

    #[test]
    fn a_key_is_out_of_use_from_the_first_hour_on_in_which_its_last_use_is_not() {
        let (rules, other) = (["a".to_owned()], ["b".to_owned()]);
        let used_7 = ledger(30, Some(7 * DAY));
        assert_eq!(
            said(&used_7, &key(&rules), 7),
            "a fallback 3",
            "at its edge"
        );
        let earlier = ledger(30, Some(7 * DAY + HOUR));
        let unused = "last opened a cookie 7 days ago; 0 uses in 7 days";
        assert_eq!(said(&earlier, &key(&rules), 7), unused);
        assert_eq!(said(&earlier, &key(&rules), 8), "a fallback 3");
        assert_eq!(
            said(&earlier, &key(&other), 8),
            "opened no cookie in 8 days",
            "another ring's"
        );
        assert_eq!(
            said(&ledger(30, None), &key(&rules), 8),
            "opened no cookie in 8 days"
        );
    }

    #[test]
    fn a_use_counts_however_young_the_ledger_is() {
        let rules = ["a".to_owned()];
        assert_eq!(said(&ledger(1, Some(60)), &key(&rules), 7), "a fallback 3");
    }

    #[test]
    fn a_ledger_that_does_not_reach_back_says_nothing() {
        let rules = ["a".to_owned()];
        let young = said(&ledger(6, None), &key(&rules), 7);
        assert_eq!(
            young,
            "the ledger began 6 days ago, and 7 days are asked about"
        );
    }

    #[test]
    fn a_ledger_that_began_after_the_replacement_has_to_outlast_a_session() {
        let rules = ["a".to_owned()];
        let of = |days, replacement, longest| {
            let subject = Subject {
                replacement,
                longest,
                ..key(&rules)
            };
            look_up(&ledger(days, None), &subject, 7)
        };
        let at = Replacement::At(NOW - 10 * DAY);
        let session = Some(14 * DAY);
        assert!(matches!(of(10, at, session), LedgerFinding::Unused(_)));
        for (replacement, known) in [(at, Some(NOW - 10 * DAY)), (Replacement::Unknown, None)] {
            let LedgerFinding::Unknown(gap) = of(9, replacement, session) else {
                panic!("{replacement:?}");
            };
            let since = NOW - 9 * DAY;
            assert_eq!(gap, Gap::AfterReplacement { since, at: known });
            let outlasts = of(9, replacement, Some(9 * DAY));
            assert!(matches!(outlasts, LedgerFinding::Unused(_)));
            let endless = of(300, Replacement::Unknown, None);
            assert!(matches!(endless, LedgerFinding::Unknown(_)));
        }
        let staged = of(7, Replacement::Never, session);
        assert!(matches!(staged, LedgerFinding::Unused(_)));
    }

    #[test]
    fn a_key_that_the_ledger_has_seen_as_the_current_one_was_replaced_since() {
        let rules = ["a".to_owned()];
        let subject = Subject {
            replacement: Replacement::Unknown,
            longest: None,
            ..key(&rules)
        };
        let mut seen = ledger(30, None);
        seen.days
            .push(tally(NOW - 20 * DAY, "a", "OLD", "current", 9));
        assert!(matches!(
            look_up(&seen, &subject, 7),
            LedgerFinding::Unused(_)
        ));
        let mut sealed = ledger(30, None);
        sealed.keys[0].last_sealed = Some(NOW - 20 * DAY);
        assert!(matches!(
            look_up(&sealed, &subject, 7),
            LedgerFinding::Unused(_)
        ));
        sealed.keys[0].rule = "b".to_owned();
        assert!(matches!(
            look_up(&sealed, &subject, 7),
            LedgerFinding::Unknown(_)
        ));
    }

    #[test]
    fn a_ledger_that_counts_nothing_or_contradicts_itself_says_nothing() {
        let rules = ["a".to_owned()];
        let mut quiet = ledger(30, None);
        quiet.hours.retain(|hour| hour.at + DAY + HOUR < NOW);
        let quiet = said(&quiet, &key(&rules), 7);
        assert_eq!(quiet, "the ledger has counted no cookie in 24 hours");
        let mut differs = ledger(30, None);
        differs.keys[0].last_opened = Some(NOW - 60);
        let found = look_up(&differs, &key(&rules), 7);
        assert!(matches!(found, LedgerFinding::Unknown(Gap::Contradiction)));
    }

    #[test]
    fn any_cookie_in_an_accepted_format_is_a_use_of_a_format() {
        let rules = ["a".to_owned()];
        let subject = Subject {
            opener: Opener::AcceptedFormat,
            ..key(&rules)
        };
        let mut ledger = ledger(30, Some(DAY));
        assert_eq!(said(&ledger, &subject, 7), "opened no cookie in 7 days");
        let accepted = tally(NOW - DAY, "a", "NEW", "accepted-format", 2);
        ledger.hours.push(accepted);
        assert_eq!(said(&ledger, &subject, 7), "a accepted-format 2");
    }

    #[test]
    fn a_day_without_a_count_is_found() {
        let mut ledger = ledger(30, None);
        assert!(has_each_day(&ledger, 13));
        ledger
            .days
            .retain(|day| day.at != NOW - NOW % DAY - 5 * DAY);
        assert!(!has_each_day(&ledger, 13));
        assert!(has_each_day(&ledger, 4));
    }
}
