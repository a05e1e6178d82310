//! The files that a release brings.

use super::release_file::ReleaseFile;
use super::{carried, gitignore, package, record};
use crate::terminal::answer::Failure;

/// The Worker that this binary carries, what deploys it, and the record of the Worker's files.
///
/// # Errors
/// This binary carries no Worker: says how to get one that does.
pub fn release_files(worker_name: &str) -> Result<Vec<ReleaseFile>, Failure> {
    Ok(complete(carried::worker()?, worker_name))
}

/// A Worker's files with those that belong beside them; the record comes last, once all else is in place.
pub fn complete(worker: Vec<ReleaseFile>, worker_name: &str) -> Vec<ReleaseFile> {
    let record = record::Record::of_this_release(&worker).text();
    let beside = [
        (package::PATH, package::text(worker_name)),
        (gitignore::PATH, gitignore::TEXT.to_owned()),
        (record::PATH, record),
    ];
    let beside = beside.map(|(path, text)| ReleaseFile {
        path,
        bytes: text.into_bytes(),
    });
    worker.into_iter().chain(beside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_brings_the_worker_what_deploys_it_and_a_record() {
        let entry = ReleaseFile {
            path: "worker/index.js",
            bytes: b"export default {}".into(),
        };
        let files = complete(vec![entry], "shop");
        let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
        let expected = [
            "worker/index.js",
            "package.json",
            ".gitignore",
            "worker/RELEASE.json",
        ];
        assert_eq!(paths, expected);
        assert_eq!(files[0].bytes, b"export default {}");
    }
}
