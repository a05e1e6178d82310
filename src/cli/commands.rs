//! The commands, each in a file of its name, and the table of their arguments.

use clap::{Parser, Subcommand};

use crate::terminal::answer::{Answer, Failure};

pub mod check;
pub mod init;
pub mod inspect;
pub mod keygen;
pub mod leave;
pub mod promote;
pub mod retire;
pub mod revoke;
pub mod rotate;
pub mod stage;
pub mod status;

/// Rotates the keys of a site's signed cookies: the operator's side of the Countersign Worker
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP, max_term_width = 100)]
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
    Status(status::StatusArguments),
}

impl CommandLine {
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
            Command::Status(status) => status.run(),
        }
    }
}
