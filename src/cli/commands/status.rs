//! `countersign status`: what the live Worker says of itself.

use std::fmt::Write;

use clap::Args;
use countersign_core::crypto::key::KeyId;
use countersign_core::operations::capabilities::{
    Capabilities, Fallback, KeyReference, PLAIN, RuleCapabilities,
};
use serde_json::{Value, json};

use crate::project::config::Environment;
use crate::project::options::QueryOptions;
use crate::remote::live::LiveWorker;
use crate::remote::replies::{Remark, StatusReply, VersionMetadata};
use crate::remote::skew;
use crate::rotation::history;
use crate::rotation::revocation::KeyReplacement;
use crate::terminal::answer::{Answer, Exit, Failure};
use crate::terminal::clock;
use crate::terminal::style::{ERROR, FAINT, GOOD, HINT, STRONG, WARNING, styled};
use crate::terminal::time::{from_now, moment, span};
use crate::terminal::width::{display_width, padded};

pub mod next;
pub mod rollback;
mod uses;

use next::NextStep;
use rollback::RollbackTarget;
use uses::Uses;

/// Ask the live Worker for its keys, rules, mode, version and problems
#[derive(Args)]
#[command(after_help = AFTER_HELP, mut_arg("json", |json| json.help("Answer in JSON: as the Worker sent it, with `next`, `roll_back` and `uses`")))]
pub struct StatusArguments {
    #[command(flatten)]
    query: QueryOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign status                                 the site that wrangler.toml routes
  countersign status --url https://www.example.com
  countersign status --json > before.json

COUNTERSIGN_TOKEN in the environment has to hold what the Worker's secret of that
name holds.

Where the Worker has a ledger, each key has a line with the cookies that it opened on
each of the last 30 days, today among them. The scale is logarithmic; the lowest bar is
no cookie, and a dot a day before the ledger began.

Exit codes:
  0  the Worker's configuration is right
  1  it is wrong
  2  the command line is wrong, or a file cannot be read
  3  the Worker did not answer";

impl StatusArguments {
    /// Asks, and draws the answer.
    pub fn run(self) -> Result<Answer, Failure> {
        let worker = &self.query.worker;
        let config = worker.optional_config()?;
        let environment = config.as_ref().map(|config| worker.environment(config));
        let environment = environment.transpose()?;
        let live = LiveWorker::new(worker.url.as_deref(), environment.as_ref())?;
        let status = live.status()?;
        let now = skew::now(&status, live.site())?;
        let skew = skew::difference(now, clock::now(), live.site());
        let outlook = Outlook::of(live.site(), &status, environment.as_ref(), now);
        let outlook = outlook.map(|outlook| outlook.with_uses(&live));
        let text = if self.query.json {
            // what another release sent is passed on, whether this program understands it or not
            let outlook = outlook.unwrap_or_else(|_| Outlook::of_none(UNREADABLE));
            format!("{:#}\n", outlook.json(&status))
        } else {
            outlook?.drawn(live.site(), &status, now)
        };
        let is_right = !status.is_wrong() && skew.is_none();
        if let Some(skew) = skew {
            // the rest is right all the same: it goes by the Worker's clock
            skew::refused(&skew).print();
        }
        let exit = if is_right {
            Exit::Success
        } else {
            Exit::Problems
        };
        Ok(Answer { text, exit })
    }
}

/// What follows from what the Worker says, and from the history of wrangler.toml.
struct Outlook {
    /// What the Worker seals and opens; nothing where its configuration is wrong.
    capabilities: Capabilities,
    next: Vec<NextStep>,
    /// What it may be rolled back to, or why that is not known.
    roll_back: Result<Vec<RollbackTarget>, &'static str>,
    /// What the ledger says of the keys; none where no ledger is bound.
    uses: Option<Uses>,
}

impl Outlook {
    fn of(
        site: &str,
        status: &StatusReply,
        environment: Option<&Environment<'_>>,
        now: u64,
    ) -> Result<Self, Failure> {
        if status.is_wrong() {
            return Ok(Self::of_none(WRONG)); // it goes by none
        }
        let capabilities = status.capabilities(site)?;
        if capabilities.rules.is_empty() {
            return Ok(Self::of_none(UNMANAGED));
        }
        let history = environment.and_then(history::read);
        let revisions = rollback::up_to_live(history.as_deref(), &capabilities);
        let known = revisions.unwrap_or_default();
        let option = environment.map(Environment::option).unwrap_or_default();
        let new_bytes = environment
            .map(KeyReplacement::recorded)
            .unwrap_or_default();
        Ok(Self {
            next: next::steps(&status.fields.configuration, known, &option, now),
            roll_back: revisions
                .map(|revisions| rollback::targets(revisions, &capabilities, &new_bytes, now)),
            capabilities,
            uses: None,
        })
    }

    /// The same with what the ledger says, where there are keys to ask about.
    fn with_uses(self, live: &LiveWorker) -> Self {
        if self.capabilities.rules.is_empty() {
            return self;
        }
        let uses = Uses::of(live.ledger_or_silence(), &groups(&self.capabilities));
        Self { uses, ..self }
    }

    fn of_none(why: &'static str) -> Self {
        Self {
            capabilities: Capabilities::default(),
            next: Vec::new(),
            roll_back: Err(why),
            uses: None,
        }
    }

    /// What the Worker sent, with fields of this program's own.
    fn json(&self, status: &StatusReply) -> Value {
        let mut json = status.json.clone();
        json["next"] = json!(self.next);
        json["roll_back"] = match &self.roll_back {
            Ok(targets) => json!({ "targets": targets }),
            Err(why) => json!({ "targets": null, "reason": why }),
        };
        if let Some(uses) = &self.uses {
            json["uses"] = json!(uses);
        }
        json
    }

    fn drawn(&self, site: &str, status: &StatusReply, now: u64) -> String {
        let mut text = format!("{}\n", styled(STRONG, site));
        remarks(&mut text, status, &self.capabilities);
        for group in groups(&self.capabilities) {
            ring(&mut text, &group, now);
        }
        if self.capabilities.rules.is_empty() {
            return text;
        }
        if let Some(uses) = &self.uses {
            text.push_str(&uses.drawn());
        }
        text.push('\n');
        for step in &self.next {
            let when = styled(FAINT, &step.when);
            let _ = writeln!(text, "{} {}  {when}", styled(HINT, "next:"), step.command);
        }
        let targets = self.roll_back.as_ref();
        text + &rollback::shown(targets.map(Vec::as_slice).map_err(|why| *why))
    }
}

const WRONG: &str = "the live Worker's configuration is wrong";
const UNMANAGED: &str = "the live Worker manages no cookie";
const UNREADABLE: &str = "this program cannot read the live Worker's configuration";

/// The mode, the version, and what is wrong or unwise.
fn remarks(text: &mut String, status: &StatusReply, capabilities: &Capabilities) {
    let fields = &status.fields;
    let mode_name = fields.mode.as_deref().unwrap_or("unknown");
    line(text, "mode", mode(mode_name));
    line(text, "version", version(&fields.version));
    let problems = fields.problems.iter().map(Remark::to_line);
    let problems = problems.map(|problem| (ERROR, "error:", problem));
    let notes = fields.notes.iter().map(Remark::to_line);
    let twins = twins(capabilities).into_iter().map(|[one, other]| {
        format!("{one} and {other} are one key: while one of them opens cookies, retiring or revoking the other ends nothing")
    });
    let warnings = notes.chain(twins).map(|text| (WARNING, "warning:", text));
    for (style, label, remark) in problems.chain(warnings) {
        let _ = writeln!(text, "\n{} {remark}", styled(style, label));
    }
}

fn line(text: &mut String, name: &str, value: impl AsRef<str>) {
    // writing to a String cannot fail
    let _ = writeln!(text, "  {name:<10}{}", value.as_ref());
}

fn mode(mode: &str) -> String {
    let (style, meaning) = match mode {
        "enforce" => (GOOD, "what does not verify is refused"),
        "observe" => (WARNING, "verifies and reports, and changes nothing"),
        "mixed" => (WARNING, "some rules only observe"),
        "refused" => (
            ERROR,
            "the configuration is wrong, and every request gets 503",
        ),
        "unchecked" => (
            ERROR,
            "the configuration is wrong, and traffic passes unchecked",
        ),
        _ => (STRONG, ""),
    };
    format!("{}  {}", styled(style, mode), styled(FAINT, meaning))
}

fn version(version: &VersionMetadata) -> String {
    let text = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
    let since = text(&version.timestamp).map(|time| format!("of {time}"));
    let parts = [text(&version.id), text(&version.tag), since];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "not known: the configuration has no `version_metadata`".to_owned()
    } else {
        parts.join("  ")
    }
}

/// Keys of the rings that have the same bytes under two names.
fn twins(capabilities: &Capabilities) -> Vec<[&KeyId; 2]> {
    let mut known: Vec<&KeyReference> = Vec::new();
    let mut twins = Vec::new();
    for rule in &capabilities.rules {
        let fallbacks = rule.fallbacks.iter().map(|fallback| &fallback.key);
        for key in fallbacks.chain([&rule.current]) {
            if known.iter().any(|known| known.id == key.id) {
                continue;
            }
            if let Some(twin) = known
                .iter()
                .find(|known| known.fingerprint.is_some() && known.fingerprint == key.fingerprint)
            {
                twins.push([&twin.id, &key.id]);
            }
            known.push(key);
        }
    }
    twins
}

/// Rules that share all their keys.
fn groups(capabilities: &Capabilities) -> Vec<Vec<&RuleCapabilities>> {
    let mut groups: Vec<Vec<&RuleCapabilities>> = Vec::new();
    for rule in &capabilities.rules {
        let same = |group: &&mut Vec<&RuleCapabilities>| {
            group.first().is_some_and(|first| {
                first.current == rule.current
                    && first.fallbacks == rule.fallbacks
                    && first.origin_current == rule.origin_current
                    && first.origin_fallbacks == rule.origin_fallbacks
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(rule),
            None => groups.push(vec![rule]),
        }
    }
    groups
}

fn ring(text: &mut String, group: &[&RuleCapabilities], now: u64) {
    let Some(first) = group.first() else { return };
    let names: Vec<&str> = group.iter().map(|rule| rule.name.as_str()).collect();
    let _ = writeln!(
        text,
        "\n{}",
        styled(STRONG, format!("keys of {}", names.join(", ")))
    );
    key(text, "current", &first.current, "signs what browsers get");
    for fallback in &first.fallbacks {
        key(text, "fallback", &fallback.key, &end(fallback, now));
    }
    let is_signed = group.iter().any(|rule| rule.origin_format.name != PLAIN);
    let does = if is_signed {
        "signs what the site gets, and opens what it sets"
    } else {
        "not used: the site's own cookie is not signed"
    };
    key(text, "origin", &first.origin_current, does);
    for other in &first.origin_fallbacks {
        key(text, "origin", other, "opens what the site sets");
    }
    text.push('\n');
    let width = names
        .iter()
        .map(|name| display_width(name))
        .max()
        .unwrap_or_default();
    for rule in group {
        let name = styled(STRONG, padded(&rule.name, width));
        let _ = writeln!(text, "  {name}  {}", about(rule));
    }
}

fn key(text: &mut String, role: &str, key: &KeyReference, does: &str) {
    let fingerprint = key.fingerprint.as_deref().unwrap_or_default();
    let fingerprint = styled(FAINT, format!("{fingerprint:<9}"));
    let id = key.id.as_str();
    let _ = writeln!(text, "  {role:<10}{id:<24}{fingerprint} {does}");
}

fn end(fallback: &Fallback, now: u64) -> String {
    match fallback.until {
        None => "opens what browsers have".to_owned(),
        Some(until) if until <= now => format!("opens nothing any more since {}", moment(until)),
        Some(until) => format!("opens until {}, {}", moment(until), from_now(until, now)),
    }
}

fn about(rule: &RuleCapabilities) -> String {
    let mut parts = vec![rule.format.to_string()];
    for accepted in &rule.accept {
        parts.push(format!("accepts {}", accepted.format));
    }
    if rule.origin_format != rule.format {
        parts.push(format!("at the origin {}", rule.origin_format));
    }
    if let Some(seconds) = rule.max_age {
        parts.push(format!("at most {} old", span(seconds)));
    }
    if rule.mode == countersign_core::config::Mode::Observe {
        parts.push(styled(WARNING, "only observed"));
    }
    parts.join(", ")
}
