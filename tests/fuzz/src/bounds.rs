//! What must hold of the longest headers (R6): copies of a cookie by the hundred, values by the kilobyte.

use arbitrary::Arbitrary;
use countersign_core::gate::verdict::Verdict;
use countersign_core::gate::{Event, Gate};
use serde_json::json;
use std::sync::OnceLock;

use crate::given;
use crate::independent::{Scheme, Times};
use crate::message::Text;
use crate::request::{Head, decide};
use crate::site;

/// A header of many copies.
#[derive(Arbitrary, Debug)]
pub struct BoundsCase {
    kinds: Vec<Copies>,
}

/// So many copies of a cookie.
#[derive(Arbitrary, Debug)]
struct Copies {
    shape: Shape,
    /// From 64 on, each counts for 20.
    count: u8,
    /// What is signed, in hundreds of bytes.
    length: u8,
}

#[derive(Arbitrary, Debug)]
enum Shape {
    /// One that no key signed.
    Forged,
    /// One of a key of the ring.
    Genuine,
    /// One without the shape of a signed one. Of some lengths it is a piece of another cookie, or one whose salts ask
    /// for a slow key of its own.
    Shapeless,
    Any(Text),
}

/// The longest header that a server takes, in bytes.
const LONGEST_HEADER: usize = 128 << 10;
/// How many keys a rule tries.
const KEYS: usize = 14;
const TRIES: usize = 256;
const HASHED: usize = 1 << 20;
const LOOKED: usize = (512 << 10) + (32 << 10);
const LOOK: usize = 64;
const LONGEST_VALUE: usize = 16 << 10;
const NAME: &str = "token";
const PIECES: &str = "sb";
const SLOW: &str = "h3";

fn key(at: usize) -> String {
    format!("the-{at:02}th-key-of-a-ring-of-many-keys-")
}

/// What a round of PBKDF2 hashes, in bytes, and how many are made.
const ROUND: usize = 256;
const ROUNDS: usize = 6 * 8_192;

/// Rules with many keys, and one whose keys are slow.
fn gate() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| {
        let name = |at: usize| format!("KEY_{at}");
        let fallbacks: Vec<String> = (1..KEYS).map(name).collect();
        let config = json!({
            "reports": "all",
            "keys": {"current": name(0), "fallbacks": fallbacks, "origin": "ORIGIN"},
            "cookies": [
                {"name": NAME, "format": "jwt", "upgrade": "never"},
                {"name": PIECES, "format": "jwt", "chunks": "supabase", "upgrade": "never"},
                {
                    "name": SLOW, "format": "iron", "iterations": 8_192, "upgrade": "never",
                    "keys": {"current": "SLOW", "fallbacks": [], "origin": "SLOW"},
                },
            ],
        });
        let secret = |wanted: &str| match wanted {
            "SLOW" => Some(key(KEYS + 1)),
            "ORIGIN" => Some(key(KEYS)),
            _ => (0..KEYS).find(|at| name(*at) == wanted).map(key),
        };
        site::of(&config, &secret)
    })
}

fn header(case: &BoundsCase) -> (String, Vec<usize>) {
    let mut header = String::new();
    let mut lengths = Vec::new();
    for copies in case.kinds.iter().take(3) {
        let payload = "a".repeat(usize::from(copies.length) * 100);
        let signed = |key: &str| {
            Scheme::Jwt
                .sign(key, NAME, &payload, Times::default())
                .value
        };
        let value = match &copies.shape {
            Shape::Forged => signed("nobody's"),
            Shape::Genuine => signed(&key(KEYS - 1)),
            Shape::Shapeless => format!("x{payload}"),
            Shape::Any(text) => text.text().replace(';', ""),
        };
        let count = match copies.count {
            few @ 0..64 => usize::from(few),
            many => usize::from(many) * 20,
        };
        for at in 0..count {
            let pair = match (&copies.shape, copies.length) {
                (Shape::Shapeless, 1..=3) => format!("{PIECES}.{}={at}{value}; ", at % 3),
                (Shape::Shapeless, 4..=63) => format!("{SLOW}={}; ", with_salt(at)),
                _ => format!("{NAME}={value}; "),
            };
            if header.len() + pair.len() > LONGEST_HEADER {
                break;
            }
            header.push_str(&pair);
            if pair.starts_with(NAME) {
                lengths.push(value.len());
            }
        }
    }
    (header, lengths)
}

/// A value of the shape of Iron's, with salts that no other has.
fn with_salt(at: usize) -> String {
    let (iv, mac) = ("a".repeat(21) + "A", "a".repeat(42) + "A");
    format!("Fe26.2**{at:064x}*{iv}*{mac}**{at:064x}*{mac}")
}

/// Judges it, and counts what it must have cost.
pub fn check(case: &BoundsCase) {
    let (header, lengths) = header(case);
    let decision = decide(gate(), &header, Head::PAGE);
    let events = &decision.pending.events;
    let verdicts: Vec<&Event> = events.iter().filter(|event| event.rule.0 == 0).collect();
    // the verdicts on copies stand in the order of the copies
    let copies = || verdicts.iter().zip(&lengths);
    let refused = |verdict: Verdict| {
        let of = copies().filter(move |(event, _)| event.verdict == verdict);
        of.map(|(_, length)| *length)
    };
    if verdicts.len() == lengths.len() {
        let tries = refused(Verdict::BadSignature).count() * KEYS;
        assert!(tries <= TRIES, "{tries} tries");
        let hashed: usize = refused(Verdict::BadSignature).sum::<usize>() * KEYS;
        assert!(hashed <= HASHED, "{hashed} bytes hashed");
        let looked = refused(Verdict::Malformed).map(|length| length + LOOK);
        let looked: usize = looked.sum::<usize>() * KEYS;
        assert!(looked <= LOOKED, "{looked} bytes looked at in vain");
    }
    let slow = if header.contains(SLOW) {
        ROUNDS * ROUND
    } else {
        0
    };
    let most = HASHED * 2 + LOOKED + 8 * header.len() + (32 << 10) + slow;
    let steps = decision.pending.steps;
    assert!(steps <= most, "{steps} steps for {} bytes", header.len());
    let sent = match decision.action {
        countersign_core::gate::Action::Unchanged => header.clone(),
        countersign_core::gate::Action::WithCookie(cookie) => cookie.unwrap_or_default(),
        countersign_core::gate::Action::Reject(_) => String::new(),
    };
    for (_, value) in given::pairs(&sent).filter(|(name, _)| *name == NAME) {
        assert!(
            value.len() <= LONGEST_VALUE + 64,
            "a value of {} bytes",
            value.len()
        );
        let read = Scheme::Jwt.read(&key(KEYS), NAME, value, None);
        assert!(read.is_some(), "unverified: {value:?}");
    }
}
