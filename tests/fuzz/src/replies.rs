//! What must hold of replies of a live Worker as the command line reads them: any text is read or refused, in bounded
//! work, and what an error says has nothing in it that may be a key.

use arbitrary::Arbitrary;
use countersign_cli::fuzzing::{capabilities_error, ledger_uses, status};
use serde_json::{Value, json};

/// A reply: a status or a ledger with some of it in other places, or any text.
#[derive(Arbitrary, Debug)]
pub struct RepliesCase {
    text: String,
    changes: Vec<NodeChange>,
    tallies: Vec<TallyCase>,
    now: TimeCase,
    http_status: u8,
}

/// A value in the place of another.
#[derive(Arbitrary, Debug)]
struct NodeChange {
    place: u8,
    with: Replacement,
}

#[derive(Arbitrary, Debug)]
enum Replacement {
    Null,
    Flag(bool),
    Number(i64),
    Large(u64),
    Float(f64),
    /// What may be a key.
    Key,
    Text(String),
    List(u8),
    Nested(u8),
    Gone,
}

#[derive(Arbitrary, Debug)]
struct TallyCase {
    is_hour: bool,
    at: TimeCase,
    key: u8,
    verdict: u8,
    count: u64,
}

#[derive(Arbitrary, Debug)]
enum TimeCase {
    Usual(u32),
    Any(u64),
}

/// A text with nothing of a key id.
const KEY: &str = "a-key-that-nobody-may-read-in-an-error-0123456789";
const PRESENT: u64 = 1_800_000_000;
const VERDICTS: [&str; 8] = [
    "current",
    "fallback",
    "accepted-format",
    "sealed",
    "bad-signature",
    "upgraded",
    "upgrade-withheld",
    "newer",
];

fn status_reply() -> Value {
    json!({
        "countersign": "0.1.0", "version": {"id": "7b5e", "tag": "", "timestamp": "2026-11-01T00:00:00Z"},
        "now": PRESENT, "mode": "enforce", "problems": [], "notes": ["a", {"path": "mode", "text": "b"}],
        "configuration": {
            "keys": {
                "current": "NEW",
                "fallbacks": [{"secret": "OLD", "until": "2027-02-01T00:00:00Z"}],
                "origin": "ORIGIN",
            },
            "cookies": [{
                "name": "sessionid", "format": "django-session", "max_age": 1_209_600,
                "attributes": "Path=/; HttpOnly",
            }],
        },
        "keys": [
            {"secret": "NEW", "fingerprint": "850436a6"},
            {"secret": "OLD", "fingerprint": "6bad84f0"},
            {"secret": "ORIGIN", "fingerprint": "0a0b0c0d"},
        ],
    })
}

impl TimeCase {
    fn seconds(&self) -> u64 {
        match self {
            Self::Usual(before) => PRESENT - u64::from(*before) % (500 * 86_400),
            Self::Any(any) => *any,
        }
    }
}

impl RepliesCase {
    fn ledger(&self) -> Value {
        let (mut hours, mut days) = (Vec::new(), Vec::new());
        for tally in self.tallies.iter().take(64) {
            let entry = json!({
                "at": tally.at.seconds(), "rule": "sessionid", "key": format!("KEY_{}", tally.key % 3),
                "verdict": VERDICTS[usize::from(tally.verdict) % VERDICTS.len()], "count": tally.count,
            });
            if tally.is_hour { &mut hours } else { &mut days }.push(entry);
        }
        let keys = [
            json!({"rule": "sessionid", "key": "KEY_0", "last_opened": 1, "first_sealed": PRESENT}),
        ];
        let ledger =
            json!({"since": PRESENT - 86_400 * 30, "keys": keys, "hours": hours, "days": days});
        json!({"countersign": "0.1.0", "now": self.now.seconds(), "ledger": ledger})
    }

    fn changed(&self, mut reply: Value) -> Value {
        for change in self.changes.iter().take(4) {
            let mut left = usize::from(change.place);
            change_at(&mut reply, &mut left, &change.with);
        }
        reply
    }
}

/// Changes the value at a place, counted in the order of the text.
fn change_at(value: &mut Value, left: &mut usize, with: &Replacement) -> bool {
    if *left == 0 {
        *value = with.json(value);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(entries) => entries.iter_mut().any(|entry| change_at(entry, left, with)),
        Value::Object(fields) => fields
            .iter_mut()
            .any(|(_, field)| change_at(field, left, with)),
        _ => false,
    }
}

impl Replacement {
    fn json(&self, old: &Value) -> Value {
        match self {
            Self::Null | Self::Gone => Value::Null,
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => (*number).into(),
            Self::Large(number) => (*number).into(),
            Self::Float(number) => json!(number),
            Self::Key => KEY.into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(count) => vec![old.clone(); usize::from(count % 8)].into(),
            Self::Nested(depth) => (0..*depth).fold(old.clone(), |inner, _| json!([inner])),
        }
    }
}

/// Reads it in every way, and holds the rules against what comes of it.
pub fn check(case: &RepliesCase) {
    let http_status = [200, 404, 503, 500][usize::from(case.http_status) % 4];
    let status_text = case.changed(status_reply()).to_string();
    let ledger_text = case.changed(case.ledger()).to_string();
    for text in [&case.text, &status_text, &ledger_text] {
        for line in status(text).into_iter().flatten() {
            is_one_line(&line);
        }
        if let Some(error) = capabilities_error(text) {
            assert!(!error.contains(KEY), "what may be a key is told: {error}");
            assert!(!error.is_empty(), "refused without a reason: {text}");
        }
        if let Some(uses) = ledger_uses(http_status, text) {
            assert!(
                http_status == 200 && uses.len() <= text.len(),
                "more than was said: {text}"
            );
        }
    }
    let counted = ledger_uses(200, &case.ledger().to_string());
    is_the_account(case, counted.as_ref());
}

/// What a terminal obeys is not in what it is told.
fn is_one_line(line: &str) {
    let is_harmful = |c: char| c.is_control() && c != '\n';
    assert!(!line.contains(is_harmful), "{line:?}");
}

/// The uses are those that were counted, by a second account.
fn is_the_account(
    case: &RepliesCase,
    counted: Option<&std::collections::BTreeMap<String, (u64, u64)>>,
) {
    let now = case.now.seconds();
    let Some(counted) = counted else {
        assert!(now > 253_402_300_799, "a ledger is not read");
        return;
    };
    for (key, (by_hour, by_day)) in counted {
        for (is_hour, step, sum) in [(true, 3_600, by_hour), (false, 86_400, by_day)] {
            let from = now.saturating_sub(14 * 86_400) / step * step;
            let of = case.tallies.iter().take(64).filter(|tally| {
                let at = tally.at.seconds();
                let is_use = usize::from(tally.verdict) % VERDICTS.len() < 3;
                tally.is_hour == is_hour
                    && is_use
                    && (from..=now).contains(&at)
                    && *key == format!("KEY_{}", tally.key % 3)
            });
            let expected: u64 = of.map(|tally| tally.count.min(1 << 40)).sum();
            assert_eq!(*sum, expected, "{key}, by {step} s, of {case:?}");
        }
    }
}
