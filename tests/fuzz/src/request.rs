//! What must hold of every request.

use arbitrary::Arbitrary;
use countersign_core::gate::verdict::Verdict;
use countersign_core::gate::{Action, Event, Gate, Pending, RequestDecision, RequestHead};
use countersign_core::operations::ledger::tally::Tally;
use countersign_core::operations::report::{Reporter, points};

use crate::given::{self, Shown, all_shown, pairs, piece};
use crate::independent::Reading;
use crate::message::{Pair, header};
use crate::servers::{outside_quotes, readings};
use crate::site::{NOW, RING, RULES, Role, Rule, first_day, observing, pinned, secrets};

/// A request.
#[derive(Arbitrary, Debug)]
pub struct RequestCase {
    /// Its pairs, each with what stands behind it.
    pub pairs: Vec<(Pair, u8)>,
    pub head: Head,
}

/// All of a request but its cookies.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Head {
    at: u8,
}

/// A kind of request.
struct Kind {
    method: &'static str,
    headers: &'static [(&'static str, &'static str)],
    /// Whether a visitor opens a page with it, whatever it changes: it is never answered with 403.
    is_navigation: bool,
    /// Whether an upgrade that waits for a navigation may come with the answer.
    opens_page: bool,
}

const fn kind(method: &'static str, headers: &'static [(&'static str, &'static str)]) -> Kind {
    Kind {
        method,
        headers,
        is_navigation: false,
        opens_page: false,
    }
}

const fn page(method: &'static str, headers: &'static [(&'static str, &'static str)]) -> Kind {
    Kind {
        is_navigation: true,
        opens_page: true,
        ..kind(method, headers)
    }
}

const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");
const EMPTY: (&str, &str) = ("sec-fetch-dest", "empty");
const CROSS_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

const KINDS: [Kind; 18] = [
    page("GET", &[NAVIGATE, DOCUMENT]),
    page("HEAD", &[NAVIGATE, DOCUMENT, CROSS_SITE]),
    page("GET", &[NAVIGATE]),
    page("GET", &[NAVIGATE, EMPTY, SAME_ORIGIN]),
    page(
        "GET",
        &[NAVIGATE, ("sec-fetch-dest", "iframe"), SAME_ORIGIN],
    ),
    page("GET", &[("accept", "text/html,*/*;q=0.8")]),
    Kind {
        opens_page: false,
        ..page("POST", &[NAVIGATE, DOCUMENT])
    },
    Kind {
        opens_page: false,
        ..page("GET", &[NAVIGATE, EMPTY, CROSS_SITE])
    },
    kind("GET", &[("sec-fetch-mode", "cors"), EMPTY]),
    kind(
        "GET",
        &[
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "image"),
            SAME_ORIGIN,
        ],
    ),
    kind("GET", &[NAVIGATE, ("sec-fetch-dest", "iframe"), CROSS_SITE]),
    kind("GET", &[NAVIGATE, ("sec-fetch-dest", "object")]),
    kind(
        "GET",
        &[NAVIGATE, DOCUMENT, ("sec-purpose", "prefetch;prerender")],
    ),
    kind("GET", &[NAVIGATE, DOCUMENT, ("purpose", "prefetch")]),
    kind("GET", &[NAVIGATE, DOCUMENT, ("x-moz", "prefetch")]),
    kind("GET", &[("accept", "application/json")]),
    kind("GET", &[]),
    kind("POST", &[("accept", "*/*")]),
];

impl Head {
    /// One that opens a page.
    pub const PAGE: Self = Self { at: 0 };

    fn kind(self) -> &'static Kind {
        &KINDS[usize::from(self.at) % KINDS.len()]
    }

    /// Whether an upgrade that waits for a navigation may come with the answer.
    pub fn opens_page(self) -> bool {
        self.kind().opens_page
    }
}

impl RequestHead for Head {
    fn method(&self) -> String {
        self.kind().method.to_owned()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        let mut headers = self.kind().headers.iter();
        let found = headers.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(found.1.to_owned())
    }
}

/// What the site is sent.
fn forwarded(action: &Action, header: &str) -> Option<String> {
    match action {
        Action::Unchanged => Some(header.to_owned()),
        Action::WithCookie(cookie) => Some(cookie.clone().unwrap_or_default()),
        Action::Reject(_) => None,
    }
}

/// Judges one, and holds every rule against what comes of it.
pub fn check(case: &RequestCase) {
    let header = header(&case.pairs);
    judge(pinned(), &header, case.head);
    is_checked_on_the_first_day(&header, case.head);
    is_only_observed(&header, case.head);
}

/// Judges a header by a gate, and answers what is left for the response.
pub fn judge(gate: &Gate, header: &str, head: Head) -> Pending {
    let decision = decide(gate, header, head);
    if let Some(sent) = forwarded(&decision.action, header) {
        nothing_is_forged(&sent, header);
        signatures_are_of_values(&sent, header);
        what_counts_arrives(&sent, header);
        no_server_reads_more(&sent, header, &|rule| !rule.forwards);
        others_are_kept(&sent, header);
        is_stable(&sent, head);
    }
    assert!(
        decision.action != Action::Unchanged || !header.contains('\u{fffd}'),
        "the site is sent bytes that the gate has not seen: {header:?}"
    );
    is_rejected_rightly(&decision.action, header, head);
    work_is_bounded(decision.pending.steps, header);
    nothing_is_told(gate, &decision.pending.events, header);
    the_key_is_told(&decision.pending.events, header);
    decision.pending
}

/// What the gate decides.
pub fn decide(gate: &Gate, header: &str, head: Head) -> RequestDecision {
    let decision = gate.request(Some(header), &head, NOW * 1000);
    decision.expect("the gate caught itself in a mistake")
}

/// Each managed name that the site is sent has a value that the site's key verifies, with a payload that the visitor
/// was given.
fn nothing_is_forged(sent: &str, header: &str) {
    for (rule, shown) in RULES.iter().zip(all_shown(header)) {
        let (plain, signatures) = given::values(rule, sent);
        if rule.forwards && given::certain(rule, header).is_empty() {
            continue;
        }
        let joined = whole(rule, sent, &plain);
        for value in plain.iter().copied().chain(joined.as_deref()) {
            is_given(rule, &shown, value, &signatures, sent, header);
        }
        let pieces = pairs(sent)
            .filter(|(name, _)| piece(rule, name).is_some())
            .count();
        let is_whole = match pieces {
            0 => !rule.is_chunked || plain.len() < 2,
            _ => plain.is_empty() && joined.is_some(),
        };
        assert!(
            is_whole,
            "no framework makes one value of these: {sent:?}, of {header:?}"
        );
    }
}

/// R2, R5: what a key of the ring signed and counts now arrives, whatever else stands there. Of a cookie that may come in
/// pieces the site is sent one alone.
fn what_counts_arrives(sent: &str, header: &str) {
    for rule in &RULES {
        let (plain, signatures) = given::values(rule, sent);
        let joined = whole(rule, sent, &plain);
        let payload = |value: &str| match rule.is_wrapped {
            true => Some(value.to_owned()),
            false => given::read(rule, Role::Origin, value, &signatures).map(|it| it.payload),
        };
        let values = plain.iter().copied().chain(joined.as_deref());
        let arrived: Vec<String> = values.filter_map(payload).collect();
        let certain = given::certain(rule, header);
        let has_arrived = |payload: &String| arrived.contains(payload);
        let is_right = match rule.is_chunked {
            true => certain.is_empty() || has_twice(rule, header) || !arrived.is_empty(),
            false => certain.iter().all(has_arrived),
        };
        assert!(
            is_right,
            "lost: {} of {certain:?} in {sent:?}, of {header:?}",
            rule.name
        );
    }
}

/// Whether a piece stands there twice: not all that they can be joined to is tried.
fn has_twice(rule: &Rule, header: &str) -> bool {
    let mut numbers: Vec<usize> = pairs(header)
        .filter_map(|(name, _)| piece(rule, name))
        .collect();
    numbers.sort_unstable();
    numbers.windows(2).any(|two| two[0] == two[1])
}

/// The value that the framework joins of pieces, where there are any: each number once, from 0 on.
fn whole(rule: &Rule, sent: &str, plain: &[&str]) -> Option<String> {
    let mut numbered: Vec<(usize, &str)> = pairs(sent)
        .filter_map(|(name, value)| Some((piece(rule, name)?, value)))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    let is_run = numbered
        .iter()
        .enumerate()
        .all(|(at, (number, _))| at == *number);
    let joined = numbered.iter().map(|(_, value)| *value).collect::<String>();
    (plain.is_empty() && is_run && !numbered.is_empty()).then_some(joined)
}

fn is_given(
    rule: &Rule,
    shown: &Shown,
    value: &str,
    signatures: &[&str],
    sent: &str,
    header: &str,
) {
    let payload = if rule.is_wrapped {
        Some(value.to_owned())
    } else {
        given::read(rule, Role::Origin, value, signatures).map(|reading| reading.payload)
    };
    let Some(payload) = payload else {
        panic!(
            "unverified: {} {value:?} in {sent:?}, of {header:?}",
            rule.name
        );
    };
    assert!(
        shown.given.iter().any(|given| given.payload == payload),
        "a payload that nobody was given: {} {payload:?} in {sent:?}, of {header:?}",
        rule.name
    );
}

/// R4: only where a rule asks for it, its cookie is forged and no page is opened, and then always.
fn is_rejected_rightly(action: &Action, header: &str, head: Head) {
    type Read = fn(&Rule, Role, &str, &[&str]) -> Option<Reading>;
    let exact = given::with_exact_names(header);
    let has_forged = |rule: &Rule, read: Read| {
        let (values, _) = given::values(rule, &exact);
        let is_forged = |value: &&str| {
            RING.iter()
                .all(|role| read(rule, *role, value, &[]).is_none())
        };
        values.iter().any(is_forged)
    };
    let mut asking = RULES
        .iter()
        .filter(|rule| rule.rejects && !head.kind().is_navigation);
    if let Action::Reject(deletions) = action {
        // a value in double quotes may count or not
        assert!(
            asking.any(|rule| has_forged(rule, given::read)),
            "rejected: {header:?}, {head:?}"
        );
        let deletes = |line: &String| line.contains("Max-Age=0");
        assert!(
            deletions.iter().any(deletes),
            "no deletion: {deletions:?} of {header:?}"
        );
    } else {
        let is_due = |rule: &Rule| {
            given::shown(rule, header).given.is_empty() && has_forged(rule, given::read_any)
        };
        assert!(!asking.any(is_due), "not rejected: {header:?}, {head:?}");
    }
}

/// A signature in a cookie of its own goes on with the value that it signs, or not at all.
fn signatures_are_of_values(sent: &str, header: &str) {
    for rule in &RULES {
        let (plain, signatures) = given::values(rule, sent);
        for signature in signatures {
            let signs =
                |value: &&str| given::read(rule, Role::Origin, value, &[signature]).is_some();
            assert!(
                !rule.is_wrapped && plain.iter().any(signs),
                "a signature of nothing: {} in {sent:?}, of {header:?}",
                rule.name
            );
        }
    }
}

/// R7: however a server reads the header, a managed name has a value that the gate vouches for, and no quote hides one.
fn no_server_reads_more(sent: &str, header: &str, is_managed: &dyn Fn(&Rule) -> bool) {
    let names = || {
        RULES
            .iter()
            .filter(|rule| is_managed(rule))
            .flat_map(|rule| [Some(rule.name), rule.companion()])
            .flatten()
    };
    let vouched = |name: &str, value: &str| pairs(sent).any(|pair| pair == (name, value));
    for (server, read) in readings(sent) {
        for (name, value) in read {
            let as_php = |managed: &&str| server == "PHP" && managed.replace('.', "_") == name;
            let Some(managed) = names().find(|managed| *managed == name || as_php(managed)) else {
                let piece = RULES
                    .iter()
                    .find(|rule| rule.is_chunked && is_any_piece(rule, &name));
                let is_own = piece.is_none_or(|rule| piece_is_sent(rule, &name, sent));
                assert!(
                    is_own,
                    "{server} reads a piece {name:?} in {sent:?}, of {header:?}"
                );
                continue;
            };
            assert!(
                vouched(managed, &value),
                "{server} reads {managed}={value:?} in {sent:?}, of {header:?}"
            );
        }
    }
    let is_protocol = |pair: &str| pair.trim_matches([' ', '\t']).starts_with('$');
    assert!(
        !sent.split(';').any(is_protocol),
        "a $-name: {sent:?}, of {header:?}"
    );
    for escapes in [false, true] {
        let outside = outside_quotes(sent, escapes);
        for (name, _) in pairs(sent).filter(|(name, _)| names().any(|managed| managed == *name)) {
            assert!(
                outside.iter().any(|seen| seen == name),
                "a quote hides {name} in {sent:?}, of {header:?}"
            );
        }
    }
}

/// A name that a framework might read as a piece's: with a number, whatever zeros stand before it.
fn is_any_piece(rule: &Rule, name: &str) -> bool {
    let rest = name
        .strip_prefix(rule.name)
        .and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn piece_is_sent(rule: &Rule, name: &str, sent: &str) -> bool {
    piece(rule, name).is_some() && pairs(sent).any(|(own, _)| own == name)
}

/// R1: every pair that no parser could take for a managed one arrives, byte for byte and in its order.
fn others_are_kept(sent: &str, header: &str) {
    let of = |text: &str| {
        let others = text
            .split(';')
            .map(|pair| pair.trim_matches([' ', '\t']).to_owned());
        others.filter(|pair| is_of_others(pair)).collect::<Vec<_>>()
    };
    assert_eq!(of(sent), of(header), "of {header:?}");
}

fn is_of_others(pair: &str) -> bool {
    let folded = pair.to_lowercase();
    let holds = |rule: &Rule| {
        let names = [rule.name, &rule.name.replace('_', "")];
        let parts = rule.name.split('_').filter(|part| part.len() > 1);
        names
            .into_iter()
            .chain(parts)
            .any(|name| folded.contains(name))
    };
    // other characters may stand for a letter, or part a name
    let is_plain = pair.is_ascii() && !pair.contains(['"', '$', '\\', '%']);
    !pair.is_empty() && is_plain && !RULES.iter().any(holds)
}

/// What the site is sent is what it would be sent by a gate that only checks: nothing more is changed.
fn is_stable(sent: &str, head: Head) {
    let is_read_otherwise = |rule: &Rule| {
        let (values, _) = given::values(rule, sent);
        // no key of that gate's signed it; or one of several that none of this gate's did
        (rule.is_wrapped && !values.is_empty()) || (rule.forwards && values.len() > 1)
    };
    if RULES.iter().any(is_read_otherwise) {
        return;
    }
    let again = decide(first_day(), sent, head);
    let kept = forwarded(&again.action, sent);
    assert_eq!(kept.as_deref(), Some(sent), "sent on, it is changed again");
}

/// Where the ring is the site's own key, what stays as it came is read by every server as the gate reads it (R3, R7).
fn is_checked_on_the_first_day(header: &str, head: Head) {
    let decision = decide(first_day(), header, head);
    if let Some(sent) = forwarded(&decision.action, header) {
        no_server_reads_more(&sent, header, &|rule| !(rule.is_wrapped || rule.forwards));
        others_are_kept(&sent, header);
    }
}

/// B1: where it only observes, not a byte changes.
fn is_only_observed(header: &str, head: Head) {
    let decision = decide(observing(), header, head);
    assert_eq!(decision.action, Action::Unchanged, "observed: {header:?}");
}

/// R6: what a request costs is linear in its headers, and bounded beside that.
pub fn work_is_bounded(steps: usize, text: &str) {
    let parts = text.split([';', '\n']).count();
    let linear = STEPS_A_BYTE * (text.len() + STEPS_A_PART * parts) + 8_192;
    let most = linear.min((2 << 20) + (32 << 10) * RULES.len() + 24 * text.len());
    assert!(
        steps <= most,
        "{steps} steps for {} bytes: {text:?}",
        text.len()
    );
}

/// What a byte of a header costs at most: each key of a rule's tries it, and joins of pieces go over it again.
const STEPS_A_BYTE: usize = 48;
const STEPS_A_PART: usize = 64;

/// B3: no key and no value in what is told.
pub fn nothing_is_told(gate: &Gate, events: &[Event], text: &str) {
    let policy = gate.policy();
    let line = Reporter::default().line(policy, events, Some("ray"), NOW);
    let mut tally = Tally::new(policy, crate::site::random, NOW * 1000);
    tally.count(events, NOW * 1000);
    let batch = tally.take(NOW * 1000 + 60_000);
    let told = format!(
        "{}{events:?}{:?}{batch:?}",
        line.map(|line| line.text).unwrap_or_default(),
        points(policy, events),
    );
    assert_no_secret(&told);
    for (_, value) in pairs(text).filter(|(_, value)| value.len() > 24) {
        assert!(
            !told.contains(value),
            "a value is told: {value:?} in {told:?}"
        );
    }
}

/// B3: of what has verified the key is named that opens it.
fn the_key_is_told(events: &[Event], header: &str) {
    for event in events {
        let role = match event.verdict {
            Verdict::Current => Role::Current,
            Verdict::Fallback => Role::Fallback,
            _ => continue,
        };
        let rule = &RULES[event.rule.0];
        let key = event.key.as_ref().map(|key| key.as_str());
        let mut given = given::shown(rule, header).given.into_iter();
        let is_shown = given.any(|one| one.is_current == (role == Role::Current));
        assert!(
            is_shown && key == Some(rule.secret(role).as_str()),
            "told of {}: {event:?}, of {header:?}",
            rule.name
        );
    }
}

/// Nothing of a key stands in a text.
pub fn assert_no_secret(told: &str) {
    for secret in secrets() {
        assert!(!told.contains(secret), "a key is told: {told:?}");
    }
}

/// How many events say so.
pub fn count_of(events: &[Event], verdict: Verdict) -> usize {
    events
        .iter()
        .filter(|event| event.verdict == verdict)
        .count()
}
