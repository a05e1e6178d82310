//! Cookie headers as visitors and their attackers might send them.

use proptest::prelude::*;

use crate::django::signed_cookie;
use crate::support::*;

/// The names that the gates of these tests manage.
pub const NAMES: [&str; 2] = ["sessionid", "user_id"];

/// What a forger would like the origin to read. No good cookie holds it.
pub const FORGED: &str = "FORGED";

/// When the good cookies of a header were signed: sessions are told apart by their times.
const TIMES: std::ops::Range<u64> = 1..4;

/// A header: pairs, and what stands between them.
pub fn header() -> impl Strategy<Value = String> {
    let separators =
        prop_oneof![6 => Just("; "), 1 => Just(";"), 1 => Just(" ;\t"), 1 => Just(";;")];
    prop::collection::vec((pair(), separators), 0..12).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(pair, between)| pair + between)
            .collect()
    })
}

/// A header of cookies that nobody could take for a managed one, with managed ones between them.
pub fn tame_header() -> impl Strategy<Value = String> {
    let pair = prop_oneof![3 => tame(), 1 => managed()];
    let separators = prop_oneof![Just("; "), Just(";")];
    prop::collection::vec((pair, separators), 0..12).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(pair, between)| pair + between)
            .collect()
    })
}

/// Text of any kind.
pub fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,200}",
        prop::collection::vec(any::<u8>(), 0..200)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        prop::collection::vec(token(), 0..40).prop_map(|tokens| tokens.concat()),
    ]
}

/// Whether a pair of a header is one of [`tame`].
pub fn is_tame(pair: &str) -> bool {
    pair.trim_start_matches([' ', '\t']).starts_with('z')
}

/// The value of a managed cookie that verifies, and what the origin may be sent for it.
pub fn good(name: &str, key_name: &str, number: u64) -> String {
    match name {
        "sessionid" => session_at(key_name, NOW - number),
        _ => signed_cookie("user_id", "").sign(key(key_name), "42", NOW - number),
    }
}

/// Every value that the origin may be sent for a managed name.
pub fn expected(name: &str) -> Vec<String> {
    match name {
        "sessionid" => TIMES
            .map(|number| session_at("ORIGIN", NOW - number))
            .collect(),
        _ => vec!["42".to_owned()],
    }
}

fn pair() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => managed(),
        2 => tame(),
        4 => look_alike(),
        2 => odd(),
        1 => anything(),
        1 => prop::sample::select(vec!["$Version=1", "$Path=\"/\"", "$sessionid=FORGED"]).prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.to_vec())
}

/// A managed cookie by its exact name: good, forged, or good with something behind it.
fn managed() -> impl Strategy<Value = String> {
    let key_name = prop::sample::select(vec!["NEW", "OLD", "STRANGER", "ORIGIN"]);
    let tail = prop_oneof![
        8 => Just(""),
        1 => Just(" "),
        1 => Just("\t"),
        1 => Just(", sessionid=FORGED"),
        1 => Just(" user_id=FORGED"),
        1 => Just("\""),
        1 => Just("\u{fffd}"),
        1 => Just(":FORGED"),
    ];
    let signed = (name(), key_name, TIMES, tail, any::<bool>()).prop_map(
        |(name, key_name, number, tail, is_quoted)| {
            let value = good(name, key_name, number);
            if is_quoted {
                format!("{name}=\"{value}\"{tail}")
            } else {
                format!("{name}={value}{tail}")
            }
        },
    );
    let forged = (
        name(),
        prop::sample::select(vec!["", "\"", "%22", "FORGED", "\"FORGED\"", " FORGED , "]),
    )
        .prop_map(|(name, value)| format!("{name}={value}FORGED"));
    let lead = prop::sample::select(vec!["", " ", "\t", "  "]);
    (lead, prop_oneof![4 => signed, 1 => forged]).prop_map(|(lead, pair)| format!("{lead}{pair}"))
}

/// A cookie whose name starts with z and whose value holds nothing that a parser might cut at.
fn tame() -> impl Strategy<Value = String> {
    "z[a-z0-9_.-]{0,6}(=[a-zA-Z0-9=_.:%/+*'(){}&!#^`|~<>?@-]{0,20})?"
}

/// A pair of letters that make no managed name, with whatever a parser might stumble over.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab1 \t,=\"\\\\%\\[\\]\u{0}\u{b}\u{7f}\u{a0}é\u{fffd}{}$-]{0,16}",
        "[ab]?=([a ]|\\\\?\"){0,4}",
    ]
}

/// A managed name in disguise, in front of a forged value.
fn look_alike() -> impl Strategy<Value = String> {
    let junk =
        "[ \t,\"=%\\[\\]\\\\._+-]{0,2}|[\u{1}-\u{20}\u{7f}-\u{a0}\u{2003}\u{feff}\u{fffd}]{0,2}";
    let before = prop_oneof![
        2 => Just(String::new()),
        1 => Just("a=1".to_owned()),
        1 => Just("a=\"1\"".to_owned()),
        1 => Just("a".to_owned()),
    ];
    let tail = prop::sample::select(vec![
        "=FORGED",
        "[a]=FORGED",
        "[=FORGED",
        "",
        "%3DFORGED",
        "%00=FORGED",
    ]);
    (before, junk, disguised(), junk, tail).prop_map(|(before, lead, name, trail, tail)| {
        [before, lead, name, trail, tail.to_owned()].concat()
    })
}

fn disguised() -> impl Strategy<Value = String> {
    (name(), prop::collection::vec(0..12u8, 9)).prop_map(|(name, ways)| {
        name.chars()
            .zip(ways)
            .map(|(letter, way)| match (letter, way) {
                ('_', 0) => ".".to_owned(),
                ('_', 1) => "[".to_owned(),
                ('_', 2) => "+".to_owned(),
                ('_', 3) => " ".to_owned(),
                ('_', 4) => "%20".to_owned(),
                (letter, 5) => format!("%{:02x}", u32::from(letter)),
                (letter, 6) => format!("%{:02X}", u32::from(letter.to_ascii_uppercase())),
                (letter, 7) => letter.to_ascii_uppercase().to_string(),
                (letter, _) => letter.to_string(),
            })
            .collect()
    })
}

/// Pieces of which headers are made.
fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(";".to_owned()),
        Just("; ".to_owned()),
        Just("=".to_owned()),
        Just("\"".to_owned()),
        Just(",".to_owned()),
        Just("\\".to_owned()),
        Just("\u{fffd}".to_owned()),
        Just("$".to_owned()),
        Just(FORGED.to_owned()),
        name().prop_map(str::to_owned),
        disguised(),
        (name(), TIMES).prop_map(|(name, number)| good(name, "NEW", number)),
        "[ -~]",
    ]
}
