//! Parses JSONC as strictly as wrangler's parser does.

use jsonc_parser::ast::Object;
use jsonc_parser::errors::ParseError;
use jsonc_parser::tokens::{Token, TokenAndRange};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ParseResult};

use crate::project::document::syntax_error::SyntaxError;

/// The values of a text, and all that it consists of.
///
/// # Errors
/// It is no JSON.
pub fn parse(text: &str) -> Result<ParseResult<'_>, SyntaxError> {
    let collected = CollectOptions {
        comments: CommentCollectionStrategy::AsTokens,
        tokens: true,
    };
    let parsed = jsonc_parser::parse_to_ast(text, &collected, &OPTIONS).map_err(|error| {
        let at = error.range().start;
        SyntaxError::at(at, reason(&error))
    })?;
    refuse_odd_bytes(text, parsed.tokens.as_deref().unwrap_or_default())?;
    Ok(parsed)
}

fn reason(error: &ParseError) -> String {
    let reason = error.kind().to_string();
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// What this parser passes over and wrangler's does not: white space that is none in JSON, and control characters
/// in strings.
fn refuse_odd_bytes(text: &str, tokens: &[TokenAndRange<'_>]) -> Result<(), SyntaxError> {
    let mut end = 0;
    for token in tokens {
        refuse_white_space(text, end, token.range.start)?;
        end = token.range.end;
        if matches!(token.token, Token::String(_)) {
            let string = text.get(token.range.start..end).unwrap_or_default();
            if let Some(at) = string.find(|c: char| c < ' ') {
                let reason = "a control character in a string: write it as \\t, \\n or \\u00XX";
                return Err(SyntaxError::at(token.range.start + at, reason));
            }
        }
    }
    refuse_white_space(text, end, text.len())
}

fn refuse_white_space(text: &str, from: usize, to: usize) -> Result<(), SyntaxError> {
    let space = text.get(from..to).unwrap_or_default();
    match space.find(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')) {
        Some(at) => Err(SyntaxError::at(
            from + at,
            "a character that is no white space in JSON",
        )),
        None => Ok(()),
    }
}

/// Which property of that name counts.
pub fn last(object: &Object<'_>, name: &str) -> Option<usize> {
    let mut names = object.properties.iter();
    names.rposition(|property| property.name.as_str() == name)
}

/// What wrangler's parser takes: comments and a last comma, and nothing else beside JSON.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};
