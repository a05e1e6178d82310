//! `countersign print`: the variable COUNTERSIGN as a deployment would send it.

use clap::Args;

use crate::project::options::ConfigOption;
use crate::terminal::answer::{Answer, Failure};

/// Print the variable COUNTERSIGN as JSON, as a deployment would send it
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct PrintArguments {
    /// The environment of wrangler.toml [default: the top level]
    #[arg(long, value_name = "ENV")]
    env: Option<String>,

    #[command(flatten)]
    file: ConfigOption,
}

const AFTER_HELP: &str = "\
Examples:
  countersign print > countersign.json        for a Worker under workerd (docs/self-hosted.md)
  countersign print --env staging             of an environment

It names keys and holds none. Whether it is right says `countersign check`.

Exit codes:
  0  it is printed
  2  the command line is wrong, or there is no variable COUNTERSIGN";

impl PrintArguments {
    /// Prints it.
    pub fn run(self) -> Result<Answer, Failure> {
        let config = self.file.read()?;
        let environment = config.one(self.env.as_deref())?;
        let value = environment.countersign().ok_or_else(|| {
            Failure::usage(format!(
                "{} has no variable COUNTERSIGN at {}",
                config.path.display(),
                environment.title()
            ))
            .hint("write the tables [vars.COUNTERSIGN]: docs/formats.md has rules to paste")
        })?;
        Ok(Answer::success(format!("{value:#}\n")))
    }
}
