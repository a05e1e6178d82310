//! What a folder holds from which a Worker is deployed, beside its configuration and its secrets: what a release
//! brings, written once by `countersign init` and brought up to another release by `init --upgrade`.

mod carried;
mod change;
mod gitignore;
mod package;
mod record;
mod release;
mod release_file;
mod upgrade;

pub use release::release_files;
pub use upgrade::upgrade;
