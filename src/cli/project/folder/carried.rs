//! The Worker that this binary carries: packed into it when it was compiled, or read from a folder while Countersign
//! itself is worked on.

use std::env;
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::release_file::ReleaseFile;
use crate::project::file::cause;
use crate::terminal::answer::Failure;

/// The folder of a Worker that stands in for the carried one.
///
/// Only a build with debug assertions reads it when it runs. For all others it counts when they are compiled
/// (`build.rs`).
const FOLDER: &str = "COUNTERSIGN_WORKER";

/// Where it stands in a folder, where it is found, and how it is carried; nothing where there is none. The entry comes
/// last, since it names the other.
const CARRIED: [(&str, &str, &[u8]); 2] = [
    (
        "worker/countersign_bg.wasm",
        "countersign_bg.wasm",
        include_bytes!(concat!(env!("OUT_DIR"), "/countersign_bg.wasm.gz")),
    ),
    (
        "worker/index.js",
        "index.js",
        include_bytes!(concat!(env!("OUT_DIR"), "/index.js.gz")),
    ),
];

/// The Worker's files.
///
/// # Errors
/// There is none.
pub fn worker() -> Result<Vec<ReleaseFile>, Failure> {
    if cfg!(debug_assertions)
        && let Some(folder) = env::var_os(FOLDER).filter(|folder| !folder.is_empty())
    {
        return read(Path::new(&folder));
    }
    if CARRIED.iter().any(|(.., packed)| packed.is_empty()) {
        return Err(none());
    }
    let file = |(path, _, packed)| ReleaseFile {
        path,
        bytes: unpacked(packed),
    };
    Ok(CARRIED.map(file).into())
}

/// The Worker's files from a folder as `npm run build` makes it.
fn read(folder: &Path) -> Result<Vec<ReleaseFile>, Failure> {
    let file = |(path, name, _)| {
        let from = folder.join(name);
        let bytes = fs::read(&from).map_err(|error| {
            Failure::usage(format!(
                "{} cannot be read: {}",
                from.display(),
                cause(&error)
            ))
            .hint(format!(
                "{FOLDER} names a folder that npm run build has made"
            ))
        })?;
        Ok(ReleaseFile { path, bytes })
    };
    CARRIED.into_iter().map(file).collect()
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .expect("build.rs packed it as a whole");
    bytes
}

fn none() -> Failure {
    let failure = Failure::usage("this countersign carries no Worker: it was compiled without one");
    let hint = if cfg!(debug_assertions) {
        format!("npm run build, then in front of the command: {FOLDER}=build")
    } else {
        format!(
            "take the countersign of a release; or in a clone of Countersign: \
             npm run build, then {FOLDER}=build cargo install --path src/cli"
        )
    };
    failure.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_worker_is_refused_with_the_variable_that_names_it() {
        let failure = read(Path::new("/no/such/folder")).err().unwrap();
        let text = "/no/such/folder/countersign_bg.wasm cannot be read: there is no such file";
        assert_eq!(failure.to_string(), text);
    }

    #[test]
    fn a_carried_file_comes_out_as_it_went_in() {
        use flate2::{Compression, write::GzEncoder};
        use std::io::Write;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(b"\0asm\x01").unwrap();
        assert_eq!(unpacked(&encoder.finish().unwrap()), b"\0asm\x01");
    }
}
