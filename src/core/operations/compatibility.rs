//! Whether two policies may be live at once: what one seals and the other cannot open.
//!
//! During a gradual deployment, a rollback, an installation or a removal a visitor's requests meet both in
//! turn, and a session that one of them cannot read is overwritten by the origin. Two policies are compatible
//! where [`losses`] finds none in either direction.

use core::fmt;

use crate::config::{Mode, RuleIndex};
use crate::crypto::key::KeyId;
use crate::operations::capabilities::{Capabilities, Capability, PLAIN, RuleCapabilities, Side};
use crate::prelude::*;
use crate::wire::calendar::to_iso8601;
use crate::wire::chunks::Chunks;
use crate::wire::look_alike::{ChunkedName, Managed, Names};

/// Something that is sealed and does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The cookie's name.
    pub rule: String,
    /// Whom it is sealed for.
    pub side: Side,
    /// The format that it is sealed in, name and options.
    pub format: String,
    /// The key that it is sealed with; none where it is not signed.
    pub key: Option<KeyId>,
    /// Why it does not open.
    pub why: Why,
}

/// Why something does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The key is not among those that open.
    NoSuchKey,
    /// The key of that name has other bytes there.
    OtherBytes,
    /// The key opens, in other formats than this.
    NoSuchFormat,
    /// It opened until this time in Unix seconds.
    Past(u64),
    /// What is not signed is not taken there.
    Unsigned,
    /// What is longer than one cookie comes in pieces, which are read in another way there, or not at all.
    Pieces {
        /// How they are written.
        from: Chunks,
        /// How they are read.
        to: Option<Chunks>,
    },
    /// No rule is for it there, and the name is one that some servers read as this rule's.
    LookAlike(String),
}

/// Something that users may notice, and that is no loss by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Sessions may grow less old: `max_age` is less or new, in seconds.
    Younger {
        /// The cookie's name.
        rule: String,
        /// Before; none for any age.
        from: Option<u64>,
        /// Afterwards.
        to: u64,
    },
    /// What has a signed expiry ends earlier: `leeway` is less, in seconds.
    LessLeeway {
        /// The cookie's name.
        rule: String,
        /// Before.
        from: u64,
        /// Afterwards.
        to: u64,
    },
    /// Fewer of the values that the origin does not sign are wrapped: cookie-octets only (RFC 6265).
    Narrower {
        /// The cookie's name.
        rule: String,
        /// The format that wraps them, name and options.
        format: String,
    },
    /// What is sealed opens only until then, in Unix seconds.
    Ends {
        /// The cookie's name.
        rule: String,
        /// The key that it is sealed with.
        key: Option<KeyId>,
        /// Unix seconds.
        until: u64,
    },
    /// What was not opened before opens now: a key that was staged, or one that was revoked and is back.
    Opens {
        /// The cookie's name.
        rule: String,
        /// The key.
        key: KeyId,
    },
    /// What was opened before, and may still be in browsers, does not open any more.
    Forgotten {
        /// The cookie's name.
        rule: String,
        /// The format, name and options.
        format: String,
        /// The key; none where it is not signed.
        key: Option<KeyId>,
    },
}

/// What `from` seals and `to` cannot open at `now`, in Unix seconds. A cookie that one of them has no rule for
/// has no Worker there.
pub fn losses(from: &Capabilities, to: &Capabilities, now: u64) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (before, after) in pairs(from, to) {
        let dropped = to
            .rule(&before.name)
            .is_none()
            .then(|| mistaken(&before.name, to));
        if let Some(Some(other)) = dropped {
            losses.push(Loss::new(&before, Side::Browser, Why::LookAlike(other)));
            continue;
        }
        for side in [Side::Browser, Side::Origin] {
            let sealed = before.seals(side);
            let opens = after.opens(side);
            if !opens.iter().any(|way| way.opens(&sealed, now)) {
                losses.push(Loss::new(&before, side, why(&sealed, &opens, now)));
            }
        }
        // what only observes leaves pieces to the origin
        if let Some(from) = before.chunks
            && after.chunks != Some(from)
            && after.mode == Mode::Enforce
        {
            let to = after.chunks;
            losses.push(Loss::new(&before, Side::Browser, Why::Pieces { from, to }));
        }
    }
    losses
}

/// What a change from `from` to `to` brings at `now`, in Unix seconds, beside losses.
pub fn notes(from: &Capabilities, to: &Capabilities, now: u64) -> Vec<Note> {
    let pairs = pairs(from, to);
    pairs
        .iter()
        .flat_map(|(before, after)| notes_of(before, after, now))
        .collect()
}

fn notes_of(before: &RuleCapabilities, after: &RuleCapabilities, now: u64) -> Vec<Note> {
    let rule = || before.name.clone();
    let mut notes = Vec::new();
    if let Some(to) = after.age_limit()
        && before.age_limit().is_none_or(|from| to < from)
    {
        let from = before.age_limit();
        notes.push(Note::Younger {
            rule: rule(),
            from,
            to,
        });
    }
    let ends_earlier = before.mode == Mode::Enforce && after.mode == Mode::Enforce;
    if ends_earlier && after.leeway < before.leeway {
        notes.push(Note::LessLeeway {
            rule: rule(),
            from: before.leeway,
            to: after.leeway,
        });
    }
    if after.drops_values() && !before.drops_values() {
        notes.push(Note::Narrower {
            rule: rule(),
            format: after.format.to_string(),
        });
    }
    let (sealed, opens) = (before.seals(Side::Browser), after.opens(Side::Browser));
    let opening = opens.iter().filter(|way| way.opens(&sealed, now));
    // the longest of them counts, and none is for ever
    if let Some(until) = opening.map(|way| way.until.unwrap_or(u64::MAX)).max()
        && until != u64::MAX
    {
        let key = id(&sealed);
        notes.push(Note::Ends {
            rule: rule(),
            key,
            until,
        });
    }
    for key in opened_anew(before, after, now) {
        notes.push(Note::Opens { rule: rule(), key });
    }
    for way in before.opens(Side::Browser) {
        let opened = way.opens(&way, now) && !way.opens(&sealed, now);
        if opened && !opens.iter().any(|after| after.opens(&way, now)) {
            let key = id(&way);
            notes.push(Note::Forgotten {
                rule: rule(),
                format: way.format,
                key,
            });
        }
    }
    notes
}

/// The keys under which browsers' cookies open `after`, and in no format `before`.
fn opened_anew(before: &RuleCapabilities, after: &RuleCapabilities, now: u64) -> Vec<KeyId> {
    let open = |rule: &RuleCapabilities| {
        let ways = rule.opens(Side::Browser);
        let keys = ways.into_iter().filter(|way| way.opens(way, now));
        keys.filter_map(|way| way.key).collect::<Vec<_>>()
    };
    let known = open(before);
    let mut anew: Vec<KeyId> = Vec::new();
    for key in open(after) {
        if !known.iter().any(|known| known.is_same(&key)) && !anew.contains(&key.id) {
            anew.push(key.id);
        }
    }
    anew
}

/// The rules of both for each cookie that one of them has a rule for.
fn pairs(from: &Capabilities, to: &Capabilities) -> Vec<(RuleCapabilities, RuleCapabilities)> {
    let of = |capabilities: &Capabilities, rule: &RuleCapabilities| {
        let known = capabilities.rule(&rule.name).cloned();
        known.unwrap_or_else(|| rule.without_worker())
    };
    let known = from.rules.iter().map(|rule| (rule.clone(), of(to, rule)));
    let is_new = |rule: &&RuleCapabilities| from.rule(&rule.name).is_none();
    let new = to.rules.iter().filter(is_new);
    known
        .chain(new.map(|rule| (of(from, rule), rule.clone())))
        .collect()
}

/// The rule that drops a cookie of this name as a look-alike.
fn mistaken(name: &str, to: &Capabilities) -> Option<String> {
    let drops = |rule: &&RuleCapabilities| {
        rule.mode == Mode::Enforce && rule.look_alikes.are_dropped() && {
            let names = Names::new([(rule.name.clone(), Managed::Cookie(RuleIndex(0)))]);
            let chunked = |chunks| ChunkedName {
                name: rule.name.clone(),
                chunks,
                rule: RuleIndex(0),
            };
            let names = names.with_pieces(rule.chunks.map(chunked));
            !names.look_alikes(&format!("{name}=")).rules.is_empty()
        }
    };
    let rule = to.rules.iter().find(drops)?;
    Some(rule.name.clone())
}

fn why(sealed: &Capability, opens: &[Capability], now: u64) -> Why {
    let Some(key) = &sealed.key else {
        let window = opens.iter().find(|way| way.format == PLAIN);
        return match window.and_then(|way| way.until) {
            Some(until) => Why::Past(until),
            None => Why::Unsigned,
        };
    };
    let keys = || {
        let keyed = |way: &Capability| way.key.clone().map(|key| (key, way.until));
        opens.iter().filter_map(keyed)
    };
    // before its end it would have opened
    let past = opens.iter().find(|way| way.opens(sealed, 0));
    let of_key = keys().filter(|(other, _)| other.is_same(key));
    let last = of_key.map(|(_, until)| until.unwrap_or(u64::MAX)).max();
    match (past.and_then(|way| way.until), last) {
        (Some(until), _) => Why::Past(until),
        (None, Some(until)) if until <= now => Why::Past(until),
        (None, Some(_)) => Why::NoSuchFormat,
        (None, None) if keys().any(|(other, _)| other.id == key.id) => Why::OtherBytes,
        (None, None) => Why::NoSuchKey,
    }
}

fn id(way: &Capability) -> Option<KeyId> {
    way.key.as_ref().map(|key| key.id.clone())
}

impl RuleCapabilities {
    /// What only observes ends no session.
    fn age_limit(&self) -> Option<u64> {
        self.max_age.filter(|_| self.mode == Mode::Enforce)
    }

    /// What only observes drops nothing.
    fn drops_values(&self) -> bool {
        self.wraps_octets_only && self.mode == Mode::Enforce
    }
}

impl Loss {
    fn new(rule: &RuleCapabilities, side: Side, why: Why) -> Self {
        let sealed = rule.seals(side);
        Self {
            rule: rule.name.clone(),
            side,
            key: id(&sealed),
            format: sealed.format,
            why,
        }
    }
}

/// Unix seconds as people write them.
struct Moment(u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match to_iso8601(self.0.saturating_mul(1000)) {
            Some(time) => f.write_str(&time.replace(".000", "")),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Seconds in the largest unit that they are whole in.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (86_400, "day"),
            (3_600, "hour"),
            (60, "minute"),
            (1, "second"),
        ];
        let whole = |(unit, _): &&(u64, &str)| self.0 >= *unit && self.0.is_multiple_of(*unit);
        let (unit, name) = units.iter().find(whole).unwrap_or(&(1, "second"));
        let count = self.0 / unit;
        let end = if count == 1 { "" } else { "s" };
        write!(f, "{count} {name}{end}")
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Browser => "browsers",
            Side::Origin => "the origin",
        };
        write!(
            f,
            "{}: what is sealed for {side} in {}",
            self.rule, self.format
        )?;
        if let Some(key) = &self.key {
            write!(f, " under {key}")?;
        }
        write!(f, " does not open: {}", self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoSuchKey => f.write_str("the key is not among those that open"),
            Why::OtherBytes => f.write_str("the key of that name has other bytes"),
            Why::NoSuchFormat => f.write_str("the key opens, but not this format"),
            Why::Past(until) => write!(f, "its end, {}, has passed", Moment(*until)),
            Why::Unsigned => f.write_str("what is not signed is not taken"),
            Why::Pieces { from, to: None } => write!(
                f,
                "what is longer than one cookie is in pieces (chunks = \"{}\"), which are not joined there",
                from.as_str()
            ),
            Why::Pieces { from, to: Some(to) } => write!(
                f,
                "what is longer than one cookie is in the pieces of \"{}\", and read as those of \"{}\"",
                from.as_str(),
                to.as_str()
            ),
            Why::LookAlike(rule) => {
                write!(
                    f,
                    "no rule is for it, and it is dropped as a look-alike of {rule}"
                )
            }
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under = |key: &Option<KeyId>| match key {
            Some(key) => format!("under {key}"),
            None => "without a signature".to_owned(),
        };
        match self {
            Note::Younger { rule, from, to } => match from {
                Some(from) => write!(
                    f,
                    "{rule}: may be {} old, no longer {}",
                    Span(*to),
                    Span(*from)
                ),
                None => write!(f, "{rule}: may be {} old, no longer of any age", Span(*to)),
            },
            Note::LessLeeway { rule, from, to } => write!(
                f,
                "{rule}: an expiry may have passed {} ago, no longer {}",
                Span(*to),
                Span(*from)
            ),
            Note::Narrower { rule, format } => write!(
                f,
                "{rule}: {format} wraps cookie-octets only (RFC 6265): what the site sets with a space, a comma, a double quote, a backslash or text beyond ASCII in it, or empty, is not carried"
            ),
            Note::Ends { rule, key, until } => {
                write!(
                    f,
                    "{rule}: what is sealed {} opens until {} only",
                    under(key),
                    Moment(*until)
                )
            }
            Note::Opens { rule, key } => {
                write!(f, "{rule}: what {key} signs opens from now on")
            }
            Note::Forgotten { rule, format, key } => {
                write!(
                    f,
                    "{rule}: what is left in {format} {} opens no longer",
                    under(key)
                )
            }
        }
    }
}
