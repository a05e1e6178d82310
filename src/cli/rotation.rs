//! What the commands share that change wrangler.toml and what is live.

pub mod baseline;
pub mod change;
pub mod editing;
pub mod grace;
pub mod history;
pub mod key_lives;
pub mod key_or_format;
pub mod key_roles;
pub mod listed;
pub mod logins;
pub mod new_key;
pub mod options;
pub mod out_of_use;
pub mod promotion;
pub mod revocation;
pub mod ring_history;
pub mod run;
pub mod step;
