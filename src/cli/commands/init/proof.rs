//! Proves a key: whether it opens a cookie, in which format, with which options.

use countersign_core::config::Policy;
use countersign_core::crypto::key::Encoding;
use countersign_core::formats::{Opening, openings};
use countersign_core::gate::inspection::inspect;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::found::FoundCookie;
use super::names::openings_by_likelihood;

/// A key that opens a cookie.
pub struct Proof {
    /// The key as it has to stand in a secret.
    pub key: Zeroizing<String>,
    /// The formats in which it opens the cookie, that which a rule should name first.
    pub openings: Vec<Opening>,
}

/// The format and the options that somebody has named.
#[derive(Clone, Default)]
pub struct Wanted {
    pub format: Option<String>,
    pub options: Map<String, Value>,
}

/// A key as it was pasted may have quotes around it, or be a line of a file of settings. The first reading that opens
/// the cookie counts.
pub fn prove(cookie: &FoundCookie, pasted: &str, wanted: &Wanted) -> Option<Proof> {
    readings(pasted).into_iter().find_map(|key| {
        let found = if wanted.options.is_empty() {
            openings(&cookie.name, &cookie.value, &key)
        } else {
            wanted.openings(cookie, &key)
        };
        let is_wanted = |opening: &Opening| {
            wanted
                .format
                .as_deref()
                .is_none_or(|format| format == opening.format)
        };
        let found: Vec<Opening> = found.into_iter().filter(is_wanted).collect();
        let openings = openings_by_likelihood(cookie, found);
        (!openings.is_empty()).then_some(Proof { key, openings })
    })
}

impl Wanted {
    /// The formats that open a cookie with the options that were named.
    fn openings(&self, cookie: &FoundCookie, key: &str) -> Vec<Opening> {
        let mut found = Vec::new();
        for shape in &cookie.shapes {
            let mut options = shape.options.clone();
            options.extend(self.options.clone());
            for encoding in [Encoding::Utf8, Encoding::Base64, Encoding::Hex] {
                let opening = Opening {
                    format: shape.format,
                    options: options.clone(),
                    encoding,
                    is_own_spelling: true,
                };
                if opens(&opening, cookie, key) {
                    found.push(opening);
                }
            }
        }
        found
    }
}

fn opens(opening: &Opening, cookie: &FoundCookie, key: &str) -> bool {
    let mut rule = opening.options.clone();
    rule.insert("name".to_owned(), cookie.name.clone().into());
    rule.insert("format".to_owned(), opening.format.into());
    rule.insert("upgrade".to_owned(), "never".into());
    let encoding = encoding_name(opening.encoding).unwrap_or("utf8");
    let named = json!({ "secret": "KEY", "encoding": encoding });
    let value = json!({ "keys": { "current": named, "origin": named }, "cookies": [rule] });
    let policy = Policy::parse(&value, &|_| Some(key.to_owned()));
    policy.is_ok_and(|policy| {
        inspect(&policy, &cookie.name, &cookie.value, 0)
            .opened
            .is_some()
    })
}

/// The word of the configuration, where the key is not the secret's own text.
pub fn encoding_name(encoding: Encoding) -> Option<&'static str> {
    match encoding {
        Encoding::Utf8 => None,
        Encoding::Base64 => Some("base64"),
        Encoding::Hex => Some("hex"),
    }
}

/// What a pasted key may be, the likeliest first: all of it, without the quotes around it, what a line of settings
/// gives a name to.
pub fn readings(pasted: &str) -> Vec<Zeroizing<String>> {
    let text = pasted.trim_matches(['\r', '\n']);
    let trimmed = text.trim();
    let mut all = Vec::new();
    let mut add = |text: &str| {
        if !text.trim().is_empty()
            && !all
                .iter()
                .any(|known: &Zeroizing<String>| known.as_str() == text)
        {
            all.push(Zeroizing::new(text.to_owned()));
        }
    };
    add(trimmed);
    add(unquoted(trimmed));
    if let Some(value) = assigned(trimmed) {
        add(value);
        add(unquoted(value));
    }
    in_quotes(trimmed).into_iter().for_each(&mut add);
    add(text);
    all
}

/// The key to keep where nothing proves a reading: without quotes that surely do not belong to it.
pub fn likely_reading(pasted: &str) -> Zeroizing<String> {
    let trimmed = pasted.trim();
    Zeroizing::new(unquoted(assigned(trimmed).unwrap_or(trimmed)).to_owned())
}

fn unquoted(text: &str) -> &str {
    let quotes = ['"', '\'', '`'];
    let inside = quotes.iter().find_map(|quote| {
        let behind = text
            .strip_prefix('b')
            .filter(|rest| rest.starts_with(*quote))
            .unwrap_or(text);
        behind.strip_prefix(*quote)?.strip_suffix(*quote)
    });
    inside.unwrap_or(text)
}

/// Each text in quotes, as in a list of keys: `["new", "old"]`.
fn in_quotes(text: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), text);
    while found.len() < MOST_IN_QUOTES
        && let Some((_, quote)) = rest.split_once(['\'', '"'])
        && let Some(mark) = rest.as_bytes().get(rest.len() - quote.len() - 1)
        && let Some((inside, behind)) = quote.split_once(char::from(*mark))
    {
        found.push(inside);
        rest = behind;
    }
    found
}

const MOST_IN_QUOTES: usize = 8;

/// The value in `SECRET_KEY = "…"`, `export SECRET_KEY=…` and `secret_key_base: …`.
fn assigned(text: &str) -> Option<&str> {
    let text = text.strip_prefix("export ").unwrap_or(text).trim_start();
    let (name, value) = text.split_once(['=', ':'])?;
    let name = name.trim().trim_matches(['"', '\'']);
    let names_a_key = ["key", "secret", "password"]
        .iter()
        .any(|word| name.to_ascii_lowercase().contains(word));
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    let value = value.trim().trim_end_matches([',', ';']);
    (names_a_key && is_name && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pasted: &str) -> Vec<String> {
        readings(pasted).iter().map(|key| key.to_string()).collect()
    }

    #[test]
    fn a_key_is_read_without_what_it_was_copied_with() {
        for (pasted, key) in [
            ("s3cret\n", "s3cret"),
            ("  s3cret  ", "s3cret"),
            ("'s3cret'", "s3cret"),
            ("b's3cret'", "s3cret"),
            ("SECRET_KEY = 's3cret'", "s3cret"),
            ("export SESSION_SECRET=\"s3cret\"", "s3cret"),
            ("secret_key_base: s3cret", "s3cret"),
            ("\"secret\": \"s3cret\",", "s3cret"),
        ] {
            assert!(all(pasted).iter().any(|reading| reading == key), "{pasted}");
            assert_eq!(likely_reading(pasted).as_str(), key, "{pasted}");
        }
        let list = all("keys: ['new', \"it's old\"]");
        assert!(
            list.ends_with(&["new".to_owned(), "it's old".to_owned()]),
            "{list:?}"
        );
        assert_eq!(all("base64:abc="), ["base64:abc="]);
        assert_eq!(all("a=b"), ["a=b"]);
        assert!(all(" \n").is_empty());
    }
}
