//! What would be lost between live Workers, by what their status endpoints say.
//!
//! A status a line comes in, `null` for no Worker; out goes a row for each with `{lost, notes}` of the change
//! from it to each. `countersign check --against` is not asked this because it knows no bytes of keys.

use std::error::Error;
use std::io::stdin;

use countersign_core::operations::compatibility::{losses, notes};
use countersign_core::operations::outline::Outline;
use countersign_core::operations::told;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let lines = stdin().lines().collect::<Result<Vec<_>, _>>()?;
    let statuses = lines.iter().map(|line| serde_json::from_str(line));
    let statuses = statuses.collect::<Result<Vec<Value>, _>>()?;
    let rows = statuses.iter().map(|from| {
        let changes = statuses.iter().map(|to| change(from, to));
        changes.collect::<Result<Vec<_>, _>>()
    });
    println!("{}", Value::from(rows.collect::<Result<Vec<_>, _>>()?));
    Ok(())
}

fn change(from: &Value, to: &Value) -> Result<Value, String> {
    let now = from["now"].as_u64().max(to["now"].as_u64()).unwrap_or(0);
    let (from, to) = (outline(from, to)?, outline(to, from)?);
    let lost: Vec<String> = losses(&from, &to, now)
        .iter()
        .map(ToString::to_string)
        .collect();
    let notes: Vec<String> = notes(&from, &to, now)
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok(json!({ "lost": lost, "notes": notes }))
}

/// Without a Worker it is the origin's part of the other's.
fn outline(status: &Value, other: &Value) -> Result<Outline, String> {
    match (status.is_null(), other.is_null()) {
        (true, true) => Ok(Outline::default()),
        (true, false) => Ok(told::outline(other)?.without_worker()),
        _ => told::outline(status),
    }
}
