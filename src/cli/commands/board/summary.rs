//! What one wants to know in five seconds: is it healthy, which key signs, is an old one still in use, what is next.

use maud::{Markup, html};
use serde::Serialize;

use crate::commands::board::colours::Colours;
use crate::commands::board::facts::{Facts, KeyFacts, KeyRole, LedgerFacts, RingFacts};
use crate::commands::board::figures_view;
use crate::commands::board::steps_view;
use crate::commands::board::words::{self, counted};
use crate::remote::figures::{DAY, Scope};
use crate::remote::forecast::Forecast;
use crate::remote::ledger::Ledger;
use crate::rotation::key_lives::LifeRole;
use crate::terminal::time::{from_now, span};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Good,
    /// Somebody should look at it.
    Attention,
    /// Visitors are harmed, or nothing is checked.
    Bad,
}

/// How soon an end of a key that is in use is worth a warning.
const SOON: u64 = 3 * DAY;

/// How it stands, and why; without a reason all is well.
pub fn health(facts: &Facts) -> (Health, Vec<String>) {
    if !facts.problems.is_empty() || matches!(&*facts.mode, "refused" | "unchecked") {
        let what = words::mode(&facts.mode);
        return (Health::Bad, vec![format!("{what}: see the problems below")]);
    }
    let mut reasons: Vec<String> = facts.doubts.clone();
    if matches!(&*facts.mode, "observe" | "mixed") {
        reasons.push(words::mode(&facts.mode).to_owned());
    }
    if let LedgerFacts::Silent(why) = &facts.ledger {
        reasons.push(format!("the ledger does not answer: {why}"));
    }
    if let Some(ledger) = facts.ledger() {
        reasons.extend(of_ledger(facts, ledger));
    }
    let health = if reasons.is_empty() {
        Health::Good
    } else {
        Health::Attention
    };
    (health, reasons)
}

fn of_ledger(facts: &Facts, ledger: &Ledger) -> Vec<String> {
    let mut reasons = Vec::new();
    let day = ledger.period(ledger.now.saturating_sub(DAY));
    let upgrades = day.upgrades(Scope::All);
    if upgrades.are_mostly_withheld() {
        let most = upgrades.withheld.first();
        let reason = most.map_or("", |(reason, _)| reason);
        reasons.push(format!("most upgrades are withheld, above all: {reason}"));
    }
    for ring in &facts.rings {
        for key in ring.old_keys() {
            let KeyRole::Fallback { until: Some(until) } = key.role else {
                continue;
            };
            let uses = day.uses(&key.key, ring.scope());
            if until <= facts.now.saturating_add(SOON) && uses > 0 {
                reasons.push(format!(
                    "{} ends {} and opened {} in 24 hours: whoever still holds one has to log in again",
                    key.key,
                    from_now(until, facts.now),
                    counted(uses, "cookie")
                ));
            }
        }
    }
    reasons
}

/// The four answers.
pub fn drawn(facts: &Facts, colours: &Colours) -> Markup {
    html! {
        (worker(facts))
        div.tile {
            h2 { "Signs" }
            @for ring in &facts.rings { (signs(ring, facts, colours)) }
            @if facts.rings.is_empty() { p.answer { "nothing" } }
        }
        div.tile {
            h2 { "Old keys" }
            @let olds = facts.rings.iter().flat_map(|ring| ring.old_keys().map(move |key| (ring, key)));
            @let olds: Vec<(&RingFacts, &KeyFacts)> = olds.collect();
            @for (ring, key) in &olds { (old(ring, key, facts, colours)) }
            @if olds.is_empty() {
                p.answer { "none opens cookies" }
                @if let Some(share) = facts.ledger().and_then(|ledger| figures_view::share(ledger, Scope::All)) { p { (share) } }
            }
        }
        div.tile {
            h2 { "Next" }
            @match steps_view::first(facts) {
                Some(step) => {
                    p.answer { code.command { (step.command) } }
                    p { (step.when) }
                    button type="button" id="copy-next" data-copy=(step.command) { "Copy" span.hidden { " the command " (step.command) } }
                },
                None => p.answer { "not known" },
            }
        }
    }
}

fn worker(facts: &Facts) -> Markup {
    let (health, reasons) = health(facts);
    html! {
        div class=(format!("tile {}", health.class())) {
            h2 { "Worker" }
            p.answer { (health.mark()) " " (health.word()) }
            @if reasons.is_empty() {
                p { "It answers, its configuration is right, and " (words::mode(&facts.mode)) "." }
            } @else {
                ul { @for reason in reasons { li { (reason) } } }
            }
        }
    }
}

fn signs(ring: &RingFacts, facts: &Facts, colours: &Colours) -> Markup {
    let Some(current) = ring.current() else {
        return html! {};
    };
    html! {
        p.answer { (colours.named(&current.key)) }
        p {
            @if facts.rings.len() > 1 { (ring.rules.join(", ")) ": " }
            @match since(facts, ring, &current.key) {
                Some(since) => { "current for " (span(facts.now.saturating_sub(since))) ", since " (words::day(since)) },
                None => "current, since when is not known",
            }
        }
        @for key in ring.keys.iter().filter(|key| key.role == KeyRole::Staged) {
            p { "staged: " (colours.named(&key.key)) }
        }
    }
}

/// Since when a key is current, by the commits.
fn since(facts: &Facts, ring: &RingFacts, key: &str) -> Option<u64> {
    let own = |rule: &String| ring.rules.contains(rule);
    let mut lives = facts.lives.iter();
    let lives = lives
        .clone()
        .find(|lives| lives.rule.as_ref().is_some_and(own))
        .or_else(|| lives.find(|lives| lives.rule.is_none()));
    let life = lives?.keys.iter().find(|life| life.key == key)?;
    let last = life.phases.last()?;
    (last.role == LifeRole::Current && last.to.is_none()).then_some(last.from)
}

fn old(ring: &RingFacts, key: &KeyFacts, facts: &Facts, colours: &Colours) -> Markup {
    html! {
        p.answer { (colours.named(&key.key)) }
        @match facts.ledger() {
            None => p { "still opens; whether it is in use is not known without the ledger" },
            Some(ledger) => {
                @let day = ledger.period(ledger.now.saturating_sub(DAY));
                p {
                    "opened " strong { (counted(day.uses(&key.key, ring.scope()), "cookie")) } " in 24 hours"
                    @match ledger.last_opened(&key.key, ring.scope()) {
                        Some(last) => { ", the last " (from_now(last, ledger.now.max(last))) "." },
                        None => { ", and none since the ledger began." },
                    }
                }
                @if let Some(share) = figures_view::share(ledger, ring.scope()) { p { (share) } }
                p { (outlook(key, &ledger.forecast(&key.key, ring.scope()))) }
            }
        }
    }
}

/// What is to be expected of an old key, whose `until` may come first.
fn outlook(key: &KeyFacts, forecast: &Forecast) -> String {
    let text = words::forecast(forecast);
    let end = match *forecast {
        Forecast::Ends { by, .. } => by,
        Forecast::NotFalling { .. } => u64::MAX,
        Forecast::Unused { .. } | Forecast::TooFewDays { .. } | Forecast::TooFewUses { .. } => {
            return text;
        }
    };
    match key.role {
        KeyRole::Fallback { until: Some(until) } if until < end => format!(
            "{text} Its end, until {}, comes first: whoever still holds a cookie under it then logs in again.",
            words::day(until)
        ),
        _ => text,
    }
}

/// What is worth being read out when it changes: states and roles, no counts.
pub fn announcement(facts: &Facts) -> String {
    let (health, _) = health(facts);
    let keys = facts.rings.iter().flat_map(|ring| {
        ring.keys.iter().filter_map(|key| match key.role {
            KeyRole::Current => Some(format!("{} is current.", key.key)),
            KeyRole::Staged => Some(format!("{} is staged.", key.key)),
            KeyRole::Fallback { .. } => Some(format!("{} still opens.", key.key)),
            KeyRole::Ended { .. } | KeyRole::Origin | KeyRole::OriginFallback => None,
        })
    });
    let mut parts = vec![format!("Worker: {}.", health.word())];
    parts.extend(keys);
    parts.extend(steps_view::first(facts).map(|step| format!("Next: {}.", step.command)));
    parts.join(" ")
}

impl Health {
    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "healthy",
            Self::Attention => "needs attention",
            Self::Bad => "broken",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Good => "is-good",
            Self::Attention => "is-attention",
            Self::Bad => "is-bad",
        }
    }

    /// A mark whose form alone tells it from the others.
    fn mark(self) -> Markup {
        let path = match self {
            Self::Good => {
                "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3.6 4.3L7 9.9 4.6 7.6 3.5 8.7 7 12.1l5.7-5.7Z"
            }
            Self::Attention => "M8 1 15.5 15H.5ZM7.2 6v4.5h1.6V6Zm0 5.6v1.6h1.6v-1.6Z",
            Self::Bad => {
                "M5 1h6l4 4v6l-4 4H5l-4-4V5Zm.6 3.2L4.2 5.6 6.6 8l-2.4 2.4 1.4 1.4L8 9.4l2.4 2.4 1.4-1.4L9.4 8l2.4-2.4-1.4-1.4L8 6.6Z"
            }
        };
        html! { svg.mark viewBox="0 0 16 16" aria-hidden="true" { path fill-rule="evenodd" d=(path) {} } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::ledger::Tally;
    use crate::remote::replies::StatusReply;

    /// 2027-02-01 00:00 UTC.
    const NOW: u64 = 1_801_440_000;

    fn facts(role: KeyRole, entries: &[(&str, u64)]) -> Facts {
        let status = format!(r#"{{"now":{NOW},"mode":"enforce"}}"#);
        let status = StatusReply::parse(&status).unwrap();
        let mut facts = Facts::of("https://www.example.com", &status, None, "", NOW);
        facts.doubts.clear();
        let key = |key: &str, role| KeyFacts {
            key: key.to_owned(),
            role,
            fingerprint: None,
        };
        facts.rings = vec![RingFacts {
            rules: vec!["sessionid".to_owned()],
            keys: vec![key("NEW", KeyRole::Current), key("OLD", role)],
        }];
        let hours = entries.iter().map(|(verdict, count)| Tally {
            at: NOW - 3_600,
            rule: "sessionid".to_owned(),
            key: Some("OLD".to_owned()),
            verdict: (*verdict).to_owned(),
            reason: (*verdict == "upgrade-withheld").then(|| "cacheable".to_owned()),
            count: *count,
        });
        facts.ledger = LedgerFacts::Known(Ledger {
            now: NOW,
            since: NOW - 30 * DAY,
            hours: hours.collect(),
            ..Ledger::default()
        });
        facts
    }

    #[test]
    fn an_old_key_that_ends_soon_and_is_in_use_is_told() {
        let soon = KeyRole::Fallback {
            until: Some(NOW + 2 * DAY),
        };
        let (found, why) = health(&facts(soon, &[("fallback", 12)]));
        assert_eq!(found, Health::Attention);
        assert_eq!(
            why,
            [
                "OLD ends in 2 days and opened 12 cookies in 24 hours: whoever still holds one has to log in again"
            ]
        );
        assert_eq!(health(&facts(soon, &[])).0, Health::Good);
        let later = KeyRole::Fallback {
            until: Some(NOW + 9 * DAY),
        };
        let found = health(&facts(later, &[("fallback", 12)]));
        assert_eq!(found.0, Health::Good);
    }

    #[test]
    fn upgrades_that_are_mostly_withheld_are_told_with_their_reason() {
        let role = KeyRole::Fallback { until: None };
        let of = |sent, withheld| {
            health(&facts(
                role,
                &[("upgraded", sent), ("upgrade-withheld", withheld)],
            ))
        };
        assert_eq!(of(30, 20).0, Health::Good);
        let (found, why) = of(20, 30);
        assert_eq!(found, Health::Attention);
        assert_eq!(why, ["most upgrades are withheld, above all: cacheable"]);
    }

    #[test]
    fn a_wrong_configuration_is_worse_than_anything() {
        let mut facts = facts(KeyRole::Staged, &[]);
        facts.mode = "refused".to_owned();
        assert_eq!(health(&facts).0, Health::Bad);
        assert!(announcement(&facts).starts_with("Worker: broken. NEW is current."));
    }

    #[test]
    fn an_end_that_comes_before_the_last_use_is_told() {
        let forecast = Forecast::Ends {
            by: NOW + 9 * DAY,
            earliest: NOW + 8 * DAY,
            latest: None,
            days: 7,
        };
        let of = |until| {
            let key = KeyFacts {
                key: "OLD".to_owned(),
                role: KeyRole::Fallback { until },
                fingerprint: None,
            };
            outlook(&key, &forecast)
        };
        let text = "At the rate of the last 7 days it opens none from 2027-02-10 on (range 2027-02-09 to open end).";
        assert_eq!(of(None), text);
        assert_eq!(of(Some(NOW + 10 * DAY)), text);
        let first = of(Some(NOW + 3 * DAY));
        assert!(
            first.contains("Its end, until 2027-02-04, comes first"),
            "{first}"
        );
    }
}
