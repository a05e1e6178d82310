//! What a visitor was given, by a second reading of what he shows: the pairs of a Cookie header, and the payloads in
//! them that a key of the ring signed for that very name and that count at this time.

use std::collections::BTreeSet;

use crate::independent::{Reading, Scheme};
use crate::servers::unquoted;
use crate::site::{CLOCK_SKEW, MAX_AGE, NOW, RING, RULES, Role, Rule};

/// The longest value that is opened, in bytes (R6).
const LONGEST_VALUE: usize = 16 << 10;
/// In how many ways pieces are joined here at most.
const MOST_JOINS: usize = 256;

/// The pairs of a Cookie header, plainly: at each semicolon, name and value at the first `=`.
pub fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let trimmed = |text| str::trim_matches(text, [' ', '\t']);
    let pairs = header.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(move |(name, value)| (trimmed(name), trimmed(value)))
}

/// The number of a piece of the rule's cookie, by its name, as the framework writes it.
pub fn piece(rule: &Rule, name: &str) -> Option<usize> {
    let digits = name.strip_prefix(rule.name)?.strip_prefix('.')?;
    let number: usize = digits.parse().ok()?;
    (rule.is_chunked && number.to_string() == digits && number <= 100).then_some(number)
}

/// What stands in a header of a rule's cookie: every value, and every signature in a cookie of its own.
pub fn values<'h>(rule: &Rule, header: &'h str) -> (Vec<&'h str>, Vec<&'h str>) {
    let named = |wanted: &str| {
        let of = pairs(header).filter(|(name, _)| *name == wanted);
        of.map(|(_, value)| value).collect::<Vec<_>>()
    };
    (
        named(rule.name),
        rule.companion().map(named).unwrap_or_default(),
    )
}

/// Every value that the pieces of a rule's cookie can be joined to.
pub fn joins(rule: &Rule, header: &str) -> Vec<String> {
    let mut joined = vec![String::new()];
    let mut all = Vec::new();
    for number in 0.. {
        let of = pairs(header)
            .filter(|(name, value)| piece(rule, name) == Some(number) && !value.is_empty());
        let of: Vec<&str> = of.map(|(_, value)| value).collect();
        if of.is_empty() {
            return all;
        }
        let longer = joined
            .iter()
            .flat_map(|before| of.iter().map(move |piece| format!("{before}{piece}")));
        joined = longer.take(MOST_JOINS).collect();
        all.extend(joined.iter().cloned());
    }
    all
}

/// A rule's value as a key reads it, with any of the signatures.
pub fn read(rule: &Rule, role: Role, value: &str, signatures: &[&str]) -> Option<Reading> {
    let key = rule.key(role);
    if rule.scheme == Scheme::Keygrip {
        // `cookies` reads a value in double quotes without them
        let inside = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let value = inside.unwrap_or(value);
        let mut of = signatures.iter();
        return of.find_map(|signature| rule.scheme.read(key, rule.name, value, Some(signature)));
    }
    rule.scheme.read(key, rule.name, value, None)
}

/// The same, where a value may stand in double quotes.
pub fn read_any(rule: &Rule, role: Role, value: &str, signatures: &[&str]) -> Option<Reading> {
    let plain = read(rule, role, value, signatures);
    plain.or_else(|| read(rule, role, &unquoted(value)?, signatures))
}

/// The payloads of what must count: of values that stand as the framework writes them, with nothing in them that some
/// parser reads otherwise.
pub fn certain(rule: &Rule, header: &str) -> Vec<String> {
    let header = &with_exact_names(header);
    let (plain, signatures) = values(rule, header);
    let joined = joins(rule, header);
    let all = plain.into_iter().chain(joined.iter().map(String::as_str));
    let is_usual = |value: &&str| value.len() <= LONGEST_VALUE && rule.scheme.writes(value);
    let counts = |value: &str| {
        let readings = RING.map(|role| read(rule, role, value, &signatures));
        let mut readings = readings.into_iter().flatten();
        readings.find(|reading| is_in_time(rule, reading) && is_tame(&reading.payload))
    };
    let readings = all.filter(is_usual).filter_map(counts);
    readings.map(|reading| reading.payload).collect()
}

/// Whether no parser reads a text otherwise than another.
pub fn is_tame(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b":._-=+/".contains(&b))
}

/// Whether it counts now.
pub fn is_in_time(rule: &Rule, reading: &Reading) -> bool {
    let times = reading.times;
    let begins = times.signed.max(times.not_before.unwrap_or_default());
    let is_old = rule.scheme == Scheme::Django && NOW.saturating_sub(times.signed) > MAX_AGE;
    let is_over = times.expiry.is_some_and(|end| end <= NOW);
    begins <= NOW + CLOCK_SKEW && !is_old && !is_over
}

/// One cookie that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    pub payload: String,
    /// When it was signed, in Unix seconds.
    pub signed: u64,
    pub is_current: bool,
}

/// Everything that a visitor may say with a rule's cookie.
#[derive(Debug)]
pub struct Shown {
    pub given: BTreeSet<Given>,
    /// How many cookies, or ways to join one, say it as they stand. Who reads them without double quotes finds more.
    pub count: usize,
}

/// A header without the pairs that have a space before their `=`: to the gate their names are others (R7).
pub fn with_exact_names(header: &str) -> String {
    let is_exact = |pair: &&str| {
        let name = pair.split('=').next();
        name.is_some_and(|name| !name.ends_with([' ', '\t']))
    };
    header
        .split(';')
        .filter(is_exact)
        .collect::<Vec<_>>()
        .join(";")
}

/// Reads a header for a rule.
pub fn shown(rule: &Rule, header: &str) -> Shown {
    let header = &with_exact_names(header);
    let (plain, signatures) = values(rule, header);
    let joined = joins(rule, header);
    let mut shown = Shown {
        given: BTreeSet::new(),
        count: 0,
    };
    for value in plain.into_iter().chain(joined.iter().map(String::as_str)) {
        let signers = RING.into_iter().filter(|_| value.len() <= LONGEST_VALUE);
        let mut readings =
            signers.filter_map(|role| Some((role, read_any(rule, role, value, &signatures)?)));
        let Some((role, reading)) = readings.find(|(_, reading)| is_in_time(rule, reading)) else {
            continue;
        };
        let is_read = read(rule, role, value, &signatures).is_some();
        shown.count += usize::from(is_read && is_tame(&reading.payload));
        shown.given.insert(Given {
            payload: reading.payload,
            signed: reading.times.signed,
            is_current: role == Role::Current,
        });
    }
    shown
}

/// The same for each rule.
pub fn all_shown(header: &str) -> Vec<Shown> {
    RULES.iter().map(|rule| shown(rule, header)).collect()
}
