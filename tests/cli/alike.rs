//! Whatever is configured, wrangler.toml and wrangler.jsonc mean the same: the same findings, and each step edits
//! both alike and loses no comment but those of an entry that it takes out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use serde_json::{Value, json};

/// A configuration, and how it is laid out.
#[derive(Clone, Debug)]
struct Site {
    mode: &'static str,
    fallbacks: Vec<Key>,
    origin: Option<&'static str>,
    accept: Vec<&'static str>,
    required: Option<Vec<&'static str>>,
    workers_dev: Option<bool>,
    kv: Option<&'static str>,
    in_environment: bool,
    layout: Layout,
}

#[derive(Clone, Debug)]
struct Key {
    name: &'static str,
    until: Option<&'static str>,
    upgrade: bool,
}

#[derive(Clone, Debug)]
struct Layout {
    /// One entry a line.
    is_tall: bool,
    /// A table each, also of a key that is a name alone; in TOML, `[[…]]`.
    has_tables: bool,
    has_last_comma: bool,
    line_end: &'static str,
    /// In JSONC, `/* … */`.
    has_blocks: bool,
    has_comments: bool,
}

const NAMES: [&str; 6] = ["OLD_1", "OLD_2", "SITE", "KEY_1", "KEY_2", "STORE"];

fn site() -> impl Strategy<Value = Site> {
    let key = (
        prop::sample::select(vec!["OLD_1", "OLD_2", "SITE", "KEY_2"]),
        prop::option::of(prop::sample::select(vec![
            "2026-11-01T00:00:00Z",
            "2027-02-01T00:00:00Z",
        ])),
        any::<bool>(),
    );
    let key = key.prop_map(|(name, until, upgrade)| Key {
        name,
        until,
        upgrade,
    });
    let flags = any::<(bool, bool, bool, bool, bool, bool)>();
    let layout = flags.prop_map(|flags| Layout {
        is_tall: flags.0,
        has_tables: flags.1,
        has_last_comma: flags.2,
        line_end: if flags.3 { "\r\n" } else { "\n" },
        has_blocks: flags.4,
        has_comments: flags.5,
    });
    let formats = vec!["flask", "cookie-session", "plain"];
    (
        prop::sample::select(vec!["observe", "enforce", "enforced"]),
        prop::collection::vec(key, 0..4),
        prop::option::weighted(0.9, Just("SITE")),
        prop::sample::subsequence(formats, 0..=2),
        prop::option::of(prop::sample::subsequence(NAMES.to_vec(), 0..=5)),
        any::<Option<bool>>(),
        prop::option::weighted(0.2, prop::sample::select(NAMES.to_vec())),
        any::<bool>(),
        layout,
    )
        .prop_map(|site| Site {
            mode: site.0,
            fallbacks: unlike(site.1),
            origin: site.2,
            accept: site.3,
            required: site.4,
            workers_dev: site.5,
            kv: site.6,
            in_environment: site.7,
            layout: site.8,
        })
}

/// Each name once.
fn unlike(keys: Vec<Key>) -> Vec<Key> {
    let mut names = BTreeSet::new();
    let mut keys = keys;
    keys.retain(|key| names.insert(key.name));
    keys
}

impl Site {
    fn toml(&self) -> String {
        let at = |path: &str| {
            if self.in_environment {
                format!("env.live.{path}")
            } else {
                path.to_owned()
            }
        };
        let note = |text: &str| self.comment("#", text, "");
        let mut toml = String::new();
        let _ = writeln!(toml, "{}name = \"shop\"", self.line("# the shop"));
        let _ = writeln!(toml, "main = \"build/index.js\"");
        if self.in_environment {
            toml.push_str("[env.live]\n");
        }
        if let Some(flag) = self.workers_dev {
            let _ = writeln!(toml, "workers_dev = {flag}");
        }
        if let Some(required) = &self.required {
            let list = self.toml_list(required.iter().map(|name| (json!(name), *name)));
            let _ = writeln!(toml, "[{}]\nrequired = {list}", at("secrets"));
        }
        if let Some(kv) = self.kv {
            let _ = writeln!(toml, "[[{}]]\nbinding = \"{kv}\"", at("kv_namespaces"));
        }
        let _ = writeln!(
            toml,
            "[{}]\nmode = \"{}\"",
            at("vars.COUNTERSIGN"),
            self.mode
        );
        let _ = writeln!(toml, "[{}]", at("vars.COUNTERSIGN.keys"));
        let _ = writeln!(toml, "current = \"KEY_1\"{}", note("signs"));
        if let Some(origin) = self.origin {
            let _ = writeln!(toml, "origin = \"{origin}\"{}", note("the site's"));
        }
        let entries = self.fallbacks.iter().map(|key| (self.entry(key), key.name));
        if self.layout.has_tables && self.layout.is_tall && !self.fallbacks.is_empty() {
            for (entry, name) in entries {
                let above = self.line(&format!("# above fallbacks {name}."));
                let _ = writeln!(toml, "{above}[[{}]]", at("vars.COUNTERSIGN.keys.fallbacks"));
                for (field, value) in entry.as_object().unwrap() {
                    let behind = match field.as_str() {
                        "secret" => note(&format!("in fallbacks {name}.")),
                        _ => String::new(),
                    };
                    let _ = writeln!(toml, "{field} = {value}{behind}");
                }
            }
        } else {
            let list = self.toml_list(entries);
            let _ = writeln!(toml, "fallbacks = {list}");
        }
        let _ = writeln!(
            toml,
            "{}[[{}]]",
            self.line("# sessions"),
            at("vars.COUNTERSIGN.cookies")
        );
        toml.push_str("name = \"session\"\nformat = \"django-session\"\nmax_age = 600\n");
        let accept = self
            .accept
            .iter()
            .map(|name| (json!({ "format": name }), *name));
        let _ = writeln!(toml, "accept = {}", self.toml_list(accept));
        let _ = writeln!(
            toml,
            "attributes = \"Path=/\"{}",
            note("as the site sets it")
        );
        toml.replace('\n', self.layout.line_end)
    }

    fn toml_list<'a>(&self, entries: impl Iterator<Item = (Value, &'a str)>) -> String {
        let entries = entries.map(|(entry, name)| (toml(&entry), name));
        self.list(entries.collect(), "#", "")
    }

    fn jsonc(&self) -> String {
        let (open, close) = self.marks();
        let note = |text: &str| self.comment(open, text, close);
        let line = |text: &str| self.line(&format!("{open} {text}{close}"));
        let mut own = Vec::new();
        if let Some(flag) = self.workers_dev {
            own.push(format!("\"workers_dev\": {flag},\n"));
        }
        if let Some(required) = &self.required {
            let list = self.jsonc_list(required.iter().map(|name| (json!(name), *name)));
            own.push(format!("\"secrets\": {{ \"required\": {list} }},\n"));
        }
        if let Some(kv) = self.kv {
            own.push(format!(
                "\"kv_namespaces\": [{{ \"binding\": \"{kv}\" }}],\n"
            ));
        }
        let mut keys = format!("\"current\": \"KEY_1\",{}\n", note("signs"));
        if let Some(origin) = self.origin {
            let _ = writeln!(keys, "\"origin\": \"{origin}\",{}", note("the site's"));
        }
        let entries = self.fallbacks.iter().map(|key| (self.entry(key), key.name));
        let list = if self.layout.has_tables && self.layout.is_tall && !self.fallbacks.is_empty() {
            let tall = entries.map(|(entry, name)| {
                let fields = entry.as_object().unwrap().iter();
                let fields: Vec<String> = fields
                    .map(|(field, value)| format!("\"{field}\": {value}"))
                    .collect();
                let above = line(&format!("above fallbacks {name}."));
                let inside = note(&format!("in fallbacks {name}."));
                format!("{above}{{{inside}\n{}\n}}", fields.join(",\n"))
            });
            format!("[\n{}\n]", tall.collect::<Vec<_>>().join(",\n"))
        } else {
            self.jsonc_list(entries)
        };
        let _ = writeln!(keys, "\"fallbacks\": {list}");
        let accept = self
            .accept
            .iter()
            .map(|name| (json!({ "format": name }), *name));
        let accept = self.jsonc_list(accept);
        let sessions = line("sessions");
        let behind = note("as the site sets it");
        own.push(format!(
            "\"vars\": {{ \"COUNTERSIGN\": {{\n\"mode\": \"{}\",\n\"keys\": {{\n{keys}}},\n\"cookies\": [\n{sessions}{{\n\"name\": \"session\",\n\"format\": \"django-session\",\n\"max_age\": 600,\n\"accept\": {accept},\n\"attributes\": \"Path=/\"{behind}\n}}\n]\n}} }}\n",
            self.mode
        ));
        let own = own.concat();
        let own = if self.in_environment {
            format!("\"env\": {{ \"live\": {{\n{own}}} }}\n")
        } else {
            own
        };
        let shop = line("the shop");
        let text =
            format!("{{\n{shop}\"name\": \"shop\",\n\"main\": \"build/index.js\",\n{own}}}\n");
        text.replace('\n', self.layout.line_end)
    }

    fn jsonc_list<'a>(&self, entries: impl Iterator<Item = (Value, &'a str)>) -> String {
        let (open, close) = self.marks();
        let entries = entries.map(|(entry, name)| (entry.to_string(), name));
        self.list(entries.collect(), open, close)
    }

    fn list(&self, entries: Vec<(String, &str)>, open: &str, close: &str) -> String {
        if !self.layout.is_tall || entries.is_empty() {
            let entries: Vec<String> = entries.into_iter().map(|(entry, _)| entry).collect();
            return format!("[{}]", entries.join(", "));
        }
        let count = entries.len();
        let mut list = format!("[{}\n", self.comment(open, "the first line", close));
        for (at, (entry, name)) in entries.into_iter().enumerate() {
            let comma = if at + 1 < count || self.layout.has_last_comma {
                ","
            } else {
                ""
            };
            let above = self.line(&format!("{open} above {name}.{close}"));
            let behind = self.comment(open, &format!("behind {name}."), close);
            let _ = writeln!(list, "{above}  {entry}{comma}{behind}");
        }
        list + "]"
    }

    fn entry(&self, key: &Key) -> Value {
        let mut entry = json!({ "secret": key.name });
        if let Some(until) = key.until {
            entry["until"] = json!(until);
        }
        if key.upgrade {
            entry["upgrade"] = json!(false);
        }
        if entry.as_object().unwrap().len() == 1 && !self.layout.has_tables {
            return json!(key.name);
        }
        entry
    }

    fn marks(&self) -> (&'static str, &'static str) {
        if self.layout.has_blocks {
            ("/*", " */")
        } else {
            ("//", "")
        }
    }

    fn line(&self, comment: &str) -> String {
        if self.layout.has_comments {
            format!("{comment}\n")
        } else {
            String::new()
        }
    }

    fn comment(&self, open: &str, text: &str, close: &str) -> String {
        if self.layout.has_comments {
            format!(" {open} {text}{close}")
        } else {
            String::new()
        }
    }
}

fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name} = {value}"));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

/// A folder with one configuration.
struct Folder {
    path: PathBuf,
    file: &'static str,
}

impl Folder {
    fn new(file: &'static str, text: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-alike-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join(file), text).unwrap();
        Self { path, file }
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path.join(self.file)).unwrap()
    }

    /// Exit code and what is printed, without the file's name and the lines that change.
    fn run(&self, arguments: &[&str], now: u64) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .current_dir(&self.path)
            .env("COUNTERSIGN_NOW", now.to_string())
            .env_remove("CLOUDFLARE_ENV")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap().replace(self.file, "FILE");
        let lines = said.lines().filter(|line| !line.starts_with(['+', '-']));
        (output.status.code(), lines.collect::<Vec<_>>().join("\n"))
    }

    /// What `check` finds, without what the syntax makes different.
    fn findings(&self) -> Value {
        let (_, said) = self.run(&["check", "--json"], NOW);
        let mut report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let findings = report["findings"].as_array_mut().unwrap();
        for finding in findings.iter_mut() {
            for own in ["line", "file", "cure"] {
                finding.as_object_mut().unwrap().remove(own);
            }
            let reason = finding["reason"].as_str().unwrap();
            let reason = reason.replace("[env.live]", "env.live");
            // an inline table in TOML has no line of its own
            finding["reason"] = json!(reason);
        }
        findings.sort_by_key(Value::to_string);
        report["findings"].take()
    }

    /// The whole file; `[[…]]` has no names alone, so that a key is a table there.
    fn value(&self) -> Value {
        let text = self.text();
        if self.file.ends_with("toml") {
            short(toml_edit::de::from_str(&text).unwrap())
        } else {
            let read = jsonc_parser::parse_to_ast(&text, &Default::default(), &Default::default());
            short(read.unwrap().value.unwrap().into())
        }
    }
}

/// A key of which there is only its name, as the name.
fn short(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(short).collect(),
        Value::Object(fields) => match fields.get("secret") {
            Some(name) if fields.len() == 1 => name.clone(),
            _ => fields
                .into_iter()
                .map(|(name, value)| (name, short(value)))
                .collect(),
        },
        value => value,
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// 2026-11-21 12:00 UTC.
const NOW: u64 = 1_795_262_400;

/// The comments of a text: what stands behind their marks.
fn comments(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| {
        let marks = ["# ", "// ", "/* "];
        let (_, comment) = marks.iter().find_map(|mark| line.split_once(mark))?;
        let comment = comment.split(" */").next().unwrap();
        Some(comment.trim().to_owned())
    });
    let mut found: Vec<String> = lines.collect();
    found.sort();
    found
}

/// Whether a comment is about an entry that the configuration has no longer in the same list.
fn is_about_gone(comment: &str, value: &Value, environment: bool) -> bool {
    let Some((_, name)) = comment.trim_end_matches('.').rsplit_once(' ') else {
        return false;
    };
    let own = if environment {
        &value["env"]["live"]
    } else {
        value
    };
    let variable = &own["vars"]["COUNTERSIGN"];
    let lists = [
        &variable["keys"]["fallbacks"],
        &variable["cookies"][0]["accept"],
        &own["secrets"]["required"],
    ];
    let is_entry = |entry: &Value| {
        [entry, &entry["secret"], &entry["format"]]
            .iter()
            .any(|one| one.as_str() == Some(name))
    };
    let listed = lists.iter().map(|list| {
        list.as_array()
            .is_some_and(|list| list.iter().any(is_entry))
    });
    comment.ends_with('.') && listed.filter(|is_listed| *is_listed).count() < 3
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..Default::default() })]

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "the clock of a release build cannot be set")]
    fn both_syntaxes_mean_the_same_and_are_edited_alike(site in site()) {
        let folders = [
            Folder::new("wrangler.toml", &site.toml()),
            Folder::new("wrangler.jsonc", &site.jsonc()),
        ];
        let [toml, jsonc] = &folders;
        prop_assert_eq!(toml.value(), jsonc.value(), "{}", jsonc.text());
        prop_assert_eq!(toml.findings(), jsonc.findings(), "{}", jsonc.text());
        let steps: [(&[&str], u64); 6] = [
            (&["stage", "NEW", "--offline"], NOW),
            (&["promote", "NEW", "--offline", "--grace", "1h"], NOW),
            (&["retire", "KEY_1", "--offline"], NOW + 90_000),
            (&["stage", "--format", "flask", "--rule", "session", "--offline"], NOW + 90_000),
            (&["revoke", "OLD_1", "--offline"], NOW + 90_000),
            (&["leave", "--offline"], NOW + 90_000),
        ];
        for (arguments, now) in steps {
            let mut arguments = arguments.to_vec();
            if site.in_environment {
                arguments.extend(["--env", "live"]);
            }
            let before = folders.each_ref().map(Folder::text);
            let said = folders.each_ref().map(|folder| folder.run(&arguments, now));
            let [of_toml, of_jsonc] = &said;
            prop_assert_eq!(of_toml.0, of_jsonc.0, "{:?}\n{}\n{}\n{}", arguments, of_toml.1, of_jsonc.1, before[1]);
            prop_assert_eq!(toml.value(), jsonc.value(), "{:?}\n{}\n{}", arguments, before[1], jsonc.text());
            for (folder, before) in folders.iter().zip(&before) {
                let (text, value) = (folder.text(), folder.value());
                let kept = comments(&text);
                let mut all = kept.clone();
                all.dedup();
                for comment in comments(before) {
                    let is_kept = kept.contains(&comment) || is_about_gone(&comment, &value, site.in_environment);
                    prop_assert!(is_kept, "{:?}: {}\n{}\n{}", arguments, comment, before, text);
                }
                let ends = text.matches('\n').count();
                let windows = text.matches("\r\n").count();
                prop_assert!(windows == if site.layout.line_end == "\n" { 0 } else { ends }, "{text:?}");
            }
        }
    }
}

fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[test]
fn a_comment_is_told_from_its_mark() {
    assert_eq!(comments("a # b\n/* c */ d\n// e"), ["b", "c", "e"]);
    assert!(Path::new(env!("CARGO_BIN_EXE_countersign")).is_file());
}
