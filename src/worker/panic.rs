//! What a panic logs. Rust's own words may quote what it was at work on: a visitor's cookie. So what is deployed logs
//! the place alone; a build for this machine (feature `local`) logs the words too.

use std::panic::{self, PanicHookInfo};

use wasm_bindgen::prelude::wasm_bindgen;

/// To be called in each instance of the wasm, before anything else. The crate `worker` sets a hook when an instance
/// starts, which logs the words: this one takes its place.
#[wasm_bindgen]
pub fn set_panic_hook() {
    panic::set_hook(Box::new(log));
}

#[cfg(feature = "local")]
fn log(panic: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(panic);
}

/// Logs file, line and column, and never the message.
#[cfg(not(feature = "local"))]
fn log(panic: &PanicHookInfo<'_>) {
    if let Some(place) = panic.location() {
        worker::console_error!("countersign: a panic at {place}");
    }
}
