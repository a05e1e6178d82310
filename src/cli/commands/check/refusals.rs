//! What the Worker itself refuses, asked of its own reader, also where no secrets are known.

use countersign_core::config::Policy;
use countersign_core::config::written::Written;
use countersign_core::settings::Problem;
use serde_json::Value;

use super::finding::Finding;
use super::inputs::Inputs;

/// What the Worker refuses, and what it notes.
pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let refused = Policy::parse_with_placeholders(inputs.value, &|_| None)
        .err()
        .unwrap_or_default();
    let mut found: Vec<Finding> = refused
        .iter()
        .map(|problem| finding(inputs, Finding::error, problem))
        .collect();
    let Some(dev_vars) = &inputs.dev_vars else {
        return found;
    };
    let known = dev_vars.texts();
    let file = dev_vars.file_names();
    let (here, notes) =
        match Policy::parse_with_placeholders(inputs.value, &|name| known.get(name).cloned()) {
            Ok(policy) => (Vec::new(), policy.notes),
            Err(problems) => (problems, Vec::new()),
        };
    let only_here = here.iter().filter(|problem| !refused.contains(problem));
    let by_bytes = only_here.map(|problem| finding(inputs, Finding::error, problem));
    let noted = notes
        .iter()
        .map(|note| finding(inputs, Finding::warning, note));
    let by_bytes = by_bytes
        .chain(noted)
        .map(|finding| finding.with_secrets_of(&file));
    found.extend(by_bytes);
    found
}

/// The name of every secret that the configuration names.
pub fn secret_names(value: &Value) -> Vec<String> {
    let secrets = Written::of(value).secrets();
    secrets.iter().map(|named| named.id.to_string()).collect()
}

fn finding(inputs: &Inputs<'_>, kind: fn(String, String) -> Finding, problem: &Problem) -> Finding {
    let syntax = inputs.environment.syntax();
    let finding = kind(problem.path.clone(), syntax.headers(&problem.reason));
    match &problem.cure {
        Some(cure) => finding.cure(syntax.headers(cure)),
        None => finding,
    }
}
