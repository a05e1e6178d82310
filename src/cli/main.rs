//! `countersign`: the operator's command line. Everything of it is in the library beside.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_cli::run()
}
