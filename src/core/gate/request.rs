//! Requests: rules R1, R3, R4 and R7.

use core::ops::Range;

use super::judge::{CookieCopy, Outcome, Work};
use super::navigation::is_navigation;
use super::{Action, DueUpgrade, Edit, Event, Fault, Gate, Pending, RequestDecision, RequestHead};
use crate::config::{Mode, OnInvalid, Rule, RuleIndex, Upgrade};
use crate::gate::superseded::Upgradable;
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::cookie::{pair_value, pairs, trimmed_start};
use crate::wire::encoding::{cut_at, holds};
use crate::wire::look_alike::{Managed, Piece, is_special, opens_quote};

mod pieces;

/// How many cookies of a request are remembered for what other requests do with them: browsers show one or two
/// of a rule.
const MOST_UPGRADABLE: usize = 64;

/// A pair that the gate has something to do with.
struct Mark<'h> {
    /// Where the pair starts in the header.
    start: usize,
    /// What is dropped may be several pairs, with the semicolons between them.
    pair: &'h str,
    found: Found,
    edit: Edit,
}

/// What a pair is found to be.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    /// Its name is managed.
    Managed(Managed),
    /// Its name is that of a piece of a managed one.
    Piece(Piece),
    /// Some parser might read it as a managed one.
    LookAlike,
    /// Another that leaves a double quote open: a look-alike of the next managed cookie, if one follows.
    OpenQuote,
}

impl Mark<'_> {
    /// Whether it is dropped, and what starts at `start` is the next pair.
    fn is_dropped_up_to(&self, start: usize) -> bool {
        matches!(self.edit, Edit::Drop) && self.start + self.pair.len() + 1 == start
    }
}

/// What was decided on a managed pair.
struct PairDecision {
    rule: RuleIndex,
    edit: Edit,
    /// Whether a key vouches for it.
    is_signed: bool,
}

/// The pairs of one rule among the marks, in their order.
#[derive(Default)]
struct Places {
    /// Pieces among them.
    cookies: Vec<usize>,
    signatures: Vec<usize>,
}

impl Gate {
    /// Judges a request by its Cookie header; `head` is asked only where it might be rejected. `now_ms` is in
    /// Unix milliseconds.
    ///
    /// # Errors
    /// [`Fault`] where the request must not go on.
    pub fn request(
        &self,
        header: Option<&str>,
        head: &dyn RequestHead,
        now_ms: u64,
    ) -> Result<RequestDecision, Fault> {
        let mut pending = Pending {
            asked_ms: now_ms,
            ..Pending::default()
        };
        let Some(header) = header else {
            return Ok(RequestDecision {
                action: Action::Unchanged,
                pending,
            });
        };
        let mut work = Work::new(now_ms / 1000, self.random);
        let mut marks = self.marks(header, &mut pending.events, &mut work);
        let rejections = self.judge_all(&mut marks, &mut work, &mut pending);
        if !pending.upgradable.is_empty() && pending.due.iter().any(|due| due.allowed) {
            self.superseded.expect(now_ms);
        }
        // a cookie that another host has planted looks like this, and no 403 may stand before the login page
        let action = match rejections.filter(|_| !is_navigation(head)) {
            Some(deletions) => Action::Reject(deletions),
            None => self.rewrite(header, &marks, &mut work)?,
        };
        pending.steps = work.steps();
        Ok(RequestDecision { action, pending })
    }

    /// Finds the managed pairs and their look-alikes; the latter are dropped here (R7).
    fn marks<'h>(
        &self,
        header: &'h str,
        events: &mut Vec<Event>,
        work: &mut Work,
    ) -> Vec<Mark<'h>> {
        work.count(header.len());
        let names = &self.policy.names;
        let mut marks: Vec<Mark<'h>> = Vec::new();
        let mut managed_since = 0;
        let mut next = 0;
        for pair in pairs(header) {
            let start = next;
            next += pair.len() + 1; // its semicolon
            if names.is_plainly_other(pair) {
                continue;
            }
            let managed = names.exact(pair);
            let (found, edit) = if let Some(managed) = managed {
                // a quote left open would make this cookie part of that pair's value
                self.drop_open_quotes(&mut marks[managed_since..], managed.rule(), events);
                managed_since = marks.len();
                (Found::Managed(managed), Edit::Keep)
            } else if let Some(piece) = names.piece(pair) {
                self.drop_open_quotes(&mut marks[managed_since..], piece.rule, events);
                managed_since = marks.len();
                (Found::Piece(piece), Edit::Keep)
            } else if let alike = work.look_alikes(names, pair)
                && !alike.is_empty()
            {
                let edit = self.drop_look_alike(alike.iter().copied(), events);
                (Found::LookAlike, edit)
            } else if is_special(pair) {
                let all = RuleIndex::all(self.policy.rules.len());
                (Found::LookAlike, self.drop_look_alike(all, events))
            } else if holds(pair, b'"') && opens_quote(pair) {
                (Found::OpenQuote, Edit::Keep)
            } else {
                continue;
            };
            match marks.last_mut() {
                Some(last) if matches!(edit, Edit::Drop) && last.is_dropped_up_to(start) => {
                    last.pair = &header[last.start..start + pair.len()];
                }
                _ => marks.push(Mark {
                    start,
                    pair,
                    found,
                    edit,
                }),
            }
        }
        marks.retain(|mark| mark.found != Found::OpenQuote);
        marks
    }

    fn drop_open_quotes(&self, marks: &mut [Mark<'_>], rule: RuleIndex, events: &mut Vec<Event>) {
        let is_open = |mark: &&mut Mark<'_>| mark.found == Found::OpenQuote;
        for mark in marks.iter_mut().filter(is_open) {
            mark.found = Found::LookAlike;
            mark.edit = self.drop_look_alike([rule].into_iter(), events);
        }
    }

    /// A pair that may be read as the names of these rules is dropped where one of them asks for it.
    ///
    /// Not inlined: few pairs come here, and the loop over all others is slower around it.
    #[inline(never)]
    fn drop_look_alike(
        &self,
        rules: impl Iterator<Item = RuleIndex> + Clone,
        events: &mut Vec<Event>,
    ) -> Edit {
        let spec = |rule: &RuleIndex| &self.policy.rules[*rule].spec;
        let mut asking = rules.filter(|rule| spec(rule).look_alikes.are_dropped());
        let enforced = asking.clone().find(|rule| spec(rule).mode == Mode::Enforce);
        if let Some(rule) = enforced.or_else(|| asking.next()) {
            events.push(Event::new(rule, Verdict::LookAlike, None));
        }
        match enforced {
            Some(_) => Edit::Drop,
            None => Edit::Keep,
        }
    }

    /// Judges every managed pair. Answers the Set-Cookie headers of a 403 where a rule asks for one.
    fn judge_all(
        &self,
        marks: &mut [Mark<'_>],
        work: &mut Work,
        pending: &mut Pending,
    ) -> Option<Vec<String>> {
        let mut deletions: Option<Vec<String>> = None;
        let places = self.places(marks);
        for (at, rule) in (0..).map(RuleIndex).zip(&self.policy.rules) {
            let reported = pending.events.len();
            match rule.spec.chunks {
                None => self.judge_rule(at, marks, &places, work, pending),
                Some(chunks) => self.judge_pieces(at, chunks, marks, &places, work, pending),
            }
            let rejects =
                rule.spec.on_invalid == OnInvalid::Reject && rule.spec.mode == Mode::Enforce;
            if rejects && pending.events[reported..].iter().any(is_rejected) {
                let headers = deletions.get_or_insert_default();
                headers.extend(rule.deletions(pending.shown(at)));
            }
        }
        deletions
    }

    /// Judges every cookie of one rule.
    fn judge_rule(
        &self,
        at: RuleIndex,
        marks: &mut [Mark<'_>],
        places: &[Places],
        work: &mut Work,
        pending: &mut Pending,
    ) {
        let rule = &self.policy.rules[at];
        let Places {
            cookies,
            signatures,
        } = &places[at];
        let value = |mark: &usize| pair_value(marks[*mark].pair);
        let is_alone = rule.companion.is_none() || (cookies.len() == 1 && signatures.len() < 2);
        let copy = |mark: &usize| CookieCopy::new(*mark, value(mark), is_alone);
        let mut copies: Vec<CookieCopy<'_>> = cookies.iter().map(copy).collect();
        if !copies.is_empty() {
            let signatures: Vec<&str> = signatures.iter().map(value).collect();
            rule.judge(&mut copies, signatures, work);
        }
        let verified = copies.iter().filter(|copy| copy.is_verified()).count();
        let mut vouched = false;
        for copy in copies {
            let (mark, is_signed) = (copy.mark, copy.is_signed());
            let edit = self.decide(at, copy, verified, pending);
            vouched |= is_signed && rule.origin.is_pair && matches!(edit, Edit::Keep);
            let decision = PairDecision {
                rule: at,
                edit,
                is_signed,
            };
            self.apply(mark, decision, marks, places, work, pending);
        }
        for mark in signatures {
            if cookies.is_empty() {
                let alone = Event::new(at, Verdict::Malformed, None);
                pending.events.push(alone);
            }
            let decision = PairDecision {
                rule: at,
                edit: rule.decide_signature(vouched, verified),
                is_signed: vouched,
            };
            self.apply(*mark, decision, marks, places, work, pending);
        }
    }

    /// For each rule, the places of its pairs: found once, since a header may hold thousands.
    fn places(&self, marks: &[Mark<'_>]) -> Vec<Places> {
        let mut places = Vec::new();
        places.resize_with(self.policy.rules.len(), Places::default);
        for (at, mark) in marks.iter().enumerate() {
            match mark.found {
                Found::Managed(Managed::Cookie(rule)) => places[rule].cookies.push(at),
                Found::Managed(Managed::Companion(rule)) => places[rule].signatures.push(at),
                Found::Piece(Piece { rule, .. }) => places[rule].cookies.push(at),
                Found::LookAlike | Found::OpenQuote => {}
            }
        }
        places
    }

    /// Carries out what was decided on a managed pair, unless its rule only observes.
    fn apply(
        &self,
        at: usize,
        PairDecision {
            rule,
            edit,
            is_signed,
        }: PairDecision,
        marks: &mut [Mark<'_>],
        places: &[Places],
        work: &mut Work,
        pending: &mut Pending,
    ) {
        let stays_unsigned = matches!(edit, Edit::Keep) && !is_signed;
        let observes = self.policy.rules[rule].spec.mode == Mode::Observe;
        if !observes {
            marks[at].edit = edit;
        }
        if stays_unsigned || observes {
            let mut events = Vec::new();
            let edit = self.keep_unsigned(rule, at, marks, places, work, &mut events);
            if stays_unsigned || matches!(edit, Edit::Drop) {
                pending.events.append(&mut events);
            }
            marks[at].edit = edit;
        }
    }

    /// What goes on as it came, without a signature, must not carry another rule's name in its value,
    /// nor swallow another rule's cookie behind it by a quote left open.
    fn keep_unsigned(
        &self,
        rule: RuleIndex,
        mark: usize,
        marks: &[Mark<'_>],
        places: &[Places],
        work: &mut Work,
        events: &mut Vec<Event>,
    ) -> Edit {
        let pair = marks[mark].pair;
        let mut others = work.look_alikes(&self.policy.names, pair);
        if opens_quote(pair) {
            let is_behind = |other: &RuleIndex| places[*other].last() > Some(mark);
            others.extend(RuleIndex::all(places.len()).filter(is_behind));
        }
        others.retain(|other| *other != rule);
        if others.is_empty() {
            Edit::Keep
        } else {
            self.drop_look_alike(others.iter().copied(), events)
        }
    }

    /// Reports one copy, and decides what is written for it (R3 to R5).
    fn decide(
        &self,
        at: RuleIndex,
        copy: CookieCopy<'_>,
        verified: usize,
        pending: &mut Pending,
    ) -> Edit {
        let rule = &self.policy.rules[at];
        let refused = match copy.outcome {
            Outcome::Verified(found) => {
                pending.events.push(Event {
                    rule: at,
                    verdict: found.verdict,
                    key: found.key,
                });
                if rule.may_sign_again() && pending.signed.iter().all(|(of, _)| *of != at) {
                    let content = found.content.clone().into_owned();
                    pending.signed.push((at, content));
                }
                let is_due = found.upgrade == Some(true);
                let is_watched = rule.spec.upgrade != Upgrade::Never
                    && (is_due || self.superseded.expects(pending.asked_ms));
                if is_watched && pending.upgradable.len() < MOST_UPGRADABLE {
                    pending
                        .upgradable
                        .push(Upgradable::new(at, rule, &found.content));
                }
                if let Some(allowed) = found.upgrade
                    && pending.due.iter().all(|due| due.rule != at)
                {
                    pending.due.push(DueUpgrade {
                        rule: at,
                        content: found.content.into_owned(),
                        verified,
                        allowed,
                    });
                }
                let written = found.for_origin.map(|sealed| rule.written(sealed));
                return written.map_or(Edit::Keep, Edit::Write);
            }
            Outcome::Refused(verdict) => verdict,
            Outcome::Unsigned => Verdict::BadSignature,
            Outcome::Unknown => Verdict::Malformed,
        };
        if verified > 0 {
            pending
                .events
                .push(Event::new(at, Verdict::DuplicateDropped, None));
            return Edit::Drop;
        }
        pending.events.push(Event::new(at, refused, None));
        match rule.spec.on_invalid {
            OnInvalid::Forward => Edit::Keep,
            OnInvalid::Strip | OnInvalid::Reject => Edit::Drop,
        }
    }

    /// The header with every edit made, where one is.
    fn rewrite(&self, header: &str, marks: &[Mark<'_>], work: &mut Work) -> Result<Action, Fault> {
        let enforces = || {
            self.policy
                .rules
                .iter()
                .any(|r| r.spec.mode == Mode::Enforce)
        };
        if marks.iter().all(|mark| matches!(mark.edit, Edit::Keep)) {
            // The runtime shows U+FFFD for bytes that it cannot read. Rewritten, the origin sees what
            // was judged; forwarded as the same object, it would see the bytes (R1).
            let unreadable =
                !header.is_ascii() && header.chars().any(|c| c == char::REPLACEMENT_CHARACTER);
            return Ok(if unreadable && enforces() {
                Action::WithCookie(Some(header.to_owned()))
            } else {
                Action::Unchanged
            });
        }
        let built = edited(header, marks);
        work.count(built.len());
        let names = &self.policy.names;
        let is_managed = |pair: &str| names.exact(pair).is_some() || names.piece(pair).is_some();
        let written = |mark: &Mark<'_>| match &mark.edit {
            Edit::Keep => usize::from(matches!(mark.found, Found::Managed(_) | Found::Piece(_))),
            Edit::Drop => 0,
            Edit::Write(text) | Edit::Replace(text) => pairs(text).count(),
        };
        let found = pairs(&built).filter(|pair| is_managed(pair)).count();
        if found == marks.iter().map(written).sum::<usize>() {
            Ok(Action::WithCookie((!built.is_empty()).then_some(built)))
        } else {
            Err(Fault)
        }
    }
}

impl Places {
    /// The last of them, if there is one.
    fn last(&self) -> Option<usize> {
        self.cookies.last().max(self.signatures.last()).copied()
    }
}

impl Rule {
    /// Whether the origin may send a signature again without its value: it does where a lesser one of its
    /// keys made the signature.
    fn may_sign_again(&self) -> bool {
        self.origin.is_pair && self.origin_candidates.len() > 1
    }

    /// Decides on a signature in a cookie of its own: it stays where it vouches for the cookie that stays.
    /// What is written anew brings its own.
    fn decide_signature(&self, vouches: bool, verified: usize) -> Edit {
        if vouches || self.forwards_unverified(verified) {
            Edit::Keep
        } else {
            Edit::Drop
        }
    }

    /// Whether what does not verify goes on as it came.
    fn forwards_unverified(&self, verified: usize) -> bool {
        verified == 0 && self.spec.on_invalid == OnInvalid::Forward
    }
}

/// The header with every edit made, what lies between them in runs.
fn edited(header: &str, marks: &[Mark<'_>]) -> String {
    let mut built = String::with_capacity(header.len() + 64);
    let mut rest = 0;
    let is_edited = |mark: &&Mark<'_>| !matches!(mark.edit, Edit::Keep);
    for mark in marks.iter().filter(is_edited) {
        keep(&mut built, header, rest..mark.start);
        match &mark.edit {
            Edit::Write(value) => {
                let name = cut_at(mark.pair, b'=').map_or(mark.pair, |(name, _)| name);
                keep(&mut built, header, mark.start..mark.start + name.len() + 1);
                built.extend(["=", value]);
            }
            Edit::Replace(pairs) => {
                let space = mark.pair.len() - trimmed_start(mark.pair).len();
                keep(&mut built, header, mark.start..mark.start + space + 1);
                built.push_str(pairs);
            }
            Edit::Keep | Edit::Drop => {}
        }
        rest = mark.start + mark.pair.len() + 1;
    }
    keep(&mut built, header, rest..header.len() + 1);
    built
}

/// Appends whole pairs of a header. What ends the range is a semicolon's place, or one past the header's end.
fn keep(built: &mut String, header: &str, range: Range<usize>) {
    if range.is_empty() {
        return;
    }
    let pairs = &header[range.start..range.end - 1];
    let is_inside = range.start > 0 || starts_empty(pairs);
    if !built.is_empty() {
        built.push(';');
        built.push_str(pairs);
    } else if is_inside {
        // some parsers read nothing at all of a header that starts with an empty pair
        built.push_str(pairs.trim_start_matches([' ', '\t', ';']));
    } else {
        built.push_str(pairs);
    }
}

/// Whether the first of these pairs is empty.
fn starts_empty(pairs: &str) -> bool {
    let rest = trimmed_start(pairs);
    rest.is_empty() || rest.starts_with(';')
}

/// A session that has merely expired must not lock anyone out of the login page, and what was not
/// looked at for its length is no sign of an attack on this rule (R4, R6).
fn is_rejected(event: &Event) -> bool {
    matches!(event.verdict, Verdict::BadSignature | Verdict::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cookie::SPACE;
    use proptest::prelude::*;

    /// The pairs that stay, one by one.
    fn joined(pairs: &[(&str, bool)]) -> String {
        let mut built = String::new();
        for (at, (pair, _)) in pairs.iter().enumerate().filter(|(_, (_, stays))| *stays) {
            let is_blank = pair.trim_matches(SPACE).is_empty();
            match built.is_empty() {
                true if is_blank => {}
                true if at > 0 => built.push_str(pair.trim_start_matches(SPACE)),
                true => built.push_str(pair),
                false => built.extend([";", pair]),
            }
        }
        built
    }

    proptest! {
        #[test]
        fn runs_of_pairs_are_kept_as_each_pair_would_be(
            pairs in prop::collection::vec((prop::sample::select(vec!["", " ", "\t ", "a=1", " b=2 "]), any::<bool>()), 1..9)
        ) {
            let texts: Vec<&str> = pairs.iter().map(|(pair, _)| *pair).collect();
            let header = texts.join(";");
            let (mut built, mut rest, mut start) = (String::new(), 0, 0);
            for (pair, stays) in &pairs {
                let next = start + pair.len() + 1;
                if !stays {
                    keep(&mut built, &header, rest..start);
                    rest = next;
                }
                start = next;
            }
            keep(&mut built, &header, rest..start);
            prop_assert_eq!(built, joined(&pairs));
        }
    }
}
