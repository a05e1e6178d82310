//! What is printed to standard error, beside the answer: progress and warnings.

use std::io::stderr;

use crate::terminal::harmless::printed;
use crate::terminal::style::{FAINT, styled};
use crate::terminal::width;
use crate::terminal::wrap::wrapped;

/// Prints to standard error, beside the answer: progress, warnings and failures.
pub fn print_beside(text: &str) {
    let text = printed(text);
    let text = match width::of_stream(&stderr()) {
        Some(width) => wrapped(&text, width),
        None => text,
    };
    anstream::eprint!("{text}");
}

/// Progress, beside the answer.
pub fn say(what: &str) {
    print_beside(&format!("{}\n", styled(FAINT, format!("{what} …"))));
}
