//! What every command says and how: the answer and its exit code, styles, times, text made harmless.

pub mod answer;
pub mod asking;
pub mod clock;
pub mod harmless;
pub mod paste;
pub mod progress;
pub mod style;
pub mod time;
