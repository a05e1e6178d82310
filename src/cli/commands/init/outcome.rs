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
        for cookie in &self.found {
            let is_planned = plan.rules.iter().any(|rule| rule.name == cookie.name);
            if !is_planned && cookie.suggestion() == Suggestion::Manage {
                let name = styled(STRONG, &cookie.name);
                text.push_str(&format!("{name}  not managed\n"));
            }
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
    commands.push(INSTALL.to_owned());
    if plan.site.is_some() {
        commands.push(DEV.to_owned());
    }
    if plan.site.is_some() && !plan.is_local() {
        commands.extend([CHECK.to_owned(), DEPLOY.to_owned()]);
    }
    commands
}

const INSTALL: &str = "npm install";
const DEV: &str = "npm run dev";
const CHECK: &str = "countersign check && countersign check --against none";
const DEPLOY: &str = "npx wrangler deploy --env= --secrets-file .dev.vars";

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
    let mut lines = commands(plan, folder);
    if let Some(key) = plan.keys.iter().find(|key| key.text.is_none()) {
        let at = lines
            .iter()
            .position(|line| line == INSTALL)
            .unwrap_or_default();
        lines.insert(
            at,
            format!("put the site's key into .dev.vars, as {}", key.secret),
        );
    }
    let width = lines.iter().map(String::len).max().unwrap_or_default();
    let mut text = format!("{}\n", styled(STRONG, "next"));
    for line in &lines {
        match comment(line) {
            Some(comment) => {
                let comment = styled(FAINT, format!("# {comment}"));
                text.push_str(&format!("  {line:width$}  {comment}\n"));
            }
            None => text.push_str(&format!("  {line}\n")),
        }
    }
    text + &seen(plan, is_unproved)
}

/// What a command is for.
fn comment(command: &str) -> Option<&'static str> {
    match command {
        INSTALL => Some("wrangler, which needs Node 22 or newer"),
        DEV => Some("the Worker on this machine, in front of the site"),
        CHECK => Some("nothing is wrong, and no session is lost"),
        DEPLOY => Some("with its secrets; no visitor opens its only route"),
        _ => None,
    }
}

/// How one sees the verdict.
fn seen(plan: &Plan, is_unproved: bool) -> String {
    if plan.site.is_none() {
        return "\nwrangler.toml names no site: fill in `routes`, or for a site on this machine [dev] with host = \"127.0.0.1:5000\" and upstream_protocol = \"http\"\n".to_owned();
    }
    let open = "\nOpen the address that `npm run dev` prints, http://localhost:8787/, and log in.";
    let inspect = if is_unproved {
        "countersign inspect"
    } else {
        "countersign inspect --live --url http://localhost:8787"
    };
    if plan.is_local() {
        format!(
            "{open} Its terminal shows each verdict:\n\"current\" is a cookie that the key opens; \"attributes-differ\" names what to correct in `attributes`.\n`{inspect}` says the same of a cookie that you paste.\n"
        )
    } else {
        format!(
            "{open} Then paste your cookie into\n`{inspect}`: \"current\" and \"unchanged\" are the proof.\nNo visitor meets the Worker before `routes` has the whole host.\n"
        )
    }
}
