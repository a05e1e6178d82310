//! `countersign report`: the evidence that a key has opened nothing since a date, for who has to prove it.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::commands::board::facts::{Facts, LedgerFacts};
use crate::commands::board::source::Source;
use crate::project::file::cause;
use crate::project::options::WorkerOptions;
use crate::remote::ledger::Ledger;
use crate::rotation::key_or_format::read_key;
use crate::terminal::answer::{Answer, Exit, Failure};
use crate::terminal::time;

mod entries;
mod evidence;
mod html;
mod text;

use evidence::Evidence;

/// Prove which keys have opened nothing since a date: as text, one HTML file, JSON or CSV
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ReportArguments {
    /// Write one HTML file, which loads nothing and can be printed
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Answer in JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Answer with the ledger's entries as CSV
    #[arg(long)]
    csv: bool,

    /// From when on uses count, such as 2026-11-30 [default: when the ledger began]
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<u64>,

    /// One key: exits with 1 if it has opened a cookie since, or if that is not known
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    #[command(flatten)]
    worker: WorkerOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign report --html report.html
  countersign report --key KEY_2026_05 --since 2026-11-30
  countersign report --csv --since 2026-11-01 > uses.csv

Exit codes:
  0  done; with --key: it has opened nothing since
  1  with --key: it has opened a cookie since, or that is not known; or there is no ledger
  2  the command line is wrong, or a file cannot be read or written
  3  the Worker or its ledger did not answer";

/// A day in UTC, or a moment as a configuration writes it.
fn date(text: &str) -> Result<u64, String> {
    let moment = time::read(text).or_else(|| time::read(&format!("{text}T00:00:00Z")));
    moment.ok_or_else(|| "write a day such as 2026-11-30, or 2026-11-30T12:00:00Z".to_owned())
}

impl ReportArguments {
    /// Asks the live Worker and its ledger.
    pub fn run(self) -> Result<Answer, Failure> {
        let key = self.key.as_deref().map(read_key).transpose()?;
        let facts = Source::new(self.worker)?.ask()?;
        let ledger = known(&facts)?;
        if self.since.is_some_and(|since| since > facts.now) {
            return Err(Failure::usage("--since: that is yet to come"));
        }
        let key = key.as_ref().map(|key| key.as_str());
        let evidence = Evidence::of(&facts, ledger, self.since, key);
        let mut answer = if self.json {
            format!("{:#}\n", serde_json::json!(evidence))
        } else if self.csv {
            entries::csv(ledger, &evidence, key)
        } else {
            text::drawn(&evidence)
        };
        if let Some(path) = &self.html {
            let page = html::page(&facts, ledger, &evidence);
            fs::write(path, page).map_err(|error| {
                let shown = path.display();
                Failure::usage(format!("{shown} cannot be written: {}", cause(&error)))
            })?;
            if !self.json && !self.csv {
                answer.push_str(&format!("\nwritten to {}\n", path.display()));
            }
        }
        let is_proved = key.is_none() || evidence.keys.iter().all(|key| key.finding.is_clean());
        Ok(Answer {
            text: answer,
            exit: if is_proved {
                Exit::Success
            } else {
                Exit::Problems
            },
        })
    }
}

fn known(facts: &Facts) -> Result<&Ledger, Failure> {
    match &facts.ledger {
        LedgerFacts::Known(ledger) => Ok(ledger),
        LedgerFacts::Silent(why) => Err(Failure::unreachable(format!(
            "the ledger of {} does not answer: {why}",
            facts.site
        ))),
        LedgerFacts::Unbound => Err(Failure::refused(format!(
            "{} has no ledger, so nobody knows what its keys have opened",
            facts.site
        ))
        .hint("bind a Durable Object LEDGER in wrangler.toml: countersign dashboard shows how")),
    }
}
