//! The routes of wrangler.toml: what the Worker is reached by.

use toml_edit::Item;

use crate::project::config::Environment;
use crate::project::toml::entries;

/// The patterns of all routes: `www.example.com/*`.
pub fn patterns(environment: &Environment<'_>) -> Vec<String> {
    let routes = routes(environment);
    routes.iter().filter_map(host_and_path).collect()
}

/// The ids and the names of the zones that routes name.
pub fn zones(environment: &Environment<'_>) -> (Vec<String>, Vec<String>) {
    let routes = routes(environment);
    let field = |field: &str| {
        let texts = routes.iter().filter_map(|route| route.get(field)?.as_str());
        texts.map(str::to_owned).collect()
    };
    (field("zone_id"), field("zone_name"))
}

/// The routes as they are written.
pub fn routes(environment: &Environment<'_>) -> Vec<Item> {
    let mut routes: Vec<Item> = environment
        .inherited("route")
        .cloned()
        .into_iter()
        .collect();
    routes.extend(
        environment
            .inherited("routes")
            .and_then(entries)
            .unwrap_or_default(),
    );
    routes
}

/// The pattern of a route in lower case, without a scheme.
pub fn host_and_path(route: &Item) -> Option<String> {
    let pattern = route.as_str().or_else(|| route.get("pattern")?.as_str())?;
    let pattern = pattern.to_ascii_lowercase();
    let schemes = ["https://", "http://", "*://"];
    let bare = schemes
        .iter()
        .find_map(|scheme| pattern.strip_prefix(scheme));
    Some(bare.unwrap_or(&pattern).to_owned())
}
