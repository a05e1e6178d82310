//! Countersign stands in front of a web site and rotates the keys of its session cookies.
//!
//! It verifies the signed cookies of each request against a ring of keys, hands the origin the same
//! cookies signed with the key that the origin knows, and signs what the origin sets with the ring's
//! current key. This crate decides all of that, and is pure: the time comes in as a number, secrets as a
//! function, headers as text. It is `no_std`, so that naming a clock, a file or the environment does not compile.
//!
//! Each module names only those that stand before it:
//!
//! ```text
//! wire         the Cookie and Set-Cookie headers, look-alikes of names, encodings
//! crypto       every cryptographic step, and keys
//! settings     reads a table field by field, and gathers what is wrong with it
//! formats      how a cookie value is signed: one file a format family
//! config       the configuration as types, which cannot be wrong afterwards
//! gate         the decision about a request and its response
//! operations   reports, the ledger, the status endpoint, what a change of the configuration would lose
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod crypto;
pub mod formats;
pub mod gate;
pub mod operations;
pub mod settings;
pub mod wire;

/// What the standard library's prelude has beyond that of `core`.
mod prelude {
    pub use alloc::borrow::ToOwned;
    pub use alloc::boxed::Box;
    pub use alloc::string::{String, ToString};
    pub use alloc::vec::Vec;
    pub use alloc::{format, vec};
}
