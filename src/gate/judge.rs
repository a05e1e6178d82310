//! What a browser's copies of one managed cookie are worth: rules R2, R5 and R6.

use super::response::apart;
use crate::formats::{Content, Refusal};
use crate::key::KeyId;
use crate::policy::{Candidate, Rule, Seal, Standing};
use crate::primitives::Random;
use crate::verdict::Verdict;

/// What the work of one message is bounded by (R6).
const TRIES: u32 = 256;
pub(super) const HASHED_BYTES: usize = 1 << 20;
/// The longest value that is hashed, in bytes.
pub(super) const LONGEST_VALUE: usize = 16 << 10;
/// How often a value is sealed at most that is too long, and by how many bytes chance may have made it so.
const DRAWS: usize = 16;
const CHANCE: usize = 128;

/// What one message is judged with, and what bounds the work that it can cause.
pub(super) struct Work {
    /// The present, in Unix seconds.
    pub now: u64,
    random: Random,
    tries: u32,
    bytes: usize,
}

/// A copy of a managed cookie while it is judged.
pub(super) struct Copy<'h> {
    /// Its place among the marks.
    pub mark: usize,
    value: &'h str,
    /// The value with every signature that came in a cookie of its own: `VALUE;SIGNATURE;SIGNATURE`.
    paired: &'h str,
    /// Whether no other copy came, and one signature at most.
    is_alone: bool,
    pub outcome: Outcome<'h>,
}

pub(super) enum Outcome<'h> {
    /// No candidate has had its shape so far.
    Unknown,
    /// Some candidate has had its shape, and the key was another.
    Unsigned,
    Refused(Verdict),
    Verified(Verified<'h>),
}

pub(super) struct Verified<'h> {
    pub verdict: Verdict,
    pub key: Option<KeyId>,
    pub content: Content<'h>,
    /// The origin's copy, where it is not the same text.
    pub for_origin: Option<String>,
    /// Whether the upgrade that is due is allowed; none where none is due.
    pub upgrade: Option<bool>,
}

impl Rule {
    /// Tries every candidate on every copy: the copies in turn for each candidate, so that many planted
    /// ones cannot use up the work before the good one had its first try.
    pub(super) fn judge<'h>(&self, copies: &mut [Copy<'h>], work: &mut Work) {
        let now = work.now;
        for candidate in self
            .candidates
            .iter()
            .filter(|c| c.until.is_none_or(|until| now < until))
        {
            for copy in copies.iter_mut().filter(|copy| copy.is_open()) {
                self.try_candidate(candidate, copy, work);
            }
        }
        let adopts = self.spec.adopt_until.is_some_and(|until| work.now < until)
            && !copies.iter().any(Copy::is_verified);
        if !adopts && !self.is_unsealed() {
            return;
        }
        for copy in copies.iter_mut().filter(|copy| copy.is_open()) {
            self.refuse_signed_shape(copy, work);
            match adopts {
                true => self.adopt(copy, work),
                false => copy.take_as_plain(),
            }
        }
    }

    /// What has the shape of a signed cookie is not taken for a plain one, even where its format or key
    /// is no longer tried: else a broken signature would do.
    fn refuse_signed_shape(&self, copy: &mut Copy<'_>, work: &mut Work) {
        let now = work.now;
        let past = |candidate: &&Candidate| candidate.until.is_some_and(|until| until <= now);
        for candidate in self.candidates.iter().filter(past) {
            let text = copy.text_for(candidate);
            if !work.allows(text) {
                copy.outcome = Outcome::Refused(Verdict::TooLong);
                return;
            }
            if !matches!(candidate.keyed.open(text), Err(Refusal::Shape)) {
                work.spend(text);
                copy.outcome = Outcome::Unsigned;
            }
        }
    }

    fn try_candidate<'h>(&self, candidate: &Candidate, copy: &mut Copy<'h>, work: &mut Work) {
        let text = copy.text_for(candidate);
        if !work.allows(text) {
            copy.outcome = Outcome::Refused(Verdict::TooLong);
            return;
        }
        let opened = candidate.keyed.open(text);
        if !matches!(opened, Err(Refusal::Shape)) {
            work.spend(text);
        }
        copy.outcome = match opened {
            Err(Refusal::Shape) => return,
            Err(Refusal::Signature) => Outcome::Unsigned,
            Err(Refusal::Content) => Outcome::Refused(Verdict::Malformed),
            Ok(content) => match self.check_times(candidate, &content, work.now) {
                Err(verdict) => Outcome::Refused(verdict),
                Ok(()) => self.verified(candidate, copy, content, work),
            },
        };
    }

    fn verified<'h>(
        &self,
        candidate: &Candidate,
        copy: &Copy<'_>,
        content: Content<'h>,
        work: &Work,
    ) -> Outcome<'h> {
        let is_plain = self.is_plain_at_origin();
        if is_plain
            && content
                .text()
                .is_ok_and(|payload| self.carries_other(payload))
        {
            return Outcome::Refused(Verdict::Malformed);
        }
        // Another spelling of the same content, a comma where the framework writes an escape, could be
        // read as a second managed cookie: it is written anew even for the same key.
        let stays = candidate.same_as_other_side && copy.is_alone && self.is_one_cookie(copy.value);
        let for_origin = match stays {
            true => None,
            false => match self.origin.seal(&content, work) {
                Some(sealed) if copy.is_alone && sealed == copy.text_for(candidate) => None,
                Some(sealed) => Some(sealed),
                None => return Outcome::Refused(Verdict::Malformed),
            },
        };
        Outcome::Verified(Verified {
            verdict: match candidate.standing {
                Standing::Current => Verdict::Current,
                Standing::Fallback => Verdict::Fallback,
                Standing::Accepted => Verdict::AcceptedFormat,
            },
            key: Some(candidate.key.clone()),
            content,
            for_origin,
            upgrade: (candidate.standing != Standing::Current).then_some(candidate.upgrade),
        })
    }

    /// Takes an unsigned cookie from before the first deployment for good.
    fn adopt(&self, copy: &mut Copy<'_>, work: &Work) {
        if !matches!(copy.outcome, Outcome::Unknown) || self.carries_other(copy.value) {
            return;
        }
        let content = Content::of(copy.value.as_bytes());
        // what the origin's format or the browser's cannot carry stays malformed
        let (for_origin, sealable) = (
            self.origin.seal(&content, work),
            self.browser.seal(&content, work),
        );
        if for_origin.as_deref() == Some(copy.value) && sealable.is_some() {
            copy.outcome = Outcome::Verified(Verified {
                verdict: Verdict::AcceptedFormat,
                key: None,
                content,
                for_origin: None,
                upgrade: Some(true),
            });
        }
    }

    /// A value for the origin as it stands behind `NAME=`: its signature, where that is a cookie of its own,
    /// goes with it.
    pub(super) fn written(&self, sealed: String) -> String {
        let Some(companion) = &self.companion else {
            return sealed;
        };
        match apart(&sealed) {
            (value, Some(signature)) => format!("{value}; {companion}={signature}"),
            _ => sealed,
        }
    }

    /// The Set-Cookie headers that delete this cookie in the browser.
    pub(super) fn deletions(&self) -> impl Iterator<Item = String> {
        // a browser does not take a deletion of a __Host- or __Secure- name without Secure
        let default = match self.spec.name.starts_with("__") {
            true => "Path=/; Secure",
            false => "Path=/",
        };
        let attributes = self.spec.attributes.as_deref().unwrap_or(default);
        let attributes = crate::cookie::Attributes::parse(attributes);
        let names = [Some(&self.spec.name), self.companion.as_ref()];
        names
            .into_iter()
            .flatten()
            .map(move |name| attributes.deletion(name))
    }
}

impl Seal {
    /// The value for the header. A content without a time gets the present one, where one is needed.
    pub(super) fn seal(&self, content: &Content<'_>, work: &Work) -> Option<String> {
        if self.carries_time && content.time_s.is_none() {
            let timed = Content::of(&*content.payload)
                .signed_at(work.now)
                .not_before(content.not_before_s)
                .expiring_at(content.expiry_ms);
            return self.keyed.seal(&timed, work.random).ok();
        }
        self.keyed.seal(content, work.random).ok()
    }

    /// The same, for a browser that stores values of at most `longest` bytes. Where salts and nonces decide how
    /// much is percent-encoded, a content that fitted before may come out too long by chance: it is drawn again.
    pub(super) fn seal_within(
        &self,
        longest: usize,
        content: &Content<'_>,
        work: &mut Work,
    ) -> Option<String> {
        let mut sealed = self.seal(content, work)?;
        let excess = |sealed: &str| apart(sealed).0.len().saturating_sub(longest);
        let mut same_length = 0;
        for _ in 1..DRAWS {
            let may_fit = (1..=CHANCE).contains(&excess(&sealed)) && same_length < 2;
            if !may_fit || !work.allows(&sealed) {
                break;
            }
            work.spend(&sealed);
            let again = self.seal(content, work)?;
            same_length = if again.len() == sealed.len() {
                same_length + 1
            } else {
                0
            };
            if again.len() < sealed.len() {
                sealed = again;
            }
        }
        Some(sealed)
    }
}

impl<'h> Copy<'h> {
    /// `paired` is none where to try it would be too much work.
    pub fn new(mark: usize, value: &'h str, paired: Option<&'h str>, is_alone: bool) -> Self {
        let outcome = match value.len() > LONGEST_VALUE || paired.is_none() {
            true => Outcome::Refused(Verdict::TooLong),
            false => Outcome::Unknown,
        };
        Self {
            mark,
            value,
            paired: paired.unwrap_or(value),
            is_alone,
            outcome,
        }
    }

    fn text_for(&self, candidate: &Candidate) -> &'h str {
        match candidate.is_pair {
            true => self.paired,
            false => self.value,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown | Outcome::Unsigned)
    }

    pub fn is_verified(&self) -> bool {
        matches!(self.outcome, Outcome::Verified(_))
    }

    /// Whether a key vouches for it.
    pub fn is_signed(&self) -> bool {
        matches!(&self.outcome, Outcome::Verified(verified) if verified.key.is_some())
    }

    /// Where the browser's copy is not signed, what has no signed shape is as it should be.
    fn take_as_plain(&mut self) {
        if matches!(self.outcome, Outcome::Unknown) {
            self.outcome = Outcome::Verified(Verified {
                verdict: Verdict::Current,
                key: None,
                content: Content::of(self.value.as_bytes()),
                for_origin: None,
                upgrade: None,
            });
        }
    }
}

impl Work {
    pub(super) fn new(now: u64, random: Random) -> Self {
        Self {
            now,
            random,
            tries: TRIES,
            bytes: HASHED_BYTES,
        }
    }

    pub(super) fn allows(&self, value: &str) -> bool {
        self.tries > 0 && value.len() <= self.bytes
    }

    pub(super) fn spend(&mut self, value: &str) {
        self.tries = self.tries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(value.len());
    }
}
