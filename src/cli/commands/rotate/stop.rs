//! Why `countersign rotate` takes no step and calls a person.

use crate::terminal::answer::Failure;
use crate::terminal::time::moment;

/// What is unusual.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// wrangler.toml has no history in git.
    NoHistory,
    /// The clone does not go back to the first commit.
    ShallowHistory,
    /// Something other than what is committed is live.
    LiveDiffers,
    /// The live Worker changes nothing for a cookie.
    OnlyObserved { rule: String },
    /// The newest commit is a step of `countersign leave`.
    Leaving,
    /// A key was revoked a short time ago; until when nothing is done, in Unix seconds.
    RevocationUnderWay { key: String, until: u64 },
    /// A key that was revoked is in the ring, and nobody has staged it again.
    RevokedKeyInUse { key: String },
    /// One key stands in two rings, each of a rule or of all others.
    SharedKey {
        key: String,
        rules: [Option<String>; 2],
    },
    /// A rule goes by the current key of all and lists other fallbacks.
    OtherFallbacks { rule: String },
    /// More than one key is staged.
    SeveralStaged { keys: Vec<String> },
    /// A fallback that has sealed before has no `until`.
    NoUntil { key: String },
    /// The history does not say since when a key has its role.
    UnknownAge { key: String },
    /// No rule goes by a ring.
    NothingManaged,
}

impl Stop {
    /// What is unusual, for people.
    fn reason(&self) -> String {
        match self {
            Self::NoHistory => {
                "the configuration has no history in git: the age of a key is not known".to_owned()
            }
            Self::ShallowHistory => {
                "the history in git is cut off: the age of a key is not known".to_owned()
            }
            Self::LiveDiffers => "what is live is not what is committed".to_owned(),
            Self::OnlyObserved { rule } => format!("{rule} is only observed"),
            Self::Leaving => "countersign leave is under way".to_owned(),
            Self::RevocationUnderWay { key, until } => format!(
                "{key} was revoked a short time ago: no step is taken before {}",
                moment(*until)
            ),
            Self::RevokedKeyInUse { key } => {
                format!("{key} was revoked, and is in the ring again")
            }
            Self::SharedKey { key, rules } => {
                let [one, other] = rules.each_ref().map(|rule| whose(rule.as_deref()));
                format!("{key} is in {one} and in {other}")
            }
            Self::OtherFallbacks { rule } => {
                format!("{rule} lists other fallbacks than the ring that it goes by")
            }
            Self::SeveralStaged { keys } => {
                format!("more than one key is staged: {}", keys.join(", "))
            }
            Self::NoUntil { key } => format!("{key} is a fallback that no `until` ends"),
            Self::UnknownAge { key } => {
                format!("the history in git does not say how old {key} is")
            }
            Self::NothingManaged => "no rule goes by a ring of keys".to_owned(),
        }
    }

    /// What to do about it; ` --env NAME` behind the commands.
    fn cure(&self, option: &str) -> String {
        match self {
            Self::NoHistory | Self::UnknownAge { .. } => {
                "commit the configuration, and run this in a clone with its whole history"
                    .to_owned()
            }
            Self::ShallowHistory => {
                "fetch all of it: git fetch --unshallow; in GitHub's workflows: fetch-depth: 0"
                    .to_owned()
            }
            Self::LiveDiffers => format!(
                "compare: countersign check --against live{option}; then deploy what is committed, or git pull what was deployed"
            ),
            Self::OnlyObserved { .. } => {
                "enforce it first: docs/runbook.md, First deployment".to_owned()
            }
            Self::Leaving => {
                format!("go on with countersign leave{option}, and end the schedule")
            }
            Self::RevocationUnderWay { .. } => {
                format!("bring it to its end, and look what is live: countersign status{option}")
            }
            Self::RevokedKeyInUse { key } => {
                format!("take it out again: countersign revoke {key} --deploy{option}")
            }
            Self::SharedKey { .. } => {
                "give each ring keys of its own, or all rules one ring".to_owned()
            }
            Self::OtherFallbacks { .. } => {
                "leave out its own `fallbacks`, or give it a current key of its own".to_owned()
            }
            Self::SeveralStaged { .. } => {
                "promote the one that is meant, or take the other out of `fallbacks`".to_owned()
            }
            Self::NoUntil { key } => {
                format!("give its entry an `until`, or: countersign retire {key} --deploy{option}")
            }
            Self::NothingManaged => "there is nothing to rotate".to_owned(),
        }
    }

    /// As the command ends.
    pub fn into_failure(self, option: &str) -> Failure {
        Failure::refused(self.reason()).hint(self.cure(option))
    }
}

fn whose(rule: Option<&str>) -> String {
    rule.map_or("the ring of all rules".to_owned(), |rule| {
        format!("the ring of {rule}")
    })
}
