//! What is wrong with the binding to the ledger, before Cloudflare refuses the deployment or nothing is counted.

use serde_json::json;

use super::finding::Finding;
use crate::project::config::Environment;
use crate::project::document::node::Node;
use crate::project::ledger;

/// The class that the Worker exports.
const CLASS: &str = "Ledger";

const BINDINGS: &str = "durable_objects.bindings";

pub fn find(environment: &Environment<'_>) -> Option<Finding> {
    let binding = ledger::binding(environment)?;
    if text(binding, "script_name").is_some() {
        return None; // another Worker has the class, and its migration
    }
    match text(binding, "class_name") {
        Some(CLASS) => unmade(environment),
        class => Some(
            Finding::error(
                BINDINGS,
                format!(
                    "LEDGER is bound to the class {}, which this Worker does not have",
                    class.unwrap_or("of no name")
                ),
            )
            .cure(format!(
                "write {}",
                environment.written("class_name", &json!(CLASS))
            )),
        ),
    }
}

/// A class that is bound has to be made by a migration, with SQLite.
fn unmade(environment: &Environment<'_>) -> Option<Finding> {
    let is_declared = environment
        .inherited("exports")
        .is_some_and(|exports| exports.get(CLASS).is_some());
    if is_declared {
        return None;
    }
    let migrations = environment.inherited("migrations");
    match made_by(migrations.map_or(&[], Node::entries)) {
        Made::WithSqlite => None,
        Made::WithoutSqlite => Some(
            Finding::error(
                "migrations",
                "new_classes makes the class Ledger without SQLite, which it keeps its counts in",
            )
            .cure(format!(
                "write {}",
                environment.written("new_sqlite_classes", &json!([CLASS]))
            )),
        ),
        Made::Not => Some(
            Finding::error(
                BINDINGS,
                "LEDGER is bound to the class Ledger, which no migration makes",
            )
            .cure(format!(
                "write an entry of `migrations` with {} and {}",
                environment.written("tag", &json!("ledger")),
                environment.written("new_sqlite_classes", &json!([CLASS]))
            )),
        ),
    }
}

/// How the class is made.
enum Made {
    Not,
    WithSqlite,
    WithoutSqlite,
}

/// What the migrations come to, in their order.
fn made_by(migrations: &[Node]) -> Made {
    let mut made = Made::Not;
    for migration in migrations {
        let names = |field| {
            let classes = migration.get(field).map_or(&[][..], Node::entries);
            classes.iter().any(|class| class.as_str() == Some(CLASS))
        };
        if names("new_sqlite_classes") {
            made = Made::WithSqlite;
        } else if names("new_classes") {
            made = Made::WithoutSqlite;
        } else if names("deleted_classes") {
            made = Made::Not;
        }
    }
    made
}

fn text<'n>(node: &'n Node, field: &str) -> Option<&'n str> {
    node.get(field).and_then(Node::as_str)
}
