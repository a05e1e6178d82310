//! Reads one entry of `cookies`.

use serde_json::Value;

use super::attributes;
use super::keys::Keys;
use super::misplaced;
use super::secrets::Secrets;
use super::written::WrittenRule;
use super::{Accept, LookAlikes, Mode, OnInvalid, RuleConfig, RuleIndex, Upgrade};
use crate::formats::{self, Configured};
use crate::prelude::*;
use crate::settings::{Fault, Problems, Table};
use crate::wire::chunks::Chunks;
use crate::wire::look_alike::{ChunkedName, Managed};

pub const MODES: &[(&str, Mode)] = &[("enforce", Mode::Enforce), ("observe", Mode::Observe)];

const UPGRADES: &[(&str, Upgrade)] = &[
    ("navigation", Upgrade::Navigation),
    ("always", Upgrade::Always),
    ("never", Upgrade::Never),
];

const ON_INVALID: &[(&str, OnInvalid)] = &[
    ("strip", OnInvalid::Strip),
    ("reject", OnInvalid::Reject),
    ("forward", OnInvalid::Forward),
];

const LOOK_ALIKES: &[(&str, LookAlikes)] = &[
    ("drop", LookAlikes::Drop),
    ("strict", LookAlikes::Strict),
    ("forward", LookAlikes::Forward),
];

const CHUNKS: &[(&str, Chunks)] = &[
    ("auth.js", Chunks::AuthJs),
    ("h3", Chunks::H3),
    ("supabase", Chunks::Supabase),
    ("auth0", Chunks::Auth0),
];

/// The most seconds that an expiry may be passed by.
const LONGEST_LEEWAY: u64 = 3_600;

impl RuleConfig {
    /// Reads a rule; `None` where a problem keeps it from being one.
    pub fn read(
        written: &WrittenRule<'_>,
        mode: Mode,
        secrets: &Secrets<'_>,
        problems: &Problems,
    ) -> Option<Self> {
        let WrittenRule { path, value, .. } = written;
        let mut table = Table::new(path, value, problems)?;
        table.value("keys");
        table.value("origin");
        let name = read_name(&mut table);
        let format = formats::read(&mut table);
        let origin_format = match written.origin_format() {
            Some(origin) => read_format(origin.path, origin.value, problems),
            None => format.as_ref().and_then(|_| read_again(value)),
        };
        let (accept, adopt_until) = read_accept(&mut table);
        let max_age = table.seconds("max_age");
        if max_age == Some(0) {
            let fault = Fault::new("refuses every cookie").cure("leave it out for no limit");
            table.problem("max_age", fault);
        }
        let leeway = table.seconds("leeway");
        if leeway.is_some_and(|seconds| seconds > LONGEST_LEEWAY) {
            table.problem("leeway", "more than 3600 seconds, one hour");
        }
        let upgrade = table.choice("upgrade", UPGRADES).unwrap_or_default();
        let attributes = read_attributes(&mut table, upgrade);
        let on_invalid = table.choice("on_invalid", ON_INVALID).unwrap_or_default();
        let look_alikes = table.choice("look_alikes", LOOK_ALIKES).unwrap_or_default();
        let chunks = table.choice("chunks", CHUNKS);
        let mode = table.choice("mode", MODES).unwrap_or(mode);
        let unsafe_open = table.flag("unsafe_open").unwrap_or_default();
        let keys = load_once(written, secrets, problems);
        let format_name = format.as_ref().map(|format| format.name);
        table.finish_with(|field| misplaced::in_rule(field, format_name));
        if let (Mode::Observe, Some(keys)) = (mode, &keys) {
            let (format, origin) = (format.as_ref(), origin_format.as_ref());
            super::checks::check_observe(path, keys, format, origin, problems);
        }
        let spec = Self {
            path: path.clone(),
            name: name?,
            format: format?,
            accept,
            adopt_until,
            origin_format: origin_format?,
            max_age,
            leeway,
            attributes,
            upgrade,
            on_invalid,
            look_alikes,
            chunks,
            mode,
            unsafe_open,
            ring: keys.as_ref()?.ring.clone(),
            origin_keys: keys.as_ref()?.origin.clone(),
        };
        super::checks::check_alone(&spec, &keys?, problems);
        Some(spec)
    }

    /// The cookies that it manages, as those of this rule.
    pub fn names(&self, rule: RuleIndex) -> impl Iterator<Item = (String, Managed)> {
        let companion = self.companion();
        core::iter::once((self.name.clone(), Managed::Cookie(rule)))
            .chain(companion.map(|name| (name, Managed::Companion(rule))))
    }

    /// The same cookie, where it may come in pieces.
    pub fn chunked(&self, rule: RuleIndex) -> Option<ChunkedName> {
        let name = self.name.clone();
        let chunked = |chunks| ChunkedName { name, chunks, rule };
        self.chunks.map(chunked)
    }

    /// The name of the second cookie, that holds the signature alone in some format of the rule.
    pub fn companion(&self) -> Option<String> {
        let accepted = self.accept.iter().map(|accept| &accept.format);
        let mut formats = accepted.chain([&self.format, &self.origin_format]);
        let suffix = formats.find_map(|format| format.properties().companion)?;
        Some(format!("{}{suffix}", self.name))
    }

    /// Whether what the origin does not sign is wrapped only where it consists of cookie-octets (RFC 6265).
    pub fn wraps_octets_only(&self) -> bool {
        is_plain(&self.origin_format) && !self.format.properties().wraps_any_value
    }

    /// Whether the browser's copy is not signed: the first step of wrapping and the last of leaving.
    pub fn is_unsealed(&self) -> bool {
        is_plain(&self.format)
    }
}

/// Whether a format signs nothing.
pub fn is_plain(format: &Configured) -> bool {
    matches!(format.derivation(""), formats::Derivation::None)
}

/// RFC 9110, section 5.6.2.
pub fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// The keys of all rules without their own are the same, and so are the problems with them.
fn load_once(
    written: &WrittenRule<'_>,
    secrets: &Secrets<'_>,
    problems: &Problems,
) -> Option<Keys> {
    let again = Problems::default();
    let keys = Keys::load(&written.keys, secrets, &again);
    for problem in again.into_vec() {
        problems.add_once(problem);
    }
    keys
}

fn read_name(table: &mut Table<'_>) -> Option<String> {
    let Some(name) = table.text("name") else {
        if !table.has("name") {
            table.missing("name", "name the cookie");
        }
        return None;
    };
    let has_letter = name.bytes().any(|b| b.is_ascii_alphanumeric());
    let starts_well = !name.starts_with('$');
    if has_letter && starts_well && name.len() <= 128 && name.bytes().all(is_token) {
        return Some(name.to_owned());
    }
    table.problem(
        "name",
        "not a cookie name that can be managed: at most 128 letters, digits and !#$%&'*+-.^_`|~, with a letter or digit among them and no $ in front",
    );
    None
}

fn read_attributes(table: &mut Table<'_>, upgrade: Upgrade) -> Option<String> {
    let Some(text) = table.text("attributes") else {
        if !table.has("attributes") && upgrade != Upgrade::Never {
            table.missing(
                "attributes",
                "a request does not tell how the origin sets the cookie; copy what stands behind the first semicolon of its Set-Cookie, with Max-Age in the place of Expires, such as \"Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=1209600\", or say upgrade = \"never\"",
            );
        }
        return None;
    };
    if upgrade != Upgrade::Never {
        for fault in attributes::upgrade_faults(text) {
            table.problem("attributes", fault);
        }
    }
    match attributes::fault(text) {
        None => Some(text.to_owned()),
        Some(fault) => {
            table.problem("attributes", fault);
            None
        }
    }
}

/// The further formats, and until when `plain` is among them.
fn read_accept(table: &mut Table<'_>) -> (Vec<Accept>, Option<u64>) {
    let (mut accept, mut adopt_until) = (Vec::new(), None);
    for (path, value) in table.list("accept") {
        let Some(mut entry) = Table::new(path, value, table.problems()) else {
            continue;
        };
        let format = formats::read(&mut entry);
        let until = entry.time("until");
        match format {
            Some(format) if is_plain(&format) => {
                if until.is_none() && !entry.has("until") {
                    entry.missing("until", "unsigned cookies are adopted for a time only");
                }
                if adopt_until.is_some() {
                    entry.problem("format", "\"plain\" stands here twice");
                }
                adopt_until = until;
            }
            Some(format) => accept.push(Accept { format, until }),
            None => {}
        }
        entry.finish();
    }
    (accept, adopt_until)
}

fn read_format(path: String, value: &Value, problems: &Problems) -> Option<Configured> {
    let mut table = Table::new(path, value, problems)?;
    let format = formats::read(&mut table);
    table.finish();
    format
}

/// Reads a rule's format a second time; its problems have been reported the first time.
fn read_again(value: &Value) -> Option<Configured> {
    let reported = Problems::default();
    formats::read(&mut Table::new("", value, &reported)?)
}
