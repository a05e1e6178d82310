//! `countersign man`: the manual's pages, one for each command, made for a release.

use std::path::PathBuf;

use clap::Args;

use crate::commands::CommandLine;
use crate::project::file::cause;
use crate::terminal::answer::{Answer, Failure};

/// Write the pages of the manual into a folder
#[derive(Args)]
pub struct ManArguments {
    /// The folder, which is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl ManArguments {
    /// Writes them.
    pub fn run(self) -> Result<Answer, Failure> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(CommandLine::description(), folder))
            .map_err(|error| {
                let shown = folder.display();
                Failure::usage(format!("{shown} cannot be written: {}", cause(&error)))
            })?;
        Ok(Answer::success(String::new()))
    }
}
