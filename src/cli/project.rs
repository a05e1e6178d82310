//! What stands on this machine: wrangler.toml, `.dev.vars`, the Worker's files, the history in git, the site's
//! address.

pub mod config;
pub mod dev_vars;
pub mod difference;
pub mod dotenv;
pub mod expansion;
pub mod file;
pub mod folder;
pub mod git;
pub mod ledger;
pub mod location;
pub mod options;
pub mod quotes;
pub mod routes;
pub mod secrets_store;
pub mod site;
pub mod toml;
