//! The files of a release that a folder with a Worker holds.
// A stand-in: it reads them from the folder that COUNTERSIGN_WORKER names.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::terminal::answer::Failure;

/// A file of the release.
pub struct ReleaseFile {
    pub path: &'static str,
    pub bytes: Vec<u8>,
}

/// What `upgrade` did.
pub struct Upgrade;

impl fmt::Display for Upgrade {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Upgrade {
    pub fn to_json(&self) -> Value {
        Value::Null
    }
}

/// The Worker, package.json and .gitignore.
pub fn release_files(worker_name: &str) -> Result<Vec<ReleaseFile>, Failure> {
    let folder = std::env::var("COUNTERSIGN_WORKER").ok();
    let folder = folder.filter(|_| cfg!(debug_assertions));
    let folder = folder.ok_or_else(|| Failure::usage("this build carries no Worker"))?;
    let read = |name: &str| {
        std::fs::read(Path::new(&folder).join(name)).map_err(|e| Failure::usage(e.to_string()))
    };
    let package = serde_json::json!({
        "name": worker_name,
        "private": true,
        "scripts": { "dev": "wrangler dev", "deploy": "wrangler deploy" },
        "devDependencies": { "wrangler": "4.164.0" },
    });
    Ok(vec![
        ReleaseFile {
            path: "worker/index.js",
            bytes: read("index.js")?,
        },
        ReleaseFile {
            path: "worker/countersign_bg.wasm",
            bytes: read("countersign_bg.wasm")?,
        },
        ReleaseFile {
            path: "package.json",
            bytes: format!("{package:#}\n").into_bytes(),
        },
        ReleaseFile {
            path: ".gitignore",
            bytes: b"node_modules/\n.wrangler/\n.dev.vars*\n".to_vec(),
        },
    ])
}

/// Brings a folder up to this release.
pub fn upgrade(_: &Path) -> Result<Upgrade, Failure> {
    Err(Failure::usage("this build carries no Worker"))
}
