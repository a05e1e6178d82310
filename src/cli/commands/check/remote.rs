//! What only Cloudflare knows: secrets that are not set, public version URLs, routes that fail open.

use std::env;

use countersign_core::operations::status::TOKEN;
use serde_json::Value;
use toml_edit::Item;

use super::finding::Finding;
use super::inputs::Inputs;
use crate::project::routes::{patterns, zones};
use crate::remote::http;
use crate::remote::wrangler;
use crate::terminal::answer::Failure;
use crate::terminal::harmless;

/// Asks wrangler, and Cloudflare's API where there is a token for it.
///
/// # Errors
/// One of them does not answer.
pub fn find(scene: &Inputs<'_>) -> Result<Vec<Finding>, Failure> {
    let mut found = unset(scene)?;
    let Ok(token) = env::var("CLOUDFLARE_API_TOKEN") else {
        found.push(
            Finding::warning("--remote", "version URLs and routes were not looked at: CLOUDFLARE_API_TOKEN is not set")
                .cure("make a token that reads Workers Scripts and Workers Routes, and put it into the environment"),
        );
        return Ok(found);
    };
    let cloudflare = Cloudflare::new(token);
    let worker = scene.environment.worker().unwrap_or_default();
    let zones = zone_ids(scene, &cloudflare)?;
    for zone in &zones {
        found.extend(open_routes(&cloudflare, zone, &worker)?);
    }
    if let Some(account) = account(scene, &cloudflare)? {
        found.extend(version_urls(&cloudflare, &account, &worker)?);
    }
    Ok(found)
}

fn unset(scene: &Inputs<'_>) -> Result<Vec<Finding>, Failure> {
    let set = wrangler::secrets(&scene.environment)?;
    let put = |name: &str| wrangler::typed(&scene.environment, &["secret", "put", name]);
    let named = scene.reading.secrets().into_iter();
    let unset = named.filter(|named| !set.iter().any(|set| set == named.id.as_str()));
    let finding = |named: &super::reading::Named| {
        let id = &named.id;
        Finding::error(
            &named.path,
            format!("the Worker has no secret {id}: every request would get 503"),
        )
        .cure(format!(
            "put it there first: {}, or for a new key countersign keygen --put {id}{}",
            put(id.as_str()),
            scene.environment.option()
        ))
    };
    let mut found: Vec<Finding> = unset.map(finding).collect();
    if !set.iter().any(|set| set == TOKEN) {
        let reason = format!(
            "the Worker has no secret {TOKEN}: it tells its status to nobody, and `check --against live` cannot ask it"
        );
        found.push(Finding::warning("--remote", reason).cure(format!(
            "make one: countersign keygen > token, then {} < token",
            put(TOKEN)
        )));
    }
    Ok(found)
}

fn open_routes(cloudflare: &Cloudflare, zone: &str, worker: &str) -> Result<Vec<Finding>, Failure> {
    let routes = cloudflare.get(&format!("zones/{zone}/workers/routes"))?;
    let routes = routes.as_array().into_iter().flatten();
    let open = routes
        .filter(|route| route["script"] == worker && route["request_limit_fail_open"] == true);
    let finding = |route: &Value| {
        let pattern = route["pattern"].as_str().unwrap_or_default();
        Finding::error("routes", format!("{pattern} fails open: over the plan's limit the origin gets cookies unchecked, and some that it cannot read"))
            .cure("in the dashboard: Workers Routes, the route, Request limit failure mode: fail closed")
    };
    Ok(open.map(finding).collect())
}

fn version_urls(
    cloudflare: &Cloudflare,
    account: &str,
    worker: &str,
) -> Result<Option<Finding>, Failure> {
    let subdomain = cloudflare.get(&format!(
        "accounts/{account}/workers/scripts/{worker}/subdomain"
    ))?;
    Ok((subdomain["previews_enabled"] == true).then(|| {
        Finding::error(
            "preview_urls",
            "on at Cloudflare: old versions, with keys that have been revoked since, are public",
        )
        .cure("say preview_urls = false and deploy")
    }))
}

fn zone_ids(scene: &Inputs<'_>, cloudflare: &Cloudflare) -> Result<Vec<String>, Failure> {
    let (mut ids, names) = zones(&scene.environment);
    let hosts = patterns(&scene.environment);
    let hosts = hosts.iter().filter_map(|pattern| pattern.split('/').next());
    let names: Vec<String> = match ids.is_empty() && names.is_empty() {
        true => hosts.map(str::to_owned).collect(),
        false => names,
    };
    for name in &names {
        if let Some(id) = zone_id(cloudflare, name)? {
            ids.push(id);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The zone of a host: the host itself, or what is behind one of its dots.
fn zone_id(cloudflare: &Cloudflare, host: &str) -> Result<Option<String>, Failure> {
    let mut name = host.trim_start_matches(['*', '.']);
    while name.contains('.') {
        let zones = cloudflare.get(&format!("zones?name={name}"))?;
        if let Some(id) = zones[0]["id"].as_str() {
            return Ok(Some(id.to_owned()));
        }
        name = name.split_once('.').map_or("", |(_, rest)| rest);
    }
    Ok(None)
}

/// The one in the configuration or the environment; else the one account that the token is for.
fn account(scene: &Inputs<'_>, cloudflare: &Cloudflare) -> Result<Option<String>, Failure> {
    let written = scene
        .environment
        .inherited("account_id")
        .and_then(Item::as_str);
    let known = written
        .map(str::to_owned)
        .or_else(|| env::var("CLOUDFLARE_ACCOUNT_ID").ok());
    if known.is_some() {
        return Ok(known);
    }
    let accounts = cloudflare.get("accounts")?;
    Ok(accounts[0]["id"].as_str().map(str::to_owned))
}

/// Cloudflare's API.
struct Cloudflare {
    base: String,
    token: String,
}

impl Cloudflare {
    fn new(token: String) -> Self {
        let base = env::var("CLOUDFLARE_API_BASE_URL");
        let base = base.unwrap_or_else(|_| "https://api.cloudflare.com/client/v4".to_owned());
        Self { base, token }
    }

    fn get(&self, path: &str) -> Result<Value, Failure> {
        let reply = http::ask(&format!("{}/{path}", self.base), &self.token, None, None)?;
        let mut answer = harmless::json(&reply.text).unwrap_or_default();
        if answer["success"] == true {
            return Ok(answer["result"].take());
        }
        let error = answer["errors"][0]["message"]
            .as_str()
            .unwrap_or("no reason given");
        Err(Failure::unreachable(format!("Cloudflare answered {} to {path}: {error}", reply.status))
            .hint("the token in CLOUDFLARE_API_TOKEN has to read Workers Scripts, Workers Routes and Zones"))
    }
}
