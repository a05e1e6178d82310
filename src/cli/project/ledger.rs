//! The binding to the ledger, as wrangler.toml has it. Environments do not inherit it.

use toml_edit::Item;

use crate::project::config::Environment;
use crate::project::toml::entries;

/// The entry of `durable_objects.bindings` that is named LEDGER.
pub fn binding(environment: &Environment<'_>) -> Option<Item> {
    let bindings = environment.own("durable_objects")?.get("bindings")?;
    let is_ledger = |binding: &Item| binding.get("name").and_then(Item::as_str) == Some("LEDGER");
    entries(bindings)?.into_iter().find(is_ledger)
}
