//! Responses, where a cookie may be set in pieces: S2 to S4 for all of them as for one value.
//!
//! The headers that set the pieces of one value in one place are judged as one header of the bare name. What is
//! written for it is split again, and what else of the cookie the browser has is deleted: frameworks join whatever
//! they find.

use super::super::{Edit, Gate, Pending};
use super::{Judged, note};
use crate::config::{Mode, Policy, Rule, RuleIndex};
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::chunks::Chunks;
use crate::wire::cookie::SetCookie;
use crate::wire::look_alike::Managed;

/// In how many places a response may set or delete a rule's cookie; what it sets beyond is not judged.
const MOST_PLACES: usize = 4;

/// What a response does with the cookie of one rule in one place: the headers of one value, or of a deletion.
pub(super) struct Group<'h> {
    rule: RuleIndex,
    is_deletion: bool,
    /// The headers that make the value; those that delete, where none sets one.
    members: Vec<Member<'h>>,
    /// The headers that delete what is not of the value.
    deletions: Vec<Member<'h>>,
    /// The lines of headers for a name that a later one sets or deletes: browsers keep the last.
    overridden: Vec<usize>,
    /// The header that the members are judged as; none where they are no whole value.
    text: Option<String>,
}

/// A header of a group.
struct Member<'h> {
    line: usize,
    cookie: SetCookie<'h>,
    /// The number of a piece; none for the bare name.
    number: Option<usize>,
}

impl Gate {
    /// The groups of a response's headers. `now` is in Unix seconds.
    pub(super) fn groups<'h>(&self, own: &[&'h str], now: u64) -> Vec<Group<'h>> {
        let mut groups: Vec<Group<'h>> = Vec::new();
        if !self.policy.names.has_pieces() {
            return groups;
        }
        for (line, own) in own.iter().enumerate() {
            if let Some((rule, member)) = Member::read(&self.policy, line, own) {
                add(&mut groups, rule, member, &self.policy.rules[rule], now);
            }
        }
        for group in &mut groups {
            group.join(&self.policy.rules[group.rule]);
        }
        groups
    }

    /// What each header of a group is judged as.
    pub(super) fn take_groups<'h>(&self, groups: &'h [Group<'h>], judged: &mut Judged<'h>) {
        for group in groups {
            let members = group.members.iter().chain(&group.deletions);
            let lines = members.map(|member| member.line);
            for line in lines.chain(group.overridden.iter().copied()) {
                judged.lines[line].managed = None;
            }
            judged
                .work
                .count(group.text.as_ref().map_or(0, String::len));
            match group.text.as_deref().and_then(SetCookie::parse) {
                Some(cookie) => {
                    let managed = Managed::Cookie(group.rule);
                    judged.lines[group.members[0].line].managed = Some((cookie, managed));
                }
                None => {
                    note(&mut judged.set, group.rule);
                    judged.report(group.rule, Verdict::OriginUnverified, None);
                }
            }
        }
    }

    /// Splits what was written for a group, and deletes what else of the cookie the browser has.
    pub(super) fn split_groups(
        &self,
        groups: &[Group<'_>],
        pending: &Pending,
        judged: &mut Judged<'_>,
    ) {
        for group in groups {
            let rule = &self.policy.rules[group.rule];
            if let (Some(chunks), Mode::Enforce, Some(_)) =
                (rule.spec.chunks, rule.spec.mode, &group.text)
            {
                group.split(rule, chunks, pending, judged);
            }
        }
    }
}

fn add<'h>(groups: &mut Vec<Group<'h>>, at: RuleIndex, member: Member<'h>, rule: &Rule, now: u64) {
    let attributes = member.cookie.attributes();
    let is_deletion = match member.number {
        Some(_) => member.cookie.is_deletion_by(&attributes, now),
        None => rule.is_deletion(&member.cookie, &attributes, now),
    };
    let is_there = |group: &Group<'_>| {
        group.rule == at && {
            let first = group.members.iter().chain(&group.deletions).next();
            let place = first.map(|member| member.cookie.attributes());
            place.is_some_and(|place| !place.differ_in_place(&attributes))
        }
    };
    let place = groups.iter().position(is_there);
    if place.is_none() && groups.iter().filter(|group| group.rule == at).count() == MOST_PLACES {
        return;
    }
    let place = place.unwrap_or_else(|| {
        groups.push(Group {
            rule: at,
            is_deletion: false,
            members: Vec::new(),
            deletions: Vec::new(),
            overridden: Vec::new(),
            text: None,
        });
        groups.len() - 1
    });
    let group = &mut groups[place];
    group.override_with(&member);
    if is_deletion {
        group.deletions.push(member);
    } else {
        group.members.push(member);
    }
}

impl<'h> Group<'h> {
    /// Takes out the header that a later one for the same name overrides.
    fn override_with(&mut self, later: &Member<'_>) {
        for members in [&mut self.members, &mut self.deletions] {
            if let Some(at) = members.iter().position(|one| one.number == later.number) {
                self.overridden.push(members.remove(at).line);
            }
        }
    }

    fn join(&mut self, rule: &Rule) {
        let Some(chunks) = rule.spec.chunks else {
            return;
        };
        self.is_deletion = self.members.is_empty();
        if self.is_deletion {
            core::mem::swap(&mut self.members, &mut self.deletions);
        }
        let name = &rule.spec.name;
        let leader = &self.members[0].cookie; // a group has a header
        let value = if self.is_deletion {
            Some(leader.value.to_owned())
        } else {
            self.value(chunks)
        };
        self.text = value.map(|value| leader.beside(name, &value));
    }

    /// The value that the members make.
    fn value(&self, chunks: Chunks) -> Option<String> {
        let mut numbers: Vec<Option<&str>> = Vec::new();
        let mut bare = None;
        for member in &self.members {
            match member.number {
                None => bare = Some(member.cookie.value),
                Some(number) => {
                    numbers.resize(numbers.len().max(number + 1), None);
                    numbers[number] = Some(member.cookie.value);
                }
            }
        }
        let pieces = numbers.get(chunks.first()..).unwrap_or_default();
        let is_whole = match bare {
            Some(value) => match chunks.marked(value) {
                Some(count) => pieces.len() == count,
                None => return pieces.is_empty().then(|| value.to_owned()),
            },
            None => chunks != Chunks::H3,
        };
        let pieces: Option<Vec<&str>> = pieces.iter().copied().collect();
        pieces.filter(|_| is_whole).map(|pieces| pieces.concat())
    }

    fn split(&self, rule: &Rule, chunks: Chunks, pending: &Pending, judged: &mut Judged<'_>) {
        let leader = &self.members[0];
        let name = &rule.spec.name;
        let written = match &judged.lines[leader.line].edit {
            Edit::Write(header) => {
                SetCookie::parse(header).map(|cookie| self.written(&cookie, rule, chunks))
            }
            _ => None,
        };
        let is_sealed =
            |event: &super::Event| event.rule == self.rule && event.verdict == Verdict::Sealed;
        if !(self.is_deletion || rule.is_unsealed() || judged.answer.events.iter().any(is_sealed)) {
            return; // what no key vouches for passes as it is (S4)
        }
        if written.is_some() || self.is_deletion {
            for line in &self.overridden {
                judged.lines[*line].edit = Edit::Drop;
            }
        }
        let set: Vec<String> = match written {
            Some((names, headers)) => {
                for member in &self.members[1..] {
                    judged.lines[member.line].edit = Edit::Drop;
                }
                let line = &mut judged.lines[leader.line];
                let mut headers = headers.into_iter();
                line.edit = headers.next().map_or(Edit::Drop, Edit::Write);
                line.behind.splice(0..0, headers);
                names
            }
            None => own_names(&self.members),
        };
        for member in &self.deletions {
            if set.iter().any(|name| name == member.cookie.name) {
                judged.lines[member.line].edit = Edit::Drop;
            }
        }
        let deleted = own_names(&self.deletions);
        let is_left = |name: &String| !set.contains(name) && !deleted.contains(name);
        let left = pending.shown(self.rule).names(chunks, name).filter(is_left);
        let attributes = leader.cookie.attributes();
        let mut further: Vec<String> = left.map(|name| attributes.deletion(&name)).collect();
        if self.is_deletion {
            further.extend(self.second_deletions(rule, chunks, pending, judged));
        }
        judged.lines[leader.line].behind.extend(further);
    }

    /// Names and headers in the place of a header of the bare name.
    fn written(
        &self,
        cookie: &SetCookie<'_>,
        rule: &Rule,
        chunks: Chunks,
    ) -> (Vec<String>, Vec<String>) {
        let pairs = chunks.split(&rule.spec.name, cookie.value).into_iter();
        let header = |(name, value): (String, _)| {
            let header = cookie.beside(&name, &value as &alloc::borrow::Cow<'_, str>);
            (name, header)
        };
        pairs.map(header).unzip()
    }

    /// S3: the deletions of pieces where `attributes` would have set them. That of the bare name is there.
    fn second_deletions(
        &self,
        rule: &Rule,
        chunks: Chunks,
        pending: &Pending,
        judged: &Judged<'_>,
    ) -> Vec<String> {
        let leader = &self.members[0].cookie;
        let expected = rule.attributes();
        let elsewhere = expected.filter(|it| leader.attributes().differ_in_place(it));
        let Some(expected) = elsewhere.filter(|_| !judged.set_in_place.contains(&self.rule)) else {
            return Vec::new();
        };
        let mut names = own_names(&self.members);
        for name in pending.shown(self.rule).names(chunks, &rule.spec.name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.retain(|name| *name != rule.spec.name);
        names.iter().map(|name| expected.deletion(name)).collect()
    }
}

/// The names, each once: a response may set one cookie in thousands of headers.
fn own_names(members: &[Member<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in members.iter().map(|member| member.cookie.name) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

impl<'h> Member<'h> {
    /// A header that sets or deletes a cookie that may come in pieces.
    fn read(policy: &Policy, line: usize, own: &'h str) -> Option<(RuleIndex, Self)> {
        let cookie = SetCookie::parse(own)?;
        let (rule, number) = match policy.names.position(cookie.name) {
            Some(Managed::Cookie(rule)) => (rule, None),
            Some(Managed::Companion(_)) => return None,
            None => {
                let piece = policy.names.piece_named(cookie.name)?;
                (piece.rule, Some(piece.number))
            }
        };
        policy.rules[rule].spec.chunks?;
        let member = Self {
            line,
            cookie,
            number,
        };
        Some((rule, member))
    }
}
