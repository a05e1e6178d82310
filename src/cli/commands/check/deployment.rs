//! What `wrangler deploy` lacks or overlooks: no entry or the entry of another Worker, no routes, and settings of
//! the top level that stand below the header of another table.

use std::fs;

use serde_json::json;
use url::Url;

use super::finding::Finding;
use crate::project::config::Environment;
use crate::project::document::Syntax;
use crate::project::document::node::Node;
use crate::project::routes::{host_and_path, patterns, routes};
use crate::project::site::is_loopback;

/// What keeps a configured environment from being deployed, or from being reached.
pub fn find(environment: &Environment<'_>) -> Vec<Finding> {
    let mut found = missing(environment);
    found.extend(another_worker(environment));
    found.extend(no_routes(environment));
    found.extend(unencrypted_routes(environment));
    found
}

/// Settings of the top level in a table where wrangler does not look for them.
pub fn misplaced(environment: &Environment<'_>) -> Vec<Finding> {
    let mut paths = Vec::new();
    for (name, item) in environment.settings() {
        if !matches!(name, "env" | "unsafe") {
            find_settings(name, item, &mut paths);
        }
    }
    let place = place(environment);
    let finding = |path: String| {
        let (table, setting) = path.rsplit_once('.').unwrap_or(("", &path));
        let reason =
            format!("stands in the table {table}, where wrangler does not look for `{setting}`");
        let cure = match environment.syntax() {
            Syntax::Toml => {
                let of_file = environment.name.map_or(" of the file", |_| "");
                format!(
                    "move it {place}{of_file}: in TOML a line belongs to the last header above it"
                )
            }
            Syntax::Jsonc => format!("move it {place}"),
        };
        let path = path.strip_prefix("vars.").map_or(path.as_str(), |of| {
            if of.starts_with("COUNTERSIGN") {
                of
            } else {
                &path
            }
        });
        Finding::error(path, reason).cure(cure)
    };
    paths.into_iter().map(finding).collect()
}

/// Where the settings of an environment stand.
fn place(environment: &Environment<'_>) -> String {
    match (environment.syntax(), environment.name) {
        (Syntax::Toml, Some(_)) => format!("right below {}", environment.title()),
        (Syntax::Toml, None) => "above the first [table]".to_owned(),
        (Syntax::Jsonc, Some(_)) => format!("right into {}", environment.title()),
        (Syntax::Jsonc, None) => "into the outermost object".to_owned(),
    }
}

/// Whether a finding says less of the same setting: that its table does not know it, or that it is not set.
pub fn is_about(misplaced: &Finding, other: &Finding) -> bool {
    let path = misplaced.path();
    let setting = path.rsplit('.').next();
    path == other.path() || setting == Some(other.path())
}

/// What no table of wrangler.toml has.
const TOP_LEVEL_ONLY: [&str; 7] = [
    "route",
    "routes",
    "main",
    "compatibility_date",
    "compatibility_flags",
    "workers_dev",
    "preview_urls",
];

fn find_settings(path: &str, node: &Node, found: &mut Vec<String>) {
    for (at, entry) in node.entries().iter().enumerate() {
        find_settings(&format!("{path}[{at}]"), entry, found);
    }
    for field in node.fields() {
        let path = format!("{path}.{}", field.name);
        if TOP_LEVEL_ONLY.contains(&field.name.as_str()) {
            found.push(path);
        } else {
            find_settings(&path, &field.node, found);
        }
    }
}

fn missing(environment: &Environment<'_>) -> Vec<Finding> {
    let needed = [
        (
            "main",
            "no Worker is named, and `wrangler deploy` refuses",
            format!("name Countersign's entry: {}", entry(environment)),
        ),
        (
            "compatibility_date",
            "`wrangler deploy` refuses a Worker without one",
            format!(
                "write it at the top: {}",
                environment.written("compatibility_date", &json!("2026-04-21"))
            ),
        ),
    ];
    let missing = needed
        .into_iter()
        .filter(|(setting, ..)| environment.inherited(setting).is_none());
    let finding = |(setting, why, cure): (&str, &str, String)| {
        Finding::error(setting, format!("not set: {why}")).cure(cure)
    };
    missing.map(finding).collect()
}

/// The Worker that is built, as it is named.
fn entry(environment: &Environment<'_>) -> String {
    environment.written("main", &json!("build/index.js"))
}

/// An entry that is there and has nothing of Countersign in it.
fn another_worker(environment: &Environment<'_>) -> Option<Finding> {
    let main = environment.inherited("main")?.as_str()?;
    let text = fs::read(environment.config().folder().join(main)).ok()?;
    let text = String::from_utf8_lossy(&text).to_ascii_lowercase();
    (!text.contains("countersign")).then(|| {
        Finding::error("main", format!("{main} is another Worker: it holds nothing of Countersign"))
            .cure(format!("name Countersign's entry: {}; a Worker of your own stays behind it, as the service binding ORIGIN", entry(environment)))
    })
}

fn no_routes(environment: &Environment<'_>) -> Option<Finding> {
    let is_public = environment.inherited("workers_dev").and_then(Node::as_bool) == Some(true);
    let is_known = environment.inherited("workers_dev").is_some();
    let route = json!([{ "pattern": "www.example.com/*", "zone_name": "example.com" }]);
    let is_needed = patterns(environment).is_empty() && !is_for_this_machine(environment);
    (is_known && !is_public && is_needed).then(|| {
        Finding::warning(
            "routes",
            "none: no request reaches the Worker, unless the dashboard has a route to it",
        )
        .cure(format!(
            "{}: {}",
            place(environment),
            environment.written("routes", &route)
        ))
    })
}

/// Whether `wrangler dev` is told of a site on this machine: no route leads to one.
fn is_for_this_machine(environment: &Environment<'_>) -> bool {
    let dev = environment.inherited("dev");
    let host = dev.and_then(|dev| dev.get("host")?.as_str());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}")).ok());
    url.as_ref().is_some_and(is_loopback)
}

/// A route for http:// alone, where none is for the same host and path over HTTPS.
fn unencrypted_routes(environment: &Environment<'_>) -> Vec<Finding> {
    let routes = routes(environment);
    let is_unencrypted = |route: &&&Node| {
        let pattern = route.as_str().or_else(|| route.get("pattern")?.as_str());
        pattern.is_some_and(|pattern| pattern.to_ascii_lowercase().starts_with("http://"))
    };
    let of = |route: &&Node| host_and_path(route).unwrap_or_default();
    let covered: Vec<String> = routes
        .iter()
        .filter(|route| !is_unencrypted(route))
        .map(of)
        .collect();
    let alone = routes.iter().filter(is_unencrypted).map(of);
    let alone = alone.filter(|pattern| !covered.contains(pattern));
    let finding = |pattern: String| {
        let reason = format!(
            "http://{pattern} is a route for http:// alone: over HTTPS, cookies pass around the Worker"
        );
        Finding::error("routes", reason).cure(format!("leave the scheme out: \"{pattern}\""))
    };
    alone.map(finding).collect()
}
