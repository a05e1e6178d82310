//! What is printed to standard error, beside the answer: progress and warnings.

use crate::terminal::harmless::printed;
use crate::terminal::style::{FAINT, styled};

/// Prints to standard error, beside the answer: progress, warnings and failures.
pub fn print_beside(text: &str) {
    anstream::eprint!("{}", printed(text));
}

/// Progress, beside the answer.
pub fn say(what: &str) {
    print_beside(&format!("{}\n", styled(FAINT, format!("{what} …"))));
}
