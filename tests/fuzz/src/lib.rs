//! What the fuzz targets have in common: cases that are built from bytes, and what must hold of them.

pub mod configuration;
pub mod exchange;
pub mod independent;
pub mod message;
pub mod open;
pub mod parsers;
pub mod readings;
pub mod request;
pub mod site;
pub mod status_reply;
pub mod vectors;
