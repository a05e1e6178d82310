//! One run of a command that changes: what is live is asked once, the change is held against it, written, and
//! deployed where that is asked for.

use std::cell::{Cell, OnceCell};

use countersign_core::operations::capabilities::Capabilities;

use crate::project::config::Environment;
use crate::project::git;
use crate::remote::deploy::{self, Rollout};
use crate::remote::live::LiveWorker;
use crate::remote::{skew, wrangler};
use crate::rotation::baseline::{Baseline, live_worker};
use crate::rotation::change::{Change, ended, logins_line};
use crate::rotation::editing::Draft;
use crate::rotation::options::ChangeOptions;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::interrupt;
use crate::terminal::progress::{begin, print_beside};
use crate::terminal::time;

/// One run.
pub struct Run<'c> {
    /// What the command was told.
    pub options: &'c ChangeOptions,
    /// The environment whose configuration is edited.
    pub environment: Environment<'c>,
    /// What is live, once it has been asked for.
    baseline: OnceCell<Baseline>,
    /// Whether the time has decided something.
    is_timed: Cell<bool>,
}

/// Runs a command with the configuration that the options name. What this machine alone can say against a
/// deployment is said before anybody else is asked.
///
/// # Errors
/// The configuration cannot be read, or nothing could be deployed from here; or those of the command.
pub fn run<T, E>(
    options: &ChangeOptions,
    command: impl FnOnce(&Run<'_>, Draft) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<Failure>,
{
    look(options, |run, draft| {
        if options.deploy && !options.dry_run {
            run.live_worker()?;
            run.refuse_undeployable()?;
        }
        command(run, draft)
    })
}

/// The same for one that looks first whether there is anything to deploy.
///
/// # Errors
/// The configuration cannot be read; or those of the command.
pub fn look<T, E>(
    options: &ChangeOptions,
    command: impl FnOnce(&Run<'_>, Draft) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<Failure>,
{
    // Ctrl-C ends no change in the middle
    let _guarded = (!options.dry_run).then(interrupt::guard);
    let config = options.worker.file.read()?;
    if options.deploy {
        config.refuse_another_choice()?;
    }
    let run = Run {
        options,
        environment: options.worker.environment(&config)?,
        baseline: OnceCell::new(),
        is_timed: Cell::new(false),
    };
    let draft = Draft::open(&run.environment)?;
    command(&run, draft)
}

impl Run<'_> {
    /// What a command for the same environment needs behind it, as of [`Environment::option`].
    pub fn option(&self) -> String {
        self.environment.option()
    }

    /// Refuses where this machine cannot commit or upload.
    ///
    /// # Errors
    /// There is no wrangler, the tree has changes, or git would not commit.
    pub fn refuse_undeployable(&self) -> Result<(), Failure> {
        let config = self.environment.config();
        wrangler::refuse_missing(&self.environment)?;
        git::refuse_dirty(config)?;
        git::refuse_uncommittable(config)
    }

    /// What is live. It is asked for once.
    ///
    /// # Errors
    /// It cannot be had, or is wrong.
    pub fn baseline(&self) -> Result<&Baseline, Failure> {
        if let Some(baseline) = self.baseline.get() {
            return Ok(baseline);
        }
        let baseline = Baseline::read(self.options, &self.environment)?;
        Ok(self.baseline.get_or_init(|| baseline))
    }

    /// The present in Unix seconds, for what depends on it: by the clock of the live Worker.
    ///
    /// # Errors
    /// It cannot be asked, or this machine's clock differs from it by more than five minutes.
    pub fn now(&self) -> Result<u64, Failure> {
        let baseline = self.baseline()?;
        self.is_timed.set(true);
        match &baseline.skew {
            Some(skew) => Err(skew::refused(skew)),
            None => Ok(baseline.now),
        }
    }

    /// What there is to say of the clock: that it is this machine's where that has decided something, or that it
    /// is wrong, where the step goes on all the same.
    pub fn clock_note(&self) -> Option<String> {
        let baseline = self.baseline.get()?;
        if baseline.is_live || !self.is_timed.get() {
            return baseline.skew.clone();
        }
        let option = if self.options.offline {
            "--offline"
        } else {
            "--against"
        };
        let now = time::moment(baseline.now);
        Some(format!(
            "the time is that of this machine, {now}: {option} asks no Worker"
        ))
    }

    /// The live Worker.
    ///
    /// # Errors
    /// As [`LiveWorker::new`].
    pub fn live_worker(&self) -> Result<LiveWorker, Failure> {
        live_worker(self.options, &self.environment)
    }

    /// Refuses while two versions have traffic.
    ///
    /// # Errors
    /// They do, or nothing is deployed, or wrangler does not say.
    pub fn refuse_gradual(&self) -> Result<(), Failure> {
        deploy::deployed(&self.environment).map(drop)
    }

    /// Compares, writes, and deploys; says what it did.
    ///
    /// # Errors
    /// The change would do harm, or somebody does not do what they are asked. What has been done by then
    /// is said in the error.
    pub fn carry_out(&self, mut change: Change) -> Result<Answer, Failure> {
        change.draft.update_required()?;
        let baseline = self.baseline()?;
        let after = change.draft.capabilities()?;
        let mut ends = Vec::new();
        if change.revokes.is_some() {
            ends = ended(baseline, &after);
            if let Some(logins) = change.logins.as_deref().filter(|_| !self.options.dry_run) {
                print_beside(&logins_line(logins)); // before it acts
            }
        } else {
            if baseline.is_live {
                self.now()?;
            }
            change.refuse_losses(baseline, &after)?;
        }
        change.notes.extend(self.clock_note());
        let text = change.describe(self.environment.config(), &ends);
        Ok(Answer::success(text + &self.write(&change, after)?))
    }

    /// Writes and deploys, or shows what would be done; says what comes next.
    fn write(&self, change: &Change, after: Capabilities) -> Result<String, Failure> {
        match (self.options.deploy, self.options.dry_run) {
            (false, true) => Ok(change.next_commands(&self.environment)),
            (false, false) => {
                change.draft.save()?;
                Ok(change.next_commands(&self.environment))
            }
            (true, true) => {
                let commands = self.rollout(change, after)?.typed();
                if !change.is_edited() {
                    return Ok(commands);
                }
                let commit = git::typed(self.environment.config(), &change.message);
                Ok(format!("{commit}\n{commands}"))
            }
            (true, false) => {
                let version = self.deploy(change, &self.rollout(change, after)?)?;
                Ok(format!("deployed {version}\n"))
            }
        }
    }

    /// Commits and deploys; answers the version. What can be refused is refused before the commit.
    fn deploy(&self, change: &Change, rollout: &Rollout<'_>) -> Result<String, Failure> {
        let config = self.environment.config();
        git::refuse_dirty(config)?;
        let old = rollout.replaces()?;
        if !change.is_edited() {
            return rollout.run(old.as_deref()).map_err(|error| error.failure);
        }
        let message = &change.message;
        begin("committing");
        change.draft.save()?;
        git::commit(config, message, change.draft.before())?;
        rollout.run(old.as_deref()).map_err(|error| {
            error.failure.hint(match error.is_deployed {
                Some(true) => format!("the commit {message:?} is made and deployed: keep it"),
                None => format!("the commit {message:?} is made: run the command again"),
                Some(false) => format!("the commit {message:?} is made and not live: run the command again, or take it back with git revert"),
            })
        })
    }

    fn rollout<'r>(
        &'r self,
        change: &'r Change,
        expected: Capabilities,
    ) -> Result<Rollout<'r>, Failure> {
        let mut cookies = Vec::new();
        if let Some(file) = &self.options.test_cookie {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::usage(format!("{file} cannot be read: {error}")))?;
            cookies.push(text.trim().to_owned());
        }
        cookies.extend(change.cookie.clone());
        Ok(Rollout {
            environment: &self.environment,
            live: self.live_worker()?,
            message: &change.message,
            secret: change.secret.as_ref(),
            cookies,
            expected,
            revokes: change.revokes.as_deref(),
        })
    }
}
