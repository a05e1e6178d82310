//! The routes of the configuration: what the Worker is reached by.

use crate::project::config::Environment;
use crate::project::document::node::Node;

/// The patterns of all routes: `www.example.com/*`.
pub fn patterns(environment: &Environment<'_>) -> Vec<String> {
    let routes = routes(environment);
    routes.into_iter().filter_map(host_and_path).collect()
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
pub fn routes<'c>(environment: &Environment<'c>) -> Vec<&'c Node> {
    let route = environment.inherited("route");
    let routes = environment.inherited("routes").map(Node::entries);
    route
        .into_iter()
        .chain(routes.into_iter().flatten())
        .collect()
}

/// The pattern of a route in lower case, without a scheme.
pub fn host_and_path(route: &Node) -> Option<String> {
    let pattern = route.as_str().or_else(|| route.get("pattern")?.as_str())?;
    let pattern = pattern.to_ascii_lowercase();
    let schemes = ["https://", "http://", "*://"];
    let bare = schemes
        .iter()
        .find_map(|scheme| pattern.strip_prefix(scheme));
    Some(bare.unwrap_or(&pattern).to_owned())
}
