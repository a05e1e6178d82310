//! The arguments that several commands have.

use std::path::PathBuf;

use clap::Args;

/// Which configuration a command is about.
#[derive(Args)]
pub struct Which {
    /// wrangler.toml [default: the nearest one, in this folder or above]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}
