//! The status endpoint: what the live Worker tells the one who has the token, and nobody else.
//!
//! Without the right token the path belongs to the origin like any other. What is told names keys, and holds
//! no byte of one: a fingerprint of 32 bits, made under the token, tells whether a key is the one that the
//! asker has.

use alloc::collections::BTreeMap;

use percent_encoding::percent_decode;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::config::{Mode, Policy};
use crate::crypto::key::{Key, KeyId};
use crate::crypto::{Digest, Mac, equal};
use crate::formats::PAIR;
use crate::gate::inspection::{Fate, Inspection, Opened, inspect};
use crate::prelude::*;
use crate::settings::Problem;
use crate::wire::cookie::{pair_value, pairs};
use crate::wire::encoding::hex;
use crate::wire::json::to_json;
use crate::wire::look_alike::Managed;

/// Where it is asked for.
pub const PATH: &str = "/.well-known/countersign";
/// The name of the secret that holds the token.
pub const TOKEN: &str = "COUNTERSIGN_TOKEN";
/// What is said of a token that is too short to be one.
pub const SHORT_TOKEN: &str =
    "COUNTERSIGN_TOKEN: fewer than 32 bytes, so nobody is told the status; make a longer one";

/// The least length of a token in bytes.
const LEAST_TOKEN: usize = 32;
/// The longest cookie that is looked at, in bytes.
const LONGEST_BODY: usize = 32 << 10;

/// Whether a path is a spelling of [`PATH`]: case, percent-encoding (twice over, too), slashes, dot segments and what
/// follows a `;` in a segment aside. Asked only of one who has shown the token.
pub fn is_path(path: &str) -> bool {
    let mut decoded = path.as_bytes().to_vec();
    for _ in 0..2 {
        decoded = percent_decode(&decoded).collect();
    }
    decoded.make_ascii_lowercase();
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|b| matches!(b, b'/' | b'\\')) {
        let name = segment.split(|b| *b == b';').next().unwrap_or_default();
        match name.trim_ascii() {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    let expected = PATH.split('/').skip(1).map(str::as_bytes);
    segments.into_iter().eq(expected)
}

/// The token, ready to be compared with and to make fingerprints.
#[derive(Debug)]
pub struct Token {
    mac: Mac,
    /// In bytes. It is no secret, and most of what is shown differs in it.
    length: usize,
    /// What the right token comes to.
    expected: Zeroizing<Vec<u8>>,
}

/// What is told of.
#[derive(Debug)]
pub struct Status<'a> {
    /// The token that was shown.
    pub token: &'a Token,
    /// What the Worker goes by; none where the configuration is wrong.
    pub policy: Option<&'a Policy>,
    /// The variable `COUNTERSIGN` as JSON, which names keys and holds none.
    pub configuration: &'a str,
    /// What is wrong with the configuration.
    pub problems: &'a [Problem],
    /// Whether traffic passes although the configuration is wrong.
    pub passes: bool,
    /// What the Worker's version says of itself: id, tag, timestamp.
    pub version: Vec<(&'static str, String)>,
    /// The present, in Unix seconds.
    pub now: u64,
}

/// Every key of a policy once, in an order that its configuration alone decides: one who has that can tell
/// which fingerprint is which key's, also where a secret is read in two encodings.
pub fn keys(policy: &Policy) -> Vec<&Key> {
    let mut known: Vec<&Key> = Vec::new();
    for spec in policy.rules.iter().map(|rule| &rule.spec) {
        for key in spec.ring.keys().chain(spec.origin_keys.iter()) {
            if !known.iter().any(|known| known.is_named_as(key)) {
                known.push(key);
            }
        }
    }
    known
}

/// An answer in JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Token {
    /// `None` where the text is too short.
    pub fn new(text: &str) -> Option<Self> {
        if text.len() < LEAST_TOKEN {
            return None;
        }
        let mac = Mac::new(Digest::Sha256, text.as_bytes());
        let expected = Zeroizing::new(mac.sign(&[b"token\0", text.as_bytes()]).to_vec());
        let length = text.len();
        Some(Self {
            mac,
            length,
            expected,
        })
    }

    /// Whether a header `Authorization` shows it, as `Bearer TOKEN`.
    pub fn admits(&self, authorization: Option<&str>) -> bool {
        let shown = authorization.and_then(|header| header.split_once(' '));
        shown.is_some_and(|(scheme, shown)| {
            scheme.eq_ignore_ascii_case("bearer") && self.equals(shown)
        })
    }

    /// Whether a header `Authorization` holds it and nothing else, under whatever scheme or none. Such a header is
    /// not meant for the site, and would tell it the token.
    pub fn is_in(&self, authorization: &str) -> bool {
        let behind = authorization.split_once(' ').map(|(_, text)| text.trim());
        self.equals(behind.unwrap_or(authorization)) || self.equals(authorization)
    }

    /// What is compared are MACs of one length, in constant time.
    fn equals(&self, shown: &str) -> bool {
        shown.len() == self.length && {
            let tag = self.mac.sign(&[b"token\0", shown.as_bytes()]);
            equal(&tag, &self.expected)
        }
    }

    /// The fingerprint of a key: 32 bits, as eight hexadecimal digits.
    pub fn fingerprint(&self, key: &Key) -> String {
        hex(&self.mac.sign(&[b"key\0", key.bytes()])[..4]) // a MAC has 32 bytes
    }
}

impl Status<'_> {
    /// Answers a request that has shown the token: GET tells all, POST looks at the cookie that the body holds
    /// as `NAME=VALUE`, with `; NAME.sig=SIGNATURE` where there is one, or in pieces.
    pub fn reply(&self, method: &str, body: &str) -> Reply {
        match (method, self.policy) {
            ("GET" | "HEAD", _) => Reply::of(200, self.body()),
            ("POST", None) => Reply::of(503, self.body()),
            ("POST", Some(policy)) => self.look(policy, body),
            _ => Reply::error(405, "GET tells the status, POST looks at a cookie"),
        }
    }

    fn body(&self) -> String {
        let notes = self.policy.map_or(&[][..], |policy| &policy.notes);
        let keys = self.policy.map(keys).unwrap_or_default();
        to_json(&Body {
            countersign: env!("CARGO_PKG_VERSION"),
            version: self.version.iter().cloned().collect(),
            now: self.now,
            mode: self.mode(),
            problems: self.problems.iter().map(ProblemEntry::of).collect(),
            notes: notes.iter().map(ProblemEntry::of).collect(),
            configuration: serde_json::from_str(self.configuration).ok(),
            keys: keys.into_iter().map(|key| self.key_entry(key)).collect(),
        })
    }

    fn key_entry<'k>(&self, key: &'k Key) -> KeyEntry<'k> {
        KeyEntry {
            secret: key.id().as_str(),
            fingerprint: self.token.fingerprint(key),
        }
    }

    /// What is done with traffic. Rules of both kinds are told rule by rule.
    fn mode(&self) -> &'static str {
        let Some(policy) = self.policy else {
            return if self.passes { "unchecked" } else { "refused" };
        };
        let observing = |rule: &&crate::config::Rule| rule.spec.mode == Mode::Observe;
        match policy.rules.iter().filter(observing).count() {
            0 => "enforce",
            all if all == policy.rules.len() => "observe",
            _ => "mixed",
        }
    }

    fn look(&self, policy: &Policy, body: &str) -> Reply {
        match inspect_text(policy, body, self.now) {
            Ok(inspection) => Reply::of(200, to_json(&Found::of(&inspection))),
            Err(error @ InspectError::TooLong) => Reply::error(413, error.as_str()),
            Err(error @ InspectError::NoCookie) => Reply::error(400, error.as_str()),
        }
    }
}

/// The answer to a request for the ledger that has shown the token; `told` is the ledger's own account in JSON, if it
/// answered, and `now` in Unix seconds.
pub fn ledger_reply(is_bound: bool, told: Option<&str>, now: u64) -> Reply {
    if !is_bound {
        return Reply::error(404, "no ledger is bound");
    }
    match told.and_then(|told| serde_json::from_str(told).ok()) {
        Some(ledger) => Reply::of(
            200,
            to_json(&LedgerBody {
                countersign: env!("CARGO_PKG_VERSION"),
                now,
                ledger,
            }),
        ),
        None => Reply::error(503, "the ledger does not answer"),
    }
}

/// The answer to GET with `?ledger`.
#[derive(Serialize)]
struct LedgerBody<'a> {
    countersign: &'static str,
    now: u64,
    ledger: &'a RawValue,
}

/// Why a text is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InspectError {
    /// It is longer than a cookie can be.
    TooLong,
    /// It holds no `NAME=VALUE`.
    NoCookie,
}

impl InspectError {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "longer than a cookie can be",
            Self::NoCookie => "send a cookie as NAME=VALUE",
        }
    }
}

/// Looks at the first managed cookie of a text such as `NAME=VALUE; NAME.sig=SIGNATURE`, or at its first where none is
/// managed; `now` in Unix seconds.
///
/// # Errors
/// The text is too long, or holds no cookie.
pub fn inspect_text(policy: &Policy, text: &str, now: u64) -> Result<Inspection, InspectError> {
    let text = text.trim();
    if text.len() > LONGEST_BODY {
        return Err(InspectError::TooLong);
    }
    if let Some((name, value)) = policy.joined(text) {
        return Ok(inspect(policy, name, &value, now));
    }
    let is_managed = |pair: &&str| matches!(policy.names.exact(pair), Some(Managed::Cookie(_)));
    let pair = pairs(text).find(is_managed).or(pairs(text).next());
    let named = pair.and_then(|pair| Some((pair, pair.split_once('=')?.0.trim())));
    let (pair, name) = named.ok_or(InspectError::NoCookie)?;
    let value = [pair_value(pair), &signature(policy, name, text)].concat();
    Ok(inspect(policy, name, &value, now))
}

/// The signature behind a cookie, where it is a cookie of its own.
fn signature(policy: &Policy, name: &str, text: &str) -> String {
    let Some(Managed::Cookie(rule)) = policy.names.position(name) else {
        return String::new();
    };
    let is_it = |pair: &&str| policy.names.exact(pair) == Some(Managed::Companion(rule));
    let signature = pairs(text).find(is_it).map(pair_value);
    signature.map_or_else(String::new, |signature| format!("{PAIR}{signature}"))
}

/// The answer to GET.
#[derive(Serialize)]
struct Body<'a> {
    countersign: &'static str,
    version: BTreeMap<&'static str, String>,
    now: u64,
    mode: &'static str,
    problems: Vec<ProblemEntry<'a>>,
    notes: Vec<ProblemEntry<'a>>,
    configuration: Option<&'a RawValue>,
    keys: Vec<KeyEntry<'a>>,
}

#[derive(Serialize)]
struct ProblemEntry<'a> {
    path: &'a str,
    text: String,
}

impl<'a> ProblemEntry<'a> {
    fn of(problem: &'a Problem) -> Self {
        Self {
            path: &problem.path,
            text: problem.text(),
        }
    }
}

#[derive(Serialize)]
struct KeyEntry<'a> {
    secret: &'a str,
    fingerprint: String,
}

/// The answer to POST.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resealed_with: Option<&'a str>,
    #[serde(flatten)]
    opened: Option<FoundKey<'a>>,
    fits: bool,
    upgraded: bool,
}

/// What of it tells of the key that opens the cookie.
#[derive(Serialize)]
struct FoundKey<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    role: &'static str,
    format: &'static str,
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_ms: Option<u64>,
}

impl<'a> Found<'a> {
    fn of(inspection: &'a Inspection) -> Self {
        let resealed_with = match &inspection.fate {
            Fate::Resealed(key) => key.as_ref().map(KeyId::as_str),
            _ => None,
        };
        Self {
            rule: inspection.rule.as_deref(),
            verdict: inspection.verdict.map(|verdict| verdict.as_str()),
            fate: inspection.fate.as_str(),
            resealed_with,
            opened: inspection.opened.as_ref().map(FoundKey::of),
            fits: inspection.fits,
            upgraded: inspection.is_upgraded,
        }
    }
}

impl<'a> FoundKey<'a> {
    fn of(opened: &'a Opened) -> Self {
        Self {
            key: opened.key.as_ref().map(KeyId::as_str),
            role: opened.role.as_str(),
            format: opened.format,
            accepted: opened.is_accepted,
            until: opened.until,
            time: opened.time_s,
            age: opened.age_s,
            not_before: opened.not_before_s,
            expiry_ms: opened.expiry_ms,
        }
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
}

impl Reply {
    fn of(status: u16, body: String) -> Self {
        Self {
            status,
            body: body + "\n",
        }
    }

    fn error(status: u16, error: &str) -> Self {
        Self::of(status, to_json(&ErrorBody { error }))
    }
}
