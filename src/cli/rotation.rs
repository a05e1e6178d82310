//! What the commands share that change wrangler.toml and what is live.

pub mod change;
pub mod editing;
pub mod grace;
pub mod history;
pub mod new_key;
pub mod promotion;
pub mod revocation;
pub mod subject;
