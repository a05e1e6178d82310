//! Which cookies to manage.

use super::choices::Choices;
use super::found::{FoundCookie, Suggestion};
use super::picture;
use crate::terminal::answer::Failure;
use crate::terminal::asking::{Asking, Question};

/// The cookies that were chosen.
#[derive(Default)]
pub struct Chosen<'f> {
    pub signed: Vec<&'f FoundCookie>,
    pub unsigned: Vec<&'f FoundCookie>,
}

/// Which cookies to manage.
///
/// # Errors
/// One that is named is not there, must not be managed, or is not signed.
pub fn choose<'f>(
    found: &'f [FoundCookie],
    choices: &Choices,
    asking: &mut dyn Asking,
) -> Result<Chosen<'f>, Failure> {
    let mut chosen = Chosen::default();
    for name in &choices.wrapped {
        chosen
            .unsigned
            .push(allowed(named(found, name, "--wrap")?)?);
    }
    if !choices.cookies.is_empty() {
        for name in &choices.cookies {
            let cookie = allowed(named(found, name, "--cookie")?)?;
            if cookie.shapes.is_empty() {
                return Err(not_signed(cookie));
            }
            chosen.signed.push(cookie);
        }
        return Ok(chosen);
    }
    let suggested = found
        .iter()
        .filter(|cookie| cookie.suggestion() == Suggestion::Manage);
    let suggested: Vec<&FoundCookie> = suggested.collect();
    if !asking.is_person() || found.is_empty() {
        // nothing but what was named is wrapped
        if choices.wrapped.is_empty() {
            asking.ask(which(&suggested_text(found, &suggested)))?;
        }
        chosen.signed = suggested;
        return Ok(chosen);
    }
    ask_which(found, &suggested, asking, &mut chosen)?;
    Ok(chosen)
}

fn which(text: &str) -> Question<'_> {
    Question {
        text,
        option: "--cookie NAME",
    }
}

fn suggested_text(found: &[FoundCookie], suggested: &[&FoundCookie]) -> String {
    let numbers: Vec<String> = suggested
        .iter()
        .filter_map(|cookie| found.iter().position(|one| one.name == cookie.name))
        .map(|at| (at + 1).to_string())
        .collect();
    let default = if numbers.is_empty() {
        "none".to_owned()
    } else {
        numbers.join(" ")
    };
    format!("Which to manage, by number? [{default}]")
}

fn ask_which<'f>(
    found: &'f [FoundCookie],
    suggested: &[&'f FoundCookie],
    asking: &mut dyn Asking,
    chosen: &mut Chosen<'f>,
) -> Result<(), Failure> {
    let text = suggested_text(found, suggested);
    loop {
        let answer = asking.ask(which(&text))?;
        if answer.is_empty() {
            chosen.signed.extend(suggested);
            return Ok(());
        }
        match numbered(found, &answer) {
            Ok(cookies) => {
                for cookie in cookies {
                    sort(cookie, asking, chosen)?;
                }
                return Ok(());
            }
            Err(failure) => asking.say(&picture::failure(&failure)),
        }
    }
}

/// The cookies of an answer such as `1 3`, or by their names.
fn numbered<'f>(found: &'f [FoundCookie], answer: &str) -> Result<Vec<&'f FoundCookie>, Failure> {
    let words = answer.split([' ', ',']).filter(|word| !word.is_empty());
    let cookie = |word: &str| {
        let by_number = word
            .parse::<usize>()
            .ok()
            .and_then(|number| found.get(number.checked_sub(1)?));
        let cookie = by_number.or_else(|| found.iter().find(|cookie| cookie.name == word));
        let cookie = cookie.ok_or_else(|| {
            Failure::usage(format!(
                "no cookie in the list is called so: write numbers from 1 to {}",
                found.len()
            ))
        })?;
        allowed(cookie)
    };
    words.filter(|word| *word != "none").map(cookie).collect()
}

/// What is not signed is wrapped only if that is what is meant.
fn sort<'f>(
    cookie: &'f FoundCookie,
    asking: &mut dyn Asking,
    chosen: &mut Chosen<'f>,
) -> Result<(), Failure> {
    if !cookie.shapes.is_empty() {
        chosen.signed.push(cookie);
        return Ok(());
    }
    let text = format!(
        "{} is not signed in a way that is known here. Wrap it: browsers get it signed by Countersign, the site as it is? [y/N]",
        cookie.name
    );
    let answer = asking.ask(Question {
        text: &text,
        option: "--wrap NAME",
    })?;
    if answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes") {
        chosen.unsigned.push(cookie);
    }
    Ok(())
}

fn named<'f>(
    found: &'f [FoundCookie],
    name: &str,
    option: &str,
) -> Result<&'f FoundCookie, Failure> {
    let cookie = found.iter().find(|cookie| cookie.name == name);
    cookie.ok_or_else(|| {
        let names: Vec<&str> = found.iter().map(|cookie| cookie.name.as_str()).collect();
        let failure = Failure::usage(format!("{option}: no cookie {name} was seen"));
        let failure = match names.as_slice() {
            [] => failure,
            names => failure.hint(format!("there are {}", names.join(", "))),
        };
        failure.hint("many sites set it after a login only: log in, copy the Set-Cookie or Cookie line, and hand it over with --from FILE")
    })
}

fn allowed(cookie: &FoundCookie) -> Result<&FoundCookie, Failure> {
    match cookie.suggestion() {
        Suggestion::Leave(why) => Err(Failure::refused(format!("{}: {why}", cookie.name))),
        _ => Ok(cookie),
    }
}

/// Why a cookie cannot be managed by its signature.
pub fn not_signed(cookie: &FoundCookie) -> Failure {
    Failure::refused(format!(
        "{} is not signed in a way that is known here",
        cookie.name
    ))
    .hint(format!(
        "to have Countersign sign what browsers get: --wrap {}",
        cookie.name
    ))
}
