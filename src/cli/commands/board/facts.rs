//! What is known of the live Worker: its own words, its ledger, and what git says of its keys.

use countersign_core::config::written::Written;
use countersign_core::crypto::Digest;
use countersign_core::operations::capabilities::{Capabilities, KeyReference, RuleCapabilities};
use countersign_core::wire::encoding::hex;
use serde::Serialize;
use serde_json::Value;

use crate::commands::status::next::{self, NextStep};
use crate::commands::status::rollback;
use crate::remote::figures::Scope;
use crate::remote::ledger::Ledger;
use crate::remote::replies::{Remark, StatusReply, VersionMetadata};
use crate::rotation::history::Revision;
use crate::rotation::key_lives::{self, RingLives};
use crate::rotation::listed::Listed;
use crate::rotation::revocation::KeyReplacement;

/// What is known at a moment at which the Worker answered.
pub struct Facts {
    pub site: String,
    /// The present by the Worker's clock, in Unix seconds.
    pub now: u64,
    /// `enforce`, `observe`, `mixed`, `refused`, `unchecked`, or what another release calls it.
    pub mode: String,
    /// The release of the Worker.
    pub release: Option<String>,
    pub version: VersionMetadata,
    /// What is wrong with the configuration.
    pub problems: Vec<String>,
    /// What is unwise in it.
    pub notes: Vec<String>,
    /// What makes that which is shown doubtful: clocks that differ, a configuration of another release.
    pub doubts: Vec<String>,
    /// SHA-256 of the configuration, written as JSON with sorted names.
    pub configuration_hash: String,
    pub rings: Vec<RingFacts>,
    pub next: Vec<NextStep>,
    pub lives: Vec<RingLives>,
    /// Why the lives are not known, or not of what is live.
    pub lives_note: Option<&'static str>,
    /// The commit of wrangler.toml that is live.
    pub commit: Option<String>,
    /// Keys that got new bytes under their old name.
    pub replacements: Vec<KeyReplacement>,
    pub ledger: LedgerFacts,
}

/// What is known of the ledger.
pub enum LedgerFacts {
    Known(Ledger),
    /// The Worker has none.
    Unbound,
    /// It does not answer; why.
    Silent(String),
}

/// A ring: rules that share all their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingFacts {
    pub rules: Vec<String>,
    pub keys: Vec<KeyFacts>,
}

/// A key of a ring, or of the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyFacts {
    pub key: String,
    pub role: KeyRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "role")]
pub enum KeyRole {
    /// Signs what browsers get.
    Current,
    /// Opens, and has sealed nothing yet.
    Staged,
    /// Opens what it sealed before; until then, in Unix seconds, where an end is set.
    Fallback { until: Option<u64> },
    /// Its time is past: it opens nothing.
    Ended { until: u64 },
    /// Signs what the site gets.
    Origin,
    /// Opens what the site sets.
    OriginFallback,
}

impl Facts {
    /// What follows from the Worker's own words and from a history with the newest revision first.
    pub fn of(
        site: &str,
        status: &StatusReply,
        history: Option<&[Revision]>,
        option: &str,
        now: u64,
    ) -> Self {
        let fields = &status.fields;
        let lines = |remarks: &[Remark]| remarks.iter().map(Remark::to_line).collect::<Vec<_>>();
        let mut facts = Self {
            site: site.to_owned(),
            now,
            mode: fields.mode.clone().unwrap_or_else(|| "unknown".to_owned()),
            release: status.json["countersign"].as_str().map(str::to_owned),
            version: VersionMetadata {
                id: fields.version.id.clone(),
                tag: fields.version.tag.clone(),
                timestamp: fields.version.timestamp.clone(),
            },
            problems: lines(&fields.problems),
            notes: lines(&fields.notes),
            doubts: Vec::new(),
            configuration_hash: hash(&fields.configuration),
            rings: Vec::new(),
            next: Vec::new(),
            lives: history.map(key_lives::lives).unwrap_or_default(),
            lives_note: history.is_none().then_some(NO_HISTORY),
            commit: None,
            replacements: Vec::new(),
            ledger: LedgerFacts::Unbound,
        };
        match status.capabilities(site) {
            Ok(capabilities) => {
                facts.add_rings(&fields.configuration, &capabilities, history, option);
            }
            Err(failure) if facts.problems.is_empty() => facts.doubts.push(failure.to_string()),
            Err(_) => {}
        }
        facts
    }

    /// The ring's keys and what comes next go by what is live; so do the lives where a commit is that.
    fn add_rings(
        &mut self,
        configuration: &Value,
        capabilities: &Capabilities,
        history: Option<&[Revision]>,
        option: &str,
    ) {
        let live = rollback::up_to_live(history, capabilities);
        if let (Ok(revisions), Some(_)) = (live, history) {
            self.lives = key_lives::lives(revisions);
            self.commit = revisions.first().map(|newest| newest.commit.clone());
        } else if history.is_some() {
            self.lives_note = Some(NOT_LIVE);
        }
        // as the next step goes by it
        let revisions = live.unwrap_or_default();
        let staged = staged(configuration, revisions);
        let is_staged =
            |rule: &str, key: &str| staged.iter().any(|(of, id)| of == rule && id == key);
        for rule in &capabilities.rules {
            let keys = keys(rule, &is_staged, self.now);
            match self.rings.iter_mut().find(|ring| ring.keys == keys) {
                Some(ring) => ring.rules.push(rule.name.clone()),
                None => self.rings.push(RingFacts {
                    rules: vec![rule.name.clone()],
                    keys,
                }),
            }
        }
        if !capabilities.rules.is_empty() {
            self.next = next::steps(configuration, revisions, option, self.now);
        }
    }

    /// The ledger, where there is one that answers.
    pub fn ledger(&self) -> Option<&Ledger> {
        match &self.ledger {
            LedgerFacts::Known(ledger) => Some(ledger),
            LedgerFacts::Unbound | LedgerFacts::Silent(_) => None,
        }
    }
}

const NO_HISTORY: &str = "wrangler.toml has no history here";
const NOT_LIVE: &str = "no commit of wrangler.toml is what is live: this is the history of the file, not of the Worker";

impl RingFacts {
    /// Its rules, for what counts by rule.
    pub fn scope(&self) -> Scope<'_> {
        Scope::Rules(&self.rules)
    }

    /// The key that signs what browsers get.
    pub fn current(&self) -> Option<&KeyFacts> {
        self.keys.iter().find(|key| key.role == KeyRole::Current)
    }

    /// Keys that were current, and may still open cookies that browsers hold.
    pub fn old_keys(&self) -> impl Iterator<Item = &KeyFacts> {
        let keys = self.keys.iter();
        keys.filter(|key| matches!(key.role, KeyRole::Fallback { .. }))
    }
}

/// The keys of a rule, each role in its turn.
fn keys(
    rule: &RuleCapabilities,
    is_staged: &dyn Fn(&str, &str) -> bool,
    now: u64,
) -> Vec<KeyFacts> {
    let of = |key: &KeyReference, role| KeyFacts {
        key: key.id.to_string(),
        role,
        fingerprint: key.fingerprint.clone(),
    };
    let mut keys = vec![of(&rule.current, KeyRole::Current)];
    // an entry for the current key says nothing
    let fallbacks = rule.fallbacks.iter();
    let fallbacks = fallbacks.filter(|fallback| fallback.key.id != rule.current.id);
    keys.extend(fallbacks.map(|fallback| {
        let role = match fallback.until {
            Some(until) if until <= now => KeyRole::Ended { until },
            None if is_staged(&rule.name, fallback.key.id.as_str()) => KeyRole::Staged,
            until => KeyRole::Fallback { until },
        };
        of(&fallback.key, role)
    }));
    keys.push(of(&rule.origin_current, KeyRole::Origin));
    let origin_fallbacks = rule.origin_fallbacks.iter();
    keys.extend(origin_fallbacks.map(|key| of(key, KeyRole::OriginFallback)));
    keys
}

/// The keys that are staged: `(RULE, KEY)`.
fn staged(configuration: &Value, history: &[Revision]) -> Vec<(String, String)> {
    let written = Written::of(configuration);
    let mut staged = Vec::new();
    for ring in written.rings() {
        let listed = ring.listed().into_iter();
        let listed = listed.filter(|key| Listed::of(key, &ring, history) == Listed::Staged);
        for key in listed {
            let names = ring.rules.iter().filter_map(|rule| rule.name());
            staged.extend(names.map(|name| (name.to_owned(), key.id.to_string())));
        }
    }
    staged
}

/// The names of a JSON object are sorted as it is written.
fn hash(configuration: &Value) -> String {
    let text = configuration.to_string();
    hex(&Digest::Sha256.hash(&[text.as_bytes()]))
}
