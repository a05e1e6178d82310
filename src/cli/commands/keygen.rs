//! `countersign keygen`: a key fit for a format, to be seen or straight into the Worker's secrets.

use std::collections::BTreeMap;
use std::env;

use clap::Args;
use countersign_core::crypto::key::KeyId;
use countersign_core::formats::{self, KeyShape};
use countersign_core::operations::capabilities::Capabilities;

use crate::project::config::Environment;
use crate::project::options::ConfigOption;
use crate::project::secrets_store::StoredSecret;
use crate::remote::live::LiveWorker;
use crate::remote::wrangler;
use crate::rotation::change::note_line;
use crate::rotation::key_or_format::not_a_name;
use crate::rotation::key_roles::fingerprints;
use crate::rotation::new_key::{key_shape, make};
use crate::rotation::revocation::{self, KeyReplacement};
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::interrupt;
use crate::terminal::progress::{begin, print_beside};

/// Make a key fit for a format
#[derive(Args)]
#[command(after_help = after_help())]
pub struct KeygenArguments {
    /// The format that it is for
    #[arg(long, value_name = "FORMAT", default_value = "django-session")]
    format: String,

    /// Put it into the Worker's secrets under this name, without showing it
    #[arg(long, value_name = "NAME")]
    put: Option<String>,

    /// The environment to put it into; may be given several times, and each gets a key of its own
    #[arg(long, value_name = "ENV", requires = "put")]
    env: Vec<String>,

    /// Put the same key into all of them: environments that serve one application
    #[arg(long, requires = "env")]
    same: bool,

    /// Put it even where a secret of that name is there, which ends every session signed with it
    #[arg(long, requires = "put")]
    replace: bool,

    #[command(flatten)]
    file: ConfigOption,
}

const EXAMPLES: &str = "\
Examples:
  countersign keygen                           for Django and most others, to standard output
  countersign keygen --format rails-encrypted  128 hexadecimal digits
  countersign keygen --put KEY_2026_11         into the Worker's secrets; nobody sees it
  countersign keygen --put KEY_2026_11 --env staging --env production";

const NOTES: &str = "\
--put sets the secret, and nothing uses it yet: name it in `fallbacks` afterwards.

Exit codes:
  0  the key is made, and put where it belongs
  1  a secret of that name is there already
  2  the command line is wrong, or a file cannot be read
  3  wrangler did not take it";

fn after_help() -> String {
    format!("{EXAMPLES}\n\nShapes:\n{}\n{NOTES}", shapes())
}

/// The shapes of keys, each with the formats that want it.
fn shapes() -> String {
    let mut formats: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in formats::names() {
        let shape = key_shape(name).unwrap_or(KeyShape::Text);
        if shape != KeyShape::Text {
            formats.entry(shape.describe()).or_default().push(name);
        }
    }
    let mut text = String::new();
    for (shape, names) in formats {
        text.push_str(&format!("  {shape}\n      {}\n", names.join(", ")));
    }
    text + &format!("  {}\n      all others\n", KeyShape::Text.describe())
}

impl KeygenArguments {
    /// Makes the key; shows it, or puts it away.
    pub fn run(self) -> Result<Answer, Failure> {
        let shape = key_shape(&self.format)?;
        match &self.put {
            None => Ok(Answer::success(format!("{}\n", *make(shape)?))),
            Some(name) => self.put(name, shape),
        }
    }

    fn put(&self, name: &str, shape: KeyShape) -> Result<Answer, Failure> {
        // not echoed: it may be a key
        let name = KeyId::parse(name).ok_or_else(|| not_a_name("--put"))?;
        let config = self.file.read()?;
        let environments = match self.env.as_slice() {
            [] => vec![config.top()],
            names => {
                let named = names.iter().map(|name| config.named(name));
                named.collect::<Result<Vec<_>, _>>()?
            }
        };
        for environment in &environments {
            refuse_stored(environment, &name)?;
        }
        if !self.replace {
            for environment in &environments {
                refuse_to_replace(environment, &name)?;
            }
        }
        let shared = make(shape)?;
        let mut text = String::new();
        // what a variable names is one site
        let url = env::var("COUNTERSIGN_URL").ok();
        let url = url.filter(|_| environments.len() == 1);
        for environment in &environments {
            let key = if self.same {
                shared.clone()
            } else {
                make(shape)?
            };
            let done = self.put_one(environment, &name, &key, url.as_deref());
            // what is done already is said before an error about the rest
            let done = done.inspect_err(|_| print_beside(&text))?;
            text.push_str(&done);
        }
        Ok(Answer::success(text))
    }

    /// Puts the key into one Worker's secrets, and says what ended.
    fn put_one(
        &self,
        environment: &Environment<'_>,
        name: &KeyId,
        key: &str,
        url: Option<&str>,
    ) -> Result<String, Failure> {
        let former = self
            .replace
            .then(|| FormerSecret::ask(url, environment, name))
            .transpose()?;
        let _guarded = interrupt::guard();
        begin(&format!("putting {name} into the secrets"));
        wrangler::run(environment, &["secret", "put", name.as_str()], Some(key))?;
        let worker = environment.worker().unwrap_or_default();
        let done = format!("put {name} into the secrets of {worker}\n");
        let Some(former) = former else {
            return Ok(done);
        };
        print_beside(&done); // before an error about what it ended
        former.confirm(environment, name)
    }
}

/// What a secret was before it is replaced.
enum FormerSecret {
    /// There was none.
    Unset,
    /// The live Worker knows it, or not.
    Live(LiveWorker, Capabilities),
    /// There was one, and why nobody knows whether the live Worker goes by it.
    Unknown(Failure),
}

impl FormerSecret {
    fn ask(
        url: Option<&str>,
        environment: &Environment<'_>,
        name: &KeyId,
    ) -> Result<Self, Failure> {
        let listed = wrangler::secrets(environment)?;
        let live = LiveWorker::new(url, Some(environment)).and_then(|live| {
            let capabilities = live.status()?.capabilities(live.site())?;
            Ok(Self::Live(live, capabilities))
        });
        Ok(match live {
            Ok(live) => live,
            Err(failure) if failure.is_interrupted() => return Err(failure),
            Err(_) if !listed.iter().any(|known| known == name.as_str()) => Self::Unset,
            Err(failure) => Self::Unknown(failure),
        })
    }

    /// Says what ended, once the live Worker shows it.
    fn confirm(self, environment: &Environment<'_>, name: &KeyId) -> Result<String, Failure> {
        let name = name.as_str();
        let confirmed = match &self {
            Self::Unset => return Ok(String::new()),
            Self::Live(_, capabilities) if fingerprints(capabilities, name).is_empty() => {
                return Ok(String::new());
            }
            Self::Live(live, capabilities) => {
                revocation::confirm(environment, live, capabilities, name)
            }
            Self::Unknown(failure) => Err(revocation::unconfirmed(
                environment,
                name,
                &format!("the live Worker was not asked: {failure}"),
            )),
        };
        let notes = KeyReplacement::of(name).note(environment);
        match confirmed {
            Ok(()) => {
                let notes: String = notes.iter().map(|note| note_line(note)).collect();
                Ok(format!(
                    "{name} has new bytes: what the old ones sealed opens no longer\n{notes}"
                ))
            }
            Err(failure) => Err(notes.into_iter().fold(failure, Failure::hint)),
        }
    }
}

/// A secret of a store is not this Worker's to set.
fn refuse_stored(environment: &Environment<'_>, name: &KeyId) -> Result<(), Failure> {
    let Some(stored) = StoredSecret::of(environment, name.as_str()) else {
        return Ok(());
    };
    let creation = stored.creation();
    Err(Failure::refused(format!(
        "{name} is bound from a Secrets Store, where this command cannot put it"
    ))
    .hint(format!("put it there yourself: {creation}"))
    .hint("leave --put out to see a key that is fit for it"))
}

/// New bytes under an old name end every session that the old ones signed; for an origin's key they end
/// them all.
fn refuse_to_replace(environment: &Environment<'_>, name: &KeyId) -> Result<(), Failure> {
    let listed = wrangler::secrets(environment)?;
    if !listed.iter().any(|listed| listed == name.as_str()) {
        return Ok(());
    }
    let worker = environment.worker().unwrap_or_default();
    Err(Failure::refused(format!(
        "{worker} has a secret {name} already: new bytes would end every session signed with it"
    ))
    .hint("choose another name; or, if that is what you want, add --replace"))
}
