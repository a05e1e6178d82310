//! The timeline of the keys: staged, promoted, fallback until, gone; below each the time in which it opened cookies.

use maud::{Markup, html};

use crate::commands::board::colours::Colours;
use crate::commands::board::facts::Facts;
use crate::commands::board::words::{day, time};
use crate::remote::figures::{DAY, Scope};
use crate::rotation::key_lives::{EndKind, KeyLife, LifeRole, Phase, RingLives};
use crate::terminal::time::moment;

/// How far back and ahead it goes at most.
const BACK: u64 = 400 * DAY;
const AHEAD: u64 = 60 * DAY;
/// The width of the drawing, in its own unit.
const WIDTH: f64 = 1_000.0;

/// What part of time is drawn, in Unix seconds.
struct Window {
    from: u64,
    to: u64,
    now: u64,
}

/// The timeline of every ring.
pub fn timeline(facts: &Facts, colours: &Colours) -> Markup {
    let lives = with_ledger(facts);
    let window = Window::of(&lives, facts);
    html! {
        @for ring in &lives {
            @if lives.len() > 1 { h3 { (ring_name(ring)) } }
            ul.lives {
                @for life in &ring.keys { (lane(life, &window, facts, colours)) }
            }
            p.axis.lives-axis aria-hidden="true" { span { (day(window.from)) } span { (day(window.to)) } }
        }
        @if lives.iter().all(|ring| ring.keys.is_empty()) {
            p.empty { "Nothing is known of what the keys have been." }
        } @else {
            (table(&lives))
        }
        p.note {
            "Times of roles are those of commits; a deployment follows them. The upright line is now."
            @if facts.ledger().is_some() { " The thin line is the time in which the key opened cookies." }
            @if let Some(note) = facts.lives_note { " In git: " (note) "." }
        }
    }
}

fn ring_name(ring: &RingLives) -> String {
    ring.rule.as_ref().map_or_else(
        || "Keys of all rules without their own".to_owned(),
        |rule| format!("Keys of {rule}"),
    )
}

/// The lives, and of keys that only the ledger knows their names.
fn with_ledger(facts: &Facts) -> Vec<RingLives> {
    let mut lives = facts.lives.clone();
    let is_known = |lives: &[RingLives], key: &str| {
        let keys = lives.iter().flat_map(|ring| &ring.keys);
        keys.into_iter().any(|life| life.key == key)
    };
    for times in facts.ledger().into_iter().flat_map(|ledger| &ledger.keys) {
        if is_known(&lives, &times.key) {
            continue;
        }
        let life = KeyLife {
            key: times.key.clone(),
            phases: Vec::new(),
            end: None,
        };
        match lives.first_mut() {
            Some(ring) => ring.keys.push(life),
            None => lives.push(RingLives {
                rule: None,
                keys: vec![life],
            }),
        }
    }
    lives
}

impl Window {
    fn of(lives: &[RingLives], facts: &Facts) -> Self {
        let now = facts.now;
        let phases = lives.iter().flat_map(|ring| &ring.keys);
        let phases = phases.flat_map(|life| &life.phases);
        let starts = phases.clone().map(|phase| phase.from);
        let used = facts.ledger().into_iter().flat_map(|ledger| &ledger.keys);
        let used = used.filter_map(|times| times.first_opened);
        let first = starts.chain(used).min().unwrap_or(now);
        let ends = phases.filter(|phase| phase.to.is_none());
        let last = ends.filter_map(|phase| phase.until).max().unwrap_or(now);
        let from = first.clamp(now.saturating_sub(BACK), now.saturating_sub(3_600));
        let to = last
            .clamp(now, now.saturating_add(AHEAD))
            .max(now.saturating_add((now - from) / 20 + 1));
        Self { from, to, now }
    }

    fn x(&self, moment: u64) -> f64 {
        let moment = moment.clamp(self.from, self.to);
        (moment - self.from) as f64 / (self.to - self.from) as f64 * WIDTH
    }
}

fn lane(life: &KeyLife, window: &Window, facts: &Facts, colours: &Colours) -> Markup {
    let class = colours.class(&life.key);
    let times = facts.ledger().map(|ledger| {
        let first = ledger.first_opened(&life.key, Scope::All);
        (first, ledger.last_opened(&life.key, Scope::All))
    });
    html! {
        li {
            div.lane-name { (colours.named(&life.key)) }
            svg class=(format!("lane {class}")) viewBox=(format!("0 0 {WIDTH} 24")) preserveAspectRatio="none" aria-hidden="true" {
                @for phase in &life.phases { (drawn(phase, window)) }
                @if let Some((Some(first), Some(last))) = times {
                    @let (from, to) = (window.x(first), window.x(last));
                    rect.fill x=(format!("{from:.1}")) y="20" height="3" width=(format!("{:.1}", (to - from).max(3.0))) {}
                }
                line.now x1=(format!("{:.1}", window.x(window.now))) x2=(format!("{:.1}", window.x(window.now))) y1="0" y2="24" {}
            }
            p.lane-words { (in_words(life, facts.now)) }
        }
    }
}

fn drawn(phase: &Phase, window: &Window) -> Markup {
    let until = phase.until.unwrap_or(u64::MAX);
    let end = phase.to.unwrap_or(window.now).min(until);
    let (from, to) = (window.x(phase.from), window.x(end.max(phase.from)));
    let class = match phase.role {
        LifeRole::Staged => "phase staged",
        LifeRole::Current => "phase fill",
        LifeRole::Fallback => "phase fallback",
    };
    html! {
        rect class=(class) x=(format!("{from:.1}")) y="3" height="13" width=(format!("{:.1}", (to - from).max(3.0))) {}
        @if phase.to.is_none() && until > window.now && phase.until.is_some() {
            line.until x1=(format!("{to:.1}")) x2=(format!("{:.1}", window.x(until))) y1="9.5" y2="9.5" {}
        }
    }
}

fn in_words(life: &KeyLife, now: u64) -> String {
    let phases = life.phases.iter();
    let mut parts: Vec<String> = phases.map(|phase| phase_in_words(phase, now)).collect();
    if let Some(end) = &life.end {
        parts.push(format!("{} {}", end_word(end.how), day(end.at)));
    }
    if parts.is_empty() {
        "its roles are not known".to_owned()
    } else {
        parts.join(" → ")
    }
}

fn phase_in_words(phase: &Phase, now: u64) -> String {
    let role = role(phase.role);
    let from = day(phase.from);
    match phase.until {
        Some(until) if phase.to.is_none() && until <= now => {
            format!("{role} {from}, ended {}", day(until))
        }
        Some(until) if phase.to.is_none() => format!("{role} {from}, until {}", day(until)),
        _ => format!("{role} {from}"),
    }
}

fn role(role: LifeRole) -> &'static str {
    match role {
        LifeRole::Staged => "staged",
        LifeRole::Current => "current",
        LifeRole::Fallback => "fallback",
    }
}

fn end_word(how: EndKind) -> &'static str {
    match how {
        EndKind::Retired => "retired",
        EndKind::Revoked => "revoked",
        EndKind::Removed => "removed",
    }
}

fn table(lives: &[RingLives]) -> Markup {
    html! {
        details id="timeline-table" {
            summary { "The timeline as a table" }
            div.scroll tabindex="0" role="region" aria-label="The timeline, as a table" {
                table {
                    thead { tr {
                        th scope="col" { "Key" } th scope="col" { "Role" } th scope="col" { "From" }
                        th scope="col" { "To" } th scope="col" { "Opens until" }
                    } }
                    tbody {
                        @for life in lives.iter().flat_map(|ring| &ring.keys) {
                            @for phase in &life.phases {
                                tr {
                                    th scope="row" { (life.key) }
                                    td { (role(phase.role)) }
                                    td { (time(phase.from)) }
                                    td { (phase.to.map_or("now".to_owned(), moment)) }
                                    td { (phase.until.map(moment).unwrap_or_default()) }
                                }
                            }
                            @if let Some(end) = &life.end {
                                tr {
                                    th scope="row" { (life.key) } td { (end_word(end.how)) } td { (time(end.at)) }
                                    td { "commit " (end.commit) } td {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
