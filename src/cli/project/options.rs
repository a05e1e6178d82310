//! The arguments that several commands have.

use std::path::PathBuf;

use clap::Args;

use crate::project::config::{Config, Environment};
use crate::terminal::answer::Failure;

/// Which configuration a command reads.
#[derive(Args)]
pub struct ConfigOption {
    /// wrangler.toml, .jsonc or .json [default: the nearest, here or above]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// Which Worker a command is about.
#[derive(Args)]
pub struct WorkerOptions {
    /// The environment of the configuration [default: the top level]
    #[arg(long, value_name = "ENV")]
    pub env: Option<String>,

    /// The site of the live Worker [default: the host of the first route]
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_URL",
        hide_env_values = true
    )]
    pub url: Option<String>,

    #[command(flatten)]
    pub file: ConfigOption,
}

/// What a command has that looks and changes nothing.
#[derive(Args)]
pub struct QueryOptions {
    #[command(flatten)]
    pub worker: WorkerOptions,

    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

impl ConfigOption {
    /// Whether a file is named.
    pub fn is_named(&self) -> bool {
        self.config.is_some()
    }

    /// Reads the file.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read(&self) -> Result<Config, Failure> {
        Config::read(self.config.as_deref())
    }
}

impl WorkerOptions {
    /// The environment that is meant.
    ///
    /// # Errors
    /// It is not there.
    pub fn environment<'c>(&self, config: &'c Config) -> Result<Environment<'c>, Failure> {
        config.one(self.env.as_deref())
    }

    /// The configuration for what asks a live Worker; none is needed where a URL names the site.
    ///
    /// # Errors
    /// It is needed, or named, and cannot be read.
    pub fn optional_config(&self) -> Result<Option<Config>, Failure> {
        match self.file.read() {
            Err(_) if self.url.is_some() && !self.file.is_named() => Ok(None),
            read => read.map(Some),
        }
    }
}
