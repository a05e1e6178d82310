//! What every command says and how: the answer and its exit code, styles, times, text made harmless.

pub mod answer;
pub mod asking;
pub mod clock;
pub mod harmless;
pub mod help;
pub mod interrupt;
pub mod paste;
pub mod process;
pub mod progress;
pub mod style;
pub mod time;
pub mod waiting;
pub mod width;
pub mod wrap;
