//! What the Worker itself refuses, asked of its own reader, also where no secrets are known.

use countersign_core::config::Policy;
use countersign_core::settings::Problem;
use serde_json::Value;

use super::finding::Finding;
use super::inputs::Inputs;
use super::reading::Reading;

/// What the Worker refuses, and what it notes.
pub fn find(scene: &Inputs<'_>) -> Vec<Finding> {
    let refused = Policy::parse_with_placeholders(&scene.value, &|_| None)
        .err()
        .unwrap_or_default();
    let mut found: Vec<Finding> = refused
        .iter()
        .map(|problem| told(Finding::error, problem))
        .collect();
    let Some(dev_vars) = &scene.dev_vars else {
        return found;
    };
    let known = dev_vars.texts();
    let file = dev_vars.file_name();
    let (here, notes) =
        match Policy::parse_with_placeholders(&scene.value, &|name| known.get(name).cloned()) {
            Ok(policy) => (Vec::new(), policy.notes),
            Err(problems) => (problems, Vec::new()),
        };
    let only_here = here.iter().filter(|problem| !refused.contains(problem));
    let by_bytes = only_here.map(|problem| told(Finding::error, problem));
    let noted = notes.iter().map(|note| told(Finding::warning, note));
    let by_bytes = by_bytes
        .chain(noted)
        .map(|finding| finding.with_secrets_of(&file));
    found.extend(by_bytes);
    found
}

/// The name of every secret that the configuration names.
pub fn secret_names(value: &Value) -> Vec<String> {
    let reading = Reading::of(value);
    reading
        .secrets()
        .iter()
        .map(|named| named.id.to_string())
        .collect()
}

/// A problem's text is what, and behind a semicolon how to mend it.
fn told(kind: fn(String, String) -> Finding, problem: &Problem) -> Finding {
    match problem.text.split_once("; ") {
        Some((reason, cure)) => kind(problem.path.clone(), reason.to_owned()).cure(cure),
        None => kind(problem.path.clone(), problem.text.clone()),
    }
}
