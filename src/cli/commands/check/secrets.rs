//! What is wrong or unwise about the secrets in `.dev.vars` or `.env`. None is ever shown.

use countersign_core::config::written::WrittenKeys;
use countersign_core::crypto::equal;
use countersign_core::crypto::key::KeyId;
use countersign_core::operations::status::{TOKEN, Token};

use super::finding::Finding;
use super::inputs::Inputs;
use super::worker::LARGEST;
use crate::project::dev_vars::{DevVar, DevVars};
use crate::project::quotes::CURLY_QUOTES;

pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let Some(dev_vars) = &inputs.dev_vars else {
        return Vec::new();
    };
    let lines = looked_at(inputs, dev_vars);
    let each = lines.iter().flat_map(|line| misread(line));
    let mut found: Vec<Finding> = each.collect();
    found.extend(doubled(&lines));
    found.extend(configuration(inputs, &lines));
    found.extend(missing(inputs, dev_vars));
    let keys = used(inputs, dev_vars);
    let each = keys.iter().flat_map(|key| weak(inputs, key));
    let each: Vec<Finding> = each.map(|(key, finding)| placed(key, finding)).collect();
    found.extend(each);
    found.extend(twins(&keys));
    found.extend(short_token(dev_vars));
    found
}

/// Every line of a `.dev.vars`; of a `.env`, which other programs read as well, what the Worker reads.
fn looked_at<'d>(inputs: &Inputs<'_>, dev_vars: &'d DevVars) -> Vec<&'d DevVar> {
    let named = inputs.written.secrets();
    let is_read = |secret: &&DevVar| {
        let name = secret.name.as_str();
        let is_named = named.iter().any(|named| named.id.as_str() == name);
        is_named || [TOKEN, CONFIGURATION].contains(&name)
    };
    let lines = dev_vars.secrets().iter();
    lines
        .filter(|secret| !dev_vars.is_dot_env || is_read(secret))
        .collect()
}

/// The lines that the configuration uses; of several with one name, the last.
fn used<'d>(inputs: &Inputs<'_>, dev_vars: &'d DevVars) -> Vec<&'d DevVar> {
    let named = inputs.written.each_keys().flat_map(WrittenKeys::all);
    let mut names: Vec<&str> = named.map(|key| key.id.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let last = |name: &&str| {
        dev_vars
            .secrets()
            .iter()
            .rfind(|secret| secret.name == **name)
    };
    names.iter().filter_map(last).collect()
}

fn placed(secret: &DevVar, finding: Finding) -> Finding {
    finding.at(&secret.file, secret.line)
}

/// A value that wrangler reads otherwise than it is meant.
fn misread(secret: &DevVar) -> Vec<Finding> {
    let cut = secret.is_cut.then(|| {
        let reason = "ends at a \"#\": a value without quotes is cut there";
        Finding::error(&secret.name, reason).cure("put the value in quotes")
    });
    let damaged = secret.is_damaged().then(|| {
        let reason = "has bytes that are not UTF-8: wrangler puts U+FFFD in their place";
        Finding::error(&secret.name, reason).cure("save the file as UTF-8")
    });
    let expanded = secret.is_expanded.then(|| {
        let reason = format!("`wrangler dev` expands the \"$\" in it, as everywhere in {}: the value is another than is written", secret.file);
        Finding::warning(&secret.name, reason)
            .cure("write \\$ for each $, or keep the Worker's secrets in .dev.vars, where a $ is a $")
    });
    let quoted = secret.stray_quote.map(|quote| stray_quote(secret, quote));
    let found = [cut, damaged, expanded, quoted].into_iter().flatten();
    found.map(|finding| placed(secret, finding)).collect()
}

/// A quote that wrangler takes for a part of the value.
fn stray_quote(secret: &DevVar, quote: char) -> Finding {
    let (reason, cure) = if CURLY_QUOTES.contains(&quote) {
        (
            format!(
                "begins or ends with a curly quote ({quote}), which counts as part of the value"
            ),
            "write straight quotes: '…'",
        )
    } else {
        (
            format!(
                "a quote ({quote}) is not closed or stands twice, and counts as part of the value"
            ),
            "write one at each end; if the value itself begins or ends with a quote, put another kind around it: ', \" or `",
        )
    };
    Finding::error(&secret.name, reason).cure(cure)
}

/// Of several lines with one name the last counts. That one file overrules another is what they are there for.
fn doubled(lines: &[&DevVar]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, secret) in lines.iter().enumerate() {
        let later = lines.iter().skip(at + 1);
        let mut later = later.filter(|other| other.file == secret.file);
        if let Some(last) = later.rfind(|other| other.name == secret.name)
            && let Some(line) = last.line
        {
            let reason = format!("set again in line {line}: this line counts for nothing");
            let finding = Finding::warning(&secret.name, reason).cure("keep one of the two lines");
            found.push(placed(secret, finding));
        }
    }
    found
}

/// Here it replaces what the configuration says, under `wrangler dev` alone.
fn configuration(inputs: &Inputs<'_>, lines: &[&DevVar]) -> Option<Finding> {
    let line = lines.iter().rfind(|secret| secret.name == CONFIGURATION)?;
    let config = inputs.environment.config();
    let variable = config.syntax.place(&["vars", CONFIGURATION]);
    let reason = format!(
        "replaces {variable} under `wrangler dev`, as a string that the Worker does not read; what is deployed and checked is {}'s",
        config.file_name()
    );
    let finding =
        Finding::error(CONFIGURATION, reason).cure("take the line out: this file is for secrets");
    Some(placed(line, finding))
}

/// The variable that is no secret.
const CONFIGURATION: &str = "COUNTERSIGN";

fn missing(inputs: &Inputs<'_>, dev_vars: &DevVars) -> Vec<Finding> {
    let named = inputs.written.secrets().into_iter();
    let missing = named.filter(|named| dev_vars.text(named.id.as_str()).is_none_or(str::is_empty));
    let file = dev_vars.file_name();
    let is_sites = |id: &KeyId| inputs.written.each_keys().any(|keys| keys.is_origins(id));
    let finding = |id: &KeyId| {
        let cure = if is_sites(id) {
            format!("the key that the site on this machine signs with: {id}='…' in {file}")
        } else {
            format!(
                "any value does on this machine: echo \"{id}='$(countersign keygen)'\" >> {file}"
            )
        };
        Finding::warning(id.as_str(), "not set: `wrangler dev` answers 503")
            .cure(cure)
            .at(file, None)
    };
    missing.map(|named| finding(&named.id)).collect()
}

/// Django's own rules (security.W009), and the limit of Cloudflare.
fn weak<'s>(inputs: &Inputs<'_>, secret: &'s DevVar) -> Vec<(&'s DevVar, Finding)> {
    let value = secret.value.as_str();
    let name = &secret.name;
    let mut distinct: Vec<char> = value.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let is_origins = inputs.written.each_keys().any(|keys| {
        let mut all = keys.all();
        all.any(|key| key.id.as_str() == name && keys.is_origins(&key.id))
    });
    let make = if is_origins {
        "if it is the site's real key, take it out of the ring: a new one at the site would end logins"
    } else {
        "if it is the Worker's real key, stage another and promote that: countersign keygen --put NEW_NAME"
    };
    let is_djangos = super::keys::is_djangos(&inputs.written, name);
    let mut found = Vec::new();
    let mut warn = |reason: String, cure: &str| {
        found.push((secret, Finding::warning(name, reason).cure(cure)));
    };
    if value.starts_with("django-insecure-") {
        warn(
            "starts with \"django-insecure-\": made by startproject, and perhaps in a repository"
                .to_owned(),
            make,
        );
    }
    if !value.is_empty() && distinct.len() < 5 {
        let wanted = if is_djangos {
            "; Django wants 5"
        } else {
            ": it can be guessed"
        };
        warn(
            format!("has {} distinct characters{wanted}", distinct.len()),
            make,
        );
    }
    if is_djangos && !value.is_empty() && value.chars().count() < 50 {
        warn(
            format!("has {} characters; Django wants 50", value.chars().count()),
            make,
        );
    }
    if value.trim() != value {
        warn(
            "begins or ends with white space, which `wrangler secret put` cuts off".to_owned(),
            make,
        );
    }
    if value.len() > LARGEST {
        let reason = format!(
            "{} bytes; Cloudflare takes no secret over {LARGEST}",
            value.len()
        );
        found.push((secret, Finding::error(name, reason)));
    }
    found
}

/// The Worker answers no status request where the token could be guessed.
fn short_token(dev_vars: &DevVars) -> Option<Finding> {
    let token = dev_vars
        .secrets()
        .iter()
        .rfind(|secret| secret.name == TOKEN)?;
    Token::new(&token.value).is_none().then(|| {
        let finding = Finding::warning(TOKEN, "too short: the Worker answers no status request")
            .cure("32 bytes or more: countersign keygen");
        placed(token, finding)
    })
}

/// One key under two names: retiring one of them retires nothing.
fn twins(keys: &[&DevVar]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, one) in keys.iter().enumerate() {
        let mut others = keys.iter().skip(at + 1);
        let same = |other: &&&DevVar| equal(other.value.as_bytes(), one.value.as_bytes());
        if let Some(twin) = others.find(same).filter(|_| !one.value.is_empty()) {
            let reason = format!(
                "the same bytes as {}: to retire one of them retires nothing",
                twin.name
            );
            let finding = Finding::warning(&one.name, reason).cure(
                "one key, one name: name the same secret in both places, or make another key",
            );
            found.push(placed(one, finding));
        }
    }
    found
}
