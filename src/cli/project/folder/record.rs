//! `worker/RELEASE.json`: the release that a folder's files are of, and their hashes, so that an upgrade can tell what
//! somebody has edited since.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::package;
use super::release_file::ReleaseFile;
use crate::project::file::cause;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

pub const PATH: &str = "worker/RELEASE.json";

/// What a release has brought.
#[derive(Serialize, Deserialize)]
pub struct Record {
    /// The release of Countersign.
    pub release: Version,
    /// The release of wrangler that it was tested with, as package.json names it.
    pub wrangler: String,
    /// The SHA-256 of each file of the Worker, in hexadecimal digits.
    pub files: BTreeMap<String, String>,
}

impl Record {
    /// What this release brings.
    pub fn of_this_release(worker: &[ReleaseFile]) -> Self {
        let hash = |file: &ReleaseFile| (file.path.to_owned(), sha256(&file.bytes));
        Self {
            release: this_release(),
            wrangler: package::wrangler(),
            files: worker.iter().map(hash).collect(),
        }
    }

    /// What was brought into a folder.
    ///
    /// # Errors
    /// `init` has not made it, or the record cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(PATH);
        let shown = path.display();
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::usage(format!(
                "there is no {shown}: this is no folder that countersign init has made"
            ))
            .hint("go to the folder of wrangler.toml; or make one: countersign init")
            .hint("a clone of Countersign is brought up to date by git pull"),
            _ => Failure::usage(format!("{shown} cannot be read: {}", cause(&error))),
        })?;
        harmless::json(&text).ok_or_else(|| {
            Failure::usage(format!("{shown} is not what a release writes there"))
                .hint(format!("bring it back: git checkout {PATH}"))
        })
    }

    /// Whether a file holds something else than this release brought.
    pub fn is_edited(&self, path: &str, bytes: &[u8]) -> bool {
        self.files
            .get(path)
            .is_none_or(|hash| *hash != sha256(bytes))
    }

    /// As it stands in the file.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("texts as keys and values");
        text + "\n"
    }
}

/// The release of this binary.
pub fn this_release() -> Version {
    Version::parse(env!("CARGO_PKG_VERSION")).expect("cargo takes no other version")
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_names_the_release_and_each_file_of_the_worker_with_its_hash() {
        let file = ReleaseFile {
            path: "worker/index.js",
            bytes: b"abc".to_vec(),
        };
        let record = Record::of_this_release(&[file]);
        // FIPS 180-2, appendix B.1
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = format!(
            "{{\n  \"release\": \"{}\",\n  \"wrangler\": \"{}\",\n  \"files\": {{\n    \"worker/index.js\": \"{hash}\"\n  }}\n}}\n",
            env!("CARGO_PKG_VERSION"),
            package::wrangler(),
        );
        assert_eq!(record.text(), expected);
        assert!(!record.is_edited("worker/index.js", b"abc"));
        assert!(record.is_edited("worker/index.js", b"abcd"));
        assert!(record.is_edited("worker/other.js", b"abc"));
    }
}
