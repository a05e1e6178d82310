//! `countersign revoke`: a key that has leaked opens nothing any more, at once.

use clap::{Args, ValueEnum};

use crate::rotation::key_or_format::read_key;
use crate::rotation::options::ChangeOptions;
use crate::rotation::run;
use crate::terminal::answer::Answer;

mod error;
mod removal;
mod replacement;
mod upgrades;

use error::RevokeError;
use removal::Removal;

/// End what a leaked key opens, at once
#[derive(Args)]
#[command(after_help = AFTER_HELP, mut_arg("deploy", |deploy| deploy.help(DEPLOY)))]
pub struct RevokeArguments {
    /// The key: the name of its secret
    #[arg(value_name = "KEY")]
    key: String,

    /// Give it new bytes now, without a build or a commit; never where the site signs with it
    #[arg(long, conflicts_with_all = ["role", "to", "deploy"])]
    now: bool,

    /// Take this role from it and leave it the others [default: current and fallback]
    #[arg(long, value_enum)]
    role: Vec<RingRole>,

    /// The fallback that becomes the current key in its place
    #[arg(long, value_name = "KEY")]
    to: Option<String>,

    #[command(flatten)]
    options: ChangeOptions,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum RingRole {
    /// Signs what browsers get
    Current,
    /// Opens what browsers show
    Fallback,
    /// Opens what the site sets, beside the key that the site signs with
    Origin,
}

/// Unlike other steps it is not tried at 0 % first.
const DEPLOY: &str = "Deploy as well: from a clean tree, to all traffic at once";

const AFTER_HELP: &str = "\
Examples:
  countersign revoke KEY_2026_05 --now
      new bytes under the same name, live at once
  countersign revoke DJANGO_SECRET_KEY --role fallback --deploy
      out of the ring; the site goes on signing with it
  countersign revoke KEY_2026_11 --to KEY_2027_05 --deploy
      another key takes its place

Sessions that the key sealed end. It goes to all traffic at once: a visitor may
choose the version of a gradual deployment, and would choose the old one.

Exit codes:
  0  done
  1  refused: the ring would have no current key, or the site would not be understood
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

impl RevokeArguments {
    /// Revokes it.
    pub fn run(self) -> Result<Answer, RevokeError> {
        run::run(&self.options, |run, draft| {
            let key = read_key(&self.key)?;
            if self.now {
                replacement::replace(run, &draft, key.as_str())
            } else {
                self.removal(key.as_str()).carry_out(run, draft)
            }
        })
    }

    fn removal<'r>(&'r self, key: &'r str) -> Removal<'r> {
        let is_default = self.role.is_empty();
        let takes = |role| self.role.contains(&role);
        Removal {
            key,
            as_current: is_default || takes(RingRole::Current),
            as_fallback: is_default || takes(RingRole::Fallback),
            at_origin: takes(RingRole::Origin),
            successor: self.to.as_deref(),
        }
    }
}
