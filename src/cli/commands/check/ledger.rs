//! What is wrong with the binding to the ledger, before Cloudflare refuses the deployment or nothing is counted.

use toml_edit::Item;

use super::finding::Finding;
use crate::project::config::Environment;
use crate::project::ledger;
use crate::project::toml::entries;

/// The class that the Worker exports.
const CLASS: &str = "Ledger";

const BINDINGS: &str = "durable_objects.bindings";

pub fn find(environment: &Environment<'_>) -> Option<Finding> {
    let binding = ledger::binding(environment)?;
    if text(&binding, "script_name").is_some() {
        return None; // another Worker has the class, and its migration
    }
    match text(&binding, "class_name") {
        Some(CLASS) => unmade(environment),
        class => Some(
            Finding::error(
                BINDINGS,
                format!(
                    "LEDGER is bound to the class {}, which this Worker does not have",
                    class.unwrap_or("of no name")
                ),
            )
            .cure("write class_name = \"Ledger\""),
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
    let migrations = environment.inherited("migrations").and_then(entries);
    match made_by(&migrations.unwrap_or_default()) {
        Made::WithSqlite => None,
        Made::WithoutSqlite => Some(
            Finding::error(
                "migrations",
                "new_classes makes the class Ledger without SQLite, which it keeps its counts in",
            )
            .cure("write new_sqlite_classes = [\"Ledger\"]"),
        ),
        Made::Not => Some(
            Finding::error(
                BINDINGS,
                "LEDGER is bound to the class Ledger, which no migration makes",
            )
            .cure(
                "write [[migrations]] with tag = \"ledger\" and new_sqlite_classes = [\"Ledger\"]",
            ),
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
fn made_by(migrations: &[Item]) -> Made {
    let mut made = Made::Not;
    for migration in migrations {
        let names = |field| {
            let classes = migration.get(field).and_then(entries).unwrap_or_default();
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

fn text<'i>(item: &'i Item, field: &str) -> Option<&'i str> {
    item.get(field).and_then(Item::as_str)
}
