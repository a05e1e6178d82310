//! The keys of the cookies that were chosen: asked for, and proved at once.

use countersign_core::formats::FittingShape;
use zeroize::Zeroizing;

use super::choices::Choices;
use super::choosing::{Chosen, not_signed};
use super::found::FoundCookie;
use super::names::{by_likelihood, needed_options, secret_name};
use super::picture;
use super::plan::{PlannedKey, PlannedRule};
use super::proof::{Proof, encoding_name, likely_reading, prove};
use super::rules::rule;
use crate::terminal::answer::Failure;
use crate::terminal::asking::{Asking, Question};

/// Keys and rules as far as they are known.
#[derive(Default)]
pub struct Ring {
    pub keys: Vec<PlannedKey>,
    pub rules: Vec<PlannedRule>,
    /// The names of the cookies that a key was proved against.
    pub proved: Vec<String>,
}

/// The keys of the signed cookies, each proved against its cookie, and their rules.
///
/// # Errors
/// A key that was given opens none of them.
pub fn ring(
    chosen: &Chosen<'_>,
    choices: &Choices,
    is_https: bool,
    asking: &mut dyn Asking,
) -> Result<Ring, Failure> {
    let mut ring = Ring::default();
    let mut left = chosen.signed.clone();
    while !left.is_empty() {
        let given = choices.key.as_ref().filter(|_| ring.keys.is_empty());
        let pasted = match given {
            Some(key) => key.clone(),
            // who gave one key is not there to give another
            None if choices.key.is_some() && !asking.is_person() => break,
            None => ask_key(&left, &ring, asking)?,
        };
        if pasted.trim().is_empty() {
            break;
        }
        let (opened, rest) = opened_by(&pasted, left, choices);
        left = rest;
        if !opened.is_empty() {
            add_proved(&mut ring, opened, choices, is_https, asking);
            continue;
        }
        let failure = opens_nothing(&left, &pasted);
        if !asking.is_person() || given.is_some() {
            return Err(failure);
        }
        asking.say(&picture::failure(&failure));
    }
    if ring.keys.is_empty() {
        add_unproved(&mut ring, &left, choices, is_https, asking)?;
        return Ok(ring);
    }
    let is_named = |cookie: &&&FoundCookie| choices.cookies.contains(&cookie.name);
    match left.iter().find(is_named) {
        Some(cookie) => Err(opens_nothing(
            &[*cookie],
            choices.key.as_ref().map_or("", |key| key),
        )),
        None => Ok(ring),
    }
}

type Opened<'f> = Vec<(&'f FoundCookie, Proof)>;

/// The cookies that a key opens, and the others.
fn opened_by<'f>(
    pasted: &str,
    cookies: Vec<&'f FoundCookie>,
    choices: &Choices,
) -> (Opened<'f>, Vec<&'f FoundCookie>) {
    let (mut opened, mut others) = (Vec::new(), Vec::new());
    for cookie in cookies {
        match prove(cookie, pasted, &choices.wanted) {
            Some(proof) => opened.push((cookie, proof)),
            None => others.push(cookie),
        }
    }
    (opened, others)
}

fn ask_key(
    left: &[&FoundCookie],
    ring: &Ring,
    asking: &mut dyn Asking,
) -> Result<Zeroizing<String>, Failure> {
    let names: Vec<&str> = left.iter().map(|cookie| cookie.name.as_str()).collect();
    let names = names.join(", ");
    let text = if ring.keys.is_empty() {
        format!(
            "The secret key that the site signs {names} with (not shown; Enter to leave it for later):"
        )
    } else {
        format!("It does not open {names}. Another key for it (not shown; Enter to leave it out):")
    };
    asking.ask_hidden(Question {
        text: &text,
        option: "--key-file FILE",
    })
}

fn opens_nothing(left: &[&FoundCookie], pasted: &str) -> Failure {
    let names: Vec<&str> = left.iter().map(|cookie| cookie.name.as_str()).collect();
    let shapes = |cookie: &&FoundCookie| {
        let shapes: Vec<&str> = by_likelihood(cookie)
            .iter()
            .map(|shape| shape.format)
            .collect();
        format!("{} has the shape of {}", cookie.name, shapes.join(", "))
    };
    let length = likely_reading(pasted).chars().count();
    let failure = Failure::refused(format!(
        "this key of {length} characters does not open {}",
        names.join(", ")
    ));
    let failure = left
        .iter()
        .fold(failure, |failure, cookie| failure.hint(shapes(cookie)));
    let failure = failure.hint("perhaps it is another environment's key, a part of it, or the cookie is older than the key; where the site has several keys, take the first, which signs");
    let needed = left
        .iter()
        .flat_map(|cookie| &cookie.shapes)
        .flat_map(|shape| needed_options(shape.format));
    match needed.min() {
        Some(option) => failure.hint(format!(
            "where it is Phoenix's session, add what the endpoint says: --option {option}=…"
        )),
        None => failure,
    }
}

fn add_proved(
    ring: &mut Ring,
    opened: Opened<'_>,
    choices: &Choices,
    is_https: bool,
    asking: &mut dyn Asking,
) {
    for (cookie, proof) in opened {
        let Some(opening) = proof.openings.first() else {
            continue;
        };
        asking.say(&picture::proved(cookie, &proof));
        let encoding = encoding_name(opening.encoding);
        let known = ring.keys.iter().position(|key| {
            key.encoding == encoding && key.text.as_ref().is_some_and(|text| **text == *proof.key)
        });
        let key = known.unwrap_or_else(|| {
            let secret = free_name(ring, opening.format, cookie, choices);
            ring.keys.push(PlannedKey {
                secret,
                encoding,
                text: Some(proof.key.clone()),
            });
            ring.keys.len() - 1
        });
        ring.proved.push(cookie.name.clone());
        ring.rules.push(rule(
            cookie,
            opening.format,
            opening.options.clone(),
            key,
            is_https,
        ));
    }
}

/// The rules of cookies whose key nobody gave.
fn add_unproved(
    ring: &mut Ring,
    left: &[&FoundCookie],
    choices: &Choices,
    is_https: bool,
    asking: &mut dyn Asking,
) -> Result<(), Failure> {
    for cookie in left {
        let shape = chosen_shape(cookie, choices, asking)?;
        let secret = secret_name(shape.format, &cookie.name);
        let known = ring.keys.iter().position(|key| {
            key.text.is_none()
                && (key.secret == secret || choices.secret.as_deref() == Some(key.secret.as_str()))
        });
        let key = known.unwrap_or_else(|| {
            let secret = free_name(ring, shape.format, cookie, choices);
            ring.keys.push(PlannedKey {
                secret,
                encoding: None,
                text: None,
            });
            ring.keys.len() - 1
        });
        ring.rules
            .push(rule(cookie, shape.format, shape.options, key, is_https));
    }
    Ok(())
}

/// The format of a cookie that no key was proved against.
fn chosen_shape(
    cookie: &FoundCookie,
    choices: &Choices,
    asking: &mut dyn Asking,
) -> Result<FittingShape, Failure> {
    let shapes = by_likelihood(cookie);
    let names: Vec<&str> = shapes.iter().map(|shape| shape.format).collect();
    let named = |name: &str| shapes.iter().find(|shape| shape.format == name).cloned();
    let with_options = |mut shape: FittingShape| {
        shape.options.extend(choices.wanted.options.clone());
        let missing = needed_options(shape.format)
            .into_iter()
            .find(|option| !choices.wanted.options.contains_key(*option));
        match missing {
            Some(option) => Err(Failure::usage(format!(
                "{} needs {option}, which no cookie shows",
                shape.format
            ))
            .hint(format!(
                "copy it from the site's endpoint: --option {option}=…"
            ))),
            None => Ok(shape),
        }
    };
    if let Some(format) = &choices.wanted.format {
        let shape = named(format).ok_or_else(|| {
            Failure::refused(format!("{} has not the shape of {format}", cookie.name))
                .hint(format!("it has that of {}", names.join(", ")))
        })?;
        return with_options(shape);
    }
    let Some(first) = shapes.first() else {
        return Err(not_signed(cookie));
    };
    if shapes.len() == 1 || !asking.is_person() {
        return with_options(first.clone());
    }
    let text = format!(
        "Nothing is proved without a key. The format of {}: {}? [{}]",
        cookie.name,
        names.join(", "),
        first.format
    );
    loop {
        let answer = asking.ask(Question {
            text: &text,
            option: "--format NAME",
        })?;
        match named(&answer) {
            Some(shape) => return with_options(shape),
            None if answer.is_empty() => return with_options(first.clone()),
            None => asking.say("that is none of these\n"),
        }
    }
}

/// The name of a secret that no other key has.
fn free_name(ring: &Ring, format: &str, cookie: &FoundCookie, choices: &Choices) -> String {
    let is_taken = |name: &String| ring.keys.iter().any(|key| key.secret == *name);
    let usual = secret_name(format, &cookie.name).to_owned();
    let first = choices
        .secret
        .clone()
        .filter(|name| !is_taken(name))
        .unwrap_or(usual);
    if !is_taken(&first) {
        return first;
    }
    let mut others = (2..).map(|number| format!("{first}_{number}"));
    others.find(|name| !is_taken(name)).unwrap_or(first)
}
