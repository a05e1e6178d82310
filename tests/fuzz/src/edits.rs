//! What must hold of every edit of a configuration in TOML or JSONC: it changes what it names and nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use countersign_cli::fuzzing::{Change, RingChange, change_ring, edit, read};
use serde_json::{Map, Value, json};

/// A configuration, a change of its text, and an edit.
#[derive(Arbitrary, Debug)]
pub struct EditCase {
    base: u16,
    splices: Vec<Splice>,
    has_crlf: bool,
    table: u16,
    edit: EditKind,
    ring: Option<RingKind>,
}

/// What is written into the text before it is edited.
#[derive(Arbitrary, Debug)]
struct Splice {
    at: u16,
    token: u8,
    /// At the end of a line, where most texts stay right.
    is_at_line_end: bool,
    gone: u8,
}

#[derive(Arbitrary, Debug)]
enum EditKind {
    Set { field: u8, value: ValueKind },
    Remove { field: u8 },
    Push { field: u8, value: ValueKind },
    Replace { field: u8, at: u8, value: ValueKind },
    RemoveEntry { field: u8, at: u8 },
}

#[derive(Arbitrary, Debug)]
enum ValueKind {
    Text(u8),
    Number(u32),
    Flag(bool),
    Key(u8),
    List(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum RingKind {
    Stage(u8),
    Promote(u8),
    PutInPlace(u8),
    Unlist(u8),
    Accept(u8),
    Unaccept(u8),
    PromoteFormat(u8),
    LimitAge(u32),
}

/// No command writes a text of several lines.
const TEXTS: [&str; 12] = [
    "KEY_1",
    "KEY_2",
    "DJANGO_SECRET_KEY",
    "sessionid",
    "",
    "it's \"so\"",
    "# no comment",
    "// none",
    "a, b",
    "\\",
    "é\u{1f512}",
    "2027-02-01T00:00:00Z",
];

const FIELDS: [&str; 12] = [
    "current",
    "fallbacks",
    "origin",
    "cookies",
    "accept",
    "required",
    "max_age",
    "until",
    "new",
    "a name",
    "é",
    "secret",
];

const TOKENS: [&str; 24] = [
    "# a comment",
    "// a comment",
    "/* a\ncomment */",
    "\n",
    " ",
    "\t",
    ",",
    "\"KEY_9\",",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    "\u{feff}",
    "\nnew = 1",
    "\"new\": 1,",
    "\n[new]",
    "\"\"\"",
    "é",
    "=",
    ".",
    "\r",
];

/// A configuration of the tests, as it is written.
struct Base {
    text: String,
    is_toml: bool,
}

fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        for folder in ["cli", "rotation"] {
            collect(&tests.join(folder), &mut files);
        }
        files.sort();
        let mut bases: Vec<Base> = files.iter().filter_map(|file| base(file)).collect();
        bases.dedup_by(|a, b| a.text == b.text);
        assert!(
            bases.len() > 20,
            "the configurations of the tests are there"
        );
        bases
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn base(file: &Path) -> Option<Base> {
    let is_toml = match file.extension()?.to_str()? {
        "toml" => true,
        "json" | "jsonc" => false,
        _ => return None,
    };
    let text = fs::read_to_string(file).ok()?;
    (text.contains("COUNTERSIGN") && text.len() < 4_000).then_some(Base { text, is_toml })
}

impl EditCase {
    fn text(&self, base: &Base) -> String {
        let mut text = base.text.clone();
        for splice in self.splices.iter().take(4) {
            let mut at = usize::from(splice.at) % (text.len() + 1);
            if splice.is_at_line_end {
                at = text[floor(&text, at)..]
                    .find('\n')
                    .map_or(text.len(), |more| floor(&text, at) + more);
            }
            let at = floor(&text, at);
            let end = floor(&text, (at + usize::from(splice.gone % 8)).min(text.len())).max(at);
            text.replace_range(at..end, TOKENS[usize::from(splice.token) % TOKENS.len()]);
        }
        if self.has_crlf {
            text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        text
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl ValueKind {
    fn json(&self) -> Value {
        let text = |at: &u8| TEXTS[usize::from(*at) % TEXTS.len()];
        match self {
            Self::Text(at) => text(at).into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Key(at) => json!({"secret": text(at), "until": "2027-02-01T00:00:00Z"}),
            Self::List(all) => all.iter().take(4).map(text).collect(),
        }
    }
}

/// Edits it, and holds the rules against what comes of it.
pub fn check(case: &EditCase) {
    let base = &bases()[usize::from(case.base) % bases().len()];
    let text = case.text(base);
    let before = independent(base.is_toml, &text);
    let own = read(base.is_toml, &text);
    if let (Some(before), Some(own)) = (&before, &own) {
        assert!(
            is_same(before, own),
            "read otherwise: {text}\n{before}\n{own}"
        );
    }
    let Some(before) = before.filter(|_| own.is_some()) else {
        return;
    };
    if !base.is_toml && names_in(&text) != names_of(&before) {
        return; // a name stands there twice, and readers do not agree on which counts
    }
    edits_what_it_names(case, base.is_toml, &text, &before);
    if let Some(kind) = &case.ring {
        changes_the_ring_alone(kind, base.is_toml, &text, &before);
    }
}

/// How many names a text of JSON seems to have.
fn names_in(text: &str) -> usize {
    let ends = text.split('"').skip(1);
    ends.filter(|behind| behind.trim_start().starts_with(':'))
        .count()
}

/// How many names a value has, those within it among them.
fn names_of(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len() + fields.values().map(names_of).sum::<usize>(),
        Value::Array(entries) => entries.iter().map(names_of).sum(),
        _ => 0,
    }
}

fn edits_what_it_names(case: &EditCase, is_toml: bool, text: &str, before: &Value) {
    let mut tables = Vec::new();
    tables_of(before, &mut Vec::new(), &mut tables);
    let path = &tables[usize::from(case.table) % tables.len()];
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    let table = steps
        .iter()
        .try_fold(before, |value, step| inside(value, step));
    let Some(table) = table.and_then(Value::as_object) else {
        return;
    };
    let field = |at: u8| field_of(table, at);
    let value;
    let (change, has_model) = match &case.edit {
        EditKind::Set {
            field: at,
            value: new,
        } => {
            value = new.json();
            (Change::Set(field(*at), &value), true)
        }
        EditKind::Remove { field: at } => (Change::Remove(field(*at)), true),
        EditKind::Push {
            field: at,
            value: new,
        } => {
            value = new.json();
            let list = field(*at);
            if table.get(list).is_some_and(|old| !old.is_array()) {
                return; // no command does so
            }
            (Change::Push(list, &value), true)
        }
        EditKind::Replace {
            field: list,
            at,
            value: new,
        } => {
            value = new.json();
            (
                Change::Replace(field(*list), usize::from(*at % 4), &value),
                true,
            )
        }
        EditKind::RemoveEntry { field: list, at } => (
            Change::RemoveEntry(field(*list), usize::from(*at % 4)),
            true,
        ),
    };
    if let Change::Push(list, new) | Change::Replace(list, _, new) = &change {
        let entries = table.get(*list).and_then(Value::as_array);
        let is_of_tables = entries.is_some_and(|entries| entries.iter().any(Value::is_object));
        if is_of_tables && !(new.is_object() || new.is_string()) {
            return; // no command mixes them, and TOML's lists of tables hold nothing else
        }
    }
    if let Change::Set(field, new) = &change
        && table.get(*field).is_some_and(Value::is_object)
        && !(new.is_object() || new.is_string())
    {
        return; // in the place of a table no command puts anything but a key
    }
    let Some(after) = edit(is_toml, text, &steps, &change) else {
        return;
    };
    let parsed = independent(is_toml, &after);
    let Some(parsed) = parsed else {
        panic!("{change:?} at {steps:?} breaks it:\n{text}\n----\n{after}");
    };
    assert!(
        read(is_toml, &after).is_some(),
        "{change:?} at {steps:?} breaks it for us:\n{after}"
    );
    let expected = has_model.then(|| model(before, &steps, &change)).flatten();
    if let Some(expected) = expected {
        assert!(
            is_same(&expected, &parsed),
            "{change:?} at {steps:?}:\n{text}\n----\n{after}"
        );
    }
    comments_and_ends_are_kept(is_toml, text, &after, &change, table);
    let is_repeatable = matches!(
        change,
        Change::Set(..) | Change::Remove(..) | Change::Replace(..)
    );
    if is_repeatable {
        // with its last field a table may be gone; one with comments is changed field by field, each time anew
        let again = edit(is_toml, &after, &steps, &change);
        let is_unchanged = |again: &String| {
            let again = independent(is_toml, again);
            again.is_some_and(|again| is_same(&parsed, &again))
        };
        assert!(
            again.as_ref().is_none_or(is_unchanged),
            "{change:?} at {steps:?} twice:\n{text}"
        );
    }
}

/// What the configuration says after a change; none where the change is of something that is no table or list.
fn model(before: &Value, steps: &[&str], change: &Change<'_>) -> Option<Value> {
    let mut after = before.clone();
    let mut table = &mut after;
    for step in steps {
        table = match step.parse::<usize>() {
            Ok(at) => table.get_mut(at)?,
            Err(_) => table.get_mut(*step)?,
        };
    }
    let table = table.as_object_mut()?;
    match change {
        Change::Set(field, value) => drop(table.insert((*field).to_owned(), (*value).clone())),
        Change::Remove(field) => drop(table.remove(*field)),
        Change::Push(list, entry) => {
            let list = table.entry(*list).or_insert_with(|| json!([]));
            list.as_array_mut()?.push((*entry).clone());
        }
        Change::Replace(list, at, entry) => {
            if let Some(old) = table.get_mut(*list).and_then(|list| list.get_mut(*at)) {
                *old = (*entry).clone();
            }
        }
        Change::RemoveEntry(list, at) => {
            if let Some(list) = table.get_mut(*list).and_then(Value::as_array_mut)
                && *at < list.len()
            {
                list.remove(*at);
            }
        }
    }
    Some(after)
}

/// A text that stands for a key is the same as a table with `secret`; numbers are those of JavaScript.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        // in TOML a table may be there by its fields alone
        (Value::Object(a), Value::Object(b)) => {
            let is_said = |(_, value): &(&String, &Value)| !is_empty(value);
            let count = |fields: &Map<String, Value>| fields.iter().filter(is_said).count();
            let is_there = |(name, value): (&String, &Value)| {
                b.get(name).is_some_and(|other| is_same(value, other))
            };
            count(a) == count(b) && a.iter().filter(is_said).all(is_there)
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Object(table), Value::String(name))
        | (Value::String(name), Value::Object(table)) => {
            table.len() == 1 && table.get("secret").and_then(Value::as_str) == Some(name)
        }
        _ => a == b,
    }
}

fn is_empty(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|fields| fields.values().all(is_empty))
}

fn tables_of(value: &Value, path: &mut Vec<String>, tables: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) => {
            tables.push(path.clone());
            // a step that reads as a number is a place in a list
            for (name, inner) in fields
                .iter()
                .filter(|(name, _)| name.parse::<usize>().is_err())
            {
                path.push(name.clone());
                tables_of(inner, path, tables);
                path.pop();
            }
        }
        Value::Array(entries) => {
            for (at, inner) in entries.iter().enumerate() {
                path.push(at.to_string());
                tables_of(inner, path, tables);
                path.pop();
            }
        }
        _ => {}
    }
}

fn inside<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match step.parse::<usize>() {
        Ok(at) => value.get(at),
        Err(_) => value.get(step),
    }
}

/// One of the fields that are there, or another.
fn field_of(table: &Map<String, Value>, at: u8) -> &str {
    let at = usize::from(at);
    let names: Vec<&str> = table.keys().map(String::as_str).chain(FIELDS).collect();
    names[at % names.len()]
}

/// Comments stay, each whole and in its order, but for those of what is taken away; and so do the ends of lines.
fn comments_and_ends_are_kept(
    is_toml: bool,
    before: &str,
    after: &str,
    change: &Change<'_>,
    table: &Map<String, Value>,
) {
    let (old, new) = (comments(is_toml, before), comments(is_toml, after));
    let mut rest = old.iter();
    for comment in &new {
        assert!(
            rest.any(|one| one == comment),
            "{comment:?} is new:\n{before}\n----\n{after}"
        );
    }
    let is_scalar = |field: &str| {
        !table
            .get(field)
            .is_some_and(|old| old.is_object() || old.is_array())
    };
    let keeps_all = match change {
        Change::Set(field, _) => is_scalar(field),
        Change::Push(..) => true,
        Change::Replace(..) | Change::Remove(_) | Change::RemoveEntry(..) => false,
    };
    assert!(
        !keeps_all || old.len() == new.len(),
        "{change:?}: a comment is lost:\n{before}\n----\n{after}"
    );
    let bare = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
    if bare(before) == 0 && before.contains("\r\n") {
        assert_eq!(
            bare(after),
            0,
            "{change:?}: an end of a line: {before:?}\n{after:?}"
        );
    } else if !before.contains('\r') {
        assert!(
            !after.contains('\r'),
            "{change:?}: an end of a line: {before:?}\n{after:?}"
        );
    }
}

/// A change of the ring changes the variable COUNTERSIGN and the list of required secrets, and nothing else.
fn changes_the_ring_alone(kind: &RingKind, is_toml: bool, text: &str, before: &Value) {
    let name = |at: &u8| TEXTS[usize::from(*at) % 3];
    let format = |at: &u8| {
        let name = ["django-session", "keygrip", "jwt"][usize::from(*at) % 3];
        json!({ "format": name })
    };
    let (rule, written);
    let change = match kind {
        RingKind::Stage(at) => RingChange::Stage(name(at)),
        RingKind::Promote(at) => RingChange::Promote(name(at), "2027-02-01T00:00:00Z"),
        RingKind::PutInPlace(at) => RingChange::PutInPlace(name(at)),
        RingKind::Unlist(at) => RingChange::Unlist(name(at)),
        RingKind::Accept(at) | RingKind::Unaccept(at) | RingKind::PromoteFormat(at) => {
            rule = first_rule(before);
            written = format(at);
            match kind {
                RingKind::Accept(_) => RingChange::Accept(&rule, &written),
                RingKind::Unaccept(_) => RingChange::Unaccept(&rule, &written),
                _ => RingChange::PromoteFormat(&rule, &written),
            }
        }
        RingKind::LimitAge(seconds) => {
            rule = first_rule(before);
            RingChange::LimitAge(&rule, u64::from(*seconds))
        }
    };
    let Some(Ok(after)) = change_ring(is_toml, text, change) else {
        return;
    };
    let parsed = independent(is_toml, &after);
    let parsed = parsed.unwrap_or_else(|| panic!("{change:?} breaks it:\n{text}\n----\n{after}"));
    let rest = |whole: &Value| {
        let mut rest = whole.clone();
        if let Some(vars) = rest.get_mut("vars").and_then(Value::as_object_mut) {
            vars.remove("COUNTERSIGN");
        }
        if let Some(secrets) = rest.get_mut("secrets").and_then(Value::as_object_mut) {
            secrets.remove("required");
        }
        rest
    };
    assert!(
        is_same(&rest(before), &rest(&parsed)),
        "{change:?} changes more:\n{text}\n----\n{after}"
    );
    if matches!(
        kind,
        RingKind::Unlist(_) | RingKind::Unaccept(_) | RingKind::LimitAge(_)
    ) {
        let again = change_ring(is_toml, &after, change);
        assert_eq!(again, Some(Ok(after.clone())), "{change:?} twice:\n{text}");
    }
}

fn first_rule(config: &Value) -> String {
    let name = &config["vars"]["COUNTERSIGN"]["cookies"][0]["name"];
    name.as_str().unwrap_or_default().to_owned()
}

/// A second reading of a configuration.
fn independent(is_toml: bool, text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_toml {
        return text
            .parse::<toml::Table>()
            .ok()
            .map(|table| of_toml(toml::Value::Table(table)));
    }
    serde_json::from_str(&without_comments(text)).ok()
}

fn of_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(entries) => entries.into_iter().map(of_toml).collect(),
        toml::Value::Table(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, of_toml(value)));
            Value::Object(fields.collect())
        }
    }
}

/// JSONC as JSON: comments become spaces, and so do commas behind the last entry.
fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    for (piece, is_comment) in pieces(false, text) {
        if is_comment {
            plain.push(' ');
        } else {
            plain.push_str(piece);
        }
    }
    let mut json = String::new();
    let mut rest = plain.as_str();
    let mut in_text = false;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        match c {
            '\\' if in_text => {
                let escaped = behind.chars().next().map_or(0, char::len_utf8);
                json.push_str(&rest[..1 + escaped]);
                rest = &behind[escaped..];
                continue;
            }
            '"' => in_text = !in_text,
            ',' if !in_text
                && behind.trim_start().starts_with([']', '}'])
                && ends_a_value(&json) =>
            {
                rest = behind;
                continue;
            }
            _ => {}
        }
        json.push(c);
        rest = behind;
    }
    json
}

fn ends_a_value(text: &str) -> bool {
    !text.trim_end().ends_with(['[', '{', ',', ':']) && !text.trim_end().is_empty()
}

/// Every comment of a text, without the white space at its end.
fn comments(is_toml: bool, text: &str) -> Vec<String> {
    let comments = pieces(is_toml, text)
        .into_iter()
        .filter(|(_, is_comment)| *is_comment);
    comments
        .map(|(comment, _)| comment.trim_end().replace("\r\n", "\n"))
        .collect()
}

/// A text, cut into comments and what stands between them. Both syntaxes have texts in quotes.
fn pieces(is_toml: bool, text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let comment = match rest {
            _ if is_toml && rest.starts_with('#') => Some(rest.find('\n').unwrap_or(rest.len())),
            _ if !is_toml && rest.starts_with("//") => {
                // a carriage return ends a line as well, as in the parser that wrangler has
                Some(rest.find(['\n', '\r']).unwrap_or(rest.len()))
            }
            _ if !is_toml && rest.starts_with("/*") => {
                Some(rest[2..].find("*/").map_or(rest.len(), |end| end + 4))
            }
            _ => None,
        };
        if let Some(length) = comment {
            pieces.push((&text[start..at], false));
            pieces.push((&rest[..length], true));
            at += length;
            start = at;
        } else {
            at += quoted(is_toml, rest);
        }
    }
    pieces.push((&text[start..], false));
    pieces
}

/// How long the text in quotes is that something begins with; else one character.
fn quoted(is_toml: bool, rest: &str) -> usize {
    let quotes: &[&str] = if is_toml {
        &["\"\"\"", "'''", "\"", "'"]
    } else {
        &["\""]
    };
    let one = rest.chars().next().map_or(1, char::len_utf8);
    let Some(quote) = quotes.iter().find(|quote| rest.starts_with(**quote)) else {
        return one;
    };
    let mut at = quote.len();
    while at < rest.len() {
        if rest[at..].starts_with('\\') && quote.starts_with('"') {
            at += 1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        } else if rest[at..].starts_with(*quote) {
            at += quote.len();
            // up to two quotes more may end a text of several lines
            while quote.len() == 3 && rest[at..].starts_with(&quote[..1]) {
                at += 1;
            }
            return at;
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}
