//! What stands on this machine: wrangler.toml, `.dev.vars`, the history in git, the site's address.

pub mod config;
pub mod copied_cookies;
pub mod dev_vars;
pub mod difference;
pub mod file;
pub mod folder;
pub mod git;
pub mod location;
pub mod options;
pub mod quotes;
pub mod routes;
pub mod site;
pub mod toml;
