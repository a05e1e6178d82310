//! Names of secrets that are bound as something else: the Worker finds no key under them.

use super::finding::Finding;
use super::inputs::Inputs;
use crate::project::document::node::Node;

/// Every secret of COUNTERSIGN whose name is that of another binding.
pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let secrets = inputs.written.secrets().into_iter();
    let names = secrets
        .map(|named| named.id.to_string())
        .chain([TOKEN.to_owned()]);
    let names: Vec<String> = names.collect();
    let bound = inputs.environment.settings();
    let bound = bound.flat_map(|(setting, node)| bindings(setting, node));
    let bound = bound.filter(|binding| names.contains(&binding.name));
    bound.map(|binding| binding.finding()).collect()
}

/// The secret of the status endpoint.
const TOKEN: &str = countersign_core::operations::status::TOKEN;

/// A name that the Worker finds something under.
struct Binding {
    name: String,
    /// Where it stands.
    path: String,
    /// The setting of wrangler that binds it.
    setting: String,
}

impl Binding {
    fn finding(&self) -> Finding {
        let kind = KINDS.iter().find(|(setting, _)| *setting == self.setting);
        let kind = match kind {
            Some((_, kind)) => (*kind).to_owned(),
            None => format!("an entry of `{}`", self.setting),
        };
        let name = &self.name;
        let reason = format!("{name} is bound as {kind}, not as a secret: {NO_KEY}");
        Finding::error(&self.path, reason).cure(format!(
            "give the binding another name, and set the secret: npx wrangler secret put {name}"
        ))
    }
}

/// What comes of it.
const NO_KEY: &str = "the Worker finds no key there, and answers 503";

/// All that a setting binds.
fn bindings(setting: &str, node: &Node) -> Vec<Binding> {
    if NO_BINDINGS.contains(&setting) {
        return Vec::new();
    }
    if FILES.contains(&setting) {
        let fields = node.fields().iter();
        let names = fields.map(|field| (field.name.as_str(), format!("{setting}.{}", field.name)));
        return names
            .map(|(name, path)| binding(setting, name, path))
            .collect();
    }
    let mut found = Vec::new();
    find_in(setting, setting, node, &mut found);
    found
}

/// `binding` of a table or of each entry of a list; in some lists it is called `name`.
fn find_in(setting: &str, path: &str, node: &Node, found: &mut Vec<Binding>) {
    let field = if NAMED.contains(&setting) {
        "name"
    } else {
        "binding"
    };
    if let Some(name) = node.get(field).and_then(Node::as_str) {
        found.push(binding(setting, name, format!("{path}.{field}")));
    }
    for (at, entry) in node.entries().iter().enumerate() {
        find_in(setting, &format!("{path}[{at}]"), entry, found);
    }
    for field in node.fields() {
        find_in(
            setting,
            &format!("{path}.{}", field.name),
            &field.node,
            found,
        );
    }
}

fn binding(setting: &str, name: &str, path: String) -> Binding {
    Binding {
        name: name.to_owned(),
        path,
        setting: setting.to_owned(),
    }
}

/// Settings that bind nothing beside what is looked at elsewhere; a secret of a Secrets Store is a secret.
const NO_BINDINGS: [&str; 5] = ["env", "vars", "secrets", "secrets_store_secrets", "routes"];

/// Settings whose fields are names of bindings, and files their values.
const FILES: [&str; 3] = ["wasm_modules", "text_blobs", "data_blobs"];

/// Settings in which `name` is what the Worker finds it under.
const NAMED: [&str; 5] = [
    "durable_objects",
    "send_email",
    "ratelimits",
    "unsafe",
    "logfwdr",
];

/// Settings, and what an entry of theirs is called.
const KINDS: [(&str, &str); 18] = [
    ("kv_namespaces", "a KV namespace"),
    ("r2_buckets", "an R2 bucket"),
    ("d1_databases", "a D1 database"),
    ("durable_objects", "a Durable Object"),
    ("services", "a service"),
    ("queues", "a queue"),
    ("workflows", "a workflow"),
    ("analytics_engine_datasets", "an Analytics Engine dataset"),
    ("hyperdrive", "a Hyperdrive"),
    ("vectorize", "a Vectorize index"),
    ("send_email", "an email binding"),
    ("mtls_certificates", "a client certificate"),
    ("dispatch_namespaces", "a dispatch namespace"),
    ("ratelimits", "a rate limit"),
    ("version_metadata", "the version's metadata"),
    ("assets", "the static assets"),
    ("ai", "Workers AI"),
    ("browser", "a browser"),
];
