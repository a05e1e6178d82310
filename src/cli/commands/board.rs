//! What the dashboard and the report have in common: what is known of the live Worker, and how it is drawn.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_core::crypto::Digest;

pub mod area;
pub mod colours;
pub mod decline;
pub mod facts;
pub mod figures_view;
pub mod keys_view;
pub mod lives_view;
pub mod source;
pub mod steps_view;
pub mod summary;
pub mod words;

/// The style of both.
pub const STYLE: &str = include_str!("board/style.css");

/// What a policy says of an element with this text.
pub fn page_source(text: &str) -> String {
    let hash = Digest::Sha256.hash(&[text.as_bytes()]);
    format!("'sha256-{}'", STANDARD.encode(&*hash))
}
