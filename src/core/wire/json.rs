//! The members of a JSON object, without a parser: where their values stand in its text, and what a
//! string among them stands for.
//!
//! A parser would bring the reading and writing of floating-point numbers along, and cookies from outside
//! need none.

use core::ops::Range;
use core::str::Chars;

use crate::prelude::*;
use crate::wire::encoding::{holds, push_hex};

mod writer;

pub use writer::Json;

/// What JSON takes for space (RFC 8259, section 2).
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Where the values of these members stand in the text of a JSON object; `None` where it is none, or one
/// of them stands there twice or behind escapes.
///
/// It is no parser of JSON: what a reader of JSON refuses may pass, what it accepts is split as it does.
pub fn members<const N: usize>(json: &str, names: [&str; N]) -> Option<[Option<Range<usize>>; N]> {
    let mut found = [const { None }; N];
    find(json, &names, &mut found)?;
    Some(found)
}

fn find(json: &str, names: &[&str], found: &mut [Option<Range<usize>>]) -> Option<()> {
    let mut rest = json.trim_start_matches(SPACE).strip_prefix('{')?;
    let mut goes_on = !rest.trim_start_matches(SPACE).starts_with('}');
    while goes_on {
        let (name, after) = split_value(rest.trim_start_matches(SPACE))?;
        let name = name.strip_prefix('"')?.strip_suffix('"')?;
        let after = after.trim_start_matches(SPACE).strip_prefix(':')?;
        let after = after.trim_start_matches(SPACE);
        let start = json.len() - after.len();
        let (value, after) = split_value(after)?;
        if let Some(at) = names.iter().position(|known| is_name(name, known)) {
            let is_first = found[at].is_none() && !holds(name, b'\\');
            found[at] = is_first.then_some(start..start + value.len());
            found[at].as_ref()?;
        }
        rest = after.trim_start_matches(SPACE);
        goes_on = rest.starts_with(',');
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    let after = rest.trim_start_matches(SPACE).strip_prefix('}')?;
    after.trim_start_matches(SPACE).is_empty().then_some(())
}

/// Whether what stands between the quotes of a JSON string is this name, escapes read.
fn is_name(text: &str, name: &str) -> bool {
    match holds(text, b'\\') {
        true => unescaped(text).is_some_and(|text| text == name),
        false => text == name,
    }
}

/// The JSON value that a text starts with, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut in_string) = (0_usize, false);
    let mut bytes = text.bytes().enumerate();
    while let Some((at, b)) = bytes.next() {
        match b {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            // what is neither in quotes nor in brackets ends before these
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => {
                return text.split_at_checked(at).filter(|_| at > 0);
            }
            _ => {}
        }
        if depth == 0 && !in_string && matches!(b, b'"' | b'}' | b']') {
            return text.split_at_checked(at + 1);
        }
    }
    None
}

/// The text that a JSON string stands for, or `None` where it is none, or stands for no Unicode text.
pub fn string(json: &str) -> Option<String> {
    unescaped(json.strip_prefix('"')?.strip_suffix('"')?)
}

fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => escaped(&mut chars)?,
            '"' | '\0'..='\x1F' => return None,
            c => c,
        });
    }
    Some(text)
}

/// What stands behind a backslash (RFC 8259, section 7).
fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return code_point(rest),
        _ => return None,
    })
}

fn code_point(rest: &mut Chars<'_>) -> Option<char> {
    let first = unit(rest)?;
    if let Some(c) = char::from_u32(first.into()) {
        return Some(c);
    }
    // half of a pair, whose other half must follow
    let is_pair = rest.next()? == '\\' && rest.next()? == 'u';
    let second = is_pair.then(|| unit(rest))??;
    char::decode_utf16([first, second]).next()?.ok()
}

/// Four hexadecimal digits: a unit of UTF-16.
fn unit(rest: &mut Chars<'_>) -> Option<u16> {
    let mut digits = rest.map_while(|c| c.to_digit(16)).take(4);
    let mut digit = || digits.next().map(|digit| digit as u16); // below 16
    Some(digit()? << 12 | digit()? << 8 | digit()? << 4 | digit()?)
}

/// A text as a JSON string in ASCII, which every reader of JSON reads.
pub fn ascii_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            ' '..='~' => json.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    json.push_str("\\u");
                    push_hex(&mut json, &unit.to_be_bytes());
                }
            }
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_member_that_stands_twice_or_behind_escapes_is_not_chosen() {
        let found = |json: &str| members(json, ["a", "b"]).map(|all| all.map(|at| at.is_some()));
        for (json, expected) in [
            (r#" { "a" : 1 , "x" : {"b":2} } "#, Some([true, false])),
            (r#"{"b":[1,"}"],"a":"\"\\"}"#, Some([true, true])),
            ("{}", Some([false, false])),
            (r#"{"a":1,"a":1}"#, None),
            (r#"{"\u0061":1}"#, None),
            (r#"{"a":1,"\u0061":1}"#, None),
            (r#"{"a":1}}"#, None),
            (r#"{"a":1,}"#, None),
            (r#"{"a":}"#, None),
            (r#"{"a" 1}"#, None),
            (r#"{a:1}"#, None),
            (r#"["a","b"]"#, None),
            ("", None),
        ] {
            assert_eq!(found(json), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_string_or_no_text_is_refused() {
        assert_eq!(string(r#""\ud83d\ude00\/\u00e9""#).as_deref(), Some("😀/é"));
        for bad in [
            "",
            "\"",
            "a",
            "1",
            "null",
            "\"a",
            r#""a\""#,
            r#""\x""#,
            r#""\u00e""#,
            r#""\u00eg""#,
            r#""\u+0e9""#,
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\n""#,
            r#""\ud83d\ud83d""#,
            r#""\ude00\ud83d""#,
            "\"a\"b\"",
            "\"a\nb\"",
        ] {
            assert_eq!(string(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_string_is_read_as_a_parser_of_json_reads_it(
            text in "[a\"\\\\/bfnrtu0-9dDeE8 é\\n]{0,24}", any: String,
        ) {
            let written = format!("\"{text}\"");
            prop_assert_eq!(string(&written), serde_json::from_str::<String>(&written).ok());
            prop_assert_eq!(string(&json!(any).to_string()), Some(any));
        }

        #[test]
        fn what_is_written_is_ascii_and_the_same_text(text: String) {
            let json = ascii_string(&text);
            prop_assert!(json.is_ascii());
            prop_assert_eq!(string(&json), Some(text.clone()));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn members_are_found_where_a_parser_of_json_finds_them(
            texts in prop::collection::vec(any::<String>(), 1..6), exp in any::<u32>(),
        ) {
            let mut value = json!({"exp": exp, "in": {"exp": texts}});
            for text in &texts {
                value[text] = json!([text, {text: text}]);
            }
            value["exp"] = json!(exp);
            for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let [at, ..] = members(&json, ["exp", "nbf"]).unwrap();
                prop_assert_eq!(&json[at.unwrap()], exp.to_string());
            }
        }
    }
}
