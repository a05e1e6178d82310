//! What becomes of `$` in a `.env` file, as the dotenv-expand that wrangler bundles replaces it.
//!
//! `$NAME`, `${NAME}`, `${NAME:-DEFAULT}`, `${NAME:+VALUE}`; `\$` is a `$`. dotenv-expand 12.0.2, `lib/main.js`. A
//! `.dev.vars` is never expanded.

use std::collections::HashMap;
use std::sync::LazyLock;

use regress::{Match, Regex};

/// Variables and their values, in order.
pub type Variables = Vec<(String, String)>;

/// The values with every variable replaced by its value: one of `environment`, or one that stands further up. What
/// is set in `environment` counts instead of what is written here.
///
/// None where dotenv-expand, and with it wrangler, comes to no end.
pub fn expand(variables: &[(String, String)], environment: &Variables) -> Option<Variables> {
    let environment: HashMap<&str, &str> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut done: Variables = Vec::new();
    for (name, written) in in_order(variables) {
        let value = match environment.get(name) {
            Some(value) if !value.is_empty() && *value != written => (*value).to_owned(),
            _ => expand_value(written, &environment, &done)?,
        };
        done.push((name.to_owned(), value.replace("\\$", "$")));
    }
    Some(done)
}

/// The order in which JavaScript has the fields of an object: whole numbers first.
fn in_order(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    let mut ordered: Vec<(&str, &str)> = Vec::new();
    for (name, value) in variables {
        match ordered.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = value,
            None => ordered.push((name, value)),
        }
    }
    // a stable sort: all others keep their order
    ordered.sort_by_key(|(name, _)| index(name).map_or((true, 0), |index| (false, index)));
    ordered
}

fn index(name: &str) -> Option<u32> {
    let index: u32 = name.parse().ok()?;
    (index != u32::MAX && index.to_string() == name).then_some(index)
}

fn expand_value(
    written: &str,
    environment: &HashMap<&str, &str>,
    done: &Variables,
) -> Option<String> {
    let running = |key: &str| {
        let found = done.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    };
    let set = |key: &str| {
        let found = environment.get(key).copied().or_else(|| running(key));
        found.filter(|value| !value.is_empty())
    };
    let mut result = written.to_owned();
    let mut seen = Vec::new();
    while let Some(found) = REFERENCE.find(&result) {
        if seen.len() > MOST || result.len() > LONGEST {
            return None;
        }
        seen.push(result.clone());
        let template = result.get(found.range())?.to_owned();
        let reference = Reference::read(&result, &found)?;
        let value = set(reference.name).filter(|_| !reference.is_alternative);
        let value = value.filter(|value| !seen.iter().any(|seen| seen == value));
        let default = match set(reference.name) {
            None if reference.is_alternative => "",
            _ => &reference.default,
        };
        let key = reference.name.to_owned();
        result = replace_first(&result, &template, value.unwrap_or(default));
        if running(&key) == Some(result.as_str()) {
            break;
        }
    }
    Some(result)
}

/// What stands behind a `$`.
struct Reference<'r> {
    name: &'r str,
    /// What counts where the variable is empty or not set; with `+`, where it is set.
    default: String,
    /// `+`: what it holds does not count.
    is_alternative: bool,
}

impl<'r> Reference<'r> {
    fn read(text: &'r str, found: &Match) -> Option<Self> {
        let expression = found.group(1).or_else(|| found.group(2))?;
        let expression = text.get(expression)?;
        let operator = OPERATOR.find(expression);
        // without an operator JavaScript splits at the text of nothing, which is "null"
        let splitter = operator
            .and_then(|found| expression.get(found.range()))
            .unwrap_or("null");
        let (name, default) = match expression.split_once(splitter) {
            Some((name, rest)) => (name, rest.to_owned()),
            None => (expression, String::new()),
        };
        Some(Self {
            name,
            default,
            is_alternative: splitter.ends_with('+'),
        })
    }
}

/// As JavaScript's `replace` does it with a text: `$$`, `$&`, `` $` `` and `$'` in the new one have a meaning.
fn replace_first(text: &str, template: &str, new: &str) -> String {
    let Some((before, behind)) = text.split_once(template) else {
        return text.to_owned();
    };
    let mut replaced = before.to_owned();
    let mut rest = new;
    while let Some((plain, marked)) = rest.split_once('$') {
        replaced.push_str(plain);
        let (what, length) = match marked.chars().next() {
            Some('$') => ("$", 1),
            Some('&') => (template, 1),
            Some('`') => (before, 1),
            Some('\'') => (behind, 1),
            _ => ("$", 0),
        };
        replaced.push_str(what);
        rest = marked.get(length..).unwrap_or_default();
    }
    replaced + rest + behind
}

/// After so many replacements, or at so many bytes, there is no end.
const MOST: usize = 200;
const LONGEST: usize = 1 << 16;

static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?<!\\)\$\{([^{}]+)\}|(?<!\\)\$([A-Za-z_][A-Za-z0-9_]*)"));
static OPERATOR: LazyLock<Regex> = LazyLock::new(|| regex(r"(:\+|\+|:-|-)"));

fn regex(pattern: &str) -> Regex {
    // the two patterns above are constant, and every test compiles them
    Regex::new(pattern).expect("a regular expression of JavaScript's")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn variables_are_replaced_as_dotenv_expand_replaces_them() {
        for (written, value) in [
            ("a$A", "ax"),
            ("a${A}b", "axb"),
            ("a$Ab", "a"),
            ("a\\$A", "a$A"),
            ("${NO:-d}${NO-e}", "de"),
            ("${A:+y}${NO+y}", "y"),
            ("9$1", "9$1"),
            ("pa$$", "pa$$"),
        ] {
            let both = variables(&[("A", "x"), ("B", written)]);
            let expected = variables(&[("A", "x"), ("B", value)]);
            assert_eq!(expand(&both, &Vec::new()), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_the_environment_sets_counts() {
        let set = variables(&[("A", "y"), ("C", "z")]);
        let written = variables(&[("A", "x"), ("B", "$A$C")]);
        let expected = variables(&[("A", "y"), ("B", "yz")]);
        assert_eq!(expand(&written, &set), Some(expected));
    }

    #[test]
    fn what_has_no_end_is_given_up() {
        let written = variables(&[("A", "\\$A"), ("B", "x$A")]);
        assert_eq!(expand(&written, &Vec::new()), None);
    }
}
