//! `package.json` of a folder: wrangler in the release that this one was tested with, and the scripts that start it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

pub const PATH: &str = "package.json";

/// That of Countersign itself, which pins the wrangler that it is tested with.
const OWN: &str = include_str!("../../../../package.json");

/// The release of wrangler that this one is tested with.
pub fn wrangler() -> String {
    let own: Value = serde_json::from_str(OWN).expect("npm reads it in every build");
    let version = own["devDependencies"]["wrangler"].as_str();
    version.expect("the Worker is built with it").to_owned()
}

/// The whole file for a Worker of this name.
pub fn text(worker_name: &str) -> String {
    // neither name nor version has a character that JSON would escape
    let (name, wrangler) = (package_name(worker_name), wrangler());
    format!(
        r#"{{
  "name": "{name}",
  "private": true,
  "scripts": {{
    "deploy": "wrangler deploy",
    "dev": "wrangler dev",
    "tail": "wrangler tail"
  }},
  "devDependencies": {{
    "wrangler": "{wrangler}"
  }}
}}
"#
    )
}

/// A name that npm takes: lower case, safe in an address, with a letter or digit first.
fn package_name(worker_name: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = worker_name.chars().map(fit).collect();
    match name.trim_matches('-') {
        "" => "countersign".to_owned(),
        name => name.to_owned(),
    }
}

/// The entry of a package.json that says which wrangler is installed.
pub struct WranglerEntry {
    /// As it is written: `4.164.0`, `^4`.
    pub version: String,
    place: Range<usize>,
}

/// The entry of wrangler; none where there is none.
///
/// # Errors
/// It is no JSON, or no package.json: says where.
pub fn wrangler_entry(text: &str) -> Result<Option<WranglerEntry>, serde_json::Error> {
    let package: Package = serde_json::from_str(text)?;
    let entries = [package.dev_dependencies, package.dependencies];
    let Some(raw) = entries.iter().find_map(|entries| entries.get("wrangler")) else {
        return Ok(None);
    };
    let version = serde_json::from_str(raw.get())?;
    // a raw value is a part of the text that it was read from
    let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
    let place = start..start + raw.get().len();
    Ok(Some(WranglerEntry { version, place }))
}

impl WranglerEntry {
    /// The same file with another version, and all else as it is written.
    pub fn replaced(&self, text: &str, version: &str) -> String {
        let mut after = text.to_owned();
        after.replace_range(self.place.clone(), &Value::from(version).to_string());
        after
    }
}

type Entries<'t> = BTreeMap<Cow<'t, str>, &'t RawValue>;

#[derive(Deserialize)]
struct Package<'t> {
    #[serde(default, borrow, rename = "devDependencies")]
    dev_dependencies: Entries<'t>,
    #[serde(default, borrow)]
    dependencies: Entries<'t>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<String> {
        let entry = wrangler_entry(text).unwrap();
        entry.map(|entry| entry.version)
    }

    #[test]
    fn the_package_is_private_named_after_the_worker_and_pins_wrangler() {
        let package: Value = serde_json::from_str(&text("shop")).unwrap();
        assert_eq!(package["name"], "shop");
        assert_eq!(package["private"], true);
        assert_eq!(package["scripts"]["dev"], "wrangler dev");
        assert_eq!(package["scripts"]["deploy"], "wrangler deploy");
        assert_eq!(version(&text("shop")), Some(wrangler()));
        assert!(wrangler().starts_with(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn a_name_that_npm_refuses_is_made_fit() {
        let name = |worker| serde_json::from_str::<Value>(&text(worker)).unwrap()["name"].clone();
        assert_eq!(name("Shop_Edge.eu"), "shop-edge-eu");
        assert_eq!(name("_\"\n_"), "countersign");
    }

    #[test]
    fn another_wrangler_is_pinned_and_nothing_else_changes() {
        let before = "\u{20}{\r\n\t\"wrangler\": \"1\", \"devDependencies\" : { \"wr\\u0061ngler\":\"4.1.0\",\"x\":\"2\" }, \"name\":\"käse\" }\n\n";
        let entry = wrangler_entry(before).unwrap().unwrap();
        assert_eq!(entry.version, "4.1.0");
        assert_eq!(
            entry.replaced(before, "4.164.0"),
            before.replace("4.1.0", "4.164.0")
        );
    }

    #[test]
    fn wrangler_is_found_wherever_a_package_may_name_it() {
        assert_eq!(
            version(r#"{"dependencies":{"wrangler":"^4"}}"#).unwrap(),
            "^4"
        );
        assert_eq!(version(r#"{"dependencies":{"hono":"4"}}"#), None);
        assert_eq!(version("{}"), None);
        for no_package in [
            "",
            "{,}",
            r#"{"dependencies":{"wrangler":4}}"#,
            r#"{"dependencies":3}"#,
        ] {
            assert!(wrangler_entry(no_package).is_err(), "{no_package}");
        }
    }
}
