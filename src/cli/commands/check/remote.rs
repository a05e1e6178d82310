//! What only Cloudflare knows: secrets that are not set, public version URLs, routes that fail open.

use countersign_core::config::written::NamedSecret;
use countersign_core::operations::status::TOKEN;
use serde::Deserialize;

use super::finding::Finding;
use super::inputs::Inputs;
use crate::project::routes::{patterns, zones};
use crate::project::secrets_store::StoredSecret;
use crate::remote::cloudflare::{Cloudflare, named_account};
use crate::remote::wrangler;
use crate::terminal::answer::Failure;

/// Asks wrangler, and Cloudflare's API where there is a token for it.
///
/// # Errors
/// One of them does not answer.
pub fn find(inputs: &Inputs<'_>) -> Result<Vec<Finding>, Failure> {
    let mut found = unset(inputs)?;
    let Some(cloudflare) = Cloudflare::from_environment() else {
        found.push(
            Finding::warning("--remote", "version URLs and routes were not looked at: CLOUDFLARE_API_TOKEN is not set")
                .cure("make a token that reads Workers Scripts and Workers Routes, and put it into the environment"),
        );
        return Ok(found);
    };
    let worker = inputs.environment.worker().unwrap_or_default();
    let zones = zone_ids(inputs, &cloudflare)?;
    for zone in &zones {
        found.extend(open_routes(&cloudflare, zone, &worker)?);
    }
    if let Some(account) = account(inputs, &cloudflare)? {
        found.extend(version_urls(&cloudflare, &account, &worker)?);
    }
    Ok(found)
}

fn unset(inputs: &Inputs<'_>) -> Result<Vec<Finding>, Failure> {
    let set = wrangler::secrets(&inputs.environment)?;
    let put = |name: &str| wrangler::typed(&inputs.environment, &["secret", "put", name]);
    let is_stored = |name: &str| StoredSecret::of(&inputs.environment, name).is_some();
    let is_set = |name: &str| set.iter().any(|set| set == name) || is_stored(name);
    let named = inputs.written.secrets().into_iter();
    let unset = named.filter(|named| !is_set(named.id.as_str()));
    let finding = |named: NamedSecret| {
        let id = named.id;
        Finding::error(
            named.path,
            format!("the Worker has no secret {id}: every request would get 503"),
        )
        .cure(format!(
            "put it there first: {}, or for a new key countersign keygen --put {id}{}",
            put(id.as_str()),
            inputs.environment.option()
        ))
    };
    let mut found: Vec<Finding> = unset.map(finding).collect();
    if !is_set(TOKEN) {
        let reason = format!(
            "the Worker has no secret {TOKEN}: it answers no status request, and `check --against live` cannot ask it"
        );
        found.push(Finding::warning("--remote", reason).cure(format!(
            "make one: countersign keygen > token, then {} < token",
            put(TOKEN)
        )));
    }
    Ok(found)
}

fn open_routes(cloudflare: &Cloudflare, zone: &str, worker: &str) -> Result<Vec<Finding>, Failure> {
    let routes: Vec<Route> = cloudflare.get(&format!("zones/{zone}/workers/routes"))?;
    let open = routes.iter().filter(|route| {
        route.script.as_deref() == Some(worker) && route.request_limit_fail_open == Some(true)
    });
    let finding = |route: &Route| {
        let pattern = &route.pattern;
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
    // as wrangler asks: the API takes the name for the id here
    let worker: Worker = cloudflare.get(&format!("accounts/{account}/workers/workers/{worker}"))?;
    Ok((worker.subdomain.previews_enabled == Some(true)).then(|| {
        Finding::error(
            "preview_urls",
            "on at Cloudflare: old versions, with keys that have been revoked since, are public",
        )
        .cure("set preview_urls = false and deploy")
    }))
}

fn zone_ids(inputs: &Inputs<'_>, cloudflare: &Cloudflare) -> Result<Vec<String>, Failure> {
    let (mut ids, names) = zones(&inputs.environment);
    let hosts = patterns(&inputs.environment);
    let hosts = hosts.iter().filter_map(|pattern| pattern.split('/').next());
    let names: Vec<String> = if ids.is_empty() && names.is_empty() {
        hosts.map(str::to_owned).collect()
    } else {
        names
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
        let zones: Vec<Identified> = cloudflare.get(&format!("zones?name={name}"))?;
        if let Some(zone) = zones.into_iter().next() {
            return Ok(Some(zone.id));
        }
        name = name.split_once('.').map_or("", |(_, rest)| rest);
    }
    Ok(None)
}

/// The one in the configuration or the environment; else the one account that the token is for.
fn account(inputs: &Inputs<'_>, cloudflare: &Cloudflare) -> Result<Option<String>, Failure> {
    if let Some(named) = named_account(&inputs.environment) {
        return Ok(Some(named));
    }
    let accounts: Vec<Identified> = cloudflare.get("accounts")?;
    Ok(accounts.into_iter().next().map(|account| account.id))
}

/// An account or a zone.
#[derive(Deserialize)]
struct Identified {
    id: String,
}

/// A route of a zone. What may be left out or null is so in answers of the API.
#[derive(Deserialize)]
struct Route {
    pattern: String,
    script: Option<String>,
    request_limit_fail_open: Option<bool>,
}

/// A Worker, of which here is what this program looks at.
#[derive(Deserialize)]
struct Worker {
    subdomain: Subdomain,
}

/// Where a Worker can be reached beside its routes.
#[derive(Deserialize)]
struct Subdomain {
    previews_enabled: Option<bool>,
}
