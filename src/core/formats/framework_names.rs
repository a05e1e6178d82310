//! What people call a format: the framework that writes it.

use super::description::Description;
use super::{descriptions, names};
use crate::prelude::*;
use crate::settings::{Fault, unknown};

/// What is wrong with a text that names no format: which formats its framework writes, or the nearest name. It is
/// echoed only where it is a framework's name or nearly a format's: anything else may be a key.
pub fn unknown_format(text: &str) -> Fault {
    let word = text.to_ascii_lowercase();
    let word = word.strip_suffix(".js").unwrap_or(&word);
    let word = ALIASES
        .iter()
        .find(|(alias, _)| *alias == word)
        .map_or(word, |(_, name)| *name);
    let written = descriptions()
        .filter(|description| description.name == word || is_used_by(description, word));
    let written: Vec<String> = written
        .map(|format| format!("\"{}\"", format.name))
        .collect();
    let fault = Fault::new(format!("unknown format \"{text}\""));
    match &written[..] {
        [] if UNSIGNED.contains(&word) => {
            fault.cure("no format signs as this does; to seal what it sets: format = \"sealed\", origin = { format = \"plain\" }")
        }
        [] => unknown("format", text, &names().collect::<Vec<_>>()),
        [one] => fault.cure(format!("use {one}")),
        several => fault.cure(format!("use one of {}", several.join(", "))),
    }
}

/// Whether a framework is among those that a format is used by. A name there is capitalised, has a version behind it,
/// or is the scope of a package.
fn is_used_by(description: &Description, framework: &str) -> bool {
    let mut rest = description.used_by;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (before, text) = rest.split_at(start); // a character starts where it was found
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let (word, behind) = text.split_at(end.unwrap_or(text.len())); // likewise
        let is_versioned = behind
            .strip_prefix(' ')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let is_capitalised = word.starts_with(|c: char| c.is_ascii_uppercase());
        let is_scope = before.ends_with('@') || behind.starts_with('/');
        if (is_versioned || is_capitalised || is_scope) && word.eq_ignore_ascii_case(framework) {
            return true;
        }
        rest = behind;
    }
    false
}

/// Other names of a framework.
const ALIASES: [(&str, &str); 16] = [
    ("ruby", "rails"),
    ("rubyonrails", "rails"),
    ("ruby-on-rails", "rails"),
    ("elixir", "phoenix"),
    ("golang", "go"),
    ("perl", "mojolicious"),
    ("python-jwt", "pyjwt"),
    ("aiohttp", "fernet"),
    ("aiohttp-session", "fernet"),
    ("auth", "authjs"),
    ("next", "authjs"),
    ("nextjs", "authjs"),
    ("next-auth", "nextauth"),
    ("nuxt", "iron"),
    ("axum", "cookie-rs"),
    ("actix", "cookie-rs"),
];

/// Frameworks whose session cookies are not signed, or sealed in a way that no format here opens.
const UNSIGNED: [&str; 12] = [
    "php",
    "symfony",
    "codeigniter",
    "wordpress",
    "drupal",
    "java",
    "spring",
    "tomcat",
    "jetty",
    "asp.net",
    "aspnet",
    "dotnet",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_leads_to_its_formats() {
        for (text, formats) in [
            ("flask", "use \"flask-session\""),
            ("Flask", "use \"flask-session\""),
            ("fastapi", "use \"starlette-session\""),
            ("rails", "use one of \"rails-signed\", \"rails-encrypted\""),
            ("express-session", "use \"express\""),
            ("express.js", "use \"express\""),
            ("koa", "use \"keygrip\""),
            ("phoenix", "use one of \"plug-session\", \"plug-cookie\""),
            (
                "fastify",
                "use one of \"fastify-cookie\", \"fastify-secure-session\"",
            ),
            ("gorilla", "use \"securecookie\""),
            ("next-auth", "use \"nextauth\""),
            ("auth.js", "use \"authjs\""),
            ("axum", "use \"cookie-rs\""),
            ("symfony", "to seal what it sets"),
            ("php", "to seal what it sets"),
        ] {
            let said = unknown_format(text).to_string();
            assert!(said.contains(formats), "{text}: {said}");
        }
        let django = unknown_format("django").to_string();
        assert!(
            django.contains("\"django-session\", \"django-messages\""),
            "{django}"
        );
    }

    #[test]
    fn anything_else_is_answered_as_any_unknown_word() {
        let slip = unknown_format("djnago-session").to_string();
        assert!(slip.contains("did you mean \"django-session\"?"), "{slip}");
        for key in ["hunter2hunter2", "Two cookies", "wrapping"] {
            let said = unknown_format(key).to_string();
            assert!(!said.contains(key), "{said}");
        }
    }
}
