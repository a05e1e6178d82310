//! What the site's servers might read in a Cookie header: plainly, and in the ways of careless parsers. Written from
//! the parsers' documents and not from the core.

use std::collections::{BTreeMap, BTreeSet};

use crate::independent::{SCHEMES, Scheme};
use crate::site::Role;

/// The pairs of a Cookie header, plainly: at each semicolon, name and value at the first `=`.
pub fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = header.split(';');
    pairs.filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
}

/// The payloads that a site reads of a scheme's cookies: for each copy its own, or nothing where it does not verify.
pub fn payloads(scheme: Scheme, key: &str, header: &str) -> Vec<Option<String>> {
    if scheme == Scheme::Pieces {
        return joined(scheme, header)
            .map(|value| scheme.read(key, &value?, None))
            .into_iter()
            .collect();
    }
    let companions = pairs(header).filter(|(name, _)| Some(*name) == scheme.companion());
    let companions: BTreeSet<&str> = companions.map(|(_, value)| value).collect();
    let read = |value: &str| {
        let mut shown = companions.iter().copied().map(Some).chain([None]);
        shown.find_map(|companion| scheme.read(key, value, companion))
    };
    let copies = pairs(header).filter(|(name, _)| *name == scheme.cookie());
    let mut known = BTreeMap::new(); // one may stand there hundreds of times
    copies
        .map(|(_, value)| known.entry(value).or_insert_with(|| read(value)).clone())
        .collect()
}

/// As Auth.js joins pieces: every cookie whose name starts so, by its number. Nothing where there is none; no value where
/// a piece is missing or stands there twice.
fn joined(scheme: Scheme, header: &str) -> Option<Option<String>> {
    let own = pairs(header).filter_map(|(name, value)| {
        let rest = name.strip_prefix(scheme.cookie())?;
        Some((rest.to_owned(), value))
    });
    let mut pieces: Vec<(String, &str)> = own.collect();
    if pieces.is_empty() {
        return None;
    }
    if let [(rest, value)] = &pieces[..]
        && rest.is_empty()
    {
        return Some(Some((*value).to_owned()));
    }
    let number = |rest: &str| rest.strip_prefix('.')?.parse::<usize>().ok();
    pieces.sort_by_key(|(rest, _)| number(rest));
    let is_piece = |(at, (rest, _)): (usize, &(String, &str))| *rest == format!(".{at}");
    let is_whole = pieces.iter().enumerate().all(is_piece);
    Some(is_whole.then(|| pieces.iter().map(|(_, value)| *value).collect()))
}

/// A managed name that a careless parser finds, and what it would take for its value.
#[derive(Debug)]
pub struct Careless {
    pub scheme: Scheme,
    pub value: String,
    pub is_companion: bool,
}

/// Every managed name that a careless parser might find where the plain reading has none: pieces between white space,
/// controls, commas, double quotes and brackets, names percent-decoded and in any case.
pub fn careless(header: &str) -> Vec<Careless> {
    let mut found = Vec::new();
    for pair in header.split(';') {
        let is_managed = pair
            .trim_matches([' ', '\t'])
            .split_once('=')
            .is_some_and(|(name, _)| SCHEMES.iter().any(|scheme| is_of(*scheme, name)));
        let cut = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || !c.is_ascii()
                || matches!(c, ',' | '"' | '[' | ']' | '\\')
        };
        // a managed pair itself is what the plain reading sees; what is in its value is another's
        let pieces = pair.trim_matches([' ', '\t']).split(cut);
        for piece in pieces.skip(usize::from(is_managed)) {
            found.extend(named(piece));
        }
    }
    found
}

/// Whether it is the scheme's name, a piece's or the signature's.
fn is_of(scheme: Scheme, name: &str) -> bool {
    name == scheme.cookie()
        || Some(name) == scheme.companion()
        || (scheme == Scheme::Pieces && name.starts_with(scheme.cookie()))
}

fn named(piece: &str) -> Option<Careless> {
    let (name, value) = piece.split_once('=')?;
    let is_around = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '%');
    let name = decoded(name.trim_start_matches(is_around)).to_ascii_lowercase();
    let name = name.as_str();
    let is_it = |scheme: &Scheme| {
        name == scheme.cookie().trim_matches('_')
            || name == scheme.cookie()
            || Some(name) == scheme.companion()
    };
    let scheme = SCHEMES.into_iter().find(is_it)?;
    Some(Careless {
        scheme,
        value: value.to_owned(),
        is_companion: Some(name) == scheme.companion(),
    })
}

/// `%73`, and `%u0073` as some read it; anything else stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let long = tail.strip_prefix(b"u").filter(|tail| tail.len() >= 4);
        let (digits, width) = match long {
            Some(tail) => (tail.get(..4), 6),
            None => (tail.get(..2), 3),
        };
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let is_hex = |digits: &&str| digits.bytes().all(|b| b.is_ascii_hexdigit());
        let code = digits
            .filter(is_hex)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code as u8);
                rest = &rest[width..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a double quote is left open before a managed cookie: a parser that minds quotes takes that cookie for a part
/// of another's value. Backslashes aside.
pub fn leaves_quote_open(header: &str) -> bool {
    let mut is_open = false;
    for pair in header.split(';') {
        let name = pair
            .trim_matches([' ', '\t'])
            .split('=')
            .next()
            .unwrap_or_default();
        let is_managed = SCHEMES.iter().any(|scheme| is_of(*scheme, name));
        if is_managed && is_open {
            return true;
        }
        if !is_managed {
            is_open |= pair.matches('"').count() % 2 == 1;
        }
    }
    false
}

/// The site's key of a scheme.
pub fn origin_key(scheme: Scheme) -> &'static str {
    Role::Origin.key(scheme)
}
