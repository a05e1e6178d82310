//! What a browser's copies of one managed cookie are worth: rules R2, R5 and R6.

use super::response::split_pair;
use crate::config::{Candidate, CandidateKind, Rule, RuleIndex, Seal};
use crate::crypto::Random;
use crate::crypto::key::KeyId;
use crate::formats::{Content, Keyed, Refusal, Signatures};
use crate::gate::verdict::Verdict;
use crate::prelude::*;
use crate::wire::chunks::Shown;
use crate::wire::look_alike::Names;

/// How often one message is hashed, at most (R6).
const TRIES: u32 = 256;
/// How many of its bytes are hashed.
const HASHED: usize = 1 << 20;
/// How many bytes are looked at in vain: in copies that have not the shape of what they are tried as. Each such
/// look counts as so many bytes more. However many a rule needs, the next one has some of its own.
const LOOKED: usize = 512 << 10;
const LOOK: usize = 64;
const OWN_LOOKED: usize = 32 << 10;
/// How many rounds of PBKDF2 are made for salts that values bring, and how many bytes are hashed in one: HMAC hashes
/// two blocks for each of the two parts of a key of 32 bytes.
const ROUNDS: u32 = 6 * 8_192;
const ROUND: usize = 2 * 2 * 64;
/// The longest value that is hashed, in bytes.
pub(super) const LONGEST_VALUE: usize = 16 << 10;
/// How often a value is sealed at most that is too long, and by how many bytes chance may have made it so.
const DRAWS: usize = 16;
const CHANCE: usize = 128;

/// What one message is judged with, and what bounds the work that it can cause. All that is done with its bytes
/// is spent from here. What has to be done for every byte, a few times at most, is only counted.
pub(super) struct Work {
    /// The present, in Unix seconds.
    pub now: u64,
    random: Random,
    tries: u32,
    hashed: usize,
    looked: usize,
    rounds: u32,
    steps: usize,
}

/// A copy of a managed cookie while it is judged.
pub(super) struct CookieCopy<'h> {
    /// Its place among the marks.
    pub mark: usize,
    pub value: &'h str,
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
    /// ones cannot use up the work before the good one had its first try. `signatures` came in cookies of
    /// their own.
    pub(super) fn judge<'h>(
        &self,
        copies: &mut [CookieCopy<'h>],
        signatures: Vec<&'h str>,
        work: &mut Work,
    ) {
        work.looked = work.looked.max(OWN_LOOKED);
        let signatures = Signatures::new(signatures, work.random);
        let now = work.now;
        let is_live = |candidate: &&Candidate| candidate.until.is_none_or(|until| now < until);
        for candidate in self.candidates.iter().filter(is_live) {
            let attempt = work.look(candidate, &signatures);
            let mut is_over = true;
            for copy in copies.iter_mut().filter(|copy| copy.is_open()) {
                is_over = false;
                self.try_candidate(candidate, copy, &attempt, work);
            }
            if is_over {
                return;
            }
        }
        let adopts = self.spec.adopt_until.is_some_and(|until| work.now < until)
            && !copies.iter().any(CookieCopy::is_verified);
        if !adopts && !self.is_unsealed() {
            return;
        }
        self.refuse_signed_shapes(copies, &signatures, work);
        for copy in copies.iter_mut().filter(|copy| copy.is_open()) {
            if adopts {
                self.adopt(copy, work)
            } else {
                copy.take_as_plain()
            }
        }
    }

    /// What has the shape of a signed cookie is not taken for a plain one, even where its format or key
    /// is no longer tried: else a broken signature would do.
    fn refuse_signed_shapes<'h>(
        &self,
        copies: &mut [CookieCopy<'h>],
        signatures: &Signatures<'h>,
        work: &mut Work,
    ) {
        let now = work.now;
        let past = |candidate: &&Candidate| candidate.until.is_some_and(|until| until <= now);
        for candidate in self.candidates.iter().filter(past) {
            let attempt = work.look(candidate, signatures);
            for copy in copies.iter_mut().filter(|copy| copy.is_open()) {
                match work.open(candidate, copy.value, &attempt) {
                    None => copy.outcome = Outcome::Refused(Verdict::TooLong),
                    Some(Err(Refusal::Shape)) => {}
                    Some(_) => copy.outcome = Outcome::Unsigned,
                }
            }
        }
    }

    fn try_candidate<'h>(
        &self,
        candidate: &Candidate,
        copy: &mut CookieCopy<'h>,
        attempt: &Attempt<'_, '_>,
        work: &mut Work,
    ) {
        let Some(opened) = work.open(candidate, copy.value, attempt) else {
            copy.outcome = Outcome::Refused(Verdict::TooLong);
            return;
        };
        copy.outcome = match opened {
            Err(Refusal::Shape) => return,
            Err(Refusal::Signature) => Outcome::Unsigned,
            Err(Refusal::Content) => Outcome::Refused(Verdict::Malformed),
            Ok(content) => match self.check_times(candidate, &content, work.now) {
                Err(verdict) => Outcome::Refused(verdict),
                Ok(()) => self.verified(candidate, copy, attempt, content, work),
            },
        };
    }

    fn verified<'h>(
        &self,
        candidate: &Candidate,
        copy: &CookieCopy<'_>,
        attempt: &Attempt<'_, '_>,
        content: Content<'h>,
        work: &mut Work,
    ) -> Outcome<'h> {
        // Another spelling of the same content, a comma where the framework writes an escape, could be
        // read as a second managed cookie: it is written anew even for the same key.
        let stays = candidate.same_as_other_side && copy.is_alone && self.is_one_cookie(copy.value);
        let for_origin = if stays {
            None
        } else {
            match self.for_origin(&content, work) {
                Ok(sealed) => Some(sealed).filter(|sealed| !copy.reads(sealed, attempt)),
                Err(verdict) => return Outcome::Refused(verdict),
            }
        };
        Outcome::Verified(Verified {
            verdict: match candidate.kind {
                CandidateKind::Current => Verdict::Current,
                CandidateKind::Fallback => Verdict::Fallback,
                CandidateKind::Accepted => Verdict::AcceptedFormat,
            },
            key: Some(candidate.key.clone()),
            content,
            for_origin,
            upgrade: (candidate.kind != CandidateKind::Current).then_some(candidate.upgrade),
        })
    }

    /// A content in the origin's own writing. The origin signs what visitors write, so it may hold what some
    /// parser would read as a cookie that nobody has signed (R7).
    ///
    /// # Errors
    /// Why the origin must not be sent it.
    pub(super) fn for_origin(
        &self,
        content: &Content<'_>,
        work: &mut Work,
    ) -> Result<String, Verdict> {
        let sealed = self.origin.seal(content, work).ok_or(Verdict::Malformed)?;
        if self.carries_other(split_pair(&sealed).0) {
            Err(Verdict::Malformed)
        } else {
            Ok(sealed)
        }
    }

    /// Takes an unsigned cookie from before the first deployment for good.
    fn adopt(&self, copy: &mut CookieCopy<'_>, work: &mut Work) {
        if !matches!(copy.outcome, Outcome::Unknown) {
            return;
        }
        if !work.allows(copy.value) {
            copy.outcome = Outcome::Refused(Verdict::TooLong);
            return;
        }
        work.spend(copy.value);
        let content = Content::of(copy.value.as_bytes());
        // what the origin's format or the browser's cannot carry stays malformed
        let for_origin = self.for_origin(&content, work);
        let sealable = self.browser.seal(&content, work);
        if for_origin.as_deref() == Ok(copy.value) && sealable.is_some() {
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
        match split_pair(&sealed) {
            (value, Some(signature)) => format!("{value}; {companion}={signature}"),
            _ => sealed,
        }
    }

    /// The Set-Cookie headers that delete this cookie in the browser.
    pub(super) fn deletions(&self, shown: Shown) -> impl Iterator<Item = String> {
        // a browser does not take a deletion of a __Host- or __Secure- name without Secure
        let default = if self.spec.name.starts_with("__") {
            "Path=/; Secure"
        } else {
            "Path=/"
        };
        let attributes = self.spec.attributes.as_deref().unwrap_or(default);
        let attributes = crate::wire::cookie::Attributes::parse(attributes);
        let names = [Some(&self.spec.name), self.companion.as_ref()];
        let names = names.into_iter().flatten().cloned();
        let pieces = self.spec.chunks.into_iter();
        let pieces = pieces.flat_map(move |chunks| shown.pieces().names(chunks, &self.spec.name));
        names
            .chain(pieces)
            .map(move |name| attributes.deletion(&name))
    }
}

impl Seal {
    /// The value for the header. A content without a time gets the present one, where one is needed.
    pub(super) fn seal(&self, content: &Content<'_>, work: &mut Work) -> Option<String> {
        work.count(content.payload.len());
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
        let excess = |sealed: &str| split_pair(sealed).0.len().saturating_sub(longest);
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

impl<'h> CookieCopy<'h> {
    pub fn new(mark: usize, value: &'h str, is_alone: bool) -> Self {
        let outcome = if value.len() > LONGEST_VALUE {
            Outcome::Refused(Verdict::TooLong)
        } else {
            Outcome::Unknown
        };
        Self {
            mark,
            value,
            is_alone,
            outcome,
        }
    }

    /// Whether it came as this text, which is a value with its signature where that is a cookie of its own.
    fn reads(&self, text: &str, attempt: &Attempt<'_, '_>) -> bool {
        let signature = match attempt {
            Attempt::Value | Attempt::Unpaired => None,
            Attempt::Pair(signatures) => signatures.texts().first().copied(),
        };
        self.is_alone && split_pair(text) == (self.value, signature)
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
            hashed: HASHED,
            looked: LOOKED,
            rounds: ROUNDS,
            steps: 0,
        }
    }

    /// Opens a value; none where that would be too much work.
    fn open<'v>(
        &mut self,
        candidate: &Candidate,
        value: &'v str,
        attempt: &Attempt<'_, '_>,
    ) -> Option<Result<Content<'v>, Refusal>> {
        let look = value.len() + LOOK;
        if !self.allows(value) || look > self.looked {
            return None;
        }
        let opened = match attempt {
            Attempt::Value => self.open_value(&*candidate.keyed, value)?,
            Attempt::Pair(signatures) => candidate.keyed.open_pair(value, signatures),
            Attempt::Unpaired => Err(Refusal::Shape),
        };
        if matches!(opened, Err(Refusal::Shape)) {
            self.looked -= look;
            self.count(look);
        } else {
            self.spend(value);
        }
        Some(opened)
    }

    /// Opens a value as it stands; none where its salts ask for more work than is left.
    pub(super) fn open_value<'v>(
        &mut self,
        keyed: &dyn Keyed,
        value: &'v str,
    ) -> Option<Result<Content<'v>, Refusal>> {
        let left = self.rounds;
        let opened = keyed.open_within(value, &mut self.rounds);
        self.count((left - self.rounds) as usize * ROUND);
        opened
    }

    /// What the values of a cookie are tried as. The signatures are looked over once, and not again for each
    /// value.
    fn look<'s, 'h>(
        &mut self,
        candidate: &Candidate,
        signatures: &'s Signatures<'h>,
    ) -> Attempt<'s, 'h> {
        if !candidate.is_pair {
            return Attempt::Value;
        }
        let is_one = |text: &&str| {
            self.looked = self.looked.saturating_sub(text.len());
            self.steps += text.len();
            self.looked > 0 && candidate.keyed.is_signature(text)
        };
        if signatures.texts().iter().any(is_one) {
            Attempt::Pair(signatures)
        } else {
            Attempt::Unpaired
        }
    }

    /// What some parser might read in a pair.
    pub(super) fn look_alikes(&mut self, names: &Names, pair: &str) -> Vec<RuleIndex> {
        let alike = names.look_alikes(pair);
        self.count(alike.steps);
        alike.rules
    }

    /// Whether a value may be hashed.
    pub(super) fn allows(&self, value: &str) -> bool {
        self.tries > 0 && value.len() <= self.hashed
    }

    /// A value is hashed.
    pub(super) fn spend(&mut self, value: &str) {
        self.tries = self.tries.saturating_sub(1);
        self.hashed = self.hashed.saturating_sub(value.len());
        self.count(value.len());
    }

    /// So many bytes are gone over.
    pub(super) fn count(&mut self, bytes: usize) {
        self.steps += bytes;
    }

    /// How many bytes all of it was.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }
}

/// What the values of a cookie are tried as.
enum Attempt<'s, 'h> {
    /// As they are.
    Value,
    /// With any of these signatures, of which one at least fits the candidate.
    Pair(&'s Signatures<'h>),
    /// As values whose signature is missing.
    Unpaired,
}
