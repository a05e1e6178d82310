//! The operator's command line, as `main.rs` and the fuzz targets call it.
//!
//! commands → rotation → remote → project → terminal: each names only what stands right of it.

use std::process::ExitCode;

mod commands;
#[doc(hidden)]
pub mod fuzzing;
mod project;
mod remote;
mod rotation;
mod terminal;

/// Runs the command that was typed, and prints its answer.
pub fn run() -> ExitCode {
    match commands::CommandLine::typed().run() {
        Ok(answer) => answer.print(),
        Err(failure) => failure.print(),
    }
}
