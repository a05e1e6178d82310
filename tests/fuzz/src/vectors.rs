//! Values of real frameworks, from tests/vectors.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Keyed, PAIR};
use countersign_core::settings::{Problems, Table};
use countersign_core::wire::encoding::{from_hex, from_pasted_base64};
use serde_json::Value;

/// A value that a framework made, in the format that reads it.
pub struct Vector {
    pub format: &'static str,
    pub keyed: Box<dyn Keyed>,
    pub value: String,
}

/// Some of each configuration and file.
pub fn all() -> &'static [Vector] {
    static ALL: OnceLock<Vec<Vector>> = OnceLock::new();
    ALL.get_or_init(load)
}

fn load() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let entries = fs::read_dir(&folder).expect("tests/vectors is there");
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    files
        .iter()
        .flat_map(|file| of_file(&fs::read_to_string(file).unwrap_or_default()))
        .collect()
}

fn of_file(text: &str) -> Vec<Vector> {
    let mut seen = Vec::new();
    let mut vectors = Vec::new();
    for row in text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let config = row["config"].to_string();
        if seen.iter().filter(|known| **known == config).count() < 2
            && let Some(vector) = read(&row)
        {
            vectors.push(vector);
            seen.push(config);
        }
    }
    vectors
}

fn read(row: &Value) -> Option<Vector> {
    let problems = Problems::default();
    let mut table = Table::new("config", &row["config"], &problems)?;
    let format = formats::read(&mut table)?;
    let cookie = row["cookie"].as_str()?.to_owned();
    let key = row["key"].as_str()?;
    let bytes = match row["key_encoding"].as_str() {
        None | Some("utf8") => key.as_bytes().to_vec(),
        Some("base64") => from_pasted_base64(key)?,
        _ => from_hex(key)?,
    };
    let keyed = format
        .keyed(&cookie, &Key::new(KeyId::parse("KEY")?, bytes))
        .ok()?;
    let mut value = row["value"].as_str()?.to_owned();
    if let Some(signature) = row["sig_value"].as_str() {
        value = format!("{value}{PAIR}{signature}");
    }
    // one that is signed in single bytes is another value as text
    keyed.open(&value).ok()?;
    Some(Vector {
        format: format.name,
        keyed,
        value,
    })
}
