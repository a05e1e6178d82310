//! `countersign inspect`: what a cookie is, and what the gate would do with it now.

use std::io::Read;

use clap::Args;
use countersign_core::config::Policy;
use countersign_core::formats::PAIR;
use countersign_core::gate::inspection::{inspect, recognise};
use countersign_core::operations::status::{Status, Token};
use countersign_core::wire::cookie::{pair_value, pairs};
use serde_json::{Value, json};

use crate::answer::{Answer, Exit, Failure};
use crate::arguments::Which;
use crate::check::secret_names;
use crate::clock;
use crate::config::Config;
use crate::dev_vars::DevVars;
use crate::dev_vars::Texts;
use crate::live::Live;
use crate::skew;

mod payload;
mod picture;

/// Say what a cookie is: which key opens it, how old it is, and what becomes of it
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Inspect {
    /// NAME=VALUE, a Cookie or a Set-Cookie header [default: standard input]
    #[arg(value_name = "COOKIE")]
    cookie: Option<String>,

    /// Show what is in the cookie as well
    #[arg(long, conflicts_with = "live")]
    payload: bool,

    /// Ask the live Worker, for keys that are only there; needs COUNTERSIGN_TOKEN
    #[arg(long)]
    live: bool,

    /// The site, for --live [default: the host of the first route]
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_URL",
        hide_env_values = true
    )]
    url: Option<String>,

    /// The environment whose rules and .dev.vars are used [default: the top level]
    #[arg(long, value_name = "ENV")]
    env: Option<String>,

    /// Answer in JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    which: Which,
}

const AFTER_HELP: &str = "\
Examples:
  countersign inspect                         paste a cookie, then Ctrl-D
  countersign inspect --payload < cookie.txt  what is in it as well
  countersign inspect --live < cookie.txt     with the keys of the live Worker
  countersign inspect 'sessionid=eyJ1Ijo…'    it stays in the shell's history

The keys are those of .dev.vars. Without any key, and without a wrangler.toml, it still
says which formats the cookie may be in. A cookie is as good as a password.

Exit codes:
  0  the cookie is taken, or is no business of Countersign's, or cannot be told
  1  it is refused
  2  the command line is wrong, or a file cannot be read
  3  the live Worker did not answer";

/// A cookie as it was given; in a pair the signature is a second one.
#[derive(Clone)]
struct Given {
    name: String,
    value: String,
    /// All that was given, as a Cookie header.
    header: String,
}

/// What is known of a cookie.
pub struct Known {
    /// Its name.
    name: String,
    /// What the gate says, as the status endpoint has it; none where there is no configuration.
    found: Option<Value>,
    /// Formats whose shape it has.
    recognised: Vec<&'static str>,
    /// Secrets that the configuration names and that are not known here.
    unknown: Vec<String>,
    /// What is in it, where that was asked for.
    payload: Option<String>,
    /// What is wrong with the configuration, so that no key could be tried.
    wrong: Option<String>,
}

impl Inspect {
    /// Looks at it.
    pub fn run(self) -> Result<Answer, Failure> {
        let given = self.given()?;
        let (known, now) = match self.live {
            true => self.ask(&given)?,
            false => (self.look(&given)?, clock::now()),
        };
        let exit = match known.is_refused() && !known.cannot_tell() {
            _ if known.wrong.is_some() => Exit::Usage,
            true => Exit::Problems,
            false => Exit::Fine,
        };
        let text = match self.json {
            true => format!("{:#}\n", known.to_json()),
            false => picture::draw(&known, now),
        };
        Ok(Answer { text, exit })
    }

    fn given(&self) -> Result<Given, Failure> {
        let text = match self.cookie.as_deref() {
            Some(text) if text != "-" => text.to_owned(),
            _ => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|_| Failure::usage("standard input is not UTF-8 text"))?;
                text
            }
        };
        Given::parse(&text).ok_or_else(|| {
            Failure::usage("this is no cookie")
                .hint("write NAME=VALUE, as it stands behind `Cookie:`")
        })
    }

    /// What the live Worker says, and the present by its clock.
    fn ask(&self, given: &Given) -> Result<(Known, u64), Failure> {
        let config = Config::beside(self.which.config.as_deref(), self.url.as_deref())?;
        let environment = match &config {
            Some(config) => Some(config.one(self.env.as_deref())?),
            None => None,
        };
        let live = Live::of(self.url.as_deref(), environment.as_ref())?;
        let now = skew::now(&live.status()?, live.site())?;
        let found = live.inspect(&given.header)?;
        let given = given.managed(&found);
        Ok((given.known(Some(found), Vec::new(), None), now))
    }

    fn look(&self, given: &Given) -> Result<Known, Failure> {
        let config = match (
            Config::read(self.which.config.as_deref()),
            &self.which.config,
        ) {
            (Ok(config), _) => config,
            (Err(failure), Some(_)) => return Err(failure),
            // it is no use to somebody who has only a cookie
            (Err(_), None) => return Ok(given.known(None, Vec::new(), None)),
        };
        let environment = config.one(self.env.as_deref())?;
        let Some(value) = environment.countersign() else {
            return Ok(given.known(None, Vec::new(), None));
        };
        let dev_vars = DevVars::read(&environment)?;
        let secrets = dev_vars
            .map(|dev_vars| dev_vars.texts())
            .unwrap_or_default();
        let policy =
            match Policy::parse_with_placeholders(&value, &|name| secrets.get(name).cloned()) {
                Ok(policy) => policy,
                Err(problems) => {
                    return Ok(Known {
                        wrong: problems.first().map(ToString::to_string),
                        ..given.known(None, Vec::new(), None)
                    });
                }
            };
        let found = given.found(&policy)?;
        let given = given
            .joined(&policy)
            .unwrap_or_else(|| given.managed(&found));
        let unknown = unknown(&value, &secrets);
        let payload = self.payload.then(|| given.payload(&policy)).flatten();
        Ok(given.known(Some(found), unknown, payload))
    }
}

fn unknown(value: &Value, secrets: &Texts) -> Vec<String> {
    let mut names = secret_names(value);
    names.retain(|name| !secrets.contains_key(name));
    names
}

impl Given {
    /// `NAME=VALUE`, alone or in a header; of several the first, and of a Set-Cookie no attributes.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
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
    fn managed(&self, found: &Value) -> Self {
        let rule = found["rule"].as_str();
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
    fn found(&self, policy: &Policy) -> Result<Value, Failure> {
        // no fingerprint of it is ever shown
        let token = Token::new(&"-".repeat(32)).ok_or_else(|| Failure::usage("no token"))?;
        let status = Status {
            token: &token,
            policy: Some(policy),
            configuration: "null",
            problems: &[],
            passes: false,
            version: Vec::new(),
            now: clock::now(),
        };
        let reply = status.reply("POST", &self.header);
        let found: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        match found["error"].as_str() {
            Some(error) => Err(Failure::usage(error)),
            None => Ok(found),
        }
    }

    fn payload(&self, policy: &Policy) -> Option<String> {
        let inspection = inspect(policy, &self.name, &self.value, clock::now());
        Some(payload::shown(&inspection.opened?.payload))
    }

    fn known(&self, found: Option<Value>, unknown: Vec<String>, payload: Option<String>) -> Known {
        Known {
            name: self.name.clone(),
            found,
            recognised: recognise(&self.name, &self.value),
            unknown,
            payload,
            wrong: None,
        }
    }
}

impl Known {
    /// Whether keys are missing here that might have opened it.
    fn cannot_tell(&self) -> bool {
        let found = self.found.as_ref();
        let is_unknown =
            |found: &Value| found["verdict"] == "bad-signature" && found["key"].is_null();
        found.is_some_and(is_unknown) && !self.unknown.is_empty()
    }

    fn is_refused(&self) -> bool {
        let fate = self.found.as_ref().and_then(|found| found["fate"].as_str());
        let verdict = self
            .found
            .as_ref()
            .and_then(|found| found["verdict"].as_str());
        let taken = ["current", "fallback", "accepted-format"];
        matches!(fate, Some("stripped" | "rejected"))
            || verdict.is_some_and(|verdict| !taken.contains(&verdict))
    }

    fn to_json(&self) -> Value {
        let mut json = self.found.clone().unwrap_or_else(|| json!({}));
        json["name"] = self.name.as_str().into();
        json["recognised"] = self.recognised.clone().into();
        json["unknown_keys"] = self.unknown.clone().into();
        if let Some(wrong) = &self.wrong {
            json["problem"] = wrong.as_str().into();
        }
        if let Some(payload) = &self.payload {
            json["payload"] = payload.as_str().into();
        }
        json
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
            ("theme=dark; theme.sig=s1gn", "theme", "dark;s1gn"),
            ("theme.sig=s1gn; theme=dark", "theme.sig", "s1gn"),
        ] {
            let given = Given::parse(text).unwrap();
            assert_eq!(
                (given.name.as_str(), given.value.as_str()),
                (name, value),
                "{text}"
            );
        }
        assert!(Given::parse("nothing").is_none());
        assert!(Given::parse("a\x1b[2J=b").is_none());
        assert!(Given::parse("").is_none());
    }
}
