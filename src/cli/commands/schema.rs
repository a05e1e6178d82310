//! `countersign schema`: the JSON schema of wrangler's configuration with `COUNTERSIGN` in it, for editors.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_core::config::schema;
use serde_json::{Map, Value, json};

use crate::project::file::cause;
use crate::terminal::answer::{Answer, Failure};

/// Print the JSON schema of the configuration, for editors
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct SchemaArguments {
    /// wrangler's own schema, which becomes a part of it
    #[arg(long, value_name = "FILE")]
    wrangler: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Editors take one schema for a file. With --wrangler it is one for all of wrangler's configuration; without, \
COUNTERSIGN is described and nothing else is looked at.

Examples:
  countersign schema --wrangler node_modules/wrangler/config-schema.json > new.json

The first line of wrangler.toml, or the first field of wrangler.jsonc:
  #:schema worker/countersign.schema.json
  \"$schema\": \"worker/countersign.schema.json\",

Exit codes:
  0  printed
  2  the command line is wrong, or a file cannot be read";

impl SchemaArguments {
    /// Prints it.
    pub fn run(self) -> Result<Answer, Failure> {
        let wranglers = self.wrangler.as_deref().map(read).transpose()?;
        let schema = whole(wranglers.unwrap_or_default());
        Ok(Answer::success(format!("{schema:#}\n")))
    }
}

fn read(path: &Path) -> Result<Map<String, Value>, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("{shown} cannot be read: {}", cause(&error))).hint(
            "wrangler's own is node_modules/wrangler/config-schema.json, once `npm install` has run",
        )
    })?;
    let read: Option<Map<String, Value>> = serde_json::from_str(&text).ok();
    let has_definitions = |schema: &Map<String, Value>| schema.contains_key("definitions");
    read.filter(has_definitions).ok_or_else(|| {
        Failure::usage(format!("{shown} is not a JSON schema with definitions"))
            .hint("name the config-schema.json of the wrangler that you use")
    })
}

/// wrangler's schema with ours in its place; `COUNTERSIGN` stands in `vars` of the top level and of each environment.
fn whole(wranglers: Map<String, Value>) -> Value {
    let vars = json!({"properties": {"COUNTERSIGN": {"$ref": schema::COUNTERSIGN}}});
    let mut whole = wranglers;
    let definitions = whole.entry("definitions").or_insert_with(|| json!({}));
    if let Value::Object(definitions) = definitions {
        definitions.extend(schema::definitions());
    }
    whole.insert("$schema".to_owned(), DRAFT.into());
    whole.insert(
        "title".to_owned(),
        "The configuration of a Countersign Worker".into(),
    );
    let properties = json!({
        "vars": vars,
        "env": {"additionalProperties": {"properties": {"vars": vars}}},
    });
    whole.insert("properties".to_owned(), properties);
    Value::Object(whole)
}

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_a_part_of_wranglers() {
        let wranglers = json!({
            "allOf": [{"$ref": "#/definitions/RawConfig"}],
            "definitions": {"RawConfig": {"type": "object"}},
        });
        let whole = whole(wranglers.as_object().cloned().unwrap_or_default());
        assert_eq!(whole["allOf"], wranglers["allOf"]);
        assert_eq!(whole["definitions"]["RawConfig"]["type"], "object");
        let countersign = json!({"$ref": schema::COUNTERSIGN});
        let vars = |of: &Value| of["vars"]["properties"]["COUNTERSIGN"].clone();
        assert_eq!(vars(&whole["properties"]), countersign);
        let environment = &whole["properties"]["env"]["additionalProperties"]["properties"];
        assert_eq!(vars(environment), countersign);
        assert!(whole["definitions"]["Countersign"]["properties"]["cookies"].is_object());
    }
}
