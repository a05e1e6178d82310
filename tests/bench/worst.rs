//! The headers that cost most for their length: for each format, with 20 rules of it, and for the gate itself.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use countersign_core::config::Policy;
use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Content, Keyed, PAIR};
use countersign_core::gate::Gate;
use countersign_core::settings::{Problem, Problems, Table};
use countersign_core::wire::encoding::{base64url, from_base64, from_hex, push_base64};
use serde_json::{Value, json};

/// How many rules a site has.
const RULES: usize = 20;
const NOW: u64 = 1_800_000_000;

/// A gate, and headers that are hard work for it.
pub struct Site {
    pub name: String,
    pub gate: Gate,
    /// When they are shown, in Unix seconds.
    pub now: u64,
    /// What fills a header, again and again, by what it is.
    pub kinds: Vec<(String, Kind)>,
}

/// What a header is filled with.
pub enum Kind {
    /// The same text.
    Same(String),
    /// The one, then the other as often.
    Halves(String, String),
}

impl Kind {
    /// A header of about so many bytes.
    pub fn header(&self, bytes: usize) -> String {
        self.times((bytes / self.times(1).len()).max(1))
    }

    /// A header with each text so often.
    pub fn times(&self, number: usize) -> String {
        match self {
            Self::Same(text) => text.repeat(number),
            Self::Halves(a, b) => a.repeat(number) + &b.repeat(number),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A site for each format, and some of odd names and of several formats. Values are filled up to these lengths.
pub fn sites(lengths: &[usize]) -> Vec<Site> {
    let mut sites = named();
    sites.push(keygrip());
    let rows = rows();
    for format in formats::names().filter(|name| *name != "plain") {
        let row = rows.get(format);
        let row = row.unwrap_or_else(|| panic!("no vector of {format} opens"));
        sites.push(site_of(row, lengths));
    }
    sites
}

/// Values that each ask for slow derivations, by salts of their own. The bound of R6 for these comes beside the others.
pub fn slow() -> Site {
    let rule = |rule: usize| json!({"name": format!("h3x{rule}"), "format": "iron", "iterations": 8_192, "upgrade": "never"});
    let (iv, mac) = ("a".repeat(21) + "A", "a".repeat(42) + "A");
    let forged = |salt: usize| format!("h3x0=Fe26.2**{salt:064x}*{iv}*{mac}**{salt:064x}*{mac}; ");
    let kinds = vec![(
        "salts of their own".to_owned(),
        Kind::Same((0..480).map(forged).collect()),
    )];
    site("iron, 8192 iterations", rule, kinds)
}

/// Sites whose headers are hard to look over, whatever the format.
fn named() -> Vec<Site> {
    let long = |rule: usize| format!("{}{rule:02}", "session_".repeat(15));
    let crossing = |rule: usize| format!("{}{rule:02}", "a_".repeat(60));
    let usual = |rule: usize| format!("session{rule:02}");
    let named = |what: &str, name: &dyn Fn(usize) -> String, kinds: &[&str]| {
        let kinds = kinds.iter().map(|text| {
            let text = text.replace("NAME", &name(RULES - 1));
            let label: String = text.chars().take(24).collect();
            (label, Kind::Same(text))
        });
        let rule =
            |rule| json!({"name": name(rule), "format": "django-session", "upgrade": "never"});
        site(what, rule, kinds.collect())
    };
    let long_piece = format!("x={} ", &long(0)[..119]);
    vec![
        named(
            "pairs",
            &usual,
            &[
                ";",
                "s;",
                "s=;",
                "=;",
                "$;",
                "$;a;",
                "$;s;",
                "S=;a;",
                "session00=;a;",
                "x=\"\"; ",
                "\";",
                "x=s s s s s s s s s s s s;",
                "session00;",
                "session00 ;",
                "session00=;",
                "session00=a; ",
                "x=%73%65ssion00 =;",
                "%%%%%%%%",
                "%25",
                "[",
                "x=a;",
                "NAME=\"; ",
                "x=\"\\\";NAME=;",
            ],
        ),
        named(
            "long names",
            &long,
            &[
                &long_piece,
                &long(0)[..119],
                "NAME ",
                "NAME;",
                "NAME=;",
                "x=NAME ",
            ],
        ),
        named(
            "crossing names",
            &crossing,
            &["a[", "a ", "a[a;", "x=a[", "a[a[a[a[a[a[a[a;", "%61["],
        ),
    ]
}

/// Three keys and three formats, with signatures in cookies of their own.
fn keygrip() -> Site {
    let rule = |rule: usize| {
        json!({
            "name": format!("k{rule}"), "format": "keygrip", "upgrade": "never",
            "accept": [{"format": "keygrip", "digest": "sha256"}, {"format": "keygrip", "digest": "sha512", "encoding": "hex"}],
        })
    };
    let signature = |length: usize| "a".repeat(length);
    let mut kinds = Vec::new();
    for (label, sig) in [
        ("a signature of no shape", "!!!".to_owned()),
        ("SHA-1", signature(27)),
        ("SHA-256", signature(43)),
        ("SHA-512", signature(128)),
    ] {
        let (value, sig) = ("k0=v;".to_owned(), format!("k0.sig={sig};"));
        kinds.push((
            format!("{label}, in turn"),
            Kind::Same(format!("{value}{sig}")),
        ));
        kinds.push((format!("{label}, values first"), Kind::Halves(value, sig)));
    }
    let all: Vec<String> = (0..RULES)
        .map(|rule| format!("k{rule}=v;k{rule}.sig={};", signature(27)))
        .collect();
    kinds.push(("every rule".to_owned(), Kind::Same(all.concat())));
    site("keygrip, three digests", rule, kinds)
}

fn site(name: &str, rule: impl Fn(usize) -> Value, kinds: Vec<(String, Kind)>) -> Site {
    let rules: Vec<Value> = (0..RULES).map(rule).collect();
    let secret = |id: &str| Some(format!("{id}-0123456789-0123456789-0123456789"));
    Site {
        name: name.to_owned(),
        gate: gate(&json!(rules), None, &secret),
        now: NOW,
        kinds,
    }
}

/// One row of the vectors for each format.
fn rows() -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    for file in
        jsonl_below(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors"))
    {
        for line in fs::read_to_string(file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let format = row["config"]["format"].as_str().unwrap().to_owned();
            if !rows.contains_key(&format) && opened(&row).is_some() {
                rows.insert(format, row);
            }
        }
    }
    rows
}

/// What a row's value holds, and its format under both keys.
fn opened(row: &Value) -> Option<(Content<'static>, String, u64)> {
    let value = match row["sig_value"].as_str() {
        Some(signature) => format!("{}{PAIR}{signature}", row["value"].as_str()?),
        None => row["value"].as_str()?.to_owned(),
    };
    let now = row["now"].as_u64().or(row["signed_at"].as_u64());
    let keyed = keyed(row, row["cookie"].as_str()?, "key")?;
    let content = keyed.open(&value).ok()?;
    let now = now.or(content.time_s).unwrap_or(NOW);
    let content = content.into_owned();
    Some((content, value, now))
}

fn keyed(row: &Value, name: &str, field: &str) -> Option<Box<dyn Keyed>> {
    let problems = Problems::default();
    let format = formats::read(&mut Table::new("config", &row["config"], &problems)?)?;
    let bytes = match row["key_encoding"].as_str() {
        Some("base64") => from_base64(row[field].as_str()?)?,
        Some("hex") => from_hex(row[field].as_str()?)?,
        _ => row[field].as_str()?.as_bytes().to_vec(),
    };
    format
        .keyed(name, &Key::new(KeyId::parse("KEY")?, bytes))
        .ok()
}

/// Twenty rules of one format under three keys, and headers of values that are right, wrong, and nearly right.
fn site_of(row: &Value, lengths: &[usize]) -> Site {
    let (content, sample, now) = opened(row).unwrap();
    let name = row["cookie"].as_str().unwrap();
    let config = &row["config"];
    let rule = |rule: usize| {
        let mut table = config.clone();
        table["name"] = match rule {
            0 => name.into(),
            _ => format!("{name}x{rule}").into(),
        };
        table["upgrade"] = "never".into();
        table
    };
    let encoding = row["key_encoding"].as_str();
    let secret = |id: &str| {
        let text = match id {
            "ORIGIN" => row["other_key"].as_str()?,
            _ => row["key"].as_str()?,
        };
        Some(match id {
            "OLD" => rotated(text, 2),
            "OLDER" => rotated(text, 3),
            _ => text.to_owned(),
        })
    };
    let rules: Vec<Value> = (0..RULES).map(rule).collect();
    let gate = gate(&json!(rules), encoding, &secret);
    let keyed = keyed(row, name, "key").unwrap();
    let long = |bytes: usize| {
        let payload = content
            .payload
            .repeat(bytes / content.payload.len().max(1) + 1);
        let content = Content {
            payload: payload.into(),
            ..content.clone()
        };
        keyed.seal(&content, random).ok()
    };
    let mut values = vec![("a sample".to_owned(), sample.clone())];
    for bytes in lengths {
        values.extend(long(bytes / 2).map(|value| (format!("of {} bytes", value.len()), value)));
    }
    let mut kinds = Vec::new();
    for (label, value) in &values {
        kinds.push((format!("right, {label}"), value.clone()));
        kinds.push((format!("wrong, {label}"), spoilt(value)));
    }
    let (head, tail) = ends(&sample);
    for filler in FILLERS {
        for bytes in lengths {
            let filled = filler.repeat((bytes - 300) / filler.len());
            kinds.push((format!("{filler} to {bytes}"), filled.clone()));
            kinds.push((format!("\"{filler}\" to {bytes}"), format!("\"{filled}\"")));
            let within = format!("{head}{filled}{tail}");
            kinds.push((format!("{filler} to {bytes} in a sample"), within));
        }
    }
    kinds.push(("a".to_owned(), "a".to_owned()));
    kinds.push(("nothing".to_owned(), String::new()));
    for json in ["{\"a\":\"b\",", "{\"alg\":{", "[", "{\"\\u0061\":1,"] {
        for bytes in lengths {
            let json = json.repeat(bytes / 2 / json.len());
            for text in [base64url(json.as_bytes()), base64(&json)] {
                kinds.push((format!("JSON of {bytes}"), format!("{text}{tail}")));
                kinds.push((format!("JSON of {bytes} alone"), text));
            }
        }
    }
    let pair = |value: &str| match value.split_once(PAIR) {
        Some((value, signature)) => format!("{name}={value}; {name}.sig={signature}; "),
        None => format!("{name}={value}; "),
    };
    let kinds = kinds
        .into_iter()
        .map(|(label, value)| (label, Kind::Same(pair(&value))));
    Site {
        name: config["format"].as_str().unwrap().to_owned(),
        gate,
        now,
        kinds: kinds.collect(),
    }
}

/// What some format has to read slowly.
const FILLERS: [&str; 13] = [
    "a",
    "%41",
    "\\054",
    "\\\"",
    "A.",
    "--",
    "|",
    "=",
    ":",
    "*",
    "%",
    "%7B%22a%22:",
    "é",
];

fn base64(text: &str) -> String {
    let mut encoded = String::new();
    push_base64(&mut encoded, text.as_bytes());
    encoded
}

/// With another letter near the end of what is signed.
fn spoilt(value: &str) -> String {
    let at = value.len() / 3;
    let spoil = |(n, c): (usize, char)| match c {
        'a'..='y' | 'A'..='Y' | '0'..='8' if n == at => char::from(c as u8 + 1),
        c => c,
    };
    value.chars().enumerate().map(spoil).collect()
}

/// What a value starts with up to its first separator, and what it ends with from its last.
fn ends(value: &str) -> (&str, &str) {
    let separators = |c: char| ":.|-*;?$!".contains(c);
    let head = value.find(separators).map_or(0, |at| at + 1);
    let tail = value.rfind(separators).unwrap_or(value.len());
    (&value[..head.min(tail)], &value[tail.max(head)..])
}

/// A key of the same shape.
fn rotated(text: &str, by: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let middle = chars.len() / 2;
    if let Some(part) = chars.get_mut(middle - 4..middle + 4) {
        part.rotate_left(by & 6);
        part.swap(0, by);
    }
    chars.into_iter().collect()
}

/// A gate under three keys, in front of an origin with another.
fn gate(rules: &Value, encoding: Option<&str>, secret: &dyn Fn(&str) -> Option<String>) -> Gate {
    let encoding = encoding.unwrap_or("utf8");
    let key = |id: &str| json!({"secret": id, "encoding": encoding, "allow_weak": true});
    let fallbacks = [key("OLD"), key("OLDER")];
    let keys = json!({"current": key("CURRENT"), "fallbacks": fallbacks, "origin": key("ORIGIN")});
    let policy = Policy::parse(&json!({"keys": keys, "cookies": rules}), secret);
    let told = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<String>();
    Gate::new(policy.map_err(told).unwrap(), random)
}

fn random(bytes: &mut [u8]) {
    bytes.fill(7);
}

fn jsonl_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(jsonl_below(&path))
        } else {
            files.extend(
                path.extension()
                    .is_some_and(|it| it == "jsonl")
                    .then_some(path),
            )
        }
    }
    files.sort();
    files
}
