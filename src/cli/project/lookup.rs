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

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("countersign-lookup-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(folder.join("inner/.wrangler/deploy")).unwrap();
            Self(folder)
        }

        fn write(&self, path: &str, text: &str) -> PathBuf {
            let path = self.0.join(path);
            fs::write(&path, text).unwrap();
            path
        }

        fn instead(&self) -> Option<WranglersChoice> {
            let inner = self.0.join("inner");
            instead_of(&inner.join("wrangler.toml"), &inner)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_json_further_up_comes_before_a_toml_that_is_near() {
        let scratch = Scratch::new("above");
        let near = scratch.write("inner/wrangler.toml", "");
        assert_eq!(scratch.instead(), None);
        scratch.write("wrangler.jsonc", "{}");
        let inner = scratch.0.join("inner");
        assert_eq!(nearest(&inner), Some(near));
        let above = WranglersChoice::Other(inner.join("../wrangler.jsonc"));
        assert_eq!(scratch.instead(), Some(above));
        scratch.write("wrangler.json", "{}");
        let above = WranglersChoice::Other(inner.join("../wrangler.json"));
        assert_eq!(scratch.instead(), Some(above));
        assert_eq!(beside(&scratch.0.join("wrangler.json")), ["wrangler.jsonc"]);
    }

    #[test]
    fn the_word_of_a_build_tool_counts_before_the_names() {
        let scratch = Scratch::new("redirect");
        let own = scratch.write("inner/wrangler.toml", "");
        let by = scratch.write("inner/.wrangler/deploy/config.json", "{}");
        let refused = |why| {
            let by = by.clone();
            Some(WranglersChoice::Refused { by, why })
        };
        assert_eq!(scratch.instead(), refused("has no `configPath`"));
        fs::write(&by, "{").unwrap();
        assert_eq!(scratch.instead(), refused("is not valid JSON"));
        fs::write(&by, r#"{ "configPath": "../../built.json" } // by vite"#).unwrap();
        let missing = refused("leads to a file that is not there");
        assert_eq!(scratch.instead(), missing);
        let to = scratch.write("inner/built.json", "{}");
        let redirected = WranglersChoice::Redirected { by: by.clone(), to };
        assert_eq!(scratch.instead(), Some(redirected));
        fs::write(&by, r#"{ "configPath": "../../wrangler.toml" }"#).unwrap();
        assert_eq!(scratch.instead(), None);
        scratch.write("wrangler.json", "{}");
        let elsewhere = refused("does not stand beside the configuration");
        assert_eq!(scratch.instead(), elsewhere);
        assert_eq!(nearest(&scratch.0.join("inner")), Some(own));
    }
}
