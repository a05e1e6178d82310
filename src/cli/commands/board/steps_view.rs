//! The next safe step, with its command to copy, and what is wrong or unwise.

use maud::{Markup, html};

use crate::commands::board::facts::Facts;
use crate::commands::status::next::NextStep;

/// Every step that may come next, the one that may be taken first in front.
pub fn steps(facts: &Facts) -> Markup {
    html! {
        @if facts.next.is_empty() {
            p.empty { "None as long as the configuration is not understood." }
        }
        @for (at, step) in in_order(facts).into_iter().enumerate() {
            div.next-step {
                code.command id=(format!("command-{at}")) { (step.command) }
                button type="button" id=(format!("copy-{at}")) data-copy=(step.command) { "Copy" span.hidden { " the command " (step.command) } }
                p { (step.when) }
            }
        }
    }
}

/// The step that may be taken first.
pub fn first(facts: &Facts) -> Option<&NextStep> {
    in_order(facts).into_iter().next()
}

/// What may be done at any time, then what waits for something else than time, then by time.
fn in_order(facts: &Facts) -> Vec<&NextStep> {
    let mut steps: Vec<&NextStep> = facts.next.iter().collect();
    steps.sort_by_key(|step| match step.from {
        Some(from) if from <= facts.now => 0,
        None => 1,
        Some(from) => from,
    });
    steps
}

/// What is wrong, unwise or doubtful; nothing where all is well.
pub fn remarks(facts: &Facts) -> Markup {
    let kinds = [
        ("error", "Wrong", &facts.problems),
        ("warning", "Doubtful", &facts.doubts),
        ("remark", "Unwise", &facts.notes),
    ];
    html! {
        @if kinds.iter().all(|(_, _, remarks)| remarks.is_empty()) {
            p.empty { "The Worker reports no problem of its configuration." }
        }
        ul.remarks {
            @for (class, word, remarks) in kinds {
                @for remark in remarks { li class=(class) { strong { (word) ": " } (remark) } }
            }
        }
    }
}
