//! How much each key was used of late, by the data points that the Worker writes to Analytics Engine.

use serde::Deserialize;

use crate::project::config::Environment;
use crate::project::document::node::Node;
use crate::remote::cloudflare::{Cloudflare, named_account};
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// What is known of the use of keys.
pub enum Usage {
    /// Nothing, and why.
    Unknown(String),
    /// Every use that was recorded.
    Known(Vec<KeyUse>),
}

/// How often a key opened cookies of a rule.
#[derive(Debug)]
pub struct KeyUse {
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
        return unknown(
            "no ledger is bound, and no USAGE of Analytics Engine either (docs/runbook.md, The ledger)",
        );
    };
    let Some(cloudflare) = Cloudflare::from_environment() else {
        return unknown("CLOUDFLARE_API_TOKEN is not set");
    };
    let Some(account) = named_account(environment) else {
        return unknown("CLOUDFLARE_ACCOUNT_ID is not set");
    };
    let reply = cloudflare.query(&account, &query(&dataset, days))?;
    let table: Option<Table> = harmless::json(&reply.text);
    match (reply.status, table) {
        (200, Some(table)) => Ok(known(table, days)),
        (status, _) => Err(Failure::unreachable(format!(
            "Analytics Engine answered {status}: {}",
            harmless::line(reply.text.lines().next().unwrap_or_default())
        ))
        .hint("the token in CLOUDFLARE_API_TOKEN has to read Account Analytics")),
    }
}

/// What Analytics Engine answers.
#[derive(Deserialize)]
struct Table {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    /// `RULE/KEY`.
    index1: String,
    /// The verdict.
    blob1: String,
    uses: Sum,
}

/// A sum; large ones are texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sum {
    Number(f64),
    Text(String),
}

fn known(table: Table, days: u32) -> Usage {
    let uses: Vec<KeyUse> = table.data.into_iter().filter_map(KeyUse::read).collect();
    if uses.is_empty() {
        // a Worker with traffic always has some
        return Usage::Unknown(format!(
            "Analytics Engine has no data of the last {days} days"
        ));
    }
    Usage::Known(uses)
}

fn query(dataset: &str, days: u32) -> String {
    format!(
        "SELECT index1, blob1, SUM(_sample_interval * double1) AS uses FROM \"{dataset}\" \
         WHERE timestamp > NOW() - INTERVAL '{days}' DAY GROUP BY index1, blob1 FORMAT JSON"
    )
}

/// The dataset that the binding USAGE writes to; environments do not inherit it.
fn dataset(environment: &Environment<'_>) -> Option<String> {
    let bindings = environment.own("analytics_engine_datasets")?.entries();
    let text = |binding: &Node, field| binding.get(field).and_then(Node::as_str).map(str::to_owned);
    let usage = bindings
        .iter()
        .find(|one| text(one, "binding").as_deref() == Some("USAGE"))?;
    let dataset = text(usage, "dataset").unwrap_or_else(|| "USAGE".to_owned());
    let is_plain = dataset
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_plain.then_some(dataset)
}

impl KeyUse {
    fn read(row: Row) -> Option<Self> {
        let (rule, key) = row.index1.rsplit_once('/')?;
        Some(Self {
            rule: rule.to_owned(),
            key: key.to_owned(),
            verdict: row.blob1,
            count: match row.uses {
                Sum::Number(count) => count,
                Sum::Text(text) => text.parse().ok()?,
            },
        })
    }

    /// Whether a format that `accept` lists was opened.
    pub fn is_accepted(&self) -> bool {
        self.verdict == "accepted-format" && self.count > 0.0
    }

    /// Whether this key opened a cookie.
    pub fn is_of(&self, key: &str) -> bool {
        self.key == key && OPENED.contains(&self.verdict.as_str()) && self.count > 0.0
    }
}
