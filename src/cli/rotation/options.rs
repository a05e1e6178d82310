//! The arguments of the commands that change wrangler.toml and what is live.

use clap::Args;

use crate::project::options::WorkerOptions;

/// What every such command may be told.
#[derive(Args)]
pub struct ChangeOptions {
    #[command(flatten)]
    pub worker: WorkerOptions,

    /// Deploy as well: from a clean tree, a version that is tried before it gets traffic
    #[arg(long)]
    pub deploy: bool,

    /// Show what would be done, with the exact commands, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Take this file for what is live, and do not ask
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub against: Option<String>,

    /// Take the configuration as it is now for what is live, and do not ask
    #[arg(long)]
    pub offline: bool,

    /// A file with a cookie, NAME=VALUE, that the new version has to open before it gets traffic
    #[arg(long, value_name = "FILE", requires = "deploy")]
    pub test_cookie: Option<String>,
}
