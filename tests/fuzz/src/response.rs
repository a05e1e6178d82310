//! What must hold of every response, by a second reading of what the site set and of what the browser is sent.

use arbitrary::Arbitrary;
use countersign_core::gate::verdict::Verdict;
use countersign_core::gate::{Exchange, Gate, Pending, RequestHead, ResponseDecision};

use crate::given::{self, piece};
use crate::message::{ManagedCookie, Text, another_visitor};
use crate::request::{Head, count_of, decide, nothing_is_told, work_is_bounded};
use crate::site::{
    COOKIE_MAX_AGE, NOW, RULES, Role, Rule, last_day, observing, pinned, unused, watching,
};

/// A response: all but what its request left behind.
#[derive(Arbitrary, Clone, Debug)]
pub struct ResponseCase {
    set_cookies: Vec<SetCookieLine>,
    status: u8,
    cache: u8,
    clears: bool,
    /// How long the site took, in milliseconds.
    pub took_ms: u16,
    pub head: Head,
}

/// A Set-Cookie header.
#[derive(Arbitrary, Clone, Debug)]
enum SetCookieLine {
    /// Of a managed cookie, whoever signed it.
    Managed {
        cookie: ManagedCookie,
        attributes: u8,
    },
    /// The deletion of one.
    Deletion {
        rule: u8,
        attributes: u8,
    },
    /// Of another cookie.
    Tame {
        name: u8,
        text: Text,
    },
    Any(Text),
}

/// The first stands for those of the rule.
const ATTRIBUTES: [&str; 13] = [
    "",
    "",
    "; Path=/; Max-Age=60",
    "; path=/; DOMAIN=shop.example; Secure",
    "; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "; Path=/admin; SameSite=Strict; Partitioned",
    "; Path=/; Max-Age=5; Max-Age=-1; HttpOnly; Secure",
    "; Path=/; Max-Age=604800; HttpOnly; Secure",
    "; Path=/; SameSite=Strict; HttpOnly; Secure",
    "; Path=/admin; Max-Age=0",
    "; Path=/admin; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "; Path=/admin; Max-Age=0;  Max-Age=60;x=y",
];

const STATUSES: [u16; 16] = [
    200, 201, 204, 206, 226, 299, 301, 302, 303, 304, 404, 500, 100, 101, 207, 305,
];

/// Names and values of headers about caches, and whether an upgrade may then be sent.
const CACHES: [(&[(&str, &str)], bool); 24] = [
    (&[], true),
    (&[("cache-control", "private")], true),
    (&[("cache-control", "no-store, max-age=0")], true),
    (&[("cache-control", "public, max-age=60")], false),
    (
        &[("cache-control", "private=\"x, no-store, y\", max-age=60")],
        false,
    ),
    (&[("expires", "Thu, 01 Jan 2099 00:00:00 GMT")], false),
    (
        &[
            ("cache-control", "private"),
            ("surrogate-control", "max-age=60"),
        ],
        false,
    ),
    (&[("cdn-cache-control", "max-age=60")], false),
    (&[("cf-cache-status", "HIT")], false),
    (&[("cf-cache-status", "DYNAMIC")], true),
    (&[("cache-control", "private"), ("expires", "0")], true),
    (&[("cache-control", "no-cache")], false),
    (&[("cf-cache-status", "MISS")], false),
    (&[("cf-cache-status", "EXPIRED")], false),
    (&[("cf-cache-status", "BYPASS")], true),
    (
        &[("cache-control", "private"), ("cf-cache-status", "HIT")],
        false,
    ),
    (&[("cache-control", "max-age=0,No-Store")], true),
    (&[("cache-control", "x-private")], false),
    (
        &[
            ("cache-control", "no-store"),
            ("vercel-cdn-cache-control", "max-age=60"),
        ],
        false,
    ),
    (&[("cloudflare-cdn-cache-control", "max-age=60")], false),
    (&[("akamai-cache-control", "max-age=60")], false),
    (&[("fastly-cache-control", "max-age=60")], false),
    (&[("netlify-cdn-cache-control", "max-age=60")], false),
    (&[("vercel-cdn-cache-control", "max-age=60")], false),
];

impl SetCookieLine {
    fn lines(&self) -> Vec<String> {
        let of = |rule: &Rule, at: u8| match usize::from(at) % ATTRIBUTES.len() {
            0 => format!("; {}", rule.attributes()),
            at => ATTRIBUTES[at].to_owned(),
        };
        match self {
            Self::Managed { cookie, attributes } => {
                let attributes = of(cookie.rule(), *attributes);
                let pairs = cookie.pairs().into_iter();
                let line = |(name, value)| format!("{name}={value}{attributes}");
                pairs.map(line).collect()
            }
            Self::Deletion { rule, attributes } => {
                let rule = &RULES[usize::from(*rule) % RULES.len()];
                let attributes = of(rule, *attributes);
                let ends = if attributes.contains("Path=/;") {
                    "; Max-Age=0"
                } else {
                    ""
                };
                vec![format!("{}={attributes}{ends}", rule.name)]
            }
            Self::Tame { name, text } => {
                vec![format!("z{}={}", name % 16, text.text().replace(';', ""))]
            }
            Self::Any(text) => vec![text.text()],
        }
    }
}

impl RequestHead for ResponseCase {
    fn method(&self) -> String {
        self.head.method()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        self.head.request_header(name)
    }
}

impl Exchange for ResponseCase {
    fn status(&self) -> u16 {
        STATUSES[usize::from(self.status) % STATUSES.len()]
    }

    fn response_header(&self, name: &'static str) -> Option<String> {
        if name.eq_ignore_ascii_case("clear-site-data") {
            return self.clears.then(|| "\"cookies\"".to_owned());
        }
        let mut set = self.cache().0.iter();
        let found = set.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        Some(found.1.to_owned())
    }
}

/// A Set-Cookie header, read plainly.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line<'l> {
    name: &'l str,
    value: &'l str,
    /// Everything behind the value.
    tail: &'l str,
}

impl<'l> Line<'l> {
    fn of(line: &'l str) -> Option<Self> {
        let (pair, tail) = match line.find(';') {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        let (name, value) = pair.split_once('=')?;
        let trimmed = |text: &'l str| text.trim_matches([' ', '\t']);
        Some(Self {
            name: trimmed(name),
            value: trimmed(value),
            tail,
        })
    }

    /// The last attribute of a name.
    fn attribute(&self, name: &str) -> Option<&'l str> {
        let attributes = self
            .tail
            .split(';')
            .map(|one| one.split_once('=').unwrap_or((one, "")));
        let mut named = attributes.filter(|(own, _)| own.trim().eq_ignore_ascii_case(name));
        Some(named.next_back()?.1.trim())
    }

    /// Whether the cookie is another than one of this rule's that stands alone.
    fn is_plainly_of(&self, rule: &Rule) -> bool {
        self.name == rule.name && !rule.is_chunked
    }

    fn deletes(&self) -> bool {
        let max_age = self
            .attribute("Max-Age")
            .and_then(|text| text.parse::<i64>().ok());
        let is_over = || {
            self.attribute("Expires")
                .is_some_and(|date| date.contains("1970"))
        };
        self.value.is_empty() || max_age.map_or_else(is_over, |max_age| max_age <= 0)
    }

    fn is_in_place(&self) -> bool {
        let domain = self.attribute("Domain").unwrap_or_default();
        self.attribute("Path") == Some("/") && domain.is_empty()
    }
}

fn lines_of<'l>(lines: &'l [String], name: &str) -> Vec<Line<'l>> {
    let all = lines.iter().filter_map(|line| Line::of(line));
    all.filter(|line| line.name == name).collect()
}

impl ResponseCase {
    /// The same with so many of its Set-Cookie headers at most.
    pub fn with_few_lines(&self, most: usize) -> Self {
        let mut few = self.clone();
        few.set_cookies.truncate(most);
        few
    }

    /// The same where one thing at most keeps an upgrade from being sent, Set-Cookie headers aside. 0 changes nothing.
    pub fn and_one_thing(self, at: u8) -> Self {
        let usual = Self {
            status: 0,
            cache: 0,
            clears: false,
            took_ms: 0,
            head: Head::PAGE,
            ..self.clone()
        };
        match at {
            0 => self,
            1 | 2 => Self {
                cache: self.cache,
                ..usual
            },
            3 => Self {
                took_ms: 1_990 + self.took_ms % 20,
                ..usual
            },
            4 => Self {
                status: self.status,
                ..usual
            },
            5 => Self {
                clears: self.clears,
                ..usual
            },
            6 => Self {
                head: self.head,
                ..usual
            },
            _ => usual,
        }
    }

    /// The same with a Set-Cookie header more.
    pub fn and_sets(mut self, cookie: ManagedCookie, attributes: u8) -> Self {
        self.set_cookies
            .push(SetCookieLine::Managed { cookie, attributes });
        self
    }

    /// Its Set-Cookie headers.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.set_cookies.iter().take(16);
        lines.flat_map(SetCookieLine::lines).collect()
    }

    fn cache(&self) -> (&'static [(&'static str, &'static str)], bool) {
        CACHES[usize::from(self.cache) % CACHES.len()]
    }

    /// The gate that may see it: one that has to forget nothing.
    fn gate(&self, lines: &[String]) -> &'static Gate {
        let is_usual =
            |rule: &Rule, line: &Line<'_>| line.tail == format!("; {}", rule.attributes());
        let is_plain = RULES.iter().all(|rule| {
            lines_of(lines, rule.name)
                .iter()
                .all(|line| is_usual(rule, line))
                && !lines
                    .iter()
                    .filter_map(|line| Line::of(line))
                    .any(|line| piece(rule, line.name).is_some())
        });
        if is_plain { pinned() } else { watching() }
    }
}

/// Judges one without a request's cookies, and holds every rule against what comes of it.
pub fn check(case: &ResponseCase) {
    another_visitor();
    judge(case, &Pending::default(), "");
}

/// Judges the response to a request with this Cookie header.
pub fn judge(case: &ResponseCase, pending: &Pending, header: &str) {
    let lines = case.lines();
    let now_ms = NOW * 1000 + u64::from(case.took_ms);
    let gate = case.gate(&lines);
    let decision = gate.response(&lines, pending, case, now_ms);
    let result = decision.set_cookies.as_deref().unwrap_or(&lines);
    others_are_kept(&lines, result);
    order_is_kept(&lines, result);
    what_is_long_is_told(&lines, result, &decision);
    for rule in RULES.iter().filter(|rule| !rule.is_chunked) {
        what_is_set_is_sealed(rule, &lines, result, &decision);
        deletions_are_kept(rule, &lines, result);
        what_is_set_lives(rule, &lines, result);
        deletions_have_their_twins(rule, &lines, result);
        signatures_are_of_values(rule, &lines, result);
    }
    pieces_are_sealed(&lines, result, header);
    for rule in &RULES {
        an_upgrade_is_due(case, rule, header, &lines, &decision, result);
    }
    if std::ptr::eq(gate, pinned()) {
        for (at, rule) in RULES
            .iter()
            .enumerate()
            .filter(|(_, rule)| !rule.is_chunked)
        {
            the_reason_is_told(case, (at, rule), header, &lines, &decision);
        }
    }
    let text = format!("{header}\n{}", lines.join("\n"));
    work_is_bounded(decision.steps, &text);
    nothing_is_told(gate, &decision.events, &lines.join(";"));
    is_stable(case, &lines, result, now_ms);
    is_only_observed(case, &lines, header, now_ms);
    if std::ptr::eq(gate, watching()) {
        what_differs_is_not_upgraded(case, pending, &lines, now_ms);
    }
}

/// Deletes every cookie of the site.
pub fn log_out(gate: &Gate, case: &ResponseCase, pending: &Pending) {
    let deletion = |rule: &Rule| format!("{}=; Path=/; Max-Age=0", rule.name);
    let lines: Vec<String> = RULES.iter().map(deletion).collect();
    gate.response(&lines, pending, case, NOW * 1000);
}

/// A page that the site answers after the logout sets nothing (S5).
pub fn brings_nothing_back(gate: &Gate, case: &ResponseCase, pending: &Pending, header: &str) {
    let none: [&str; 0] = [];
    let now_ms = NOW * 1000 + u64::from(case.took_ms);
    let sent = gate.response(&none, pending, case, now_ms).set_cookies;
    for line in sent.unwrap_or_default() {
        let deletes = Line::of(&line).is_some_and(|line| line.deletes());
        assert!(deletes, "after a logout: {line:?}, of {header:?}");
    }
}

/// Every header of another cookie is there, byte for byte and in its order.
fn others_are_kept(lines: &[String], result: &[String]) {
    let is_managed = |name: &str| {
        let is_of = |rule: &Rule| {
            rule.name == name || rule.companion() == Some(name) || piece(rule, name).is_some()
        };
        RULES.iter().any(is_of)
    };
    let of = |lines: &[String]| {
        let others = lines
            .iter()
            .filter(|line| !Line::of(line).is_some_and(|line| is_managed(line.name)));
        others.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of(lines), of(result), "of {lines:?}");
}

/// S2: what is set is set in the same order, and what the gate adds comes behind it.
fn order_is_kept(lines: &[String], result: &[String]) {
    let is_gates = |line: &Line<'_>| {
        let is_of = |rule: &Rule| rule.companion() == Some(line.name) || is_piece(rule, line);
        line.deletes() || RULES.iter().any(is_of)
    };
    let names = |lines: &'_ [String]| {
        let all = lines.iter().filter_map(|line| Line::of(line));
        let set = all.filter(|line| !is_gates(line));
        set.map(|line| line.name.to_owned()).collect::<Vec<_>>()
    };
    assert!(
        names(result).starts_with(&names(lines)),
        "in another order: {lines:?} in {result:?}"
    );
}

/// Whether a line sets what may be a part of a cookie that comes in pieces.
fn is_piece(rule: &Rule, line: &Line<'_>) -> bool {
    rule.is_chunked && (rule.name == line.name || piece(rule, line.name).is_some())
}

/// S6: a pair that browsers drop for its length is told, and none where there is no such pair.
fn what_is_long_is_told(lines: &[String], result: &[String], decision: &ResponseDecision) {
    let is_long = |line: &&String| {
        Line::of(line).is_some_and(|one| {
            let is_whole = RULES.iter().any(|rule| one.is_plainly_of(rule));
            is_whole && one.name.len() + 1 + one.value.len() > LONGEST_PAIR
        })
    };
    let long: Vec<_> = result.iter().filter(is_long).collect();
    let has_new = long.iter().any(|line| !lines.contains(line));
    let is_told = count_of(&decision.events, Verdict::TooLong) > 0;
    assert!(
        is_told || !has_new,
        "too long, and not told: {long:?} of {lines:?}"
    );
    assert!(
        !is_told || !long.is_empty(),
        "told to be too long: {lines:?} in {result:?}"
    );
}

/// The longest pair that browsers store, in bytes (S6).
const LONGEST_PAIR: usize = 4_096;

/// What the site set under its own key, the browser is sent under the current one, with the same attributes; what
/// the site's key does not verify is sent as it came.
fn what_is_set_is_sealed(
    rule: &Rule,
    lines: &[String],
    result: &[String],
    decision: &ResponseDecision,
) {
    let signatures = |lines: &'_ [String]| {
        let of = rule
            .companion()
            .map(|name| lines_of(lines, name))
            .unwrap_or_default();
        of.iter()
            .map(|line| line.value.to_owned())
            .collect::<Vec<_>>()
    };
    let read = |role: Role, line: &Line<'_>, signatures: &[String]| {
        let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
        let reading = given::read(rule, role, line.value, &signatures)?;
        Some((reading.payload, line.tail.to_owned()))
    };
    let (own_signatures, new_signatures) = (signatures(lines), signatures(result));
    let by_origin = |line: &Line<'_>| match rule.is_wrapped {
        true => Some((line.value.to_owned(), line.tail.to_owned())),
        false => read(Role::Origin, line, &own_signatures),
    };
    let (mut vouched, mut as_they_came) = (Vec::new(), Vec::new());
    for line in lines_of(lines, rule.name)
        .into_iter()
        .filter(|line| !line.deletes())
    {
        match by_origin(&line) {
            Some(content) => vouched.push(content),
            // some frameworks read a value in double quotes without them
            None if line.value.starts_with('"') => {}
            None => as_they_came.push(line),
        }
    }
    assert!(
        as_they_came.is_empty() || count_of(&decision.events, Verdict::OriginUnverified) > 0,
        "not told: {as_they_came:?} of {lines:?}"
    );
    for line in lines_of(result, rule.name)
        .into_iter()
        .filter(|line| !line.deletes())
    {
        // a line that came may be sealed by the ring's key, and say what another one says
        if let Some(at) = as_they_came.iter().position(|one| *one == line) {
            as_they_came.remove(at);
            continue;
        }
        let sealed = read(Role::Current, &line, &new_signatures);
        let at = sealed.and_then(|sealed| vouched.iter().position(|one| *one == sealed));
        at.map(|at| vouched.remove(at));
    }
    assert!(
        as_they_came.is_empty(),
        "changed or lost: {as_they_came:?} of {lines:?} in {result:?}"
    );
    // what the format cannot carry, or what would be read as another cookie, is not sealed
    vouched.retain(|(payload, _)| given::is_tame(payload));
    let is_ambiguous = own_signatures.len() > 1
        || (rule.companion().is_some() && lines_of(lines, rule.name).len() > 1);
    assert!(
        is_ambiguous || vouched.is_empty(),
        "not sealed: {} {vouched:?} of {lines:?} in {result:?}",
        rule.name
    );
}

/// A managed cookie that a browser is sent anew is vouched for: no line is there that neither came nor is sealed.
fn signatures_are_of_values(rule: &Rule, lines: &[String], result: &[String]) {
    let Some(companion) = rule.companion() else {
        return;
    };
    for line in lines_of(result, companion) {
        let came = lines_of(lines, companion).contains(&line);
        let signs = |value: &Line<'_>| {
            given::read(rule, Role::Current, value.value, &[line.value]).is_some()
        };
        let is_of_value = lines_of(result, rule.name).iter().any(signs);
        assert!(
            came || line.deletes() || is_of_value,
            "a signature of nothing: {line:?} of {lines:?} in {result:?}"
        );
    }
}

/// Pieces that the browser is sent are those that came, deletions, or make a value under the current key.
fn pieces_are_sealed(lines: &[String], result: &[String], header: &str) {
    for rule in RULES.iter().filter(|rule| rule.is_chunked) {
        let of = |lines: &[String], is_new: &dyn Fn(&String) -> bool| {
            let all = lines.iter().filter(|line| {
                Line::of(line).is_some_and(|one| {
                    (one.name == rule.name || piece(rule, one.name).is_some()) && !one.deletes()
                }) && is_new(line)
            });
            let pairs = all.filter_map(|line| Line::of(line));
            let pairs: Vec<String> = pairs
                .map(|line| format!("{}={}", line.name, line.value))
                .collect();
            pairs.join("; ")
        };
        let new = of(result, &|line| !lines.contains(line));
        if new.is_empty() {
            continue;
        }
        let payloads = |text: &str, role: Role| {
            let (plain, _) = given::values(rule, text);
            let joined = given::joins(rule, text);
            let values = plain.into_iter().chain(joined.iter().map(String::as_str));
            let read = values.filter_map(|value| given::read_any(rule, role, value, &[]));
            read.map(|reading| reading.payload).collect::<Vec<_>>()
        };
        let came = payloads(&of(lines, &|_| true), Role::Origin);
        let shown = given::shown(rule, header).given;
        let is_vouched = |payload: &String| {
            came.contains(payload) || shown.iter().any(|one| one.payload == *payload)
        };
        // pieces that stayed the same beside new ones count as well
        let all = of(result, &|_| true);
        let set = match payloads(&new, Role::Current) {
            none if none.is_empty() => payloads(&all, Role::Current),
            set => set,
        };
        assert!(
            !set.is_empty() && set.iter().all(is_vouched),
            "{new:?} of {lines:?} and {header:?} in {result:?}"
        );
    }
}

/// S3: a deletion passes as it is.
fn deletions_are_kept(rule: &Rule, lines: &[String], result: &[String]) {
    for line in lines {
        let is_deletion =
            Line::of(line).is_some_and(|one| one.is_plainly_of(rule) && one.deletes());
        assert!(
            !is_deletion || result.contains(line),
            "a deletion is changed: {line:?} in {result:?}"
        );
        // the site knows of no signature
        let own = Line::of(line).filter(|_| is_deletion && rule.is_wrapped);
        let signature = own.zip(rule.companion());
        let deletion = signature.map(|(own, name)| format!("{name}={}", own.tail));
        assert!(
            deletion.is_none_or(|deletion| result.contains(&deletion)),
            "the signature lives on: {line:?} in {result:?}"
        );
    }
}

/// S3: what the site sets last in the place of `attributes` lives on in the browser.
fn what_is_set_lives(rule: &Rule, lines: &[String], result: &[String]) {
    let lives = |lines: &[String]| {
        let own = lines_of(lines, rule.name);
        let last = own.iter().rfind(|line| line.is_in_place());
        last.is_some_and(|line| !line.deletes())
    };
    assert!(
        !lives(lines) || lives(result),
        "{} is deleted that {lines:?} sets: {result:?}",
        rule.name
    );
}

/// S3: the deletion of a cookie in another place is followed by one in the place of `attributes`.
fn deletions_have_their_twins(rule: &Rule, lines: &[String], result: &[String]) {
    let own = lines_of(lines, rule.name);
    let elsewhere = own.iter().any(|line| line.deletes() && !line.is_in_place());
    let lives = own.iter().any(|line| !line.deletes() && line.is_in_place());
    let mut sent = lines_of(result, rule.name).into_iter();
    if elsewhere && !lives {
        let is_twin = |line: Line<'_>| line.deletes() && line.is_in_place();
        assert!(
            sent.any(is_twin),
            "no twin: {} of {lines:?} in {result:?}",
            rule.name
        );
    }
}

/// S5: where an upgrade is plainly due it is sent, or the first condition that does not hold is told.
fn the_reason_is_told(
    case: &ResponseCase,
    (at, rule): (usize, &Rule),
    header: &str,
    lines: &[String],
    decision: &ResponseDecision,
) {
    let shown = given::shown(rule, header);
    let certain = given::certain(rule, header).len();
    let is_plain = certain > 0 && shown.count == certain && shown.given.len() <= certain;
    // in double quotes it may count or not
    let is_quoted = |value: &&str| value.starts_with('"');
    let has_quoted = given::values(rule, header).0.iter().any(is_quoted);
    if !is_plain || has_quoted || shown.given.iter().any(|one| one.is_current) {
        return;
    }
    let mut set = lines.iter().filter_map(|line| Line::of(line));
    let sets = set.any(|line| line.name == rule.name || rule.companion() == Some(line.name));
    let now = NOW + u64::from(case.took_ms) / 1000;
    let outlived = |one: &given::Given| now.saturating_sub(one.signed) >= COOKIE_MAX_AGE;
    let has_max_age = rule.attributes().contains("Max-Age");
    let conditions = [
        ("never", rule.upgrade != "never" && !rule.fallback_stays),
        (
            "not-navigation",
            rule.upgrade == "always" || case.head.opens_page(),
        ),
        ("duplicate", certain == 1),
        ("response-sets-cookie", !sets),
        ("clear-site-data", !case.clears),
        ("status", !matches!(case.status(), 100..=199 | 206 | 304)),
        ("late", case.took_ms <= 2_000),
        ("cacheable", case.cache().1),
        (
            "outlived",
            !(has_max_age && shown.given.iter().any(outlived)),
        ),
    ];
    let first = conditions.iter().find(|(_, holds)| !holds);
    let expected = first.map(|(reason, _)| *reason);
    let events = decision.events.iter().filter(|event| event.rule.0 == at);
    let told: Vec<_> = events
        .filter_map(|event| match event.verdict {
            Verdict::UpgradeWithheld(reason) => Some(Some(reason.as_str())),
            Verdict::Upgraded => Some(None),
            _ => None,
        })
        .collect();
    assert_eq!(told, [expected], "{} after {header:?}, {case:?}", rule.name);
}

/// S5: an upgrade is sent only where every condition holds.
fn an_upgrade_is_due(
    case: &ResponseCase,
    rule: &Rule,
    header: &str,
    lines: &[String],
    decision: &ResponseDecision,
    result: &[String],
) {
    let is_of = |line: &Line<'_>| {
        line.name == rule.name
            || rule.companion() == Some(line.name)
            || piece(rule, line.name).is_some()
    };
    let site_sets = lines
        .iter()
        .filter_map(|line| Line::of(line))
        .any(|line| is_of(&line));
    let set = |lines: &[String]| {
        lines_of(lines, rule.name)
            .into_iter()
            .filter(|line| !line.deletes())
            .count()
    };
    if site_sets && rule.is_chunked {
        return; // what is set in pieces is looked at as a whole
    }
    if site_sets {
        assert_eq!(
            set(lines),
            set(result),
            "set beside the site's: {} {result:?}",
            rule.name
        );
        return;
    }
    let upgrade = result.iter().filter_map(|line| Line::of(line)).find(is_of);
    let Some(upgrade) = upgrade else {
        return;
    };
    let shown = given::shown(rule, header);
    let why = |what: &str| format!("{what}: {upgrade:?} after {header:?}, {case:?}");
    assert!(shown.count < 2 || rule.is_chunked, "{}", why("duplicate"));
    let is_fallback = |one: &&given::Given| !one.is_current;
    let old: Vec<_> = shown.given.iter().filter(is_fallback).collect();
    assert!(!old.is_empty(), "{}", why("nothing is old"));
    let may = match rule.upgrade {
        _ if rule.fallback_stays => false,
        "always" => true,
        "navigation" => case.head.opens_page(),
        _ => false,
    };
    assert!(may, "{}", why("neither asked for nor a navigation"));
    assert!(!case.clears, "{}", why("clear-site-data"));
    assert!(
        !matches!(case.status(), 100..=199 | 206 | 304),
        "{}",
        why("status")
    );
    assert!(case.took_ms <= 2_000, "{}", why("late"));
    assert!(case.cache().1, "{}", why("cacheable"));
    let directives = case.response_header("cache-control").unwrap_or_default();
    let directives = directives.to_lowercase();
    let is_private = directives.contains("private") || directives.contains("no-store");
    assert!(is_private || decision.private, "{}", why("not private"));
    left_is_right(rule, &old, &upgrade, &why);
    if !rule.is_chunked {
        let signatures: Vec<Line<'_>> = rule
            .companion()
            .map(|name| lines_of(result, name))
            .unwrap_or_default();
        let signatures: Vec<&str> = signatures.iter().map(|line| line.value).collect();
        let reading = given::read(rule, Role::Current, upgrade.value, &signatures);
        let is_same = |payload: &str| old.iter().any(|one| one.payload == payload);
        assert!(
            reading.is_some_and(|it| is_same(&it.payload)),
            "{}",
            why("another payload")
        );
    }
    assert!(
        count_of(&decision.events, Verdict::Upgraded) > 0,
        "{}",
        why("not reported")
    );
}

/// The `Max-Age` of an upgrade is what is left of it since the signed time.
fn left_is_right(
    rule: &Rule,
    old: &[&given::Given],
    upgrade: &Line<'_>,
    why: &dyn Fn(&str) -> String,
) {
    let whole = rule
        .attributes()
        .split("; ")
        .find_map(|one| one.strip_prefix("Max-Age="));
    let Some(whole) = whole.and_then(|text| text.parse::<u64>().ok()) else {
        return;
    };
    let left = upgrade
        .attribute("Max-Age")
        .and_then(|text| text.parse::<u64>().ok());
    let longest = old
        .iter()
        .map(|one| whole.saturating_sub(NOW.saturating_sub(one.signed)))
        .max();
    assert!(left.is_some_and(|left| left > 0), "{}", why("outlived"));
    assert!(
        left.unwrap_or(u64::MAX) <= longest.unwrap_or_default(),
        "{}",
        why("a longer life")
    );
}

/// What the ring has sealed, a gate whose origin signs with the current key leaves as it is.
fn is_stable(case: &ResponseCase, lines: &[String], result: &[String], now_ms: u64) {
    let wrapped = RULES.iter().filter(|rule| rule.is_wrapped);
    let has_wrapped = wrapped
        .into_iter()
        .any(|rule| !lines_of(result, rule.name).is_empty());
    let deletes = result
        .iter()
        .filter_map(|line| Line::of(line))
        .any(|line| line.deletes());
    if has_wrapped || deletes {
        return; // a deletion brings another each time
    }
    let again = last_day().response(result, &Pending::default(), case, now_ms);
    assert_eq!(
        again.set_cookies, None,
        "{result:?} of {lines:?} is changed again"
    );
}

/// B1: where it only observes, not a byte changes.
fn is_only_observed(case: &ResponseCase, lines: &[String], header: &str, now_ms: u64) {
    let pending = decide(observing(), header, case.head).pending;
    let decision = observing().response(lines, &pending, case, now_ms);
    assert_eq!(decision.set_cookies, None, "observed: {lines:?}");
    assert!(!decision.private, "observed: {lines:?}");
}

/// Once the site was seen to set a cookie otherwise, an upgrade would change it.
fn what_differs_is_not_upgraded(
    case: &ResponseCase,
    pending: &Pending,
    lines: &[String],
    now_ms: u64,
) {
    let none: [&str; 0] = [];
    // one that has seen more withholds more, and takes less time
    let fresh = (lines.len() == 1 && pending.is_pending()).then(unused);
    if let Some(gate) = &fresh {
        gate.response(lines, pending, case, now_ms);
    }
    let gate = fresh.as_ref().unwrap_or(watching());
    let again = gate.response(&none, pending, case, now_ms);
    let result = again.set_cookies.unwrap_or_default();
    for rule in &RULES {
        let own = lines_of(lines, rule.name);
        let differs = |line: &Line<'_>| {
            let is_elsewhere = !line.is_in_place();
            let same_site =
                line.attribute("SameSite").is_some() || line.attribute("Partitioned").is_some();
            let is_kept = ["Max-Age", "Expires"].map(|name| line.attribute(name).is_some());
            let persistence = is_kept.contains(&true) != rule.attributes().contains("Max-Age");
            is_elsewhere || ((same_site || persistence) && !line.deletes())
        };
        let is_spoilt = own.iter().any(differs);
        assert!(
            !is_spoilt || lines_of(&result, rule.name).is_empty(),
            "{} is upgraded though the site sets it otherwise: {result:?} after {lines:?}",
            rule.name
        );
    }
}
