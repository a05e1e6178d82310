//! The commands, each in a file of its name, and the table of their arguments.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::terminal::answer::{Answer, Failure};
use crate::terminal::{help, width};

mod board;
pub mod check;
pub mod completions;
pub mod dashboard;
pub mod init;
pub mod inspect;
pub mod keygen;
pub mod leave;
pub mod man;
pub mod print;
pub mod promote;
pub mod report;
pub mod retire;
pub mod revoke;
pub mod rotate;
pub mod schema;
pub mod stage;
pub mod status;

/// Rotates the keys of a site's signed cookies: the operator's side of the Countersign Worker
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  countersign init https://example.com  a Worker in front of a site, and whether its key is right
  countersign check                     what is wrong or unwise in the configuration
  countersign check --against live      what a deployment would lose
  countersign inspect --live            which key opens a cookie, and what becomes of it
  countersign status                    the keys, rules and problems of the live Worker
  countersign dashboard                 a page with the uses of each key, which updates itself
  countersign report --html FILE        the evidence that a key has opened nothing since a date
  countersign keygen --put KEY_2026_11  a new key, straight into the Worker's secrets
  countersign stage KEY_2026_11         the first step of a rotation; then promote, then retire
  countersign rotate --every 90d        one step of a rotation, if it is due: for cron and CI
  countersign revoke KEY_2026_11 --now  when a key of the ring has leaked

Exit codes:
  0  success
  1  problems were found, or the command refused to do harm
  2  the command line is wrong, or a file cannot be read
  3  wrangler, Cloudflare or the live Worker did not do what they were asked";

#[derive(Subcommand)]
enum Command {
    Init(init::InitArguments),
    Check(check::CheckArguments),
    Inspect(inspect::InspectArguments),
    Keygen(keygen::KeygenArguments),
    Stage(stage::StageArguments),
    Promote(promote::PromoteArguments),
    Retire(retire::RetireArguments),
    Revoke(revoke::RevokeArguments),
    Rotate(rotate::RotateArguments),
    Leave(leave::LeaveArguments),
    Print(print::PrintArguments),
    Status(status::StatusArguments),
    Dashboard(dashboard::DashboardArguments),
    Report(report::ReportArguments),
    Completions(completions::CompletionsArguments),
    Schema(schema::SchemaArguments),
    #[command(hide = true)]
    Man(man::ManArguments),
}

impl CommandLine {
    /// What was typed; what is wrong with it, and `--help`, end the process.
    pub fn typed() -> Self {
        let matches = help::fitted(Self::description(), width::of_help()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Every command and argument.
    fn description() -> clap::Command {
        Self::command()
    }

    /// Does what it says.
    pub fn run(self) -> Result<Answer, Failure> {
        match self.command {
            Command::Init(init) => init.run(),
            Command::Check(check) => check.run(),
            Command::Inspect(inspect) => inspect.run(),
            Command::Keygen(keygen) => keygen.run(),
            Command::Stage(stage) => Ok(stage.run()?),
            Command::Promote(promote) => Ok(promote.run()?),
            Command::Retire(retire) => Ok(retire.run()?),
            Command::Revoke(revoke) => Ok(revoke.run()?),
            Command::Rotate(rotate) => Ok(rotate.run()?),
            Command::Leave(leave) => Ok(leave.run()?),
            Command::Print(print) => print.run(),
            Command::Status(status) => status.run(),
            Command::Dashboard(dashboard) => dashboard.run(),
            Command::Report(report) => report.run(),
            Command::Completions(completions) => completions.run(Self::description()),
            Command::Schema(schema) => schema.run(),
            Command::Man(man) => man.run(Self::description()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::width::display_width;

    #[test]
    fn the_help_of_every_command_fits_the_terminal() {
        for width in 40..=200 {
            let mut whole = help::fitted(CommandLine::description(), width);
            whole.build();
            for command in whole.get_subcommands_mut() {
                for line in command.render_help().to_string().lines() {
                    let is_command = ["countersign ", "Usage: ", "'format = "]
                        .iter()
                        .any(|begin| line.trim_start().starts_with(begin));
                    let is_word = !line.trim().contains(' ');
                    assert!(
                        display_width(line) <= width || is_command || is_word,
                        "{width}: {line}"
                    );
                }
            }
        }
    }
}
