//! `countersign rotate`: one step of a rotation a run, if it is due: for cron and CI.

use std::collections::BTreeSet;
use std::env;

use clap::Args;
use countersign_core::config::written::Written;
use countersign_core::operations::status::TOKEN;

use crate::commands::promote::PromoteArguments;
use crate::commands::retire::RetireArguments;
use crate::commands::stage::StageArguments;
use crate::project::config::Environment;
use crate::project::git;
use crate::project::options::WorkerOptions;
use crate::remote::{skew, wrangler};
use crate::rotation::editing::{Draft, Ring};
use crate::rotation::key_or_format::KeyOrFormatArguments;
use crate::rotation::options::ChangeOptions;
use crate::rotation::revocation::KeyReplacement;
use crate::rotation::run::{self, Run};
use crate::rotation::{grace, history};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::progress::begin;
use crate::terminal::style::{STRONG, styled};
use crate::terminal::time::{self, from_now, moment};

mod decision;
mod early;
mod stop;
mod uses;

use decision::{Decision, Facts, Planned, PlannedStep, decide};
use stop::Stop;

/// Take the next step of a rotation if it is due, and deploy it: for cron and CI
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct RotateArguments {
    /// How long a key is current before the next one is staged
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = interval)]
    every: u64,

    /// How long the key before still opens [default: the longest max_age of its rules]
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    grace: Option<u64>,

    /// Retire a key before its `until` once the ledger shows no use for 14 days
    #[arg(long)]
    early: bool,

    /// Show what would be done, with the exact commands, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// A file with a cookie, NAME=VALUE, that each new version has to open before it gets traffic
    #[arg(long, value_name = "FILE")]
    test_cookie: Option<String>,

    #[command(flatten)]
    worker: WorkerOptions,
}

const AFTER_HELP: &str = "\
Examples:
  countersign rotate --every 90d             once a day, from cron or CI; then git push
  countersign rotate --every 90d --dry-run   what it would do now

A run takes at most one step, as the command of that name takes it with --deploy:
  promote   a key that has been staged for an hour
  retire    a key whose `until` is past
  clean up  secrets that were keys of the ring and that nothing names any more
  stage     a new key, KEY_ and the date, once the current one is older than --every
The age of a key comes from the history of wrangler.toml in git, which has to be complete.

Where the live Worker has a ledger, each run says what that knows of the old keys. With --early
it also goes by it: a visitor who has stayed away for longer than 14 days then logs in again. The
ledger has to have been there since the key was replaced, without a day on which it counted
nothing, and most upgrades must have been sent.

It stops at what it would not have left behind: changes that are not committed, a live Worker that
differs from what is committed, a gradual deployment, a fallback without `until`, several staged
keys, a revocation of the last day.

Exit codes:
  0  a step is done, or nothing is due
  1  stopped: something is unusual, and a person has to look
  2  the command line is wrong, or a file cannot be read
  3  git, wrangler, Cloudflare or the live Worker did not do what they were asked";

impl RotateArguments {
    /// Takes the step that is due.
    pub fn run(self) -> Result<Answer, Failure> {
        let options = ChangeOptions {
            worker: self.worker,
            deploy: true,
            dry_run: self.dry_run,
            against: None,
            offline: false,
            test_cookie: self.test_cookie,
        };
        let plan = Plan {
            every: self.every,
            grace: self.grace,
            retires_early: self.early,
        };
        let (outcome, option) = run::look(&options, |run, draft| {
            Ok::<_, Failure>((decision(run, &draft, &plan)?, run.option()))
        })?;
        let done = carry_out(outcome.decision, outcome.now, &option, self.grace, options)?;
        Ok(Answer::success(done.text + &outcome.ledger_lines))
    }
}

/// A day at least: a run a day takes one step.
fn interval(text: &str) -> Result<u64, String> {
    match time::duration(text)? {
        seconds if seconds < 86_400 => Err("write a day or more, such as 90d".to_owned()),
        seconds => Ok(seconds),
    }
}

/// What the command line asks for.
struct Plan {
    /// In seconds.
    every: u64,
    grace: Option<u64>,
    retires_early: bool,
}

/// What is to be done, and what there is to say beside it.
struct Outcome {
    decision: Decision,
    now: u64,
    /// What the ledger says; empty where there is none.
    ledger_lines: String,
}

/// Asks git, the live Worker and wrangler, and decides.
fn decision(run: &Run<'_>, draft: &Draft, plan: &Plan) -> Result<Outcome, Failure> {
    let environment = &run.environment;
    let stopped = |stop: Stop| stop.into_failure(&run.option());
    let history = history::read(environment).ok_or_else(|| stopped(Stop::NoHistory))?;
    if git::is_shallow(environment.config()) {
        return Err(stopped(Stop::ShallowHistory));
    }
    if run.options.dry_run {
        git::refuse_dirty(environment.config())?;
    } else {
        run.refuse_undeployable()?;
    }
    refuse_endless(draft, plan.grace)?;
    let live = run.live_worker().map_err(|failure| match env::var(TOKEN) {
        Ok(_) => failure,
        Err(_) => failure.into_refusal(), // a job without its secrets
    })?;
    begin(&format!("asking {}", live.site()));
    let status = live.status()?;
    let capabilities = status.capabilities(live.site())?;
    let now = skew::agreed(&status, live.site())?;
    run.refuse_gradual()?;
    let ledger = live.ledger_or_silence();
    let written = draft.value();
    let decision = decide(&Facts {
        written: &written,
        live: &status.fields.configuration,
        capabilities: &capabilities,
        history: &history,
        new_bytes: &KeyReplacement::recorded(environment),
        secrets: &wrangler::secrets(environment)?,
        elsewhere: &named_elsewhere(environment),
        now,
        every: plan.every,
        ledger: uses::known(&ledger),
        retires_early: plan.retires_early,
    });
    Ok(Outcome {
        decision,
        now,
        ledger_lines: uses::lines(&ledger, &written, now),
    })
}

/// Refuses before the first step where it is not known when the last one may be taken.
fn refuse_endless(draft: &Draft, grace: Option<u64>) -> Result<(), Failure> {
    let policy = draft.policy()?;
    for rule in draft.rings() {
        let ring = rule.as_deref().map_or(Ring::Shared, Ring::Of);
        let rules = draft.rules(ring);
        if !rules.is_empty() {
            grace::seconds(grace, &policy, &rules)?;
        }
    }
    Ok(())
}

/// The secrets that the other environments of the file name.
fn named_elsewhere(environment: &Environment<'_>) -> BTreeSet<String> {
    let others = environment.config().environments().into_iter();
    let others = others.filter(|other| other.name != environment.name);
    let named = others
        .filter_map(|other| other.countersign())
        .flat_map(|value| Written::of(&value).secrets());
    named.map(|named| named.id.to_string()).collect()
}

/// Takes the step as the command of its name does: all that it refuses is refused here as well. `option` goes behind
/// commands that are to be typed.
fn carry_out(
    decision: Decision,
    now: u64,
    option: &str,
    grace: Option<u64>,
    options: ChangeOptions,
) -> Result<Answer, Failure> {
    let key_of = KeyOrFormatArguments::of_key;
    let (why, done) = match decision {
        Decision::Nothing(next) => {
            let text = format!("nothing is due; next: {}\n", upcoming(&next, now));
            return Ok(Answer::success(text));
        }
        Decision::Stop(stop) => return Err(stop.into_failure(option)),
        Decision::Stage {
            key,
            rule,
            current,
            since,
        } => (
            format!(
                "stage {key}: {current} has been current since {}",
                moment(since)
            ),
            StageArguments::of_key(key_of(key, rule), options).run()?,
        ),
        Decision::Promote { key, rule, since } => (
            format!("promote {key}: it has been staged since {}", moment(since)),
            PromoteArguments::of_key(key_of(key, rule), grace, options).run()?,
        ),
        Decision::Retire { key, rule, until } => (
            format!(
                "retire {key}: it has opened nothing since {}",
                moment(until)
            ),
            RetireArguments::of_ended(key_of(key, rule), options).run()?,
        ),
        Decision::RetireEarly {
            key,
            rule,
            until,
            unused,
        } => (
            format!("retire {key} before {}: it {unused}", moment(until)),
            RetireArguments::of_unused(key_of(key, rule), unused.days, options).run()?,
        ),
        Decision::CleanUp(secrets) => (
            format!("clean up {}: nothing names it any more", secrets.join(", ")),
            run::run(&options, |run, _| clean_up(run, &secrets))?,
        ),
    };
    let due = format!("{} {why}\n", styled(STRONG, "due:"));
    Ok(Answer::success(due + &done.text))
}

fn clean_up(run: &Run<'_>, secrets: &[String]) -> Result<Answer, Failure> {
    let mut text = String::new();
    for secret in secrets {
        let words = ["secret", "delete", secret];
        if run.options.dry_run {
            text.push_str(&wrangler::typed(&run.environment, &words));
        } else {
            begin(&format!("deleting the secret {secret}"));
            let deleted = wrangler::run(&run.environment, &words, None);
            deleted.map_err(|error| {
                let failure = Failure::from(error);
                if text.is_empty() {
                    failure
                } else {
                    failure.hint(format!("done before: {}", text.trim().replace('\n', ", ")))
                }
            })?;
            text.push_str(&format!("deleted the secret {secret}"));
        }
        text.push('\n');
    }
    Ok(Answer::success(text))
}

fn upcoming(next: &Planned, now: u64) -> String {
    let what = match &next.step {
        PlannedStep::Promote { key, .. } => format!("promote {key}"),
        PlannedStep::Retire { key } | PlannedStep::RetireEarly { key, .. } => {
            format!("retire {key}")
        }
        PlannedStep::Stage { current, .. } => format!("stage a key after {current}"),
    };
    let rule = next.rule.as_ref();
    let rule = rule.map_or(String::new(), |rule| format!(" of {rule}"));
    let from = next.from;
    format!(
        "{what}{rule}, from {} on, {}",
        moment(from),
        from_now(from, now)
    )
}
