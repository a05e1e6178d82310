//! Responses: rules S2 to S4 and S6; what S5 asks of an upgrade is in `upgrade`.

use core::sync::atomic::Ordering;

use super::judge::{LONGEST_VALUE, Work};
use super::times::is_ahead;
use super::{Edit, Event, Exchange, Gate, Pending, ResponseDecision};
use crate::config::{Mode, Rule, RuleIndex};
use crate::formats::{Content, PAIR};
use crate::gate::superseded::{Identity, Upgradable};
use crate::gate::verdict::{Difference, Verdict};
use crate::prelude::*;
use crate::wire::cookie::{Attributes, SetCookie};
use crate::wire::encoding::cut_at;
use crate::wire::look_alike::{Managed, reads_alike};

mod pieces;

/// The longest pair of name, `=` and value that browsers store, in bytes (S6).
pub(super) const LONGEST_PAIR: usize = 4_096;

impl Gate {
    /// Judges a response by its Set-Cookie headers and by what its request left behind. `now_ms` is in
    /// Unix milliseconds.
    pub fn response(
        &self,
        set_cookies: &[impl AsRef<str>],
        pending: &Pending,
        exchange: &dyn Exchange,
        now_ms: u64,
    ) -> ResponseDecision {
        let own: Vec<&str> = set_cookies.iter().map(AsRef::as_ref).collect();
        let groups = self.groups(&own, now_ms / 1000);
        let mut judged = self.judged(own, now_ms);
        judged.is_watched = !pending.upgradable.is_empty();
        self.take_groups(&groups, &mut judged);
        for at in 0..set_cookies.len() {
            self.set_cookie(at, &mut judged);
        }
        for at in 0..set_cookies.len() {
            self.set_companion(at, pending, &mut judged);
        }
        self.split_groups(&groups, pending, &mut judged);
        judged.answer.only_adds = !judged.is_changed();
        self.upgrades(pending, exchange, now_ms, &mut judged);
        self.note_superseded(pending, exchange, now_ms, &judged);
        judged.into_decision()
    }

    /// The headers read, each once.
    fn judged<'h>(&self, own: Vec<&'h str>, now_ms: u64) -> Judged<'h> {
        let mut judged = Judged::new(own, Work::new(now_ms / 1000, self.random));
        for (at, own) in judged.own.iter().enumerate() {
            judged.work.count(own.len());
            let cookie = SetCookie::parse(own);
            let managed = cookie.and_then(|cookie| self.policy.names.position(cookie.name));
            let line = &mut judged.lines[at];
            line.managed = cookie.zip(managed);
            if let Some(Managed::Companion(rule)) = managed {
                let rules = self.policy.rules.len();
                judged.companions.resize_with(rules, Vec::new);
                judged.companions[rule].push(at);
            }
        }
        judged
    }

    fn set_cookie(&self, at: usize, judged: &mut Judged<'_>) {
        let Some((cookie, Managed::Cookie(rule_at))) = judged.lines[at].managed else {
            return;
        };
        let rule = &self.policy.rules[rule_at];
        note(&mut judged.set, rule_at);
        let attributes = cookie.attributes();
        let deletes = rule.is_deletion(&cookie, &attributes, judged.work.now);
        let is_elsewhere = self.watch_attributes(rule_at, &attributes, deletes, judged);
        if deletes {
            self.delete(rule_at, at, &cookie, judged);
            return;
        }
        if !is_elsewhere {
            note(&mut judged.set_in_place, rule_at);
        }
        let signature = if rule.origin.is_pair {
            judged.signature_of(rule_at, at)
        } else {
            None
        };
        judged.goes_with(signature);
        let Some(sealed) = rule.reseal(rule_at, &cookie, signature.map(|(_, s)| s.value), judged)
        else {
            return;
        };
        if rule.spec.mode == Mode::Enforce {
            judged.write(rule, at, &cookie, &sealed, signature);
        }
    }

    /// S3: what the deletion of a cookie brings along.
    fn delete(
        &self,
        rule_at: RuleIndex,
        at: usize,
        cookie: &SetCookie<'_>,
        judged: &mut Judged<'_>,
    ) {
        let rule = &self.policy.rules[rule_at];
        judged.report(rule_at, Verdict::Deletion, None);
        note(&mut judged.deleted, rule_at);
        // Keygrip signs the empty value too
        let signature = judged.signature_of(rule_at, at);
        let is_kept = |own: &SetCookie<'_>| !own.is_deletion(judged.work.now);
        let signature = signature.filter(|(_, own)| is_kept(own));
        judged.goes_with(signature);
        // what the same response has just set there must live
        let lives = judged.set_in_place.contains(&rule_at);
        let second = |cookie: &SetCookie<'_>| rule.second_deletion(cookie).filter(|_| !lives);
        judged.insert(rule, at, second(cookie));
        let signature = rule.companion_deletion(cookie);
        let further = signature.as_deref().and_then(SetCookie::parse);
        let further = further.and_then(|signature| second(&signature));
        judged.insert(rule, at, signature);
        judged.insert(rule, at, further);
    }

    /// A signature's own cookie that goes with none: S3 where it is deleted; else it may be that of the
    /// value that the request brought, signed again.
    fn set_companion<'h>(&self, at: usize, pending: &'h Pending, judged: &mut Judged<'h>) {
        let Some((cookie, Managed::Companion(rule_at))) = judged.lines[at].managed else {
            return;
        };
        let rule = &self.policy.rules[rule_at];
        if judged.lines[at].goes_with_a_value || rule.is_unsealed() {
            return;
        }
        note(&mut judged.set, rule_at);
        match cookie.is_deletion(judged.work.now) {
            true if judged.set_in_place.contains(&rule_at) => {}
            true => judged.insert(rule, at, rule.second_deletion(&cookie)),
            false => {
                let sent = pending.signed.iter().find(|(rule, _)| *rule == rule_at);
                match sent.map(|(_, content)| content.text()) {
                    Some(Ok(value)) => self.sign_again(rule_at, at, &cookie, value, judged),
                    _ => judged.report(rule_at, Verdict::OriginUnverified, None),
                }
            }
        }
    }

    /// S2 for a signature alone, the browser having the value that it signs.
    fn sign_again(
        &self,
        rule_at: RuleIndex,
        at: usize,
        signature: &SetCookie<'_>,
        value: &str,
        judged: &mut Judged<'_>,
    ) {
        let rule = &self.policy.rules[rule_at];
        let mut cookie = *signature;
        (cookie.name, cookie.value) = (&rule.spec.name, value);
        let sealed = rule.reseal(rule_at, &cookie, Some(signature.value), judged);
        if let (Some(sealed), Mode::Enforce) = (sealed, rule.spec.mode) {
            judged.lines[at].edit = match split_pair(&sealed) {
                (_, Some(new)) => Edit::Write(signature.with_value(new)),
                (_, None) => Edit::Drop,
            };
        }
    }

    /// Remembers which of the request's cookies the browser no longer has: upgrades of them may be under way (S5).
    fn note_superseded(
        &self,
        pending: &Pending,
        exchange: &dyn Exchange,
        now_ms: u64,
        judged: &Judged<'_>,
    ) {
        if pending.upgradable.is_empty() {
            return;
        }
        let is_cleared = exchange.response_header("clear-site-data").is_some();
        for cookie in &pending.upgradable {
            let is_deleted = is_cleared || judged.deleted.contains(&cookie.rule);
            let says_the_same = |(rule, payload): &(RuleIndex, Identity)| {
                *rule == cookie.rule && cookie.says(*payload)
            };
            let is_set = judged.set.contains(&cookie.rule);
            if is_deleted || (is_set && !judged.renewed.iter().any(says_the_same)) {
                let identity = cookie.identity(exchange);
                self.superseded.note(identity, now_ms);
                if is_deleted {
                    self.superseded.announce(identity);
                }
            }
        }
    }

    /// Where the origin sets the cookie in another place, an upgrade would make a twin of it; where it sets other
    /// attributes, an upgrade would change them. Of a deletion only the place counts. Answers whether it is
    /// another place, `Partitioned` aside.
    fn watch_attributes(
        &self,
        at: RuleIndex,
        found: &Attributes<'_>,
        deletes: bool,
        judged: &mut Judged<'_>,
    ) -> bool {
        let Some(expected) = self.policy.rules[at].attributes() else {
            return false;
        };
        for difference in found.differences(&expected) {
            let is_place = matches!(difference, Difference::Path | Difference::Domain);
            if is_place || !deletes {
                judged.report(at, Verdict::AttributesDiffer(difference), None);
                if spoils(difference, found) {
                    self.set_otherwise[at].store(true, Ordering::Relaxed);
                }
            }
        }
        found.differ_in_place(&expected)
    }
}

/// Whether an upgrade would change for the worse what the origin sets with these attributes: it may add
/// HttpOnly and Secure, and takes neither away.
fn spoils(difference: Difference, found: &Attributes<'_>) -> bool {
    match difference {
        Difference::Secure => found.secure,
        Difference::HttpOnly => found.http_only,
        _ => true,
    }
}

/// A sealed text as value and signature, where that is a cookie of its own.
pub(super) fn split_pair(sealed: &str) -> (&str, Option<&str>) {
    match cut_at(sealed, PAIR as u8) {
        Some((value, signature)) => (value, Some(signature)),
        None => (sealed, None),
    }
}

/// A response while it is judged.
pub(super) struct Judged<'h> {
    pub(super) answer: ResponseDecision,
    /// Its Set-Cookie headers as they came.
    own: Vec<&'h str>,
    /// What becomes of each.
    lines: Vec<Line<'h>>,
    /// What goes behind them all.
    pub(super) added: Vec<String>,
    /// The rules whose cookie it sets or deletes, each once.
    pub(super) set: Vec<RuleIndex>,
    /// Whether an upgrade of a cookie that the request has shown may be under way.
    is_watched: bool,
    /// Of the cookies that it sets: what they say, where that is watched.
    renewed: Vec<(RuleIndex, Identity)>,
    /// Those whose cookie it deletes, each once.
    deleted: Vec<RuleIndex>,
    /// The rules whose cookie it sets where `attributes` would, each once.
    set_in_place: Vec<RuleIndex>,
    /// For each rule, the headers that set a signature; nothing where none does.
    companions: Vec<Vec<usize>>,
    pub(super) work: Work,
}

/// One Set-Cookie header: what it sets, what becomes of it, and what is inserted behind it.
#[derive(Default)]
struct Line<'h> {
    /// The cookie, where it is managed.
    managed: Option<(SetCookie<'h>, Managed)>,
    /// Whether it sets the signature of a value that the response sets or deletes.
    goes_with_a_value: bool,
    edit: Edit,
    behind: Vec<String>,
}

/// Adds a rule, unless it is there: a response may set one cookie in thousands of headers.
fn note(rules: &mut Vec<RuleIndex>, rule: RuleIndex) {
    if !rules.contains(&rule) {
        rules.push(rule);
    }
}

impl<'h> Judged<'h> {
    fn new(own: Vec<&'h str>, work: Work) -> Self {
        Self {
            answer: ResponseDecision::default(),
            lines: own.iter().map(|_| Line::default()).collect(),
            own,
            added: Vec::new(),
            set: Vec::new(),
            is_watched: false,
            renewed: Vec::new(),
            deleted: Vec::new(),
            set_in_place: Vec::new(),
            companions: Vec::new(),
            work,
        }
    }

    pub(super) fn report(
        &mut self,
        rule: RuleIndex,
        verdict: Verdict,
        key: Option<&crate::crypto::key::KeyId>,
    ) {
        self.answer.events.push(Event::new(rule, verdict, key));
    }

    /// The signature that is set with the cookie at this place: the next one behind it, else the last before it.
    fn signature_of(&self, rule: RuleIndex, at: usize) -> Option<(usize, SetCookie<'h>)> {
        let lines = self.companions.get(rule.0)?;
        let behind = lines.partition_point(|line| *line <= at);
        let line = lines.get(behind).or(lines.last())?;
        let (cookie, _) = self.lines[*line].managed?;
        Some((*line, cookie))
    }

    /// Remembers that a signature goes with a value that the response sets or deletes.
    fn goes_with(&mut self, signature: Option<(usize, SetCookie<'_>)>) {
        if let Some((line, _)) = signature {
            self.lines[line].goes_with_a_value = true;
        }
    }

    /// S6: it is still sent, and browsers drop it.
    pub(super) fn check_length(&mut self, rule: RuleIndex, pair: usize, longest: usize) {
        if pair > longest {
            self.report(rule, Verdict::TooLong, None);
        }
    }

    /// Inserts a header of the gate's own, unless the rule only observes.
    fn insert(&mut self, rule: &Rule, at: usize, header: Option<String>) {
        if rule.spec.mode == Mode::Enforce {
            self.lines[at].behind.extend(header);
        }
    }

    /// Writes a sealed text in place of a cookie's value, and its signature in place of the origin's or,
    /// where that set none, behind it.
    fn write(
        &mut self,
        rule: &Rule,
        at: usize,
        cookie: &SetCookie<'_>,
        sealed: &str,
        signature: Option<(usize, SetCookie<'_>)>,
    ) {
        let (value, new) = split_pair(sealed);
        if value != cookie.value {
            self.lines[at].edit = Edit::Write(cookie.with_value(value));
        }
        match (signature, new, &rule.companion) {
            (Some((line, own)), Some(new), _) => {
                self.lines[line].edit = Edit::Write(own.with_value(new));
            }
            (Some((line, _)), None, _) => self.lines[line].edit = Edit::Drop,
            (None, Some(new), Some(name)) => self.lines[at].behind.push(cookie.beside(name, new)),
            (None, _, _) => {}
        }
    }

    fn is_changed(&self) -> bool {
        let is_kept = |line: &Line<'_>| matches!(line.edit, Edit::Keep) && line.behind.is_empty();
        !self.lines.iter().all(is_kept)
    }

    fn into_decision(self) -> ResponseDecision {
        let is_changed = self.is_changed() || !self.added.is_empty();
        let mut headers = Vec::with_capacity(self.own.len() + self.added.len());
        for (line, own) in self.lines.into_iter().zip(self.own).filter(|_| is_changed) {
            match line.edit {
                Edit::Keep => headers.push(own.to_owned()),
                Edit::Write(header) | Edit::Replace(header) => headers.push(header),
                Edit::Drop => {}
            }
            headers.extend(line.behind);
        }
        headers.extend(self.added);
        ResponseDecision {
            set_cookies: is_changed.then_some(headers),
            steps: self.work.steps(),
            ..self.answer
        }
    }
}

impl Rule {
    /// The value for the browser, where it is another; reports what was found (S2, S4, S6).
    fn reseal(
        &self,
        at: RuleIndex,
        cookie: &SetCookie<'_>,
        signature: Option<&str>,
        judged: &mut Judged<'_>,
    ) -> Option<String> {
        if self.is_unsealed() {
            return None;
        }
        let paired = signature.map(|signature| format!("{}{PAIR}{signature}", cookie.value));
        let text = paired.as_deref().unwrap_or(cookie.value);
        let (same, content) = match self.open_origins(text, judged) {
            Ok(opened) => opened,
            Err(verdict) => {
                judged.report(at, verdict, None);
                return None;
            }
        };
        if judged.is_watched {
            judged
                .renewed
                .push((at, Upgradable::payload(self, &content)));
        }
        // what the origin would not be sent again is not sealed, and told at once
        if reads_alike(cookie.value) && self.for_origin(&content, &mut judged.work).is_err() {
            judged.report(at, Verdict::Malformed, None);
            return None;
        }
        let sealed = if same {
            None
        } else {
            match self.seal_for_browser(&content, &mut judged.work) {
                Some(value) => Some(value),
                None => {
                    judged.report(at, Verdict::Malformed, None);
                    return None;
                }
            }
        };
        judged.report(at, Verdict::Sealed, self.browser.key.as_ref());
        if is_ahead(&content, judged.work.now) {
            judged.report(at, Verdict::NotYetValid, None);
        }
        let (value, _) = split_pair(sealed.as_deref().unwrap_or(cookie.value));
        let pair = cookie.name.len() + 1 + value.len();
        judged.check_length(at, pair, self.longest_pair());
        sealed
    }

    /// Opens what the origin set, by its signature alone, and tells whether the browser's copy is the same text.
    fn open_origins<'h>(
        &self,
        value: &'h str,
        judged: &mut Judged<'_>,
    ) -> Result<(bool, Content<'h>), Verdict> {
        if value.len() > LONGEST_VALUE {
            return Err(Verdict::TooLong);
        }
        for candidate in &self.origin_candidates {
            if !judged.work.allows(value) {
                return Err(Verdict::TooLong);
            }
            judged.work.spend(value);
            match judged.work.open_value(&*candidate.keyed, value) {
                None => return Err(Verdict::TooLong),
                Some(Ok(content)) => return Ok((candidate.same_as_other_side, content)),
                Some(Err(_)) => {}
            }
        }
        // a plain cookie needs no key: what does not open holds bytes that cannot be sealed
        Err(match self.origin.key {
            None => Verdict::Malformed,
            Some(_) => Verdict::OriginUnverified,
        })
    }

    /// The value for the browser, no longer than it stores where chance allows (S6).
    pub(super) fn seal_for_browser(
        &self,
        content: &Content<'_>,
        work: &mut Work,
    ) -> Option<String> {
        let longest = self.longest_pair().saturating_sub(self.spec.name.len() + 1);
        self.browser.seal_within(longest, content, work)
    }

    /// The longest pair of name, `=` and value, all pieces of it together: longer ones browsers drop, or the gate.
    pub(super) fn longest_pair(&self) -> usize {
        match self.spec.chunks {
            None => LONGEST_PAIR,
            Some(_) => self.spec.name.len() + 1 + LONGEST_VALUE,
        }
    }

    /// S3: an empty value deletes, unless the rule's format wraps it as any other.
    fn is_deletion(&self, cookie: &SetCookie<'_>, attributes: &Attributes<'_>, now: u64) -> bool {
        if self.wraps_any_value() {
            attributes.have_ended(now)
        } else {
            cookie.is_deletion_by(attributes, now)
        }
    }

    /// S3: a deletion in another place than `attributes` leaves an upgraded twin alive.
    fn second_deletion(&self, cookie: &SetCookie<'_>) -> Option<String> {
        let expected = self.attributes()?;
        let is_elsewhere = cookie.attributes().differ_in_place(&expected);
        is_elsewhere.then(|| expected.deletion(cookie.name))
    }

    /// The signature that the browser has or may still have goes with the cookie, where the origin knows of
    /// none.
    fn companion_deletion(&self, cookie: &SetCookie<'_>) -> Option<String> {
        let name = self.companion.as_ref().filter(|_| !self.origin.is_pair)?;
        Some(cookie.beside(name, ""))
    }

    /// The attributes that an upgrade sets.
    pub(super) fn attributes(&self) -> Option<Attributes<'_>> {
        self.spec.attributes.as_deref().map(Attributes::parse)
    }
}
