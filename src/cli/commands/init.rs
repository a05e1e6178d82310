//! `countersign init`: from the address of a site to a folder with a Worker in front of it, which observes.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_core::crypto::key::KeyId;
use countersign_core::formats::{self, KeyShape};
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use crate::project::folder as release;
use crate::rotation::key_or_format::not_a_name;
use crate::rotation::new_key::make;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::asking::{Asking, Question, whoever_answers};
use crate::terminal::{clock, time};

mod attributes;
mod choices;
mod choosing;
mod exchange;
mod folder;
mod found;
mod lifetime;
mod names;
mod outcome;
mod picture;
mod plan;
mod proof;
mod reading;
mod ring;
mod rules;
mod sighting;
#[cfg(test)]
mod tests;
mod writing;

pub use writing::dev_vars_line;

use choices::Choices;
use folder::NewFile;
use found::{FoundCookie, Suggestion};
use outcome::Outcome;
use plan::{Plan, PlannedKey};
use proof::Wanted;
use sighting::{Sighting, Source, text_of};

/// Put a Worker in front of a site: look at its cookies, prove its key, write the folder
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct InitArguments {
    /// The site, or one of its pages: https://www.example.com, http://127.0.0.1:5000 [default: asks]
    #[arg(value_name = "URL")]
    site: Option<String>,

    /// Read cookies from a file, or from standard input with `-`: Set-Cookie or Cookie lines, what `curl -si`
    /// prints, a HAR file
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// A cookie to manage; may be given several times [default: those that look signed]
    #[arg(long, value_name = "NAME")]
    cookie: Vec<String>,

    /// A cookie that the site does not sign, to be signed by Countersign; may be given several times
    #[arg(long, value_name = "NAME")]
    wrap: Vec<String>,

    /// The format of the cookies, where their shape leaves a choice
    #[arg(long, value_name = "NAME")]
    format: Option<String>,

    /// An option of the format that no cookie shows, such as signing_salt=…; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = option)]
    option: Vec<(String, Value)>,

    /// The site's secret key is in this file, or in standard input with `-` [default: asks, without showing it]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// The name of the secret that holds the key [default: what the framework calls it]
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,

    /// The name of the Worker [default: after the site]
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,

    /// The folder to write [default: this one, if it is empty]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Ask nothing: take what is suggested
    #[arg(long)]
    yes: bool,

    /// Say what was found, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Bring the Worker's files in the folder up to this release instead
    #[arg(long, conflicts_with_all = ["site", "from", "cookie", "wrap", "format", "option", "key_file", "secret", "worker", "yes", "dry_run"])]
    upgrade: bool,

    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  countersign init https://www.example.com              asks what it needs to know
  countersign init http://127.0.0.1:5000 --folder shop  in front of a site on this machine
  curl -si https://www.example.com/login | countersign init --from - --yes --folder shop
  countersign init --from www.example.com.har           what a browser has seen, with a login
  countersign init http://127.0.0.1:5000 --yes --key-file key.txt --folder shop
  countersign init --upgrade                            the Worker's files of this release

It asks the site for the page with GET, and changes nothing there. The key is never an argument,
and never shown: it goes into .dev.vars, which only you can read.

Exit codes:
  0  the folder is written
  1  the key opens no cookie, there is nothing to manage, or a file would be overwritten
  2  the command line is wrong, or a file cannot be read
  3  the site does not answer";

/// `NAME=VALUE`, the value as TOML has it where it is a number or a truth, and otherwise a string.
fn option(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = match value {
        "true" => true.into(),
        "false" => false.into(),
        text => text
            .parse::<u64>()
            .map_or_else(|_| text.into(), Value::from),
    };
    Ok((name.to_owned(), value))
}

impl InitArguments {
    /// Asks, proves and writes; or brings a folder up to this release.
    pub fn run(self) -> Result<Answer, Failure> {
        if self.upgrade {
            return self.upgraded();
        }
        if self.from.as_deref() == Some(Path::new("-")) && self.from == self.key_file {
            return Err(Failure::usage(
                "--from and --key-file cannot both be standard input",
            ));
        }
        let choices = self.choices()?;
        let source = Source {
            site: self.site.as_deref().map(choices::address).transpose()?,
            from: self.from.clone(),
        };
        let mut asking = whoever_answers(self.yes || self.dry_run);
        let folder = if self.dry_run {
            PathBuf::from(".")
        } else {
            chosen_folder(&choices, &mut *asking)?
        };
        let mut sighting = source.look(&mut *asking)?;
        let found = source.cookies(&mut sighting, &mut *asking)?;
        let Sighting {
            site, elsewhere, ..
        } = sighting;
        let is_https = site.as_ref().is_none_or(|site| site.scheme() == "https");
        if self.dry_run && !choices.has_cookies() && !has_suggested(&found) {
            return Ok(Outcome::of_nothing(site, found, elsewhere).answer(self.json));
        }
        let plan = planned(site, &found, &choices, &folder, is_https, &mut *asking)?;
        let (plan, proved) = plan;
        let policy = plan.policy().map_err(|problems| refused(&problems))?;
        let files = if self.dry_run {
            Vec::new()
        } else {
            written(&plan, &folder)?
        };
        let outcome = Outcome {
            folder: (!self.dry_run).then_some(folder),
            elsewhere,
            files,
            proved: proved
                .iter()
                .map(|name| outcome::verdict(&policy, &found, name, clock::now()))
                .collect(),
            plan: Some(plan),
            site: None,
            found,
        };
        Ok(outcome.answer(self.json))
    }

    fn upgraded(&self) -> Result<Answer, Failure> {
        let upgrade = release::upgrade(self.folder.as_deref().unwrap_or(Path::new(".")))?;
        Ok(Answer::success(if self.json {
            format!("{:#}\n", upgrade.to_json())
        } else {
            upgrade.to_string()
        }))
    }

    fn choices(&self) -> Result<Choices, Failure> {
        if let Some(format) = &self.format
            && formats::description(format).is_none()
        {
            return Err(Failure::usage(format!(
                "--format: {}",
                formats::unknown_format(format)
            )));
        }
        let secret = self.secret.as_ref().map(|name| {
            // not echoed: it may be a key
            let id = KeyId::parse(name).ok_or_else(|| not_a_name("--secret"));
            id.map(|_| name.clone())
        });
        let key = self.key_file.as_ref().map(|path| key_in(path));
        Ok(Choices {
            cookies: self.cookie.clone(),
            wrapped: self.wrap.clone(),
            wanted: Wanted {
                format: self.format.clone(),
                options: self.option.iter().cloned().collect::<Map<_, _>>(),
            },
            key: key.transpose()?,
            secret: secret.transpose()?,
            worker: self.worker.clone(),
            folder: self.folder.clone(),
        })
    }
}

fn key_in(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let key = text_of(path, "--key-file")?;
    if key.trim().is_empty() {
        let shown = path.display();
        return Err(Failure::usage(format!(
            "--key-file: {shown}: there is no key in it"
        )));
    }
    Ok(key)
}

fn chosen_folder(choices: &Choices, asking: &mut dyn Asking) -> Result<PathBuf, Failure> {
    if let Some(folder) = &choices.folder {
        let files = release::release_files("")?;
        folder::refuse_to_overwrite(folder, files.iter().map(|file| file.path).chain(WRITTEN))?;
        return Ok(folder.clone());
    }
    let here = PathBuf::from(".");
    if !folder::is_in_use(&here) {
        return Ok(here);
    }
    if !asking.is_person() {
        return Err(
            Failure::refused("this folder is not empty").hint("name a new one: --folder NAME")
        );
    }
    loop {
        let question = Question {
            text: "This folder is not empty. The name of a new one for the Worker? [countersign]",
            option: "--folder NAME",
        };
        let answer = asking.ask(question)?;
        let folder = PathBuf::from(if answer.is_empty() {
            "countersign"
        } else {
            &answer
        });
        if !folder::is_in_use(&folder) {
            return Ok(folder);
        }
        asking.say(&format!("{} is not empty either\n", folder.display()));
    }
}

fn has_suggested(found: &[FoundCookie]) -> bool {
    let mut suggestions = found.iter().map(FoundCookie::suggestion);
    suggestions.any(|suggestion| suggestion == Suggestion::Manage)
}

/// What is written beside the release's files.
const WRITTEN: [&str; 2] = ["wrangler.toml", ".dev.vars"];

/// The plan, and the names of the cookies that a key was proved against.
fn planned(
    site: Option<Url>,
    found: &[FoundCookie],
    choices: &Choices,
    folder: &Path,
    is_https: bool,
    asking: &mut dyn Asking,
) -> Result<(Plan, Vec<String>), Failure> {
    let chosen = choosing::choose(found, choices, asking)?;
    if chosen.signed.is_empty() && chosen.unsigned.is_empty() {
        return Err(outcome::nothing_to_manage(found));
    }
    let mut ring = ring::ring(&chosen, choices, is_https, asking)?;
    if ring.keys.is_empty() {
        ring.keys.push(new_key(choices)?);
    }
    let unsigned = chosen.unsigned.iter();
    ring.rules
        .extend(unsigned.map(|cookie| rules::unsigned_rule(cookie, is_https)));
    let folder_name = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let folder_name = folder_name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let usual = choices::worker_name(site.as_ref(), &folder_name);
    let plan = Plan {
        worker: choices.worker.clone().unwrap_or(usual),
        site,
        keys: ring.keys,
        rules: ring.rules,
    };
    Ok((plan, ring.proved))
}

/// A key of the ring's own, for a site that signs nothing.
fn new_key(choices: &Choices) -> Result<PlannedKey, Failure> {
    let usual = format!("KEY_{}", time::day(clock::now()));
    Ok(PlannedKey {
        secret: choices.secret.clone().unwrap_or(usual),
        encoding: None,
        text: Some(make(KeyShape::Hex(32))?),
    })
}

/// What the Worker would refuse of a plan.
fn refused(problems: &[String]) -> Failure {
    let [first, others @ ..] = problems else {
        return Failure::refused("the configuration would be refused");
    };
    let failure = Failure::refused(format!("the Worker would refuse this: {first}"));
    let failure = others
        .iter()
        .fold(failure, |failure, problem| failure.hint(problem.as_str()));
    failure.hint("manage fewer cookies: --cookie NAME for each")
}

/// Writes the folder; answers what is in it.
fn written(plan: &Plan, folder: &Path) -> Result<Vec<String>, Failure> {
    let token = make(KeyShape::Hex(32))?;
    let secrets = writing::dev_vars(plan, &token)?;
    let mut files: Vec<NewFile> = release::release_files(&plan.worker)?
        .into_iter()
        .map(|file| NewFile {
            path: file.path.to_owned(),
            bytes: Zeroizing::new(file.bytes),
            is_secret: false,
        })
        .collect();
    let text = writing::wrangler_toml(plan).into_bytes();
    files.push(NewFile {
        path: WRITTEN[0].to_owned(),
        bytes: Zeroizing::new(text),
        is_secret: false,
    });
    files.push(NewFile {
        path: WRITTEN[1].to_owned(),
        bytes: Zeroizing::new(secrets.as_bytes().to_vec()),
        is_secret: true,
    });
    folder::write(folder, &files)?;
    Ok(files.into_iter().map(|file| file.path).collect())
}
