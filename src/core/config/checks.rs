//! What is refused although it can be read: C1 separation, C2 observe is no off switch, C3 strength,
//! C4 look-alikes; and formats that cannot carry each other's content.

use super::keys::Keys;
use super::rule::is_plain;
use super::secrets::STRONG;
use super::{OnInvalid, RuleConfig, RuleIndex};
use crate::crypto::key::{Encoding, Key};
use crate::formats::{Configured, Derivation, same};
use crate::prelude::*;
use crate::settings::{Fault, Problem, Problems, Topic};
use crate::wire::look_alike::Names;

/// Checks each pair of rules.
pub fn check(specs: &[&RuleConfig], problems: &Problems) {
    for (at, b) in specs.iter().enumerate() {
        for a in &specs[..at] {
            check_names(a, b, problems);
            check_separation(a, b, problems);
        }
    }
}

/// Checks one rule by itself.
pub fn check_alone(spec: &RuleConfig, keys: &Keys, problems: &Problems) {
    check_carrying(spec, problems);
    check_layouts(spec, problems);
    check_times(spec, problems);
    check_binding(spec, problems);
    check_forward(spec, problems);
    check_strength(spec, keys, problems);
}

fn formats(spec: &RuleConfig) -> impl Iterator<Item = (String, &Configured)> {
    let own = (format!("{}.format", spec.path), &spec.format);
    let accepted = spec.accept.iter().enumerate().map(|(at, accept)| {
        let path = format!("{}.accept[{at}]", spec.path);
        (path, &accept.format)
    });
    core::iter::once(own).chain(accepted)
}

/// Payloads move between formats of one kind only.
fn check_carrying(spec: &RuleConfig, problems: &Problems) {
    let origin = spec.origin_format.properties();
    for (path, format) in formats(spec) {
        if format.properties().payload != origin.payload {
            problems.add(
                path,
                "its payload cannot be carried over to the format of `origin`: they serialise differently",
            );
        }
    }
    // a rule's own format and the origin's are of one kind; so `accept` is of that kind as well
}

/// Two layouts under one key: a value of one could be read as the other.
fn check_layouts(spec: &RuleConfig, problems: &Problems) {
    let own = &spec.format;
    for (path, format) in formats(spec).skip(1) {
        if !same(format, own) && is_confusable(spec, own, format) {
            problems.add(
                path,
                Fault::new("signs with the same key as `format`, so a value of one could be read as the other")
                    .cure("give one of them another salt or digest"),
            );
        }
    }
}

fn is_confusable(spec: &RuleConfig, x: &Configured, y: &Configured) -> bool {
    match (x.derivation(&spec.name), y.derivation(&spec.name)) {
        // what signs the same text says the same, however it is spelled
        (
            Derivation::Bare {
                digest: m,
                signs: x,
            },
            Derivation::Bare {
                digest: n,
                signs: y,
            },
        ) => m == n && x != y,
        // a MAC of the bare key over what a visitor chose may be the other's key
        (Derivation::Bare { digest: m, .. }, Derivation::Mac { digest: n, .. })
        | (Derivation::Mac { digest: m, .. }, Derivation::Bare { digest: n, .. }) => m == n,
        (Derivation::None, _) => false,
        (x, y) => x == y,
    }
}

fn check_times(spec: &RuleConfig, problems: &Problems) {
    let path = &spec.path;
    let timed = spec.format.properties().carries_time;
    if !timed && spec.origin_format.properties().carries_time {
        problems.add(
            format!("{path}.format"),
            "carries no time and the origin's format does: each request would make an old session look new",
        );
    }
    let expires = |format: &Configured| format.properties().carries_expiry;
    let accepted = spec.accept.iter().map(|accept| &accept.format);
    if !expires(&spec.format) && accepted.chain([&spec.origin_format]).any(expires) {
        problems.add(
            format!("{path}.format"),
            "carries no expiry, and `origin` or `accept` has a format that may: what has an end would live on without one",
        );
    }
    if spec.leeway.is_some() && !formats(spec).any(|(_, format)| expires(format)) {
        problems.add(
            format!("{path}.leeway"),
            Fault::new("no format of this rule carries an expiry").cure("leave leeway out"),
        );
    }
    if spec.max_age.is_some() {
        for (path, format) in formats(spec) {
            if !format.properties().carries_time {
                problems.add(
                    path,
                    Fault::new("carries no time, so max_age cannot be held")
                        .cure("leave max_age out"),
                );
            }
        }
    }
    if spec.adopt_until.is_some() && !is_plain(&spec.origin_format) {
        problems.add(
            format!("{path}.accept"),
            "\"plain\" needs an origin that reads plain cookies; else the Worker would sign for the origin whatever a visitor sends",
        );
    }
    if spec.adopt_until.is_some() && !(timed && spec.max_age.is_some()) {
        problems.add(
            format!("{path}.accept"),
            "\"plain\" needs a `format` that carries a time and a `max_age`, so that what is adopted grows old",
        );
    }
}

/// C1, for a rule alone: unsigned at the origin, a value must be good for one name only.
fn check_binding(spec: &RuleConfig, problems: &Problems) {
    if !is_plain(&spec.origin_format) {
        if spec.is_unsealed() {
            problems.add(
                format!("{}.format", spec.path),
                "\"plain\" needs an origin that reads plain cookies: origin = { format = \"plain\" }",
            );
        }
        return;
    }
    for (path, format) in formats(spec) {
        if !is_plain(format) && !format.properties().binds_name {
            problems.add(
                path,
                Fault::new("does not bind the cookie's name, which a rule with origin \"plain\" needs: a visitor could rename another cookie into this one")
                    .cure("\"sealed\" does, and \"django-signed-cookie\" too"),
            );
        }
    }
}

/// C1, for two rules: a value of one must not open under the other.
fn check_separation(a: &RuleConfig, b: &RuleConfig, problems: &Problems) {
    let is_shared = |key: &Key| b.ring.keys().any(|held| held.same_secret(key));
    if !a.ring.keys().any(is_shared) {
        return;
    }
    // then the origin cannot tell them apart either
    let one_origin = same(&a.origin_format, &b.origin_format)
        && !is_plain(&a.origin_format)
        && same_keys(a.origin_keys.iter(), b.origin_keys.iter())
        && !launders(a, b)
        && !launders(b, a);
    for (_, x) in formats(a) {
        for (path, y) in formats(b) {
            let equals = one_origin && same(x, y);
            if !equals && !is_separate(a, x, b, y) {
                problems.add(
                    path,
                    Fault::new(format!(
                        "shares a key with {}, and a value of one could be passed off as the other",
                        a.path
                    ))
                    .cure("give one of them `keys` of its own, or formats that bind the name"),
                );
                return;
            }
        }
    }
}

/// Whether what `from` takes by a key or in a format that `to` does not trust, or no longer, comes out
/// under a key and in a format that it does.
fn launders(from: &RuleConfig, to: &RuleConfig) -> bool {
    let is_taken = to.ring.holds(&from.ring.current) && accepts_until(to, &from.format) > 0;
    let outlasts = |key: &Key| from.ring.trusts_until(key) > to.ring.trusts_until(key);
    let outlives =
        |(_, format): (_, &Configured)| accepts_until(from, format) > accepts_until(to, format);
    is_taken && (from.ring.keys().any(outlasts) || formats(from).any(outlives))
}

/// Until when, in Unix seconds, a rule opens a format: zero where it does not.
fn accepts_until(spec: &RuleConfig, format: &Configured) -> u64 {
    let accepted = spec.accept.iter().filter(|a| same(&a.format, format));
    let until = accepted.map(|a| a.until.unwrap_or(u64::MAX));
    if same(&spec.format, format) {
        u64::MAX
    } else {
        until.max().unwrap_or_default()
    }
}

fn same_keys<'k>(a: impl Iterator<Item = &'k Key>, b: impl Iterator<Item = &'k Key>) -> bool {
    let (a, b): (Vec<&Key>, Vec<&Key>) = (a.collect(), b.collect());
    let all_in = |keys: &[&Key], others: &[&Key]| {
        keys.iter()
            .all(|key| others.iter().any(|other| key.same_bytes(other)))
    };
    all_in(&a, &b) && all_in(&b, &a)
}

fn is_separate(a: &RuleConfig, x: &Configured, b: &RuleConfig, y: &Configured) -> bool {
    let alike = || x.name == y.name && x.properties().binds_name && y.properties().binds_name;
    match (x.derivation(&a.name), y.derivation(&b.name)) {
        (Derivation::None, _) | (_, Derivation::None) => true,
        (Derivation::Bare { digest: m, .. }, Derivation::Bare { digest: n, .. }) => {
            if m == n {
                alike()
            } else {
                x.name == y.name
            }
        }
        // a MAC with another digest is not the other's key, whatever is signed
        (Derivation::Bare { digest: m, .. }, Derivation::Mac { digest: n, .. })
        | (Derivation::Mac { digest: n, .. }, Derivation::Bare { digest: m, .. }) => m != n,
        (
            Derivation::Part {
                bytes: m,
                is_bare: x_is_bare,
                ..
            },
            Derivation::Part {
                bytes: n,
                is_bare: y_is_bare,
                ..
            },
        ) if m == n && (x_is_bare || y_is_bare) => alike(),
        // a key that is used bare could sign what another format derives its key from
        (Derivation::Bare { .. }, _) | (_, Derivation::Bare { .. }) => false,
        (m, n) if m != n => true,
        // names that are bound by the derivation alone have run together in it
        (m, _) => m == x.derivation("") && alike(),
    }
}

/// C2. Sessions sealed with another key than the origin's would be overwritten by it: no traffic passes, also
/// where all that is asked for is to observe. A format that cannot be read is taken for what it most likely is,
/// so that one more mistake does not open what this closes.
pub fn check_observe(
    path: &str,
    keys: &Keys,
    format: Option<&Configured>,
    origin_format: Option<&Configured>,
    problems: &Problems,
) {
    let same_key = keys.ring.current.same_bytes(&keys.origin.current);
    let as_origin = match (format, origin_format) {
        (Some(format), _) if is_plain(format) => true, // nothing has been sealed yet
        (Some(format), Some(origin)) => same_key && same(format, origin),
        (None, Some(origin)) if is_plain(origin) => true,
        _ => same_key,
    };
    if !as_origin {
        let fault = Fault::new("\"observe\" would hand the origin cookies that it cannot read: it stands only where the current key and format are the origin's")
            .cure("to switch off, rotate back to the origin's key first");
        problems.add(format!("{path}.mode"), fault.about(Topic::Observing));
    }
}

/// C2, the brake: what it lets through must at least be checked by the origin.
fn check_forward(spec: &RuleConfig, problems: &Problems) {
    let open = is_plain(&spec.origin_format);
    let lasting = spec.ring.fallbacks.iter().filter(|f| f.until.is_none());
    let lasting: Vec<&Key> = lasting
        .map(|f| &f.key)
        .chain([&spec.ring.current])
        .collect();
    let foreign = spec
        .origin_keys
        .iter()
        .any(|key| !lasting.iter().any(|held| held.same_bytes(key)));
    if spec.on_invalid == OnInvalid::Forward && (open || foreign) && !spec.unsafe_open {
        let why = if open {
            "the origin takes a plain cookie for granted"
        } else {
            "a key that the origin verifies with is not in the ring for good, so forged cookies that were refused would be let in"
        };
        problems.add(
            format!("{}.on_invalid", spec.path),
            Fault::new(format!("\"forward\" opens the site here: {why}"))
                .cure("if that is what you want, say unsafe_open = true"),
        );
    }
}

/// C3.
fn check_strength(spec: &RuleConfig, keys: &Keys, problems: &Problems) {
    let least = spec.format.properties().least_key.unwrap_or(STRONG);
    let current = &spec.ring.current;
    let is_origins = current.same_bytes(&spec.origin_keys.current);
    let is_short = current.bytes().len() < least && !current.is_placeholder();
    if is_short && !keys.allow_weak && !is_origins && !spec.is_unsealed() {
        let read = match current.encoding() {
            Encoding::Utf8 => "",
            Encoding::Base64 | Encoding::Hex => ", read as its `encoding` says",
        };
        let id = current.id();
        let fault = Fault::new(format!("the key {id} has fewer than {least} bytes{read}"))
            .cure("make a longer one, such as `openssl rand -base64 48`, or say allow_weak = true")
            .about(Topic::SecretBytes(id.clone()));
        problems.add_once(Problem::new(&keys.current_path, fault));
    }
}

/// C4.
fn check_names(a: &RuleConfig, b: &RuleConfig, problems: &Problems) {
    let is_like = |one: &RuleConfig, other: &RuleConfig| {
        let one = Names::new(one.names(RuleIndex(0)));
        let mut names = other.names(RuleIndex(1));
        names.any(|(name, _)| !one.look_alikes(&name).rules.is_empty())
    };
    let path = format!("{}.name", b.path);
    if a.name == b.name {
        problems.add(path, format!("{} has the same name", a.path));
    } else if is_like(a, b) || is_like(b, a) {
        problems.add(
            path,
            Fault::new(format!("some servers read it as the name of {}", a.path))
                .cure("rename one of the cookies"),
        );
    }
}
