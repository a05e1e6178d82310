//! `countersign keygen`: a key fit for a format, to be seen or straight into the Worker's secrets.

use std::env;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use clap::Args;
use countersign::encoding::hex;
use countersign::formats;
use countersign::key::KeyId;
use countersign::outline::Outline;
use countersign::settings::{Problems, Table};
use serde_json::json;
use zeroize::Zeroizing;

use crate::answer::{Answer, Failure, WARNING, print_beside, styled};
use crate::arguments::Which;
use crate::config::{Config, Environment};
use crate::live::{self, Live};
use crate::revocation::{self, NewBytes, fingerprints};
use crate::wrangler;

/// Make a key fit for a format
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Keygen {
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
    which: Which,
}

const AFTER_HELP: &str = "\
Examples:
  countersign keygen                           for Django and most others, to standard output
  countersign keygen --format rails-encrypted  128 hexadecimal digits
  countersign keygen --put KEY_2026_11         into the Worker's secrets; nobody sees it
  countersign keygen --put KEY_2026_11 --env staging --env production

Shapes:
  rails-*                  64 bytes as hexadecimal digits
  laravel                  \"base64:\" and 32 bytes
  fernet                   32 bytes in URL-safe base64
  fastify-secure-session   32 bytes in base64
  iron, iron-session, hapi 64 characters
  plug-*                   64 characters
  all others               50 characters of Django's alphabet

--put sets the secret, and nothing uses it yet: name it in `fallbacks` afterwards.

Exit codes:
  0  the key is made, and put where it belongs
  1  a secret of that name is there already
  2  the command line is wrong, or a file cannot be read
  3  wrangler did not take it";

/// What Django makes its own keys of.
const DJANGO: &[u8; 50] = b"abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)";

impl Keygen {
    /// Makes the key; shows it, or puts it away.
    pub fn run(self) -> Result<Answer, Failure> {
        let shape = Shape::of(&self.format)?;
        match &self.put {
            None => Ok(Answer::fine(format!("{}\n", *shape.make()?))),
            Some(name) => self.put(name, shape),
        }
    }

    fn put(&self, name: &str, shape: Shape) -> Result<Answer, Failure> {
        // not echoed: it may be a key
        let name = KeyId::parse(name).ok_or_else(|| {
            Failure::usage("--put: not the name of a secret")
                .hint("write a name such as KEY_2026_11: [A-Z][A-Z0-9_]*, at most 64 characters")
        })?;
        let config = Config::read(self.which.config.as_deref().map(Path::new))?;
        let environments = match self.env.as_slice() {
            [] => vec![config.top()],
            names => {
                let named = names.iter().map(|name| config.named(name));
                named.collect::<Result<Vec<_>, _>>()?
            }
        };
        if !self.replace {
            for environment in &environments {
                refuse_to_replace(environment, &name)?;
            }
        }
        let shared = shape.make()?;
        let mut text = String::new();
        // what a variable names is one site
        let url = env::var("COUNTERSIGN_URL").ok();
        let url = url.filter(|_| environments.len() == 1);
        for environment in &environments {
            let key = match self.same {
                true => shared.clone(),
                false => shape.make()?,
            };
            let before = self
                .replace
                .then(|| Before::ask(url.as_deref(), environment, &name))
                .transpose()?;
            wrangler::run(environment, &["secret", "put", name.as_str()], Some(&key))?;
            let worker = environment.worker().unwrap_or_default();
            text.push_str(&format!("put {name} into the secrets of {worker}\n"));
            if let Some(before) = before {
                // what is done already is said before an error about the rest
                print_beside(&std::mem::take(&mut text));
                text = before.confirm(environment, &name)?;
            }
        }
        Ok(Answer::fine(text))
    }
}

/// What a secret was before it is replaced.
enum Before {
    /// There was none.
    Unset,
    /// The live Worker knows it, or not.
    Live(Live, Outline),
    /// There was one, and why nobody knows whether the live Worker goes by it.
    Unknown(Failure),
}

impl Before {
    fn ask(
        url: Option<&str>,
        environment: &Environment<'_>,
        name: &KeyId,
    ) -> Result<Self, Failure> {
        let listed = wrangler::secrets(environment)?;
        let live = Live::of(url, Some(environment)).and_then(|live| {
            let outline = live::outline(&live.status()?, live.site())?;
            Ok(Self::Live(live, outline))
        });
        Ok(match live {
            Ok(live) => live,
            Err(_) if !listed.iter().any(|known| known == name.as_str()) => Self::Unset,
            Err(failure) => Self::Unknown(failure),
        })
    }

    /// Says what ended, once the live Worker shows it.
    fn confirm(self, environment: &Environment<'_>, name: &KeyId) -> Result<String, Failure> {
        let name = name.as_str();
        let confirmed = match &self {
            Self::Unset => return Ok(String::new()),
            Self::Live(_, outline) if fingerprints(outline, name).is_empty() => {
                return Ok(String::new());
            }
            Self::Live(live, outline) => revocation::confirm(environment, live, outline, name),
            Self::Unknown(failure) => Err(revocation::unconfirmed(
                environment,
                name,
                &format!("the live Worker was not asked: {}", failure.what()),
            )),
        };
        let notes = NewBytes::of(name).note(environment);
        match confirmed {
            Ok(()) => {
                let notes = notes.iter();
                let notes = notes.map(|note| format!("{} {note}\n", styled(WARNING, "note:")));
                let notes: String = notes.collect();
                Ok(format!(
                    "{name} has new bytes: what the old ones sealed opens no longer\n{notes}"
                ))
            }
            Err(failure) => Err(notes.into_iter().fold(failure, Failure::hint)),
        }
    }
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

/// How a framework writes its keys.
#[derive(Clone, Copy)]
enum Shape {
    Django,
    Hex,
    Base64 { prefix: &'static str },
    Base64Url32,
    Base64Url48,
}

impl Shape {
    fn of(format: &str) -> Result<Self, Failure> {
        Ok(match format {
            "rails-signed" | "rails-encrypted" | "rails" => Shape::Hex,
            "laravel" => Shape::Base64 { prefix: "base64:" },
            "fastify-secure-session" => Shape::Base64 { prefix: "" },
            "fernet" => Shape::Base64Url32,
            // 48 bytes are 64 characters: iron asks for 32, Phoenix makes 64
            "iron" | "iron-session" | "hapi" | "plug-session" | "plug-cookie" => Shape::Base64Url48,
            "django" => Shape::Django,
            other => return is_format(other).map(|()| Shape::Django),
        })
    }

    fn make(self) -> Result<Zeroizing<String>, Failure> {
        Ok(Zeroizing::new(match self {
            Shape::Django => django()?,
            Shape::Hex => hex(&*random::<64>()?),
            Shape::Base64 { prefix } => format!("{prefix}{}", STANDARD.encode(*random::<32>()?)),
            Shape::Base64Url32 => URL_SAFE.encode(*random::<32>()?),
            Shape::Base64Url48 => URL_SAFE.encode(*random::<48>()?),
        }))
    }
}

/// Django's `get_random_secret_key`: each character as likely as any other.
fn django() -> Result<String, Failure> {
    let mut key = String::with_capacity(50);
    while key.len() < 50 {
        // 250 is the largest multiple of 50 in a byte
        let fair = random::<64>()?;
        let letters = fair.iter().filter(|byte| **byte < 250);
        let letters = letters.filter_map(|byte| DJANGO.get(usize::from(byte % 50)));
        key.extend(
            letters
                .take(50 - key.len())
                .map(|letter| char::from(*letter)),
        );
    }
    Ok(key)
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Failure> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut())
        .map_err(|_| Failure::usage("the operating system has no randomness to give"))?;
    Ok(bytes)
}

fn is_format(name: &str) -> Result<(), Failure> {
    let (problems, table) = (Problems::default(), json!({ "format": name }));
    Table::new("", &table, &problems).map(|mut table| formats::read(&mut table));
    let unknown = problems.into_vec();
    let unknown = unknown
        .iter()
        .find(|p| p.text.starts_with("unknown format"));
    unknown.map_or(Ok(()), |problem| {
        Err(Failure::usage(format!("--format: {}", problem.text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(format: &str) -> String {
        let shape = Shape::of(format).map_err(drop).unwrap();
        shape.make().map_err(drop).unwrap().to_string()
    }

    #[test]
    fn each_framework_gets_its_own_shape() {
        for (format, length) in [
            ("django-session", 50),
            ("flask-session", 50),
            ("rails-encrypted", 128),
            ("laravel", 51),
            ("fernet", 44),
            ("fastify-secure-session", 44),
            ("iron", 64),
            ("plug-session", 64),
        ] {
            assert_eq!(make(format).len(), length, "{format}");
            assert_ne!(make(format), make(format), "{format}");
        }
        assert!(make("laravel").starts_with("base64:"));
        assert!(Shape::of("djnago-session").is_err());
    }

    #[test]
    fn every_character_of_djangos_alphabet_comes_up() {
        let text: String = (0..100).map(|_| make("django-session")).collect();
        assert!(
            DJANGO
                .iter()
                .all(|letter| text.contains(char::from(*letter)))
        );
    }
}
