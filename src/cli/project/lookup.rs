//! Which configuration wrangler takes where none is named: it looks upward for each name in turn, so that a
//! wrangler.jsonc further up comes before a wrangler.toml that is near; and a build tool may lead it elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::project::document::{Syntax, split_mark};

/// The names, in the order in which wrangler looks for them.
pub const NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// Where a build tool says which configuration counts.
const REDIRECT: &str = ".wrangler/deploy/config.json";

/// What a plain `wrangler deploy` takes in place of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum WranglersChoice {
    /// Another file.
    Other(PathBuf),
    /// The file that a build tool has left word of.
    Redirected { by: PathBuf, to: PathBuf },
    /// Nothing: it fails on the word that a build tool has left.
    Refused { by: PathBuf, why: &'static str },
}

impl WranglersChoice {
    /// The file that decides.
    pub fn file(&self) -> &Path {
        match self {
            Self::Other(path)
            | Self::Redirected { by: path, .. }
            | Self::Refused { by: path, .. } => path,
        }
    }

    /// What a plain `wrangler deploy` does.
    pub fn reason(&self) -> String {
        match self {
            Self::Other(_) => "wrangler reads it here, and not this file".to_owned(),
            Self::Redirected { to, .. } => format!(
                "leads to {}: wrangler deploys that, and not this file",
                to.display()
            ),
            Self::Refused { why, .. } => format!("{why}: wrangler refuses to deploy"),
        }
    }

    /// How a file is made the one that counts.
    pub fn cure(&self, path: &Path) -> String {
        let whose = match self {
            Self::Other(_) => "",
            _ => ", which a build tool has left",
        };
        format!(
            "delete {}{whose}, or name this file: npx wrangler deploy --config {}",
            self.file().display(),
            path.display()
        )
    }
}

/// The configuration in a folder or the nearest above it.
pub fn nearest(start: &Path) -> Option<PathBuf> {
    let folder = start.canonicalize().ok()?;
    let (up, name) = folder.ancestors().enumerate().find_map(|(up, folder)| {
        let name = NAMES.iter().find(|name| folder.join(name).is_file())?;
        Some((up, name))
    })?;
    Some(above(start, up).join(name))
}

/// The others that stand in the same folder.
pub fn beside(path: &Path) -> Vec<&'static str> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let others = NAMES.into_iter().filter(|name| {
        let other = folder.join(name);
        other.is_file() && !is_same(&other, path)
    });
    others.collect()
}

/// What wrangler takes in place of this file, if it is called in a folder and told nothing.
pub fn instead_of(path: &Path, start: &Path) -> Option<WranglersChoice> {
    let chosen = NAMES.iter().find_map(|name| find_up(start, name))?;
    match redirect(start, &chosen) {
        Some(WranglersChoice::Redirected { to, .. }) if is_same(&to, path) => None,
        Some(redirect) => Some(redirect),
        None if is_same(&chosen, path) => None,
        None => Some(WranglersChoice::Other(chosen)),
    }
}

fn redirect(start: &Path, chosen: &Path) -> Option<WranglersChoice> {
    let by = find_up(start, REDIRECT)?;
    let refused = |why| {
        let by = by.clone();
        Some(WranglersChoice::Refused { by, why })
    };
    let text = fs::read_to_string(&by).unwrap_or_default();
    let Ok(read) = Syntax::Jsonc.read(split_mark(&text).1) else {
        return refused("is not valid JSON");
    };
    let read = read.json();
    let to = read.get("configPath").and_then(Value::as_str);
    let Some(to) = to.filter(|to| !to.is_empty()) else {
        return refused("has no `configPath`");
    };
    let to = tidy(&by.parent().unwrap_or(Path::new("")).join(to));
    if !to.exists() {
        return refused("leads to a file that is not there");
    }
    let beside_chosen = chosen.parent().unwrap_or(Path::new("")).join(REDIRECT);
    if !is_same(&beside_chosen, &by) {
        return refused("does not stand beside the configuration");
    }
    Some(WranglersChoice::Redirected { by, to })
}

fn find_up(start: &Path, name: &str) -> Option<PathBuf> {
    let folder = start.canonicalize().ok()?;
    let mut folders = folder.ancestors();
    let up = folders.position(|folder| folder.join(name).is_file())?;
    Some(above(start, up).join(name))
}

fn above(start: &Path, up: usize) -> PathBuf {
    let start = if start == Path::new(".") {
        Path::new("")
    } else {
        start
    };
    start.join("../".repeat(up))
}

/// Without steps that lead into a folder and out of it again.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        let is_name = tidy.file_name().is_some() && !tidy.ends_with("..");
        if part.as_os_str() == ".." && is_name {
            tidy.pop();
        } else if part.as_os_str() != "." {
            tidy.push(part);
        }
    }
    tidy
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}
