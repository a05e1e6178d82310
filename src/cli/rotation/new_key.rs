//! A new key: made in the shape that a format wants, held against the configuration, and a cookie to try it with.

use countersign_core::config::Policy;
use countersign_core::formats::{self, Content, KeyShape};
use countersign_core::gate::inspection::inspect;
use countersign_core::settings::Fault;
use zeroize::Zeroizing;

use crate::project::config::Environment;
use crate::project::dev_vars::SecretValues;
use crate::remote::wrangler;
use crate::rotation::editing::Draft;
use crate::terminal::answer::Failure;

/// Why there is no new key.
#[derive(Debug)]
pub enum NewKeyError {
    /// No format has this name; which one may be meant.
    NoSuchFormat(Fault),
    /// The operating system has no randomness to give.
    NoRandomness,
    /// The configuration wants another key than `countersign keygen` makes.
    DoesNotFit {
        /// What the Worker would say against it.
        problem: String,
        /// The command that puts another one into the Worker's secrets.
        put: String,
    },
}

impl From<NewKeyError> for Failure {
    fn from(error: NewKeyError) -> Self {
        match error {
            NewKeyError::NoSuchFormat(unknown) => Self::usage(format!("--format: {unknown}")),
            NewKeyError::NoRandomness => {
                Self::usage("the operating system has no randomness to give")
            }
            NewKeyError::DoesNotFit { problem, put } => Self::refused(format!(
                "a key that countersign makes does not fit: {problem}"
            ))
            .hint(format!(
                "put one that fits into the Worker's secrets: {put}"
            )),
        }
    }
}

/// A new key for a format, and the configuration with it; all other keys are placeholders.
///
/// # Errors
/// It cannot be made, or the Worker would refuse it.
pub fn fitting(
    environment: &Environment<'_>,
    draft: &Draft,
    key: &str,
    format: &str,
) -> Result<(Zeroizing<String>, Policy), NewKeyError> {
    let format = match format {
        "" | "plain" => DEFAULT_FORMAT,
        format => format,
    };
    let value = make(key_shape(format)?)?;
    let known: SecretValues = [(key.to_owned(), value.to_string())].into();
    let policy = Policy::parse_with_placeholders(&draft.value(), &|name| known.get(name).cloned());
    let policy = policy.map_err(|problems| NewKeyError::DoesNotFit {
        problem: problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        put: wrangler::typed(environment, &["secret", "put", key]),
    })?;
    Ok((value, policy))
}

/// The format of a key that is for none in particular.
pub const DEFAULT_FORMAT: &str = "django-session";

/// A cookie that the key seals, where a plain word is a payload that the gate takes.
pub fn seal_test_cookie(policy: &Policy, rule: &str, key: &str, now: u64) -> Option<String> {
    let rule = policy.rules.iter().find(|known| known.spec.name == rule)?;
    let fallbacks = rule
        .spec
        .ring
        .fallbacks
        .iter()
        .map(|fallback| &fallback.key);
    let key = fallbacks
        .chain([&rule.spec.ring.current])
        .find(|known| known.id().as_str() == key)?;
    let name = &rule.spec.name;
    let keyed = rule.spec.format.keyed(name, key).ok()?;
    let content = Content::of(b"e30".as_slice()).signed_at(now);
    let value = keyed.seal(&content, |bytes| {
        // without randomness it would be a worse nonce, of a cookie that holds nothing
        let _ = getrandom::fill(bytes);
    });
    let value = value
        .ok()
        .filter(|value| !value.contains(countersign_core::formats::PAIR))?;
    let found = inspect(policy, name, &value, now);
    let opens = found
        .opened
        .is_some_and(|opened| opened.key.as_ref() == Some(key.id()));
    opens.then(|| format!("{name}={value}"))
}

/// How the keys of a format are written; `django` and `rails` will do for those of the framework.
///
/// # Errors
/// There is no such format.
pub fn key_shape(format: &str) -> Result<KeyShape, NewKeyError> {
    let name = match format {
        "django" => DEFAULT_FORMAT,
        "rails" => "rails-encrypted",
        name => name,
    };
    let Some(description) = formats::description(name) else {
        return Err(NewKeyError::NoSuchFormat(formats::unknown_format(name)));
    };
    Ok(description.key_shape())
}

/// A key of this shape.
///
/// # Errors
/// There is no randomness.
pub fn make(shape: KeyShape) -> Result<Zeroizing<String>, NewKeyError> {
    let mut is_random = true;
    let key = shape.make(&mut |bytes| is_random &= getrandom::fill(bytes).is_ok());
    if is_random {
        Ok(key)
    } else {
        Err(NewKeyError::NoRandomness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(format: &str) -> String {
        let shape = key_shape(format).map_err(drop).unwrap();
        super::make(shape).map_err(drop).unwrap().to_string()
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
        assert!(key_shape("djnago-session").is_err());
    }
}
