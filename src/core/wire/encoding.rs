//! How bytes become cookie text: base64, base62, percent-encoding, and the quoting of Python's
//! `http.cookies`.

use alloc::borrow::Cow;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD,
};
use memchr::memchr;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::prelude::*;

/// Appends `bytes` as base64url without padding.
pub fn push_base64url(text: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// `bytes` as base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text without padding and with unused bits zero, or `None`.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// `bytes` as base64url with padding.
pub fn padded_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    push_base64url(&mut text, bytes);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The bytes of a base64url text with padding and with unused bits zero, or `None`.
pub fn from_padded_base64url(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let is_padded = text.len() == digits.len().div_ceil(4) * 4;
    is_padded.then(|| from_base64url(digits)).flatten()
}

/// The bytes of a standard base64 text with padding, or `None`.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The bytes of a standard base64 text with padding, whatever its unused bits are, or `None`. (JavaScript's `atob`
/// reads white space and a text without padding as well.)
pub fn from_base64_leniently(text: &str) -> Option<Vec<u8>> {
    LENIENT_STANDARD.decode(text).ok()
}

const LENIENT_STANDARD: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The bytes of a base64url text as Python's decoder reads it: with or without padding, whatever its
/// unused bits are; or `None`.
pub fn from_base64url_leniently(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.trim_end_matches('=')).ok()
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The bytes of a base64 text as people paste it: in either alphabet, with or without padding, in lines of any
/// length as `openssl` breaks them; or `None`.
pub fn from_pasted_base64(text: &str) -> Option<Vec<u8>> {
    let letters = text.bytes().filter(|b| !b.is_ascii_whitespace());
    let in_one_alphabet = letters.map(|b| match b {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    });
    // it may be a key
    let letters = Zeroizing::new(in_one_alphabet.collect::<Vec<u8>>());
    let text = core::str::from_utf8(&letters).ok()?;
    from_base64url_leniently(text)
}

/// Appends `bytes` as standard base64 with padding.
pub fn push_base64(text: &mut String, bytes: &[u8]) {
    STANDARD.encode_string(bytes, text);
}

/// `bytes` as standard base64 without padding.
pub fn base64_unpadded(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// A text as JavaScript's `encodeURIComponent` writes it: upper-case hexadecimal, and
/// `A-Za-z0-9-_.!~*'()` as they are.
pub fn uri_component(text: &str) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'!')
        .remove(b'~')
        .remove(b'*')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')');
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A text as JavaScript's `decodeURIComponent` reads it, or as it stands where that would throw.
pub fn from_uri_component(text: &str) -> Cow<'_, str> {
    let is_whole = |rest: &str| {
        rest.as_bytes()
            .first_chunk::<2>()
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_whole) {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text)
        .decode_utf8()
        .unwrap_or(Cow::Borrowed(text))
}

/// Where this ASCII character first stands in a text. (`memchr` looks at sixteen bytes at a time in the Worker, the
/// standard library at eight, and its search of a text brings more along.)
pub fn place(text: &str, b: u8) -> Option<usize> {
    memchr(b, text.as_bytes())
}

/// Whether a text holds this ASCII character.
pub fn holds(text: &str, b: u8) -> bool {
    place(text, b).is_some()
}

/// A text in two at the first of this ASCII character.
pub fn cut_at(text: &str, b: u8) -> Option<(&str, &str)> {
    let at = place(text, b)?;
    Some((&text[..at], &text[at + 1..]))
}

/// A text in two at the first separator, like `split_once`. Its search of a text in a text takes longer to get ready
/// than to look over a cookie, and has a size.
pub fn cut_at_first<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let at = places(text, separator).next()?;
    Some((&text[..at], &text[at + separator.len()..])) // a whole text was found there
}

/// A text in two at the last separator.
pub fn cut_at_last<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let at = places(text, separator).next_back()?;
    Some((&text[..at], &text[at + separator.len()..])) // a whole text was found there
}

/// Where a text that is not empty stands in another.
fn places(text: &str, sought: &str) -> impl DoubleEndedIterator<Item = usize> {
    let (bytes, sought) = (text.as_bytes(), sought.as_bytes());
    let is_at = move |at: &usize| bytes[*at] == sought[0] && bytes[*at..].starts_with(sought);
    (0..(bytes.len() + 1).saturating_sub(sought.len())).filter(is_at)
}

/// How many characters `bytes` bytes take as base64 without padding.
pub const fn base64_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Whether a text consists of the characters of base64url, padding apart.
pub fn is_base64url(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether a text consists of the characters of standard base64, padding among them.
pub fn is_base64(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
}

/// Whether a text may stand in a cookie value without quotes: no white space, controls, commas,
/// semicolons, double quotes or backslashes (RFC 6265, section 4.1.1), and nothing beyond ASCII.
pub fn is_header_text(text: &str) -> bool {
    text.bytes().all(is_cookie_octet)
}

/// RFC 6265, section 4.1.1: anything else could end the value or the header where it is written.
pub fn is_cookie_octet(b: u8) -> bool {
    matches!(b, 0x21 | 0x23..=0x2B | 0x2D..=0x3A | 0x3C..=0x5B | 0x5D..=0x7E)
}

/// The bytes of a text of hexadecimal digits, two a byte, in either case, or `None`.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(text).ok()
}

/// Whether a text is `bytes` bytes in lower-case hexadecimal digits.
pub fn is_lower_hex(text: &str, bytes: usize) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 2 * bytes && text.bytes().all(is_digit)
}

/// `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// Appends `bytes` as lower-case hexadecimal digits.
pub fn push_hex(text: &mut String, bytes: &[u8]) {
    text.push_str(&hex(bytes));
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends a number in base 62 as Django writes it: digits, upper case, lower case; most significant
/// first, no leading zero (`django/core/signing.py`, `b62_encode`).
pub fn push_base62(text: &mut String, number: u64) {
    // 62^11 > 2^64
    let mut digits = [0; 11];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = BASE62[(rest % 62) as usize];
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// The number of a base-62 text in the form that [`push_base62`] writes, or `None`.
pub fn from_base62(text: &str) -> Option<u64> {
    if text.is_empty() || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.bytes().try_fold(0u64, |number, b| {
        let digit = match b {
            b'0'..=b'9' => b - b'0',
            b'A'..=b'Z' => b - b'A' + 10,
            b'a'..=b'z' => b - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u64::from(digit))
    })
}

/// A cookie value as Python's `http.cookies` reads it: inside double quotes, `\ooo` is the code point
/// of that octal number and any other escaped character is itself (`http/cookies.py`, `_unquote`).
pub fn python_unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return Cow::Borrowed(value);
    };
    if !holds(inner, b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        rest = match octal(after) {
            Some(code) => {
                text.push(char::from(code));
                &after[3..] // three ASCII digits, says `octal`
            }
            None => {
                let mut chars = after.chars();
                text.push(chars.next().unwrap_or('\\'));
                chars.as_str()
            }
        };
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// A text as Python's `http.cookies` writes it, quoted where it must be; `None` where the text has a
/// character above U+00FF, which Python cannot send in a header (`http/cookies.py`, `_quote`).
pub fn python_quoted(text: &str) -> Option<String> {
    let mut value = String::with_capacity(text.len() + 2);
    if text.bytes().all(is_python_legal) && !text.is_empty() {
        value.push_str(text);
        return Some(value);
    }
    if text.chars().any(|c| u32::from(c) > 0xFF) {
        return None;
    }
    value.push('"');
    for c in text.chars() {
        match c {
            '"' => value.push_str("\\\""),
            '\\' => value.push_str("\\\\"),
            c if is_python_unescaped(c) => value.push(c),
            c => {
                let code = u32::from(c);
                value.push('\\');
                for shift in [6, 3, 0] {
                    // three bits make a digit below eight
                    value.push(char::from(b"01234567"[(code >> shift & 7) as usize]));
                }
            }
        }
    }
    value.push('"');
    Some(value)
}

fn octal(text: &str) -> Option<u8> {
    let digits = text.as_bytes().first_chunk::<3>()?;
    let [a, b, c] = digits.map(|d| d.wrapping_sub(b'0'));
    (a < 4 && b < 8 && c < 8).then_some(a << 6 | b << 3 | c)
}

fn is_python_legal(b: u8) -> bool {
    PYTHON_LEGAL[usize::from(b)]
}

/// Looked up, since every byte of every value is asked.
static PYTHON_LEGAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0x21;
    while b < 0x7F {
        table[b] = !matches!(
            b as u8,
            b'"' | b'(' | b')' | b',' | b'/' | b';'..=b'@' | b'['..=b']' | b'{' | b'}'
        );
        b += 1;
    }
    table
};

fn is_python_unescaped(c: char) -> bool {
    u8::try_from(c).is_ok_and(|b| is_python_legal(b) || b" ()/<=>?@[]{}".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_python_leaves_unquoted_is_its_legal_characters() {
        for b in 0..=255u8 {
            let is_legal = b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&b);
            assert_eq!(is_python_legal(b), is_legal, "{b}");
        }
    }

    #[test]
    fn base62_is_djangos() {
        let write = |number| {
            let mut text = String::new();
            push_base62(&mut text, number);
            text
        };
        assert_eq!(write(0), "0");
        assert_eq!(write(1_682_883_680), "1ptCvA");
        assert_eq!(from_base62("1ptCvA"), Some(1_682_883_680));
        for bad in ["", "01", "a-", "zzzzzzzzzzzz"] {
            assert_eq!(from_base62(bad), None, "{bad}");
        }
    }

    #[test]
    fn octal_escapes_are_code_points() {
        assert_eq!(
            python_unquoted(r#""caf\351 \"x\" \\ \054""#),
            "café \"x\" \\ ,"
        );
        assert_eq!(python_unquoted(r#""\""#), "\\");
        assert_eq!(python_unquoted(r#"""#), "\"");
        assert_eq!(python_unquoted(r#""\8é""#), "8é");
    }

    #[test]
    fn a_broken_percent_sequence_leaves_the_text_as_it_came() {
        assert_eq!(from_uri_component("s%3Aa%2Fb"), "s:a/b");
        for broken in ["s%3", "s%3Ax%", "%zz", "%ff%3A"] {
            assert_eq!(from_uri_component(broken), broken);
        }
        assert_eq!(
            uri_component("s:a+/=é-_.!~*'()"),
            "s%3Aa%2B%2F%3D%C3%A9-_.!~*'()"
        );
    }

    #[test]
    fn a_padded_base64url_has_one_spelling() {
        for good in ["", "e30=", "YQ==", "YWJj", "_-8="] {
            assert_eq!(
                padded_base64url(&from_padded_base64url(good).unwrap()),
                good
            );
        }
        for bad in ["e30", "YQ=", "YQ===", "====", "=", "e31=", "+/8=", "Y"] {
            assert_eq!(from_padded_base64url(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pasted_base64_may_be_of_either_alphabet_with_or_without_padding() {
        let bytes = [0xFB, 0xFF, 0xFE, 0x3F];
        for good in [
            "+//+Pw==",
            "-__-Pw==",
            "+//+Pw",
            "-__-Pw",
            "+__+Pw==",
            " +//+\r\nPw==\n",
        ] {
            assert_eq!(
                from_pasted_base64(good).as_deref(),
                Some(&bytes[..]),
                "{good}"
            );
        }
        for bad in ["+//+P", "+//+Pw==+//+Pw==", "+//+P?==", "é"] {
            assert_eq!(from_pasted_base64(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn uri_components_come_back(text: String) {
            let encoded = uri_component(&text);
            prop_assert_eq!(from_uri_component(&encoded), text);
        }

        #[test]
        fn base62_comes_back(number: u64) {
            let mut text = String::new();
            push_base62(&mut text, number);
            prop_assert_eq!(from_base62(&text), Some(number));
        }

        #[test]
        fn quoting_comes_back(text in "[\u{0}-\u{ff}]{1,40}") {
            let value = python_quoted(&text).unwrap();
            prop_assert_eq!(python_unquoted(&value), text);
        }

        #[test]
        fn unquoting_never_panics(text in any::<String>()) {
            python_unquoted(&text);
            python_unquoted(&format!("\"{text}\""));
        }

        #[test]
        fn a_cut_at_a_separator_is_that_of_the_standard_library(
            text in "[a:é]{0,12}", separator in "[a:é]{1,3}"
        ) {
            prop_assert_eq!(cut_at_first(&text, &separator), text.split_once(&separator));
            prop_assert_eq!(cut_at(&text, b':'), text.split_once(':'));
            prop_assert_eq!(cut_at_last(&text, &separator), text.rsplit_once(&separator));
        }

        #[test]
        fn hex_comes_back(bytes: Vec<u8>) {
            let mut text = String::new();
            push_hex(&mut text, &bytes);
            prop_assert_eq!(from_hex(&text), Some(bytes));
        }
    }
}
