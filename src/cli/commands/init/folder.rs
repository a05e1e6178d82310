//! Writes the files into a folder where none of them is yet.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::project::file::cause;
use crate::terminal::answer::Failure;

/// A file to be written.
pub struct NewFile {
    /// Below the folder.
    pub path: String,
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether its owner alone may read it.
    pub is_secret: bool,
}

/// Whether a folder is there and holds something beside git's own.
pub fn is_in_use(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name() != ".git")
}

/// Those of these files that are there already.
pub fn existing<'f>(folder: &Path, paths: impl Iterator<Item = &'f str>) -> Vec<String> {
    let there = paths.filter(|path| fs::symlink_metadata(folder.join(path)).is_ok());
    there.map(str::to_owned).collect()
}

/// Refuses where one of these files is there already.
///
/// # Errors
/// Names all that are.
pub fn refuse_to_overwrite<'f>(
    folder: &Path,
    paths: impl Iterator<Item = &'f str>,
) -> Result<(), Failure> {
    let existing = existing(folder, paths);
    if existing.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{} has these files already: {}",
        shown(folder),
        existing.join(", ")
    ))
    .hint("nothing was written; choose a new folder with --folder NAME"))
}

/// Writes all files, or says which could not be written.
///
/// # Errors
/// One is there already, or cannot be written: those before it stay.
pub fn write(folder: &Path, files: &[NewFile]) -> Result<(), Failure> {
    refuse_to_overwrite(folder, files.iter().map(|file| file.path.as_str()))?;
    for file in files {
        let path = folder.join(&file.path);
        write_one(&path, file).map_err(|error| {
            Failure::usage(format!(
                "{} cannot be written: {}",
                path.display(),
                cause(&error)
            ))
        })?;
    }
    Ok(())
}

fn write_one(path: &PathBuf, file: &NewFile) -> Result<(), std::io::Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if file.is_secret {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(&file.bytes)
}

/// A folder for people.
pub fn shown(folder: &Path) -> String {
    if folder == Path::new(".") {
        "this folder".to_owned()
    } else {
        folder.display().to_string()
    }
}
