//! What would be lost between live Workers, by what their status endpoints say.
//!
//! A status a line comes in, `null` for no Worker; out goes a row for each with `{lost, notes}` of the change
//! from it to each. `countersign check --against` is not asked this because it knows no bytes of keys.

use std::error::Error;
use std::io::stdin;

use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::{losses, notes};
use countersign_core::operations::status_reply;
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
    let (from, to) = (capabilities(from, to)?, capabilities(to, from)?);
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
fn capabilities(status: &Value, other: &Value) -> Result<Capabilities, String> {
    match (status.is_null(), other.is_null()) {
        (true, true) => Ok(Capabilities::default()),
        (true, false) => Ok(status_reply::capabilities(other)?.without_worker()),
        _ => status_reply::capabilities(status),
    }
}
