//! Shows a payload: as it is, and what it holds where that is base64 or compressed.

use std::io::Read;

use countersign_core::wire::encoding::{from_base64, from_base64url};
use flate2::read::ZlibDecoder;

/// The most that is unpacked, in bytes: some payloads are bombs.
const MOST: u64 = 1 << 20;

/// A payload for people.
pub fn shown(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    let inside = unpacked(&text)
        .or_else(|| decoded(&text))
        .and_then(readable);
    inside
        .or_else(|| readable(payload.to_vec()))
        .unwrap_or_else(|| format!("{} bytes that are no text", payload.len()))
}

/// Django and itsdangerous: a dot, and zlib in base64.
fn unpacked(text: &str) -> Option<Vec<u8>> {
    let packed = from_base64url(text.strip_prefix('.')?)?;
    let mut unpacked = Vec::new();
    ZlibDecoder::new(packed.as_slice())
        .take(MOST)
        .read_to_end(&mut unpacked)
        .ok()?;
    Some(unpacked)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let is_long = text.len() >= 8;
    is_long
        .then(|| from_base64url(text.trim_end_matches('=')).or_else(|| from_base64(text)))
        .flatten()
}

/// Text without control characters, which could play tricks on a terminal.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let is_readable = text
        .chars()
        .all(|c| !c.is_control() || c == '\n' || c == '\t');
    is_readable.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_payload_is_shown_where_it_is_text() {
        assert_eq!(shown(b"dark"), "dark");
        assert_eq!(shown(b"eyJ1IjoxfQ"), r#"{"u":1}"#);
        assert_eq!(shown(b".eJyrVipVsjKsBQAIjgId"), r#"{"u":1}"#);
        assert_eq!(shown(&[0, 1, 2]), "3 bytes that are no text");
        assert_eq!(shown(b"\x1b[2J"), "4 bytes that are no text");
    }
}
