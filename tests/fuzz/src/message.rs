//! Headers as a visitor, an attacker and a site might send them, built from bytes so that most of them get far.

use std::collections::BTreeSet;

use arbitrary::Arbitrary;

use crate::independent::{SCHEMES, Scheme, Signed};
use crate::site::{MAX_AGE, NOW, Role};

/// A cookie of a managed name.
#[derive(Arbitrary, Clone, Debug)]
pub struct ManagedCookie {
    scheme: u8,
    role: Role,
    payload: u8,
    /// When it was signed, in half days before the day after tomorrow.
    age: u8,
    change: Option<Change>,
    /// The change of the second cookie, where the signature is one.
    companion: CompanionFate,
}

/// What becomes of the cookie that holds a signature.
#[derive(Arbitrary, Clone, Debug)]
pub enum CompanionFate {
    Beside,
    Changed(Change),
    Missing,
}

/// What an attacker does to a value.
#[derive(Arbitrary, Clone, Debug)]
pub enum Change {
    Flip { at: u16, bit: u8 },
    Cut { at: u16 },
    Insert { at: u16, text: Text },
    Append(Text),
    Percent { at: u16 },
    Quote,
}

/// Short texts with what parsers trip over.
#[derive(Arbitrary, Clone, Debug)]
pub struct Text(Vec<u8>);

/// A part of a Cookie header.
#[derive(Arbitrary, Clone, Debug)]
pub enum Pair {
    Managed(ManagedCookie),
    /// Another spelling of a managed name, with a value that verifies or any other.
    Alike {
        cookie: ManagedCookie,
        spelling: Spelling,
    },
    /// A cookie that nobody can take for a managed one.
    Tame {
        name: u8,
        value: u8,
    },
    Any(Text),
}

/// How a name is written that some server takes for another.
#[derive(Arbitrary, Clone, Debug)]
pub enum Spelling {
    Upper,
    Percent(u8),
    SpaceBefore,
    SpaceBehind,
    Dotted,
    Bracket,
    Dollar,
    Quoted,
    InValue,
    Bare,
    BehindComma,
    PercentU,
    Apart,
    Member,
}

/// A Cookie header and what it holds.
#[derive(Debug, Default)]
pub struct Header {
    /// The text.
    pub text: String,
    /// What a visitor may say with it: scheme and payload, signed under a key of the ring and not too old.
    pub genuine: BTreeSet<(usize, String)>,
    /// The tame pairs in their order, as they stand there.
    pub tame: Vec<String>,
}

const PAYLOADS: [&str; 8] = [
    "eyJ1c2VyX2lkIjo0Mn0",
    "eyJ1c2VyX2lkIjoxfQ",
    "a",
    "eyJhIjoxfQ",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "0",
    "c2Vzc2lvbg",
    "AAAA",
];

const TOKENS: [&str; 24] = [
    ";",
    "=",
    " ",
    "\t",
    "\"",
    ",",
    "%",
    "$Version=1",
    "\\",
    "%3B",
    "%3D",
    "sessionid",
    "token",
    "grip",
    "grip.sig",
    "_rails",
    "laravel_session",
    "; ",
    "=\"",
    "\u{e9}",
    "[",
    "]",
    "%73essionid",
    ".",
];

impl Text {
    /// The text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for byte in self.0.iter().take(64) {
            match usize::from(*byte) {
                token if token < 128 => text.push_str(TOKENS[token % TOKENS.len()]),
                byte => text.push(char::from(33 + (byte % 94) as u8)),
            }
        }
        text
    }
}

impl Change {
    /// The value with the change.
    pub fn of(&self, value: &str) -> String {
        let at = |at: u16| {
            let mut at = usize::from(at) % (value.len() + 1);
            while !value.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        match self {
            Self::Flip { at: place, bit } => {
                let mut bytes = value.as_bytes().to_vec();
                if let Some(byte) = bytes.get_mut(at(*place)) {
                    *byte ^= 1 << (bit % 7);
                }
                String::from_utf8_lossy(&bytes).replace(['\r', '\n', '\0'], "x")
            }
            Self::Cut { at: place } => value[..at(*place)].to_owned(),
            Self::Insert { at: place, text } => {
                let (before, behind) = value.split_at(at(*place));
                format!("{before}{}{behind}", text.text())
            }
            Self::Append(text) => format!("{value}{}", text.text()),
            Self::Percent { at: place } => {
                let place = at(*place);
                match value[place..].chars().next() {
                    Some(c) if c.is_ascii() => {
                        format!(
                            "{}%{:02X}{}",
                            &value[..place],
                            c as u32,
                            &value[place + 1..]
                        )
                    }
                    _ => value.to_owned(),
                }
            }
            Self::Quote => format!("\"{value}\""),
        }
    }
}

impl ManagedCookie {
    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        SCHEMES[self.index()]
    }

    /// Its scheme's place.
    pub fn index(&self) -> usize {
        usize::from(self.scheme) % SCHEMES.len()
    }

    /// The payload that it was signed with.
    pub fn payload(&self) -> &'static str {
        PAYLOADS[usize::from(self.payload) % PAYLOADS.len()]
    }

    /// Whose key signed it.
    pub fn role(&self) -> Role {
        self.role
    }

    /// When.
    fn time(&self) -> u64 {
        NOW + 4 * 43_200 - u64::from(self.age) * 43_200
    }

    /// Whether the format takes one that old.
    pub fn is_in_time(&self) -> bool {
        // at its very end a session of Django's counts, a token does not
        let most = MAX_AGE - u64::from(self.scheme() != Scheme::Django);
        let age = NOW.checked_sub(self.time());
        !self.scheme().has_time() || age.is_some_and(|age| age <= most)
    }

    /// Whether it is shown as it was signed.
    pub fn is_whole(&self) -> bool {
        self.change.is_none() && matches!(self.companion, CompanionFate::Beside)
    }

    /// The values as they are shown.
    pub fn shown(&self) -> Signed {
        let scheme = self.scheme();
        let signed = scheme.sign(self.role.key(scheme), self.payload(), self.time());
        let value = match &self.change {
            None => signed.value,
            Some(change) => change.of(&signed.value),
        };
        let companion = match &self.companion {
            CompanionFate::Beside => signed.companion,
            CompanionFate::Changed(change) => signed.companion.map(|value| change.of(&value)),
            CompanionFate::Missing => None,
        };
        Signed { value, companion }
    }
}

impl ManagedCookie {
    /// A value as the pieces of a Cookie header, of lengths and spellings that its other fields choose.
    fn pieces(&self, value: &str) -> String {
        let name = self.scheme().cookie();
        let (count, spelling) = (usize::from(self.age % 4), self.payload / 8);
        if count == 0 || !value.is_ascii() {
            return format!("{name}={value}");
        }
        let length = value.len().div_ceil(count).max(1);
        let starts = (0..value.len()).step_by(length).enumerate();
        let piece = |(number, start): (usize, usize)| {
            let piece = &value[start..(start + length).min(value.len())];
            match spelling % 6 {
                1 if number == 1 => format!("{name}.0{number}={piece}"),
                2 if number == 1 => format!("{name}.+{number}={piece}"),
                3 if number == 1 => format!("{name}.{number}=x; {name}.{number}={piece}"),
                4 if number == 1 => format!("{name}.9={piece}"),
                _ => format!("{name}.{number}={piece}"),
            }
        };
        starts.map(piece).collect::<Vec<_>>().join("; ")
    }
}

impl Spelling {
    fn pair(&self, name: &str, value: &str) -> String {
        match self {
            Self::Upper => format!("{}={value}", name.to_uppercase()),
            Self::Percent(at) => {
                let at = usize::from(*at) % name.len();
                let byte = name.as_bytes()[at];
                format!("{}%{byte:02x}{}={value}", &name[..at], &name[at + 1..])
            }
            Self::SpaceBefore => format!("\u{a0}{name}={value}"),
            Self::SpaceBehind => format!("{name} ={value}"),
            Self::Dotted => format!("{}={value}", name.replace('_', ".")),
            Self::Bracket => format!("{}={value}", name.replace('_', "[")),
            Self::Dollar => format!("$Version=1; ${name}={value}"),
            Self::Quoted => format!("\"{name}\"={value}"),
            Self::InValue => format!("z=\"a, {name}={value}"),
            Self::Bare => name.to_owned(),
            Self::BehindComma => format!("z=a,{name}={value}"),
            Self::PercentU => format!("%u{:04x}{}={value}", name.as_bytes()[0], &name[1..]),
            Self::Apart => format!("z=a {name}={value}"),
            Self::Member => format!("z=[{name}={value}]"),
        }
    }
}

impl Header {
    /// Of these pairs, with what stands between them.
    pub fn of(parts: &[(Pair, u8)]) -> Self {
        let mut header = Self::default();
        for (pair, between) in parts.iter().take(24) {
            header.push(pair);
            header
                .text
                .push_str(["; ", ";", "; ", " ; ", ";;"][usize::from(*between) % 5]);
        }
        header
    }

    /// Repeats it up to a length in bytes.
    pub fn repeat(&mut self, length: usize) {
        let times = length / self.text.len();
        self.text = self.text.repeat(times);
        self.tame.clear(); // they stand there many times
    }

    fn push(&mut self, pair: &Pair) {
        match pair {
            Pair::Managed(cookie) => {
                let (scheme, shown) = (cookie.scheme(), cookie.shown());
                if scheme == Scheme::Pieces {
                    self.text.push_str(&cookie.pieces(&shown.value));
                    self.note(cookie);
                    return;
                }
                self.text
                    .push_str(&format!("{}={}", scheme.cookie(), shown.value));
                if let (Some(name), Some(companion)) = (scheme.companion(), shown.companion) {
                    self.text.push_str(&format!("; {name}={companion}"));
                }
                self.note(cookie);
            }
            Pair::Alike { cookie, spelling } => {
                let pair = spelling.pair(cookie.scheme().cookie(), &cookie.shown().value);
                self.text.push_str(&pair);
                self.note(cookie);
            }
            Pair::Tame { name, value } => {
                let pair = format!("z{}=v{value}", name % 16);
                self.text.push_str(&pair);
                self.tame.push(pair);
            }
            Pair::Any(text) => self.text.push_str(&text.text()),
        }
    }

    /// Notes what the visitor may say, for whatever the change is, the signed payload is his.
    fn note(&mut self, cookie: &ManagedCookie) {
        let in_ring = matches!(cookie.role(), Role::Current | Role::Fallback);
        if in_ring && cookie.is_in_time() {
            self.genuine
                .insert((cookie.index(), cookie.payload().to_owned()));
        }
    }
}
