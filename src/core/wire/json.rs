//! JSON by `serde_json`: members of an object from outside as they stand in its text, and what is written.

use alloc::borrow::Cow;
use core::fmt;
use core::ops::Range;

use serde::Serialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::prelude::*;

/// Where the values of these members stand in the text of a JSON object; `None` where it is none, or one
/// of them stands there twice or behind escapes: another reader might take another value.
pub fn members<const N: usize>(json: &str, names: [&str; N]) -> Option<[Option<Range<usize>>; N]> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Members(names)).ok()?;
    reader.end().ok()?;
    Some(found.map(|value| value.map(|value| range(json, value.get()))))
}

/// The text that a JSON string stands for, or `None` where it is none, or stands for no Unicode text.
pub fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// JSON of the Worker's own. What has names for its members can always be written.
pub fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A text as a JSON string in ASCII, as Python writes it.
pub fn ascii_string(text: &str) -> String {
    let mut json = String::new();
    for c in to_json(&text).chars() {
        if c.is_ascii() {
            json.push(c);
        } else {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            json.extend(units.map(|unit| format!("\\u{unit:04x}")));
        }
    }
    json
}

/// Where a part stands in the text that it was borrowed from.
fn range(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// Collects the values of the members that have these names.
struct Members<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            let is_escaped = name.get().contains('\\');
            let name = if is_escaped {
                string(name.get()).map(Cow::Owned)
            } else {
                Some(Cow::Borrowed(name.get().trim_matches('"')))
            };
            // a name that is no Unicode text is another member's
            let Some(at) = name.and_then(|name| self.0.iter().position(|known| *known == name))
            else {
                continue;
            };
            if is_escaped || found[at].replace(value).is_some() {
                return Err(A::Error::custom("a member stands twice or behind escapes"));
            }
        }
        Ok(found)
    }
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
            (r#"{"a":1,"\ud83d":1}"#, Some([true, false])),
            ("{\"a\":1,\"x\u{7}\":1}", None),
            ("{\"a\":1,\"x\":\"\n\"}", None),
            (r#"["a","b"]"#, None),
            ("", None),
        ] {
            assert_eq!(found(json), expected, "{json}");
        }
    }

    #[test]
    fn a_string_that_is_no_text_is_refused() {
        assert_eq!(string(r#""\ud83d\ude00\/\u00e9""#).as_deref(), Some("😀/é"));
        for bad in ["", "1", "null", "\"a", r#""\ud83d""#, "\"a\nb\""] {
            assert_eq!(string(bad), None, "{bad}");
        }
    }

    proptest! {
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
