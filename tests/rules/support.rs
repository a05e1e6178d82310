//! A site in miniature: secrets, configurations, and what a browser and an origin show the gate.

use std::sync::atomic::{AtomicU64, Ordering};

#[path = "schema.rs"]
pub mod schema;

use countersign_core::config::Policy;
use countersign_core::gate::{
    Action, Event, Exchange, Gate, Pending, RequestHead, ResponseDecision,
};
use countersign_core::settings::Problem;
use serde_json::{Value, json};

use crate::django::{self, Signer};

/// Unix seconds at which every test happens unless it says otherwise.
pub const NOW: u64 = 1_800_000_000;
/// When a session of the tests was signed.
pub const SIGNED: u64 = NOW - 1_000;
/// A session as Django writes it: base64 of `{"user_id":42}`.
pub const PAYLOAD: &str = "eyJ1c2VyX2lkIjo0Mn0";
/// Another, as one who is not allowed to would like to have it.
pub const ADMIN: &str = "eyJ1c2VyX2lkIjoxfQ";
/// The attributes of the tests' rules.
pub const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Lax";

/// The secrets of the Worker by name.
pub const SECRETS: [(&str, &str); 14] = [
    ("NEW", "new-0123456789-0123456789-0123456789"),
    ("NEW_TWIN", "new-0123456789-0123456789-0123456789"),
    ("OLD", "old-0123456789-0123456789-0123456789"),
    ("OLD_TWIN", "old-0123456789-0123456789-0123456789"),
    ("OLDER", "older-0123456789-0123456789-01234567"),
    ("ORIGIN", "django-insecure-#1&$(p_x=9-0123456789"),
    ("NEXT_ORIGIN", "next-origin-0123456789-0123456789-01"),
    ("STRANGER", "stranger-0123456789-0123456789-01234"),
    ("BYTES_31", "1234567890123456789012345678901"),
    ("BYTES_32", "12345678901234567890123456789012"),
    ("SHORT", "hunter2-hunter2"),
    ("IN_BASE64", "/wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4="),
    (
        "IN_HEX",
        "ff000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e",
    ),
    ("EMPTY", ""),
];

/// What the Worker answers for the name of a secret.
pub fn secret(name: &str) -> Option<String> {
    let (_, text) = SECRETS.iter().find(|(known, _)| *known == name)?;
    Some((*text).to_owned())
}

/// The text of a secret that is there.
pub fn key(name: &str) -> String {
    secret(name).unwrap()
}

/// A ring of its own in front of an origin with its own key: the topology of most tests.
pub fn pinned() -> Value {
    json!({"current": "NEW", "fallbacks": ["OLD"], "origin": "ORIGIN"})
}

/// The ring of the first day: the origin's own key alone.
pub fn first_day() -> Value {
    json!({"current": "ORIGIN", "origin": "ORIGIN"})
}

/// The rule for Django's session.
pub fn session_rule() -> Value {
    json!({"name": "sessionid", "format": "django-session", "attributes": ATTRIBUTES})
}

/// A rule for a signed cookie that the origin reads unsigned.
pub fn wrapped_rule() -> Value {
    json!({
        "name": "user_id",
        "format": "django-signed-cookie",
        "origin": {"format": "plain"},
        "attributes": ATTRIBUTES,
    })
}

/// A table with more fields, or others in place of its own; `null` takes one out.
pub fn with(mut table: Value, more: Value) -> Value {
    for (field, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(table.as_object_mut().unwrap().remove(field)),
            value => table[field] = value.clone(),
        }
    }
    table
}

/// A configuration with these keys and rules.
pub fn config(keys: Value, cookies: impl IntoIterator<Item = Value>) -> Value {
    json!({"keys": keys, "cookies": cookies.into_iter().collect::<Vec<_>>()})
}

/// Numbers that look random and are the same in each run of a test alone (Steele's splitmix64).
pub fn random(bytes: &mut [u8]) {
    static TURN: AtomicU64 = AtomicU64::new(0);
    for chunk in bytes.chunks_mut(8) {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let mut word = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        chunk.copy_from_slice(&(word ^ word >> 31).to_le_bytes()[..chunk.len()]);
    }
}

/// The gate of a configuration that is right.
pub fn gate_of(config: Value) -> Gate {
    schema::assert_taken(&config);
    match Policy::parse(&config, &secret) {
        Ok(policy) => Gate::new(policy, random),
        Err(problems) => panic!("{config} is refused: {}", told(&problems)),
    }
}

/// The gate with these keys and rules.
pub fn gate(keys: Value, cookies: impl IntoIterator<Item = Value>) -> Gate {
    gate_of(config(keys, cookies))
}

/// The gate for a session under [`pinned`] keys.
pub fn session_gate(more: Value) -> Gate {
    gate(pinned(), [with(session_rule(), more)])
}

/// The gate for a cookie that the origin reads unsigned, under [`pinned`] keys.
pub fn wrapped_gate(more: Value) -> Gate {
    gate(pinned(), [with(wrapped_rule(), more)])
}

/// The problems of a configuration; none where it is right.
pub fn problems(config: &Value) -> Vec<Problem> {
    Policy::parse(config, &secret).err().unwrap_or_default()
}

/// Problems as the log tells them.
pub fn told(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

/// Asserts that a configuration is right.
#[track_caller]
pub fn assert_accepted(config: Value) {
    let problems = problems(&config);
    assert!(problems.is_empty(), "{config}:\n{}", told(&problems));
    schema::assert_taken(&config);
}

/// Asserts that a configuration is refused by a problem at `path` that speaks of each of `words`.
#[track_caller]
pub fn assert_refused(config: Value, path: &str, words: &[&str]) {
    let problems = problems(&config);
    let is_it = |problem: &&Problem| {
        problem.path == path && words.iter().all(|word| problem.text().contains(word))
    };
    assert!(
        problems.iter().any(|problem| is_it(&problem)),
        "{config}: no problem at {path} that speaks of {words:?}, only:\n{}",
        told(&problems)
    );
}

/// The session of user 42 under a key, signed at [`SIGNED`].
pub fn session(key_name: &str) -> String {
    session_at(key_name, SIGNED)
}

/// The session of user 42 under a key.
pub fn session_at(key_name: &str, time: u64) -> String {
    django::sessions().sign(key(key_name), PAYLOAD, time)
}

/// A session that nobody who may sign has signed.
pub fn forged() -> String {
    django::sessions().sign(key("STRANGER"), ADMIN, SIGNED)
}

/// Another forged session for each number.
pub fn forged_at(number: u64) -> String {
    django::sessions().sign(key("STRANGER"), ADMIN, SIGNED - number)
}

/// A value under a key, signed at [`SIGNED`].
pub fn signed(signer: &Signer, key_name: &str, payload: &str) -> String {
    signer.sign(key(key_name), payload, SIGNED)
}

/// What became of a request.
#[derive(Debug)]
pub struct Judged {
    pub action: Action,
    pub pending: Pending,
    /// Its verdicts, in the words of [`words`].
    pub verdicts: Vec<String>,
}

/// Shows a gate a Cookie header at [`NOW`].
pub fn judge(gate: &Gate, header: &str) -> Judged {
    judge_at(gate, header, NOW)
}

/// Shows a gate a Cookie header with a request that opens no page.
pub fn judge_at(gate: &Gate, header: &str, now: u64) -> Judged {
    judge_from(gate, header, &subrequest(), now)
}

/// Shows a gate a Cookie header with this request.
pub fn judge_from(gate: &Gate, header: &str, head: &dyn RequestHead, now: u64) -> Judged {
    let decision = gate.request(Some(header), head, now * 1000).unwrap();
    Judged {
        verdicts: words(gate, &decision.pending.events),
        action: decision.action,
        pending: decision.pending,
    }
}

/// What the origin is sent in the place of a Cookie header; nothing where there is none.
pub fn forwarded(gate: &Gate, header: &str) -> Option<String> {
    match judge(gate, header).action {
        Action::Unchanged => Some(header.to_owned()),
        Action::WithCookie(header) => header,
        Action::Reject(_) => panic!("rejected: {header}"),
    }
}

/// Asserts what the origin is sent for a Cookie header, and the verdicts.
#[track_caller]
pub fn assert_sent(gate: &Gate, header: &str, expected: Option<&str>, verdicts: &[&str]) {
    let judged = judge(gate, header);
    let action = match expected {
        Some(same) if same == header => Action::Unchanged,
        other => Action::WithCookie(other.map(str::to_owned)),
    };
    assert_eq!(judged.action, action, "for {header}");
    assert_eq!(judged.verdicts, verdicts, "for {header}");
}

/// Asserts that a request goes on as the same object, and the verdicts.
#[track_caller]
pub fn assert_as_it_came(gate: &Gate, header: &str, verdicts: &[&str]) {
    assert_sent(gate, header, Some(header), verdicts);
}

/// Verdicts as `verdict`, `verdict KEY` or `verdict reason`.
pub fn words(gate: &Gate, events: &[Event]) -> Vec<String> {
    assert!(
        events.iter().all(|e| e.rule.0 < gate.policy().rules.len()),
        "a verdict names no rule"
    );
    events
        .iter()
        .map(|event| {
            let key = event.key.as_ref().map(|key| key.as_str());
            match event.verdict.reason().or(key) {
                Some(more) => format!("{} {more}", event.verdict.as_str()),
                None => event.verdict.as_str().to_owned(),
            }
        })
        .collect()
}

/// A request and its response, as far as the gate asks.
#[derive(Clone, Debug)]
pub struct Page {
    pub method: &'static str,
    pub request: Vec<(&'static str, String)>,
    pub status: u16,
    pub response: Vec<(&'static str, String)>,
}

/// A page that a visitor opens, and its answer.
pub fn page() -> Page {
    Page {
        method: "GET",
        request: Vec::new(),
        status: 200,
        response: Vec::new(),
    }
    .asked("sec-fetch-mode", "navigate")
    .asked("sec-fetch-dest", "document")
}

/// What a script of a page fetches, and its answer.
pub fn subrequest() -> Page {
    page()
        .asked("sec-fetch-mode", "cors")
        .asked("sec-fetch-dest", "empty")
        .asked("sec-fetch-site", "same-origin")
}

impl Page {
    /// With a request header; in place of one of that name.
    pub fn asked(mut self, name: &'static str, value: &str) -> Self {
        self.request.retain(|(known, _)| *known != name);
        self.request.push((name, value.to_owned()));
        self
    }

    /// Without a request header.
    pub fn not_asked(mut self, name: &str) -> Self {
        self.request.retain(|(known, _)| *known != name);
        self
    }

    /// With a response header.
    pub fn answered(mut self, name: &'static str, value: &str) -> Self {
        self.response.push((name, value.to_owned()));
        self
    }

    pub fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

fn joined(headers: &[(&'static str, String)], name: &str) -> Option<String> {
    let values: Vec<&str> = headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

impl RequestHead for Page {
    fn method(&self) -> String {
        self.method.to_owned()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        joined(&self.request, name)
    }
}

impl Exchange for Page {
    fn status(&self) -> u16 {
        self.status
    }

    fn response_header(&self, name: &'static str) -> Option<String> {
        joined(&self.response, name)
    }
}

/// What a gate makes of Set-Cookie headers, whatever was asked.
pub fn answer(gate: &Gate, set_cookies: &[&str]) -> ResponseDecision {
    answer_to(gate, &Pending::default(), &page(), set_cookies)
}

/// What a gate makes of the response to a request, at once.
pub fn answer_to(
    gate: &Gate,
    pending: &Pending,
    page: &Page,
    set_cookies: &[&str],
) -> ResponseDecision {
    let set_cookies: Vec<String> = set_cookies.iter().map(|text| (*text).to_owned()).collect();
    gate.response(&set_cookies, pending, page, NOW * 1000)
}

/// Asserts what the visitor is sent for Set-Cookie headers, and the verdicts.
#[track_caller]
pub fn assert_set(gate: &Gate, set_cookies: &[&str], expected: &[&str], verdicts: &[&str]) {
    let answer = answer(gate, set_cookies);
    let sent = match &answer.set_cookies {
        Some(sent) => sent.iter().map(String::as_str).collect(),
        None => set_cookies.to_vec(),
    };
    assert_eq!(sent, expected, "for {set_cookies:?}");
    assert_eq!(
        answer.set_cookies.is_none(),
        set_cookies == expected,
        "a response is copied only when it changes"
    );
    assert_eq!(words(gate, &answer.events), verdicts, "for {set_cookies:?}");
    assert!(!answer.private);
}

/// Name, value and attributes of a Set-Cookie header, the attributes in alphabetical order.
pub fn split_url(set_cookie: &str) -> (String, String, Vec<String>) {
    let mut parts = set_cookie.split("; ").map(str::to_owned);
    let pair = parts.next().unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let mut attributes: Vec<String> = parts.collect();
    attributes.sort();
    (name.to_owned(), value.to_owned(), attributes)
}
