//! The rings: each key with its role, its end and its uses.

use maud::{Markup, html};

use crate::commands::board::area::sparkline;
use crate::commands::board::colours::Colours;
use crate::commands::board::facts::{Facts, KeyFacts, KeyRole, RingFacts};
use crate::commands::board::words::{number, time, time_from_now};
use crate::remote::figures::{DAY, Resolution};
use crate::remote::ledger::Ledger;
use crate::terminal::time::{from_now, span};

/// Over how many days the small drawing goes.
const SPARKLINE_DAYS: u64 = 30;

/// Every ring.
pub fn rings(facts: &Facts, colours: &Colours) -> Markup {
    html! {
        @for ring in &facts.rings {
            h3 { "Keys of " (ring.rules.join(", ")) }
            (keys(ring, facts, colours))
        }
        @if facts.rings.is_empty() {
            p.empty { "No ring: the live Worker manages no cookie, or its configuration is wrong." }
        }
    }
}

fn keys(ring: &RingFacts, facts: &Facts, colours: &Colours) -> Markup {
    let ledger = facts.ledger();
    let name = format!("Keys of {}", ring.rules.join(", "));
    // the roles stay where a narrow page shows the rows as blocks
    html! {
        table.keys role="table" aria-label=(name) {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" { "Key" }
                th role="columnheader" { "Role" }
                th role="columnheader" { "What it does" }
                @if ledger.is_some() {
                    th.number role="columnheader" { "Opened, 24 h" }
                    th role="columnheader" { "Last opened" }
                    th role="columnheader" { "30 days" }
                }
            } }
            tbody role="rowgroup" {
                @for key in &ring.keys {
                    tr role="row" {
                        th role="rowheader" {
                            (colours.named(&key.key))
                            @if let Some(fingerprint) = &key.fingerprint { " " span.fingerprint title="fingerprint, made under the token" { (fingerprint) } }
                        }
                        td role="cell" { span class=(format!("role {}", class(key.role))) { (role(key.role)) } }
                        td role="cell" { (does(key.role, facts.now)) }
                        @if let Some(ledger) = ledger { (uses(key, ring, ledger, colours)) }
                    }
                }
            }
        }
    }
}

/// The cells that the ledger fills.
fn uses(key: &KeyFacts, ring: &RingFacts, ledger: &Ledger, colours: &Colours) -> Markup {
    if matches!(key.role, KeyRole::Origin | KeyRole::OriginFallback) {
        return html! { td.number role="cell" {} td role="cell" { span.note { "not for browsers" } } td role="cell" {} };
    }
    let last = ledger.last_opened(&key.key, ring.scope());
    let day = ledger.period(ledger.now.saturating_sub(DAY));
    let from = ledger.now.saturating_sub((SPARKLINE_DAYS - 1) * DAY);
    let mut series = ledger.series(Resolution::Day, from, ring.scope());
    let uses = series.keys.remove(&key.key);
    let uses = uses.unwrap_or_else(|| vec![0; series.starts.len()]);
    html! {
        td.number role="cell" data-label="opened in 24 h" { (number(day.uses(&key.key, ring.scope()))) }
        td role="cell" data-label="last opened" { (last_opened(last, ledger)) }
        td role="cell" { (sparkline(&uses, &colours.class(&key.key))) }
    }
}

fn last_opened(last: Option<u64>, ledger: &Ledger) -> Markup {
    html! {
        @match last {
            Some(last) => span title=(crate::terminal::time::moment(last)) { (from_now(last, ledger.now.max(last))) },
            None => { "never in " (span(ledger.now.saturating_sub(ledger.since))) }
        }
    }
}

/// A role in a word.
pub fn role(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Current => "current",
        KeyRole::Staged => "staged",
        KeyRole::Fallback { .. } => "fallback",
        KeyRole::Ended { .. } => "ended",
        KeyRole::Origin | KeyRole::OriginFallback => "origin",
    }
}

fn class(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Current => "is-current",
        KeyRole::Staged => "is-staged",
        KeyRole::Fallback { .. } => "is-fallback",
        KeyRole::Ended { .. } | KeyRole::Origin | KeyRole::OriginFallback => "is-other",
    }
}

fn does(role: KeyRole, now: u64) -> Markup {
    html! {
        @match role {
            KeyRole::Current => "signs what browsers get",
            KeyRole::Staged => "opens; nothing has been sealed with it yet",
            KeyRole::Fallback { until: None } => "opens what browsers still hold, without an end",
            KeyRole::Fallback { until: Some(until) } => { "opens until " (time_from_now(until, now)) }
            KeyRole::Ended { until } => { "opens nothing since " (time(until)) }
            KeyRole::Origin => "signs what the site gets, and opens what it sets",
            KeyRole::OriginFallback => "opens what the site sets",
        }
    }
}
