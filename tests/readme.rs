//! The rules that the README gives to paste are accepted, and it names every format.

use countersign::formats;
use countersign::policy::Policy;
use serde_json::{Value, json};

const README: &str = include_str!("../README.md");

/// The TOML blocks that hold rules.
fn rules() -> Vec<Value> {
    let blocks = README.split("```toml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let parsed = blocks.map(|block| {
        let table: toml::Table = toml::from_str(block).unwrap_or_else(|e| panic!("{e}\n{block}"));
        serde_json::to_value(table).unwrap()
    });
    let cookies = |block: Value| block["vars"]["COUNTERSIGN"]["cookies"].as_array().cloned();
    parsed.filter_map(cookies).flatten().collect()
}

fn secret(name: &str) -> Option<String> {
    let long = "0123456789abcdef0123456789abcdef".repeat(4);
    Some(match name {
        "BYTES" => long[..32].to_owned(),
        _ => long,
    })
}

#[test]
fn each_rule_to_paste_is_accepted() {
    let rules = rules();
    assert!(rules.len() > 25, "{}", rules.len());
    for rule in rules {
        // these take a key of 32 bytes
        let of_bytes = ["fastify-secure-session", "fernet", "laravel"];
        let format = rule["format"].as_str().unwrap();
        let key = if of_bytes.contains(&format) {
            "BYTES"
        } else {
            "KEY"
        };
        let keys = json!({"current": key, "origin": key});
        let config = json!({"keys": keys, "cookies": [rule]});
        if let Err(problems) = Policy::parse(&config, &secret) {
            panic!("{config}: {problems:?}");
        }
    }
}

#[test]
fn every_format_has_its_row_and_a_row_its_format() {
    let table = README.split("## Formats\n").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut rows: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    rows.truncate(formats::names().count());
    rows.sort_unstable();
    let mut names: Vec<&str> = formats::names().collect();
    names.sort_unstable();
    assert_eq!(rows, names);
}
