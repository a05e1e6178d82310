//! What would be lost by a change, by its gradual deployment, and by rolling it back.

use std::fmt;
use std::path::Path;

use countersign_core::config::Policy;
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::{Loss, Note, losses, notes};
use serde::Serialize;

use crate::project::config::{Config, Environment};
use crate::remote::live::LiveWorker;
use crate::remote::skew;
use crate::terminal::answer::Failure;
use crate::terminal::clock;
use crate::terminal::style::{ERROR, GOOD, HINT, STRONG, WARNING, styled};

/// A change from one configuration to another.
pub struct Comparison {
    environment: Option<String>,
    reference: Reference,
    /// What the old one sealed and the new one cannot open.
    lost_by_change: Vec<Loss>,
    /// What the new one seals and the old one cannot open.
    lost_by_rollback: Vec<Loss>,
    notes: Vec<Note>,
    /// What the Worker opens, does not seal any more, and would no longer be opened without it.
    forgotten: Vec<Note>,
    /// Whether some of that has been sealed and is not too old yet: it has an `until` that is to come.
    is_still_open: bool,
}

/// The same for scripts.
#[derive(Serialize)]
pub struct JsonComparison {
    environment: Option<String>,
    from: String,
    compatible: bool,
    lost_by_change: Vec<String>,
    lost_by_rollback: Vec<String>,
    notes: Vec<String>,
}

/// Where the change starts.
enum Reference {
    None,
    Live(String),
    /// A live Worker whose configuration is wrong.
    Wrong(String),
    File(String),
}

/// Whether the live Worker is meant, and no file of that name.
pub fn is_live(other: &str) -> bool {
    other.eq_ignore_ascii_case("live") && !Path::new(other).exists()
}

/// The change from `other` to an environment's configuration; nothing where that is wrong, which other
/// findings say.
///
/// # Errors
/// The other one cannot be had.
pub fn compare(
    environment: &Environment<'_>,
    other: &str,
    url: Option<&str>,
) -> Result<Option<Comparison>, Failure> {
    let Some(Ok(after)) = local(environment) else {
        return Ok(None);
    };
    let after = capabilities(&after);
    let word = other.to_ascii_lowercase();
    let is_file = Path::new(other).exists();
    let (reference, before, now) = match if is_file { other } else { &word } {
        "none" => (Reference::None, after.without_worker(), clock::now()),
        "live" => of_live(environment, url)?,
        _ => {
            let before = of_file(other, environment)?;
            (Reference::File(other.to_owned()), before, clock::now())
        }
    };
    let environment = environment.name.map(str::to_owned);
    if matches!(reference, Reference::Wrong(_)) {
        return Ok(Some(Comparison::new(environment, reference)));
    }
    let is_removal = matches!(reference, Reference::None);
    let mut forgotten = if is_removal {
        notes(&after, &before, now)
    } else {
        Vec::new()
    };
    forgotten.retain(|note| matches!(note, Note::Forgotten { .. }));
    Ok(Some(Comparison {
        lost_by_change: losses(&before, &after, now),
        lost_by_rollback: losses(&after, &before, now),
        notes: notes(&before, &after, now),
        is_still_open: is_removal && is_still_open(&after, now),
        forgotten,
        ..Comparison::new(environment, reference)
    }))
}

/// Whether a key or a format is on its way out: staged ones have no end.
fn is_still_open(capabilities: &Capabilities, now: u64) -> bool {
    let is_to_come = |until: Option<u64>| until.is_some_and(|until| until > now);
    capabilities.rules.iter().any(|rule| {
        let others = rule
            .fallbacks
            .iter()
            .filter(|fallback| fallback.key.id != rule.current.id);
        let mut accepted = rule.accept.iter();
        others
            .into_iter()
            .any(|fallback| is_to_come(fallback.until))
            || accepted.any(|accepted| is_to_come(accepted.until))
    })
}

/// The policy of an environment, with placeholders for its secrets.
fn local(environment: &Environment<'_>) -> Option<Result<Policy, String>> {
    let value = environment.countersign()?;
    let policy = Policy::parse_with_placeholders(&value, &|_| None);
    Some(policy.map_err(|problems| {
        problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    }))
}

/// Keys are told apart by their names: those of this machine are none of the live Worker's business.
fn capabilities(policy: &Policy) -> Capabilities {
    Capabilities::of(policy, &|_| None)
}

fn of_file(file: &str, environment: &Environment<'_>) -> Result<Capabilities, Failure> {
    let config = Config::read(Some(Path::new(file)))?;
    let other = config.one(environment.name)?;
    match local(&other) {
        Some(Ok(policy)) => Ok(capabilities(&policy)),
        Some(Err(problem)) => Err(Failure::usage(format!(
            "{file} is no configuration that the Worker takes: {problem}"
        ))),
        None => Err(Failure::usage(format!(
            "{file} has no variable COUNTERSIGN for {}",
            other.title()
        ))),
    }
}

/// What is live, and the present by its clock.
fn of_live(
    environment: &Environment<'_>,
    url: Option<&str>,
) -> Result<(Reference, Capabilities, u64), Failure> {
    let live = LiveWorker::new(url, Some(environment))?;
    let status = live.status()?;
    let now = skew::agreed(&status, live.site())?;
    let site = live.site().to_owned();
    if status.is_wrong() {
        return Ok((Reference::Wrong(site), Capabilities::default(), now));
    }
    let capabilities = status.capabilities(&site)?;
    Ok((Reference::Live(site), capabilities, now))
}

impl Comparison {
    /// Whether both may be live at once: then it may be rolled out gradually, and rolled back.
    pub fn is_compatible(&self) -> bool {
        self.lost_by_change.is_empty() && self.lost_by_rollback.is_empty() && !self.is_still_open
    }

    /// For scripts.
    pub fn to_json(&self) -> JsonComparison {
        let texts = |losses: &[Loss]| losses.iter().map(Loss::to_string).collect();
        JsonComparison {
            environment: self.environment.clone(),
            from: self.reference.to_string(),
            compatible: self.is_compatible(),
            lost_by_change: texts(&self.lost_by_change),
            lost_by_rollback: texts(&self.lost_by_rollback),
            notes: self.notes(),
        }
    }

    /// Of which nothing is known yet.
    fn new(environment: Option<String>, reference: Reference) -> Self {
        Self {
            environment,
            reference,
            lost_by_change: Vec::new(),
            lost_by_rollback: Vec::new(),
            notes: Vec::new(),
            forgotten: Vec::new(),
            is_still_open: false,
        }
    }

    fn notes(&self) -> Vec<String> {
        let forgotten = self
            .forgotten
            .iter()
            .map(|note| format!("by removing: {note}"));
        self.notes
            .iter()
            .map(Note::to_string)
            .chain(forgotten)
            .collect()
    }

    fn verdict(&self) -> String {
        let installs = matches!(self.reference, Reference::None);
        if let Reference::Wrong(_) = self.reference {
            let text = "its configuration is wrong, so it seals nothing now; what it sealed before is unknown";
            return styled(WARNING, text);
        }
        if self.is_still_open && self.lost_by_change.is_empty() && self.lost_by_rollback.is_empty()
        {
            return format!(
                "{} the Worker may not be removed yet: what it still opens would be lost, as noted\n{} wait for the last `until`, then countersign leave",
                styled(ERROR, "error:"),
                styled(HINT, "hint:")
            );
        }
        if self.is_compatible() && !self.forgotten.is_empty() {
            let text = "no session is lost by installing the Worker; by removing it, what is left as noted";
            return styled(WARNING, text);
        }
        if self.is_compatible() {
            let text = if installs {
                "no session is lost by installing the Worker, nor by removing it"
            } else {
                "no session is lost: it may be rolled out gradually, and rolled back"
            };
            return styled(GOOD, text);
        }
        let what = match (self.lost_by_change.is_empty(), installs) {
            (true, true) => "the Worker may not be removed, nor rolled out gradually",
            (false, true) => "the Worker may not be installed so",
            (true, false) => "this change may not be rolled out gradually, nor rolled back",
            (false, false) => "this change ends sessions",
        };
        let hint = match (self.lost_by_change.is_empty(), installs) {
            (true, true) => "to leave, rotate back to the origin's own key and format first",
            (false, true) => {
                "begin with the origin's own key as `current`, in the origin's own format"
            }
            (_, false) => {
                "in two deployments: first open what the other seals (a key in `fallbacks`, a format in `accept`), then seal"
            }
        };
        format!(
            "{} {what}\n{} {hint}",
            styled(ERROR, "error:"),
            styled(HINT, "hint:")
        )
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::None => f.write_str("no Worker"),
            Reference::Live(site) | Reference::Wrong(site) => f.write_str(site),
            Reference::File(file) => f.write_str(file),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = match &self.environment {
            Some(name) => format!(" to [env.{name}]"),
            None => String::new(),
        };
        writeln!(
            f,
            "{}",
            styled(STRONG, format!("from {}{to}", self.reference))
        )?;
        let (forth, back) = match self.reference {
            Reference::None => ("lost by installing", "lost by removing"),
            _ => ("lost by the change", "lost by rolling back"),
        };
        for (title, losses) in [
            (forth, &self.lost_by_change),
            (back, &self.lost_by_rollback),
        ] {
            for loss in losses {
                writeln!(f, "  {} {loss}", styled(ERROR, format!("{title}:")))?;
            }
        }
        for note in self.notes() {
            writeln!(f, "  {} {note}", styled(WARNING, "note:"))?;
        }
        writeln!(f, "{}", self.verdict())
    }
}
