//! What the fuzz targets have in common: cases that are built from bytes, and what must hold of them.

pub mod bounds;
pub mod configuration;
#[cfg(feature = "command-line")]
pub mod dev_vars;
#[cfg(feature = "command-line")]
pub mod edits;
pub mod exchange;
pub mod given;
pub mod independent;
pub mod message;
pub mod open;
pub mod parsers;
#[cfg(feature = "command-line")]
pub mod replies;
pub mod request;
pub mod response;
pub mod servers;
pub mod site;
pub mod status_reply;
pub mod vectors;
