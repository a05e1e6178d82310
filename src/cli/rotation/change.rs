//! A step of a key's life: the edited configuration is held against what is live, written, and deployed where
//! that is asked for.

use std::cell::{Cell, OnceCell};

use clap::Args;
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::{Note, losses, notes};

use crate::project::config::{Config, Environment};
use crate::project::difference;
use crate::project::git;
use crate::project::options::Which;
use crate::remote::deploy::{NewSecret, Rollout};
use crate::remote::live::{self, Live};
use crate::remote::skew;
use crate::remote::wrangler::typed;
use crate::rotation::editing::Draft;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::clock;
use crate::terminal::style::{HINT, STRONG, WARNING, styled};
use crate::terminal::time;

/// What every such command may be told.
#[derive(Args)]
pub struct Where {
    /// The environment whose configuration is edited [default: the top level]
    #[arg(long, value_name = "ENV")]
    env: Option<String>,

    /// Deploy as well: from a clean tree, a version that is tried before it gets traffic
    #[arg(long)]
    deploy: bool,

    /// Show what would be done, with the exact commands, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// The site of the live Worker [default: the host of the first route]
    #[arg(
        long,
        value_name = "URL",
        env = "COUNTERSIGN_URL",
        hide_env_values = true
    )]
    url: Option<String>,

    /// Take this file for what is live, and do not ask
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    against: Option<String>,

    /// Take wrangler.toml as it is now for what is live, and do not ask
    #[arg(long)]
    offline: bool,

    /// A file with a cookie, NAME=VALUE, that the new version has to open before it gets traffic
    #[arg(long, value_name = "FILE", requires = "deploy")]
    test_cookie: Option<String>,

    #[command(flatten)]
    which: Which,

    /// What is live, once it has been asked for.
    #[arg(skip)]
    before: OnceCell<Before>,

    /// Whether the time has decided something.
    #[arg(skip)]
    is_timed: Cell<bool>,
}

/// What is live.
#[derive(Clone)]
pub struct Before {
    /// What it seals and opens.
    pub capabilities: Capabilities,
    /// Where that is known from.
    pub from: String,
    /// The present in Unix seconds: by the live Worker's clock, or by this machine's where it was not asked.
    pub now: u64,
    /// Whether the live Worker was asked.
    pub is_live: bool,
    /// By how much this machine's clock is wrong.
    skew: Option<String>,
}

impl Before {
    /// What a file says is live, by this machine's clock.
    fn of_file(capabilities: Capabilities, from: String) -> Self {
        Self {
            capabilities,
            from,
            now: clock::now(),
            is_live: false,
            skew: None,
        }
    }

    fn ask(live: &Live) -> Result<Self, Failure> {
        let status = live.status()?;
        let now = skew::now(&status, live.site())?;
        Ok(Self {
            capabilities: live::capabilities(&status, live.site())?,
            from: live.site().to_owned(),
            now,
            is_live: true,
            skew: skew::difference(now, clock::now(), live.site()),
        })
    }
}

/// A step.
pub struct Change {
    /// The edited configuration.
    pub draft: Draft,
    /// Says what it does: the commit's message.
    pub message: String,
    /// What there is to say beside it.
    pub notes: Vec<String>,
    /// What to do first, where it cannot be done with what is live.
    pub first: String,
    /// The key that it revokes: it goes to all traffic at once, and may end sessions.
    pub revokes: Option<String>,
    /// A new secret that goes with it.
    pub secret: Option<NewSecret>,
    /// A cookie that it has to open.
    pub cookie: Option<String>,
}

impl Where {
    /// The file.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn config(&self) -> Result<Config, Failure> {
        Config::read(self.which.config.as_deref())
    }

    /// The environment that is meant.
    ///
    /// # Errors
    /// It is not there.
    pub fn environment<'c>(&self, config: &'c Config) -> Result<Environment<'c>, Failure> {
        config.one(self.env.as_deref())
    }

    /// What a command for the same environment needs behind it, as of [`Environment::option`].
    pub fn option(&self) -> String {
        let name = self.env.as_deref();
        name.map_or(String::new(), |name| format!(" --env {name}"))
    }

    /// Whether it is to be deployed.
    pub fn deploys(&self) -> bool {
        self.deploy
    }

    /// What is live. It is asked for once.
    ///
    /// # Errors
    /// It cannot be had, or is wrong.
    pub fn before(&self, environment: &Environment<'_>) -> Result<&Before, Failure> {
        match self.before.get() {
            Some(before) => Ok(before),
            None => {
                let before = self.ask(environment)?;
                Ok(self.before.get_or_init(|| before))
            }
        }
    }

    fn ask(&self, environment: &Environment<'_>) -> Result<Before, Failure> {
        if let Some(file) = &self.against {
            let config = Config::read(Some(file.as_ref()))?;
            let other = config.one(self.env.as_deref())?;
            let capabilities = Draft::open(&other)?.capabilities()?;
            return Ok(Before::of_file(capabilities, file.clone()));
        }
        if self.offline {
            let capabilities = Draft::open(environment)?.capabilities()?;
            let from = format!("{} as it is", environment.config().file_name());
            return Ok(Before::of_file(capabilities, from));
        }
        Before::ask(&self.live(environment)?)
    }

    /// The present in Unix seconds, for what depends on it: by the clock of the live Worker.
    ///
    /// # Errors
    /// It cannot be asked, or this machine's clock differs from it by more than five minutes.
    pub fn now(&self, environment: &Environment<'_>) -> Result<u64, Failure> {
        let before = self.before(environment)?;
        self.is_timed.set(true);
        match &before.skew {
            Some(skew) => Err(Failure::refused(skew.clone()).hint(skew::CURE)),
            None => Ok(before.now),
        }
    }

    /// What there is to say of the clock: that it is this machine's where that has decided something, or that it
    /// is wrong, where the step goes on all the same.
    pub fn clock_note(&self) -> Option<String> {
        let before = self.before.get()?;
        let option = if self.offline {
            "--offline"
        } else {
            "--against"
        };
        let is_local = !before.is_live && self.is_timed.get();
        let local = is_local.then(|| {
            let now = time::moment(before.now);
            format!("the time is that of this machine, {now}: {option} asks no Worker")
        });
        local.or_else(|| before.skew.clone())
    }

    /// The live Worker.
    ///
    /// # Errors
    /// As [`Live::of`].
    pub fn live(&self, environment: &Environment<'_>) -> Result<Live, Failure> {
        Live::of(self.url.as_deref(), Some(environment)).map_err(|failure| match self.deploy {
            true => failure,
            false => failure.hint(
                "or say what is live: --against FILE, or --offline for wrangler.toml as it is",
            ),
        })
    }

    /// Compares, writes, and deploys; says what it did.
    ///
    /// # Errors
    /// The change would do harm, or somebody does not do what they are asked. What has been done by then
    /// is said in the error.
    pub fn carry_out(
        &self,
        environment: &Environment<'_>,
        mut change: Change,
    ) -> Result<Answer, Failure> {
        let before = self.before(environment)?;
        let after = change.draft.capabilities()?;
        let ends = match &change.revokes {
            None => {
                if before.is_live {
                    self.now(environment)?;
                }
                refuse_losses(before, &after, &change.first).map(|()| String::new())?
            }
            Some(_) => ended(before, &after),
        };
        change.notes.extend(self.clock_note());
        let text = change.described(environment.config(), &ends);
        let done = match (self.deploy, self.dry_run) {
            (false, false) => change.draft.save().map(|()| change.next(environment))?,
            (false, true) => change.next(environment),
            (true, true) => {
                let rollout = self.rollout(environment, &change, after)?;
                let commit = format!("{}\n", git::shown(environment.config(), &change.message));
                let commit = Some(commit).filter(|_| change.is_edited());
                commit.unwrap_or_default() + &rollout.shown()
            }
            (true, false) => {
                let rollout = self.rollout(environment, &change, after)?;
                format!(
                    "deployed {}\n",
                    change.deploy(environment.config(), &rollout)?
                )
            }
        };
        Ok(Answer::fine(text + &done))
    }

    fn rollout<'r>(
        &self,
        environment: &'r Environment<'_>,
        change: &'r Change,
        expected: Capabilities,
    ) -> Result<Rollout<'r>, Failure> {
        let given = self.test_cookie.as_ref().map(|file| {
            std::fs::read_to_string(file)
                .map_err(|error| Failure::usage(format!("{file} cannot be read: {error}")))
        });
        let given = given.transpose()?;
        let cookies = given
            .iter()
            .chain(&change.cookie)
            .map(|cookie| cookie.trim().to_owned());
        Ok(Rollout {
            environment,
            live: self.live(environment)?,
            message: &change.message,
            secret: change.secret.as_ref(),
            cookies: cookies.collect(),
            expected,
            revokes: change.revokes.as_deref(),
        })
    }
}

impl Change {
    fn is_edited(&self) -> bool {
        self.draft.text() != self.draft.before()
    }

    /// The lines that change, what ends, and what else there is to say.
    fn described(&self, config: &Config, ends: &str) -> String {
        let mut text = String::new();
        if self.is_edited() {
            let lines = difference::lines(self.draft.before(), &self.draft.text());
            text = format!("{}\n{lines}", styled(STRONG, config.path.display()));
        }
        text.push_str(ends);
        for note in &self.notes {
            text.push_str(&format!("{} {note}\n", styled(WARNING, "note:")));
        }
        text
    }

    /// What the operator does with the edited file.
    fn next(&self, environment: &Environment<'_>) -> String {
        let commit = git::shown(environment.config(), &self.message);
        let commands = [commit, typed(environment, &["deploy"])];
        let lines = commands.map(|command| format!("{} {command}\n", styled(HINT, "next:")));
        lines.concat()
    }

    /// Commits and deploys; answers the version. What can be refused is refused before the commit.
    fn deploy(&self, config: &Config, rollout: &Rollout<'_>) -> Result<String, Failure> {
        git::refuse_dirty(config)?;
        let old = rollout.replaces()?;
        if !self.is_edited() {
            return rollout.run(old.as_deref());
        }
        self.draft.save()?;
        git::commit(config, &self.message)?;
        let message = &self.message;
        rollout.run(old.as_deref()).map_err(|failure| {
            failure.hint(format!("the commit {message:?} is made and not live: run the command again, or take it back with git revert"))
        })
    }
}

/// Refuses what would end sessions while both are live.
///
/// # Errors
/// One seals what the other does not open.
pub fn refuse_losses(before: &Before, after: &Capabilities, first: &str) -> Result<(), Failure> {
    let now = before.now;
    let forth = losses(&before.capabilities, after, now);
    let back = losses(after, &before.capabilities, now);
    if forth.is_empty() && back.is_empty() {
        return Ok(());
    }
    let forth = forth
        .iter()
        .map(|loss| format!("\n  lost by the change: {loss}"));
    let back = back
        .iter()
        .map(|loss| format!("\n  lost by rolling back: {loss}"));
    let lost: String = forth.chain(back).collect();
    Err(Failure::refused(format!(
        "sessions would be lost; what is live is {}{lost}",
        before.from
    ))
    .hint(first))
}

/// What a revocation ends.
fn ended(before: &Before, after: &Capabilities) -> String {
    let now = before.now;
    let lost = losses(&before.capabilities, after, now)
        .into_iter()
        .map(|loss| loss.to_string());
    let noted = notes(&before.capabilities, after, now)
        .into_iter()
        .filter(|note| !matches!(note, Note::Opens { .. }))
        .map(|note| note.to_string());
    let lines = lost
        .chain(noted)
        .map(|line| format!("{} {line}\n", styled(WARNING, "ends:")));
    lines.collect()
}
