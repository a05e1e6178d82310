//! What must hold of every request.

use arbitrary::Arbitrary;
use countersign_core::gate::verdict::Verdict;
use countersign_core::gate::{Action, Event, Gate, Pending, RequestDecision, RequestHead};
use countersign_core::operations::report::Reporter;

use crate::independent::SCHEMES;
use crate::message::{Header, Pair};
use crate::readings::{careless, leaves_quote_open, origin_key, pairs, payloads};
use crate::site::{NOW, first_day, pinned, secrets};

/// A request.
#[derive(Arbitrary, Debug)]
pub struct RequestCase {
    /// Its pairs, each with what stands behind it.
    pub pairs: Vec<(Pair, u8)>,
    /// Whether it opens a page.
    pub is_page: bool,
    /// Whether the header is repeated until it is long: by two numbers out of 256.
    pub many: u8,
}

/// The head of a request that opens a page, or does not.
#[derive(Debug)]
pub struct Head {
    pub is_page: bool,
}

impl RequestHead for Head {
    fn method(&self) -> String {
        "GET".to_owned()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        let value = match (name.to_ascii_lowercase().as_str(), self.is_page) {
            ("sec-fetch-mode", true) => "navigate",
            ("sec-fetch-dest", true) => "document",
            ("sec-fetch-mode", false) => "cors",
            ("sec-fetch-dest", false) => "empty",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// What the site is sent.
pub fn forwarded(action: &Action, header: &str) -> Option<String> {
    match action {
        Action::Unchanged => Some(header.to_owned()),
        Action::WithCookie(cookie) => Some(cookie.clone().unwrap_or_default()),
        Action::Reject(_) => None,
    }
}

/// Judges one, and holds every rule against what comes of it.
pub fn check(case: &RequestCase) {
    let mut header = Header::of(&case.pairs);
    if case.many > 253 && !header.text.is_empty() {
        header.repeat(MOST_BYTES);
    }
    judge(pinned(), &header, case.is_page);
}

/// Enough for more copies than are tried.
const MOST_BYTES: usize = 32 << 10;
/// How many values of a request are tried at all (R6).
const MOST_TRIES: usize = 256;

/// The same for a header that is built already; answers what is left for the response, and what the site is sent.
pub fn judge(gate: &Gate, header: &Header, is_page: bool) -> (Pending, Option<String>) {
    let decision = decide(gate, &header.text, is_page);
    let sent = forwarded(&decision.action, &header.text);
    if let Some(sent) = &sent {
        nothing_is_forged(sent, header);
        tame_pairs_are_kept(sent, header);
        is_stable(sent, is_page);
    }
    work_is_bounded(decision.pending.steps, header.text.len());
    tries_are_bounded(&decision);
    nothing_is_told(gate, &decision, header);
    (decision.pending, sent)
}

fn decide(gate: &Gate, header: &str, is_page: bool) -> RequestDecision {
    let decision = gate.request(Some(header), &Head { is_page }, NOW * 1000);
    decision.expect("the gate caught itself in a mistake")
}

/// Each managed name that the site is sent has a value that the site's key verifies, with a payload that the visitor
/// was given; whatever the server's parser is.
fn nothing_is_forged(sent: &str, header: &Header) {
    let shown = &header.text;
    for (at, scheme) in SCHEMES.into_iter().enumerate() {
        for payload in payloads(scheme, origin_key(scheme), sent) {
            let payload = payload
                .unwrap_or_else(|| panic!("unverified: {scheme:?} in {sent:?}, of {shown:?}"));
            assert!(
                header.genuine.contains(&(at, payload.clone())),
                "a payload that nobody was given: {payload:?} in {sent:?}, of {shown:?}"
            );
        }
    }
    for found in careless(sent) {
        panic!("{found:?} to a careless parser, in {sent:?}, of {shown:?}");
    }
    for pair in sent.split(';') {
        assert!(!pair.trim_start().starts_with('$'), "{pair:?} in {sent:?}");
    }
    if !sent.contains('\\') {
        assert!(
            !leaves_quote_open(sent),
            "a quote is left open: {sent:?}, of {shown:?}"
        );
    }
}

/// Every pair that nobody could take for a managed one arrives, byte for byte and in its order.
fn tame_pairs_are_kept(sent: &str, header: &Header) {
    let is_plain = |text: &str| !text.contains(['"', '$', '\\']);
    if !is_plain(&header.text) {
        return; // a quote that is left open may make a tame pair part of another cookie
    }
    let mut rest = sent;
    for tame in &header.tame {
        let at = rest.find(tame.as_str());
        let at = at.unwrap_or_else(|| panic!("{tame:?} is lost: {sent:?}, of {:?}", header.text));
        rest = &rest[at + tame.len()..];
    }
}

/// What the site is sent is what it would be sent by a gate that only checks: nothing more is changed.
fn is_stable(sent: &str, is_page: bool) {
    let again = decide(first_day(), sent, is_page);
    let kept = forwarded(&again.action, sent);
    assert_eq!(kept.as_deref(), Some(sent), "sent on, it is changed again");
}

/// R6: what a request costs is linear in its headers, and bounded beside that.
pub fn work_is_bounded(steps: usize, length: usize) {
    let most = (4 << 20) + 64 * length;
    assert!(steps <= most, "{steps} steps for {length} bytes");
}

/// R6: so many values are hashed, and no more.
fn tries_are_bounded(decision: &RequestDecision) {
    let is_tried = |event: &&Event| {
        matches!(
            event.verdict,
            Verdict::BadSignature | Verdict::Current | Verdict::Fallback
        )
    };
    let tried = decision.pending.events.iter().filter(is_tried).count();
    assert!(tried <= MOST_TRIES, "{tried} values are tried");
}

/// B3: no key and no value in what is told.
fn nothing_is_told(gate: &Gate, decision: &RequestDecision, header: &Header) {
    let events = &decision.pending.events;
    let line = Reporter::default().line(gate.policy(), events, Some("ray"), NOW);
    let told = format!(
        "{}{events:?}",
        line.map(|line| line.text).unwrap_or_default()
    );
    assert_no_secret(&told);
    for (_, value) in pairs(&header.text).filter(|(_, value)| value.len() > 24) {
        assert!(
            !told.contains(value),
            "a value is told: {value:?} in {told:?}"
        );
    }
}

/// Nothing of a key stands in a text.
pub fn assert_no_secret(told: &str) {
    for secret in secrets() {
        assert!(!told.contains(secret), "a key is told: {told:?}");
    }
}
