//! What stands on this machine: wrangler's configuration, `.dev.vars`, the history in git, the site's address.

pub mod chosen_environment;
pub mod config;
pub mod dev_vars;
pub mod difference;
pub mod document;
pub mod file;
pub mod git;
pub mod lookup;
pub mod options;
pub mod quotes;
pub mod routes;
pub mod site;
