//! What is counted apart: every verdict with every reason, as a number.

use crate::gate::verdict::{Difference, Verdict, Withheld};

/// Every verdict, with each of its reasons, in the order of [`number`].
pub(super) const KINDS: [Verdict; 33] = [
    Verdict::Current,
    Verdict::Fallback,
    Verdict::AcceptedFormat,
    Verdict::BadSignature,
    Verdict::Expired,
    Verdict::NotYetValid,
    Verdict::Malformed,
    Verdict::TooLong,
    Verdict::DuplicateDropped,
    Verdict::LookAlike,
    Verdict::Sealed,
    Verdict::Deletion,
    Verdict::OriginUnverified,
    Verdict::Upgraded,
    Verdict::AttributesDiffer(Difference::Path),
    Verdict::AttributesDiffer(Difference::Domain),
    Verdict::AttributesDiffer(Difference::Partitioned),
    Verdict::AttributesDiffer(Difference::Secure),
    Verdict::AttributesDiffer(Difference::HttpOnly),
    Verdict::AttributesDiffer(Difference::SameSite),
    Verdict::AttributesDiffer(Difference::Persistence),
    Verdict::UpgradeWithheld(Withheld::Never),
    Verdict::UpgradeWithheld(Withheld::NotNavigation),
    Verdict::UpgradeWithheld(Withheld::Duplicate),
    Verdict::UpgradeWithheld(Withheld::ResponseSetsCookie),
    Verdict::UpgradeWithheld(Withheld::ClearSiteData),
    Verdict::UpgradeWithheld(Withheld::Status),
    Verdict::UpgradeWithheld(Withheld::Late),
    Verdict::UpgradeWithheld(Withheld::Superseded),
    Verdict::UpgradeWithheld(Withheld::Cacheable),
    Verdict::UpgradeWithheld(Withheld::AttributesDiffer),
    Verdict::UpgradeWithheld(Withheld::Outlived),
    Verdict::UpgradeWithheld(Withheld::Uncarriable),
];

/// Where a verdict stands in [`KINDS`].
pub(super) fn number(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Current => 0,
        Verdict::Fallback => 1,
        Verdict::AcceptedFormat => 2,
        Verdict::BadSignature => 3,
        Verdict::Expired => 4,
        Verdict::NotYetValid => 5,
        Verdict::Malformed => 6,
        Verdict::TooLong => 7,
        Verdict::DuplicateDropped => 8,
        Verdict::LookAlike => 9,
        Verdict::Sealed => 10,
        Verdict::Deletion => 11,
        Verdict::OriginUnverified => 12,
        Verdict::Upgraded => 13,
        Verdict::AttributesDiffer(difference) => 14 + difference as usize,
        Verdict::UpgradeWithheld(reason) => 21 + reason as usize,
    }
}

/// Whether a cookie was opened by a key.
pub(super) fn is_opened(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Current | Verdict::Fallback | Verdict::AcceptedFormat
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_stands_where_its_number_says() {
        for (at, verdict) in KINDS.into_iter().enumerate() {
            assert_eq!(number(verdict), at, "{verdict:?}");
        }
    }
}
