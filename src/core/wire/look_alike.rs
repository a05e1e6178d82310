//! Spellings that an origin's parser might read as a managed name (rule R7).
//!
//! Parsers differ in where a pair ends (`,`, white space, control bytes, quotes), in what they trim
//! from a name, in whether they percent-decode it, fold its case, or turn other characters into `_` as
//! PHP does. What any of them might read as a managed name is recognised here, so that it cannot carry
//! an unverified value past the gate. The comparison errs on the side of too many.
//!
//! Behind the first `=` of a pair only a name with a value counts, `session =x` or `session[x`: a bare word
//! can carry none, and values are full of words. In `{"session":"compact"}` or `red session bag` no parser of
//! `tests/e2e/look-alikes` finds a cookie, but for an empty one at most.

use memchr::memchr2;

use crate::prelude::*;
use crate::wire::chunks::Chunks;
use crate::wire::cookie::trimmed_start;
use crate::wire::encoding::{holds, place};
use crate::wire::rule_index::RuleIndex;

/// The managed names of a policy.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By name.
    exact: Vec<(String, Managed)>,
    /// The bytes that a name starts with.
    exact_starts: StartSet,
    /// By folded name.
    folded: Vec<Folded>,
    /// The bytes that a folded name starts with.
    starts: StartSet,
    /// The cookies that may come in pieces.
    chunked: Vec<ChunkedName>,
}

/// A cookie that may come in pieces.
#[derive(Clone, Debug)]
pub struct ChunkedName {
    /// Its name.
    pub name: String,
    /// How the pieces are named.
    pub chunks: Chunks,
    /// The rule.
    pub rule: RuleIndex,
}

/// A piece of a managed cookie, in the framework's own spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The rule.
    pub rule: RuleIndex,
    /// Its number.
    pub number: usize,
}

/// A managed name as [`fold`] makes it.
#[derive(Clone, Debug)]
struct Folded {
    name: Vec<u8>,
    rule: RuleIndex,
    /// Whether it counts without a value too.
    is_strict: bool,
    /// What may follow it and is still a name that the origin reads.
    tail: Tail,
}

/// What may follow a managed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Empty,
    /// Digits: it is the name of pieces without their number.
    Number,
    /// Anything.
    Any,
}

/// A name may go on over several pieces, such as `a_a_a` in `a[a[a[a`. A pair whose pieces take more than so
/// many comparisons a byte is not looked at any further, and counts as every name: no site sets one, and the
/// work of a request stays linear whatever the names are (R6).
const MOST_COMPARED: usize = 2;

/// What was found in a pair.
#[derive(Debug, Default)]
pub struct Alike {
    /// The rules whose names some parser might read.
    pub rules: Vec<RuleIndex>,
    /// How many bytes were looked at for it, some of them more than once.
    pub steps: usize,
}

/// What a managed name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// The cookie of this rule.
    Cookie(RuleIndex),
    /// The signature that goes with this rule's cookie, in a cookie of its own.
    Companion(RuleIndex),
}

impl Managed {
    /// The rule.
    pub fn rule(self) -> RuleIndex {
        match self {
            Managed::Cookie(rule) | Managed::Companion(rule) => rule,
        }
    }
}

/// A set of bytes, of which the upper half is never a member.
#[derive(Clone, Copy, Debug, Default)]
struct StartSet {
    bits: [u32; 4],
}

impl Names {
    /// The names and what each stands for. Each has a letter or digit.
    pub fn new(names: impl IntoIterator<Item = (String, Managed)>) -> Self {
        let mut all = Self::default();
        for (name, managed) in names {
            all.add(name, managed);
        }
        all
    }

    /// In its place: they are few, and a sort has a size.
    fn add(&mut self, name: String, managed: Managed) {
        self.add_folded(fold(&name), managed.rule(), Tail::Empty);
        if let Some(first) = name.bytes().next() {
            self.exact_starts.add(first);
        }
        let at = self.exact.partition_point(|(other, _)| *other <= name);
        self.exact.insert(at, (name, managed));
    }

    fn add_folded(&mut self, name: Vec<u8>, rule: RuleIndex, tail: Tail) {
        let Some(first) = name.first() else {
            return;
        };
        self.starts.add(*first);
        let at = self.folded.partition_point(|other| other.name <= name);
        let folded = Folded {
            name,
            rule,
            is_strict: false,
            tail,
        };
        self.folded.insert(at, folded);
    }

    /// The same names, and those of the pieces of these cookies.
    pub fn with_pieces(mut self, chunked: impl IntoIterator<Item = ChunkedName>) -> Self {
        for cookie in chunked {
            let ChunkedName { name, chunks, rule } = &cookie;
            if chunks.reads_prefix() {
                self.add_folded(fold(name), *rule, Tail::Any);
            } else {
                let mut folded = fold(&chunks.piece_name(name, 0));
                folded.pop(); // the zero
                self.add_folded(folded, *rule, Tail::Number);
            }
            self.chunked.push(cookie);
        }
        self
    }

    /// The same names; those of these rules count without a value too, wherever they stand.
    pub fn strict_for(mut self, is_strict: impl Fn(RuleIndex) -> bool) -> Self {
        for folded in &mut self.folded {
            folded.is_strict = is_strict(folded.rule);
        }
        self
    }

    /// What the name stands for that a pair has exactly, spaces and tabs before it aside.
    #[inline]
    pub fn exact(&self, pair: &str) -> Option<Managed> {
        let pair = trimmed_start(pair);
        if !self.exact_starts.holds(*pair.as_bytes().first()?) {
            return None;
        }
        // no managed name holds a `=`
        self.position(&pair[..place(pair, b'=')?])
    }

    /// The piece whose name a pair has exactly, spaces and tabs before it aside.
    #[inline]
    pub fn piece(&self, pair: &str) -> Option<Piece> {
        if self.chunked.is_empty() {
            return None;
        }
        let pair = trimmed_start(pair);
        self.piece_named(&pair[..place(pair, b'=')?])
    }

    /// The piece of this name.
    pub fn piece_named(&self, name: &str) -> Option<Piece> {
        let piece = |cookie: &ChunkedName| {
            let number = cookie.chunks.number(&cookie.name, name)?;
            Some(Piece {
                rule: cookie.rule,
                number,
            })
        };
        self.chunked.iter().find_map(piece)
    }

    /// Whether some cookie may come in pieces.
    pub fn has_pieces(&self) -> bool {
        !self.chunked.is_empty()
    }

    /// Whether a pair is plainly another cookie: at a glance, it is neither managed nor a look-alike nor special,
    /// and opens no quote. What is not plain may be another cookie too.
    ///
    /// It holds one piece at most, so that its first letter or digit tells, unless `%` or `$` stand before it.
    pub fn is_plainly_other(&self, pair: &str) -> bool {
        let piece = pair.strip_prefix(' ').unwrap_or(pair).as_bytes();
        let is_telling = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'%' | b'$');
        let may_be_meant = match piece.iter().copied().find(is_telling) {
            None => false,
            Some(b'%' | b'$') => true,
            Some(b) => self.starts.holds(b.to_ascii_lowercase()),
        };
        !(may_be_meant || piece.iter().any(|b| starts_piece(*b)))
    }

    /// What a name stands for, where it is managed.
    pub fn position(&self, name: &str) -> Option<Managed> {
        let found = self
            .exact
            .binary_search_by(|(exact, _)| (**exact).cmp(name));
        found.ok().map(|at| self.exact[at].1)
    }

    /// What some parser might read in a pair, the text between two semicolons. Pieces are cut before any
    /// decoding. A piece that starts behind the first `=` counts only with a value.
    pub fn look_alikes(&self, pair: &str) -> Alike {
        let value = place(pair, b'=').map_or(pair.len(), |at| at + 1);
        Look::new(self, pair, value).at_pieces()
    }

    /// What some parser might read in the value of a cookie that is vouched for, behind its `NAME=`. Inside
    /// double quotes all but a few parsers read no further cookie: those cut at commas and control bytes.
    pub fn carried(&self, value: &str) -> Alike {
        let quoted = value.strip_prefix('"').and_then(|rest| place(rest, b'"'));
        let mut look = Look::new(self, value, 0);
        look.quoted = quoted.map_or(0, |end| end + 1);
        look.is_cut = false; // the name stands before it
        look.at_pieces()
    }
}

/// A look at one pair.
struct Look<'n> {
    names: &'n Names,
    pair: &'n [u8],
    /// Where the value starts.
    value: usize,
    /// Where the double quotes end that the value starts with.
    quoted: usize,
    /// Whether a piece may start here although it stands in quotes.
    is_cut: bool,
    /// How many bytes of names were compared so far.
    compared: usize,
    found: Alike,
}

impl<'n> Look<'n> {
    fn new(names: &'n Names, pair: &'n str, value: usize) -> Self {
        Self {
            names,
            pair: pair.as_bytes(),
            value,
            quoted: 0,
            is_cut: true,
            compared: 0,
            found: Alike::default(),
        }
    }

    fn at_pieces(mut self) -> Alike {
        let mut at = 0;
        while at < self.pair.len() {
            let b = self.pair[at];
            if starts_piece(b) {
                self.is_cut |= at >= self.quoted || b == b',' || b.is_ascii_control();
                at += 1;
                continue;
            }
            if core::mem::take(&mut self.is_cut) {
                self.at_piece(at);
            }
            if self.compared > MOST_COMPARED * self.pair.len() {
                self.found.rules = self.names.folded.iter().map(|name| name.rule).collect();
                break;
            }
            at += self.pair[at..]
                .iter()
                .take_while(|b| !starts_piece(**b))
                .count();
        }
        self.found.steps += self.pair.len() + self.compared;
        self.found
    }

    fn at_piece(&mut self, start: usize) {
        let may_be_bare = start < self.value;
        if self.pair[start].is_ascii_alphanumeric() {
            self.at_name(start, may_be_bare);
            return;
        }
        // `%73` may hide a name's first letter, and a stray `%` may stand before one. Neither look goes
        // past a byte that starts a piece of its own, so that all pieces together cost one pass.
        let is_lead = |at: usize| self.pair.get(at).is_some_and(|b| !starts_piece(*b));
        let mut decoded = start;
        while let Some((b, next)) = decode(self.pair, decoded).filter(|_| is_lead(decoded)) {
            if b.is_ascii_alphanumeric() {
                break;
            }
            decoded = next;
        }
        let mut raw = start;
        while is_lead(raw) && !self.pair[raw].is_ascii_alphanumeric() {
            raw += 1;
        }
        self.at_name(decoded, may_be_bare);
        if raw != decoded {
            self.at_name(raw, may_be_bare);
        }
    }

    /// Looks for every managed name that the decoded text at `start` begins with: the names are sorted, and
    /// those that agree with the text so far stand side by side.
    fn at_name(&mut self, start: usize, may_be_bare: bool) {
        let names = &self.names.folded;
        let (mut at, mut length) = (start, 0);
        let (mut from, mut to) = (0, names.len());
        while let Some((b, next)) = folded_at(self.pair, at) {
            if length == 0 && !self.names.starts.holds(b) {
                return;
            }
            let byte = |folded: &Folded| folded.name[length]; // longer, as those that end here are passed
            let agree = &names[from..to];
            let is_all = |folded: Option<&Folded>| folded.is_some_and(|folded| byte(folded) == b);
            if !(is_all(agree.first()) && is_all(agree.last())) {
                let first = agree.partition_point(|folded| byte(folded) < b);
                let end = agree.partition_point(|folded| byte(folded) <= b);
                (from, to) = (from + first, from + end);
            }
            (at, length) = (next, length + 1);
            self.compared += 1;
            while from < to && names[from].name.len() == length {
                self.ends_at(at, &names[from], may_be_bare);
                from += 1;
            }
            if from == to {
                return;
            }
        }
    }

    /// A name ends at `at`; whether it is one that counts.
    fn ends_at(&mut self, at: usize, name: &Folded, may_be_bare: bool) {
        let may_be_bare = may_be_bare || name.is_strict;
        let tail_end = match name.tail {
            Tail::Empty => Some(at),
            Tail::Number => number_end(self.pair, at),
            Tail::Any if may_be_bare => None,
            Tail::Any => Some(name_end(self.pair, at)),
        };
        let (is_it, end) = match tail_end {
            Some(end) if may_be_bare => is_name_end(self.pair, end),
            Some(end) => has_value(self.pair, end),
            None => (name.tail == Tail::Any, at),
        };
        self.found.steps += end - at;
        if is_it && !self.found.rules.contains(&name.rule) {
            self.found.rules.push(name.rule);
        }
    }
}

/// Whether some parser might read more than one thing in a value.
pub fn reads_alike(value: &str) -> bool {
    // sixteen at a time without a branch, which the compiler makes one instruction for each comparison
    let any = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(false, |any, b| any | starts_any_piece(*b))
    };
    value.as_bytes().chunks(16).any(any)
}

/// Whether a pair opens a double quote that it does not close. What follows an open quote, up to the next one, is
/// part of its value to some parsers. To some of them a quote in a name is none.
pub fn opens_quote(pair: &str) -> bool {
    let in_value = || {
        pair.split_once('=')
            .is_some_and(|(name, value)| holds(name, b'"') && leaves_quote_open(value))
    };
    leaves_quote_open(pair) || in_value()
}

/// Whether a text opens a double quote that it does not close, by any reading of a backslash: that it means nothing,
/// escapes everywhere, or escapes inside quotes.
pub fn leaves_quote_open(text: &str) -> bool {
    let (mut plain, mut escaping, mut inside) = (false, false, false);
    let (mut escaped, mut escaped_inside) = (false, false);
    for b in text.bytes() {
        if b == b'"' {
            plain = !plain;
            escaping ^= !escaped;
            inside ^= !escaped_inside;
        }
        escaped = b == b'\\' && !escaped;
        escaped_inside = b == b'\\' && inside && !escaped_inside;
    }
    plain || escaping || inside
}

/// Whether a pair's name has a meaning of its own to some parser. One that starts with `$` makes those
/// that follow RFC 2965 read the pairs after it in another way; one in double quotes with a backslash
/// in it is unquoted by Werkzeug 1, octal numbers and all.
pub fn is_special(pair: &str) -> bool {
    if memchr2(b'$', b'"', pair.as_bytes()).is_none() {
        return false;
    }
    let name = pair
        .split('=')
        .find(|part| !part.trim().is_empty())
        .unwrap_or_default();
    let is_quoted = holds(name, b'"') && holds(name, b'\\');
    is_quoted || name.bytes().find(|b| !cuts(*b)) == Some(b'$')
}

impl StartSet {
    fn add(&mut self, b: u8) {
        let (word, bit) = (usize::from(b >> 5), b & 31);
        self.bits[word & 3] |= 1 << bit; // names are ASCII
    }

    fn holds(self, b: u8) -> bool {
        let (word, bit) = (usize::from(b >> 5), b & 31);
        self.bits.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }
}

/// Where the digits end that start at `at`; `None` where there are none.
fn number_end(pair: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while let Some((_, next)) = decode(pair, at).filter(|(b, _)| b.is_ascii_digit()) {
        at = next;
    }
    (at > start).then_some(at)
}

/// Where a name ends, whatever it holds. The look goes past no byte that starts a piece of its own.
fn name_end(pair: &[u8], mut at: usize) -> usize {
    let goes_on = |at: usize, b: u8| b != b'=' && !starts_piece(pair[at]);
    while let Some((_, next)) = decode(pair, at).filter(|(b, _)| goes_on(at, *b)) {
        at = next;
    }
    at
}

/// Whether a name ends at `at`: behind it follow the end of the piece, `=` or `[`, characters other than
/// letters and digits aside. And where the look ended.
fn is_name_end(pair: &[u8], mut at: usize) -> (bool, usize) {
    while let Some((b, next)) = decode(pair, at) {
        match b {
            b'=' | b'[' | 0 => return (true, at),
            b if b.is_ascii_alphanumeric() => return (false, at),
            _ => at = next,
        }
    }
    (true, at)
}

/// Whether a name that ends at `at` has a value: behind it follow `[`, or `=` and before that nothing but what
/// some parser takes for white space. And where the look ended.
fn has_value(pair: &[u8], end: usize) -> (bool, usize) {
    let mut at = end;
    while let Some((b, next)) = decoded(pair, at) {
        match b {
            b'=' => return (true, at),
            b'[' if at == end => return (true, at),
            0..=b' ' | b'+' | 0x7F.. => at = next,
            _ => return (false, at),
        }
    }
    (false, at)
}

/// The byte at `at` as [`fold`] writes it, and where the next one starts; `None` at the end of the piece.
fn folded_at(pair: &[u8], at: usize) -> Option<(u8, usize)> {
    match decode(pair, at) {
        Some((b'.' | b'+' | b'[' | b' ', next)) => Some((b'_', next)),
        // PHP reads a space inside a name as `_`, and a dot too
        None if pair.get(at).is_some_and(u8::is_ascii_whitespace) => Some((b'_', at + 1)),
        other => other,
    }
}

/// The byte at `at`, percent-decoded and in lower case, and where the next one starts; `None` at the
/// end of the piece.
fn decode(pair: &[u8], at: usize) -> Option<(u8, usize)> {
    decoded(pair, at).filter(|_| !cuts(pair[at]))
}

/// The same, past the end of the piece too.
fn decoded(pair: &[u8], at: usize) -> Option<(u8, usize)> {
    let b = *pair.get(at)?;
    let (decoded, next) = match b {
        b'%' => percent_decode(pair, at).unwrap_or((b, at + 1)),
        b => (b, at + 1),
    };
    Some((decoded.to_ascii_lowercase(), next))
}

/// `%73`, and `%u0073` as CGI.pm reads it.
fn percent_decode(pair: &[u8], at: usize) -> Option<(u8, usize)> {
    let digits = |from: usize, to: usize| {
        let text = core::str::from_utf8(pair.get(from..to)?).ok()?;
        text.bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u8::from_str_radix(text, 16).ok())?
    };
    match pair.get(at + 1)? {
        b'u' => Some((digits(at + 2, at + 6)?, at + 6)),
        _ => Some((digits(at + 1, at + 3)?, at + 3)),
    }
}

/// Whether some parser might end a pair at this byte: white space, controls, anything beyond ASCII,
/// comma, semicolon and double quote.
const fn cuts(b: u8) -> bool {
    let is_visible = b.wrapping_sub(b'!') <= b'~' - b'!';
    !is_visible | (b == b',') | (b == b';') | (b == b'"')
}

/// Whether a name may start after this byte: where a pair may end, and at brackets and backslashes, after
/// which WebOb finds one too.
fn starts_piece(b: u8) -> bool {
    STARTS_PIECE[usize::from(b)]
}

/// What [`STARTS_PIECE`] is made of; without a branch.
const fn starts_any_piece(b: u8) -> bool {
    let is_bracket = b.wrapping_sub(b'[') <= b']' - b'['; // `[`, `\` and `]`
    is_bracket | cuts(b)
}

/// Looked up, since every byte of every cookie is asked.
static STARTS_PIECE: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < table.len() {
        table[b] = starts_any_piece(b as u8);
        b += 1;
    }
    table
};

/// A managed name without what parsers might trim, in lower case, with `_` for what PHP reads as one.
fn fold(name: &str) -> Vec<u8> {
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let folded = |b: u8| match b {
        b'.' | b'+' => b'_',
        b => b.to_ascii_lowercase(),
    };
    name.bytes().map(folded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let names = ["sessionid", "user_id", "__Host-sid", "_app_session"];
        let named = (0..).map(RuleIndex).zip(names);
        let signed = (Managed::Companion(RuleIndex(0)), "sessionid.sig");
        let all = named
            .map(|(rule, name)| (Managed::Cookie(rule), name))
            .chain([signed]);
        Names::new(all.map(|(managed, name)| (name.to_owned(), managed)))
    }

    #[test]
    fn an_exact_name_is_managed_whatever_stands_before_it() {
        for (pair, expected) in [
            ("sessionid=x", Managed::Cookie(RuleIndex(0))),
            (" \tuser_id=x=y", Managed::Cookie(RuleIndex(1))),
            ("__Host-sid=", Managed::Cookie(RuleIndex(2))),
            ("sessionid.sig=x", Managed::Companion(RuleIndex(0))),
        ] {
            assert_eq!(names().exact(pair), Some(expected), "{pair}");
        }
    }

    #[test]
    fn what_a_parser_might_read_as_a_managed_name_is_a_look_alike() {
        for pair in [
            "sessionid",
            "SessionID=x",
            "sessionid =x",
            "sessionid\t=x",
            "\u{b}sessionid=x",
            "\u{a0}sessionid=x",
            "sessionid\u{fffd}=x",
            "a=1, sessionid=x",
            "a=1 sessionid=x",
            "a=\"1\"sessionid=x",
            "=sessionid=x",
            "--sessionid--=x",
            "%73essionid=x",
            "session%49d=x",
            "sessionid%00x=y",
            "sessionid%3Dx",
            "sessionid[a]=x",
            "sessionid[=x",
            "%%73essionid=x",
            "%sessionid=x",
            "%u0073essionid=x",
            "a=[sessionid=x",
            "a\\sessionid=x",
        ] {
            assert_eq!(names().exact(pair), None, "{pair}");
            assert_eq!(names().look_alikes(pair).rules, [RuleIndex(0)], "{pair}");
        }
        for pair in [
            "user.id=x",
            "user id=x",
            "user\tid=x",
            "user+id=x",
            "user[id=x",
            "user%20id=x",
            "user%5Fid=x",
            "USER%2Eid[]=x",
            "a=b user id=x",
        ] {
            assert_eq!(names().exact(pair), None, "{pair}");
            assert_eq!(names().look_alikes(pair).rules, [RuleIndex(1)], "{pair}");
        }
        assert_eq!(names().look_alikes("_[Host-sid=x").rules, [RuleIndex(2)]);
        assert_eq!(names().look_alikes("sessionid_sig=x").rules, [RuleIndex(0)]);
        assert_eq!(
            names().look_alikes("a=1, sessionid.sig=x").rules,
            [RuleIndex(0)]
        );
        assert_eq!(names().look_alikes("app_session=x").rules, [RuleIndex(3)]);
    }

    #[test]
    fn other_names_are_other() {
        for pair in [
            "",
            " ",
            "sessionid2=x",
            "xsessionid=x",
            "a=sessionid=x",
            "session=x",
            "sessio",
            "userid=x",
            "user_id2=x",
            "a=%20sessionid%3Dx",
            "session%69d2=x",
            "%",
            "%7",
            "%zz=1",
            "connect.sid=s%3Aabc",
            "csrftoken=abc",
        ] {
            assert!(names().look_alikes(pair).rules.is_empty(), "{pair}");
        }
    }

    #[test]
    fn an_open_quote_is_seen_by_either_reading_of_a_backslash() {
        for open in ["a=\"b", "a=b\"", "a=\"b\\\"", "a=\"b\"\"", r#"a=\"\""#] {
            assert!(opens_quote(open), "{open}");
        }
        // to a server that minds quotes in values alone
        for open in [r#""a=""#, r#"a"b=c"d"#, r#""a="b"c""#] {
            assert!(opens_quote(open), "{open}");
        }
        for closed in [
            "a=b",
            "a=\"b\"",
            "a=\"\"",
            "a=\"\\\\\"",
            "\"a\"=b",
            "\"a\"=\"b\"",
        ] {
            assert!(!opens_quote(closed), "{closed}");
        }
    }

    #[test]
    fn a_name_with_a_meaning_of_its_own_is_special() {
        for special in [" $Version=1", ",\t$Path", r#""\163\145"=x"#, r#"="\163"=x"#] {
            assert!(is_special(special), "{special}");
        }
        for other in ["a=$1", r#"a="\163""#, "", "=", "a"] {
            assert!(!is_special(other), "{other}");
        }
    }
}
