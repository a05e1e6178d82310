//! The site that is fuzzed: a rule for each scheme, with keys of its own.

use std::sync::OnceLock;

use countersign_core::config::Policy;
use countersign_core::gate::Gate;
use serde_json::{Value, json};

use crate::independent::{SCHEMES, Scheme};

/// Unix seconds at which everything happens.
pub const NOW: u64 = 1_800_000_000;

/// How long a session of Django's may be old, in seconds.
pub const MAX_AGE: u64 = 1_209_600;

/// What an upgrade sets.
pub const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure";

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, arbitrary::Arbitrary)]
pub enum Role {
    /// Signs what browsers get.
    Current,
    /// Opens what they still have.
    Fallback,
    /// Has done so until yesterday.
    Ended,
    /// The site's own.
    Origin,
    /// Nobody's.
    Stranger,
}

impl Role {
    /// The name of its secret.
    fn secret(self, scheme: Scheme) -> String {
        format!("{scheme:?}_{self:?}").to_uppercase()
    }

    /// Its text.
    pub fn key(self, scheme: Scheme) -> &'static str {
        &keys()[SCHEMES
            .iter()
            .position(|one| *one == scheme)
            .unwrap_or_default()][self as usize]
    }
}

/// Two different keys of a scheme.
#[cfg(test)]
pub fn keys_of(scheme: Scheme) -> (&'static str, &'static str) {
    (Role::Current.key(scheme), Role::Origin.key(scheme))
}

/// The texts of the secrets, by scheme and role: any that have the shape of the framework's.
fn keys() -> &'static Vec<[String; 5]> {
    static KEYS: OnceLock<Vec<[String; 5]>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let text = |scheme: &Scheme, role: usize| {
            let number = 10 * (*scheme as usize) + role + 11;
            match scheme {
                Scheme::Rails => format!("{number:02x}").repeat(64),
                Scheme::Laravel => {
                    use base64::Engine as _;
                    base64::engine::general_purpose::STANDARD.encode([number as u8; 32])
                }
                _ => format!("key-{number}-of-the-fuzzed-site-").repeat(2),
            }
        };
        let row = |scheme: &Scheme| std::array::from_fn(|role| text(scheme, role));
        SCHEMES.iter().map(row).collect()
    })
}

fn rule(scheme: Scheme, keys: &Value) -> Value {
    let format = match scheme {
        Scheme::Django => "django-session",
        Scheme::Keygrip => "keygrip",
        Scheme::Jwt | Scheme::Pieces => "jwt",
        Scheme::Laravel => "laravel",
        Scheme::Rails => "rails-signed",
    };
    let mut rule = json!({
        "name": scheme.cookie(),
        "format": format,
        "attributes": ATTRIBUTES,
        "keys": keys,
    });
    match scheme {
        Scheme::Django => {
            rule["max_age"] = MAX_AGE.into();
            rule["attributes"] = format!("{ATTRIBUTES}; Max-Age={MAX_AGE}").into();
        }
        Scheme::Pieces => rule["chunks"] = "auth.js".into(),
        _ => {}
    }
    rule
}

fn gate(roles: [Option<Role>; 3]) -> Gate {
    let rules = SCHEMES.map(|scheme| {
        let key = |role: Role| match scheme {
            Scheme::Laravel => json!({"secret": role.secret(scheme), "encoding": "base64"}),
            _ => json!(role.secret(scheme)),
        };
        let [current, fallback, origin] = roles.map(|role| role.map(key));
        let ended = fallback.as_ref().map(|_| {
            let mut entry = match key(Role::Ended) {
                Value::String(secret) => json!({ "secret": secret }),
                entry => entry,
            };
            entry["until"] = "2027-01-14T08:00:00Z".into();
            entry
        });
        let fallbacks: Vec<Value> = fallback.into_iter().chain(ended).collect();
        rule(
            scheme,
            &json!({"current": current, "fallbacks": fallbacks, "origin": origin}),
        )
    });
    let all = [
        Role::Current,
        Role::Fallback,
        Role::Ended,
        Role::Origin,
        Role::Stranger,
    ];
    let secret = |name: &str| {
        let named = |scheme: Scheme| {
            all.into_iter()
                .find(|role| role.secret(scheme) == name)
                .map(|role| (scheme, role))
        };
        let (scheme, role) = SCHEMES.into_iter().find_map(named)?;
        Some(role.key(scheme).to_owned())
    };
    let config = json!({"reports": "all", "cookies": rules.to_vec()});
    match Policy::parse(&config, &secret) {
        Ok(policy) => Gate::new(policy, random),
        Err(problems) => {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("the site's configuration is refused: {}", texts.join("\n"))
        }
    }
}

/// A ring of its own in front of the site's key.
pub fn pinned() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| {
        gate([
            Some(Role::Current),
            Some(Role::Fallback),
            Some(Role::Origin),
        ])
    })
}

/// The same, of another isolate: it sees logouts.
pub fn with_logouts() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| {
        gate([
            Some(Role::Current),
            Some(Role::Fallback),
            Some(Role::Origin),
        ])
    })
}

/// The ring of the first day: what the site would take is left as it is.
pub fn first_day() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| gate([Some(Role::Origin), None, Some(Role::Origin)]))
}

/// Numbers that look random, the same in every run.
pub fn random(bytes: &mut [u8]) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static TURN: AtomicU64 = AtomicU64::new(0);
    for chunk in bytes.chunks_mut(8) {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let word = turn.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let word = (word ^ word >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
}

/// Every text that nobody may read in a log: the keys of all roles.
pub fn secrets() -> impl Iterator<Item = &'static str> {
    keys().iter().flatten().map(String::as_str)
}
