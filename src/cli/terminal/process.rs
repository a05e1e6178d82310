//! Runs another program, waits for it, and ends it where this one is asked to end.

use std::io::{Error, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::terminal::clock::Stopwatch;
use crate::terminal::waiting;

/// What a program came to.
pub struct ProcessOutput {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Why there is no output.
pub enum ProcessError {
    /// The operating system does not run it.
    CannotRun(Error),
    /// Somebody has asked this program to end; the other one has ended.
    Interrupted,
}

/// Runs it; `input` goes to its standard input.
///
/// # Errors
/// It cannot be run, or somebody asks this program to end.
pub fn run(mut command: Command, input: Option<&[u8]>) -> Result<ProcessOutput, ProcessError> {
    command.stdin(match input {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ProcessError::CannotRun)?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // where it ends without reading, its own words say why
        let _ = stdin.write_all(input);
    }
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let ended = waiting::until(|| match child.try_wait() {
        Ok(Some(status)) if stdout.is_finished() && stderr.is_finished() => Some(Ok(status)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let Ok(ended) = ended else {
        end(&mut child);
        return Err(ProcessError::Interrupted);
    };
    Ok(ProcessOutput {
        status: ended.map_err(ProcessError::CannotRun)?,
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    })
}

/// Reads a stream to its end.
fn reader(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Gives the program, and those that it has started, a group of their own: what ends it ends all of them. It cannot
/// ask anything in the terminal then.
#[cfg(unix)]
pub fn in_own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Only Unix has groups.
#[cfg(not(unix))]
pub fn in_own_group(_: &mut Command) {}

/// Asks it to end, and ends it where it does not.
fn end(child: &mut Child) {
    ask_to_end(child);
    let since = Stopwatch::start();
    while since.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    kill(child);
    let _ = child.wait();
}

/// How long a program has to end by itself.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    signal(child, rustix::process::Signal::TERM);
}

#[cfg(unix)]
fn kill(child: &mut Child) {
    signal(child, rustix::process::Signal::KILL);
}

/// To its whole group, where it has one of its own.
#[cfg(unix)]
fn signal(child: &Child, signal: rustix::process::Signal) {
    use rustix::process::{Pid, getpgid, kill_process, kill_process_group};
    let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return;
    };
    // it has not been waited for, so its number is still its own
    let _ = if getpgid(Some(pid)) == Ok(pid) {
        kill_process_group(pid, signal)
    } else {
        kill_process(pid, signal)
    };
}

#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

#[cfg(not(unix))]
fn kill(child: &mut Child) {
    let _ = child.kill();
}
