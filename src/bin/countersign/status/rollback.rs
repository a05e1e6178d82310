//! Which versions the live one may be rolled back to, by the history of wrangler.toml.

use std::fmt::Write;

use countersign::compatibility::{Loss, losses};
use countersign::outline::Outline;

use crate::answer::{ERROR, FAINT, GOOD, STRONG, styled};
use crate::git::Revision;

/// The live revision and those before it, the newest first.
///
/// # Errors
/// Why they are not known.
pub fn up_to_live<'h>(
    history: Option<&'h [Revision]>,
    live: &Outline,
) -> Result<&'h [Revision], &'static str> {
    let history = history.ok_or("wrangler.toml has no history in git here")?;
    let at = history.iter().position(|revision| is(revision, live));
    let from = at.and_then(|at| history.get(at..));
    from.ok_or("no commit of wrangler.toml is what is live")
}

/// A line for each revision before the live one that it may be rolled back to, and one for the first that it
/// may not. Keys go by their names: the history holds no bytes.
pub fn shown(up_to_live: Result<&[Revision], &'static str>, live: &Outline, now: u64) -> String {
    let mut text = format!("\n{}\n", styled(STRONG, "roll back to"));
    let note = |text: &str| format!("  {}\n", styled(FAINT, text));
    let revisions = match up_to_live {
        Ok(revisions) => revisions,
        Err(why) => return text + &note(&format!("not known: {why}")),
    };
    let older: Vec<&Revision> = revisions
        .iter()
        .filter(|revision| !is(revision, live))
        .collect();
    if older.is_empty() {
        return text + &note("nothing: no commit of wrangler.toml was live before this one");
    }
    for revision in older {
        let lost = lost(revision, live, now);
        let _ = writeln!(text, "{}", line(revision, lost.as_deref()));
        if lost.is_some() {
            break;
        }
    }
    text + &note("a version carries its commit's message, and the bytes that its secrets had then")
}

/// Whether it is what is live, as far as names tell.
fn is(revision: &Revision, live: &Outline) -> bool {
    outline(revision).is_some_and(|own| own == live.unprinted())
}

fn outline(revision: &Revision) -> Option<Outline> {
    revision.draft.outline().ok()
}

/// Why it may not be rolled back to; none where it may.
fn lost(revision: &Revision, live: &Outline, now: u64) -> Option<String> {
    let Some(before) = outline(revision) else {
        return Some("the Worker refuses it".to_owned());
    };
    let lost = [losses(live, &before, now), losses(&before, live, now)].concat();
    lost.first().map(Loss::to_string)
}

fn line(revision: &Revision, lost: Option<&str>) -> String {
    let Revision {
        commit, subject, ..
    } = revision;
    match lost {
        None => format!("  {}  {commit}  {subject}", styled(GOOD, "yes")),
        Some(why) => format!("  {}   {commit}  {subject}: {why}", styled(ERROR, "no")),
    }
}
