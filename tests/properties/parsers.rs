//! Cookie headers as servers of many kinds read them: the names and values that each finds.

/// A parser by its name. It may find more than its model does, never less.
pub type Parser = (&'static str, fn(&str) -> Vec<(String, String)>);

/// Those that see every pair between two semicolons that is not inside quotes.
pub const SPLITTERS: [Parser; 4] = [
    ("split at semicolons", at_semicolons),
    ("split at semicolons outside quotes", outside_quotes),
    (
        "the same, a backslash escaping anywhere",
        outside_quotes_escaped,
    ),
    (
        "the same, a backslash escaping inside quotes",
        outside_quotes_escaped_inside,
    ),
];

/// Those that see other things.
pub const OTHERS: [Parser; 6] = [
    ("split at semicolons and commas", at_commas),
    ("split at anything", at_anything),
    ("names percent-decoded", percent_decoding),
    ("PHP", php),
    ("Python's http.cookies", http_cookies),
    ("names without regard to case", caseless),
];

type Pairs = Vec<(String, String)>;

/// Name and value of a pair, without white space and control characters around them. A pair without `=`
/// counts as a name: some parsers take it for one.
fn split_url(pair: &str) -> (String, String) {
    let is_space = |c: char| c.is_whitespace() || c.is_control();
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let value = value.trim_matches(is_space);
    let value = value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .unwrap_or(value);
    (name.trim_matches(is_space).to_owned(), value.to_owned())
}

fn at_semicolons(header: &str) -> Pairs {
    header.split(';').map(split_url).collect()
}

fn at_commas(header: &str) -> Pairs {
    header.split([';', ',']).map(split_url).collect()
}

fn at_anything(header: &str) -> Pairs {
    let cuts = |c: char| {
        c == ';' || c == ',' || c == '"' || c.is_whitespace() || c.is_control() || !c.is_ascii()
    };
    header.split(cuts).map(split_url).collect()
}

fn caseless(header: &str) -> Pairs {
    let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
    at_commas(header).into_iter().map(lower).collect()
}

fn outside_quotes(header: &str) -> Pairs {
    toggling(header, false, false)
}

fn outside_quotes_escaped(header: &str) -> Pairs {
    toggling(header, true, true)
}

fn outside_quotes_escaped_inside(header: &str) -> Pairs {
    toggling(header, true, false)
}

fn toggling(header: &str, escapes_inside: bool, escapes_outside: bool) -> Pairs {
    let (mut pairs, mut pair) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in header.chars() {
        let escapes = if is_quoted {
            escapes_inside
        } else {
            escapes_outside
        };
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                pairs.push(split_url(&pair));
                pair.clear();
                is_escaped = false;
                continue;
            }
            _ => {}
        }
        is_escaped = c == '\\' && escapes && !is_escaped;
        pair.push(c);
    }
    pairs.push(split_url(&pair));
    pairs
}

/// Names decoded once, with `+` for a space, after the pairs are cut: Rack and the query parsers.
fn percent_decoding(header: &str) -> Pairs {
    at_commas(header)
        .into_iter()
        .map(|(name, value)| (decoded(&name).trim().to_owned(), value))
        .collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `php_default_treat_data` and `php_register_variable_ex`: names are decoded, cut at NUL and at an
/// index, and `.`, space and an unclosed `[` become `_`.
fn php(header: &str) -> Pairs {
    header
        .split(';')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name.trim_start());
            let name = name
                .trim_start_matches(' ')
                .split('\0')
                .next()
                .unwrap_or_default();
            let (name, is_index) = match name.split_once('[') {
                Some((before, rest)) if rest.contains(']') => (before.to_owned(), true),
                _ => (name.to_owned(), false),
            };
            let name = if is_index {
                name
            } else {
                name.replacen('[', "_", 1)
            };
            (name.replace(['.', ' '], "_"), decoded(value))
        })
        .collect()
}

/// A loose `http.cookies.SimpleCookie`: a key, perhaps a value that may be a quoted string with
/// semicolons in it, then white space, a semicolon or the end; it stops where that does not hold.
fn http_cookies(header: &str) -> Pairs {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "!#%&'~_`><@,:/$*+-.^|)(?}{".contains(c);
    let (mut pairs, mut rest) = (Vec::new(), header);
    loop {
        rest = rest.trim_start();
        let name = prefix(rest, is_key);
        if name.is_empty() {
            return pairs;
        }
        rest = rest[name.len()..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            value = match quoted_string(after) {
                Some(quoted) => quoted,
                None => prefix(after, |c| is_key(c) || "=[]".contains(c)),
            };
            rest = &after[value.len()..];
        }
        let after = rest.trim_start();
        let is_ended = after.is_empty() || after.starts_with(';') || after != rest;
        if !is_ended {
            return pairs;
        }
        pairs.push((name.to_owned(), value.trim_matches('"').to_owned()));
        rest = after.strip_prefix(';').unwrap_or(after);
    }
}

fn prefix(text: &str, is_part: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    &text[..end]
}

fn quoted_string(text: &str) -> Option<&str> {
    let mut is_escaped = false;
    for (at, c) in text.strip_prefix('"')?.char_indices() {
        match c {
            '"' if !is_escaped => return Some(&text[..at + 2]),
            c => is_escaped = c == '\\' && !is_escaped,
        }
    }
    None
}

#[test]
fn each_parser_reads_what_its_model_reads() {
    let found = |wanted: &str, header: &str| {
        let (_, parser) = SPLITTERS
            .iter()
            .chain(&OTHERS)
            .find(|(name, _)| *name == wanted)
            .unwrap();
        parser(header)
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(found("PHP", " a.b[c]=1;d e=2")[0], pair("a_b", "1"));
    assert_eq!(found("PHP", "a%20b%5Bc=1")[0], pair("a_b_c", "1"));
    assert_eq!(found("names percent-decoded", "%61=1")[0], pair("a", "1"));
    let quotes = "split at semicolons outside quotes";
    assert_eq!(
        found(quotes, "a=\"1; b=2\"; c=3"),
        [pair("a", "1; b=2"), pair("c", "3")]
    );
    let python = "Python's http.cookies";
    assert_eq!(
        found(python, "a=\"x; \\\" y\"; b=2 c"),
        [pair("a", "x; \\\" y"), pair("b", "2"), pair("c", "")]
    );
    assert_eq!(
        found("split at anything", "a=1 b=2"),
        [pair("a", "1"), pair("b", "2")]
    );
}
