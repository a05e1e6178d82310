//! The file in which wrangler writes down for programs what it did: WRANGLER_OUTPUT_FILE_PATH, an object a line.

use std::env;
use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::{self, Command};

use serde_json::Value;

const PATH: &str = "WRANGLER_OUTPUT_FILE_PATH";
const FOLDER: &str = "WRANGLER_OUTPUT_FILE_DIRECTORY";

/// The record of one command.
pub struct Record {
    path: PathBuf,
    /// How much stands in it already.
    begins_at: usize,
    /// Whether it is removed afterwards.
    is_temporary: bool,
}

impl Record {
    /// The file that the operator's environment names, or a new one; none where that cannot be made, or where the
    /// operator has each command write a file of its own.
    pub fn new() -> Option<Self> {
        if let Some(path) = env::var_os(PATH).filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            let begins_at = fs::read(&path).map_or(0, |bytes| bytes.len());
            return Some(Self {
                path,
                begins_at,
                is_temporary: false,
            });
        }
        if env::var_os(FOLDER).is_some() {
            return None;
        }
        (0..100).find_map(|attempt| {
            let name = format!("countersign-{}-{attempt}.ndjson", process::id());
            let path = env::temp_dir().join(name);
            let mut new = OpenOptions::new();
            new.write(true).create_new(true).open(&path).ok()?;
            Some(Self {
                path,
                begins_at: 0,
                is_temporary: true,
            })
        })
    }

    /// Has a command write to it.
    pub fn give_to(&self, command: &mut Command) {
        command.env(PATH, &self.path);
    }

    /// What it has written.
    pub fn entries(&self) -> Vec<Value> {
        let bytes = fs::read(&self.path).unwrap_or_default();
        let new = bytes.get(self.begins_at..).unwrap_or_default();
        let text = String::from_utf8_lossy(new);
        let lines = text.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = fs::remove_file(&self.path);
        }
    }
}
