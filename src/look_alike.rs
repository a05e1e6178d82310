//! Spellings that an origin's parser might read as a managed name (rule R7).
//!
//! Parsers differ in where a pair ends (`,`, white space, control bytes, quotes), in what they trim
//! from a name, in whether they percent-decode it, fold its case, or turn other characters into `_` as
//! PHP does. What any of them might read as a managed name is recognised here, so that it cannot carry
//! an unverified value past the gate. The comparison errs on the side of too many.

use crate::cookie::trimmed_start;
use crate::encoding::holds;

/// The managed names of a policy.
#[derive(Clone, Debug, Default)]
pub struct Names {
    exact: Vec<(String, Managed)>,
    folded: Vec<Vec<u8>>,
    /// The bytes that a folded name starts with.
    starts: StartSet,
}

/// What a managed name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Managed {
    /// The cookie of this rule.
    Cookie(usize),
    /// The signature that goes with this rule's cookie, in a cookie of its own.
    Companion(usize),
}

impl Managed {
    /// The rule, counted as in the policy.
    pub fn rule(self) -> usize {
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
        let exact: Vec<(String, Managed)> = names.into_iter().collect();
        let folded: Vec<Vec<u8>> = exact.iter().map(|(name, _)| fold(name)).collect();
        let mut starts = StartSet::default();
        for name in &folded {
            name.first().into_iter().for_each(|b| starts.add(*b));
        }
        Self {
            exact,
            folded,
            starts,
        }
    }

    /// What the name stands for that a pair has exactly, spaces and tabs before it aside.
    pub fn exact(&self, pair: &str) -> Option<Managed> {
        let pair = trimmed_start(pair);
        // no managed name holds a `=`
        let is_it = |name: &str| pair.strip_prefix(name)?.starts_with('=').then_some(());
        let found = self.exact.iter().find(|(name, _)| is_it(name).is_some());
        found.map(|(_, managed)| *managed)
    }

    /// Whether a pair is plainly another cookie: at a glance, it is neither managed nor a look-alike nor special,
    /// and opens no quote. What is not plain may be another cookie too.
    ///
    /// It holds one piece at most, so that its first letter or digit tells, unless `%` or `$` stand before it.
    pub fn is_plainly_other(&self, pair: &str) -> bool {
        let piece = pair.strip_prefix(' ').unwrap_or(pair).as_bytes();
        let tells = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'%' | b'$');
        let may_be_meant = match piece.iter().copied().find(tells) {
            None => false,
            Some(b'%' | b'$') => true,
            Some(b) => self.starts.holds(b.to_ascii_lowercase()),
        };
        !(may_be_meant || piece.iter().any(|b| starts_piece(*b)))
    }

    /// What a name stands for, where it is managed.
    pub fn position(&self, name: &str) -> Option<Managed> {
        let found = self.exact.iter().find(|(exact, _)| exact == name);
        found.map(|(_, managed)| *managed)
    }

    /// The rules whose names some parser might read in a pair, the text between two semicolons.
    /// Pieces are cut before any decoding.
    pub fn look_alikes(&self, pair: &str) -> Vec<usize> {
        let pair = pair.as_bytes();
        let mut found: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < pair.len() {
            if starts_piece(pair[at]) {
                at += 1;
                continue;
            }
            let rule = self
                .at_piece(pair, at)
                .map(|name| self.exact[name].1.rule());
            found.extend(rule.filter(|rule| !found.contains(rule)));
            at += pair[at..].iter().take_while(|b| !starts_piece(**b)).count();
        }
        found
    }

    fn at_piece(&self, pair: &[u8], start: usize) -> Option<usize> {
        if pair[start].is_ascii_alphanumeric() {
            return self.at_name(pair, start);
        }
        // `%73` may hide a name's first letter, and a stray `%` may stand before one. Neither look goes
        // past a byte that starts a piece of its own, so that all pieces together cost one pass.
        let is_lead = |at: usize| pair.get(at).is_some_and(|b| !starts_piece(*b));
        let mut decoded = start;
        while let Some((b, next)) = decode(pair, decoded).filter(|_| is_lead(decoded)) {
            if b.is_ascii_alphanumeric() {
                break;
            }
            decoded = next;
        }
        let mut raw = start;
        while is_lead(raw) && !pair[raw].is_ascii_alphanumeric() {
            raw += 1;
        }
        self.at_name(pair, decoded)
            .or_else(|| self.at_name(pair, raw))
    }

    fn at_name(&self, pair: &[u8], at: usize) -> Option<usize> {
        let (first, _) = decode(pair, at)?;
        if !self.starts.holds(first) {
            return None;
        }
        self.folded.iter().position(|name| is_name(pair, at, name))
    }
}

/// Whether some parser might read more than one thing in a value.
pub fn reads_alike(value: &str) -> bool {
    value.bytes().any(starts_piece)
}

/// Whether a pair opens a double quote that it does not close, by any reading of a backslash: that it
/// means nothing, escapes everywhere, or escapes inside quotes. What follows an open quote, up to the
/// next one, is part of its value to some parsers.
pub fn opens_quote(pair: &str) -> bool {
    let (mut plain, mut escaping, mut inside) = (false, false, false);
    let (mut escaped, mut escaped_inside) = (false, false);
    for b in pair.bytes() {
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

/// Whether the decoded text at `at` is `name` up to the end of the piece, `=` or `[`, trailing
/// characters other than letters and digits aside.
fn is_name(pair: &[u8], mut at: usize, name: &[u8]) -> bool {
    for expected in name {
        let (b, next) = match (decode(pair, at), expected) {
            (Some(found), _) => found,
            // PHP reads a space inside a name as `_`, and a dot too
            (None, b'_' | b'.' | b'+') if pair.get(at).is_some_and(u8::is_ascii_whitespace) => {
                (*expected, at + 1)
            }
            (None, _) => return false,
        };
        let stands_for =
            matches!(expected, b'_' | b'.' | b'+') && matches!(b, b'_' | b'.' | b'[' | b'+' | b' ');
        if b != *expected && !stands_for {
            return false;
        }
        at = next;
    }
    while let Some((b, next)) = decode(pair, at) {
        match b {
            b'=' | b'[' | 0 => return true,
            b if b.is_ascii_alphanumeric() => return false,
            _ => at = next,
        }
    }
    true
}

/// The byte at `at`, percent-decoded and in lower case, and where the next one starts; `None` at the
/// end of the piece.
fn decode(pair: &[u8], at: usize) -> Option<(u8, usize)> {
    let b = *pair.get(at)?;
    if cuts(b) {
        return None;
    }
    let (decoded, next) = match b {
        b'%' => percent_decode(pair, at).unwrap_or((b, at + 1)),
        b => (b, at + 1),
    };
    Some((decoded.to_ascii_lowercase(), next))
}

/// `%73`, and `%u0073` as CGI.pm reads it.
fn percent_decode(pair: &[u8], at: usize) -> Option<(u8, usize)> {
    let digits = |from: usize, to: usize| {
        let text = std::str::from_utf8(pair.get(from..to)?).ok()?;
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
    b <= b' ' || b >= 0x7F || matches!(b, b',' | b';' | b'"')
}

/// Whether a name may start after this byte: where a pair may end, and at brackets and backslashes, after
/// which WebOb finds one too.
fn starts_piece(b: u8) -> bool {
    STARTS_PIECE[usize::from(b)]
}

/// Looked up, since every byte of every cookie is asked.
static STARTS_PIECE: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < table.len() {
        table[b] = cuts(b as u8) || matches!(b as u8, b'[' | b']' | b'\\');
        b += 1;
    }
    table
};

/// A managed name without what parsers might trim, in lower case.
fn fold(name: &str) -> Vec<u8> {
    name.trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_ascii_lowercase()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let names = ["sessionid", "user_id", "__Host-sid", "_app_session"];
        let named = (0..).zip(names);
        let signed = (Managed::Companion(0), "sessionid.sig");
        let all = named
            .map(|(rule, name)| (Managed::Cookie(rule), name))
            .chain([signed]);
        Names::new(all.map(|(managed, name)| (name.to_owned(), managed)))
    }

    #[test]
    fn an_exact_name_is_managed_whatever_stands_before_it() {
        for (pair, expected) in [
            ("sessionid=x", Managed::Cookie(0)),
            (" \tuser_id=x=y", Managed::Cookie(1)),
            ("__Host-sid=", Managed::Cookie(2)),
            ("sessionid.sig=x", Managed::Companion(0)),
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
            assert_eq!(names().look_alikes(pair), [0], "{pair}");
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
            assert_eq!(names().look_alikes(pair), [1], "{pair}");
        }
        assert_eq!(names().look_alikes("_[Host-sid=x"), [2]);
        assert_eq!(names().look_alikes("sessionid_sig=x"), [0]);
        assert_eq!(names().look_alikes("a=1, sessionid.sig=x"), [0]);
        assert_eq!(names().look_alikes("app_session=x"), [3]);
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
            assert!(names().look_alikes(pair).is_empty(), "{pair}");
        }
    }

    #[test]
    fn an_open_quote_is_seen_by_either_reading_of_a_backslash() {
        for open in ["a=\"b", "a=b\"", "a=\"b\\\"", "a=\"b\"\"", r#"a=\"\""#] {
            assert!(opens_quote(open), "{open}");
        }
        for closed in ["a=b", "a=\"b\"", "a=\"\"", "a=\"\\\\\""] {
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
