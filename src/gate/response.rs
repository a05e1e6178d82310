//! Responses: rules S2 to S6.

use super::judge::{LONGEST_VALUE, Work};
use super::{Answer, Due, Event, Exchange, Gate, Passage};
use crate::cookie::{Attributes, SetCookie};
use crate::formats::Content;
use crate::policy::{Mode, Rule, Upgrade};
use crate::verdict::{Verdict, Withheld};

/// A response this much later than its request may be older than what the browser has by now (S5).
const LATE_MS: u64 = 2_000;
/// The longest pair of name, `=` and value that browsers store, in bytes (S6).
const LONGEST_PAIR: usize = 4_096;

/// Headers by which a shared cache other than `Cache-Control` is told to store.
const CACHE_HEADERS: [&str; 8] = [
    "expires",
    "surrogate-control",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "akamai-cache-control",
    "fastly-cache-control",
    "netlify-cdn-cache-control",
    "vercel-cdn-cache-control",
];

impl Gate {
    /// Judges a response by its Set-Cookie headers and by what its request left behind. `now_ms` is in
    /// Unix milliseconds.
    pub fn response(
        &self,
        set_cookies: &[String],
        passage: &Passage,
        exchange: &dyn Exchange,
        now_ms: u64,
    ) -> Answer {
        let mut judged = Judged {
            answer: Answer::default(),
            headers: Vec::with_capacity(set_cookies.len() + 1),
            changed: false,
            set: Vec::new(),
            set_in_place: Vec::new(),
            work: Work::new(now_ms / 1000, self.random),
        };
        for header in set_cookies {
            self.set_cookie(header, &mut judged);
        }
        judged.answer.only_adds = !judged.changed;
        let is_late = now_ms.saturating_sub(passage.asked_ms) > LATE_MS;
        for due in &passage.due {
            self.upgrade(due, is_late, exchange, &mut judged);
        }
        if judged.changed {
            judged.answer.set_cookies = Some(judged.headers);
        }
        judged.answer
    }

    fn set_cookie(&self, header: &str, judged: &mut Judged) {
        let managed = SetCookie::parse(header).and_then(|cookie| {
            let at = self.policy.names.position(cookie.name)?;
            Some((cookie, at))
        });
        let Some((cookie, at)) = managed else {
            judged.headers.push(header.to_owned());
            return;
        };
        let rule = &self.policy.rules[at];
        judged.set.push(at);
        let deletes = cookie.is_deletion(judged.work.now);
        self.watch_attributes(at, &cookie, deletes, judged);
        if deletes {
            judged.report(at, Verdict::Deletion, None);
            judged.headers.push(header.to_owned());
            // what the same response has just set there must live
            let second = rule.second_deletion(&cookie);
            if let Some(second) = second.filter(|_| !judged.set_in_place.contains(&at)) {
                judged.push_change(rule, second);
            }
            return;
        }
        if !rule.is_elsewhere(&cookie) {
            judged.set_in_place.push(at);
        }
        match rule.reseal(at, &cookie, judged) {
            Some(value) if rule.spec.mode == Mode::Enforce => {
                judged.headers.push(cookie.with_value(&value));
                judged.changed = true;
            }
            _ => judged.headers.push(header.to_owned()),
        }
    }

    /// Where the origin sets the cookie in another place, an upgrade would make a twin of it.
    fn watch_attributes(
        &self,
        at: usize,
        cookie: &SetCookie<'_>,
        deletes: bool,
        judged: &mut Judged,
    ) {
        let Some(expected) = self.policy.rules[at].spec.attributes.as_deref() else {
            return;
        };
        let (expected, found) = (Attributes::parse(expected), cookie.attributes());
        let differs = found.differ_in_place(&expected)
            || (!deletes && found.partitioned != expected.partitioned);
        if differs {
            self.set_elsewhere[at].set(true);
            judged.report(at, Verdict::AttributesDiffer, None);
        }
    }

    fn upgrade(&self, due: &Due, is_late: bool, exchange: &dyn Exchange, judged: &mut Judged) {
        let rule = &self.policy.rules[due.rule];
        let withheld = self
            .withheld(due, is_late, exchange, judged)
            .map_or_else(|| self.write_upgrade(rule, due, judged), Err);
        match withheld {
            Err(reason) => judged.report(due.rule, Verdict::UpgradeWithheld(reason), None),
            Ok(header) => {
                judged.report(due.rule, Verdict::Upgraded, rule.browser.key.as_ref());
                let pair = header.split(';').next().unwrap_or_default();
                judged.check_length(due.rule, pair.len());
                judged.answer.private |= rule.spec.mode == Mode::Enforce && !is_private(exchange);
                judged.push_change(rule, header);
            }
        }
    }

    /// The first condition of S5 that does not hold.
    fn withheld(
        &self,
        due: &Due,
        is_late: bool,
        exchange: &dyn Exchange,
        judged: &Judged,
    ) -> Option<Withheld> {
        let upgrade = self.policy.rules[due.rule].spec.upgrade;
        let status = exchange.status();
        match () {
            () if upgrade == Upgrade::Never || !due.allowed => Some(Withheld::Never),
            () if upgrade == Upgrade::Navigation && !is_navigation(exchange) => {
                Some(Withheld::NotNavigation)
            }
            () if due.verified != 1 => Some(Withheld::Duplicate),
            () if judged.set.contains(&due.rule) => Some(Withheld::ResponseSetsCookie),
            () if exchange.response_header("clear-site-data").is_some() => {
                Some(Withheld::ClearSiteData)
            }
            () if status < 200 || status == 206 || status == 304 => Some(Withheld::Status),
            () if is_late => Some(Withheld::Late),
            () if is_cacheable(exchange) => Some(Withheld::Cacheable),
            () if self.set_elsewhere[due.rule].get() => Some(Withheld::AttributesDiffer),
            () => None,
        }
    }

    /// The Set-Cookie header of an upgrade. Payload and time are kept; a `Max-Age` is what is left of
    /// it since the signed time.
    fn write_upgrade(&self, rule: &Rule, due: &Due, judged: &Judged) -> Result<String, Withheld> {
        // without `attributes` the configuration has said "never"
        let text = rule.spec.attributes.as_deref().ok_or(Withheld::Never)?;
        let attributes = Attributes::parse(text);
        let left = match attributes.max_age {
            None => None,
            Some(max_age) => Some(left_of(max_age, &due.content, judged.work.now)?),
        };
        let value = rule
            .browser
            .seal(&due.content, &judged.work)
            .ok_or(Withheld::Uncarriable)?;
        Ok(attributes.set(&rule.spec.name, &value, left))
    }
}

/// A response while it is judged.
struct Judged {
    answer: Answer,
    /// Its Set-Cookie headers so far.
    headers: Vec<String>,
    changed: bool,
    /// The rules whose cookie it sets or deletes.
    set: Vec<usize>,
    /// The rules whose cookie it sets where `attributes` would.
    set_in_place: Vec<usize>,
    work: Work,
}

impl Judged {
    fn report(&mut self, rule: usize, verdict: Verdict, key: Option<&crate::key::KeyId>) {
        self.answer.events.push(Event::new(rule, verdict, key));
    }

    /// S6: it is still sent, and browsers drop it.
    fn check_length(&mut self, rule: usize, pair: usize) {
        if pair > LONGEST_PAIR {
            self.report(rule, Verdict::TooLong, None);
        }
    }

    /// Adds a header of the gate's own, unless the rule only observes.
    fn push_change(&mut self, rule: &Rule, header: String) {
        if rule.spec.mode == Mode::Enforce {
            self.headers.push(header);
            self.changed = true;
        }
    }
}

impl Rule {
    /// The value for the browser, where it is another; reports what was found (S2, S4, S6).
    fn reseal(&self, at: usize, cookie: &SetCookie<'_>, judged: &mut Judged) -> Option<String> {
        if self.spec.is_unsealed() {
            return None;
        }
        let (same, content) = match self.open_origins(cookie.value, judged) {
            Ok(opened) => opened,
            Err(verdict) => {
                judged.report(at, verdict, None);
                return None;
            }
        };
        let is_plain = self.is_plain_at_origin();
        if is_plain && self.carries_other(cookie.value) {
            judged.report(at, Verdict::Malformed, None);
            return None;
        }
        let sealed = match same {
            true => None,
            false => match self.browser.seal(&content, &judged.work) {
                Some(value) => Some(value),
                None => {
                    judged.report(at, Verdict::Malformed, None);
                    return None;
                }
            },
        };
        judged.report(at, Verdict::Sealed, self.browser.key.as_ref());
        let value = sealed.as_deref().unwrap_or(cookie.value);
        judged.check_length(at, cookie.name.len() + 1 + value.len());
        sealed
    }

    /// Opens what the origin set, and tells whether the browser's copy is the same text.
    fn open_origins<'h>(
        &self,
        value: &'h str,
        judged: &mut Judged,
    ) -> Result<(bool, Content<'h>), Verdict> {
        if value.len() > LONGEST_VALUE {
            return Err(Verdict::TooLong);
        }
        for candidate in &self.origin_candidates {
            if !judged.work.allows(value) {
                return Err(Verdict::TooLong);
            }
            judged.work.spend(value);
            if let Ok(content) = candidate.keyed.open(value, judged.work.now) {
                return Ok((candidate.same_as_other_side, content));
            }
        }
        // a plain cookie needs no key: what does not open holds bytes that cannot be sealed
        Err(match self.origin.key {
            None => Verdict::Malformed,
            Some(_) => Verdict::OriginUnverified,
        })
    }

    /// S3: a deletion in another place than `attributes` leaves an upgraded twin alive.
    fn second_deletion(&self, cookie: &SetCookie<'_>) -> Option<String> {
        let expected = Attributes::parse(self.spec.attributes.as_deref()?);
        self.is_elsewhere(cookie)
            .then(|| expected.deletion(&self.spec.name))
    }

    /// Whether a cookie is set in another place than an upgrade would set it.
    fn is_elsewhere(&self, cookie: &SetCookie<'_>) -> bool {
        let expected = self.spec.attributes.as_deref().map(Attributes::parse);
        expected.is_some_and(|expected| cookie.attributes().differ_in_place(&expected))
    }
}

/// What is left of a `Max-Age` that began at the signed time; never more than all of it.
fn left_of(max_age: i64, content: &Content<'_>, now: u64) -> Result<i64, Withheld> {
    let age = content.time.map_or(0, |time| now.saturating_sub(time));
    let left = max_age.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX));
    match left > 0 {
        true => Ok(left),
        false => Err(Withheld::Outlived),
    }
}

/// Whether a request opens a page: by the Fetch metadata headers, or, where a browser sends none of
/// them, by what it accepts.
fn is_navigation(exchange: &dyn Exchange) -> bool {
    if !["GET", "HEAD"].contains(&exchange.method().as_str()) {
        return false;
    }
    let header = |name| exchange.request_header(name);
    match (
        header("sec-fetch-mode"),
        header("sec-fetch-dest"),
        header("sec-purpose"),
    ) {
        (None, None, None) => {
            header("accept").is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
        }
        (mode, dest, purpose) => {
            mode.as_deref() == Some("navigate")
                && dest.is_none_or(|dest| dest == "document")
                && purpose.is_none()
        }
    }
}

/// Whether a shared cache might store the response, this zone's own cache included.
fn is_cacheable(exchange: &dyn Exchange) -> bool {
    let header = |name: &str| exchange.response_header(name);
    let cached = header("cf-cache-status")
        .is_some_and(|status| !["DYNAMIC", "BYPASS"].contains(&status.as_str()));
    // what speaks to some caches alone overrides `private` there
    let told = |names: &[&str]| names.iter().any(|name| header(name).is_some());
    cached
        || match is_private(exchange) {
            true => told(&CACHE_HEADERS[1..]), // `private` counts for more than Expires
            false => header("cache-control").is_some() || told(&CACHE_HEADERS),
        }
}

/// `private` or `no-store` without a field list (RFC 9111, section 5.2.2).
fn is_private(exchange: &dyn Exchange) -> bool {
    exchange
        .response_header("cache-control")
        .is_some_and(|directives| {
            directives_of(&directives).any(|directive| {
                directive.eq_ignore_ascii_case("private")
                    || directive.eq_ignore_ascii_case("no-store")
            })
        })
}

/// The parts between commas that stand outside double quotes.
fn directives_of(header: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    header
        .split(move |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
}
