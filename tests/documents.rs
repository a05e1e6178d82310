//! The documents hold: the rules to paste are accepted, every format and every numbered rule is described, every link
//! leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign_core::config::Policy;
use countersign_core::formats::description::{DefaultValue, Description, FormatOption};
use countersign_core::formats::{self, KeyShape};
use serde_json::{Value, json};

#[allow(dead_code, reason = "shared with the tests of the rules")]
#[path = "rules/schema.rs"]
mod schema;

const FORMATS: &str = include_str!("../docs/formats.md");
const CONFIGURATION: &str = include_str!("../docs/configuration.md");
const DESIGN: &str = include_str!("../docs/design.md");

fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("```toml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap())
}

/// The rules that the TOML blocks hold.
fn rules(text: &str) -> Vec<Value> {
    let parsed = blocks(text).map(|block| {
        let table: toml::Table = toml::from_str(block).unwrap_or_else(|e| panic!("{e}\n{block}"));
        serde_json::to_value(table).unwrap()
    });
    let cookies = |block: Value| block["vars"]["COUNTERSIGN"]["cookies"].as_array().cloned();
    parsed.filter_map(cookies).flatten().collect()
}

/// The same document, with the line for a site that sets a lifetime in the place of the other.
fn lasting(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_replaced = |at: usize| {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        lines[at].starts_with("attributes") && next.starts_with("# attributes")
    };
    let kept = (0..lines.len()).filter(|at| !is_replaced(*at));
    let kept = kept.map(|at| match lines[at].strip_prefix("# ") {
        Some(line) if line.starts_with("attributes") => line,
        _ => lines[at],
    });
    kept.collect::<Vec<_>>().join("\n")
}

fn secret(name: &str) -> Option<String> {
    let long = "0123456789abcdef0123456789abcdef".repeat(4);
    Some(match name {
        "BYTES" => long[..32].to_owned(),
        _ => long,
    })
}

fn is_accepted(rule: &Value) {
    let description = formats::description(rule["format"].as_str().unwrap()).unwrap();
    let key = match description.key_shape() {
        KeyShape::Base64 { bytes: 32, .. } | KeyShape::Base64Url(32) => "BYTES",
        _ => "KEY",
    };
    let keys = json!({"current": key, "origin": key});
    let config = json!({"keys": keys, "cookies": [rule]});
    if let Err(problems) = Policy::parse(&config, &secret) {
        panic!("{config}: {problems:?}");
    }
    schema::assert_taken(&config);
}

#[test]
fn each_rule_to_paste_is_accepted() {
    let rules = rules(FORMATS);
    assert!(rules.len() > 25, "{}", rules.len());
    rules.iter().for_each(is_accepted);
}

#[test]
fn each_rule_for_a_site_that_sets_a_lifetime_is_accepted() {
    let lines = FORMATS.matches("\n# attributes").count();
    assert!(lines > 15, "{lines}");
    let rules = rules(&lasting(FORMATS));
    let lasts = |rule: &&Value| rule["attributes"].as_str().unwrap().contains("Max-Age=");
    assert!(rules.iter().filter(lasts).count() > lines);
    rules.iter().for_each(is_accepted);
}

#[test]
fn the_two_applications_under_two_paths_are_accepted_and_each_has_its_path() {
    let section = CONFIGURATION.split("\n## Two applications").nth(1).unwrap();
    let examples: Vec<toml::Table> = blocks(section)
        .map(|block| toml::from_str(block).unwrap())
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let example = serde_json::to_value(example).unwrap();
        let config = &example["vars"]["COUNTERSIGN"];
        if let Err(problems) = Policy::parse(config, &secret) {
            panic!("{config}: {problems:?}");
        }
        schema::assert_taken(config);
        let pattern = example["routes"][0]["pattern"].as_str().unwrap();
        let path = pattern
            .trim_start_matches("www.example.com")
            .trim_end_matches("/*");
        let attributes = config["cookies"][0]["attributes"].as_str().unwrap();
        assert!(
            attributes.starts_with(&format!("Path={path};")),
            "{attributes}"
        );
    }
}

/// The first two cells of a format's row, made from what it says of itself.
fn row(format: &Description) -> String {
    let options: Vec<String> = format.options.iter().map(cell).collect();
    let options = match options.join(", ") {
        options if options.is_empty() => options,
        options => format!(": {options}"),
    };
    format!("| `{}`{options} | {} |", format.name, format.used_by)
}

fn cell(option: &FormatOption) -> String {
    let default = match option.default {
        DefaultValue::Required => None,
        DefaultValue::Unset => Some("none".to_owned()),
        default => default.value().map(|value| format!("`{value}`")),
    };
    let about = Some(option.about.to_owned()).filter(|about| !about.is_empty());
    let within: Vec<String> = default.into_iter().chain(about).collect();
    if within.is_empty() {
        format!("`{}`", option.name)
    } else {
        format!("`{}` ({})", option.name, within.join("; "))
    }
}

#[test]
fn the_table_of_formats_is_what_each_says_of_itself() {
    let table = FORMATS.split("## The formats\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    for format in formats::descriptions() {
        let expected = row(format);
        let is_there = rows.iter().any(|row| row.starts_with(&expected));
        assert!(
            is_there,
            "docs/formats.md lacks a row that starts with\n{expected}"
        );
    }
    assert_eq!(rows.len(), formats::names().count());
}

#[test]
fn every_format_has_its_wire_layout() {
    let layouts = FORMATS.split("## Wire layouts\n").nth(1).unwrap();
    let headings = layouts.lines().filter_map(|line| line.strip_prefix("### "));
    let described: BTreeSet<&str> = headings.flat_map(|heading| heading.split(", ")).collect();
    for name in formats::names() {
        assert!(described.contains(name), "{name}");
    }
}

#[test]
fn every_numbered_rule_that_is_cited_is_defined_in_the_design() {
    let known: Vec<String> = [('R', 7), ('S', 6), ('C', 4), ('B', 5)]
        .into_iter()
        .flat_map(|(letter, last)| (1..=last).map(move |number| format!("{letter}{number}")))
        .collect();
    for rule in &known {
        assert!(DESIGN.contains(&format!("- **{rule}. ")), "{rule}");
    }
    let mut cited = 0;
    for file in files_below(&["src", "tests"], &["rs", "mjs", "js"]) {
        let text = fs::read_to_string(&file).unwrap();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let is_number = |rest: &str| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit();
            if word.strip_prefix(['R', 'S']).is_some_and(is_number) {
                assert!(known.iter().any(|rule| rule == word), "{word} in {file:?}");
                cited += 1;
            }
        }
    }
    assert!(cited > 20, "{cited}");
}

/// The order in which docs/design.md lists them; the workspace itself keeps Worker and command line out.
#[test]
fn each_module_of_the_core_names_only_those_before_it() {
    let order = [
        "wire",
        "crypto",
        "settings",
        "formats",
        "config",
        "gate",
        "operations",
    ];
    for (at, module) in order.iter().enumerate() {
        let files = files_below(&[&format!("src/core/{module}")], &["rs"]);
        assert!(!files.is_empty(), "{module}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            for later in &order[at + 1..] {
                let names = code.contains(&format!("crate::{later}"));
                assert!(!names, "{}: {module} names {later}", file.display());
            }
        }
    }
}

#[test]
fn every_fault_that_fuzzing_plants_has_its_place_in_the_source() {
    let text = fs::read_to_string(root().join("tests/fuzz/planted.json")).unwrap();
    let faults: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(faults.len() > 30);
    for fault in &faults {
        for edit in fault["edits"].as_array().unwrap() {
            let file = edit["file"].as_str().unwrap();
            let source = fs::read_to_string(root().join(file)).unwrap();
            let times = source.matches(edit["text"].as_str().unwrap()).count();
            assert_eq!(times, 1, "{} in {file}", fault["name"]);
        }
    }
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut documents = files_below(&["docs", "tests"], &["md"]);
    let top = ["README", "CONTRIBUTING", "SECURITY", "CHANGELOG"];
    documents.extend(top.map(|name| root().join(name).with_extension("md")));
    let mut followed = 0;
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            assert!(linked.exists(), "{document:?}: {target}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&linked).unwrap();
                let has = anchors(&text).iter().any(|known| known == anchor);
                assert!(has, "{document:?}: {target}");
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "{followed}");
}

/// The targets of a document's links that lead to this repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// What the headings of a document are linked as.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let as_anchor = |c: char| match c {
        ' ' => Some('-'),
        c => (c.is_alphanumeric() || c == '-' || c == '_').then_some(c),
    };
    headings
        .map(|heading| heading.chars().filter_map(as_anchor).collect())
        .collect()
}

/// The project's own, without what the tests have installed.
fn files_below(folders: &[&str], extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                folders.extend((!path.ends_with("node_modules")).then_some(path));
            } else if extension.is_some_and(|extension| extensions.contains(&extension)) {
                found.push(path);
            }
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_field_of_the_schema_is_in_the_document_of_the_configuration() {
    let definitions = countersign_core::config::schema::definitions();
    let tables = definitions.iter().filter(|(name, _)| !name.contains('.'));
    let is_option = |field: &str| {
        let mut options = formats::descriptions().flat_map(|format| format.options);
        options.any(|option| option.name == field)
    };
    for (table, schema) in tables {
        for field in schema["properties"].as_object().unwrap().keys() {
            let is_named = CONFIGURATION.contains(&format!("`{field}`"))
                || CONFIGURATION.contains(&format!("{field} = "));
            let is_above = CONFIGURATION.contains(&format!("[vars.COUNTERSIGN.{field}]"));
            assert!(is_named || is_above || is_option(field), "{table}: {field}");
        }
    }
}
