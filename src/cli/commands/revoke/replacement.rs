//! A key gets new bytes under its name, at once.

use countersign_core::operations::capabilities::Capabilities;

use super::error::RevokeError;
use super::upgrades;
use crate::project::secrets_store::StoredSecret;
use crate::remote::wrangler::{self, WranglerError};
use crate::rotation::baseline::Baseline;
use crate::rotation::change::{logins_line, note_line};
use crate::rotation::editing::Draft;
use crate::rotation::key_roles::{format_of, key_names, signs_at_origin};
use crate::rotation::logins::LostRoles;
use crate::rotation::new_key::fitting;
use crate::rotation::revocation::{self, KeyReplacement};
use crate::rotation::run::Run;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::progress::{begin, print_beside};

/// Gives a key new bytes, and says what ended.
///
/// # Errors
/// The site signs with it, no ring has it, or somebody does not do what they are asked.
pub fn replace(run: &Run<'_>, draft: &Draft, key: &str) -> Result<Answer, RevokeError> {
    if StoredSecret::of(&run.environment, key).is_some() {
        return Err(RevokeError::IsStored {
            key: key.to_owned(),
            option: run.option(),
        });
    }
    if !run.options.dry_run {
        wrangler::refuse_missing(&run.environment).map_err(Failure::from)?;
    }
    let local = draft.capabilities()?;
    let live = run.baseline()?;
    let format = replaceable(run, [&local, &live.capabilities], key)?;
    let (value, _) = fitting(&run.environment, draft, key, &format)?;
    let mut notes = upgrades::notes(&run.environment, draft, &[&local, &live.capabilities], key);
    notes.extend(run.clock_note());
    let who = LostRoles::all(key).logins(run, draft, live);
    let words = ["secret", "put", key];
    let done = if run.options.dry_run {
        let put = wrangler::typed(&run.environment, &words);
        format!("countersign keygen --format {format} | {put}\n")
    } else {
        print_beside(&logins_line(&who)); // before it acts
        begin(&format!("putting new bytes into the secret {key}"));
        wrangler::run(&run.environment, &words, Some(&value))
            .map_err(|error| put_error(run, key, error))?;
        // from here on what is left to say is said, whatever comes
        let confirmed = confirm(run, live, key);
        notes.extend(KeyReplacement::of(key).note(&run.environment));
        match confirmed {
            Ok(done) => done,
            Err(failure) => return Err(notes.into_iter().fold(failure, Failure::hint).into()),
        }
    };
    let notes = notes.iter().map(|note| note_line(note));
    let notes: String = notes.collect();
    Ok(Answer::success(done + &logins_line(&who) + &notes))
}

/// The format that the new bytes have to fit.
fn replaceable(
    run: &Run<'_>,
    [local, live]: [&Capabilities; 2],
    key: &str,
) -> Result<String, RevokeError> {
    let signs = |capabilities| !signs_at_origin(capabilities, key).is_empty();
    if signs(local) || signs(live) {
        return Err(RevokeError::SignsAtOrigin {
            key: key.to_owned(),
            option: run.option(),
        });
    }
    let format = format_of(live, key).or_else(|| format_of(local, key));
    format.ok_or_else(|| RevokeError::NotInRing {
        key: key.to_owned(),
        known: key_names(local),
    })
}

fn put_error(run: &Run<'_>, key: &str, error: WranglerError) -> RevokeError {
    match error {
        WranglerError::LatestNotDeployed(_) => RevokeError::LatestNotDeployed {
            key: key.to_owned(),
            option: run.option(),
            put: wrangler::typed(&run.environment, &["versions", "secret", "put", "NAME"]),
            error: Box::new(error),
        },
        WranglerError::Interrupted { .. } => RevokeError::Other(Failure::from(error).hint(format!(
            "whether {key} got new bytes is not known: it has where countersign status{} shows another fingerprint than before; to be sure, run the command again",
            run.option()
        ))),
        error => RevokeError::Other(error.into()),
    }
}

/// Says that the key is dead once the live Worker shows another fingerprint for it.
///
/// # Errors
/// It shows the old one, or was not asked.
fn confirm(run: &Run<'_>, before: &Baseline, key: &str) -> Result<String, Failure> {
    if !before.is_live {
        return Err(revocation::unconfirmed(
            &run.environment,
            key,
            "the live Worker was not asked",
        ));
    }
    if format_of(&before.capabilities, key).is_none() {
        let site = &before.source;
        return Ok(format!(
            "{key} has new bytes; {site} has no key of that name in its rings, so nothing ends there\n"
        ));
    }
    let live = run.live_worker()?;
    revocation::confirm(&run.environment, &live, &before.capabilities, key)?;
    Ok(format!(
        "{key} has new bytes: what the old ones sealed opens no longer\n"
    ))
}
