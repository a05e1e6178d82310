//! Values made by the real frameworks, in `tests/vectors` and in every folder that the environment
//! variable `COUNTERSIGN_VECTORS` names: each opens under its key with the payload and time it names,
//! is refused when tampered with and under another key, and comes out re-signed to the byte.

use std::cell::RefCell;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Configured, Content, Keyed, PAIR};
use countersign_core::settings::{Problem, Problems, Table};
use countersign_core::wire::encoding::{from_hex, from_pasted_base64, from_uri_component};
use serde_json::Value;

#[test]
fn vectors_of_the_real_frameworks_hold() {
    let mut folders =
        vec![Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors")];
    if let Ok(more) = std::env::var("COUNTERSIGN_VECTORS") {
        folders.extend(
            more.split(':')
                .filter(|folder| !folder.is_empty())
                .map(PathBuf::from),
        );
    }
    let (mut faults, mut rows, mut tampered) = (Vec::new(), 0, 0);
    for folder in &folders {
        let files = jsonl_below(folder);
        assert!(!files.is_empty(), "no .jsonl file in {}", folder.display());
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in (1..)
                .zip(text.lines())
                .filter(|(_, line)| !line.trim().is_empty())
            {
                let place = format!("{}:{number}", file.display());
                match serde_json::from_str::<Value>(line) {
                    Err(fault) => faults.push(format!("{place}: not JSON: {fault}")),
                    Ok(row) => {
                        rows += 1;
                        match Vector::read(&row).and_then(|vector| vector.check(&row)) {
                            Ok(refused) => tampered += refused,
                            Err(fault) => faults.push(format!("{place}: {}: {fault}", row["id"])),
                        }
                    }
                }
            }
        }
    }
    println!("{rows} vectors, {tampered} tampered values");
    let shown: Vec<&str> = faults.iter().take(20).map(String::as_str).collect();
    assert!(
        faults.is_empty(),
        "{} of {rows} vectors fail:\n{}",
        faults.len(),
        shown.join("\n")
    );
}

/// What a format is told by without a key, where its options change little but the signature's length.
#[test]
fn what_a_framework_made_is_recognised_without_a_key() {
    let (mut seen, mut faults) = (Vec::new(), Vec::new());
    for file in
        jsonl_below(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors"))
    {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let config = row["config"].to_string();
            // a separator that nobody uses is not guessed, and one value for each configuration is enough
            let Ok(vector) = Vector::read(&row) else {
                continue;
            };
            if !row["config"]["sep"].is_null()
                || seen.contains(&config)
                || vector.is_in_single_bytes(&row)
            {
                continue;
            }
            let found = formats::recognise(&text(&row, "cookie").unwrap(), &vector.value);
            if !found.contains(&vector.format.name) {
                faults.push(format!("{config}: {found:?}"));
            }
            seen.push(config);
        }
    }
    assert!(seen.len() > 20, "{} configurations", seen.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(formats::recognise("theme", "dark").is_empty());
}

/// With a key, where no option but the defaults made it.
#[test]
fn what_a_framework_made_is_opened_by_its_key_in_its_format() {
    let mut seen = Vec::new();
    for file in
        jsonl_below(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors"))
    {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let format = row["config"]["format"].as_str().unwrap_or_default();
            let is_default = row["config"]
                .as_object()
                .is_some_and(|config| config.len() == 1);
            let Some(vector) = Vector::read(&row).ok().filter(|_| is_default) else {
                continue;
            };
            if seen.iter().any(|seen| seen == format) || vector.value.contains(PAIR) {
                continue;
            }
            let (cookie, key) = (text(&row, "cookie").unwrap(), text(&row, "key").unwrap());
            let found = formats::openings(&cookie, &vector.value, &key);
            assert!(
                found.iter().any(|opening| opening.format == format),
                "{format}: {found:?}"
            );
            let found = formats::openings(
                &cookie,
                &vector.value,
                "another-key-of-some-length-0123456789",
            );
            assert_eq!(found, [], "{format}");
            seen.push(format.to_owned());
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn payloads_are_compared_by_what_they_say() {
    let expected = serde_json::json!({"a": 1, "b": "x&y", "c": [true, null]});
    let other_order = r#"{"c":[true,null],"b":"x\u0026y","a":1}"#;
    for row in [
        expected.clone(),
        expected.to_string().into(),
        other_order.into(),
    ] {
        for payload in [&expected.to_string(), other_order] {
            assert_eq!(says(payload.as_bytes(), &row), Ok(()), "{payload} {row}");
        }
        for other in [
            r#"{"a":1,"b":"x&y"}"#,
            r#"{"a":1,"b":"x&z","c":[true,null]}"#,
            "7",
            "[]",
        ] {
            assert!(says(other.as_bytes(), &row).is_err(), "{other} {row}");
        }
    }
    assert_eq!(says(br#""x\u0026y""#, &"x&y".into()), Ok(()));
}

/// A hundred rotations leave a value as long as it was (rails/rails issue 39964 is the counterexample).
#[test]
fn a_hundred_rotations_leave_the_length_as_it_was() {
    let line = fs::read_to_string(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .join("tests/vectors/django-5.2.19.jsonl"),
    )
    .unwrap();
    let row: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    let vector = Vector::read(&row).unwrap();
    let mut value = vector.value.clone();
    for turn in 0..100 {
        let (from, to) = match turn % 2 {
            0 => (&vector.under_key, &vector.under_other_key),
            _ => (&vector.under_other_key, &vector.under_key),
        };
        value = to
            .seal(&from.open(&value).unwrap().into_owned(), random)
            .unwrap();
        assert_eq!(value.len(), vector.value.len());
    }
    assert_eq!(value, vector.value);
}

/// Formats of several frameworks, where what one of them also accepts is refused by another: as here.
const STRICTER: &[&str] = &["jwt"];

struct Vector {
    format: Configured,
    under_key: Box<dyn Keyed>,
    under_other_key: Box<dyn Keyed>,
    value: String,
    now: u64,
}

impl Vector {
    fn read(row: &Value) -> Result<Self, String> {
        let problems = Problems::default();
        let config = with_password_id(row);
        let format = Table::new("config", &config, &problems).and_then(|mut table| {
            let format = formats::read(&mut table);
            table.finish();
            format
        });
        let problems: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        let format = format
            .filter(|_| problems.is_empty())
            .ok_or_else(|| problems.join("; "))?;
        let cookie = text(row, "cookie")?;
        let keyed = |field| {
            let key = Key::new(KeyId::parse("KEY").unwrap(), key_bytes(row, field)?);
            format
                .keyed(&cookie, &key)
                .map_err(|fault| fault.to_string())
        };
        Ok(Self {
            under_key: keyed("key")?,
            under_other_key: keyed("other_key")?,
            value: paired(row)?,
            now: row["now"]
                .as_u64()
                .or(row["signed_at"].as_u64())
                .unwrap_or_default(),
            format,
        })
    }

    /// Checks the row, and answers how many tampered values were refused.
    fn check(&self, row: &Value) -> Result<usize, String> {
        if self.is_in_single_bytes(row) {
            return match self.under_key.open(&self.value) {
                Ok(_) => Err("opens, though no header shows as this text".to_owned()),
                Err(_) => Ok(0),
            };
        }
        let content = self
            .open(&self.value)
            .map_err(|fault| format!("value: {fault}"))?;
        self.check_time(&content, row)?;
        // an encrypted payload stays closed
        if row["notes"]["block_key"].is_null() && row["notes"]["kind"] != "iron+sign" {
            self.check_payload(&content, row)?;
        }
        if self.under_other_key.open(&self.value).is_ok() {
            return Err("opens under other_key".to_owned());
        }
        let again = self.under_key.seal(&content, random);
        // browsers end a cookie at a semicolon, whatever quotes it stands in
        if text(row, "value")?.contains(';') {
            return match again {
                Ok(_) => Err("a semicolon is sealed".to_owned()),
                Err(_) => self.check_tampered(row),
            };
        }
        let again = again.map_err(|_| "cannot be sealed")?;
        if let Some(mut expected) = row["other_value"].as_str().map(str::to_owned) {
            if let Some(signature) = row["other_sig_value"].as_str() {
                expected = format!("{expected}{PAIR}{signature}");
            }
            if again != self.value {
                return Err(format!("sealed again it is {again}"));
            }
            let other = self
                .under_other_key
                .seal(&content, random)
                .map_err(|_| "cannot be sealed")?;
            if other != expected {
                return Err(format!("under other_key it is {other}, not {expected}"));
            }
        } else {
            let reopened = self.open(&again)?;
            if reopened.payload != content.payload {
                return Err("sealed again it has another payload".to_owned());
            }
        }
        if let Some(expected) = row["other_value_same_salts"].as_str() {
            let drawn_bytes = row["drawn"]
                .as_str()
                .map_or_else(|| salts(expected), from_hex);
            draw(drawn_bytes.ok_or("other_value_same_salts has no salts")?);
            let other = self.under_other_key.seal(&content, drawn);
            if other.as_deref() != Ok(expected) {
                return Err(format!(
                    "with the row's salts it is {other:?}, not {expected}"
                ));
            }
        }
        for other in list(row, "also_accepted") {
            let spelled = &text_or_pair(other)?;
            if STRICTER.contains(&self.format.name) {
                match self.open(spelled) {
                    Ok(_) => return Err(format!("a stricter format opens {spelled}")),
                    Err(_) => continue,
                }
            }
            let opened = self
                .open(spelled)
                .map_err(|fault| format!("also_accepted {spelled}: {fault}"))?;
            if opened.payload != content.payload {
                return Err(format!("also_accepted {spelled} has another payload"));
            }
        }
        self.check_tampered(row)
    }

    /// Signed in single bytes above 127, which the runtime shows as U+FFFD: the row's text is another
    /// value there. A row whose MAC is over UTF-8 says so.
    fn is_in_single_bytes(&self, row: &Value) -> bool {
        let wire = row["notes"]["wire"].as_str();
        !self.value.is_ascii() && wire.is_some_and(|wire| !wire.contains("UTF-8"))
    }

    fn check_tampered(&self, row: &Value) -> Result<usize, String> {
        for spoilt in list(row, "tampered") {
            let spoilt = text_or_pair(spoilt)?;
            match self.under_key.open(&spoilt) {
                Ok(content) if self.is_in_time(&content) => {
                    return Err(format!("tampered value opens: {spoilt}"));
                }
                _ => {}
            }
        }
        Ok(list(row, "tampered").len())
    }

    /// Whether no time in it speaks against it; formats read times, and the gate judges them.
    fn is_in_time(&self, content: &Content<'_>) -> bool {
        let end = content.expiry_ms.unwrap_or(u64::MAX);
        self.now * 1000 < end && content.not_before_s.is_none_or(|begins| begins <= self.now)
    }

    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, String> {
        self.under_key
            .open(value)
            .map_err(|refusal| format!("{refusal:?}"))
    }

    fn check_time(&self, content: &Content<'_>, row: &Value) -> Result<(), String> {
        // a row without a time was made under a clock that could not be set
        let is_other = match row["signed_at"].as_u64() {
            None => content.time_s.is_none(),
            signed_at => content.time_s != signed_at,
        };
        if self.format.properties().carries_time && is_other {
            return Err(format!(
                "signed at {:?}, not {}",
                content.time_s, row["signed_at"]
            ));
        }
        Ok(())
    }

    fn check_payload(&self, content: &Content<'_>, row: &Value) -> Result<(), String> {
        let expected = &row["payload"];
        if expected.is_null() || content.text().is_ok_and(|text| *expected == text) {
            return Ok(());
        }
        let bytes = if row["notes"]["kind"] == "form" {
            unescaped(&content.payload)
        } else {
            serialised(&content.payload)
        };
        says(&bytes, expected)
    }
}

/// The payload as the framework returns it, or as the text that it serialised: the order of members and how a
/// character is escaped say nothing. Of a serialisation that is not JSON (a pickle, a Marshal dump), every text
/// in it must be found.
fn says(bytes: &[u8], expected: &Value) -> Result<(), String> {
    let Ok(found) = serde_json::from_slice::<Value>(bytes) else {
        let missing = texts(expected)
            .into_iter()
            .find(|text| !holds(bytes, text.as_bytes()));
        return missing.map_or(Ok(()), |text| Err(format!("payload lacks {text:?}")));
    };
    let (mut found, expected) = (decoded(found), decoded(expected.clone()));
    if let (Some(found), Some(expected)) = (found.as_object_mut(), expected.as_object()) {
        // `_expire`, `__ts`, Rails' `session_id`: what a framework writes beside the session for itself
        let is_own = |name: &str| name.starts_with('_') || name == "session_id";
        found.retain(|name, _| !is_own(name) || expected.contains_key(name));
    }
    let messages = plain_messages(&found);
    if found == expected || (messages.is_some() && messages == plain_messages(&expected)) {
        Ok(())
    } else {
        Err(format!("payload is {found}, not {expected}"))
    }
}

/// A text that is itself JSON as what it says.
fn decoded(value: Value) -> Value {
    let is_nested = |inner: &Value| inner.is_object() || inner.is_array();
    let inner = value
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    inner.filter(is_nested).unwrap_or(value)
}

/// Django writes a message as `["__json_message", is_safe, level, text, extra_tags?]`; a row lists
/// `[level, text, extra_tags, is_safe]`.
fn plain_messages(value: &Value) -> Option<Vec<Value>> {
    let message = |entry: &Value| {
        let fields = entry.as_array()?;
        let tags =
            |tags: Option<&Value>| tags.filter(|t| !t.is_null()).cloned().unwrap_or("".into());
        Some(match fields.first()?.as_str() {
            Some("__json_message") => {
                serde_json::json!([
                    fields.get(2)?,
                    fields.get(3)?,
                    tags(fields.get(4)),
                    *fields.get(1)? == 1
                ])
            }
            _ => serde_json::json!([
                fields.first()?,
                fields.get(1)?,
                tags(fields.get(2)),
                *fields.get(3)? == true
            ]),
        })
    };
    value.as_array()?.iter().map(message).collect()
}

/// What a payload serialises: as it is, behind Express's `j:`, in base64 (of a JWT, behind its header's
/// dot), or compressed.
fn serialised(payload: &[u8]) -> Vec<u8> {
    let json = payload.strip_prefix(b"j:").unwrap_or(payload);
    if serde_json::from_slice::<Value>(json).is_ok() {
        return json.to_vec();
    }
    let packed = json.rsplit(|b| *b == b'.').next().unwrap_or(json);
    let unpadded = packed.trim_ascii_end().split(|b| *b == b'=').next();
    let decoded = URL_SAFE_NO_PAD
        .decode(unpadded.unwrap_or_default())
        .or_else(|_| STANDARD.decode(packed));
    let bytes = decoded.unwrap_or_else(|_| payload.to_vec());
    let mut inflated = Vec::new();
    match flate2::read::ZlibDecoder::new(&bytes[..]).read_to_end(&mut inflated) {
        Ok(_) => inflated,
        Err(_) => bytes,
    }
}

/// Form fields without their percent-encoding.
fn unescaped(payload: &[u8]) -> Vec<u8> {
    from_uri_component(&String::from_utf8_lossy(payload))
        .into_owned()
        .into_bytes()
}

/// Every text in a JSON value, names of fields included.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            let named = fields.iter().flat_map(|(name, value)| {
                let mut found = texts(value);
                found.push(name);
                found
            });
            named.collect()
        }
        _ => Vec::new(),
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

fn key_bytes(row: &Value, field: &str) -> Result<Vec<u8>, String> {
    let key = text(row, field)?;
    match row["key_encoding"].as_str() {
        None | Some("utf8") => Ok(key.into_bytes()),
        Some("base64") => from_pasted_base64(&key).ok_or_else(|| format!("{field} is no base64")),
        Some("hex") => from_hex(&key).ok_or_else(|| format!("{field} is no hex")),
        Some(other) => Err(format!("unknown key_encoding {other}")),
    }
}

fn text(row: &Value, field: &str) -> Result<String, String> {
    row[field]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("{field} is no text"))
}

/// A value, with the signature where that is a cookie of its own.
fn paired(row: &Value) -> Result<String, String> {
    let value = text(row, "value")?;
    Ok(match row["sig_value"].as_str() {
        Some(signature) => format!("{value}{PAIR}{signature}"),
        None => value,
    })
}

/// An entry of `tampered` or `also_accepted`: a text, or an object where the value is a pair.
fn text_or_pair(entry: &Value) -> Result<String, String> {
    match entry {
        Value::String(text) => Ok(text.clone()),
        _ => paired(entry),
    }
}

fn list<'r>(row: &'r Value, field: &str) -> &'r [Value] {
    row[field].as_array().map_or(&[], Vec::as_slice)
}

fn jsonl_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(folder).unwrap_or_else(|fault| panic!("{}: {fault}", folder.display()))
    {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(jsonl_below(&path));
        } else if path.extension().is_some_and(|end| end == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The row's format; its notes name the password where Iron's ID does.
fn with_password_id(row: &Value) -> Value {
    let mut config = row["config"].clone();
    if let (Some(fields), Some(id)) = (config.as_object_mut(), row["notes"].get("password_id")) {
        fields.entry("id").or_insert(id.clone());
    }
    config
}

/// What is random in an Iron seal, in the order in which it is drawn: `…*ID*SALT*IV*…*SALT*MAC`; or in an encrypted
/// token: `HEADER..IV.…`.
fn salts(seal: &str) -> Option<Vec<u8>> {
    if let Some((_, parts)) = seal.split_once("..") {
        return URL_SAFE_NO_PAD.decode(parts.split('.').next()?).ok();
    }
    let fields: Vec<&str> = seal.split('*').collect();
    let iv = URL_SAFE_NO_PAD.decode(fields.get(3)?).ok()?;
    Some([from_hex(fields.get(2)?)?, iv, from_hex(fields.get(6)?)?].concat())
}

thread_local! {
    static DRAWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What [`drawn`] answers from now on.
fn draw(bytes: Vec<u8>) {
    DRAWN.set(bytes);
}

fn drawn(bytes: &mut [u8]) {
    DRAWN.with_borrow_mut(|queue| bytes.fill_with(|| queue.remove(0)));
}

/// Numbers that no two values share.
fn random(bytes: &mut [u8]) {
    static TURN: AtomicU8 = AtomicU8::new(0);
    bytes.fill_with(|| TURN.fetch_add(1, Ordering::Relaxed));
}

/// With a key and the options that sites use, though no shape shows them.
#[test]
fn what_a_framework_made_with_usual_options_is_opened_by_its_key_in_its_format() {
    for (file, id, format, options) in [
        (
            "frozen/rails-6.1.7.10.jsonl",
            "",
            "rails-encrypted",
            r#"{"kdf_digest":"sha1"}"#,
        ),
        (
            "frozen/rails-6.1.7.10.jsonl",
            "",
            "rails-signed",
            r#"{"kdf_digest":"sha1"}"#,
        ),
        (
            "react-router-8.5.1.jsonl",
            "%2",
            "fastify-cookie",
            r#"{"encoded":true}"#,
        ),
        ("h3-2.0.8.jsonl", "", "iron", r#"{"iterations":8192}"#),
    ] {
        let path =
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors")).join(file);
        let options: Value = serde_json::from_str(options).unwrap();
        let text_of_file = fs::read_to_string(&path).unwrap();
        let rows = text_of_file
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let is_such = |row: &Value| {
            let config = row["config"].as_object().unwrap();
            let count = options.as_object().unwrap().len();
            config["format"] == format
                && config.len() == count + 1
                && options
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(name, value)| config.get(name) == Some(value))
                && row["value"]
                    .as_str()
                    .is_some_and(|value| value.contains(id))
                && row["key"].is_string()
        };
        let row = rows.into_iter().find(is_such);
        let row = row.unwrap_or_else(|| panic!("{file} has no vector of {format} with {options}"));
        let (cookie, key) = (text(&row, "cookie").unwrap(), text(&row, "key").unwrap());
        let found = formats::openings(&cookie, &text(&row, "value").unwrap(), &key);
        let first = found.iter().find(|opening| opening.format == format);
        let first = first.unwrap_or_else(|| panic!("{format}: {found:?}"));
        assert_eq!(Value::Object(first.options.clone()), options, "{format}");
    }
}
