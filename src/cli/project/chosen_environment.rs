//! The environment that wrangler takes where no `--env` is given: CLOUDFLARE_ENV, also from a `.env`.

use std::env;
use std::path::Path;

use crate::project::dev_vars::DevVars;

/// An environment that is chosen without a word on the command line.
pub struct ChosenEnvironment {
    pub name: String,
    /// Where it is set.
    pub source: String,
}

impl ChosenEnvironment {
    /// As wrangler looks for it: a `.env.local` comes before a `.env`, and both count only where the variable is
    /// not set or empty.
    pub fn find() -> Option<Self> {
        let set = env::var(VARIABLE).ok().filter(|name| !name.is_empty());
        if let Some(name) = set {
            let source = "set in the environment".to_owned();
            return Some(Self { name, source });
        }
        // wrangler reads them in the folder that it is called in
        let (name, file) = FILES.iter().find_map(|file| {
            let name = DevVars::at(Path::new(file))?.text(VARIABLE)?.to_owned();
            Some((name, file))
        })?;
        let source = format!("set in {file}");
        (!name.is_empty()).then_some(Self { name, source })
    }
}

const VARIABLE: &str = "CLOUDFLARE_ENV";

/// The last one that wrangler reads comes first.
const FILES: [&str; 2] = [".env.local", ".env"];
