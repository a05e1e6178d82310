//! How the command line reads files as wrangler's dotenv does.
//!
//! The text of a file a line comes in, as JSON; out goes an object for each, `{lines, variables, expanded}`: every line
//! that sets a variable, `[line, name, is_cut]`; what it makes of a `.dev.vars`; and of a `.env`, `null` where the
//! expansion has no end.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::stdin;

use serde_json::json;

#[path = "../../../src/cli/project/dotenv.rs"]
mod dotenv;
#[path = "../../../src/cli/project/expansion.rs"]
mod expansion;

fn main() -> Result<(), Box<dyn Error>> {
    let mut rows = Vec::new();
    for line in stdin().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let read = dotenv::parse(text.as_bytes());
        let lines: Vec<_> = read
            .iter()
            .map(|one| json!([one.line, one.name, one.is_cut]))
            .collect();
        let read: expansion::Variables = read
            .into_iter()
            .map(|one| (one.name, one.value.to_string()))
            .collect();
        let expanded = expansion::expand(&read, &Vec::new());
        let expanded: Option<BTreeMap<_, _>> = expanded.map(|all| all.into_iter().collect());
        let read: BTreeMap<_, _> = read.into_iter().collect();
        rows.push(json!({ "lines": lines, "variables": read, "expanded": expanded }));
    }
    println!("{}", json!(rows));
    Ok(())
}
