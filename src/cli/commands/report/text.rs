//! The evidence as text.

use std::fmt::Write;

use super::evidence::{Evidence, Finding, KeyEvidence};
use crate::commands::board::words::{counted, day};
use crate::rotation::key_lives::EndKind;
use crate::terminal::style::{ERROR, FAINT, GOOD, STRONG, WARNING, styled};
use crate::terminal::time::moment;

/// All of it.
pub fn drawn(evidence: &Evidence) -> String {
    let mut text = format!(
        "{}  {} to {}\n",
        styled(STRONG, &evidence.site),
        moment(evidence.since),
        moment(evidence.made)
    );
    let width = evidence.keys.iter().map(|key| key.key.len()).max();
    let width = width.unwrap_or_default();
    for key in &evidence.keys {
        let style = match key.finding {
            Finding::Nothing => GOOD,
            Finding::NothingRecorded => WARNING,
            Finding::Opened => ERROR,
        };
        let style = if key.role == Some("current") {
            STRONG
        } else {
            style
        };
        let said = styled(style, statement(key, evidence));
        let place = styled(FAINT, place(key));
        // writing to a String cannot fail
        let _ = writeln!(text, "  {:<width$}  {said}  {place}", key.key);
    }
    let _ = writeln!(text, "\n{}", styled(STRONG, "what this cannot say"));
    for limit in &evidence.limits {
        let _ = writeln!(text, "  {limit}");
    }
    text
}

/// What is proved of a key, in a sentence without its name.
pub fn statement(key: &KeyEvidence, evidence: &Evidence) -> String {
    let last = key.last_opened;
    let last = last.map_or(String::new(), |last| {
        format!("; the last one {}", moment(last))
    });
    match key.finding {
        Finding::Nothing => format!("opened nothing since {}{last}", moment(evidence.since)),
        Finding::NothingRecorded => format!(
            "opened nothing since {}, when the ledger began; before that is not known",
            moment(evidence.ledger_since)
        ),
        Finding::Opened => format!("opened {}{last}", counted(key.opened, "cookie")),
    }
}

/// What the key is now, or how it left the ring.
pub fn place(key: &KeyEvidence) -> String {
    match (key.role, &key.left) {
        (Some(role), _) => role.to_owned(),
        (None, Some(end)) => {
            let how = match end.how {
                EndKind::Retired => "retired",
                EndKind::Revoked => "revoked",
                EndKind::Removed => "removed",
            };
            format!("{how} {}, commit {}", day(end.at), end.commit)
        }
        (None, None) => "in no ring".to_owned(),
    }
}
