//! What holds for every format that has vectors: each configuration there is a format with its options, and
//! each row a real value of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use countersign_core::config::Policy;
use countersign_core::crypto::key::{Key, KeyId};
use countersign_core::formats::{self, Configured, Content, Keyed, PAIR, Payload};
use countersign_core::gate::{Action, Gate, Pending};
use countersign_core::settings::{Problem, Problems, Table};
use countersign_core::wire::encoding::{from_hex, from_pasted_base64};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cases;
use crate::support::{ATTRIBUTES, page, random, words};

/// A real value, and its format under its key.
struct Sample {
    config: Value,
    cookie: String,
    value: String,
    keyed: Box<dyn Keyed>,
    other: Box<dyn Keyed>,
    now: u64,
}

/// One row of each configuration: the shortest that opens.
fn samples() -> Vec<Sample> {
    let mut found: BTreeMap<String, Sample> = BTreeMap::new();
    for file in
        jsonl_below(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/vectors"))
    {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some(sample) = Sample::read(&serde_json::from_str(line).unwrap()) else {
                continue;
            };
            let known = found.get(&sample.config.to_string());
            if known.is_none_or(|known| sample.value.len() < known.value.len()) {
                found.insert(sample.config.to_string(), sample);
            }
        }
    }
    found.into_values().collect()
}

impl Sample {
    fn read(row: &Value) -> Option<Self> {
        let format = format_of(&row["config"]).expect("the configuration of a vector");
        let keyed = |field: &str| {
            let text = row[field].as_str()?;
            let bytes = match row["key_encoding"].as_str() {
                Some("base64") => from_pasted_base64(text)?,
                Some("hex") => from_hex(text)?,
                _ => text.as_bytes().to_vec(),
            };
            let key = Key::new(KeyId::parse("KEY")?, bytes);
            format.keyed(row["cookie"].as_str()?, &key).ok()
        };
        // an empty value deletes
        let value = row["value"].as_str().filter(|value| !value.is_empty())?;
        let mut sample = Self {
            config: row["config"].clone(),
            cookie: row["cookie"].as_str()?.to_owned(),
            value: match row["sig_value"].as_str() {
                Some(signature) => format!("{value}{PAIR}{signature}"),
                None => value.to_owned(),
            },
            keyed: keyed("key")?,
            other: keyed("other_key")?,
            now: 0,
        };
        let content = sample.open(&sample.value)?;
        // where the clock could not be set, the value itself says when it was signed
        let now = row["now"].as_u64().or(row["signed_at"].as_u64());
        sample.now = now.or(content.time_s).unwrap_or(0);
        Some(sample)
    }

    fn open(&self, value: &str) -> Option<Content<'static>> {
        let content = self.keyed.open(value).ok()?;
        Some(content.into_owned())
    }
}

fn format_of(config: &Value) -> Option<Configured> {
    let problems = Problems::default();
    let mut table = Table::new("config", config, &problems)?;
    let format = formats::read(&mut table);
    table.finish();
    format.filter(|_| problems.is_empty())
}

pub fn jsonl_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(jsonl_below(&path)),
            false if path.extension().is_some_and(|end| end == "jsonl") => files.push(path),
            false => {}
        }
    }
    files
}

thread_local! {
    static SAMPLES: Vec<Sample> = samples();
}

/// Calls with one sample after another, whose number a property is given.
fn with_sample<T>(at: prop::sample::Index, call: impl FnOnce(&Sample) -> T) -> T {
    SAMPLES.with(|samples| call(&samples[at.index(samples.len())]))
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_text_panics_and_none_opens(
        at in any::<prop::sample::Index>(), text in prop_oneof![any::<String>(), "[ -~]{0,200}"],
    ) {
        with_sample(at, |sample| {
            prop_assert!(sample.open(&text).is_none() || text == sample.value);
            Ok(())
        })?;
    }

    #[test]
    fn a_changed_value_opens_with_no_other_content(
        at in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(),
        to in prop_oneof!["[ -~]", "[A-Za-z0-9_=-]{0,2}", any::<char>().prop_map(String::from)],
        cut in 0..3usize,
    ) {
        with_sample(at, |sample| {
            let mut chars: Vec<String> = sample.value.chars().map(String::from).collect();
            let from = place.index(chars.len());
            let end = (from + cut).min(chars.len());
            chars.splice(from..end, [to]);
            let changed = chars.concat();
            // another spelling of the same text may open
            if let Some(content) = sample.open(&changed) {
                let own = sample.open(&sample.value);
                prop_assert_eq!(Some(content), own, "{} for {}", changed, sample.value);
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_rotation_there_and_back_keeps_content_and_length() {
    SAMPLES.with(|samples| {
        assert!(samples.len() > 30, "{} configurations", samples.len());
        for sample in samples {
            let content = sample.open(&sample.value).unwrap();
            let mut length = None;
            for turn in 0..20 {
                let (to, from) = match turn % 2 {
                    0 => (&sample.other, &sample.keyed),
                    _ => (&sample.keyed, &sample.other),
                };
                let sealed = to.seal(&content, random).unwrap();
                assert_eq!(to.open(&sealed).as_ref(), Ok(&content), "{sealed}");
                assert!(from.open(&sealed).is_err(), "{sealed}");
                // what is random may be spelled with more or fewer escapes
                let decoded = sealed.replace("%2B", "+").replace("%2F", "/").len();
                assert_eq!(*length.get_or_insert(decoded), decoded, "{sealed}");
            }
        }
    });
}

/// Conversion: wherever a policy lets browser and origin have different formats, what the origin sets comes
/// back to it with the same payload and time; wherever not, the problem says why.
#[test]
fn what_the_origin_sets_comes_back_to_it_through_any_other_format() {
    let (mut converted, mut refused) = (0, 0);
    SAMPLES.with(|samples| {
        for (browser, origin) in pairs(samples) {
            match converting(&browser.config, &origin.config, &origin.cookie) {
                Ok(gate) => {
                    converted += 1;
                    let content = origin.open(&origin.value).unwrap();
                    assert_comes_back(&gate, &content, origin.now);
                }
                Err(problems) => {
                    refused += 1;
                    let said = problems.iter().all(|problem| problem.text().len() > 20);
                    assert!(said && !problems.is_empty());
                }
            }
        }
    });
    assert!(
        converted > 300 && refused > 300,
        "{converted} converted, {refused} refused"
    );
}

/// S5: a cookie is the same one before and after its upgrade, whatever its format was before.
#[test]
fn a_logout_with_the_upgraded_cookie_withholds_upgrades_of_the_older_one() {
    let mut upgraded = 0;
    SAMPLES.with(|samples| {
        for (older, newer) in pairs(samples) {
            let Some(gate) = upgrading(&older.config, &newer.config, &older.cookie) else {
                continue;
            };
            upgraded += usize::from(upgrades_and_logs_out(&gate, older, newer));
        }
    });
    assert!(upgraded > 100, "{upgraded} upgraded");
}

/// A gate that takes a format under an older key and moves what it takes to another format and key.
fn upgrading(older: &Value, newer: &Value, name: &str) -> Option<Gate> {
    let mut rule = newer.clone();
    rule["name"] = name.into();
    rule["upgrade"] = "always".into();
    rule["attributes"] = "Path=/".into();
    rule["origin"] = newer.clone();
    if older != newer {
        rule["accept"] = json!([older]);
    }
    let keys = json!({"current": "NEW", "fallbacks": ["OLD"], "origin": "ORIGIN"});
    let secret = |id: &str| secret_of(id, [older, newer]);
    let policy = Policy::parse(&json!({"keys": keys, "cookies": [rule]}), &secret).ok()?;
    Some(Gate::new(policy, random))
}

/// Asks for two pages with one cookie, has the first answered with the upgrade, logs out with that, and has the other
/// answered. Answers whether there was an upgrade.
fn upgrades_and_logs_out(gate: &Gate, older: &Sample, newer: &Sample) -> bool {
    let now_ms = older.now * 1000;
    let secret = secret_of("OLD", [&older.config, &newer.config]).unwrap();
    let key = Key::new(KeyId::parse("OLD").unwrap(), secret.into_bytes());
    let Ok(keyed) = format_of(&older.config).unwrap().keyed(&older.cookie, &key) else {
        return false;
    };
    let content = older.open(&older.value).unwrap();
    let shown: Vec<String> =
        in_cookies(&older.cookie, &keyed.seal(&content, random).unwrap()).collect();
    let ask = |cookies: &str| {
        gate.request(Some(cookies), &page(), now_ms)
            .unwrap()
            .pending
    };
    let answer = |set: &[String], pending: &Pending| gate.response(set, pending, &page(), now_ms);
    let (first, second) = (ask(&shown.join("; ")), ask(&shown.join("; ")));
    let Some(upgrade) = answer(&[], &first).set_cookies else {
        return false;
    };
    let upgraded = upgrade.iter().filter_map(|header| header.split(';').next());
    let is_set = |pair: &&str| {
        pair.split_once('=')
            .is_some_and(|(_, value)| !value.is_empty())
    };
    let upgraded: Vec<&str> = upgraded.filter(is_set).collect();
    // of an empty value that is signed beside it
    if upgraded
        .first()
        .is_none_or(|pair| pair.starts_with(&format!("{}.sig", older.cookie)))
    {
        return false;
    }
    answer(
        &[format!("{}=; Path=/; Max-Age=0", older.cookie)],
        &ask(&upgraded.join("; ")),
    );
    let last = answer(&[], &second);
    let told = words(gate, &last.events);
    assert_eq!(
        told,
        ["upgrade-withheld superseded"],
        "{shown:?} {upgraded:?}"
    );
    true
}

/// Wrapping: every format that binds the name and holds text serves a rule whose origin is plain.
#[test]
fn a_plain_origin_goes_with_each_format_that_binds_the_name() {
    let plain = json!({"format": "plain"});
    let mut wrapped = Vec::new();
    SAMPLES.with(|samples| {
        for sample in samples {
            let format = format_of(&sample.config).unwrap();
            let properties = format.properties();
            let fits = properties.binds_name && properties.payload == Payload::Text;
            match converting(&sample.config, &plain, &sample.cookie) {
                Ok(gate) => {
                    assert!(fits, "{} is accepted", sample.config);
                    assert_comes_back(&gate, &Content::of(&b"3q1i2gbn6bk9"[..]), 1_700_000_000);
                    wrapped.push(format.name);
                }
                // 16 bytes, which the keys here have not
                Err(_) if sample.config["cipher"] == "aes-128-cbc" => {}
                Err(problems) => assert!(!fits, "{}: {problems:?}", sample.config),
            }
        }
    });
    wrapped.dedup();
    assert!(wrapped.len() > 4, "{wrapped:?}");
}

/// Values as sites write them unsigned, quotes, commas and letters beyond ASCII among them.
fn unsigned_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_-]{1,30}",
        "\"[ -:<-~]{0,20}\"",
        "[!-:<-~]([ -:<-~\t]{0,20}[!-:<-~])?",
        "[!-:<-~é日😀\u{80}-\u{a0}\u{feff}]{0,20}",
    ]
}

thread_local! {
    /// For each configuration that can wrap: its name, and the gate.
    static WRAPPING: Vec<(String, Gate)> = SAMPLES.with(|samples| {
        let plain = json!({"format": "plain"});
        let gate = |sample: &Sample| {
            let gate = converting(&sample.config, &plain, "user").ok()?;
            Some((sample.config["format"].as_str()?.to_owned(), gate))
        };
        samples.iter().filter_map(gate).collect()
    });
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_wrapped_value_comes_back_byte_for_byte_or_is_told_when_it_is_set(
        at in any::<prop::sample::Index>(), value in unsigned_value(),
    ) {
        WRAPPING.with(|wrapping| {
            let (format, gate) = &wrapping[at.index(wrapping.len())];
            assert_wrapped(format, gate, &value);
        });
    }

    #[test]
    fn sealed_wraps_every_value(value in unsigned_value()) {
        WRAPPING.with(|wrapping| {
            let (format, gate) = wrapping.iter().find(|(format, _)| format == "sealed").unwrap();
            assert_wrapped(format, gate, &value);
        });
    }
}

fn assert_wrapped(format: &str, gate: &Gate, value: &str) {
    let set = [format!("user={value}; Path=/")];
    let now_ms = 1_700_000_000_000;
    let answer = gate.response(&set, &Pending::default(), &page(), now_ms);
    let verdicts = words(gate, &answer.events);
    let is_empty = value.is_empty() || value == "\"\"";
    if is_empty && format != "sealed" {
        assert_eq!(verdicts, ["deletion"], "{format}: {value}");
        return;
    }
    let Some(sent) = answer.set_cookies else {
        assert_eq!(verdicts, ["malformed"], "{format}: {value}");
        assert_ne!(format, "sealed", "{value}");
        return;
    };
    assert_eq!(verdicts, ["sealed NEW"], "{format}: {value}");
    // a signature in a cookie of its own goes with it
    let shown: Vec<&str> = sent
        .iter()
        .filter_map(|header| header.split(';').next())
        .collect();
    let decision = gate
        .request(Some(&shown.join("; ")), &page(), now_ms)
        .unwrap();
    let back = Action::WithCookie(Some(format!("user={value}")));
    assert_eq!(decision.action, back, "{format}: {value}");
}

/// Each configuration of a format with each other of that format, and two of it with two of every other.
fn pairs(samples: &[Sample]) -> Vec<(&Sample, &Sample)> {
    let format = |sample: &Sample| sample.config["format"].clone();
    let is_first = |at: usize| {
        let before = &samples[..at];
        let alike = before.iter().filter(|s| format(s) == format(&samples[at]));
        alike.count() < 2
    };
    let mut pairs = Vec::new();
    for (i, one) in samples.iter().enumerate() {
        for (j, other) in samples.iter().enumerate() {
            if format(one) == format(other) || (is_first(i) && is_first(j)) {
                pairs.push((one, other));
            }
        }
    }
    pairs
}

fn converting(browser: &Value, origin: &Value, name: &str) -> Result<Gate, Vec<Problem>> {
    let mut rule = browser.clone();
    rule["name"] = name.into();
    rule["upgrade"] = "never".into();
    rule["origin"] = origin.clone();
    let keys = json!({"current": "NEW", "origin": "ORIGIN"});
    let secret = |id: &str| secret_of(id, if id == "NEW" { [browser] } else { [origin] });
    let policy = Policy::parse(&json!({"keys": keys, "cookies": [rule]}), &secret)?;
    Ok(Gate::new(policy, random))
}

fn assert_comes_back(gate: &Gate, content: &Content<'_>, now: u64) {
    let [rule] = &gate.policy().rules[..] else {
        panic!("one rule");
    };
    let Ok(sealed) = rule.origin.keyed.seal(content, random) else {
        panic!(
            "{content:?} cannot be sealed for {:?}",
            rule.spec.origin_format
        );
    };
    let set = in_cookies(&rule.spec.name, &sealed).map(|cookie| format!("{cookie}; Path=/"));
    let set: Vec<String> = set.collect();
    let answer = gate.response(&set, &Pending::default(), &page(), now * 1000);
    let verdicts = words(gate, &answer.events);
    let timed = Content {
        time_s: content.time_s.or(Some(now)),
        ..content.clone()
    };
    if rule.browser.keyed.seal(&timed, random).is_err() {
        // white space and commas, which this format does not quote (R3)
        assert_eq!(verdicts, ["malformed"], "{content:?}: {set:?}");
        assert_eq!(answer.set_cookies, None);
        return;
    }
    assert_eq!(verdicts, ["sealed NEW"], "{content:?}: {set:?}");
    let sent = answer.set_cookies.unwrap_or(set);
    let shown: Vec<&str> = sent
        .iter()
        .map(|header| header.split(';').next().unwrap())
        .collect();
    let decision = gate
        .request(Some(&shown.join("; ")), &page(), now * 1000)
        .unwrap();
    let Action::WithCookie(Some(header)) = decision.action else {
        panic!("{shown:?} becomes {:?}", decision.action);
    };
    let (name, written) = (&rule.spec.name, header.as_str());
    let value = written.strip_prefix(&format!("{name}=")).unwrap();
    let value = value.replace(&format!("; {name}.sig="), ";");
    let opened = rule.origin.keyed.open(&value).unwrap();
    assert_eq!(opened.payload, content.payload);
    assert_eq!(
        (opened.time_s, opened.expiry_ms),
        (content.time_s, content.expiry_ms)
    );
}

/// A sealed text as the cookies that hold it.
fn in_cookies(name: &str, sealed: &str) -> impl Iterator<Item = String> {
    let names = [name.to_owned(), format!("{name}.sig")].into_iter();
    names
        .zip(sealed.split(PAIR))
        .map(|(name, value)| format!("{name}={value}"))
}

/// A key that each of these formats takes: 32 bytes, or 64 where one prescribes as many.
fn secret_of<const N: usize>(id: &str, configs: [&Value; N]) -> Option<String> {
    let least = |config| format_of(config).and_then(|format| format.properties().least_key);
    let length = configs.into_iter().filter_map(least).max();
    let text = format!("{id}-{}", "0123456789-abcdefghijklmnopqrstuvwxyz".repeat(2));
    Some(text[..if length > Some(32) { 64 } else { 32 }].to_owned())
}

/// C1: whatever a policy of two rules with one ring key lets through, a value of one does not open under the
/// other, unless the origin could not tell them apart either.
#[test]
fn a_value_of_one_rule_never_opens_under_another_that_shares_its_key() {
    let (mut accepted, mut refused) = (0, 0);
    SAMPLES.with(|samples| {
        for (one, other) in pairs(samples) {
            for plain in [false, true] {
                let Some(policy) = two_rules(&one.config, &other.config, plain) else {
                    refused += 1;
                    continue;
                };
                accepted += 1;
                assert_apart(&policy, &one.config);
            }
        }
    });
    assert!(
        accepted > 100 && refused > 100,
        "{accepted} accepted, {refused} refused"
    );
}

/// Two rules with one ring key, and an origin key of their own each.
fn two_rules(one: &Value, other: &Value, plain: bool) -> Option<Policy> {
    let rule = |config: &Value, name: &str, origin: &str| {
        let mut rule = config.clone();
        rule["name"] = name.into();
        rule["attributes"] = ATTRIBUTES.into();
        rule["keys"] = json!({"current": "SHARED", "origin": origin});
        if plain {
            rule["origin"] = json!({"format": "plain"});
        }
        rule
    };
    let config = json!({"cookies": [rule(one, "aa", "ORIGIN_A"), rule(other, "bb", "ORIGIN_B")]});
    let secret = |id: &str| match id {
        "ORIGIN_A" => secret_of(id, [one]),
        "ORIGIN_B" => secret_of(id, [other]),
        _ => secret_of(id, [one, other]),
    };
    Policy::parse(&config, &secret).ok()
}

fn assert_apart(policy: &Policy, one: &Value) {
    let [a, b] = &policy.rules[..] else {
        panic!("two rules");
    };
    for payload in payloads(one) {
        let Ok(sealed) = a.browser.keyed.seal(&payload, random) else {
            continue;
        };
        for candidate in &b.candidates {
            let opened = candidate.keyed.open(&sealed);
            assert!(opened.is_err(), "{sealed} opens under {:?}", b.spec.format);
        }
    }
}

/// What a visitor may have made the origin sign.
fn payloads(config: &Value) -> Vec<Content<'static>> {
    let own = SAMPLES.with(|samples| {
        let sample = samples.iter().find(|sample| sample.config == *config);
        sample
            .and_then(|sample| sample.open(&sample.value))
            .unwrap()
    });
    let texts = [
        "x",
        "aa=x",
        "bb=x",
        "{}",
        "bb|1700000000|e30=",
        "cookie-session",
        "1.2",
    ];
    let timed = |text: &str| Content {
        payload: text.as_bytes().to_vec().into(),
        ..own.clone()
    };
    texts.into_iter().map(timed).chain([own.clone()]).collect()
}
