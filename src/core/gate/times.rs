//! When a signed time counts (R2). Times are judged here alone; a format only reads them.

use crate::config::{Candidate, Rule};
use crate::formats::Content;
use crate::gate::verdict::Verdict;

/// How far ahead of the clock a signed time may be, in seconds.
const CLOCK_SKEW: u64 = 300;

/// Whether a content counts only from a time on that is too far ahead of the clock. `now` is in Unix seconds.
pub fn is_ahead(content: &Content<'_>, now: u64) -> bool {
    let begins = content.time_s.max(content.not_before_s);
    begins.is_some_and(|begins| begins > now.saturating_add(CLOCK_SKEW))
}

impl Rule {
    /// Judges the times of what a browser shows. `now` is in Unix seconds.
    pub(super) fn check_times(
        &self,
        candidate: &Candidate,
        content: &Content<'_>,
        now: u64,
    ) -> Result<(), Verdict> {
        if is_ahead(content, now) {
            return Err(Verdict::NotYetValid);
        }
        let age = content.time_s.map(|time| now.saturating_sub(time));
        let is_old = age
            .zip(self.spec.max_age)
            .is_some_and(|(age, max)| age > max);
        let end_ms = content
            .expiry_ms
            .map(|end| end.saturating_add(candidate.grace_ms));
        let is_over = end_ms.is_some_and(|end| end <= now.saturating_mul(1000));
        if is_old || is_over {
            Err(Verdict::Expired)
        } else {
            Ok(())
        }
    }
}
