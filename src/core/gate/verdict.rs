//! The vocabulary of what was decided: the same words in logs, metrics and tests.

use crate::config::{Policy, Reports};
pub use crate::wire::cookie::Difference;

/// What was decided about one cookie of one request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A request's cookie verified under the current key.
    Current,
    /// A request's cookie verified under a fallback.
    Fallback,
    /// A request's cookie verified in one of the formats that `accept` lists.
    AcceptedFormat,
    /// The shape was right, and no key made the signature.
    BadSignature,
    /// The signature was right; the signed time is older than `max_age`, or the signed expiry has passed.
    Expired,
    /// The signature was right; what it signs counts from a time on that is too far ahead of the clock.
    NotYetValid,
    /// No format's shape, or a payload that the other side cannot carry.
    Malformed,
    /// A value, or the work it asks for, over the bounds; a sealed cookie that browsers will drop.
    TooLong,
    /// An unverified copy beside a verified one of the same name.
    DuplicateDropped,
    /// A spelling that an origin might read as a managed name.
    LookAlike,
    /// A cookie that the origin set, now under the current key.
    Sealed,
    /// The origin deleted a cookie.
    Deletion,
    /// The origin set a cookie that no origin key verifies.
    OriginUnverified,
    /// The origin set a cookie with another attribute than `attributes` has.
    AttributesDiffer(Difference),
    /// The browser is sent its cookie under the current key.
    Upgraded,
    /// An upgrade was due and not sent.
    UpgradeWithheld(Withheld),
}

/// Why an upgrade was not sent: the first condition that did not hold, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Withheld {
    /// The rule says `upgrade = "never"`.
    Never,
    /// The request does not look like a page being opened.
    NotNavigation,
    /// More than one cookie of that name verified.
    Duplicate,
    /// The response sets or deletes that cookie itself.
    ResponseSetsCookie,
    /// The response clears the browser's data.
    ClearSiteData,
    /// The status is 1xx, 206 or 304.
    Status,
    /// The response came too late to be sure that nothing newer was set meanwhile.
    Late,
    /// Another response has set or deleted the cookie meanwhile.
    Superseded,
    /// A shared cache might store the response.
    Cacheable,
    /// The origin sets this cookie with other attributes, and an upgrade would change what it is.
    AttributesDiffer,
    /// Nothing is left of the Max-Age in `attributes`.
    Outlived,
    /// The rule's format has no way to write the payload.
    Uncarriable,
}

impl Verdict {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Current => "current",
            Verdict::Fallback => "fallback",
            Verdict::AcceptedFormat => "accepted-format",
            Verdict::BadSignature => "bad-signature",
            Verdict::Expired => "expired",
            Verdict::NotYetValid => "not-yet-valid",
            Verdict::Malformed => "malformed",
            Verdict::TooLong => "too-long",
            Verdict::DuplicateDropped => "duplicate-dropped",
            Verdict::LookAlike => "look-alike",
            Verdict::Sealed => "sealed",
            Verdict::Deletion => "deletion",
            Verdict::OriginUnverified => "origin-unverified",
            Verdict::AttributesDiffer(_) => "attributes-differ",
            Verdict::Upgraded => "upgraded",
            Verdict::UpgradeWithheld(_) => "upgrade-withheld",
        }
    }

    /// The reason that goes with the word, where it has one.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Verdict::AttributesDiffer(difference) => Some(difference.as_str()),
            Verdict::UpgradeWithheld(withheld) => Some(withheld.as_str()),
            _ => None,
        }
    }

    /// Whether something was refused or is wrong, as opposed to work as usual.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Verdict::BadSignature
                | Verdict::Expired
                | Verdict::NotYetValid
                | Verdict::Malformed
                | Verdict::TooLong
                | Verdict::DuplicateDropped
                | Verdict::LookAlike
                | Verdict::OriginUnverified
                | Verdict::AttributesDiffer(_)
        )
    }
}

impl Withheld {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Withheld::Never => "never",
            Withheld::NotNavigation => "not-navigation",
            Withheld::Duplicate => "duplicate",
            Withheld::ResponseSetsCookie => "response-sets-cookie",
            Withheld::ClearSiteData => "clear-site-data",
            Withheld::Status => "status",
            Withheld::Late => "late",
            Withheld::Superseded => "superseded",
            Withheld::Cacheable => "cacheable",
            Withheld::AttributesDiffer => "attributes-differ",
            Withheld::Outlived => "outlived",
            Withheld::Uncarriable => "uncarriable",
        }
    }
}

impl Policy {
    /// Whether a verdict is logged.
    pub fn should_log(&self, verdict: Verdict) -> bool {
        match self.reports {
            Reports::Refusals => verdict.is_refusal(),
            Reports::All => true,
            Reports::None => false,
        }
    }
}
