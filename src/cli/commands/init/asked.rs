//! The questions: which cookies, in which format, with which key.

use zeroize::Zeroizing;

use super::attributes::usual_attributes;
use super::choices::Choices;
use super::found::{FoundCookie, Suggestion, own_lifetime};
use super::lifetime::default_age;
use super::names::{by_likelihood, needed_options, secret_name};
use super::picture;
use super::plan::{PlannedKey, PlannedRule, UNSIGNED, properties};
use super::proof::{Proof, encoding_name, likely_reading, prove};
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

fn not_signed(cookie: &FoundCookie) -> Failure {
    Failure::refused(format!(
        "{} is not signed in a way that is known here",
        cookie.name
    ))
    .hint(format!(
        "to have Countersign sign what browsers get: --wrap {}",
        cookie.name
    ))
}

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
            None => ask_key(&left, &ring, asking)?,
        };
        if pasted.trim().is_empty() {
            break;
        }
        let proofs = left
            .iter()
            .map(|cookie| (*cookie, prove(cookie, &pasted, &choices.wanted)));
        let (opened, rest): (Vec<_>, Vec<_>) = proofs.partition(|(_, proof)| proof.is_some());
        let opened: Vec<(&FoundCookie, Proof)> = opened
            .into_iter()
            .filter_map(|(cookie, proof)| Some((cookie, proof?)))
            .collect();
        if opened.is_empty() {
            let failure = opens_nothing(&left, &pasted);
            if !asking.is_person() || given.is_some() {
                return Err(failure);
            }
            asking.say(&picture::failure(&failure));
            continue;
        }
        left = rest.into_iter().map(|(cookie, _)| cookie).collect();
        add_proved(&mut ring, opened, choices, is_https, asking)?;
    }
    add_unproved(&mut ring, &left, choices, is_https, asking)?;
    Ok(ring)
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
        format!(
            "It does not open {names}. Another key for it (not shown; Enter to leave it for later):"
        )
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
        .fold(failure, |failure, cookie| failure.hint(shapes(&cookie)));
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
    opened: Vec<(&FoundCookie, Proof)>,
    choices: &Choices,
    is_https: bool,
    asking: &mut dyn Asking,
) -> Result<(), Failure> {
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
    Ok(())
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
) -> Result<countersign_core::formats::FittingShape, Failure> {
    let shapes = by_likelihood(cookie);
    let names: Vec<&str> = shapes.iter().map(|shape| shape.format).collect();
    let named = |name: &str| shapes.iter().find(|shape| shape.format == name).cloned();
    let with_options = |mut shape: countersign_core::formats::FittingShape| {
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

/// The rule of a cookie.
pub fn rule(
    cookie: &FoundCookie,
    format: &'static str,
    options: serde_json::Map<String, serde_json::Value>,
    key: usize,
    is_https: bool,
) -> PlannedRule {
    let attributes = cookie.seen.as_ref().map(|seen| seen.attributes.clone());
    let note = match &cookie.seen {
        None => Some(
            "How the site sets this cookie was not seen: compare `attributes` with its Set-Cookie.",
        ),
        Some(seen) if seen.has_made_max_age => {
            Some("The site says Expires; Max-Age is the same as a duration.")
        }
        Some(_) => None,
    };
    let attributes = attributes.unwrap_or_else(|| usual_attributes(is_https));
    let carries_time =
        properties(format, &options).is_some_and(|properties| properties.carries_time);
    let own = own_lifetime(&attributes);
    PlannedRule {
        name: cookie.name.clone(),
        format,
        options,
        chunks: cookie.chunks.filter(|_| format != "keygrip"),
        max_age_s: carries_time.then(|| default_age(format, own)).flatten(),
        attributes,
        note,
        key,
    }
}

/// The rule of a cookie that the site does not sign: Countersign seals it once that is staged and promoted.
pub fn unsigned_rule(cookie: &FoundCookie, is_https: bool) -> PlannedRule {
    rule(cookie, UNSIGNED, serde_json::Map::new(), 0, is_https)
}
