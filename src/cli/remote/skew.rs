//! The live Worker's clock decides about times, for it is what opens and ends cookies. This machine's may be wrong.

use crate::remote::replies::StatusReply;
use crate::terminal::answer::Failure;
use crate::terminal::clock;
use crate::terminal::time::{moment, span};

/// By how many seconds the two may differ; as far as the gate lets signed times run ahead.
const MOST: u64 = 300;

/// The present by the live Worker's clock, in Unix seconds.
///
/// # Errors
/// Its status tells none.
pub fn now(status: &StatusReply, site: &str) -> Result<u64, Failure> {
    status.fields.now.ok_or_else(|| {
        Failure::unreachable(format!("{site} does not report its time"))
            .hint("take the countersign of the release that is deployed there")
    })
}

/// The same, where this machine's clock agrees with it.
///
/// # Errors
/// The clocks differ by more than five minutes.
pub fn agreed(status: &StatusReply, site: &str) -> Result<u64, Failure> {
    let theirs = now(status, site)?;
    match difference(theirs, clock::now(), site) {
        None => Ok(theirs),
        Some(text) => Err(refused(&text)),
    }
}

/// Refuses for a clock that is wrong by so much.
pub fn refused(difference: &str) -> Failure {
    Failure::refused(difference).hint("set the clock of this machine, then run the command again")
}

/// Says by how much this machine's clock is wrong; none where it agrees.
pub fn difference(theirs: u64, ours: u64, site: &str) -> Option<String> {
    let apart = theirs.abs_diff(ours);
    let direction = if ours < theirs { "behind" } else { "ahead of" };
    (apart > MOST).then(|| {
        format!(
            "the clock of this machine is {} {direction} that of {site}: here it is {}, there {}",
            span(apart),
            moment(ours),
            moment(theirs)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_are_borne_and_a_second_more_is_not() {
        assert_eq!(difference(1_000, 1_300, "x"), None);
        assert_eq!(difference(1_300, 1_000, "x"), None);
        let text = difference(1_801_440_000, 1_801_440_000 - 1_728_000, "www.example.com");
        assert_eq!(
            text.as_deref(),
            Some(
                "the clock of this machine is 20 days behind that of www.example.com: here it is 2027-01-12 00:00 UTC, there 2027-02-01 00:00 UTC"
            )
        );
        let ahead = difference(1_000, 1_301, "x").unwrap();
        assert!(ahead.contains("5 minutes ahead of"), "{ahead}");
    }
}
