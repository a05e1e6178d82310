//! A new key: made in the shape that a format wants, tried against the configuration, and with a cookie to try it with.

use countersign_core::config::Policy;
use countersign_core::formats::{self, Content, KeyShape};
use countersign_core::gate::inspection::inspect;
use countersign_core::settings::unknown;
use zeroize::Zeroizing;

use crate::project::dev_vars::Texts;
use crate::rotation::editing::Draft;
use crate::terminal::answer::Failure;

/// A key as `countersign keygen` makes it.
///
/// # Errors
/// There is no randomness, or no such format.
pub fn fresh(format: &str) -> Result<Zeroizing<String>, Failure> {
    let format = match format {
        "" | "plain" => "django-session",
        format => format,
    };
    make(key_shape(format)?)
}

/// The configuration with this key, and placeholders for all others.
///
/// # Errors
/// What the Worker would say against the key.
pub fn with_key(draft: &Draft, key: &str, value: &str) -> Result<Policy, String> {
    let value_of = draft.value();
    let known: Texts = [(key.to_owned(), value.to_owned())].into();
    Policy::parse_with_placeholders(&value_of, &|name| known.get(name).cloned()).map_err(
        |problems| {
            problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()
        },
    )
}

/// A cookie that the key seals, where a plain word is a payload that the gate takes.
pub fn sealed(policy: &Policy, rule: &str, key: &str, now: u64) -> Option<String> {
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
pub fn key_shape(format: &str) -> Result<KeyShape, Failure> {
    let name = match format {
        "django" => "django-session",
        "rails" => "rails-encrypted",
        name => name,
    };
    let Some(description) = formats::description(name) else {
        let names: Vec<&str> = formats::names().collect();
        let unknown = unknown("format", name, &names);
        return Err(Failure::usage(format!("--format: {unknown}")));
    };
    Ok(description.key_shape())
}

/// A key of this shape.
///
/// # Errors
/// There is no randomness.
pub fn make(shape: KeyShape) -> Result<Zeroizing<String>, Failure> {
    let mut is_random = true;
    let key = shape.make(&mut |bytes| is_random &= getrandom::fill(bytes).is_ok());
    if is_random {
        Ok(key)
    } else {
        Err(Failure::usage(
            "the operating system has no randomness to give",
        ))
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
