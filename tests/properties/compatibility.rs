//! Compatibility and the world agree: for arbitrary pairs of policies, what `losses` names is what a real
//! gate does not open.

use std::cell::Cell;

use countersign_core::config::{Policy, Rule};
use countersign_core::crypto::key::Key;
use countersign_core::crypto::{Digest, Mac};
use countersign_core::formats::Content;
use countersign_core::gate::verdict::Verdict;
use countersign_core::gate::{Action, Gate, Pending};
use countersign_core::operations::capabilities::{Capabilities, Side};
use countersign_core::operations::compatibility::losses;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::cases;
use crate::support::*;

/// A text that every format of the tests can carry.
const CONTENT: &str = "eyJ1c2VyX2lkIjo0Mn0";

/// A version of the Worker, or none in front of the origin that another version describes.
struct Version {
    gate: Option<Gate>,
    capabilities: Capabilities,
}

/// What a family of formats may be configured with.
struct Family {
    name: &'static str,
    formats: Vec<Value>,
    origins: Vec<Value>,
}

fn families() -> Vec<Family> {
    let django = |digest| json!({"format": "django-session", "digest": digest});
    let signed = |salt| json!({"format": "django-signed-cookie", "salt": salt});
    let keygrip = |digest| json!({"format": "keygrip", "digest": digest});
    let securecookie = |digest| json!({"format": "securecookie", "digest": digest});
    let plain = json!({"format": "plain"});
    vec![
        Family {
            name: "sessionid",
            formats: vec![django("sha1"), django("sha256")],
            origins: vec![django("sha1"), django("sha256")],
        },
        Family {
            name: "user_id",
            formats: vec![
                signed("a"),
                signed("b"),
                securecookie("sha256"),
                plain.clone(),
            ],
            origins: vec![plain.clone(), signed("a")],
        },
        Family {
            name: "sess",
            formats: vec![keygrip("sha1"), keygrip("sha256"), plain.clone()],
            origins: vec![keygrip("sha1"), plain],
        },
    ]
}

/// Some of these, in their order, each with an end or without one.
fn some_until(values: Vec<Value>) -> impl Strategy<Value = Vec<Value>> {
    let most = values.len().min(3);
    let until = prop::sample::select(vec![
        None,
        None,
        Some("2020-01-01T00:00:00Z"),
        Some("2099-01-01T00:00:00Z"),
    ]);
    let entry = (prop::sample::select(values), until).prop_map(|(mut value, until)| {
        if let Some(until) = until {
            value["until"] = until.into();
        }
        value
    });
    prop::collection::vec(entry, 0..=most)
}

fn keys() -> impl Strategy<Value = Value> {
    const RING: [&str; 6] = ["NEW", "NEW_TWIN", "OLD", "SWAPPED", "ORIGIN", "NEXT_ORIGIN"];
    let fallbacks = RING.map(|id| json!({"secret": id})).to_vec();
    let origin = prop_oneof![
        3 => Just(json!("ORIGIN")),
        1 => Just(json!("NEXT_ORIGIN")),
        1 => Just(json!({"current": "ORIGIN", "fallbacks": ["NEXT_ORIGIN"]})),
        1 => Just(json!({"current": "NEXT_ORIGIN", "fallbacks": ["ORIGIN"]})),
    ];
    (prop::sample::select(RING.to_vec()), some_until(fallbacks), origin)
        .prop_map(|(current, fallbacks, origin)| json!({"current": current, "fallbacks": fallbacks, "origin": origin}))
}

/// A configuration of one cookie; most are right, and the others are passed over.
fn configuration(family: usize) -> impl Strategy<Value = Value> {
    let Family {
        name,
        formats,
        origins,
    } = families().swap_remove(family);
    (
        keys(),
        prop::sample::select(formats.clone()),
        some_until(formats),
        prop::sample::select(origins),
        prop::sample::select(vec!["enforce", "enforce", "enforce", "observe"]),
    )
        .prop_map(move |(keys, format, accept, origin, mode)| {
            let rule = json!({"name": name, "attributes": ATTRIBUTES, "accept": accept, "origin": origin, "mode": mode});
            let mut config = config(keys, [with(rule, format)]);
            // a window of adoption is refused without an age limit, which signed times of the tests are under
            if config["cookies"][0]["accept"].to_string().contains("plain") {
                config["cookies"][0]["max_age"] = 1_000_000.into();
            }
            config
        })
}

/// Two configurations of one cookie, or of none in the place of one of them.
fn pair() -> impl Strategy<Value = (Option<Value>, Option<Value>)> {
    let one = |family| prop::option::weighted(0.9, configuration(family));
    (0..families().len()).prop_flat_map(move |family| (one(family), one(family)))
}

fn fingerprint(key: &Key) -> Option<String> {
    let tag = Mac::new(Digest::Sha256, b"fingerprints").sign(&[key.bytes()]);
    Some(countersign_core::wire::encoding::base64url(&tag[..8]))
}

/// A version of the Worker; nothing where the configuration is refused. `SWAPPED` is a key id that has other
/// bytes in the second version.
fn version(config: Option<&Value>, swapped: &str) -> Option<Version> {
    let Some(config) = config else {
        return Some(Version {
            gate: None,
            capabilities: Capabilities::default(),
        });
    };
    let secret = |name: &str| secret(if name == "SWAPPED" { swapped } else { name });
    let policy = Policy::parse(config, &secret).ok()?;
    let capabilities = Capabilities::of(&policy, &fingerprint);
    let gate = Some(Gate::new(policy, random));
    Some(Version { gate, capabilities })
}

fn rule_of(gate: &Gate) -> &Rule {
    &gate.policy().rules[0]
}

/// A Set-Cookie header each for a value, and for its signature where that is a cookie of its own.
fn set_cookies(name: &str, value: &str) -> Vec<String> {
    let (value, signature) = match value.split_once(';') {
        Some((value, signature)) => (value, Some(signature)),
        None => (value, None),
    };
    let mut lines = vec![format!("{name}={value}; {ATTRIBUTES}")];
    lines.extend(signature.map(|signature| format!("{name}.sig={signature}; {ATTRIBUTES}")));
    lines
}

/// The Cookie header of a browser that was sent these.
fn shown(set_cookies: &[String]) -> String {
    let pairs: Vec<&str> = set_cookies
        .iter()
        .map(|line| line.split("; ").next().unwrap())
        .collect();
    pairs.join("; ")
}

/// What the origin sets, as a version describes it.
fn set_by_origin(described: &Gate) -> Vec<String> {
    let rule = rule_of(described);
    let mut content = Content::of(CONTENT.as_bytes());
    if rule.origin.carries_time {
        content = content.signed_at(SIGNED);
    }
    let value = rule.origin.keyed.seal(&content, random).unwrap();
    set_cookies(&rule.spec.name, &value)
}

/// What the browser is sent of it, and whether the version could read it.
fn through_response(gate: Option<&Gate>, set: &[String]) -> (Vec<String>, bool) {
    let Some(gate) = gate else {
        return (set.to_vec(), true);
    };
    let answer = gate.response(set, &Pending::default(), &page(), NOW * 1000);
    let is_read = answer
        .events
        .iter()
        .all(|event| event.verdict != Verdict::OriginUnverified);
    (answer.set_cookies.unwrap_or_else(|| set.to_vec()), is_read)
}

/// What the origin is sent of a browser's cookies.
fn through_request(gate: Option<&Gate>, header: &str) -> String {
    let Some(gate) = gate else {
        return header.to_owned();
    };
    match gate
        .request(Some(header), &subrequest(), NOW * 1000)
        .unwrap()
        .action
    {
        Action::Unchanged => header.to_owned(),
        Action::WithCookie(header) => header.unwrap_or_default(),
        Action::Reject(_) => String::new(),
    }
}

/// Whether the origin, as a version describes it, reads the content in a Cookie header.
fn read_by_origin(described: &Gate, header: &str) -> bool {
    let rule = rule_of(described);
    let value_of = |name: &str| {
        let prefix = format!("{name}=");
        let mut pairs = header.split("; ");
        pairs.find_map(|pair| pair.strip_prefix(prefix.as_str()).map(str::to_owned))
    };
    let Some(value) = value_of(&rule.spec.name) else {
        return false;
    };
    let signature = value_of(&format!("{}.sig", rule.spec.name));
    rule.origin_candidates.iter().any(|candidate| {
        let text = match (candidate.is_pair, &signature) {
            (true, Some(signature)) => format!("{value};{signature}"),
            _ => value.clone(),
        };
        let opened = candidate.keyed.open(&text);
        opened.is_ok_and(|content| *content.payload == *CONTENT.as_bytes())
    })
}

/// Whether a session that the origin sets through `a` is read by the origin when it is shown to `b`.
fn browser_keeps(a: &Version, b: &Version, a_origin: &Gate, b_origin: &Gate) -> bool {
    let (sent, _) = through_response(a.gate.as_ref(), &set_by_origin(a_origin));
    read_by_origin(b_origin, &through_request(b.gate.as_ref(), &shown(&sent)))
}

/// Whether what the origin sets, as `a` describes it, is read by `b`, lives through it, and reads the same.
fn origin_keeps(b: &Version, a_origin: &Gate, b_origin: &Gate) -> bool {
    let set = set_by_origin(a_origin);
    let (sent, is_read) = through_response(b.gate.as_ref(), &set);
    // what the origin is handed by `a` is what it would set itself
    let handed = read_by_origin(b_origin, &shown(&set));
    let lives = read_by_origin(b_origin, &through_request(b.gate.as_ref(), &shown(&sent)));
    is_read && handed && lives
}

#[test]
fn what_is_called_a_loss_is_lost_and_nothing_else_is() {
    let (kept, lost) = (Cell::new(0), Cell::new(0));
    let config = proptest::test_runner::Config {
        max_global_rejects: 1_000_000,
        ..cases(1000)
    };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&pair(), |(a, b)| {
        let versions = version(a.as_ref(), "OLDER").zip(version(b.as_ref(), "STRANGER"));
        prop_assume!(versions.is_some());
        let (a, b) = versions.unwrap();
        // without a Worker the origin is what the other version describes
        let described = (
            a.gate.as_ref().or(b.gate.as_ref()),
            b.gate.as_ref().or(a.gate.as_ref()),
        );
        let (Some(a_origin), Some(b_origin)) = described else {
            return Ok(());
        };
        let losses = losses(&a.capabilities, &b.capabilities, NOW);
        for (side, keeps) in [
            (Side::Browser, browser_keeps(&a, &b, a_origin, b_origin)),
            (Side::Origin, origin_keeps(&b, a_origin, b_origin)),
        ] {
            let loss = losses.iter().find(|loss| loss.side == side);
            // a pair's value can be read without its signature, and is called a loss all the same
            let errs = loss.is_some_and(|loss| loss.format.starts_with("keygrip"));
            prop_assert!(loss.is_some() != keeps || errs, "{:?}: {:?}", side, losses);
            let count = if keeps { &kept } else { &lost };
            count.set(count.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("{} kept, {} lost", kept.get(), lost.get());
    assert!(
        kept.get() > 100 && lost.get() > 100,
        "too few of a kind to prove anything"
    );
}
