//! How servers read a Cookie header otherwise than at its semicolons: each reading shows what it takes for a pair.
//! None of them may find a managed name in what the gate lets pass, but with a value that the gate vouches for.

/// A name and a value.
pub type Pair = (String, String);

/// Every reading of a header.
pub fn readings(header: &str) -> [(&'static str, Vec<Pair>); 7] {
    [
        ("PHP", php(header)),
        ("Rack", rack(header)),
        ("CGI.pm", cgi(header)),
        ("a server that splits at commas", commas(header)),
        ("a server that folds names", folded(header)),
        ("a server that reads quotes in names", quoted_names(header)),
        ("a server that looks inside values", inside(header)),
    ]
}

/// The names that a server which knows double quotes in values reads at the top level: what a quote encloses, or
/// leaves open, is part of a value. `escapes` says whether a backslash takes a quote its meaning.
pub fn outside_quotes(header: &str, escapes: bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let end = end_of_pair(rest, escapes);
        let (pair, behind) = rest.split_at(end);
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        names.push(name.trim_matches([' ', '\t']).to_owned());
        rest = behind.strip_prefix(';').unwrap_or(behind);
    }
    names
}

fn end_of_pair(text: &str, escapes: bool) -> usize {
    let plain = text.find(';').unwrap_or(text.len());
    let Some(equals) = text[..plain].find('=') else {
        return plain;
    };
    let value = text[equals + 1..].trim_start_matches([' ', '\t']);
    if !value.starts_with('"') {
        return plain;
    }
    let start = text.len() - value.len() + 1;
    let mut is_escaped = false;
    for (at, c) in text[start..].char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if escapes => is_escaped = true,
            '"' => {
                let behind = start + at + 1;
                return text[behind..]
                    .find(';')
                    .map_or(text.len(), |more| behind + more);
            }
            _ => {}
        }
    }
    text.len()
}

fn split(header: &str, at: &[char]) -> Vec<Pair> {
    let pairs = header.split(at).filter_map(|pair| pair.split_once('='));
    let trimmed = |text: &str| text.trim_matches([' ', '\t']).to_owned();
    pairs
        .map(|(name, value)| (trimmed(name), trimmed(value)))
        .collect()
}

/// Names are percent-decoded, lose the space in front, end at `[`, and have `_` for a dot or a space, and for a `[` that
/// is not closed.
fn php(header: &str) -> Vec<Pair> {
    let name = |name: String| {
        let name = decoded(&name.replace('+', " "));
        let name = name.trim_start_matches(' ');
        let name = name.split('\0').next().unwrap_or_default();
        let name = match name.split_once('[') {
            Some((before, behind)) if !behind.contains(']') => format!("{before}_{behind}"),
            Some((before, _)) => before.to_owned(),
            None => name.to_owned(),
        };
        name.replace(['.', ' '], "_")
    };
    let pairs = split(header, &[';']).into_iter();
    pairs.map(|(own, value)| (name(own), value)).collect()
}

/// Semicolons and commas part the pairs, and names are percent-decoded.
fn rack(header: &str) -> Vec<Pair> {
    let pairs = split(header, &[';', ',']).into_iter();
    pairs.map(|(name, value)| (decoded(&name), value)).collect()
}

/// Names are percent-decoded, `%u0073` too.
fn cgi(header: &str) -> Vec<Pair> {
    let name = |name: &str| decoded(&name.replace("%u00", "%"));
    let pairs = split(header, &[';']).into_iter();
    pairs.map(|(own, value)| (name(&own), value)).collect()
}

fn commas(header: &str) -> Vec<Pair> {
    split(header, &[';', ','])
}

/// Case does not count, and other white space is trimmed too.
fn folded(header: &str) -> Vec<Pair> {
    let pairs = split(header, &[';']).into_iter();
    pairs
        .map(|(name, value)| (name.trim().to_lowercase(), value))
        .collect()
}

/// As Python's `http.cookies` and WebOb search: a pair may start behind anything that ends one somewhere. An empty value
/// ends at most a session (R7).
fn inside(header: &str) -> Vec<Pair> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || ";,\"[]\\".contains(c);
    let pairs = header.split(ends).filter_map(|pair| pair.split_once('='));
    let pairs = pairs.filter(|(_, value)| !value.is_empty());
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// RFC 2109: `$`-names are attributes of the protocol, and a name may stand in quotes, with escapes in them to some.
fn quoted_names(header: &str) -> Vec<Pair> {
    let pairs = split(header, &[';']).into_iter();
    let name = |name: String| {
        let name = unquoted(&name).unwrap_or(name);
        name.trim_matches('"').trim_start_matches('$').to_owned()
    };
    pairs.map(|(own, value)| (name(own), value)).collect()
}

/// A value in double quotes as Python's `http.cookies` reads it: `\"` and `\073` are escapes. None without quotes.
pub fn unquoted(value: &str) -> Option<String> {
    let inside = value.strip_prefix('"')?.strip_suffix('"')?;
    let mut read = String::new();
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        let octal = rest.get(1..4).filter(|_| c == '\\');
        let octal = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let (c, length) = match (octal, c) {
            (Some(byte), _) => (char::from(byte), 4),
            (None, '\\') => match rest.chars().nth(1) {
                Some(escaped) => (escaped, 1 + escaped.len_utf8()),
                None => (c, 1),
            },
            _ => (c, c.len_utf8()),
        };
        read.push(c);
        rest = &rest[length..];
    }
    Some(read)
}

/// Percent-decoded once.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
