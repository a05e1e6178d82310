//! When an old key will open nothing any more, by the rate at which its uses fall.
//!
//! The rule: of the last complete days (UTC) since the key was replaced, 14 at most, the logarithm of the uses of a
//! day is fitted by a line, each day weighted by its uses. The end is the midnight after which less than half a use
//! is expected in all. Its range comes from twice the standard error of the slope, with the scatter of the days in it.
//! It says nothing where there are too few days or uses, or where the uses do not clearly fall.
//!
//! What it cannot know: visitors who come back after months, and a rate that changes.

use serde::Serialize;

use crate::remote::figures::{DAY, Kind, Resolution, Scope};
use crate::remote::ledger::Ledger;

/// What the uses of an old key let one expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outlook")]
pub enum Forecast {
    /// It opened nothing on so many complete days up to now.
    Unused { days: usize },
    /// None is expected from then on, in Unix seconds.
    Ends {
        by: u64,
        earliest: u64,
        /// None where the range has no end within 400 days.
        #[serde(skip_serializing_if = "Option::is_none")]
        latest: Option<u64>,
        /// How many days this goes by.
        days: usize,
    },
    /// Its uses do not clearly fall, or so slowly that they go on for more than 400 days.
    NotFalling { days: usize },
    /// Fewer complete days than a rate needs.
    TooFewDays { days: usize, needed: usize },
    /// Fewer uses than a rate needs.
    TooFewUses { uses: u64, needed: u64 },
}

/// How many complete days a rate needs.
const LEAST_DAYS: usize = 5;
/// How many uses a rate needs.
const LEAST_USES: u64 = 20;
/// How many days count at most: the rate of now, not that of the first week.
const MOST_DAYS: usize = 14;
/// How far ahead anything is said.
const HORIZON: u64 = 400 * DAY;

impl Ledger {
    /// What is to be expected of a key that has been replaced.
    pub fn forecast(&self, key: &str, scope: Scope<'_>) -> Forecast {
        let today = Resolution::Day.floor(self.now);
        let from = self.replaced(key, scope).max(self.first_whole_day());
        let series = self.series(Resolution::Day, from.min(today), scope);
        let mut uses = series.keys.get(key).cloned();
        let uses = uses.get_or_insert_with(|| vec![0; series.starts.len()]);
        uses.pop(); // today is not over
        forecast(uses, today)
    }

    /// The day after the last one on which it was the current key; 0 where that was not recorded.
    pub fn replaced(&self, key: &str, scope: Scope<'_>) -> u64 {
        let is_current = |verdict: &str| verdict == "current" || Kind::of(verdict) == Kind::Sealed;
        let days = self.days.iter().filter(|day| {
            day.key.as_deref() == Some(key) && scope.includes(&day.rule) && is_current(&day.verdict)
        });
        days.map(|day| day.at + DAY).max().unwrap_or_default()
    }

    fn first_whole_day(&self) -> u64 {
        self.since.div_ceil(DAY) * DAY
    }
}

/// By the uses on complete days, of which the last one ended at `today`.
fn forecast(uses: &[u64], today: u64) -> Forecast {
    let unused = uses.iter().rev().take_while(|uses| **uses == 0).count();
    if unused >= LEAST_DAYS {
        return Forecast::Unused { days: unused };
    }
    let recent = uses.get(uses.len().saturating_sub(MOST_DAYS)..);
    let recent = recent.unwrap_or_default();
    let (days, sum) = (recent.len(), recent.iter().sum());
    if days < LEAST_DAYS {
        let needed = LEAST_DAYS;
        return Forecast::TooFewDays { days, needed };
    }
    if sum < LEAST_USES {
        let needed = LEAST_USES;
        return Forecast::TooFewUses { uses: sum, needed };
    }
    let line = Line::through(recent);
    let end = |slope: f64| {
        let days = line.days_to_the_end(slope, days)?;
        let end = today + days * DAY;
        (end - today <= HORIZON).then_some(end)
    };
    let ends = end(line.slope).filter(|_| line.slope + 2.0 * line.error < 0.0);
    ends.map_or(Forecast::NotFalling { days }, |by| Forecast::Ends {
        by,
        earliest: end(line.slope - 2.0 * line.error).unwrap_or(by),
        latest: end(line.slope + 2.0 * line.error),
        days,
    })
}

/// The logarithm of the uses of a day, as a line over the days.
struct Line {
    /// The mean day, counted from 0.
    day: f64,
    /// The mean of the logarithms.
    level: f64,
    slope: f64,
    /// The standard error of the slope.
    error: f64,
}

impl Line {
    /// Weighted by the uses, since the variance of a logarithm of a count is about one by the count.
    fn through(uses: &[u64]) -> Self {
        let points = uses.iter().enumerate();
        let points: Vec<(f64, f64, f64)> = points
            .map(|(day, uses)| {
                let uses = (*uses as f64).max(0.5); // which has a logarithm
                (day as f64, uses.ln(), uses)
            })
            .collect();
        let weight: f64 = points.iter().map(|(_, _, weight)| weight).sum();
        let mean = |of: &dyn Fn(&(f64, f64, f64)) -> f64| -> f64 {
            points.iter().map(|point| of(point) * point.2).sum::<f64>() / weight
        };
        let (day, level) = (mean(&|point| point.0), mean(&|point| point.1));
        let spread = mean(&|point| (point.0 - day).powi(2)) * weight;
        let slope = mean(&|point| (point.0 - day) * (point.1 - level)) * weight / spread;
        let rest = mean(&|point| (point.1 - level - slope * (point.0 - day)).powi(2)) * weight;
        let scatter = (rest / (points.len() as f64 - 2.0)).max(1.0);
        Self {
            day,
            level,
            slope,
            error: (scatter / spread).sqrt(),
        }
    }

    /// In how many days after `days` of them less than half a use is left, if the line has this slope.
    fn days_to_the_end(&self, slope: f64, days: usize) -> Option<u64> {
        if slope >= 0.0 {
            return None;
        }
        // what is left from day n on: exp(level + slope (n - day)) / (1 - exp(slope)) < 1/2
        let least = (0.5 * (1.0 - slope.exp())).ln();
        let end = self.day + (least - self.level) / slope - days as f64;
        Some(end.ceil().max(0.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::ledger::Tally;

    /// 2027-02-01 00:00 UTC.
    const TODAY: u64 = 1_801_440_000;

    #[test]
    fn what_halves_each_day_ends_when_less_than_half_a_use_is_left() {
        // 1024 · 2⁻ⁿ: from day n on 2048 · 2⁻ⁿ are left, which is under a half from the 13th on; six days are over
        let Forecast::Ends {
            by,
            earliest,
            latest,
            days,
        } = forecast(&[1_024, 512, 256, 128, 64, 32], TODAY)
        else {
            panic!("it ends");
        };
        assert_eq!(days, 6);
        assert!((6..=7).contains(&((by - TODAY) / DAY)), "{by}");
        assert!(earliest <= by && latest.is_some_and(|latest| by <= latest));
    }

    #[test]
    fn nothing_is_said_of_too_little() {
        let of = |uses: &[u64]| forecast(uses, TODAY);
        let (days, needed) = (4, 5);
        assert_eq!(
            of(&[900, 400, 200, 100]),
            Forecast::TooFewDays { days, needed }
        );
        assert_eq!(of(&[]), Forecast::TooFewDays { days: 0, needed });
        let (uses, needed) = (9, 20);
        assert_eq!(
            of(&[4, 2, 1, 1, 0, 1]),
            Forecast::TooFewUses { uses, needed }
        );
        assert_eq!(
            of(&[90, 0, 0, 0, 0, 0, 0]),
            Forecast::Unused { days: 6 },
            "no rate is needed"
        );
    }

    #[test]
    fn what_does_not_clearly_fall_has_no_end() {
        for uses in [
            [100, 100, 100, 100, 100, 100, 100],
            [100, 110, 120, 130, 140, 150, 160],
            [100, 20, 180, 60, 150, 30, 90],
            [10_000, 9_999, 9_998, 9_997, 9_996, 9_995, 9_994],
        ] {
            let expected = Forecast::NotFalling { days: 7 };
            assert_eq!(forecast(&uses, TODAY), expected, "{uses:?}");
        }
    }

    #[test]
    fn scatter_widens_the_range() {
        let range = |uses: &[u64]| match forecast(uses, TODAY) {
            Forecast::Ends {
                earliest, latest, ..
            } => latest.unwrap_or(u64::MAX) - earliest,
            other => panic!("{other:?}"),
        };
        let smooth = range(&[1_000, 700, 490, 343, 240, 168, 118]);
        let scattered = range(&[1_000, 550, 600, 300, 300, 130, 130]);
        assert!(smooth < scattered, "{smooth} {scattered}");
    }

    #[test]
    fn only_complete_days_since_the_key_was_replaced_count() {
        let tally = |day: u64, verdict: &str, count| Tally {
            at: TODAY - day * DAY,
            rule: "sessionid".to_owned(),
            key: Some("OLD".to_owned()),
            verdict: verdict.to_owned(),
            reason: None,
            count,
        };
        let mut days = vec![tally(9, "current", 5_000), tally(8, "current", 2_000)];
        days.push(tally(8, "fallback", 2_000));
        days.extend((1..8).map(|day| tally(day, "fallback", 8 << day)));
        days.push(tally(0, "fallback", 4_000)); // today
        let ledger = Ledger {
            now: TODAY + 3_600,
            since: TODAY - 30 * DAY,
            days,
            ..Ledger::default()
        };
        let uses: Vec<u64> = (1..8).rev().map(|day| 8 << day).collect();
        assert_eq!(
            ledger.forecast("OLD", Scope::All),
            forecast(&uses, TODAY),
            "seven days"
        );
        let unused = Forecast::Unused { days: 30 };
        assert_eq!(ledger.forecast("NEVER", Scope::All), unused);
    }
}
