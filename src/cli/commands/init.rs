//! `countersign init`: makes a folder from which a Worker is deployed, or brings one up to this binary's release.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::project::folder;
use crate::terminal::answer::{Answer, Failure};

/// Make a folder from which a Worker is deployed
#[derive(Args)]
pub struct InitArguments {
    /// Bring the folder's Worker up to the release of this countersign, and say what changed
    #[arg(long)]
    upgrade: bool,

    /// The folder
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,

    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl InitArguments {
    /// Upgrades, and says what changed; or writes the files of a release.
    pub fn run(self) -> Result<Answer, Failure> {
        if !self.upgrade {
            return self.write();
        }
        let upgrade = folder::upgrade(&self.folder)?;
        Ok(Answer::success(if self.json {
            format!("{:#}\n", upgrade.to_json())
        } else {
            upgrade.to_string()
        }))
    }

    fn write(&self) -> Result<Answer, Failure> {
        let unwritten = |error: std::io::Error| Failure::usage(error.to_string());
        for file in folder::release_files("countersign")? {
            let path = self.folder.join(file.path);
            fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(unwritten)?;
            fs::write(path, file.bytes).map_err(unwritten)?;
        }
        Ok(Answer::success(""))
    }
}
