//! What is asked of the ledger, and how its answer is put together: the first and last use of each key, and counts by
//! hour and by day.

use crate::prelude::*;

/// Which counts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Those of hours.
    pub hours: bool,
    /// Those of days.
    pub days: bool,
}

impl Extent {
    /// What a URL asks for: `?ledger`, `?ledger=hours`, `?ledger=days`, or `?ledger=keys` for neither. `None` where it does not ask for the ledger.
    pub fn of_url(url: &str) -> Option<Self> {
        let (_, query) = url.split_once('?')?;
        let asked = query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name == "ledger").then_some(value)
        })?;
        Some(Self {
            hours: !matches!(asked, "days" | "keys"),
            days: !matches!(asked, "hours" | "keys"),
        })
    }
}

/// What the ledger holds, as far as it was asked for. Lists are texts of JSON, each of some entries with commas between
/// them.
#[derive(Debug, Default)]
pub struct Account {
    /// Unix seconds since when there is a ledger.
    pub since: u64,
    /// When each key was used.
    pub keys: Vec<String>,
    /// Counts by the hour, the newest first; none where they were not asked for.
    pub hours: Option<Vec<String>>,
    /// Counts by the day, the newest first, today's among them; none where they were not asked for.
    pub days: Option<Vec<String>>,
}

impl Account {
    /// In JSON, the oldest first.
    pub fn to_text(&self) -> String {
        let mut text = format!("{{\"since\":{},\"keys\":[", self.since);
        text.push_str(&self.keys.join(","));
        for (name, counts) in [("hours", &self.hours), ("days", &self.days)] {
            let Some(counts) = counts else { continue };
            text.push_str("],\"");
            text.push_str(name);
            text.push_str("\":[");
            let oldest_first: Vec<&str> = counts.iter().rev().map(String::as_str).collect();
            text.push_str(&oldest_first.join(","));
        }
        text.push_str("]}");
        text
    }
}
