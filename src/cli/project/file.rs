//! Writes a file as a whole or not at all.
//!
//! The new bytes go into a file beside the old one, which then takes its name: a full disk, a power cut or a
//! kill leaves the old bytes or the new ones, never a part. What somebody else wrote meanwhile is not lost.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::terminal::answer::Failure;

/// Writes `after` in the place of `before`. Links and permissions stay.
///
/// # Errors
/// The file holds other bytes than `before` by now, or cannot be written. It is then as it was.
pub fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), Failure> {
    let shown = path.display();
    let unwritten = |error: Error| {
        Failure::usage(format!("{shown} cannot be written: {}", cause(&error)))
            .hint("it is as it was before")
    };
    // where the name is a link, what it leads to is replaced, and the link stays
    let target = path.canonicalize().map_err(unwritten)?;
    let temporary = TemporaryFile::write(&target, after).map_err(unwritten)?;
    if fs::read(&target).map_err(unwritten)? != before {
        return Err(Failure::refused(format!(
            "{shown} has been changed by somebody else while this command ran: nothing was written"
        ))
        .hint("look at the change, then run the command again"));
    }
    temporary.take_place(&target).map_err(unwritten)
}

/// A complete file beside another. It is removed again unless it takes the other's place.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn write(target: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let old = fs::metadata(target)?;
        if old.permissions().readonly() {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let (temporary, mut file) = Self::create(target)?;
        file.set_permissions(old.permissions())?;
        keep_owner(&file, &old);
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// A new file in the same folder, so that a rename is all that is left to do.
    fn create(target: &Path) -> Result<(Self, File), Error> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        for attempt in 0..100 {
            let path =
                target.with_file_name(format!(".{name}.{}.{attempt}.new", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self(path), file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn take_place(self, target: &Path) -> Result<(), Error> {
        fs::rename(&self.0, target)?;
        // the name is on the disk only with its folder; some systems cannot open one
        if let Some(folder) = target.parent()
            && let Ok(folder) = File::open(folder)
        {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // it is gone where it has taken the other's place
        let _ = fs::remove_file(&self.0);
    }
}

/// Where root edits somebody's file, it stays theirs.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

/// An error of the operating system without its number.
pub fn cause(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let name = format!("countersign-file-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = folder("replaced");
        let path = folder.join("wrangler.toml");
        fs::write(&path, "old").unwrap();
        replace(&path, b"old", b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(&folder), ["wrangler.toml"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_edit_of_somebody_else_is_not_overwritten() {
        let folder = folder("edited");
        let path = folder.join("wrangler.toml");
        fs::write(&path, "edited").unwrap();
        let failure = replace(&path, b"old", b"new").unwrap_err();
        assert!(failure.to_string().contains("changed by somebody else"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "edited");
        assert_eq!(names(&folder), ["wrangler.toml"]);
        fs::remove_file(&path).unwrap();
        assert!(replace(&path, b"old", b"new").is_err());
        assert!(names(&folder).is_empty());
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn permissions_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("links");
        let (path, link) = (folder.join("shared.toml"), folder.join("wrangler.toml"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("shared.toml", &link).unwrap();
        replace(&link, b"old", b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(replace(&link, b"new", b"newer").is_err(), "read-only");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        fs::remove_dir_all(folder).unwrap();
    }
}
