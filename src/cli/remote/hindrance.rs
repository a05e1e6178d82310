//! What keeps visitors from being moved to the current key, by the reasons for which upgrades were withheld.
//!
//! Few reasons are a fault. Scripts and images of a page are never upgraded, and another page will do: such reasons count
//! only where next to no upgrade is sent. What the operator has chosen, and what moves the cookie otherwise, never counts.

use crate::remote::figures::Upgrades;

/// Why most upgrades that are due are not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// The most frequent reason that matters, in the Worker's word.
    pub reason: String,
    /// How often it was given.
    pub count: u64,
    /// How many upgrades were sent in that time.
    pub sent: u64,
}

/// How much a reason says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It is chosen, or the cookie moves otherwise, or is at its end.
    None,
    /// Another response will do.
    Passing,
    /// The same will be so with the next response.
    Lasting,
}

/// Of how many upgrades on that were due a share means something.
const ENOUGH: u64 = 50;
/// Next to none: less than one of so many.
const NEXT_TO_NONE: u64 = 50;

impl Upgrades {
    /// Why most of them were not sent; nothing where most were, or too few were due to tell.
    pub fn hindrance(&self) -> Option<Hindrance> {
        let (lasting, passing) = (self.of(Weight::Lasting), self.of(Weight::Passing));
        let count = |reasons: &[&(String, u64)]| reasons.iter().map(|(_, count)| count).sum();
        let (lasting_count, passing_count): (u64, u64) = (count(&lasting), count(&passing));
        let due = self.sent + lasting_count + passing_count;
        if due < ENOUGH {
            return None;
        }
        let is_next_to_none = self.sent * NEXT_TO_NONE < due;
        let (reason, count) = if lasting_count > self.sent {
            lasting.first()?
        } else if is_next_to_none && passing_count > self.sent {
            passing.first()?
        } else {
            return None;
        };
        Some(Hindrance {
            reason: reason.clone(),
            count: *count,
            sent: self.sent,
        })
    }

    /// The reasons of a weight, the most frequent first.
    fn of(&self, weight: Weight) -> Vec<&(String, u64)> {
        let withheld = self.withheld.iter();
        withheld
            .filter(|(reason, _)| weight_of(reason) == weight)
            .collect()
    }
}

fn weight_of(reason: &str) -> Weight {
    match reason {
        "never" | "response-sets-cookie" | "outlived" => Weight::None,
        "not-navigation" | "duplicate" | "clear-site-data" | "status" | "superseded" => {
            Weight::Passing
        }
        // and words of a newer release
        _ => Weight::Lasting,
    }
}

impl Hindrance {
    /// What helps, as docs/operations.md says it.
    pub fn cure(&self) -> &'static str {
        match self.reason.as_str() {
            "not-navigation" => {
                "pages are fetched by a service worker or a script: write upgrade = \"always\""
            }
            "cacheable" => {
                "a shared cache may store the pages: let the site send Cache-Control: private"
            }
            "attributes-differ" => {
                "the site sets the cookie otherwise than `attributes` says: correct `attributes`"
            }
            "late" => "the site takes over 2 seconds to answer: make its pages faster",
            "uncarriable" => {
                "the format cannot write these payloads: they move when the site next sets the cookie"
            }
            _ => "docs/operations.md, Upgrades that never come, says what each reason means",
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::gate::verdict::Withheld;

    use super::*;

    fn reason(sent: u64, withheld: &[(&str, u64)]) -> Option<String> {
        let withheld = withheld.iter();
        let withheld = withheld.map(|(reason, count)| ((*reason).to_owned(), *count));
        let mut withheld: Vec<(String, u64)> = withheld.collect();
        withheld.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let found = Upgrades { sent, withheld }.hindrance();
        found.map(|found| format!("{} {} {}", found.reason, found.count, found.sent))
    }

    #[test]
    fn more_that_lasts_than_was_sent_is_a_hindrance() {
        assert_eq!(reason(0, &[("cacheable", 49)]), None, "49 are too few");
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(reason(0, &[("cacheable", 50)]), said("cacheable 50 0"));
        assert_eq!(reason(30, &[("cacheable", 30)]), None);
        assert_eq!(reason(30, &[("cacheable", 31)]), said("cacheable 31 30"));
        let both = [("late", 20), ("attributes-differ", 25)];
        assert_eq!(reason(40, &both), said("attributes-differ 25 40"));
        assert_eq!(
            reason(40, &[("of-tomorrow", 90)]),
            said("of-tomorrow 90 40")
        );
    }

    #[test]
    fn scripts_and_images_are_one_only_where_next_to_nothing_is_sent() {
        let said = |text: &str| Some(text.to_owned());
        let fetches = [("not-navigation", 980)];
        assert_eq!(reason(20, &fetches), None, "one of fifty");
        assert_eq!(reason(19, &fetches), said("not-navigation 980 19"));
        let with_pages = [("not-navigation", 980), ("cacheable", 21)];
        assert_eq!(reason(20, &with_pages), said("cacheable 21 20"));
        assert_eq!(reason(0, &[("status", 60)]), said("status 60 0"));
    }

    #[test]
    fn what_is_chosen_or_moves_otherwise_is_none() {
        let reasons = [
            ("never", 500),
            ("response-sets-cookie", 900),
            ("outlived", 80),
        ];
        assert_eq!(reason(0, &reasons), None);
    }

    #[test]
    fn the_reasons_that_count_for_less_are_the_gates_own_words() {
        for (reason, weight) in [
            (Withheld::Never, Weight::None),
            (Withheld::ResponseSetsCookie, Weight::None),
            (Withheld::Outlived, Weight::None),
            (Withheld::NotNavigation, Weight::Passing),
            (Withheld::Duplicate, Weight::Passing),
            (Withheld::ClearSiteData, Weight::Passing),
            (Withheld::Status, Weight::Passing),
            (Withheld::Late, Weight::Lasting),
            (Withheld::Superseded, Weight::Passing),
            (Withheld::Cacheable, Weight::Lasting),
            (Withheld::AttributesDiffer, Weight::Lasting),
            (Withheld::Uncarriable, Weight::Lasting),
        ] {
            assert_eq!(weight_of(reason.as_str()), weight, "{reason:?}");
        }
    }
}
