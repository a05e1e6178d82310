//! Quotes that no file of the project is written with.

/// Quotes as word processors write them. No tool takes them for quotes.
pub const CURLY_QUOTES: [char; 5] = ['“', '”', '„', '‘', '’'];
