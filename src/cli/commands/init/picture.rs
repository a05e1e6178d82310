//! Draws what was found and what a key opens.

use countersign_core::formats::Opening;

use super::found::{FoundCookie, Suggestion};
use super::names::by_likelihood;
use super::proof::{Proof, encoding_name};
use crate::terminal::answer::Failure;
use crate::terminal::style::{ERROR, FAINT, GOOD, STRONG, styled};

/// The cookies, numbered, with what each may be.
pub fn cookies(found: &[FoundCookie]) -> String {
    let width = found
        .iter()
        .map(|cookie| cookie.name.len())
        .max()
        .unwrap_or_default()
        .min(40);
    let lines = found.iter().zip(1..).map(|(cookie, number)| {
        let attributes = cookie
            .seen
            .as_ref()
            .map_or("attributes not seen", |seen| seen.attributes.as_str());
        format!(
            "  {number:>2}  {}  {}\n        {}{}\n",
            styled(STRONG, format!("{:width$}", cookie.name)),
            about(cookie),
            " ".repeat(width),
            styled(FAINT, attributes),
        )
    });
    lines.collect()
}

fn about(cookie: &FoundCookie) -> String {
    match cookie.suggestion() {
        Suggestion::Leave(why) => format!("left to the site: {why}"),
        Suggestion::Unsigned => "not signed in a way that is known here".to_owned(),
        Suggestion::Manage => {
            let shapes: Vec<&str> = by_likelihood(cookie)
                .iter()
                .map(|shape| shape.format)
                .collect();
            match shapes.as_slice() {
                [one] => format!("signed; it has the shape of {one}"),
                several => format!("signed; it has the shape of {}", several.join(", ")),
            }
        }
    }
}

/// What a key opens.
pub fn proved(cookie: &FoundCookie, proof: &Proof) -> String {
    let [first, others @ ..] = proof.openings.as_slice() else {
        return String::new();
    };
    let mut text = format!(
        "{}: {}\n",
        cookie.name,
        styled(GOOD, format!("opens as {}", opening(first)))
    );
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(opening).collect();
        text.push_str(&format!(
            "  also as {}: if that is what the site has, --format NAME\n",
            others.join(", ")
        ));
    }
    text
}

/// `itsdangerous (salt = "x")`.
pub fn opening(opening: &Opening) -> String {
    let options = opening
        .options
        .iter()
        .map(|(name, value)| format!("{name} = {value}"));
    let encoding =
        encoding_name(opening.encoding).map(|encoding| format!("encoding = \"{encoding}\""));
    let all: Vec<String> = options.chain(encoding).collect();
    if all.is_empty() {
        opening.format.to_owned()
    } else {
        format!("{} ({})", opening.format, all.join(", "))
    }
}

/// A failure that the person can do something about at once.
pub fn failure(failure: &Failure) -> String {
    let hints = failure.hints().iter().map(|hint| format!("  {hint}\n"));
    format!(
        "{} {failure}\n{}",
        styled(ERROR, "error:"),
        hints.collect::<String>()
    )
}
