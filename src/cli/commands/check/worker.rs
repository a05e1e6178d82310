//! What is wrong or unwise around the Worker: ways round it, ways back into it, and what wrangler cannot
//! pass on.

use super::finding::Finding;
use super::inputs::Inputs;
use crate::project::config::Environment;
use crate::project::document::node::Node;
use crate::project::routes::{host_and_path, patterns, routes};

/// The largest variable or secret in bytes.
pub const LARGEST: usize = 5 * 1024;

pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let environment = &inputs.environment;
    let mut found = Vec::new();
    found.extend(workers_dev(environment));
    found.extend(preview_urls(environment));
    found.extend(domain_previews(environment));
    found.extend(cache(environment));
    found.extend(strictly_public(inputs));
    found.extend(two_origins(inputs));
    found.extend(custom_domains(inputs));
    found.extend(own_routes(inputs));
    found.extend(partial_routes(environment));
    found.extend(keys_in_vars(inputs));
    found.extend(too_large(inputs));
    found
}

/// An environment without the variable, where others have it.
pub fn nothing(environment: &Environment<'_>, all: &[Environment<'_>]) -> Option<Finding> {
    let elsewhere = all.iter().any(|other| other.countersign().is_some());
    let path = "COUNTERSIGN";
    let table = environment.written_table(&["vars", path]);
    Some(match environment.name {
        Some(_) => Finding::error(path, format!("not set in {}, which inherits no `vars`: every request would get 503", environment.title()))
            .cure(format!("repeat the tables as {table}")),
        None if elsewhere => Finding::warning(path, "not set at the top level: `wrangler deploy` without --env would deploy a Worker that answers 503")
            .cure("always deploy with --env"),
        None => Finding::error(path, "not set: every request would get 503")
            .cure(format!("write {table}; docs/formats.md has rules to paste")),
    })
}

pub fn bare_dates(environment: &Environment<'_>) -> Vec<Finding> {
    let dates = environment.bare_dates().into_iter();
    let finding = |path: String| {
        Finding::error(path, "a date without quotes, which wrangler cannot pass on")
            .cure("put it in quotes: \"2027-02-01T00:00:00Z\"")
    };
    dates.map(finding).collect()
}

fn flag(environment: &Environment<'_>, key: &str) -> Option<bool> {
    environment.inherited(key)?.as_bool()
}

fn workers_dev(environment: &Environment<'_>) -> Option<Finding> {
    let off = environment.written("workers_dev", &false.into());
    let warning = |reason| Finding::warning("workers_dev", reason).cure(format!("set {off}"));
    match flag(environment, "workers_dev") {
        Some(false) => None,
        Some(true) => Some(warning(
            "on: the Worker can be reached around the zone and its rules",
        )),
        None if patterns(environment).is_empty() => Some(warning(
            "not set, and on where there are no routes: the Worker can be reached around the zone and its rules",
        )),
        None => None,
    }
}

fn preview_urls(environment: &Environment<'_>) -> Option<Finding> {
    let reason = match flag(environment, "preview_urls") {
        Some(false) => return None,
        Some(true) => "on: old versions, with keys that have been revoked since, stay public",
        None => "not set: old versions, with keys that have been revoked since, may stay public",
    };
    let off = environment.written("preview_urls", &false.into());
    Some(Finding::warning("preview_urls", reason).cure(format!("set {off}")))
}

/// A custom domain may serve old versions on names of its own.
fn domain_previews(environment: &Environment<'_>) -> Vec<Finding> {
    let routes = routes(environment);
    let serves = |route: &&Node| {
        let previews = route.get("previews_enabled").and_then(Node::as_bool);
        (previews == Some(true)).then(|| host_and_path(route).unwrap_or_default())
    };
    let finding = |pattern: String| {
        let reason = format!(
            "{pattern} has previews_enabled: old versions, with keys that have been revoked since, stay public"
        );
        let off = environment.written("previews_enabled", &false.into());
        Finding::warning("routes", reason).cure(format!("set {off}"))
    };
    routes.iter().filter_map(serves).map(finding).collect()
}

fn cache(environment: &Environment<'_>) -> Option<Finding> {
    let enabled = environment.inherited("cache")?.get("enabled")?.as_bool()?;
    enabled.then(|| {
        Finding::error("cache.enabled", "Workers Cache answers before this Worker runs: visitors get each other's pages and cookies")
            .cure(format!("leave the {} table out", environment.syntax().place(&["cache"])))
    })
}

/// Whether the origin is reached by the zone's route, rather than by an address or a binding.
fn by_route(inputs: &Inputs<'_>) -> bool {
    inputs.written.origin_url().is_none() && !has_binding(inputs)
}

fn has_binding(inputs: &Inputs<'_>) -> bool {
    let services = inputs.environment.own("services").map(Node::entries);
    let is_origin =
        |service: &Node| service.get("binding").and_then(Node::as_str) == Some("ORIGIN");
    services.unwrap_or_default().iter().any(is_origin)
}

fn strictly_public(inputs: &Inputs<'_>) -> Option<Finding> {
    let flags = inputs
        .environment
        .inherited("compatibility_flags")?
        .entries();
    let set = flags
        .iter()
        .any(|flag| flag.as_str() == Some("global_fetch_strictly_public"));
    (set && by_route(inputs)).then(|| {
        Finding::error("compatibility_flags", "with global_fetch_strictly_public, requests to the zone's origin come back to this Worker")
            .cure("take the flag out, or name the origin by `origin_url`")
    })
}

/// The Worker refuses both, where it sees its bindings.
fn two_origins(inputs: &Inputs<'_>) -> Option<Finding> {
    (inputs.written.origin_url().is_some() && has_binding(inputs)).then(|| {
        Finding::error(
            "COUNTERSIGN.origin_url",
            "there is a service binding ORIGIN as well",
        )
        .cure("keep one of the two")
    })
}

fn custom_domains(inputs: &Inputs<'_>) -> Option<Finding> {
    let routes = routes(&inputs.environment);
    (routes.into_iter().any(is_custom_domain) && by_route(inputs)).then(|| {
        Finding::error(
            "routes",
            "a custom domain has no origin behind it: the Worker would ask itself",
        )
        .cure("use a route with zone_name, or name the origin by `origin_url`")
    })
}

/// The Worker refuses an address that is its own, at the first request.
fn own_routes(inputs: &Inputs<'_>) -> Option<Finding> {
    let url = inputs.written.origin_url()?.to_ascii_lowercase();
    let host = url.split("://").nth(1)?.trim_end_matches('/');
    let matches = |pattern: &String| match pattern.split('/').next().unwrap_or_default() {
        any if any.starts_with('*') => host.ends_with(any.trim_start_matches('*')),
        one => host == one,
    };
    patterns(&inputs.environment).iter().any(matches).then(|| {
        Finding::error("COUNTERSIGN.origin_url", "is a host that a route of this Worker covers, so that requests come back to it")
            .cure("name the origin by a host of its own; or leave it out where the zone's DNS leads to the origin")
    })
}

fn partial_routes(environment: &Environment<'_>) -> Vec<Finding> {
    // a custom domain is a whole host
    let mut routes = routes(environment);
    routes.retain(|route| !is_custom_domain(route));
    let is_partial = |pattern: &String| {
        let path = pattern.split_once('/').map_or("", |(_, path)| path);
        // a first deployment may serve its status alone
        path != "*" && path != ".well-known/countersign"
    };
    let partial = routes
        .into_iter()
        .filter_map(host_and_path)
        .filter(is_partial);
    let finding = |pattern: String| {
        let reason = format!(
            "{pattern} does not cover the whole host: elsewhere on it, cookies pass around the Worker"
        );
        Finding::warning("routes", reason).cure("end the pattern in /*")
    };
    partial.map(finding).collect()
}

fn is_custom_domain(route: &Node) -> bool {
    route.get("custom_domain").and_then(Node::as_bool) == Some(true)
}

/// A key that stands among the variables can be read by everyone who can read the repository.
fn keys_in_vars(inputs: &Inputs<'_>) -> Vec<Finding> {
    let vars = inputs.environment.own("vars");
    let mut found = Vec::new();
    let token = std::iter::once("COUNTERSIGN_TOKEN".to_owned());
    let secrets = inputs.written.secrets().into_iter();
    let secrets = secrets.map(|named| named.id.to_string());
    for name in secrets.chain(token) {
        if vars.is_some_and(|vars| vars.get(&name).is_some()) {
            found.push(
                Finding::error(format!("vars.{name}"), "a secret in the configuration: everyone who can read this file has it")
                    .cure(format!("take it out; it has been seen, so put another into the Worker's secrets: npx wrangler secret put {name}")),
            );
        }
    }
    found
}

fn too_large(inputs: &Inputs<'_>) -> Option<Finding> {
    let length = inputs.value.to_string().len();
    (length > LARGEST).then(|| {
        Finding::error(
            "COUNTERSIGN",
            format!("{length} bytes as JSON; Cloudflare takes no variable over {LARGEST}"),
        )
        .cure("manage fewer cookies in one Worker, or shorten what they have in common")
    })
}
