//! Asks for what is known: the live Worker, its ledger, and git, which is asked for its history only when that grows.

use crate::commands::board::facts::{Facts, LedgerFacts};
use crate::project::config::Environment;
use crate::project::git;
use crate::project::options::WorkerOptions;
use crate::remote::ledger::LedgerReply;
use crate::remote::live::LiveWorker;
use crate::remote::skew;
use crate::rotation::history::{self, Revision};
use crate::rotation::revocation::KeyReplacement;
use crate::terminal::answer::Failure;
use crate::terminal::clock;

/// Where the facts come from.
pub struct Source {
    options: WorkerOptions,
    live: LiveWorker,
    history: Option<CachedHistory>,
}

/// A history, and by which commit it is known to be the newest.
struct CachedHistory {
    newest: String,
    revisions: Option<Vec<Revision>>,
}

impl Source {
    /// Nobody is asked yet.
    ///
    /// # Errors
    /// There is no site or no token, or wrangler.toml cannot be read.
    pub fn new(options: WorkerOptions) -> Result<Self, Failure> {
        let config = options.optional_config()?;
        let environment = config.as_ref().map(|config| options.environment(config));
        let environment = environment.transpose()?;
        let live = LiveWorker::new(options.url.as_deref(), environment.as_ref())?;
        Ok(Self {
            options,
            live,
            history: None,
        })
    }

    /// The site that is asked.
    pub fn site(&self) -> &str {
        self.live.site()
    }

    /// Asks.
    ///
    /// # Errors
    /// The Worker does not answer, or wrangler.toml cannot be read any more.
    pub fn ask(&mut self) -> Result<Facts, Failure> {
        let status = self.live.status()?;
        let now = skew::now(&status, self.live.site())?;
        let config = self.options.optional_config()?;
        let environment = config
            .as_ref()
            .map(|config| self.options.environment(config));
        let environment = environment.transpose()?;
        if let Some(environment) = &environment {
            self.read_history(environment);
        }
        let option = environment.as_ref().map(Environment::option);
        let history = self.history.as_ref();
        let history = history.and_then(|history| history.revisions.as_deref());
        let option = option.unwrap_or_default();
        let mut facts = Facts::of(self.live.site(), &status, history, &option, now);
        facts
            .doubts
            .extend(skew::difference(now, clock::now(), self.live.site()));
        let replacements = environment.as_ref().map(KeyReplacement::recorded);
        facts.replacements = replacements.unwrap_or_default();
        facts.ledger = match self.live.ledger() {
            Ok(LedgerReply::Known(ledger)) => LedgerFacts::Known(ledger),
            Ok(LedgerReply::Unbound) => LedgerFacts::Unbound,
            Ok(LedgerReply::Silent(why)) => LedgerFacts::Silent(why),
            Err(failure) => LedgerFacts::Silent(failure.to_string()),
        };
        Ok(facts)
    }

    fn read_history(&mut self, environment: &Environment<'_>) {
        let newest = git::newest(environment.config()).unwrap_or_default();
        let is_known = |known: &CachedHistory| known.newest == newest && !newest.is_empty();
        if !self.history.as_ref().is_some_and(is_known) {
            self.history = Some(CachedHistory {
                revisions: history::read(environment),
                newest,
            });
        }
    }
}
