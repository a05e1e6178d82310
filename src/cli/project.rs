//! What stands on this machine: wrangler's configuration, `.dev.vars`, the Worker's files, the history in git, the site's
//! address.

pub mod chosen_environment;
pub mod config;
pub mod copied_cookies;
pub mod dev_vars;
pub mod difference;
pub mod document;
pub mod dotenv;
pub mod expansion;
pub mod file;
pub mod folder;
pub mod git;
pub mod ledger;
pub mod lookup;
pub mod options;
pub mod quotes;
pub mod routes;
pub mod secrets_store;
pub mod site;
