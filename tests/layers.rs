//! The command line is built in layers, commands → rotation → remote → project → terminal: each names only what
//! stands right of it, and no files name each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: [&str; 5] = ["commands", "rotation", "remote", "project", "terminal"];

/// What the fuzz targets call.
const FOR_FUZZING: &str = "fuzzing";

/// The files of one type whose methods stand in several: `impl Draft` in each.
const ONE_TYPE: &str = "rotation::editing";

/// Modules by name, such as `remote::live`, and the modules that each names.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn each_layer_of_the_command_line_names_only_itself_and_those_after_it() {
    let graph = graph();
    let layer = |module: &str| {
        let first = module.split("::").next().unwrap();
        LAYERS.iter().position(|layer| *layer == first)
    };
    for (module, named) in &graph {
        // main.rs, lib.rs and what fuzz targets call stand before all of them
        let own = layer(module).unwrap_or_default();
        for other in named {
            if module.is_empty() && other == FOR_FUZZING {
                continue;
            }
            let theirs = layer(other).unwrap_or_else(|| panic!("{module} names {other}"));
            assert!(own <= theirs, "{module} names {other}");
        }
    }
    for layer in LAYERS {
        let files = graph.keys().filter(|module| module.starts_with(layer));
        assert!(files.count() > 3, "{layer}");
    }
}

#[test]
fn no_files_of_the_command_line_name_each_other_in_a_circle() {
    let mut graph = graph();
    // what names nothing that is left is in no circle; what remains in the end is
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        graph.retain(|_, named| named.iter().any(|other| left.contains(other)));
        if graph.len() == left.len() {
            break;
        }
    }
    graph.retain(|_, named| !named.is_empty());
    assert!(graph.is_empty(), "in a circle, or naming one: {graph:#?}");
}

#[test]
fn what_a_file_names_is_found_however_it_is_written() {
    let text = "use crate::a::{self, b::{C, d}};\nmod e;\nfn f() { super::g::h() }\n// crate::i\n";
    let expected = ["a", "a::b::C", "a::b::d", "x::g::h", "x::y::e"].map(str::to_owned);
    assert_eq!(paths(text, "x::y"), BTreeSet::from(expected));
    let text = "use super::super::a;";
    assert_eq!(paths(text, "x::y"), BTreeSet::from(["a".to_owned()]));
}

fn graph() -> Graph {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/cli"));
    let mut texts = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.insert(module(root, &path), fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts.retain(|module, _| !module.ends_with("::tests"));
    let modules: BTreeSet<String> = texts.keys().cloned().collect();
    let mut graph = Graph::new();
    for (module, text) in &texts {
        let named = paths(text, module).into_iter();
        let named = named.filter_map(|path| of(&path, &modules)).map(unit);
        let own = unit(module.clone());
        let named = named.filter(|other| *other != own).collect::<Vec<_>>();
        graph.entry(own).or_default().extend(named);
    }
    graph
}

/// `remote::live` for `remote/live.rs`; nothing for `main.rs` and `lib.rs`.
fn module(root: &Path, path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root).unwrap().with_extension("");
    let names = path.iter().map(|name| name.to_str().unwrap());
    let names: Vec<&str> = names
        .filter(|name| !["main", "lib"].contains(name))
        .collect();
    names.join("::")
}

fn unit(module: String) -> String {
    if module.starts_with(ONE_TYPE) {
        ONE_TYPE.to_owned()
    } else {
        module
    }
}

/// The module of an item: the longest beginning of its path that is one.
fn of(path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut module = path;
    while !modules.contains(module) {
        module = module.rsplit_once("::")?.0;
    }
    Some(module.to_owned())
}

/// The full paths of all that a file names beyond itself, and of the modules that it declares.
fn paths(text: &str, module: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        tree(&code[at + "crate::".len()..], "", &mut found);
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut parent = module;
        while let Some(behind) = rest.strip_prefix("super::") {
            (rest, parent) = (behind, parent.rsplit_once("::").map_or("", |(up, _)| up));
        }
        tree(rest, parent, &mut found);
    }
    for line in code.lines() {
        let declared = line.strip_prefix("pub ").unwrap_or(line);
        let declared = declared.strip_prefix("mod ");
        if let Some(name) = declared.and_then(|line| line.strip_suffix(';')) {
            found.push(join(module, name));
        }
    }
    found.into_iter().collect()
}

/// Reads `a::{b, c::d}` at the beginning of a text; answers how many bytes it takes.
fn tree(text: &str, before: &str, found: &mut Vec<String>) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = text.split(|c| !is_name(c)).next().unwrap();
    let path = match name {
        "" | "self" => before.to_owned(),
        name => join(before, name),
    };
    let rest = &text[name.len()..];
    if let Some(inner) = rest.strip_prefix("::") {
        return name.len() + 2 + tree(inner, &path, found);
    }
    if !rest.starts_with('{') || !name.is_empty() {
        found.push(path);
        return name.len();
    }
    let mut at = 1;
    loop {
        let skipped = rest[at..].find(|c| is_name(c) || c == '}').unwrap();
        at += skipped;
        if rest[at..].starts_with('}') {
            return at + 1;
        }
        at += tree(&rest[at..], before, found);
    }
}

fn join(before: &str, name: &str) -> String {
    if before.is_empty() {
        name.to_owned()
    } else {
        format!("{before}::{name}")
    }
}
