//! Waits for the live Worker to show a change: Cloudflare takes some seconds to have one everywhere.

use std::time::Duration;

use crate::terminal::answer::Failure;
use crate::terminal::time::span;
use crate::terminal::waiting::sleep;

/// How often it is asked until it shows the change, and how long between.
const TRIES: u64 = 20;
const PAUSE: Duration = Duration::from_secs(3);

/// What `look` finds first; none where it finds nothing for as long as it is worth waiting.
///
/// # Errors
/// That of `look`, at once; or somebody asks the command to end.
pub fn first<T>(
    mut look: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    for attempt in 1..=TRIES {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if attempt < TRIES {
            sleep(pause())
                .map_err(|failure| failure.during("while the live Worker was waited for"))?;
        }
    }
    Ok(None)
}

/// The same where not every answer has to come.
///
/// # Errors
/// Somebody asks the command to end.
pub fn seen<T>(mut look: impl FnMut() -> Result<Option<T>, Failure>) -> Result<Option<T>, Failure> {
    first(|| match look() {
        Err(failure) if failure.is_interrupted() => Err(failure),
        found => Ok(found.ok().flatten()),
    })
}

/// How long that is, for people.
pub fn waited() -> String {
    span(PAUSE.as_secs() * (TRIES - 1))
}

/// Tests do not wait.
fn pause() -> Duration {
    match std::env::var_os("COUNTERSIGN_TEST_NO_PAUSE") {
        Some(_) if cfg!(debug_assertions) => Duration::ZERO,
        _ => PAUSE,
    }
}
