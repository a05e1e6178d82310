//! Wraps text at the terminal's width: lines of prose and of tables, never a command that somebody copies, and nothing
//! of a file.

use anstream::adapter::strip_str;
use textwrap::WrapAlgorithm;
use textwrap::core::{Word, display_width};

/// What a continuation of `error: …` or `hint: …` is indented by.
const HANGING: usize = 2;

/// The text at most `width` columns wide, as far as its words and commands are not wider. JSON is left alone.
pub fn wrapped(text: &str, width: usize) -> String {
    if text.starts_with(['{', '[', '#']) {
        return text.to_owned();
    }
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| wrapped_line(line, width))
        .collect();
    lines.join("\n")
}

/// One line, perhaps as several.
pub fn wrapped_line(line: &str, width: usize) -> String {
    let bare = strip_str(line).to_string();
    if display_width(&bare) <= width || is_of_a_file(&bare) {
        return line.to_owned();
    }
    let (lead, rest) = line.split_at(line.len() - line.trim_start_matches(' ').len());
    let mut pieces = pieces(rest, !lead.is_empty());
    let indent = match gap(&bare) {
        Some(column) if column * 2 <= width => column,
        Some(_) => {
            // the second column of a table below its first
            break_at_gap(&mut pieces);
            lead.len() + 2 * HANGING
        }
        None if begins_with_label(&bare) => lead.len() + HANGING,
        None => lead.len(),
    };
    let words: Vec<Word<'_>> = pieces.iter().map(|piece| Word::from(&piece.text)).collect();
    let mut lines = Vec::new();
    let mut from = 0;
    for (at, piece) in pieces.iter().enumerate() {
        if piece.ends_line || at + 1 == pieces.len() {
            let first = if lines.is_empty() { lead.len() } else { indent };
            let widths = [width.saturating_sub(first), width.saturating_sub(indent)];
            let group = WrapAlgorithm::FirstFit.wrap(&words[from..=at], &widths);
            lines.extend(group.into_iter().map(joined));
            from = at + 1;
        }
    }
    lead.to_owned() + &lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// A word, or a command that stays in one piece, with the white space behind it.
struct Piece {
    text: String,
    /// Whether the next begins a line.
    ends_line: bool,
}

/// A line of a file that is shown: removed, or added.
fn is_of_a_file(bare: &str) -> bool {
    bare.starts_with("- ") || bare.starts_with("+ ")
}

fn begins_with_label(bare: &str) -> bool {
    let first = bare.split_whitespace().next();
    first.is_some_and(|word| word.ends_with(':'))
}

/// Where the second column begins, in columns: behind the first two spaces that follow each other.
fn gap(bare: &str) -> Option<usize> {
    let lead = bare.len() - bare.trim_start_matches(' ').len();
    let body = bare.get(lead..)?;
    let at = body.find("  ")?;
    let behind = body.get(at..)?.trim_start_matches(' ');
    let ahead = body.get(..body.len() - behind.len())?;
    (!behind.is_empty()).then(|| lead + display_width(ahead))
}

fn break_at_gap(pieces: &mut [Piece]) {
    if let Some(piece) = pieces.iter_mut().find(|piece| piece.text.ends_with("  ")) {
        piece.ends_line = true;
    }
}

fn joined(words: &[Word<'_>]) -> String {
    let mut line = String::new();
    for (at, word) in words.iter().enumerate() {
        line.push_str(word.word);
        if at + 1 < words.len() {
            line.push_str(word.whitespace);
        }
    }
    line
}

/// The pieces of a line. In a table, a command that begins a column has the whole of it.
fn pieces(text: &str, is_table: bool) -> Vec<Piece> {
    let mut begins_column = is_table;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut command: Option<Command> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let word_ends = rest.find(' ').unwrap_or(rest.len());
        let word = rest.get(..word_ends).unwrap_or_default();
        let behind = rest.get(word_ends..).unwrap_or_default();
        let next = behind.trim_start_matches(' ');
        let spaces = &behind[..behind.len() - next.len()]; // a suffix of it was taken off
        rest = next;
        let shown = strip_str(word).to_string();
        let belongs = command
            .as_mut()
            .is_some_and(|command| command.takes(&shown));
        match pieces.last_mut() {
            Some(piece) if belongs => piece.text.push_str(&[word, spaces].concat()),
            _ => {
                command = Command::begun_by(&shown, begins_column);
                let text = [word, spaces].concat();
                pieces.push(Piece {
                    text,
                    ends_line: false,
                });
            }
        }
        begins_column = is_table && spaces.len() > 1;
        if spaces.len() > 1 {
            command = command.filter(Command::is_open);
        }
    }
    pieces
}

/// A command that is being read.
struct Command {
    /// How many of its words were read.
    words: usize,
    /// Whether lower-case words belong to it, as subcommands do.
    takes_words: bool,
    /// The quote that is open.
    quote: Option<char>,
    /// Whether it stands in backticks.
    is_quoted: bool,
    /// Whether its last word asks for another, as an option does.
    wants_value: bool,
    has_ended: bool,
}

impl Command {
    /// The command that a word begins, if it does.
    fn begun_by(word: &str, begins_column: bool) -> Option<Self> {
        let word = word.trim_start_matches('(');
        let name = word.trim_start_matches('`');
        let is_quoted = name.len() < word.len();
        let mut command = Self {
            words: 0,
            takes_words: begins_column || name != "countersign",
            quote: None,
            is_quoted,
            wants_value: false,
            has_ended: false,
        };
        (is_quoted || PROGRAMS.contains(&name)).then(|| {
            command.read(name);
            command
        })
    }

    /// Whether the next word is of this command.
    fn takes(&mut self, word: &str) -> bool {
        let is_taken = !self.has_ended && self.fits(word);
        if is_taken {
            self.read(word);
        } else {
            self.has_ended = true;
        }
        is_taken
    }

    fn read(&mut self, word: &str) {
        self.words += 1;
        let is_option = word.starts_with("--") && !word.contains('=');
        self.wants_value = is_option || REDIRECTIONS.contains(&word);
        for c in word.chars().filter(|c| matches!(c, '\'' | '"')) {
            match self.quote {
                None => self.quote = Some(c),
                Some(open) if open == c => self.quote = None,
                Some(_) => {}
            }
        }
        self.has_ended = if self.is_quoted {
            word.contains('`')
        } else {
            self.quote.is_none() && word.ends_with([',', ';', ')', ':'])
        };
    }

    fn fits(&self, word: &str) -> bool {
        let is_argument = word.starts_with('-')
            || REDIRECTIONS.contains(&word)
            || word
                .trim_end_matches(['.', ',', ';', ')'])
                .contains(IN_ARGUMENTS)
            || word.contains(char::is_uppercase);
        is_argument || self.is_open() || self.takes_words || self.wants_value || self.words == 1
    }

    /// Whether a quote is open, or backticks.
    fn is_open(&self) -> bool {
        !self.has_ended && (self.is_quoted || self.quote.is_some())
    }
}

/// What begins a command in the messages.
const PROGRAMS: [&str; 6] = ["countersign", "npx", "echo", "curl", "openssl", "npm"];
const REDIRECTIONS: [&str; 3] = [">", "<", ">>"];
/// What tells a file, a value or a quoted text from a word of the sentence.
const IN_ARGUMENTS: [char; 9] = ['=', '/', '_', '.', '@', '<', '"', '\'', '$'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::style::{ERROR, HINT, styled};

    fn lines(text: &str, width: usize) -> Vec<String> {
        wrapped(text, width).lines().map(str::to_owned).collect()
    }

    #[test]
    fn prose_is_wrapped_below_its_label() {
        let text = "hint: rename one of the cookies, or give one of them keys of its own";
        assert_eq!(
            lines(text, 40),
            [
                "hint: rename one of the cookies, or give",
                "  one of them keys of its own"
            ]
        );
        assert_eq!(lines(text, 100), [text]);
    }

    #[test]
    fn a_command_is_never_broken() {
        let upload =
            "npx wrangler versions upload --message 'Promote KEY_2' --config staged.toml --env=";
        assert_eq!(lines(upload, 40), [upload]);
        let text = format!("hint: finish it first: {upload}, then countersign status --json looks");
        assert_eq!(
            lines(&text, 40),
            [
                "hint: finish it first:",
                &format!("  {upload},"),
                "  then countersign status --json looks",
            ]
        );
        let text = "hint: take it out: `npx wrangler secret delete KEY_1 --env=` does it";
        assert_eq!(
            lines(text, 40)[1],
            "  `npx wrangler secret delete KEY_1 --env=`"
        );
        let format = "countersign promote --rule a --format 'format = \"jwt\", alg = \"HS512\"'";
        assert_eq!(
            lines(&format!("next: {format}  when all of it is live"), 40),
            [
                "next:",
                &format!("    {format}"),
                "    when all of it is live"
            ]
        );
        let says = "hint: countersign check says all that is wrong with it; --live asks the Worker";
        assert_eq!(
            lines(says, 40)[0],
            "hint: countersign check says all that is"
        );
    }

    #[test]
    fn a_table_keeps_its_second_column_or_has_it_below() {
        let row = "  0  nothing is wrong; there may be warnings, which are told";
        assert_eq!(
            lines(row, 40),
            [
                "  0  nothing is wrong; there may be",
                "     warnings, which are told"
            ]
        );
        let row = "  countersign check --against live  what a deployment would lose";
        assert_eq!(
            lines(row, 40),
            [
                "  countersign check --against live",
                "      what a deployment would lose"
            ]
        );
    }

    #[test]
    fn styles_have_no_width_and_wide_letters_have_two() {
        let text = format!("{} {}", styled(ERROR, "error:"), "日本語の名前 ".repeat(4));
        for line in wrapped(text.trim_end(), 40).lines() {
            assert!(display_width(line) <= 40, "{line}");
        }
        let hint = format!("{} short", styled(HINT, "hint:"));
        assert_eq!(wrapped(&hint, 40), hint);
    }

    #[test]
    fn files_and_json_are_left_alone() {
        let line = "+ attributes = \"Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=1209600\"";
        assert_eq!(wrapped(line, 40), line);
        let json = "{\n  \"a\": \"a text that is longer than forty columns are, and more\"\n}\n";
        assert_eq!(wrapped(json, 40), json);
    }
}
