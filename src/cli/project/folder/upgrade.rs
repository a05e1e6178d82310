//! Brings a folder that `init` has made up to the release of this binary.
//!
//! The Worker's files are the release's. package.json and .gitignore are somebody's, and get only what they lack;
//! wrangler.toml and `.dev.vars` are not touched.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use semver::Version;
use serde_json::{Value, json};

use super::change::{ChangeKind, FileChange};
use super::record::{self, Record, this_release};
use super::release::release_files;
use super::release_file::ReleaseFile;
use super::{gitignore, package};
use crate::project::file::{cause, replace};
use crate::terminal::answer::Failure;
use crate::terminal::style::{HINT, styled};

/// What an upgrade has done.
#[derive(Debug)]
pub struct Upgrade {
    from: Version,
    to: Version,
    /// None where the folder was up to date.
    changes: Vec<FileChange>,
}

/// Brings the folder's files up to this binary's release.
///
/// # Errors
/// `init` has not made the folder, its release is newer, this binary carries no Worker, or a file cannot be read:
/// then nothing is written. Or a file cannot be written: then another run does the rest.
pub fn upgrade(folder: &Path) -> Result<Upgrade, Failure> {
    upgrade_with(folder, release_files)
}

fn upgrade_with(
    folder: &Path,
    release_files: impl FnOnce(&str) -> Result<Vec<ReleaseFile>, Failure>,
) -> Result<Upgrade, Failure> {
    let before = Record::read(folder)?;
    let to = this_release();
    if before.release > to {
        return Err(newer(&before.release, &to));
    }
    let files = release_files(&name_of(folder))?;
    // all is read and decided before anything is written
    let edits = files.iter().map(|file| Edit::of(folder, file, &before));
    let edits: Vec<Edit> = edits.collect::<Result<_, _>>()?;
    for edit in &edits {
        edit.write(folder)?;
    }
    Ok(Upgrade {
        from: before.release,
        to,
        changes: edits.into_iter().filter_map(|edit| edit.told).collect(),
    })
}

fn newer(theirs: &Version, own: &Version) -> Failure {
    Failure::refused(format!(
        "the folder is of release {theirs}, and this countersign of {own}, which is older"
    ))
    .hint(format!(
        "install countersign {theirs} or newer, then run the command again"
    ))
}

/// A Worker may be called otherwise; this only counts where somebody has deleted package.json.
fn name_of(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_default();
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What becomes of one file.
struct Edit {
    path: &'static str,
    /// None where it is missing.
    before: Option<Vec<u8>>,
    /// None where it stays.
    after: Option<Vec<u8>>,
    told: Option<FileChange>,
}

impl Edit {
    fn of(folder: &Path, file: &ReleaseFile, record: &Record) -> Result<Self, Failure> {
        let before = read(&folder.join(file.path))?;
        let (after, kind) = match &before {
            None => (Some(file.bytes.clone()), Some(ChangeKind::Written)),
            Some(before) => match file.path {
                package::PATH => of_package(before, record)?,
                gitignore::PATH => of_gitignore(before),
                _ if *before == file.bytes => (None, None),
                record::PATH => (Some(file.bytes.clone()), None),
                path => {
                    let edited = record.is_edited(path, before);
                    (
                        Some(file.bytes.clone()),
                        Some(ChangeKind::Replaced { edited }),
                    )
                }
            },
        };
        let told = kind.map(|kind| FileChange {
            path: file.path,
            kind,
        });
        Ok(Self {
            path: file.path,
            before,
            after,
            told,
        })
    }

    fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(self.path);
        match (&self.before, &self.after) {
            (_, None) => Ok(()),
            (Some(before), Some(after)) => replace(&path, before, after),
            (None, Some(after)) => create(&path, after),
        }
    }
}

fn of_gitignore(before: &[u8]) -> (Option<Vec<u8>>, Option<ChangeKind>) {
    match gitignore::completed(before) {
        Some((after, lines)) => (Some(after), Some(ChangeKind::LinesAdded { lines })),
        None => (None, None),
    }
}

/// Only the version that the release before had pinned is replaced.
fn of_package(
    before: &[u8],
    record: &Record,
) -> Result<(Option<Vec<u8>>, Option<ChangeKind>), Failure> {
    let invalid = |error: &dyn fmt::Display| {
        Failure::usage(format!("{} is not valid: {error}", package::PATH))
            .hint("mend it, then run the command again: nothing was written")
    };
    let text = str::from_utf8(before).map_err(|error| invalid(&error))?;
    let tested = package::wrangler();
    let entry = package::wrangler_entry(text).map_err(|error| invalid(&error))?;
    Ok(match entry {
        Some(entry) if entry.version == tested => (None, None),
        Some(entry) if entry.version == record.wrangler => {
            let after = entry.replaced(text, &tested).into_bytes();
            let from = entry.version;
            (
                Some(after),
                Some(ChangeKind::WranglerUpdated { from, to: tested }),
            )
        }
        entry => {
            let version = entry.map(|entry| entry.version);
            (None, Some(ChangeKind::WranglerKept { version, tested }))
        }
    })
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::usage(format!(
            "{} cannot be read: {}",
            path.display(),
            cause(&error)
        ))),
    }
}

fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| {
        Failure::usage(format!(
            "{} cannot be written: {}",
            path.display(),
            cause(&error)
        ))
    })
}

impl Upgrade {
    /// The commands that follow.
    fn next(&self) -> Vec<&'static str> {
        let installs = |change: &FileChange| {
            let is_new = matches!(
                change.kind,
                ChangeKind::Written | ChangeKind::WranglerUpdated { .. }
            );
            change.path == package::PATH && is_new
        };
        let install = self.changes.iter().any(installs).then_some("npm install");
        install.into_iter().chain(["countersign check"]).collect()
    }

    /// For `--json`: the releases, each change, and the commands that follow.
    pub fn to_json(&self) -> Value {
        json!({ "from": self.from, "to": self.to, "changes": self.changes, "next": self.next() })
    }
}

impl fmt::Display for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            writeln!(f, "release {}", self.to)?;
        } else {
            writeln!(f, "from release {} to {}", self.from, self.to)?;
        }
        let width = self.changes.iter().map(|change| change.path.len()).max();
        let width = width.unwrap_or_default();
        for FileChange { path, kind } in &self.changes {
            writeln!(f, "  {path:width$}  {kind}")?;
        }
        if self.changes.is_empty() {
            writeln!(f, "  every file is up to date")?;
        }
        for command in self.next() {
            writeln!(f, "{} {command}", styled(HINT, "next:"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::release::complete;
    use super::*;

    const FORMER_WASM: &str = "worker/countersign_bg.wasm";
    const ENTRY: &str = "worker/index.js";

    struct Folder(PathBuf);

    impl Folder {
        /// As `init` of release 0.0.1 has made it, which brought another Worker and wrangler 4.1.0.
        fn new(name: &str) -> Self {
            let name = format!("countersign-upgrade-{}-{name}", std::process::id());
            let folder = Self(std::env::temp_dir().join(name));
            let _ = fs::remove_dir_all(&folder.0);
            fs::create_dir_all(folder.0.join("worker")).unwrap();
            for file in complete(worker("former"), "shop") {
                fs::write(folder.0.join(file.path), file.bytes).unwrap();
            }
            folder.edit(package::PATH, &package::wrangler(), "4.1.0");
            folder.edit(record::PATH, &package::wrangler(), "4.1.0");
            folder.edit(record::PATH, &this_release().to_string(), "0.0.1");
            folder.write("wrangler.toml", "name = \"shop\"\n");
            folder
        }

        fn text(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap()
        }

        fn write(&self, path: &str, text: &str) {
            fs::write(self.0.join(path), text).unwrap();
        }

        fn edit(&self, path: &str, from: &str, to: &str) {
            let before = self.text(path);
            assert!(before.contains(from), "{path}: {before}");
            self.write(path, &before.replace(from, to));
        }

        fn upgrade(&self) -> Result<Upgrade, Failure> {
            upgrade_with(&self.0, |name| Ok(complete(worker("this"), name)))
        }

        fn changes(&self) -> Vec<(&'static str, ChangeKind)> {
            let changes = self.upgrade().unwrap().changes.into_iter();
            changes.map(|change| (change.path, change.kind)).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn worker(release: &str) -> Vec<ReleaseFile> {
        let file = |path| ReleaseFile {
            path,
            bytes: format!("{path} of {release} release").into_bytes(),
        };
        [FORMER_WASM, ENTRY].map(file).into()
    }

    fn replaced(path: &'static str, edited: bool) -> (&'static str, ChangeKind) {
        (path, ChangeKind::Replaced { edited })
    }

    fn wrangler_updated() -> (&'static str, ChangeKind) {
        let (from, to) = ("4.1.0".to_owned(), package::wrangler());
        (package::PATH, ChangeKind::WranglerUpdated { from, to })
    }

    #[test]
    fn a_folder_is_brought_up_to_this_release_and_then_is_up_to_date() {
        let folder = Folder::new("release");
        let expected = [
            replaced(FORMER_WASM, false),
            replaced(ENTRY, false),
            wrangler_updated(),
        ];
        assert_eq!(folder.changes(), expected);
        for file in complete(worker("this"), "shop") {
            assert_eq!(
                folder.text(file.path).into_bytes(),
                file.bytes,
                "{}",
                file.path
            );
        }
        assert_eq!(folder.text("wrangler.toml"), "name = \"shop\"\n");
        assert_eq!(folder.changes(), []);
    }

    #[test]
    fn what_somebody_has_edited_in_the_worker_is_replaced_and_told() {
        let folder = Folder::new("edited");
        folder.write(ENTRY, "console.log(1)");
        let told = folder.upgrade().unwrap();
        assert_eq!(folder.text(ENTRY), "worker/index.js of this release");
        let expected = format!(
            "from release 0.0.1 to {}
  worker/countersign_bg.wasm  replaced
  worker/index.js             replaced, and with it what somebody had edited there
  package.json                wrangler 4.1.0 is now {}
",
            this_release(),
            package::wrangler()
        );
        assert!(told.to_string().starts_with(&expected), "{told}");
        assert_eq!(told.to_json()["changes"][1]["edited"], true);
        assert_eq!(
            told.to_json()["next"],
            json!(["npm install", "countersign check"])
        );
    }

    #[test]
    fn a_script_a_further_package_and_a_line_of_ones_own_stay() {
        let folder = Folder::new("own");
        folder.edit(package::PATH, "wrangler dev", "wrangler dev --port 80");
        folder.write(".gitignore", "dist\n");
        let before = folder.text(package::PATH);
        let changes = folder.changes();
        assert_eq!(changes[2], wrangler_updated());
        assert!(matches!(&changes[3].1, ChangeKind::LinesAdded { lines } if lines.len() == 6));
        let after = before.replace("4.1.0", &package::wrangler());
        assert_eq!(folder.text(package::PATH), after);
        assert_eq!(
            folder.text(".gitignore"),
            format!("{}dist\n", gitignore::TEXT)
        );
    }

    #[test]
    fn a_wrangler_that_somebody_has_chosen_stays() {
        let folder = Folder::new("chosen");
        folder.edit(package::PATH, "4.1.0", "^5");
        let before = folder.text(package::PATH);
        let kept = |version| ChangeKind::WranglerKept {
            version,
            tested: package::wrangler(),
        };
        assert_eq!(folder.changes()[2].1, kept(Some("^5".to_owned())));
        assert_eq!(folder.text(package::PATH), before);
        folder.write(package::PATH, "{}");
        assert_eq!(folder.changes()[0].1, kept(None));
    }

    #[test]
    fn what_is_missing_is_written_again() {
        let folder = Folder::new("missing");
        fs::remove_file(folder.0.join(ENTRY)).unwrap();
        fs::remove_file(folder.0.join(package::PATH)).unwrap();
        let changes = folder.changes();
        assert_eq!(changes[1], (ENTRY, ChangeKind::Written));
        assert_eq!(changes[2], (package::PATH, ChangeKind::Written));
        assert_eq!(folder.changes(), []);
    }

    #[test]
    fn nothing_is_written_where_something_cannot_be_read() {
        let folder = Folder::new("invalid");
        folder.write(package::PATH, "{");
        assert!(
            folder
                .upgrade()
                .unwrap_err()
                .says("package.json is not valid")
        );
        assert_eq!(folder.text(ENTRY), "worker/index.js of former release");
        folder.write(record::PATH, "<<<<<<< HEAD");
        assert!(
            folder
                .upgrade()
                .unwrap_err()
                .says("is not what a release writes")
        );
        fs::remove_file(folder.0.join(record::PATH)).unwrap();
        assert!(
            folder
                .upgrade()
                .unwrap_err()
                .says("no folder that countersign init has made")
        );
    }

    #[test]
    fn a_newer_release_is_not_taken_back() {
        let folder = Folder::new("newer");
        folder.edit(record::PATH, "0.0.1", "999.0.0-rc.1");
        assert!(folder.upgrade().unwrap_err().says("which is older"));
        assert_eq!(folder.text(ENTRY), "worker/index.js of former release");
    }
}
