//! `countersign inspect`: what a cookie is, and what the gate would do with it now.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_core::config::{Policy, Rule};
use countersign_core::formats::{PAIR, openings};
use countersign_core::gate::inspection::{inspect, recognise};
use countersign_core::operations::status::inspect_text;
use countersign_core::wire::cookie::{pair_value, pairs};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::commands::check::refusals::secret_names;
use crate::project::dev_vars::DevVars;
use crate::project::dev_vars::SecretValues;
use crate::project::file::cause;
use crate::project::options::QueryOptions;
use crate::remote::live::LiveWorker;
use crate::remote::replies::InspectionReply;
use crate::remote::skew;
use crate::terminal::answer::{Answer, Exit, Failure};
use crate::terminal::{clock, paste};

mod payload;
mod picture;
mod report;

use report::{CookieReport, KeyOpening};

/// Say what a cookie is: which key opens it, how old it is, and what becomes of it
#[derive(Args)]
#[command(after_help = AFTER_HELP, mut_arg("env", |env| env.help(ENVIRONMENT)))]
pub struct InspectArguments {
    /// NAME=VALUE, a Cookie or a Set-Cookie header [default: standard input]
    #[arg(value_name = "COOKIE")]
    cookie: Option<String>,

    /// The same, as curl has it
    #[arg(
        short = 'b',
        long = "cookie",
        short_alias = 'H',
        value_name = "COOKIE",
        hide = true,
        conflicts_with = "cookie"
    )]
    of_curl: Option<String>,

    /// Show what is in the cookie as well
    #[arg(long, conflicts_with = "live")]
    payload: bool,

    /// Try the key in this file as well, in every format whose shape the cookie has
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    key_file: Option<PathBuf>,

    /// Ask the live Worker, for keys that are only there; needs COUNTERSIGN_TOKEN
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    query: QueryOptions,
}

/// What an environment is for here.
const ENVIRONMENT: &str =
    "The environment whose rules and .dev.vars are used [default: the top level]";

const AFTER_HELP: &str = "\
Examples:
  countersign inspect                         paste a cookie, then Enter
  countersign inspect --payload < cookie.txt  what is in it as well
  countersign inspect --live < cookie.txt     with the keys of the live Worker
  countersign inspect 'sessionid=eyJ1Ijo…'    it stays in the shell's history

The keys are those of .dev.vars, and that of --key-file. Where no rule opens the cookie,
each is tried in every format. Without any key, and without a wrangler.toml, it still says
which formats the cookie may be in. A cookie is as good as a password.

Exit codes:
  0  the cookie is accepted, is not managed, or cannot be judged
  1  it is refused
  2  the command line is wrong, or a file cannot be read
  3  the live Worker did not answer";

/// A cookie as it was given; in a pair the signature is a second one.
#[derive(Clone)]
struct GivenCookie {
    name: String,
    value: String,
    /// All that was given, as a Cookie header.
    header: String,
}

impl InspectArguments {
    /// Looks at it.
    pub fn run(self) -> Result<Answer, Failure> {
        let given = self.given()?;
        let (report, now) = if self.live {
            self.ask(&given)?
        } else {
            (self.look(&given)?, clock::now())
        };
        let exit = if report.wrong.is_some() {
            Exit::Usage
        } else if report.is_refused() && !report.cannot_tell() {
            Exit::Problems
        } else {
            Exit::Success
        };
        let text = if self.query.json {
            format!("{:#}\n", report.to_json())
        } else {
            picture::draw(&report, now)
        };
        Ok(Answer { text, exit })
    }

    fn given(&self) -> Result<GivenCookie, Failure> {
        let given = self.cookie.as_deref().or(self.of_curl.as_deref());
        let text = match given {
            Some(text) if text != "-" => text.to_owned(),
            _ => paste::read("paste NAME=VALUE, a Cookie or a Set-Cookie header, then Enter:")?,
        };
        GivenCookie::parse(&text).ok_or_else(|| {
            Failure::usage("this is no cookie")
                .hint("write NAME=VALUE, as it stands behind `Cookie:`")
        })
    }

    /// What the live Worker says, and the present by its clock.
    fn ask(&self, given: &GivenCookie) -> Result<(CookieReport, u64), Failure> {
        let worker = &self.query.worker;
        let config = worker.optional_config()?;
        let environment = config.as_ref().map(|config| worker.environment(config));
        let environment = environment.transpose()?;
        let live = LiveWorker::new(worker.url.as_deref(), environment.as_ref())?;
        let now = skew::now(&live.status()?, live.site())?;
        let found = live.inspect(&given.header)?;
        let given = given.managed(&found);
        Ok((given.report(Some(found), Vec::new(), None), now))
    }

    fn look(&self, given: &GivenCookie) -> Result<CookieReport, Failure> {
        let file = &self.query.worker.file;
        let config = match file.read() {
            // it is no use to somebody who has only a cookie
            Err(_) if !file.is_named() => return self.without_rules(given, &SecretValues::new()),
            read => read?,
        };
        let environment = self.query.worker.environment(&config)?;
        let dev_vars = DevVars::read(&environment)?;
        let secrets = dev_vars
            .map(|dev_vars| dev_vars.texts())
            .unwrap_or_default();
        let Some(value) = environment.countersign() else {
            return self.without_rules(given, &secrets);
        };
        let policy =
            match Policy::parse_with_placeholders(&value, &|name| secrets.get(name).cloned()) {
                Ok(policy) => policy,
                Err(problems) => {
                    return Ok(CookieReport {
                        wrong: problems.first().map(ToString::to_string),
                        ..self.without_rules(given, &secrets)?
                    });
                }
            };
        let found = given.inspect(&policy)?;
        let given = given
            .joined(&policy)
            .unwrap_or_else(|| given.managed(&found));
        let unknown = unknown(&value, &secrets);
        let payload = self.payload.then(|| given.payload(&policy)).flatten();
        let opens = if found.is_opened() {
            Vec::new()
        } else {
            self.openings(&given, &secrets)?
        };
        Ok(CookieReport {
            missing_half: given.missing_half(&policy),
            opens,
            ..given.report(Some(found), unknown, payload)
        })
    }

    /// What can be said by the keys alone.
    fn without_rules(
        &self,
        given: &GivenCookie,
        secrets: &SecretValues,
    ) -> Result<CookieReport, Failure> {
        Ok(CookieReport {
            opens: self.openings(given, secrets)?,
            ..given.report(None, Vec::new(), None)
        })
    }

    /// The formats in which a key at hand opens the cookie, whatever the rules say.
    fn openings(
        &self,
        given: &GivenCookie,
        secrets: &SecretValues,
    ) -> Result<Vec<KeyOpening>, Failure> {
        let mut keys: Vec<(String, Zeroizing<String>)> = Vec::new();
        if let Some(path) = &self.key_file {
            keys.push((path.display().to_string(), key_in(path)?));
        }
        for (name, text) in secrets {
            keys.push((name.clone(), text.clone().into()));
        }
        let openings = |(secret, text): &(String, Zeroizing<String>)| {
            let openings = openings(&given.name, &given.value, text).into_iter();
            let secret = secret.clone();
            openings.map(move |opening| KeyOpening::new(&secret, opening))
        };
        Ok(keys.iter().flat_map(openings).collect())
    }
}

/// The key in a file, without the white space and the quotes around it.
fn key_in(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|e| Failure::usage(format!("{}: {}", path.display(), cause(&e))))?;
    let text = text.trim();
    let quoted = ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    Ok(Zeroizing::new(quoted.unwrap_or(text).to_owned()))
}

fn unknown(value: &Value, secrets: &SecretValues) -> Vec<String> {
    let mut names = secret_names(value);
    names.retain(|name| !secrets.contains_key(name));
    names
}

impl GivenCookie {
    /// `NAME=VALUE`, alone or in a header; of several the first, and of a Set-Cookie no attributes.
    fn parse(text: &str) -> Option<Self> {
        let text = paste::unwrapped(text);
        if text.chars().any(char::is_control) {
            return None; // no header holds any, and a terminal obeys them
        }
        let header = |name: &str| {
            let head = text.get(..name.len())?;
            head.eq_ignore_ascii_case(name)
                .then(|| text.get(name.len()..))
                .flatten()
        };
        let text = match (header("Cookie:"), header("Set-Cookie:")) {
            (_, Some(set)) => set.split(';').next()?,
            (Some(cookie), None) => cookie,
            (None, None) => text,
        };
        let first = pairs(text).find(|pair| pair.contains('='))?;
        let (name, _) = first.split_once('=')?;
        Self::of(text.trim(), name.trim())
    }

    /// The cookie that a rule signs in a second one, where one of the two is not there: the name of that.
    fn missing_half(&self, policy: &Policy) -> Option<String> {
        let is_whole = self.value.contains(PAIR);
        let companion = |rule: &Rule| {
            let companion = rule.companion.clone()?;
            if self.name == rule.spec.name && !is_whole {
                Some(companion)
            } else {
                (self.name == companion).then(|| rule.spec.name.clone())
            }
        };
        policy.rules.iter().find_map(companion)
    }

    /// The cookie of this name in a Cookie header.
    fn of(header: &str, name: &str) -> Option<Self> {
        let named = |name: &str| {
            let mut pairs = pairs(header).filter_map(|pair| Some((pair, pair.split_once('=')?.0)));
            let pair = pairs.find(|(_, known)| known.trim() == name);
            pair.map(|(pair, _)| pair_value(pair))
        };
        // a signature that is a cookie of its own, as keygrip's
        let signature = named(&format!("{name}.sig"));
        let signature = signature.map(|signature| format!("{PAIR}{signature}"));
        Some(Self {
            name: name.to_owned(),
            value: [named(name)?, &signature.unwrap_or_default()].concat(),
            header: header.to_owned(),
        })
    }

    /// The one that was found to be managed, which may be another than the first.
    fn managed(&self, found: &InspectionReply) -> Self {
        let rule = found.rule.as_deref();
        rule.and_then(|rule| Self::of(&self.header, rule))
            .unwrap_or_else(|| self.clone())
    }

    /// The one whose pieces were given.
    fn joined(&self, policy: &Policy) -> Option<Self> {
        let (name, value) = policy.joined(&self.header)?;
        Some(Self {
            name: name.to_owned(),
            value,
            header: self.header.clone(),
        })
    }

    /// What the live Worker would say, by this policy.
    fn inspect(&self, policy: &Policy) -> Result<InspectionReply, Failure> {
        let inspection = inspect_text(policy, &self.header, clock::now());
        let inspection = inspection.map_err(|error| Failure::usage(error.as_str()))?;
        Ok(InspectionReply::from(&inspection))
    }

    fn payload(&self, policy: &Policy) -> Option<String> {
        let inspection = inspect(policy, &self.name, &self.value, clock::now());
        Some(payload::shown(&inspection.opened?.payload))
    }

    fn report(
        &self,
        found: Option<InspectionReply>,
        unknown: Vec<String>,
        payload: Option<String>,
    ) -> CookieReport {
        CookieReport {
            name: self.name.clone(),
            found,
            recognised: recognise(&self.name, &self.value),
            opens: Vec::new(),
            unknown,
            payload,
            missing_half: None,
            wrong: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_in_whatever_it_was_copied_with() {
        for (text, name, value) in [
            ("a=b", "a", "b"),
            (" a=b=c\n", "a", "b=c"),
            ("Cookie: a=b; c=d", "a", "b"),
            ("set-cookie: a=b; Path=/; HttpOnly", "a", "b"),
            ("'a=b'", "a", "b"),
            ("\"Cookie: a=b; c=d\"", "a", "b"),
            ("“a=b”", "a", "b"),
            ("a=\"b\"", "a", "\"b\""),
            ("-b 'a=b'", "a", "b"),
            ("  -H 'Cookie: a=b; c=d' \\", "a", "b"),
            ("-H 'Set-Cookie: a=b; Path=/'", "a", "b"),
            ("theme=dark; theme.sig=s1gn", "theme", "dark;s1gn"),
            ("theme.sig=s1gn; theme=dark", "theme.sig", "s1gn"),
        ] {
            let given = GivenCookie::parse(text).unwrap();
            assert_eq!(
                (given.name.as_str(), given.value.as_str()),
                (name, value),
                "{text}"
            );
        }
        assert!(GivenCookie::parse("nothing").is_none());
        assert!(GivenCookie::parse("a\x1b[2J=b").is_none());
        assert!(GivenCookie::parse("").is_none());
    }
}
