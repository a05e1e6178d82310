//! What an old key still opens, day by day since it was replaced, on a logarithmic scale: the last few do not vanish
//! beside the many, and what falls at one rate falls on a line.

use maud::{Markup, html};

use crate::commands::board::colours::Colours;
use crate::commands::board::facts::{KeyFacts, RingFacts};
use crate::commands::board::words::{day, number};
use crate::remote::figures::{DAY, Resolution};
use crate::remote::ledger::Ledger;

/// How many days are shown at most.
const DAYS_SHOWN: u64 = 60;
/// The height of the drawing, in its own unit.
const HEIGHT: f64 = 100.0;

/// Of one old key; nothing where it has not been replaced for a whole day, or opened nothing since.
pub fn drawn(ring: &RingFacts, key: &KeyFacts, ledger: &Ledger, colours: &Colours) -> Markup {
    let replaced = ledger.replaced(&key.key, ring.scope());
    let since = replaced
        .max(ledger.since)
        .max(ledger.now.saturating_sub(DAYS_SHOWN * DAY));
    let series = ledger.series(Resolution::Day, since.min(ledger.now), ring.scope());
    let Some(uses) = series.keys.get(&key.key).filter(|uses| uses.len() > 1) else {
        return html! {};
    };
    let title = format!("{}: what it still opens, by the day", key.key);
    let first = series.starts.first().copied().unwrap_or_default();
    let days = uses.iter().map(|uses| number(*uses)).collect::<Vec<_>>();
    let label = format!("{title} since {}: {}", day(first), days.join(", "));
    html! {
        figure.chart {
            figcaption { (colours.swatch(&key.key)) " " (title) }
            p.top aria-hidden="true" { (number(uses.iter().copied().max().unwrap_or_default())) }
            (svg(uses, &series.starts, &label, &colours.class(&key.key)))
            p.axis aria-hidden="true" { span { (day(first)) } span { "today" } }
            p.note { "Logarithmic: each line is ten times the one below it, and the lowest is one cookie." }
        }
    }
}

fn svg(uses: &[u64], starts: &[u64], label: &str, class: &str) -> Markup {
    let steps = uses.len();
    let most = uses.iter().copied().max().unwrap_or_default().max(10) as f64;
    // one cookie is as high as a step of the scale is from nothing
    let height = |count: f64| (1.0 + count.log10()) / (1.0 + most.log10()) * HEIGHT;
    let powers = (0..).map(|power| 10_f64.powi(power));
    html! {
        svg class=(format!("areas decline {class}")) role="img" aria-label=(label) viewBox=(format!("0 0 {steps} {HEIGHT}")) preserveAspectRatio="none" {
            @for power in powers.take_while(|power| *power <= most) {
                @let y = format!("{:.2}", HEIGHT - height(power));
                line.grid x1="0" x2=(steps) y1=(y) y2=(y) {}
            }
            @for (at, count) in uses.iter().enumerate().filter(|(_, count)| **count > 0) {
                @let top = HEIGHT - height(*count as f64);
                rect.fill x=(format!("{:.2}", at as f64 + 0.08)) width="0.84" y=(format!("{top:.2}")) height=(format!("{:.2}", HEIGHT - top)) {
                    title { (starts.get(at).copied().map(day).unwrap_or_default()) ": " (number(*count)) }
                }
            }
        }
    }
}
