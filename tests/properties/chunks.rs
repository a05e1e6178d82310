//! Random headers with pieces: what an enforcing rule lets the origin's framework read of its cookie was sealed. The
//! join is the framework's, written here anew.

use countersign_core::gate::Gate;
use proptest::prelude::*;
use serde_json::json;

use crate::cases;
use crate::django;
use crate::support::*;

#[path = "../rules/chunks/framework.rs"]
mod framework;
use framework::read;

const STYLES: [&str; 4] = ["auth.js", "h3", "supabase", "auth0"];
const SEALED: [usize; 2] = [40, 120];

fn gate_for(chunks: &str) -> Gate {
    let rule = json!({
        "name": "s",
        "format": "django-signed-cookie",
        "origin": {"format": "plain"},
        "chunks": chunks,
        "attributes": ATTRIBUTES,
    });
    gate(pinned(), [rule])
}

/// What was signed for: `7` so many times.
fn content(length: usize) -> String {
    "7".repeat(length)
}

fn sealed(length: usize) -> String {
    signed(&django::signed_cookie("s", ""), "NEW", &content(length))
}

/// Pairs of names that some framework may read, with parts of what was sealed or with what was not.
fn pair() -> impl Strategy<Value = String> {
    let names = [
        "s", "s", "s.0", "s.0", "s.1", "s.1", "s.2", "s.3", "s__0", "s__1", "s__2", "s__00",
        "s.00", "s.01", "s.1e1", " s. 1", "s.-1", "s.0x1", "s.+1", "s .0", "S.0", "%73.0", "sx",
        "s.x.0", "s_0", "s[0]", "\"s.0\"", "s.0.1", "a", "s.100", "s.101", "$s.0",
    ];
    let part = (0..SEALED.len(), 0..4_usize, 1..4_usize).prop_map(|(of, part, parts)| {
        let text = sealed(SEALED[of]);
        let length = text.len().div_ceil(parts);
        let start = (part * length).min(text.len());
        text[start..(start + length).min(text.len())].to_owned()
    });
    let value = prop_oneof![
        4 => part,
        1 => prop::sample::select(vec!["__chunked__1", "__chunked__2", "__chunked__3", "__chunked__ 2", "__chunked__2x", "__chunked__"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", "7", "evil", "\"", "x, s.0=evil", "x s=evil", "\"s.1=evil\""]).prop_map(str::to_owned),
    ];
    (prop::sample::select(names.to_vec()), value)
        .prop_map(|(name, value)| format!("{name}={value}"))
}

/// A good cookie in pieces, with others between them.
fn header() -> impl Strategy<Value = String> {
    prop::collection::vec(pair(), 0..9).prop_map(|pairs| pairs.join("; "))
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn what_a_framework_joins_was_sealed(header in header()) {
        for chunks in STYLES {
            let built = forwarded(&gate_for(chunks), &header).unwrap_or_default();
            if let Some(read) = read(chunks, "s", &built) {
                let is_content = SEALED.iter().any(|length| content(*length) == read);
                prop_assert!(is_content, "{chunks} reads {read:?} in {built:?}, built from {header:?}");
            }
        }
    }

    #[test]
    fn a_good_cookie_is_read_whatever_stands_around_it(before in header(), behind in header(), parts in 1..4_usize) {
        for chunks in STYLES {
            let text = sealed(SEALED[1]);
            let length = text.len().div_ceil(parts);
            let (separator, first) = framework::naming(chunks);
            let piece = |(at, piece): (usize, &[u8])| {
                format!("s{separator}{}={}", at + first, std::str::from_utf8(piece).unwrap())
            };
            let mut good: Vec<String> = text.as_bytes().chunks(length).enumerate().map(piece).collect();
            if chunks == "h3" {
                good.insert(0, format!("s=__chunked__{}", good.len()));
            }
            // so few planted pairs that every way of joining them is tried
            let few = |header: &str| header.split("; ").take(2).collect::<Vec<_>>().join("; ");
            let header = format!("{}; {}; {}", few(&before), good.join("; "), few(&behind));
            let built = forwarded(&gate_for(chunks), &header).unwrap_or_default();
            let found = read(chunks, "s", &built);
            prop_assert!(found.is_some(), "{chunks} reads nothing in {built:?}, built from {header:?}");
        }
    }
}
