//! Countersign stands in front of a web site and rotates the keys of its session cookies.
//!
//! It verifies the signed cookies of each request against a ring of keys, hands the origin the same
//! cookies signed with the key that the origin knows, and signs what the origin sets with the ring's
//! current key. The crate is a pure core with a thin Worker around it; imports point down only:
//!
//! ```text
//! worker            fetch event, bindings, reports; wasm32 only
//!   status, told    what the live Worker tells its operator, and how that is read
//!   gate, report    the decision, and how it is told; forwarding: which headers go on
//!   compatibility   of two policies, by their outlines
//!     policy        typed configuration; stand_in reads it where its secrets are not known
//!     cookie, look_alike
//!       formats     one file a format family
//!         key, primitives, encoding, json, settings, verdict
//! ```
//!
//! The core knows no clock, no environment and no I/O: the time comes in as a number, secrets as a
//! function, headers as text.

pub mod calendar;
pub mod compatibility;
pub mod cookie;
pub mod encoding;
pub mod formats;
pub mod forwarding;
pub mod gate;
pub mod json;
pub mod key;
pub mod look_alike;
pub mod outline;
pub mod policy;
pub mod primitives;
pub mod report;
pub mod settings;
pub mod stand_in;
pub mod status;
pub mod told;
pub mod verdict;

pub use gate::inspection;

#[cfg(target_arch = "wasm32")]
mod worker;
