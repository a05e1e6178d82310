//! `countersign`: the operator's command line.
//!
//! commands → rotation → remote → project → terminal: each names only what stands right of it.

use std::process::ExitCode;

mod commands;
mod project;
mod remote;
mod rotation;
mod terminal;

fn main() -> ExitCode {
    match commands::CommandLine::typed().run() {
        Ok(answer) => answer.print(),
        Err(failure) => failure.print(),
    }
}
