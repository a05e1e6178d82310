//! How much each key was used of late, by the data points that the Worker writes to Analytics Engine.

use std::env;

use serde_json::Value;
use toml_edit::Item;

use crate::project::config::Environment;
use crate::project::toml::entries;
use crate::remote::http;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// What is known of the use of keys.
pub enum Usage {
    /// Nothing, and why.
    Unknown(String),
    /// Every use that was recorded.
    Known(Vec<Use>),
}

/// How often a key opened cookies of a rule.
pub struct Use {
    pub rule: String,
    pub key: String,
    pub verdict: String,
    pub count: f64,
}

/// Verdicts of cookies that a key opened.
const OPENED: [&str; 3] = ["current", "fallback", "accepted-format"];

/// Asks for the uses of the last days.
///
/// # Errors
/// Cloudflare does not answer as it should.
pub fn ask(environment: &Environment<'_>, days: u32) -> Result<Usage, Failure> {
    let unknown = |why: &str| Ok(Usage::Unknown(why.to_owned()));
    let Some(dataset) = dataset(environment) else {
        return unknown("no binding USAGE to Analytics Engine is in the configuration");
    };
    let Ok(token) = env::var("CLOUDFLARE_API_TOKEN") else {
        return unknown("CLOUDFLARE_API_TOKEN is not set");
    };
    let written = environment.inherited("account_id").and_then(Item::as_str);
    let account = written
        .map(str::to_owned)
        .or_else(|| env::var("CLOUDFLARE_ACCOUNT_ID").ok());
    let Some(account) = account else {
        return unknown("CLOUDFLARE_ACCOUNT_ID is not set");
    };
    let base = env::var("CLOUDFLARE_API_BASE_URL");
    let base = base.unwrap_or_else(|_| "https://api.cloudflare.com/client/v4".to_owned());
    let url = format!("{base}/accounts/{account}/analytics_engine/sql");
    let reply = http::ask(&url, &token, None, Some(&query(&dataset, days)))?;
    let answer = harmless::json(&reply.text).unwrap_or_default();
    match (reply.status, answer["data"].as_array()) {
        (200, Some(rows)) => Ok(known(rows, days)),
        (status, _) => Err(Failure::unreachable(format!(
            "Analytics Engine answered {status}: {}",
            harmless::line(reply.text.lines().next().unwrap_or_default())
        ))
        .hint("the token in CLOUDFLARE_API_TOKEN has to read Account Analytics")),
    }
}

fn known(rows: &[Value], days: u32) -> Usage {
    let uses: Vec<Use> = rows.iter().filter_map(Use::read).collect();
    match uses.is_empty() {
        // a Worker with traffic always has some
        true => Usage::Unknown(format!(
            "Analytics Engine has no data of the last {days} days"
        )),
        false => Usage::Known(uses),
    }
}

fn query(dataset: &str, days: u32) -> String {
    format!(
        "SELECT index1, blob1, SUM(_sample_interval * double1) AS uses FROM \"{dataset}\" \
         WHERE timestamp > NOW() - INTERVAL '{days}' DAY GROUP BY index1, blob1 FORMAT JSON"
    )
}

/// The dataset that the binding USAGE writes to; environments do not inherit it.
fn dataset(environment: &Environment<'_>) -> Option<String> {
    let bindings = environment
        .own("analytics_engine_datasets")
        .and_then(entries)?;
    let text = |binding: &Item, field| binding.get(field).and_then(Item::as_str).map(str::to_owned);
    let usage = bindings
        .iter()
        .find(|one| text(one, "binding").as_deref() == Some("USAGE"))?;
    let dataset = text(usage, "dataset").unwrap_or_else(|| "USAGE".to_owned());
    let is_plain = dataset
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_plain.then_some(dataset)
}

impl Use {
    fn read(row: &Value) -> Option<Self> {
        let (rule, key) = row["index1"].as_str()?.rsplit_once('/')?;
        let uses = &row["uses"];
        Some(Self {
            rule: rule.to_owned(),
            key: key.to_owned(),
            verdict: row["blob1"].as_str()?.to_owned(),
            // large sums are texts
            count: uses.as_f64().or_else(|| uses.as_str()?.parse().ok())?,
        })
    }

    /// Whether this key opened a cookie.
    pub fn is_of(&self, key: &str) -> bool {
        self.key == key && OPENED.contains(&self.verdict.as_str()) && self.count > 0.0
    }
}
