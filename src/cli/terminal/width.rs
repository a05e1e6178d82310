//! How many columns there are for a text.

use std::env;
use std::io::IsTerminal;

pub use textwrap::core::display_width;

use terminal_size::{Height, Width, terminal_size, terminal_size_of};

/// The most that a text is wrapped at: longer lines are hard to read.
const WIDEST: usize = 100;
/// What a terminal has that does not say.
const USUAL: usize = 80;
/// Less than that is not worth wrapping for.
const LEAST: usize = 20;

/// Of `--help`, which is wrapped where it goes into a file, too.
pub fn of_help() -> usize {
    let asked = terminal_size().map(columns).or_else(of_variable);
    asked.unwrap_or(WIDEST).clamp(LEAST, WIDEST)
}

/// Of what is printed to a stream; none where it is no terminal, whose text is for programs as well.
pub fn of_stream(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let asked = of_variable().or_else(|| terminal_size_of(stream).map(columns));
    Some(asked.unwrap_or(USUAL).max(LEAST))
}

/// A text with spaces behind it, so many columns wide.
pub fn padded(text: &str, columns: usize) -> String {
    let spaces = columns.saturating_sub(display_width(text));
    text.to_owned() + &" ".repeat(spaces)
}

/// What `COLUMNS` says.
fn of_variable() -> Option<usize> {
    let columns = env::var("COLUMNS").ok()?.parse().ok();
    columns.filter(|columns| *columns > 0)
}

fn columns((Width(columns), _): (Width, Height)) -> usize {
    columns.into()
}

#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(windows)]
use std::os::windows::io::AsHandle as AsFd;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_padded_by_the_columns_that_it_takes() {
        assert_eq!(padded("sid", 5), "sid  ");
        assert_eq!(padded("日本", 5), "日本 ");
        assert_eq!(padded("longer", 3), "longer");
    }
}
