//! What a command of wrangler's answered, among all that it prints beside: banners, warnings, what it logs.
//!
//! Where it writes down what it did for programs, in the file of WRANGLER_OUTPUT_FILE_PATH, that counts. Where it is
//! asked for JSON, the value is looked for wherever it stands. Its words for people come last.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};

use crate::terminal::harmless;

/// What a command answered.
pub struct WranglerAnswer {
    /// The command, as a person would type it.
    pub command: String,
    /// All that it printed to standard output, without colours.
    pub text: String,
    /// What it wrote down for programs: one object each.
    pub entries: Vec<Value>,
}

impl WranglerAnswer {
    /// The JSON value that has this shape. Of several the last one counts, and one that has its lines for itself
    /// before one in the middle of a sentence.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        let values = values_in(&self.text);
        let (alone, within): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|value| value.is_alone);
        let mut by_rank = within.iter().chain(&alone).rev();
        by_rank.find_map(|value| harmless::json(value.text))
    }

    /// The version that `versions upload` has made.
    pub fn uploaded_version(&self) -> Option<String> {
        let mut entries = self.entries.iter().rev();
        let entry = entries.find(|entry| entry["type"] == "version-upload");
        let written = entry.and_then(|entry| entry["version_id"].as_str());
        let said = || self.text.lines().find_map(version_in);
        let id = written.map(harmless::line).or_else(said)?;
        is_id(&id).then_some(id)
    }
}

/// The id in a line such as `Worker Version ID: 1f0e…`.
fn version_in(line: &str) -> Option<String> {
    let (label, id) = line.split_once(':')?;
    let label = label.to_lowercase();
    let is_label = label.trim_end().ends_with("version id");
    is_label.then(|| id.trim().to_owned())
}

/// It becomes an argument of the next command, and so is no option.
fn is_id(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)
}

/// A value of JSON in a text.
struct FoundValue<'t> {
    text: &'t str,
    /// Whether nothing else stands in its first and its last line.
    is_alone: bool,
}

/// The outermost objects and arrays of a text.
fn values_in(text: &str) -> Vec<FoundValue<'_>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(rest) = text.get(at..)
        && let Some(next) = rest.find(['{', '['])
    {
        let start = at + next;
        at = match value_at(text, start) {
            Some(value) => {
                let end = start + value.text.len();
                found.push(value);
                end
            }
            None => start + 1,
        };
    }
    found
}

fn value_at(text: &str, start: usize) -> Option<FoundValue<'_>> {
    let rest = text.get(start..)?;
    let mut values = Deserializer::from_str(rest).into_iter::<Value>();
    values.next()?.ok()?;
    let end = values.byte_offset();
    let before = text.get(..start)?.rsplit('\n').next()?;
    let behind = rest.get(end..)?.split('\n').next()?;
    Some(FoundValue {
        text: rest.get(..end)?,
        is_alone: before.trim().is_empty() && behind.trim().is_empty(),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
    }

    fn answer(text: &str) -> WranglerAnswer {
        WranglerAnswer {
            command: "npx wrangler".to_owned(),
            text: text.to_owned(),
            entries: Vec::new(),
        }
    }

    fn names(text: &str) -> Option<Vec<String>> {
        let list: Option<Vec<Named>> = answer(text).json();
        list.map(|list| list.into_iter().map(|one| one.name).collect())
    }

    /// What wrangler 4.164.0 prints with WRANGLER_LOG=debug around its answer.
    const LOGGED: &str = r#"🪵  Writing logs to "/home/u/.config/.wrangler/logs/wrangler-2026-11-30_20-22-47_803.log"
.env file not found at "/shop/.env". Continuing... For more details, refer to https://developers.cloudflare.com/
Metrics dispatcher: Dispatching disabled - would have sent {"event":"wrangler command started","properties":{"argsUsed":["format"],"sanitizedArgs":{"format":"json"},"currentAgentSkillsInstalled":[]}}.
-- START CF API RESPONSE: OK 200
RESPONSE: omitted; set WRANGLER_LOG_SANITIZE=false to include sanitized data
-- END CF API RESPONSE
ANSWER
Metrics dispatcher: Dispatching disabled - would have sent [] and [{"name":"no secret"}].
"#;

    #[test]
    fn a_list_is_found_among_banners_warnings_and_logs() {
        let list = "[\n  {\n    \"name\": \"KEY_1\",\n    \"type\": \"secret_text\"\n  }\n]";
        let banner = "\n ⛅️ wrangler 5.0.0 (update available 5.1.0)\n─────────────────────\n";
        let warning = "▲ [WARNING] Your [env] has {no} secrets:\n\n    - [1] \"[]\"\n\n";
        for text in [
            list.to_owned(),
            format!("{banner}{list}\n"),
            format!("{warning}{list}\n{banner}"),
            format!("{list}\n\n{warning}"),
            LOGGED.replace("ANSWER", list),
            format!("answer: {list}"),
            "[{\"name\":\"KEY_1\"}]".to_owned(),
        ] {
            assert_eq!(names(&text), Some(vec!["KEY_1".to_owned()]), "{text}");
        }
        assert_eq!(names(&LOGGED.replace("ANSWER", "[]")), Some(vec![]));
        for text in [
            "",
            banner,
            "{\"secrets\": []}",
            "[\"KEY_1\"]",
            "[{\"name\":",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }

    #[test]
    fn an_uploaded_version_is_the_one_that_is_written_down() {
        let said = "\n ⛅️ wrangler 4.164.0\n────\nTotal Upload: 0.15 KiB\nWorker Version ID: said-1\n\nTo deploy this version …\n";
        let with = |text: &str, entries| {
            let answer = WranglerAnswer {
                entries,
                ..answer(text)
            };
            answer.uploaded_version()
        };
        let session = json!({ "type": "wrangler-session", "version": 1 });
        let upload = json!({ "type": "version-upload", "version": 1, "version_id": "written-1" });
        let entries = vec![session.clone(), upload];
        assert_eq!(with(said, entries.clone()).as_deref(), Some("written-1"));
        assert_eq!(with("", entries).as_deref(), Some("written-1"));
        assert_eq!(with(said, vec![session]).as_deref(), Some("said-1"));
        for (text, id) in [
            ("New version id: 22-f", Some("22-f")),
            ("Version ID : 22-f", Some("22-f")),
            ("uploaded 22-f", None),
            ("Worker Version ID: --env=x", None),
            ("Worker Version ID: a b", None),
            ("", None),
        ] {
            assert_eq!(with(text, vec![]).as_deref(), id, "{text}");
        }
    }
}
