//! `countersign`: the operator's command line.

use std::process::ExitCode;

use clap::Parser;

mod answer;
mod arguments;
mod check;
mod clock;
mod config;
mod dev_vars;
mod finding;
mod http;
mod inspect;
mod keygen;
mod live;
mod status;
mod wrangler;

fn main() -> ExitCode {
    match arguments::Arguments::parse().run() {
        Ok(answer) => answer.print(),
        Err(failure) => failure.print(),
    }
}
