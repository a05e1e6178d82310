//! Cookies in pieces: how frameworks name the pieces of a value that is too long for one cookie, how they read
//! them, and how a value is split.
//!
//! | | names | read as | pieces of |
//! | --- | --- | --- | --- |
//! | `auth.js` | `NAME.0`, `NAME.1`, … | every cookie whose name *starts with* `NAME`, by the number behind its last dot | 3,936 |
//! | `h3` | `NAME=__chunked__N`, `NAME.1` … `NAME.N` | `NAME`, and where that is such a marker, those N | 4,000 |
//! | `supabase` | `NAME.0`, `NAME.1`, … | `NAME`, or else from `NAME.0` on up to the first that is missing | 3,180 |
//! | `auth0` | `NAME__0`, `NAME__1`, … | `NAME`, or else every `NAME__` with digits, where none is missing | 3,500 |
//!
//! Read in `lib/utils/cookie.js` of @auth/core 0.41.3 and `core/lib/cookie.js` of next-auth 4.24.15 (pieces of 3,933);
//! `dist/h3.mjs` of h3 2.0.8 (1.15.11 has no pieces); `utils/chunker.js` of @supabase/ssr 0.12.7; `server/cookies.js` of
//! @auth0/nextjs-auth0 4.30.0.

use alloc::borrow::Cow;

use crate::prelude::*;
use crate::wire::cookie::{pair_value, pairs, trimmed};
use crate::wire::encoding::cut_at;

/// Whose way of writing a cookie in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chunks {
    /// Auth.js 5 and NextAuth 4.
    AuthJs,
    /// h3 2, Nitro 3.
    H3,
    /// @supabase/ssr.
    Supabase,
    /// @auth0/nextjs-auth0 4.
    Auth0,
}

/// A name and a value of a cookie.
pub type Pair<'v> = (String, Cow<'v, str>);

/// The greatest number that a piece may have: what framework and browser need is far less, and a set of these
/// numbers fits a [`Shown`].
const LAST: usize = 100;
/// What h3 writes in the place of a value.
const MARKER: &str = "__chunked__";
/// The longest pair of name, `=` and value that browsers store, in bytes.
const LONGEST_PAIR: usize = 4_096;

impl Chunks {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Chunks::AuthJs => "auth.js",
            Chunks::H3 => "h3",
            Chunks::Supabase => "supabase",
            Chunks::Auth0 => "auth0",
        }
    }

    /// Whether the framework reads every cookie whose name starts with this one's as a piece of it.
    pub fn reads_prefix(self) -> bool {
        self == Chunks::AuthJs
    }

    /// What stands between the cookie's name and a piece's number.
    pub fn separator(self) -> &'static str {
        match self {
            Chunks::Auth0 => "__",
            Chunks::AuthJs | Chunks::H3 | Chunks::Supabase => ".",
        }
    }

    /// The number of the first piece.
    pub fn first(self) -> usize {
        usize::from(self == Chunks::H3)
    }

    /// The name of a piece.
    pub fn piece_name(self, name: &str, number: usize) -> String {
        format!("{name}{}{number}", self.separator())
    }

    /// The number of a piece by its name, as the framework writes it: no zero before it, no sign.
    pub fn number(self, name: &str, piece_name: &str) -> Option<usize> {
        let digits = piece_name
            .strip_prefix(name)?
            .strip_prefix(self.separator())?;
        let number = number(digits)?;
        (self.first()..=LAST).contains(&number).then_some(number)
    }

    /// Of how many pieces a cookie of the bare name says that there are.
    pub fn marked(self, value: &str) -> Option<usize> {
        let count = number(value.strip_prefix(MARKER)?)?;
        (self == Chunks::H3 && (1..=LAST).contains(&count)).then_some(count)
    }

    /// The value whose pieces a Cookie header holds, as people paste it: of several pieces of a number the first.
    /// `None` where one of the bare name holds a value itself, or a piece is missing.
    pub fn join(self, name: &str, header: &str) -> Option<String> {
        let named = |name: &str| {
            let is_it =
                |pair: &&str| cut_at(pair, b'=').is_some_and(|(own, _)| trimmed(own) == name);
            pairs(header).find(is_it).map(pair_value)
        };
        let first = self.first();
        let piece = |number| named(&self.piece_name(name, number));
        let count = match named(name) {
            Some(value) => self.marked(value)?,
            None if self == Chunks::H3 => return None,
            None => (first..=LAST)
                .take_while(|number| piece(*number).is_some())
                .count(),
        };
        let pieces: Option<Vec<&str>> = (first..first + count).map(piece).collect();
        pieces
            .filter(|pieces| !pieces.is_empty())
            .map(|pieces| pieces.concat())
    }

    /// The pairs that a value is written in: one of the bare name where it fits, and otherwise the pieces,
    /// with the marker before them where there is one.
    pub fn split<'v>(self, name: &str, value: &'v str) -> Vec<Pair<'v>> {
        let longest = self.longest(name);
        if value.len() <= longest {
            return vec![(name.to_owned(), value.into())];
        }
        let mut pairs = Vec::new();
        let mut rest = value;
        for number in self.first().. {
            let (piece, behind) = rest.split_at(cut(rest, longest));
            pairs.push((self.piece_name(name, number), piece.into()));
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        if self == Chunks::H3 {
            let marker = format!("{MARKER}{}", pairs.len());
            pairs.insert(0, (name.to_owned(), marker.into()));
        }
        pairs
    }

    /// The longest value of one cookie, in bytes: the framework's, or what is left beside a long name.
    fn longest(self, name: &str) -> usize {
        let usual = match self {
            Chunks::AuthJs => 3_936,
            Chunks::H3 => 4_000,
            Chunks::Supabase => 3_180,
            Chunks::Auth0 => 3_500,
        };
        let around = name.len() + self.separator().len() + "99=".len();
        usual.min(LONGEST_PAIR.saturating_sub(around))
    }
}

/// Where a text is cut so that at most `longest` bytes stand before it: not in a character, nor in one that is
/// percent-encoded, since each piece is decoded for itself.
fn cut(text: &str, longest: usize) -> usize {
    if text.len() <= longest {
        return text.len();
    }
    let is_inside = |at: usize| {
        let bytes = text.as_bytes();
        let is_escape = |start: usize| bytes.get(start) == Some(&b'%');
        let continues =
            |digit: &u8| matches!(digit.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b');
        !text.is_char_boundary(at)
            || is_escape(at - 1)
            || is_escape(at - 2)
            || (is_escape(at) && bytes.get(at + 1).is_some_and(continues))
    };
    // a character has at most four bytes, and twelve when encoded
    let places = longest.saturating_sub(12).max(2)..=longest;
    places.rev().find(|at| !is_inside(*at)).unwrap_or_else(|| {
        let is_boundary = |at: &usize| text.is_char_boundary(*at);
        (1..=longest).rev().find(is_boundary).unwrap_or(text.len())
    })
}

/// A number as JavaScript writes it.
fn number(digits: &str) -> Option<usize> {
    let is_written = !digits.is_empty()
        && digits.len() <= 3
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    is_written.then(|| digits.parse().ok())?
}

/// Which cookies of a rule a browser has shown: that of the bare name, and the numbers of pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    bare: bool,
    numbers: u128,
}

impl Shown {
    /// That of the bare name, or none.
    pub fn of_bare_name(bare: bool) -> Self {
        Self { bare, numbers: 0 }
    }

    /// The pieces alone.
    pub fn pieces(self) -> Self {
        Self {
            bare: false,
            ..self
        }
    }

    /// Adds a piece.
    pub fn add(&mut self, number: usize) {
        self.numbers |= 1 << number.min(LAST);
    }

    /// The names.
    pub fn names(self, chunks: Chunks, name: &str) -> impl Iterator<Item = String> {
        let bare = self.bare.then(|| name.to_owned());
        let is_shown = move |number: &usize| self.numbers >> number & 1 == 1;
        let numbers = (0..=LAST).filter(is_shown);
        bare.into_iter()
            .chain(numbers.map(move |number| chunks.piece_name(name, number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Chunks; 4] = [Chunks::AuthJs, Chunks::H3, Chunks::Supabase, Chunks::Auth0];

    #[test]
    fn only_the_framework_s_own_spelling_is_a_piece() {
        for (chunks, name, number) in [
            (Chunks::AuthJs, "s.0", Some(0)),
            (Chunks::AuthJs, "s.100", Some(100)),
            (Chunks::AuthJs, "s.101", None),
            (Chunks::AuthJs, "s.00", None),
            (Chunks::AuthJs, "s.1e1", None),
            (Chunks::AuthJs, "s. 1", None),
            (Chunks::AuthJs, "s.-1", None),
            (Chunks::AuthJs, "s.+1", None),
            (Chunks::AuthJs, "s.0x1", None),
            (Chunks::AuthJs, "s.", None),
            (Chunks::AuthJs, "s", None),
            (Chunks::AuthJs, "S.1", None),
            (Chunks::H3, "s.0", None),
            (Chunks::H3, "s.1", Some(1)),
            (Chunks::Auth0, "s__1", Some(1)),
            (Chunks::Auth0, "s.1", None),
        ] {
            assert_eq!(chunks.number("s", name), number, "{name}");
        }
    }

    #[test]
    fn a_marker_tells_how_many_there_are() {
        assert_eq!(Chunks::H3.marked("__chunked__3"), Some(3));
        for other in [
            "__chunked__",
            "__chunked__0",
            "__chunked__3x",
            "__chunked__101",
            "3",
        ] {
            assert_eq!(Chunks::H3.marked(other), None, "{other}");
        }
        assert_eq!(Chunks::AuthJs.marked("__chunked__3"), None);
    }

    #[test]
    fn what_is_left_of_the_pair_beside_a_long_name_is_less() {
        let name = "n".repeat(128);
        for (name, value) in Chunks::H3.split(&name, &"x".repeat(9_000)) {
            assert!(name.len() + 1 + value.len() <= LONGEST_PAIR);
        }
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_value_and_decode_one_by_one(
            lead in 0..12_usize,
            unit in prop::sample::select(vec!["x", "%20", "%C3%AB", "%F0%9F%98%80", "ë", "😀", "%"]),
            count in 0..4_000_usize,
        ) {
            let value = ["y".repeat(lead), unit.repeat(count)].concat();
            for chunks in ALL {
                let pairs = chunks.split("s", &value);
                let is_marked = pairs.len() > 1 && chunks == Chunks::H3;
                let pieces = &pairs[usize::from(is_marked)..];
                let joined: String = pieces.iter().map(|(_, piece)| &**piece).collect();
                prop_assert_eq!(&joined, &value);
                for (at, (name, piece)) in pieces.iter().enumerate() {
                    prop_assert!(piece.len() <= chunks.longest("s"));
                    prop_assert!(pieces.len() == 1 || chunks.number("s", name) == Some(at + chunks.first()));
                    let whole = piece.split('%').skip(1).all(|rest| unit == "%" || rest.len() >= 2);
                    prop_assert!(whole && percent_encoding::percent_decode_str(piece).decode_utf8().is_ok());
                }
            }
        }
    }
}
