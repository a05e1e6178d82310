//! Uses of keys over time as areas on top of each other, each step of time as wide as the next, and as a table.
//!
//! The drawing is stretched to the width that there is; all text stands beside it.

use std::fmt::Write;

use maud::{Markup, html};

use crate::commands::board::colours::Colours;
use crate::commands::board::words::{day, hour, number};
use crate::remote::figures::{Resolution, Series};

/// What a chart is of.
pub struct Chart<'c> {
    pub id: &'c str,
    pub title: &'c str,
    pub series: Series,
    /// When the ledger began, in Unix seconds.
    pub since: u64,
    pub colours: &'c Colours,
}

/// The height of the drawing, in its own unit.
const HEIGHT: f64 = 100.0;

impl Chart<'_> {
    /// The drawing, its legend and its table.
    pub fn drawn(&self) -> Markup {
        let keys = self.keys();
        html! {
            figure.chart id=(self.id) {
                figcaption { (self.title) }
                @if keys.is_empty() {
                    p.empty { "No cookie was opened in this time." }
                } @else {
                    p.top aria-hidden="true" { (number(self.highest())) }
                    (self.svg(&keys))
                    (self.axis())
                    ul.legend {
                        // as they lie on each other
                        @for key in keys.iter().rev() {
                            li { (self.colours.named(key)) " " span.sum { (number(self.total(key))) } }
                        }
                    }
                    (self.table(&keys))
                }
            }
        }
    }

    fn svg(&self, keys: &[&str]) -> Markup {
        let steps = self.series.starts.len();
        let label = format!("{}: {}", self.title, self.in_words(keys));
        html! {
            svg.areas role="img" aria-label=(label) viewBox=(format!("0 0 {steps} {HEIGHT}")) preserveAspectRatio="none" {
                line.grid x1="0" x2=(steps) y1="50" y2="50" {}
                @for (at, key) in keys.iter().enumerate() {
                    @let outline = self.outline(&keys[..at], key);
                    path class=(format!("fill {}", self.colours.class(key))) d=(outline) {}
                    @if self.colours.has_lines(key) {
                        clipPath id=(format!("{}-clip-{at}", self.id)) { path d=(outline) {} }
                        path.lines clip-path=(format!("url(#{}-clip-{at})", self.id)) d=(lines(steps)) {}
                    }
                    path.edge d=(outline) {}
                }
                @let unknown = self.unknown_steps();
                @if unknown > 0 { rect.unknown x="0" y="0" width=(unknown) height=(HEIGHT) {} }
                @for step in 0..steps {
                    rect.step x=(step) y="0" width="1" height=(HEIGHT) {
                        title { (self.step_in_words(step, keys)) }
                    }
                }
            }
        }
    }

    /// The keys that opened something, the one that came first below.
    fn keys(&self) -> Vec<&str> {
        let used = self.series.keys.iter();
        let used = used.filter(|(_, uses)| uses.iter().any(|uses| *uses > 0));
        let mut keys: Vec<&str> = used.map(|(key, _)| key.as_str()).collect();
        keys.sort_by_key(|key| self.colours.place(key));
        keys
    }

    fn outline(&self, below: &[&str], key: &str) -> String {
        let scale = HEIGHT / self.highest().max(1) as f64;
        let steps = self.series.starts.len();
        let height = |step: usize, with: bool| {
            let lower: u64 = below.iter().map(|key| self.uses(key, step)).sum();
            let own = if with { self.uses(key, step) } else { 0 };
            HEIGHT - (lower + own) as f64 * scale
        };
        let mut path = format!("M0 {:.2}", height(0, true));
        for step in 0..steps {
            let _ = write!(path, "V{:.2}H{}", height(step, true), step + 1); // a String takes all
        }
        for step in (0..steps).rev() {
            let _ = write!(path, "V{:.2}H{step}", height(step, false));
        }
        path.push('Z');
        path
    }

    fn axis(&self) -> Markup {
        let steps = &self.series.starts;
        let middle = steps.get(steps.len() / 2).filter(|_| steps.len() > 2);
        html! {
            p.axis aria-hidden="true" {
                @for at in steps.first().into_iter().chain(middle) { span { (self.step_name(*at)) } }
                span { @if self.series.resolution == Resolution::Hour { "this hour" } @else { "today" } }
            }
            @if self.unknown_steps() > 0 {
                p.note { "Grey: before the ledger began, " (hour(self.since)) " UTC." }
            }
        }
    }

    fn table(&self, keys: &[&str]) -> Markup {
        html! {
            details id=(format!("{}-table", self.id)) {
                summary { "These numbers as a table" }
                div.scroll tabindex="0" role="region" aria-label=(format!("{}, as a table", self.title)) {
                    table {
                        thead { tr {
                            th scope="col" { "from (UTC)" }
                            @for key in keys { th.number scope="col" { (key) } }
                        } }
                        tbody {
                            @for (step, at) in self.series.starts.iter().enumerate().rev() {
                                tr {
                                    th scope="row" { (self.step_name(*at)) }
                                    @for key in keys { td.number { (number(self.uses(key, step))) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn in_words(&self, keys: &[&str]) -> String {
        let keys = keys.iter();
        let sums: Vec<String> = keys
            .map(|key| format!("{key} opened {}", number(self.total(key))))
            .collect();
        sums.join(", ")
    }

    fn step_in_words(&self, step: usize, keys: &[&str]) -> String {
        let at = self.series.starts.get(step).copied().unwrap_or_default();
        let keys = keys.iter().rev();
        let uses: Vec<String> = keys
            .map(|key| format!("{key}: {}", number(self.uses(key, step))))
            .collect();
        format!("{} UTC\n{}", self.step_name(at), uses.join("\n"))
    }

    fn step_name(&self, at: u64) -> String {
        match self.series.resolution {
            Resolution::Hour => hour(at),
            Resolution::Day => day(at),
        }
    }

    /// Steps that were over before the ledger began.
    fn unknown_steps(&self) -> usize {
        let seconds = self.series.resolution.seconds();
        let starts = self.series.starts.iter();
        starts.filter(|at| *at + seconds <= self.since).count()
    }

    fn uses(&self, key: &str, step: usize) -> u64 {
        let uses = self.series.keys.get(key);
        uses.and_then(|uses| uses.get(step))
            .copied()
            .unwrap_or_default()
    }

    fn total(&self, key: &str) -> u64 {
        let uses = self.series.keys.get(key);
        uses.map(|uses| uses.iter().sum()).unwrap_or_default()
    }

    fn highest(&self) -> u64 {
        let steps = 0..self.series.starts.len();
        steps
            .map(|step| self.series.sum(step))
            .max()
            .unwrap_or_default()
    }
}

/// Lines over the whole width.
fn lines(steps: usize) -> String {
    let at = (1..HEIGHT as usize / 3).map(|line| format!("M0 {}H{steps}", line * 3));
    at.collect()
}

/// The uses of the last days as a small drawing.
pub fn sparkline(uses: &[u64], class: &str) -> Markup {
    let steps = uses.len().max(1);
    let highest = uses.iter().copied().max().unwrap_or_default().max(1) as f64;
    let sum = uses.iter().sum();
    let label = format!("{} in the last {} days", number(sum), uses.len());
    html! {
        svg class=(format!("spark {class}")) role="img" aria-label=(label) viewBox=(format!("0 0 {steps} 20")) preserveAspectRatio="none" {
            title { (label) }
            @for (at, uses) in uses.iter().enumerate() {
                @let height = if *uses == 0 { 0.0 } else { (*uses as f64 / highest * 19.0).max(1.0) };
                rect.fill x=(at) y=(format!("{:.2}", 20.0 - height)) width="0.8" height=(format!("{height:.2}")) {}
            }
        }
    }
}
