//! `secrets.required` of wrangler's configuration. `wrangler deploy` refuses where the Worker lacks one of these
//! secrets, and keeps those that are not listed; `wrangler dev` loads the listed ones alone.

use countersign_core::operations::status::TOKEN;

use super::finding::Finding;
use super::inputs::Inputs;
use crate::project::document::node::Node;
use crate::project::secrets_store::StoredSecret;

/// What the list lacks, and what it has that COUNTERSIGN does not name.
pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let Some(secrets) = inputs.environment.own("secrets") else {
        return Vec::new();
    };
    let list = secrets.get("required");
    let is_list =
        |node: &Node| node.is_list() && node.entries().iter().all(|one| one.as_str().is_some());
    if !secrets.is_table() || !list.is_none_or(is_list) {
        let example = inputs
            .environment
            .written("required", &serde_json::json!(["NAME"]));
        return vec![
            Finding::error(
                PATH,
                "expected a list of names: wrangler refuses anything else",
            )
            .cure(format!("write {example} in `secrets`")),
        ];
    }
    let required = list.map_or(&[][..], Node::entries);
    let mut found = unknown(inputs, required);
    found.extend(missing(inputs, required));
    found
}

/// Where the list stands.
const PATH: &str = "secrets.required";

fn missing(inputs: &Inputs<'_>, required: &[Node]) -> Vec<Finding> {
    let named = inputs.written.secrets().into_iter();
    let named = named.map(|named| named.id.to_string());
    let is_stored = |name: &str| StoredSecret::of(&inputs.environment, name).is_some();
    let is_listed = |name: &str| required.iter().any(|one| one.as_str() == Some(name));
    let missing = named.filter(|name| !is_listed(name) && !is_stored(name));
    let finding = |name: String| {
        let reason = format!(
            "{name} is not listed: `wrangler dev` does not load it, and `wrangler deploy` does not ask for it"
        );
        Finding::warning(PATH, reason).cure(format!("add \"{name}\""))
    };
    missing.map(finding).collect()
}

fn unknown(inputs: &Inputs<'_>, required: &[Node]) -> Vec<Finding> {
    let named = inputs.written.secrets();
    let is_known = |name: &str| name == TOKEN || named.iter().any(|one| one.id.as_str() == name);
    let mut found = Vec::new();
    for (at, name) in required.iter().enumerate() {
        // what is no name of a key may be a key
        let name = name.as_str().filter(|name| !is_known(name));
        if name.is_some() {
            let path = format!("{PATH}[{at}]");
            let reason =
                "COUNTERSIGN names no such secret: once it is deleted, `wrangler deploy` refuses";
            found.push(Finding::warning(path, reason).cure("take it out"));
        }
    }
    found
}
