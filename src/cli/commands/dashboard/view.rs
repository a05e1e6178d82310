//! What the page is sent every few seconds: its parts as HTML, and how it stands.

use std::collections::BTreeMap;

use maud::html;
use serde::Serialize;

use crate::commands::board::colours::Colours;
use crate::commands::board::facts::Facts;
use crate::commands::board::summary::{self, Health, announcement, health};
use crate::commands::board::words::time;
use crate::commands::board::{figures_view, keys_view, lives_view, steps_view};
use crate::terminal::answer::Failure;

/// What the page is sent.
#[derive(Clone, Serialize)]
pub struct BoardReply {
    pub site: String,
    pub health: Health,
    /// Why the Worker did not answer; none where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// To be read out where it is another than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
    /// The parts of the page by their ids; none where nothing new is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<&'static str, String>,
}

impl BoardReply {
    /// The Worker answered.
    pub fn of(facts: &Facts) -> Self {
        let colours = Colours::of(facts);
        let none = || html! { p.empty { "Not known without the ledger." } };
        let ledger = facts.ledger();
        let parts = [
            ("summary", summary::drawn(facts, &colours)),
            ("remarks", steps_view::remarks(facts)),
            ("uses", figures_view::uses(facts, &colours)),
            ("rings", keys_view::rings(facts, &colours)),
            ("timeline", lives_view::timeline(facts, &colours)),
            ("steps", steps_view::steps(facts)),
            ("refusals", ledger.map_or_else(none, figures_view::refusals)),
            ("upgrades", ledger.map_or_else(none, figures_view::upgrades)),
            ("about", about(facts)),
        ];
        let parts = parts.into_iter();
        let (health, _) = health(facts);
        Self {
            site: facts.site.clone(),
            health,
            failure: None,
            announcement: Some(announcement(facts)),
            parts: parts.map(|(id, part)| (id, part.into_string())).collect(),
        }
    }

    /// It did not.
    pub fn of_failure(site: &str, failure: &Failure) -> Self {
        Self {
            site: site.to_owned(),
            health: Health::Bad,
            failure: Some(failure.with_hints()),
            announcement: None,
            parts: BTreeMap::new(),
        }
    }
}

fn about(facts: &Facts) -> maud::Markup {
    let version = &facts.version;
    let parts = [
        ("version", &version.id),
        ("tag", &version.tag),
        ("of", &version.timestamp),
    ];
    html! {
        dl {
            dt { "Release" } dd { (facts.release.as_deref().unwrap_or("not known")) }
            dt { "Version" }
            dd {
                @let known: Vec<_> = parts.iter().filter_map(|(name, text)| Some((name, text.as_ref()?))).collect();
                @if known.is_empty() { "not known: wrangler.toml has no [version_metadata]" }
                @for (name, text) in known { (name) " " (text) " " }
            }
            dt { "Configuration" } dd { code { "sha256:" (facts.configuration_hash) } @if let Some(commit) = &facts.commit { ", commit " (commit) } }
            dt { "The Worker's clock" } dd { (time(facts.now)) }
        }
    }
}
