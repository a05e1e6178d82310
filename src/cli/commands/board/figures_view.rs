//! The ledger's figures: uses of keys over time, refusals and upgrades by reason.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::commands::board::area::Chart;
use crate::commands::board::colours::Colours;
use crate::commands::board::decline;
use crate::commands::board::facts::{Facts, LedgerFacts};
use crate::commands::board::words::{self, number, percent, time};
use crate::remote::figures::{DAY, HOUR, Refusal, Resolution, Scope, Upgrades};
use crate::remote::ledger::Ledger;

/// How far back the chart by the day goes on the dashboard.
const DAYS_SHOWN: u64 = 90 * DAY;

/// Uses of each key in the last hours and days.
pub fn uses(facts: &Facts, colours: &Colours) -> Markup {
    let Some(ledger) = facts.ledger() else {
        return without_ledger(&facts.ledger);
    };
    let first = first_day(ledger).max(ledger.now.saturating_sub(DAYS_SHOWN));
    html! {
        div.charts {
            (Chart {
                id: "hours",
                title: "By the hour (UTC), last 48 hours",
                series: ledger.series(Resolution::Hour, ledger.now.saturating_sub(47 * HOUR), Scope::All),
                since: ledger.since,
                colours,
            }.drawn())
            (by_day(ledger, first, colours))
            @for ring in &facts.rings {
                @for key in ring.old_keys() { (decline::drawn(ring, key, ledger, colours)) }
            }
        }
        p.note { "Counted are cookies that a key opened, not visitors. The ledger began " (time(ledger.since)) "." }
    }
}

/// Uses of each key since a day.
pub fn by_day(ledger: &Ledger, first: u64, colours: &Colours) -> Markup {
    let title = format!("By the day (UTC), since {}", words::day(first));
    Chart {
        id: "days",
        title: &title,
        series: ledger.series(Resolution::Day, first, Scope::All),
        since: ledger.since,
        colours,
    }
    .drawn()
}

/// The day on which the ledger began; a week ago where that is later.
fn first_day(ledger: &Ledger) -> u64 {
    ledger.since.min(ledger.now.saturating_sub(6 * DAY))
}

/// Why there are no figures, and how to get them.
fn without_ledger(ledger: &LedgerFacts) -> Markup {
    html! {
        @match ledger {
            LedgerFacts::Silent(why) => p { "The ledger does not answer: " (why) ". Traffic goes on without it." },
            _ => {
                p { "The live Worker has no ledger, so nobody knows which keys are in use. To get one, add this to wrangler.toml and deploy:" }
                pre tabindex="0" role="region" aria-label="For wrangler.toml" { code { (BINDING) } }
            }
        }
    }
}

const BINDING: &str = "[[durable_objects.bindings]]
name = \"LEDGER\"
class_name = \"Ledger\"

[[migrations]]
tag = \"ledger\"
new_sqlite_classes = [\"Ledger\"]";

/// What was refused, by verdict and reason.
pub fn refusals(ledger: &Ledger) -> Markup {
    let day = ledger.period(ledger.now.saturating_sub(DAY)).refusals();
    let all = ledger
        .period(ledger.oldest_hour().max(ledger.since))
        .refusals();
    let most = all.iter().map(|refusal| refusal.count).max();
    let key = |refusal: &Refusal| {
        let Refusal {
            rule,
            verdict,
            reason,
            ..
        } = refusal.clone();
        (rule, verdict, reason)
    };
    let day: BTreeMap<_, u64> = day.iter().map(|one| (key(one), one.count)).collect();
    html! {
        @if all.is_empty() {
            p.empty { "Nothing was refused in the last 14 days." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Refusals by reason" {
                table {
                    thead { tr {
                        th scope="col" { "Refused" } th scope="col" { "Cookie" }
                        th.number scope="col" { "24 h" } th.number scope="col" { "14 days" } td {}
                    } }
                    tbody {
                        @for refusal in &all {
                            tr {
                                th scope="row" {
                                    (refusal.verdict)
                                    @if let Some(reason) = &refusal.reason { ": " (reason) }
                                    span.note { (words::verdict(&refusal.verdict)) }
                                }
                                td { (refusal.rule) }
                                td.number { (number(day.get(&key(refusal)).copied().unwrap_or_default())) }
                                td.number { (number(refusal.count)) }
                                td.bar-cell { (bar(refusal.count, most.unwrap_or(1))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Upgrades of the last day, sent and withheld.
pub fn upgrades(ledger: &Ledger) -> Markup {
    let day = ledger.period(ledger.now.saturating_sub(DAY));
    let upgrades = day.upgrades(Scope::All);
    let most = upgrades.withheld.iter().map(|(_, count)| *count);
    let most = most.chain([upgrades.sent]).max().unwrap_or(1);
    html! {
        @if upgrades == Upgrades::default() {
            p.empty { "None was due in the last 24 hours: every cookie that was opened is under the current key." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Upgrades in the last 24 hours" {
                table {
                    thead { tr { th scope="col" { "Upgrade" } th.number scope="col" { "24 h" } td {} } }
                    tbody {
                        tr {
                            th scope="row" { "sent" span.note { "the browser has the cookie under the current key" } }
                            td.number { (number(upgrades.sent)) }
                            td.bar-cell { (bar(upgrades.sent, most)) }
                        }
                        @for (reason, count) in &upgrades.withheld {
                            tr {
                                th scope="row" { "withheld: " (reason) span.note { (words::withheld(reason)) } }
                                td.number { (number(*count)) }
                                td.bar-cell { (bar(*count, most)) }
                            }
                        }
                    }
                }
            }
        }
        @if upgrades.are_mostly_withheld() {
            p.warning { strong { "Most upgrades are withheld." } " The old key does not go out of use as long as that lasts." }
        }
    }
}

/// How the cookies of the last day were opened, in a sentence.
pub fn share(ledger: &Ledger, scope: Scope<'_>) -> Option<String> {
    let share = ledger.period(ledger.now.saturating_sub(DAY)).share(scope);
    let of_current = share.of_current()?;
    Some(format!(
        "Of {} opened in 24 hours, {} under the current key.",
        words::counted(share.all, "cookie"),
        percent(of_current)
    ))
}

/// Days on which the hours come to another sum than the day.
pub fn differences(ledger: &Ledger) -> Vec<String> {
    let days = ledger.differing_days().into_iter();
    days.map(|(day, by_day, by_hour)| {
        format!(
            "{}: {} by the day, {} by the hour",
            words::day(day),
            number(by_day),
            number(by_hour)
        )
    })
    .collect()
}

fn bar(count: u64, most: u64) -> Markup {
    let width = count as f64 / most.max(1) as f64 * 100.0;
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(format!("{width:.1}")) height="8" {}
        }
    }
}
