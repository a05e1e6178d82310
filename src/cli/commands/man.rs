//! `countersign man`: the manual's pages, one for each command, made for a release.

use std::path::PathBuf;

use clap::{Args, Command};

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
    /// Writes them for the whole command line.
    pub fn run(self, whole: Command) -> Result<Answer, Failure> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(whole, folder))
            .map_err(|error| {
                let shown = folder.display();
                Failure::usage(format!("{shown} cannot be written: {}", cause(&error)))
            })?;
        Ok(Answer::success(String::new()))
    }
}
