//! The names in `secrets.required`: with them wrangler refuses a deployment that lacks a secret, and `wrangler dev`
//! loads no others.

use super::{BTreeSet, Draft, Node, Step, TableChange, Written, follow};
use crate::project::secrets_store::is_stored;
use crate::terminal::answer::Failure;

impl Draft {
    /// Where the configuration has the list, adds what COUNTERSIGN names by now and takes out what it named before
    /// the edits and names no longer.
    ///
    /// # Errors
    /// The list cannot be edited.
    pub fn update_required(&mut self) -> Result<(), Failure> {
        let mut table = self.own();
        table.push(Step::field("secrets"));
        let before = Self::parse(&self.before, self.environment.as_deref(), self.path.clone());
        let before = before.map(|draft| draft.secrets()).unwrap_or_default();
        let after = self.secrets();
        for gone in before.difference(&after) {
            while let Some(at) = self.required_at(&table, gone) {
                let list = REQUIRED.to_owned();
                self.apply(table.clone(), TableChange::RemoveEntry { list, at })?;
            }
        }
        for new in after.difference(&before) {
            let is_wanted = self.has_required(&table) && !self.is_stored(new);
            if is_wanted && self.required_at(&table, new).is_none() {
                let (list, entry) = (REQUIRED.to_owned(), Node::text(new));
                self.apply(table.clone(), TableChange::Push { list, entry })?;
            }
        }
        Ok(())
    }

    /// The names of all secrets that COUNTERSIGN names.
    fn secrets(&self) -> BTreeSet<String> {
        let value = self.value();
        let secrets = Written::of(&value).secrets();
        secrets.iter().map(|key| key.id.to_string()).collect()
    }

    /// Whether a name is bound from a Secrets Store, which is no secret of the Worker's own.
    fn is_stored(&self, name: &str) -> bool {
        follow(&self.root, &self.own()).is_some_and(|settings| is_stored(settings, name))
    }

    fn has_required(&self, table: &[Step]) -> bool {
        let secrets = follow(&self.root, table);
        secrets
            .and_then(|secrets| secrets.get(REQUIRED))
            .is_some_and(Node::is_list)
    }

    fn required_at(&self, table: &[Step], name: &str) -> Option<usize> {
        let entries = follow(&self.root, table)?.get(REQUIRED)?.entries();
        entries
            .iter()
            .position(|entry| entry.as_str() == Some(name))
    }
}

const REQUIRED: &str = "required";
