//! Headers as a visitor, an attacker and a site might send them, built from bytes so that most of them get far.

use std::sync::atomic::{AtomicU64, Ordering};

use arbitrary::Arbitrary;

use crate::independent::{Scheme, Signed, Times};
use crate::site::{CLOCK_SKEW, COOKIE_MAX_AGE, MAX_AGE, NOW, RULES, Role, Rule};

/// A cookie of a managed name.
#[derive(Arbitrary, Clone, Debug)]
pub struct ManagedCookie {
    rule: u8,
    role: Role,
    /// The rule for whose name it is signed, where that is another.
    signed_for: Option<u8>,
    payload: u8,
    time: u8,
    expiry: Option<u8>,
    not_before: Option<u8>,
    change: Option<Change>,
    /// The change of the second cookie, where the signature is one.
    companion: CompanionFate,
    /// Where it is cut, where it may come in pieces.
    pieces: Option<(u8, PieceFate)>,
}

/// What becomes of the pieces of a cookie.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum PieceFate {
    All,
    Reversed,
    LeadingZero,
    Sign,
    OneMissing,
    OneMore,
    OneTwice,
    Beyond,
}

/// Times about which something changes, in seconds from now.
const MOMENTS: [i64; 12] = [
    0,
    -1,
    1,
    CLOCK_SKEW as i64,
    CLOCK_SKEW as i64 + 1,
    -(COOKIE_MAX_AGE as i64),
    -(COOKIE_MAX_AGE as i64) + 1,
    -(MAX_AGE as i64),
    -(MAX_AGE as i64) - 1,
    -86_400,
    86_400,
    -1_000_000,
];

fn moment(at: u8) -> u64 {
    NOW.saturating_add_signed(MOMENTS[usize::from(at) % MOMENTS.len()])
}

/// What becomes of the cookie that holds a signature.
#[derive(Arbitrary, Clone, Debug)]
pub enum CompanionFate {
    Beside,
    Changed(Change),
    Missing,
    /// It comes without the value.
    Alone,
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
    PercentU(u8),
    /// Behind what some parser drops.
    Led(u8),
    SpaceBehind,
    /// With what PHP reads as `_`.
    Parted(u8),
    /// With what PHP reads as an array's.
    Bracket(u8),
    Dollar,
    Quoted,
    /// In quotes, a letter as an octal number.
    Octal(u8),
    InValue,
    /// Behind what ends a pair somewhere.
    Behind(u8),
    InQuotes,
    OpenQuote,
    Bare,
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

/// What a site that signs any text may have signed: some parser reads another cookie in it.
const CARRYING: [&str; 4] = [
    "a,sessionid=forged",
    "a sb=forged",
    "a\\vip=forged",
    "a,grip=forged",
];
/// How long a payload is that does not fit one cookie, or nearly.
const LONG: [usize; 4] = [2_350, 3_000, 4_040, 6_000];

static VISITOR: AtomicU64 = AtomicU64::new(0);

/// From here on payloads are those of another visitor: a gate remembers what a response set, and withholds upgrades of
/// it (S5).
pub fn another_visitor() {
    VISITOR.fetch_add(1, Ordering::Relaxed);
}

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
    "\u{fffd}",
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
    /// Its rule.
    pub fn rule(&self) -> &'static Rule {
        &RULES[usize::from(self.rule) % RULES.len()]
    }

    /// One that a key of that role signed for its rule, as the site and the gate sign it.
    pub fn genuine(rule: u8, role: Role, payload: u8, time: u8) -> Self {
        Self {
            rule,
            role,
            signed_for: None,
            payload,
            time,
            expiry: None,
            not_before: None,
            change: None,
            companion: CompanionFate::Beside,
            pieces: None,
        }
    }

    /// The payload that it is signed with.
    fn payload(&self) -> String {
        let at = usize::from(self.payload);
        let text = match at {
            // Keygrip alone signs a text as it stands
            224.. if self.rule().scheme == Scheme::Keygrip => CARRYING[at % CARRYING.len()],
            _ => PAYLOADS[at % PAYLOADS.len()],
        };
        let is_long = (208..224).contains(&at);
        let long = "x".repeat(if is_long { LONG[at % LONG.len()] } else { 0 });
        format!("{long}{text}{}", VISITOR.load(Ordering::Relaxed))
    }

    /// The values as they are shown.
    pub fn shown(&self) -> Signed {
        let rule = self.rule();
        let name = self
            .signed_for
            .map_or(rule.name, |at| RULES[usize::from(at) % RULES.len()].name);
        let times = Times {
            signed: moment(self.time),
            expiry: self.expiry.map(moment),
            not_before: self.not_before.map(moment),
        };
        let (key, payload) = (rule.key(self.role), self.payload());
        let signed = match (rule.scheme, self.signed_for) {
            // a token is for any name; it may say that it is of another algorithm
            (Scheme::Jwt, Some(128..)) => Scheme::token_of_another(key, &payload, times),
            _ => rule.scheme.sign(key, name, &payload, times),
        };
        let value = match &self.change {
            None => signed.value,
            Some(change) => change.of(&signed.value),
        };
        let companion = match &self.companion {
            CompanionFate::Beside | CompanionFate::Alone => signed.companion,
            CompanionFate::Changed(change) => signed.companion.map(|value| change.of(&value)),
            CompanionFate::Missing => None,
        };
        Signed { value, companion }
    }

    /// The name and the value of one of them: of the signature or of a piece, where it comes with that alone.
    fn one(&self) -> (String, String) {
        let (rule, shown) = (self.rule(), self.shown());
        match (&self.companion, rule.companion(), shown.companion) {
            (CompanionFate::Alone, Some(name), Some(signature)) => (name.to_owned(), signature),
            _ if rule.is_chunked && self.pieces.is_some() => {
                (format!("{}.0", rule.name), shown.value)
            }
            _ => (rule.name.to_owned(), shown.value),
        }
    }

    /// Names and values as they are shown.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let (rule, shown) = (self.rule(), self.shown());
        let mut pairs = match self.pieces {
            Some((cut, fate)) if rule.is_chunked => pieces(rule.name, &shown.value, cut, fate),
            _ => vec![(rule.name.to_owned(), shown.value)],
        };
        if matches!(self.companion, CompanionFate::Alone) {
            pairs.clear();
        }
        let companion = rule.companion().zip(shown.companion);
        pairs.extend(companion.map(|(name, value)| (name.to_owned(), value)));
        pairs
    }
}

fn pieces(name: &str, value: &str, cut: u8, fate: PieceFate) -> Vec<(String, String)> {
    let mut at = usize::from(cut) % (value.len() + 1);
    while !value.is_char_boundary(at) {
        at -= 1;
    }
    let (first, rest) = value.split_at(at);
    let mut pairs = vec![
        (format!("{name}.0"), first.to_owned()),
        (format!("{name}.1"), rest.to_owned()),
    ];
    match fate {
        PieceFate::All => {}
        PieceFate::Reversed => pairs.reverse(),
        PieceFate::LeadingZero => pairs[1].0 = format!("{name}.01"),
        PieceFate::Sign => pairs[1].0 = format!("{name}.+1"),
        PieceFate::OneMissing => drop(pairs.remove(0)),
        PieceFate::OneMore => pairs.push((format!("{name}.2"), "more".to_owned())),
        PieceFate::OneTwice => pairs.push((format!("{name}.1"), "other".to_owned())),
        PieceFate::Beyond => pairs[1].0 = format!("{name}.101"),
    }
    pairs
}

const LEADS: [&str; 5] = ["\u{a0}", "%20", "+", "%20+", " \u{3000}"];
const PARTS: [&str; 6] = [".", "+", " ", "[", "%20", "%2E"];
const ENDS: [&str; 9] = [",", " ", "\t", "\"", "[", "]", "\\", "\u{1}", "\u{fffd}"];

fn of(texts: &[&'static str], at: u8) -> &'static str {
    texts[usize::from(at) % texts.len()]
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
            Self::PercentU(at) => {
                let at = usize::from(*at) % name.len();
                let byte = name.as_bytes()[at];
                format!("{}%u{byte:04x}{}={value}", &name[..at], &name[at + 1..])
            }
            Self::Led(at) => format!("{}{name}={value}", of(&LEADS, *at)),
            Self::SpaceBehind => format!("{name} ={value}"),
            Self::Parted(at) => format!("{}={value}", name.replace('_', of(&PARTS, *at))),
            Self::Bracket(at) => format!("{name}{}={value}", of(&["[]", "[a]", "[0][b]"], *at)),
            Self::Dollar => format!("$Version=1; ${name}={value}"),
            Self::Quoted => format!("\"{name}\"={value}"),
            Self::Octal(at) => {
                let at = usize::from(*at) % name.len();
                let byte = name.as_bytes()[at];
                format!("\"{}\\{byte:03o}{}\"={value}", &name[..at], &name[at + 1..])
            }
            Self::InValue => format!("z=\"a, {name}={value}"),
            Self::Behind(at) => format!("z=a{}{name}={value}", of(&ENDS, *at)),
            Self::InQuotes => format!("z=\"a; {name}={value}\""),
            Self::OpenQuote => format!("z=\"a; {name}={value}"),
            Self::Bare => name.to_owned(),
        }
    }
}

/// A Cookie header of these pairs, with what stands between them.
pub fn header(parts: &[(Pair, u8)]) -> String {
    let mut header = String::new();
    for (pair, between) in parts.iter().take(24) {
        header.push_str(&pair.text());
        header.push_str(["; ", ";", "; ", " ; ", ";;"][usize::from(*between) % 5]);
    }
    header
}

impl Pair {
    fn text(&self) -> String {
        match self {
            Self::Managed(cookie) => {
                let pairs = cookie.pairs().into_iter();
                let pairs: Vec<String> = pairs
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                pairs.join("; ")
            }
            Self::Alike { cookie, spelling } => {
                let (name, value) = cookie.one();
                spelling.pair(&name, &value)
            }
            Self::Tame { name, value } => format!("z{}=v{value}", name % 16),
            Self::Any(text) => text.text(),
        }
    }
}
