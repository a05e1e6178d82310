//! The site that is fuzzed: a rule for each scheme, and for what a rule can ask for, with keys of its own.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use countersign_core::config::Policy;
use countersign_core::gate::Gate;
use serde_json::{Value, json};

use crate::independent::Scheme;

/// Unix seconds at which everything happens: 2027-01-15T08:00:00Z.
pub const NOW: u64 = 1_800_000_000;
const NOW_TEXT: &str = "2027-01-15T08:00:00Z";

/// How long a session of Django's may be old, in seconds.
pub const MAX_AGE: u64 = 1_209_600;

/// For how long a browser keeps it, in seconds.
pub const COOKIE_MAX_AGE: u64 = 604_800;

/// How far ahead of the clock a signed time may be, in seconds.
pub const CLOCK_SKEW: u64 = 300;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, arbitrary::Arbitrary)]
pub enum Role {
    /// Signs what browsers get.
    Current,
    /// Opens what they still have.
    Fallback,
    /// Opened it until just now.
    Ended,
    /// The site's own.
    Origin,
    /// Nobody's.
    Stranger,
}

/// Those that open what a browser shows.
pub const RING: [Role; 2] = [Role::Current, Role::Fallback];

const ROLES: [Role; 5] = [
    Role::Current,
    Role::Fallback,
    Role::Ended,
    Role::Origin,
    Role::Stranger,
];

/// A rule of the site.
#[derive(Debug)]
pub struct Rule {
    pub name: &'static str,
    pub scheme: Scheme,
    /// Rules of one ring have the same keys.
    ring: u8,
    /// The origin's cookie is not signed.
    pub is_wrapped: bool,
    /// Its cookie may come in pieces, as @supabase/ssr has them.
    pub is_chunked: bool,
    /// A request with a forged one is answered with 403.
    pub rejects: bool,
    /// What does not verify goes on as it came.
    pub forwards: bool,
    pub upgrade: &'static str,
    /// What the fallback signed is not upgraded.
    pub fallback_stays: bool,
}

const fn rule(name: &'static str, scheme: Scheme, ring: u8) -> Rule {
    Rule {
        name,
        scheme,
        ring,
        is_wrapped: false,
        is_chunked: false,
        rejects: false,
        forwards: false,
        upgrade: "navigation",
        fallback_stays: false,
    }
}

/// All of them.
pub const RULES: [Rule; 9] = [
    rule("sessionid", Scheme::Django, 0),
    Rule {
        upgrade: "always",
        ..rule("grip", Scheme::Keygrip, 1)
    },
    Rule {
        upgrade: "never",
        ..rule("neighbour", Scheme::Keygrip, 1)
    },
    Rule {
        forwards: true,
        ..rule("token", Scheme::Jwt, 2)
    },
    rule("laravel_session", Scheme::Laravel, 3),
    rule("_rails", Scheme::Rails, 4),
    Rule {
        is_wrapped: true,
        ..rule("user_id", Scheme::Keygrip, 5)
    },
    Rule {
        is_chunked: true,
        ..rule("sb", Scheme::Jwt, 6)
    },
    Rule {
        rejects: true,
        fallback_stays: true,
        ..rule("vip", Scheme::Jwt, 7)
    },
];

impl Rule {
    /// A key's text.
    pub fn key(&self, role: Role) -> &'static str {
        &keys()[&(self.ring, role as usize)]
    }

    /// The name of the cookie that holds its signature.
    pub fn companion(&self) -> Option<&'static str> {
        let companion = match self.name {
            "grip" => "grip.sig",
            "neighbour" => "neighbour.sig",
            "user_id" => "user_id.sig",
            _ => return None,
        };
        Some(companion)
    }

    /// The attributes that the site sets it with, and that an upgrade sets.
    pub fn attributes(&self) -> &'static str {
        match self.scheme {
            Scheme::Django => "Path=/; Max-Age=604800; HttpOnly; Secure",
            _ => "Path=/; HttpOnly; Secure",
        }
    }

    /// The name of a key's secret.
    pub fn secret(&self, role: Role) -> String {
        format!("RING_{}_{role:?}", self.ring).to_uppercase()
    }

    fn config(&self, roles: &[Role; 3], mode: &str) -> Value {
        let key = |role: Role| match self.scheme {
            Scheme::Laravel => json!({"secret": self.secret(role), "encoding": "base64"}),
            _ => json!({"secret": self.secret(role)}),
        };
        let [current, fallback, origin] = *roles;
        let mut fallbacks = Vec::new();
        if fallback != current {
            let mut ended = key(Role::Ended);
            ended["until"] = NOW_TEXT.into();
            let mut fallback = key(fallback);
            fallback["upgrade"] = (!self.fallback_stays).into();
            fallbacks = vec![fallback, ended];
        }
        let format = match self.scheme {
            Scheme::Django => "django-session",
            Scheme::Keygrip => "keygrip",
            Scheme::Jwt => "jwt",
            Scheme::Laravel => "laravel",
            Scheme::Rails => "rails-signed",
        };
        let keys = json!({"current": key(current), "fallbacks": fallbacks, "origin": key(origin)});
        let mut rule = json!({
            "name": self.name,
            "format": format,
            "mode": mode,
            "attributes": self.attributes(),
            "upgrade": self.upgrade,
        });
        if self.is_wrapped {
            rule["origin"] = json!({"format": "plain"});
        }
        if self.rejects {
            rule["on_invalid"] = "reject".into();
        }
        if self.forwards {
            rule["on_invalid"] = "forward".into();
            rule["unsafe_open"] = true.into();
        }
        if self.is_chunked {
            rule["chunks"] = "supabase".into();
        }
        if self.scheme == Scheme::Django {
            rule["max_age"] = MAX_AGE.into();
        }
        rule["keys"] = keys;
        rule
    }
}

/// The texts of the secrets, by ring and role: any that have the shape of the framework's.
fn keys() -> &'static BTreeMap<(u8, usize), String> {
    static KEYS: OnceLock<BTreeMap<(u8, usize), String>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let text = |rule: &Rule, role: Role| {
            let number = 10 * rule.ring + role as u8 + 11;
            match rule.scheme {
                Scheme::Rails => format!("{number:02x}").repeat(64),
                Scheme::Laravel => {
                    use base64::Engine as _;
                    base64::engine::general_purpose::STANDARD.encode([number; 32])
                }
                _ => format!("key-{number}-of-the-fuzzed-site-").repeat(2),
            }
        };
        let all = RULES
            .iter()
            .flat_map(|rule| ROLES.map(|role| ((rule.ring, role as usize), text(rule, role))));
        all.collect()
    })
}

fn gate(roles: [Role; 3], mode: &str, has_wrapped: bool) -> Gate {
    let rules = RULES.iter().filter(|rule| has_wrapped || !rule.is_wrapped);
    let rules: Vec<Value> = rules.map(|rule| rule.config(&roles, mode)).collect();
    let secret = |name: &str| {
        let named = |rule: &Rule| {
            let role = ROLES.into_iter().find(|role| rule.secret(*role) == name)?;
            Some(rule.key(role).to_owned())
        };
        RULES.iter().find_map(named)
    };
    of(&json!({"reports": "all", "cookies": rules}), &secret)
}

/// The gate of a configuration that is right.
pub fn of(config: &Value, secret: &dyn Fn(&str) -> Option<String>) -> Gate {
    match Policy::parse(config, secret) {
        Ok(policy) => Gate::new(policy, random),
        Err(problems) => {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("the site's configuration is refused: {}", texts.join("\n"))
        }
    }
}

const PINNED: [Role; 3] = [Role::Current, Role::Fallback, Role::Origin];

/// A ring of its own in front of the site's key. It must see no response that sets a cookie with other attributes: the
/// gate would remember it.
pub fn pinned() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| gate(PINNED, "enforce", true))
}

/// The same for responses with any attributes.
pub fn watching() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| gate(PINNED, "enforce", true))
}

/// The same, and nothing has been seen by it.
pub fn unused() -> Gate {
    gate(PINNED, "enforce", true)
}

/// The same where visitors log out: the gate remembers it.
pub fn with_logouts() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| gate(PINNED, "enforce", true))
}

/// A ring of the site's key and an old one, where the gate only observes.
pub fn observing() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| {
        gate(
            [Role::Origin, Role::Fallback, Role::Origin],
            "observe",
            false,
        )
    })
}

/// The ring of the first day: what the site would take is left as it is.
pub fn first_day() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| gate([Role::Origin; 3], "enforce", false))
}

/// A gate whose origin signs with the ring's current key: what the ring sealed is left as it is.
pub fn last_day() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| gate([Role::Current; 3], "enforce", false))
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
    keys().values().map(String::as_str)
}
