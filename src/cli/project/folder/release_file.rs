//! A file that a release brings.

/// A file that a release brings.
pub struct ReleaseFile {
    /// Relative to the folder, with `/`.
    pub path: &'static str,
    /// All that it holds.
    pub bytes: Vec<u8>,
}
