//! Reads how the origin is reached, and which hosts the Worker answers.

use serde_json::Value;
use zeroize::Zeroizing;

use super::OriginHeader;
use super::rule::is_token;
use super::secrets::Secrets;
use crate::prelude::*;
use crate::settings::Table;

/// `https://host` or `https://host:port`, with nothing behind it: path and query are the visitor's.
pub fn read_origin_url(table: &mut Table<'_>) -> Option<String> {
    let text = table.text("origin_url")?;
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| trimmed.strip_prefix(scheme));
    match host {
        Some(host) if is_authority(host) => Some(trimmed.to_owned()),
        _ => {
            table.problem(
                "origin_url",
                "expected a scheme and a host alone, such as \"https://app.internal.example\"",
            );
            None
        }
    }
}

/// A host, with a port perhaps.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_host = match bare {
        Some(v6) => v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') && !v6.is_empty(),
        None => is_host_name(host),
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    text.split('.').all(is_label)
}

/// Headers that the runtime or the connection owns, and the one that the gate writes.
const NOT_TO_BE_SET: [&str; 8] = [
    "connection",
    "content-length",
    "cookie",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub fn read_origin_header(table: &mut Table<'_>, secrets: &Secrets<'_>) -> Option<OriginHeader> {
    let value = table.value("origin_header")?;
    let mut header = Table::new(table.path("origin_header"), value, table.problems())?;
    let name = header.text("name");
    if !header.has("name") {
        header.missing("name", "name the header, such as \"X-Edge\"");
    }
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_token);
    if name.is_some_and(|name| {
        !is_name(name) || NOT_TO_BE_SET.contains(&name.to_ascii_lowercase().as_str())
    }) {
        header.problem("name", "not a header name that can be set");
    }
    if !header.has("secret") {
        header.missing("secret", "name the secret that holds the header's value");
    }
    let id = header.key_id("secret");
    let path = header.path("secret");
    header.finish();
    let id = id?;
    if secrets.is_unknown(&id) {
        return Some(OriginHeader {
            name: name?.to_owned(),
            value: Zeroizing::new("placeholder".to_owned()),
        });
    }
    let value = secrets.text(&path, &id)?;
    if !value.bytes().all(|b| (0x21..0x7F).contains(&b)) {
        table.problems().add(path, "the secret's text is not visible ASCII without spaces, which a header's value has to be here");
        return None;
    }
    Some(OriginHeader {
        name: name?.to_owned(),
        value,
    })
}

pub fn read_hosts(table: &mut Table<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    for (path, value) in table.list("hosts") {
        match value {
            Value::String(host) if is_host_name(host) => hosts.push(host.to_ascii_lowercase()),
            _ => table.problems().add(
                path,
                "expected a host name alone, such as \"shop.example.workers.dev\"",
            ),
        }
    }
    hosts
}
