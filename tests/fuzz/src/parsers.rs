//! What must hold of the readers of headers.

use arbitrary::Arbitrary;
use countersign_core::operations::status::is_path;
use countersign_core::wire::cookie::{SetCookie, pairs};
use countersign_core::wire::encoding::{
    base64url, from_base64, from_base64url, from_hex, from_uri_component, hex, python_quoted,
    python_unquoted, uri_component,
};

use crate::message::Text;

/// A text and bytes.
#[derive(Arbitrary, Debug)]
pub struct ParserCase {
    text: Text,
    raw: String,
    bytes: Vec<u8>,
}

/// Reads them in every way.
pub fn check(case: &ParserCase) {
    for text in [case.text.text(), case.raw.clone()] {
        let joined: Vec<&str> = pairs(&text).collect();
        assert_eq!(
            joined.join(";"),
            text,
            "the pairs of a header are the header"
        );
        if let Some(cookie) = SetCookie::parse(&text) {
            let attributes = cookie.attributes();
            let _ = cookie.is_deletion_by(&attributes, crate::site::NOW);
            let other = cookie.with_value("other");
            let again = SetCookie::parse(&other).expect("another value makes no other header");
            assert_eq!((again.name, again.value), (cookie.name, "other"));
        }
        assert_eq!(from_uri_component(&uri_component(&text)), text);
        if let Some(quoted) = python_quoted(&text) {
            assert_eq!(python_unquoted(&quoted), text);
        }
        let _ = (
            from_base64(&text),
            from_hex(&text),
            is_path(&text),
            python_unquoted(&text).len(),
        );
    }
    assert_eq!(
        from_base64url(&base64url(&case.bytes)).as_ref(),
        Some(&case.bytes)
    );
    assert_eq!(from_hex(&hex(&case.bytes)).as_ref(), Some(&case.bytes));
}
