//! The evidence as one HTML file, which loads nothing and runs nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::evidence::{Evidence, Finding, KeyEvidence};
use super::text::{place, statement};
use crate::commands::board::STYLE;
use crate::commands::board::colours::Colours;
use crate::commands::board::facts::Facts;
use crate::commands::board::words::{self, number, time};
use crate::commands::board::{figures_view, keys_view, lives_view, page_source};
use crate::remote::ledger::Ledger;

/// The whole file.
pub fn page(facts: &Facts, ledger: &Ledger, evidence: &Evidence) -> String {
    let colours = Colours::of(facts);
    let policy = format!(
        "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'",
        page_source(STYLE)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Uses of keys, " (evidence.site) ", " (words::day(evidence.since)) " to " (words::day(evidence.made)) }
                // this program's own file
                style { (PreEscaped(STYLE)) }
            }
            body.report {
                header {
                    h1 { "Uses of the keys of " (evidence.site) }
                    p { "From " (time(evidence.since)) " to " (time(evidence.made)) ", by the Worker's clock." }
                }
                section { h2 { "What each key has opened" } (keys(evidence, &colours)) }
                section { h2 { "What this cannot say" } ul.limits { @for limit in &evidence.limits { li { (limit) } } } }
                section { h2 { "What it goes by" } (basis(evidence)) }
                section { h2 { "Cookies opened, by key" } (figures_view::by_day(ledger, evidence.since, &colours)) }
                section { h2 { "Timeline of the keys" } (lives_view::timeline(facts, &colours)) }
                section { h2 { "The ring now" } (keys_view::rings(facts, &colours)) }
                section.long { h2 { "Refused in this time" } (refusals(evidence)) }
            }
        }
    };
    page.into_string()
}

fn keys(evidence: &Evidence, colours: &Colours) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="What each key has opened" { table {
            thead { tr { th scope="col" { "Key" } th scope="col" { "Now" } th scope="col" { "In this time" } th.number scope="col" { "Opened" } } }
            tbody {
                @for key in &evidence.keys {
                    tr {
                        th scope="row" { (colours.named(&key.key)) }
                        td { (place(key)) }
                        td { span class=(format!("verdict {}", class(key))) { (statement(key, evidence)) } }
                        td.number { (number(key.opened)) }
                    }
                }
            }
        } }
    }
}

fn class(key: &KeyEvidence) -> &'static str {
    match key.finding {
        _ if key.role == Some("current") => "",
        Finding::Nothing => "is-good",
        Finding::NothingRecorded => "is-attention",
        Finding::Opened => "is-bad",
    }
}

fn basis(evidence: &Evidence) -> Markup {
    html! {
        dl {
            dt { "Worker's release" } dd { (evidence.release.as_deref().unwrap_or("not known")) }
            dt { "Worker's version" } dd { (evidence.version.as_deref().unwrap_or("not known")) }
            dt { "Configuration" } dd { code { "sha256:" (evidence.configuration_sha256) } }
            dt { "Commit" } dd { (evidence.commit.as_deref().unwrap_or("not known")) }
            dt { "Ledger began" } dd { (time(evidence.ledger_since)) }
            dt { "Made with" } dd { "countersign " (env!("CARGO_PKG_VERSION")) }
        }
    }
}

fn refusals(evidence: &Evidence) -> Markup {
    html! {
        @if evidence.refusals.is_empty() { p.empty { "Nothing." } } @else {
            div.scroll tabindex="0" role="region" aria-label="Refused in this time" { table {
                thead { tr { th scope="col" { "Refused" } th scope="col" { "Cookie" } th.number scope="col" { "Count" } } }
                tbody {
                    @for refusal in &evidence.refusals {
                        tr {
                            th scope="row" {
                                (refusal.verdict)
                                @if let Some(reason) = &refusal.reason { ": " (reason) }
                                span.note { (words::verdict(&refusal.verdict)) }
                            }
                            td { (refusal.rule) }
                            td.number { (number(refusal.count)) }
                        }
                    }
                }
            } }
        }
    }
}
