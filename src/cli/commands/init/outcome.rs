//! What `init` has to say in the end: what it found, proved and wrote, and what to type next.

use std::path::{Path, PathBuf};

use countersign_core::config::Policy;
use countersign_core::gate::inspection::inspect;
use serde_json::{Value, json};
use url::Url;

use super::found::{FoundCookie, Suggestion};
use super::names::by_likelihood;
use super::picture;
use super::plan::{Plan, UNSIGNED};
use super::writing::wrangler_toml;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::style::{FAINT, GOOD, HINT, STRONG, WARNING, styled};
use crate::terminal::time::span;

/// All that is known in the end.
pub struct Outcome {
    pub found: Vec<FoundCookie>,
    /// The host of another site that the visitor is sent to.
    pub elsewhere: Option<String>,
    /// The site, where there is no plan.
    pub site: Option<Url>,
    pub plan: Option<Plan>,
    pub proved: Vec<Proved>,
    /// None where nothing was to be written.
    pub folder: Option<PathBuf>,
    pub files: Vec<String>,
}

/// A cookie that a key was proved against.
pub struct Proved {
    pub name: String,
    /// The gate's own word.
    pub verdict: &'static str,
    pub age_s: Option<u64>,
}

/// What the written configuration says of a cookie.
pub fn verdict(policy: &Policy, found: &[FoundCookie], name: &str, now: u64) -> Proved {
    let value = found
        .iter()
        .find(|cookie| cookie.name == name)
        .map_or("", |cookie| &cookie.value);
    let inspection = inspect(policy, name, value, now);
    Proved {
        name: name.to_owned(),
        verdict: inspection.verdict.map_or("", |verdict| verdict.as_str()),
        age_s: inspection.opened.and_then(|opened| opened.age_s),
    }
}

/// What a site sets, and what it would be asked for.
pub fn found(site: Option<&Url>, found: &[FoundCookie], elsewhere: Option<&str>) -> String {
    let site = site.map_or("the site".to_owned(), |site| {
        site.origin().ascii_serialization()
    });
    let mut text = match found.len() {
        0 => format!("{site} sets no cookie on this page\n"),
        1 => format!("{site} has 1 cookie\n"),
        count => format!("{site} has {count} cookies\n"),
    };
    text.push_str(&picture::cookies(found));
    if let Some(elsewhere) = elsewhere {
        text.push_str(&format!(
            "it sends visitors on to {elsewhere}, which was not asked\n"
        ));
    }
    text
}

/// Why there is nothing to write.
pub fn nothing_to_manage(found: &[FoundCookie]) -> Failure {
    let failure = Failure::refused("there is no signed cookie to manage")
        .hint("many sites set the session's cookie after a login only: log in with a browser, copy the Cookie or Set-Cookie line from its developer tools into a file, and add --from FILE");
    let mut unsigned = found
        .iter()
        .filter(|cookie| cookie.suggestion() == Suggestion::Unsigned);
    match unsigned.next() {
        Some(cookie) => failure.hint(format!(
            "to have Countersign sign a cookie that the site does not sign: --wrap {}",
            cookie.name
        )),
        None => failure,
    }
}

impl Outcome {
    /// A site with nothing to manage.
    pub fn of_nothing(
        site: Option<Url>,
        found: Vec<FoundCookie>,
        elsewhere: Option<String>,
    ) -> Self {
        Self {
            found,
            elsewhere,
            site,
            plan: None,
            proved: Vec::new(),
            folder: None,
            files: Vec::new(),
        }
    }

    pub fn answer(&self, is_json: bool) -> Answer {
        Answer::success(if is_json {
            format!("{:#}\n", self.to_json())
        } else {
            self.text()
        })
    }

    fn site(&self) -> Option<&Url> {
        self.plan
            .as_ref()
            .map_or(self.site.as_ref(), |plan| plan.site.as_ref())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let Some(folder) = &self.folder else {
            text.push_str(&found(self.site(), &self.found, self.elsewhere.as_deref()));
            match &self.plan {
                Some(plan) => {
                    text.push_str(&self.proofs(plan));
                    text.push_str(&format!("\n{}", rules(plan)));
                }
                None => text.push_str(&hints(&nothing_to_manage(&self.found))),
            }
            return text;
        };
        let Some(plan) = &self.plan else {
            return text;
        };
        text.push_str(&self.proofs(plan));
        let place = if folder == Path::new(".") {
            String::new()
        } else {
            format!("{}: ", folder.display())
        };
        text.push_str(&format!("wrote {place}{}\n\n", self.files.join(", ")));
        text.push_str(&next(plan, folder, self.proved.is_empty()));
        text
    }

    /// What each rule's key was seen to open.
    fn proofs(&self, plan: &Plan) -> String {
        let mut text = String::new();
        for rule in &plan.rules {
            let secret = plan.keys.get(rule.key).map_or("", |key| &key.secret);
            let proved = self.proved.iter().find(|proved| proved.name == rule.name);
            let line = match proved {
                Some(proved) => {
                    let age = proved
                        .age_s
                        .map_or(String::new(), |age| format!(", signed {} ago", span(age)));
                    let (style, said) = if proved.verdict == "current" {
                        (GOOD, format!("opens as {} with {secret}{age}", rule.format))
                    } else {
                        (
                            WARNING,
                            format!(
                                "opens as {} with {secret}{age}, but is {}",
                                rule.format, proved.verdict
                            ),
                        )
                    };
                    styled(style, said)
                }
                None if rule.format == UNSIGNED => {
                    "passes as it is until its sealing is staged".to_owned()
                }
                None => styled(
                    WARNING,
                    format!("taken for {}: nothing is proved without a key", rule.format),
                ),
            };
            text.push_str(&format!("{}  {line}\n", styled(STRONG, &rule.name)));
        }
        text
    }

    fn to_json(&self) -> Value {
        let cookies: Vec<Value> = self
            .found
            .iter()
            .map(|cookie| self.cookie(cookie))
            .collect();
        json!({
            "site": self.site().map(|site| site.origin().ascii_serialization()),
            "elsewhere": self.elsewhere,
            "cookies": cookies,
            "worker": self.plan.as_ref().map(|plan| &plan.worker),
            "configuration": self.plan.as_ref().map(Plan::configuration),
            "folder": self.folder.as_ref().map(|folder| folder.display().to_string()),
            "files": self.files,
            "next": self.plan.as_ref().zip(self.folder.as_ref()).map(|(plan, folder)| commands(plan, folder)),
        })
    }

    fn cookie(&self, cookie: &FoundCookie) -> Value {
        let formats: Vec<&str> = by_likelihood(cookie)
            .iter()
            .map(|shape| shape.format)
            .collect();
        let planned = self
            .plan
            .as_ref()
            .and_then(|plan| plan.rules.iter().find(|rule| rule.name == cookie.name));
        let proved = self.proved.iter().find(|proved| proved.name == cookie.name);
        let left = match cookie.suggestion() {
            Suggestion::Leave(why) => Some(why),
            _ => None,
        };
        json!({
            "name": cookie.name,
            "attributes": cookie.seen.as_ref().map(|seen| &seen.attributes),
            "formats": formats,
            "managed": planned.is_some(),
            "left_because": left,
            "verdict": proved.map(|proved| proved.verdict),
            "age": proved.and_then(|proved| proved.age_s),
        })
    }
}

fn hints(failure: &Failure) -> String {
    let hints = failure.hints().iter();
    hints
        .map(|hint| format!("{} {hint}\n", styled(HINT, "hint:")))
        .collect()
}

/// The part of wrangler.toml that says what is done with the cookies.
fn rules(plan: &Plan) -> String {
    let text = wrangler_toml(plan);
    let from = text.find("[vars.COUNTERSIGN.keys]").unwrap_or_default();
    text.get(from..).unwrap_or_default().to_owned()
}

/// What to type next.
fn commands(plan: &Plan, folder: &Path) -> Vec<String> {
    let mut commands = Vec::new();
    if folder != Path::new(".") {
        commands.push(format!("cd {}", quoted(&folder.display().to_string())));
    }
    commands.extend(["npm install".to_owned(), "npm run dev".to_owned()]);
    if plan.site.is_some() && !plan.is_local() {
        commands.extend([
            "countersign check && countersign check --against none".to_owned(),
            "npx wrangler deploy --env= --secrets-file .dev.vars".to_owned(),
        ]);
    }
    commands
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn next(plan: &Plan, folder: &Path, is_unproved: bool) -> String {
    let mut text = format!("{}\n", styled(STRONG, "next"));
    if let Some(key) = plan.keys.iter().find(|key| key.text.is_none()) {
        text.push_str(&format!(
            "  put the site's key into .dev.vars, in the line of {}\n",
            key.secret
        ));
    }
    let comments = |command: &str| match command {
        "npm install" => "wrangler; it needs Node 22 or newer",
        "npm run dev" => "the Worker on this machine, in front of the site",
        command if command.starts_with("countersign check") => {
            "nothing is wrong, and no session is lost"
        }
        command if command.starts_with("npx wrangler") => {
            "with the key; the status's path is its only route"
        }
        _ => "",
    };
    let commands = commands(plan, folder);
    let width = commands.iter().map(String::len).max().unwrap_or_default();
    for command in &commands {
        let comment = comments(command);
        let comment = if comment.is_empty() {
            String::new()
        } else {
            format!("  {}", styled(FAINT, format!("# {comment}")))
        };
        text.push_str(format!("  {command:width$}{comment}").trim_end());
        text.push('\n');
    }
    text.push_str(&seen(plan, is_unproved));
    text
}

/// How one sees the verdict.
fn seen(plan: &Plan, is_unproved: bool) -> String {
    if plan.site.is_none() {
        return "\nwrangler.toml names no site: fill in `routes`, and for a site on this machine [dev] with host = \"127.0.0.1:5000\", upstream_protocol = \"http\"\n".to_owned();
    }
    let how = if is_unproved {
        "`countersign inspect` says of a cookie that you paste whether the key opens it."
    } else {
        "`countersign inspect --live --url http://localhost:8787` says what becomes of a cookie that you paste."
    };
    let log = if plan.is_local() {
        "The terminal of `npm run dev` shows each verdict: \"current\" is a cookie that the key opens."
    } else {
        "\"current\" and \"unchanged\" are the proof."
    };
    format!(
        "\nOpen the address that `npm run dev` prints, http://localhost:8787/, and log in.\n{log}\n{how}\n"
    )
}
