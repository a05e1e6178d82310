//! Waits for something outside of this program: says for how long, and ends where somebody asks for that.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::terminal::answer::Failure;
use crate::terminal::clock::Stopwatch;
use crate::terminal::{interrupt, progress};

/// Looks until there is something.
///
/// # Errors
/// Somebody asks the command to end.
pub fn until<T>(mut look: impl FnMut() -> Option<T>) -> Result<T, Failure> {
    let _guarded = interrupt::guard();
    let mut looks = 0;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if interrupt::take() {
            return Err(Failure::interrupted());
        }
        progress::tick();
        thread::sleep(progress::pause(looks));
        looks = looks.saturating_add(1);
    }
}

/// Waits for a time.
///
/// # Errors
/// As [`until`].
pub fn sleep(time: Duration) -> Result<(), Failure> {
    let since = Stopwatch::start();
    until(|| (since.elapsed() >= time).then_some(()))
}

/// What `work` comes to; where somebody asks the command to end, it is left to itself.
///
/// # Errors
/// As [`until`].
pub fn for_work<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::spawn(move || {
        // nobody listens any more where the command ends
        let _ = sender.send(work());
    });
    let ended = until(|| match receiver.try_recv() {
        Ok(found) => Some(Some(found)),
        Err(mpsc::TryRecvError::Empty) => None,
        Err(mpsc::TryRecvError::Disconnected) => Some(None),
    })?;
    match ended {
        Some(found) => Ok(found),
        // it sends unless it panics
        None => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => Err(Failure::interrupted()),
        },
    }
}
