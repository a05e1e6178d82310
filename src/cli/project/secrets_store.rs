//! Secrets that are bound from a Secrets Store of the account: no command of this program can put them there.

use crate::project::config::Environment;
use crate::project::document::node::Node;

/// The setting that binds them; environments do not inherit it.
const SETTING: &str = "secrets_store_secrets";

/// Where a secret stands.
pub struct StoredSecret {
    store: String,
    name: String,
}

impl StoredSecret {
    /// The secret that is bound under a name, if one is.
    pub fn of(environment: &Environment<'_>, binding: &str) -> Option<Self> {
        let entry = entry(environment.own(SETTING)?, binding)?;
        let text = |field: &str, otherwise: &str| {
            let text = entry.get(field).and_then(Node::as_str);
            text.unwrap_or(otherwise).to_owned()
        };
        Some(Self {
            store: text("store_id", "STORE_ID"),
            name: text("secret_name", binding),
        })
    }

    /// The command that puts it there; wrangler asks for the value.
    pub fn creation(&self) -> String {
        let Self { store, name } = self;
        format!(
            "npx wrangler secrets-store secret create {store} --name {name} --scopes workers --remote"
        )
    }
}

/// Whether the settings of an environment bind a name from a store.
pub fn is_stored(settings: &Node, binding: &str) -> bool {
    settings
        .get(SETTING)
        .is_some_and(|bound| entry(bound, binding).is_some())
}

fn entry<'n>(bound: &'n Node, binding: &str) -> Option<&'n Node> {
    let name = |entry: &Node| entry.get("binding").and_then(Node::as_str) == Some(binding);
    bound.entries().iter().find(|entry| name(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::config::Config;

    #[test]
    fn a_name_that_is_bound_from_a_store_is_found_in_its_own_environment() {
        let folder = std::env::temp_dir().join(format!("secrets-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("wrangler.toml");
        std::fs::write(
            &path,
            "name = \"a\"\n[[secrets_store_secrets]]\nbinding = \"KEY_1\"\nstore_id = \"f00\"\nsecret_name = \"shop\"\n[env.b]\n",
        )
        .unwrap();
        let config = Config::read(Some(&path)).unwrap();
        let stored = StoredSecret::of(&config.top(), "KEY_1").unwrap();
        assert_eq!(
            stored.creation(),
            "npx wrangler secrets-store secret create f00 --name shop --scopes workers --remote"
        );
        assert!(StoredSecret::of(&config.top(), "KEY_2").is_none());
        assert!(StoredSecret::of(&config.named("b").unwrap(), "KEY_1").is_none());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
