//! Requests, where a cookie may come in pieces: R3 to R7 for all of them as for one value.
//!
//! Each way in which the pieces may be joined is a copy of the cookie, beside those of the bare name. The usual one
//! is tried first. Only where it does not verify, or a name stands there more than once, a bounded number of others
//! follows: pieces left over from a longer value and planted ones must not mask a good cookie (R5). Of what verifies
//! the origin is sent one alone, in its own writing: frameworks join whatever they find, so that two would be none.

use alloc::borrow::Cow;

use super::super::judge::{CookieCopy, LONGEST_VALUE, Outcome, Work};
use super::super::{Edit, Event, Gate, Pending};
use super::{Found, Mark, PairDecision, Places};
use crate::config::{Rule, RuleIndex};
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::chunks::{Chunks, Pair, Shown};
use crate::wire::cookie::pair_value;
use crate::wire::look_alike::{Piece, reads_alike};

/// In how many ways pieces are joined at most beyond the usual one; of one length, in runs and in turn.
const MOST_JOINS: usize = 32;
const MOST_RUNS: usize = 24;
const MOST_IN_TURN: usize = 6;

/// A copy of the cookie: of the bare name, or joined.
struct Joined<'h> {
    /// The marks that it is made of, that of a count of pieces among them.
    members: Vec<usize>,
    value: Cow<'h, str>,
}

/// A copy, judged.
struct JoinedCopy<'j, 'h> {
    joined: &'j Joined<'h>,
    cookie: CookieCopy<'j>,
    /// The pairs that stand in its place, where it verified and does not stay as it is.
    written: Option<String>,
}

/// The pairs of a cookie as they came.
struct Pieces<'m, 'h> {
    chunks: Chunks,
    marks: &'m [Mark<'h>],
    /// Those of the bare name that hold a value.
    bare: Vec<usize>,
    /// Those that say how many pieces there are.
    counts: Vec<(usize, usize)>,
    /// For each number, the pieces that are not empty: frameworks skip those.
    by_number: Vec<Vec<usize>>,
}

/// What was decided on each pair of the rule, in their order.
struct Edits {
    marks: Vec<usize>,
    /// What becomes of each, and whether a key vouches for it.
    edits: Vec<(Edit, bool)>,
}

impl Gate {
    /// Judges every cookie of one rule whose cookie may come in pieces.
    pub(super) fn judge_pieces(
        &self,
        at: RuleIndex,
        chunks: Chunks,
        marks: &mut [Mark<'_>],
        places: &[Places],
        work: &mut Work,
        pending: &mut Pending,
    ) {
        let own = places[at].cookies.clone();
        if own.is_empty() {
            return;
        }
        let edits = self.decide_pieces(at, Pieces::new(chunks, marks, &own), own, work, pending);
        for (mark, (edit, is_signed)) in edits.marks.into_iter().zip(edits.edits) {
            let decision = PairDecision {
                rule: at,
                edit,
                is_signed,
            };
            self.apply(mark, decision, marks, places, work, pending);
        }
    }

    fn decide_pieces(
        &self,
        at: RuleIndex,
        pieces: Pieces<'_, '_>,
        own: Vec<usize>,
        work: &mut Work,
        pending: &mut Pending,
    ) -> Edits {
        let rule = &self.policy.rules[at];
        pending.shown.push((at, pieces.shown()));
        let usual = pieces.usual();
        let others;
        let mut copies = rule.judge_joined(&usual, work);
        let is_verified = copies.iter().any(|copy| copy.cookie.is_verified());
        if !rule.is_unsealed() && (!is_verified || pieces.has_duplicates()) {
            others = pieces.others(&usual, work);
            let mut copies_of_others = rule.judge_joined(&others, work);
            copies_of_others.retain(|copy| copy.cookie.is_signed());
            copies.extend(copies_of_others);
        }
        let verified = copies.iter().filter(|copy| copy.cookie.is_verified());
        let verified = verified.count();
        let is_signed = copies.iter().any(|copy| copy.cookie.is_signed());
        let rest_stays = (rule.is_unsealed() && !is_signed) || rule.forwards_unverified(verified);
        let mut edits = Edits::new(own, rest_stays);
        if !(rest_stays && verified > 0) {
            self.report_rest(at, &edits, &copies, verified, pending);
        }
        // the origin is sent the one that browsers show first
        let signed = copies.iter().filter(|copy| copy.cookie.is_signed());
        let first = signed.filter_map(|copy| copy.joined.members.first()).min();
        let first = first.copied();
        let mut is_chosen = false;
        for copy in copies {
            let members = &copy.joined.members;
            let is_signed = copy.cookie.is_signed();
            let edit = self.decide(at, copy.cookie, verified, pending);
            let is_other = is_signed && (is_chosen || members.first().copied() != first);
            if !(matches!(edit, Edit::Drop) || is_other) {
                is_chosen |= is_signed;
                edits.set(members, edit, copy.written, is_signed);
            }
        }
        edits
    }

    /// Pieces that are no part of what was judged.
    fn report_rest(
        &self,
        at: RuleIndex,
        edits: &Edits,
        copies: &[JoinedCopy<'_, '_>],
        verified: usize,
        pending: &mut Pending,
    ) {
        if verified == 0 && !copies.is_empty() {
            return;
        }
        let mut is_judged = vec![false; edits.marks.len()];
        for member in copies.iter().flat_map(|copy| &copy.joined.members) {
            if let Ok(at) = edits.marks.binary_search(member) {
                is_judged[at] = true;
            }
        }
        if is_judged.iter().all(|is_judged| *is_judged) {
            return;
        }
        let verdict = if verified > 0 {
            Verdict::DuplicateDropped
        } else {
            Verdict::Malformed
        };
        pending.events.push(Event::new(at, verdict, None));
    }
}

impl Rule {
    fn judge_joined<'j, 'h>(
        &self,
        joined: &'j [Joined<'h>],
        work: &mut Work,
    ) -> Vec<JoinedCopy<'j, 'h>> {
        let copy = |(at, joined): (usize, &'j Joined<'h>)| CookieCopy::new(at, &joined.value, true);
        let mut copies: Vec<CookieCopy<'j>> = joined.iter().enumerate().map(copy).collect();
        if !copies.is_empty() {
            self.judge(&mut copies, Vec::new(), work);
        }
        let judged = joined.iter().zip(copies);
        let judged = judged.map(|(joined, mut cookie)| JoinedCopy {
            written: self.written_for_origin(&mut cookie, joined.members.len()),
            joined,
            cookie,
        });
        judged.collect()
    }

    /// The pairs in the place of a copy that a key vouches for; none where it stays as it is. A copy that cannot
    /// be split so that no parser reads another cookie in a piece is refused (R7).
    fn written_for_origin(&self, copy: &mut CookieCopy<'_>, members: usize) -> Option<String> {
        let chunks = self.spec.chunks?;
        let Outcome::Verified(found) = &copy.outcome else {
            return None;
        };
        found.key.as_ref()?;
        let text = found.for_origin.as_deref().unwrap_or(copy.value);
        let pairs = chunks.split(&self.spec.name, text);
        let is_safe = |(_, piece): &Pair<'_>| self.is_one_cookie(piece);
        if pairs.len() > 1 && reads_alike(text) && !pairs.iter().all(is_safe) {
            copy.outcome = Outcome::Refused(Verdict::Malformed);
            return None;
        }
        let stays = found.for_origin.is_none() && !reads_alike(text);
        let is_bare = members == 1 && pairs.len() == 1 && found.for_origin.is_none();
        (!stays && !is_bare).then(|| written(&pairs))
    }
}

fn written(pairs: &[Pair<'_>]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.extend([name, "=", &**value]);
    }
    text
}

impl<'m, 'h> Pieces<'m, 'h> {
    fn new(chunks: Chunks, marks: &'m [Mark<'h>], own: &[usize]) -> Self {
        let mut pieces = Self {
            chunks,
            marks,
            bare: Vec::new(),
            counts: Vec::new(),
            by_number: Vec::new(),
        };
        for mark in own {
            let value = pair_value(marks[*mark].pair);
            match marks[*mark].found {
                Found::Piece(_) if value.is_empty() => {}
                Found::Piece(Piece { number, .. }) => {
                    if pieces.by_number.len() <= number {
                        pieces.by_number.resize_with(number + 1, Vec::new);
                    }
                    pieces.by_number[number].push(*mark);
                }
                _ => match chunks.marked(value) {
                    Some(count) => pieces.counts.push((*mark, count)),
                    None => pieces.bare.push(*mark),
                },
            }
        }
        pieces
    }

    fn shown(&self) -> Shown {
        let has_bare = !(self.bare.is_empty() && self.counts.is_empty());
        let mut shown = Shown::of_bare_name(has_bare);
        for (number, _) in self
            .by_number
            .iter()
            .enumerate()
            .filter(|(_, of)| !of.is_empty())
        {
            shown.add(number);
        }
        shown
    }

    fn value(&self, mark: usize) -> &'h str {
        pair_value(self.marks[mark].pair)
    }

    fn has_duplicates(&self) -> bool {
        self.counts.len() > 1 || self.by_number.iter().any(|of| of.len() > 1)
    }

    /// Those of the bare name, and what a framework joins of the first piece of each number.
    fn usual(&self) -> Vec<Joined<'h>> {
        let bare = self.bare.iter().map(|mark| Joined {
            members: vec![*mark],
            value: self.value(*mark).into(),
        });
        let first = |of: &Vec<usize>| of[0]; // none is empty there
        let joined = self.lengths().first().map(|(count, numbers)| {
            let members = numbers.iter().map(first).collect();
            self.join(*count, members)
        });
        bare.chain(joined).collect()
    }

    /// The lengths that a value may have, the usual first: what tells the number of pieces, where something does,
    /// and for each number the pieces that there are.
    fn lengths(&self) -> Vec<(Option<usize>, &[Vec<usize>])> {
        let from = self.chunks.first();
        let numbers = self.by_number.get(from..).unwrap_or_default();
        let there = numbers.iter().take_while(|of| !of.is_empty()).count();
        if self.chunks == Chunks::H3 {
            let mut lengths: Vec<(Option<usize>, &[Vec<usize>])> = Vec::new();
            for (mark, count) in self.counts.iter().filter(|(_, count)| *count <= there) {
                if !lengths.iter().any(|(_, numbers)| numbers.len() == *count) {
                    lengths.push((Some(*mark), &numbers[..*count]));
                }
            }
            lengths
        } else {
            let lengths = (1..=there).rev();
            lengths.map(|count| (None, &numbers[..count])).collect()
        }
    }

    fn join(&self, count: Option<usize>, members: Vec<usize>) -> Joined<'h> {
        let values: Vec<&str> = members.iter().map(|mark| self.value(*mark)).collect();
        Joined {
            value: values.concat().into(),
            members: count.into_iter().chain(members).collect(),
        }
    }

    /// Other ways to join them, each value once.
    fn others(&self, known: &[Joined<'h>], work: &mut Work) -> Vec<Joined<'h>> {
        let mut others: Vec<Joined<'h>> = Vec::new();
        for (count, numbers) in self.lengths() {
            let runs = in_runs(numbers).take(MOST_RUNS);
            for members in runs.chain(in_turn(numbers).take(MOST_IN_TURN)) {
                if others.len() == MOST_JOINS {
                    return others;
                }
                let lengths = members.iter().map(|mark| self.value(*mark).len());
                if lengths.sum::<usize>() > LONGEST_VALUE {
                    continue;
                }
                let joined = self.join(count, members);
                work.count(joined.value.len());
                let mut all = known.iter().chain(&others);
                if !all.any(|other| other.value == joined.value) {
                    others.push(joined);
                }
            }
        }
        others
    }
}

/// Each first piece with the next second one behind it, and so on: what was set at once, in one place, stands so.
fn in_runs(numbers: &[Vec<usize>]) -> impl Iterator<Item = Vec<usize>> {
    let firsts = numbers.first().into_iter().flatten();
    let run = |first: &usize| {
        let mut last = *first;
        let mut members = vec![last];
        for of in numbers.get(1..).unwrap_or_default() {
            last = *of.get(of.partition_point(|mark| *mark < last))?;
            members.push(last);
        }
        Some(members)
    };
    firsts.filter_map(run)
}

/// Every combination, one after the other.
fn in_turn(numbers: &[Vec<usize>]) -> impl Iterator<Item = Vec<usize>> {
    let all = numbers
        .iter()
        .fold(1, |all: usize, of| all.saturating_mul(of.len()));
    (0..all).map(move |mut turn| {
        let pick = |of: &Vec<usize>| {
            let mark = of[turn % of.len()]; // none is empty
            turn /= of.len();
            mark
        };
        numbers.iter().map(pick).collect()
    })
}

impl Edits {
    /// Every one is dropped, or stays.
    fn new(marks: Vec<usize>, stays: bool) -> Self {
        let edit = || (if stays { Edit::Keep } else { Edit::Drop }, false);
        Self {
            edits: marks.iter().map(|_| edit()).collect(),
            marks,
        }
    }

    /// What becomes of a copy; `written` stands in the place of its first pair.
    fn set(&mut self, members: &[usize], edit: Edit, written: Option<String>, is_signed: bool) {
        let mut first = match written {
            Some(pairs) => Some(Edit::Replace(pairs)),
            None if matches!(edit, Edit::Keep) => None,
            None => Some(edit),
        };
        let is_rewritten = first.is_some();
        for mark in members {
            if let Ok(at) = self.marks.binary_search(mark) {
                self.edits[at] = match first.take() {
                    Some(edit) => (edit, is_signed),
                    None if is_rewritten => (Edit::Drop, is_signed),
                    None => (Edit::Keep, is_signed),
                };
            }
        }
    }
}
