//! The files of a plan: wrangler.toml and `.dev.vars`.

use countersign_core::operations::status::TOKEN;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::choices::zone;
use super::plan::{Plan, PlannedKey, UNSIGNED};
use crate::terminal::answer::Failure;

/// wrangler.toml, with a comment where a line needs one.
pub fn wrangler_toml(plan: &Plan) -> String {
    let mut text = format!(
        "#:schema node_modules/wrangler/config-schema.json
# Countersign in front of {}. `countersign check` says what is wrong or unwise in this file.
name = {}
main = \"worker/index.js\"
compatibility_date = \"2026-04-21\"
# Never add the flag global_fetch_strictly_public: requests to the zone's origin would come back to this Worker.

workers_dev  = false   # no way round the zone,
preview_urls = false   # and no old version with old keys left in public

",
        plan.site.as_ref().map_or("a site".to_owned(), |site| site.origin().ascii_serialization()),
        toml(&plan.worker.clone().into()),
    );
    text.push_str(&routes(plan));
    text.push_str(&dev(plan));
    text.push_str(&bindings(plan));
    text.push_str(&variable(plan));
    text
}

fn routes(plan: &Plan) -> String {
    let host = plan
        .site
        .as_ref()
        .filter(|_| !plan.is_local())
        .and_then(Url::host_str);
    let Some(host) = host else {
        return "# Once the site is on Cloudflare, first the path of the status alone, which no visitor opens:
# routes = [{ pattern = \"www.example.com/.well-known/countersign\", zone_name = \"example.com\" }]

"
        .to_owned();
    };
    let pattern = toml(&format!("{host}/.well-known/countersign").into());
    let zone = toml(&zone(host).into());
    format!(
        "# The path of the status alone, which no visitor opens. To observe: \"{host}/*\", each route set to fail closed
# in the dashboard. The zone is guessed from the host's name.
routes = [{{ pattern = {pattern}, zone_name = {zone} }}]

"
    )
}

/// What stands behind the Worker under `wrangler dev`, where no route tells.
fn dev(plan: &Plan) -> String {
    let Some(site) = plan.site.as_ref().filter(|_| plan.is_local()) else {
        return String::new();
    };
    let host = site.host_str().unwrap_or_default();
    let authority = site
        .port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"));
    format!(
        "# `npm run dev` puts the Worker in front of this address.
[dev]
host = {}
upstream_protocol = {}

",
        toml(&authority.into()),
        toml(&site.scheme().into()),
    )
}

fn bindings(plan: &Plan) -> String {
    let secrets: Vec<&str> = plan
        .keys
        .iter()
        .map(|key| key.secret.as_str())
        .chain([TOKEN])
        .collect();
    format!(
        "[observability]
enabled = true

[version_metadata]
binding = \"CF_VERSION_METADATA\"

# Key bytes are secrets, never lines of this file: locally in .dev.vars. wrangler deploys nothing without these.
[secrets]
required = {}

",
        toml(&secrets.into()),
    )
}

fn variable(plan: &Plan) -> String {
    let mut text = "[vars.COUNTERSIGN]
mode = \"observe\"   # verifies and reports, and changes nothing; \"enforce\" when the log has nothing to complain of
"
    .to_owned();
    if plan.is_local() {
        text.push_str(
            "reports = \"all\"    # each verdict in the log; leave this line out on a real site\n",
        );
    }
    text.push_str(if plan.rules.iter().all(|rule| rule.format == UNSIGNED) {
        "\n# A new key, for what the site does not sign: nothing is signed with it yet.\n"
    } else {
        "\n# The key that signs what browsers get is the site's own: on the first day nothing is signed anew.\n"
    });
    let value = plan.configuration();
    text.push_str("[vars.COUNTERSIGN.keys]\n");
    text.push_str(&lines(&value["keys"]));
    let rules = value["cookies"].as_array().into_iter().flatten();
    for (rule, planned) in rules.zip(&plan.rules) {
        text.push('\n');
        if planned.format == UNSIGNED {
            text.push_str(&format!(
                "# The site does not sign it. To wrap it: countersign stage --rule {} --format sealed\n",
                planned.name
            ));
        }
        if let Some(note) = planned.note {
            text.push_str(&format!("# {note}\n"));
        }
        text.push_str("[[vars.COUNTERSIGN.cookies]]\n");
        text.push_str(&lines(rule));
    }
    text
}

/// The fields of a table, a line each, their values below each other.
fn lines(table: &Value) -> String {
    let mut fields: Vec<(&String, &Value)> = table.as_object().into_iter().flatten().collect();
    // the options of a format stand behind it
    fields.sort_by_key(|(name, _)| {
        let place = ORDER.iter().position(|known| known == name);
        place.unwrap_or(OPTIONS)
    });
    let widths = fields.iter().map(|(name, _)| name.len());
    let width = widths.max().unwrap_or_default();
    let lines = fields.iter();
    let lines = lines.map(|(name, value)| format!("{name:width$} = {}\n", toml(value)));
    lines.collect()
}

/// The order of the fields that every rule may have.
const ORDER: [&str; 9] = [
    "name",
    "format",
    "",
    "origin",
    "accept",
    "chunks",
    "max_age",
    "attributes",
    "keys",
];
/// Where in it an option of the format stands.
const OPTIONS: usize = 2;

/// JSON as a TOML value in one line.
fn toml(value: &Value) -> String {
    match value {
        Value::String(text) => toml_edit::Value::from(text.as_str())
            .to_string()
            .trim()
            .to_owned(),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(toml).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name} = {}", toml(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// `.dev.vars`: the keys, and a token for the status.
///
/// # Errors
/// A key cannot be written so that wrangler reads it.
pub fn dev_vars(plan: &Plan, token: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(
        "# Secrets, for this machine and for the first deployment. Never commit this file.\n"
            .to_owned(),
    );
    for key in &plan.keys {
        text.push_str(&line(key)?);
    }
    text.push_str(&format!("{TOKEN}='{token}'\n"));
    Ok(text)
}

fn line(key: &PlannedKey) -> Result<Zeroizing<String>, Failure> {
    let name = &key.secret;
    let Some(value) = &key.text else {
        return Ok(Zeroizing::new(format!(
            "# the site's own key, in these quotes:\n# {name}='…'\n"
        )));
    };
    dev_vars_line(name, value).ok_or_else(|| {
        Failure::refused("the key cannot be written into .dev.vars: it has every kind of quote and a # or a line end, and wrangler reads no escapes there")
        .hint("leave --key-file out, and give it to the Worker alone: npx wrangler secret put")
    })
}

/// The line of `.dev.vars` that sets a variable; none where wrangler would read another value in any line.
pub fn dev_vars_line(name: &str, value: &str) -> Option<Zeroizing<String>> {
    let quoted = quoted(value)?;
    Some(Zeroizing::new(format!("{name}={}\n", *quoted)))
}

/// A value as dotenv reads it back byte for byte; none where there is no way to write it.
fn quoted(value: &str) -> Option<Zeroizing<String>> {
    let ends_well = !value.ends_with('\\') && !value.contains('\r');
    let escapes = value.contains("\\n") || value.contains("\\r");
    let quotes = [('\'', true), ('`', true), ('"', !escapes)];
    let usable = |(quote, is_raw): &(char, bool)| *is_raw && ends_well && !value.contains(*quote);
    if let Some((quote, _)) = quotes.iter().find(|quote| usable(quote)) {
        return Some(Zeroizing::new(format!("{quote}{value}{quote}")));
    }
    let is_bare = !value.contains(['#', '\n', '\r'])
        && value.trim() == value
        && !value.starts_with(['\'', '"', '`']);
    is_bare.then(|| Zeroizing::new(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_quoted_so_that_nothing_of_it_is_lost() {
        for (key, expected) in [
            ("plain", Some("'plain'")),
            ("a#b", Some("'a#b'")),
            ("it's", Some("`it's`")),
            ("it's `so`", Some("\"it's `so`\"")),
            ("it's `so` \\n", Some("it's `so` \\n")),
            ("ends\\", Some("ends\\")),
            ("ends#\\", None),
            ("it's `so` \"now\"", Some("it's `so` \"now\"")),
            ("it's `so` \"now\" #", None),
        ] {
            assert_eq!(
                quoted(key).as_ref().map(|text| text.as_str()),
                expected,
                "{key}"
            );
        }
    }
}
