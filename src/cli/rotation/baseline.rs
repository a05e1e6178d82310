//! What is live before a change: asked of the live Worker, or taken from a file.

use countersign_core::operations::capabilities::Capabilities;

use crate::project::config::{Config, Environment};
use crate::remote::live::LiveWorker;
use crate::remote::skew;
use crate::rotation::editing::Draft;
use crate::rotation::options::ChangeOptions;
use crate::terminal::answer::Failure;
use crate::terminal::clock;
use crate::terminal::progress::begin;

/// What is live.
pub struct Baseline {
    /// What it seals and opens.
    pub capabilities: Capabilities,
    /// Where that is known from.
    pub source: String,
    /// The present in Unix seconds: by the live Worker's clock, or by this machine's where it was not asked.
    pub now: u64,
    /// Whether the live Worker was asked.
    pub is_live: bool,
    /// By how much this machine's clock is wrong.
    pub skew: Option<String>,
}

impl Baseline {
    /// What the options name: a file, wrangler.toml as it is, or the live Worker.
    ///
    /// # Errors
    /// It cannot be had, or is wrong.
    pub fn read(options: &ChangeOptions, environment: &Environment<'_>) -> Result<Self, Failure> {
        if let Some(file) = &options.against {
            let config = Config::read(Some(file.as_ref()))?;
            let other = options.worker.environment(&config)?;
            let capabilities = Draft::open(&other)?.capabilities()?;
            Ok(Self::from_file(capabilities, file.clone()))
        } else if options.offline {
            let capabilities = Draft::open(environment)?.capabilities()?;
            let source = format!("{} as it is", environment.config().file_name());
            Ok(Self::from_file(capabilities, source))
        } else {
            Self::ask(&live_worker(options, environment)?)
        }
    }

    /// By this machine's clock.
    fn from_file(capabilities: Capabilities, source: String) -> Self {
        Self {
            capabilities,
            source,
            now: clock::now(),
            is_live: false,
            skew: None,
        }
    }

    fn ask(live: &LiveWorker) -> Result<Self, Failure> {
        begin(&format!("asking {}", live.site()));
        let status = live.status()?;
        let now = skew::now(&status, live.site())?;
        Ok(Self {
            capabilities: status.capabilities(live.site())?,
            source: live.site().to_owned(),
            now,
            is_live: true,
            skew: skew::difference(now, clock::now(), live.site()),
        })
    }
}

/// The live Worker that the options name.
///
/// # Errors
/// As [`LiveWorker::new`].
pub fn live_worker(
    options: &ChangeOptions,
    environment: &Environment<'_>,
) -> Result<LiveWorker, Failure> {
    let live = LiveWorker::new(options.worker.url.as_deref(), Some(environment));
    live.map_err(|failure| {
        if options.deploy {
            failure
        } else {
            let file = environment.config().file_name();
            failure.hint(format!(
                "or say what is live: --against FILE, or --offline for {file} as it is"
            ))
        }
    })
}
