//! The binding to the ledger, as the configuration has it. Environments do not inherit it.

use crate::project::config::Environment;
use crate::project::document::node::Node;

/// The entry of `durable_objects.bindings` that is named LEDGER.
pub fn binding<'c>(environment: &Environment<'c>) -> Option<&'c Node> {
    let bindings = environment.own("durable_objects")?.get("bindings")?;
    let is_ledger = |binding: &&Node| binding.get("name").and_then(Node::as_str) == Some("LEDGER");
    bindings.entries().iter().find(is_ledger)
}
