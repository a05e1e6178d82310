//! `countersign`: the operator's command line.

use std::process::ExitCode;

use clap::Parser;

mod answer;
mod arguments;
mod arrival;
mod change;
mod check;
mod clock;
mod config;
mod deploy;
mod dev_vars;
mod difference;
mod editing;
mod file;
mod finding;
mod git;
mod grace;
mod harmless;
mod http;
mod inspect;
mod keygen;
mod leave;
mod live;
mod promote;
mod retire;
mod revocation;
mod revoke;
mod site;
mod skew;
mod stage;
mod status;
mod subject;
mod usage;
mod wrangler;

fn main() -> ExitCode {
    match arguments::Arguments::parse().run() {
        Ok(answer) => answer.print(),
        Err(failure) => failure.print(),
    }
}
