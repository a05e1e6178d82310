//! The layout of a list or an object in JSONC: where its items, commas and comments stand, so that one is added or
//! taken out with the comments that are about it.

use std::ops::Range;

use jsonc_parser::tokens::{Token, TokenAndRange};

/// An object or a list: what stands between its brackets.
pub struct Layout<'t> {
    text: &'t str,
    tokens: &'t [TokenAndRange<'t>],
    /// Where the opening bracket ends, and where the closing one begins.
    inside: Range<usize>,
    /// The items: entries, or fields with their values.
    items: Vec<Range<usize>>,
}

/// A piece of a text and what takes its place.
pub type Splice = (Range<usize>, String);

impl<'t> Layout<'t> {
    /// Of a list or object from its opening to its closing bracket.
    pub fn new(
        text: &'t str,
        tokens: &'t [TokenAndRange<'t>],
        whole: Range<usize>,
        items: Vec<Range<usize>>,
    ) -> Self {
        Self {
            text,
            tokens,
            inside: whole.start + 1..whole.end - 1, // a bracket is one byte
            items,
        }
    }

    /// Adds an item at the end. `space` stands inside the brackets where it is the only one in one line.
    pub fn push(&self, item: &str, space: &str) -> Vec<Splice> {
        let Some(last) = self.items.last() else {
            return vec![self.push_first(item, space)];
        };
        let comma = self.comma_after(last.end);
        let has_comma = comma.is_some();
        let behind = self.end_of_comments(last.end, self.inside.end);
        let line = self.last_line_end(behind);
        if self.slice(last.end..self.inside.end).contains('\n') {
            let end = if has_comma { "," } else { "" };
            let start = self.line_end_before(line);
            let new = format!("{start}{}{item}{end}", self.indent_of(last.start));
            let mut splices = Vec::new();
            if !has_comma {
                splices.push((last.end..last.end, ",".to_owned()));
            }
            splices.push((line..line, new));
            return splices;
        }
        let before_comma = comma.unwrap_or(self.inside.end);
        let at = self.end_of_comments(last.end, before_comma);
        vec![(at..at, format!(", {item}"))]
    }

    /// Takes an item out. The comments above it, and behind it in its line, go with it; those behind the item
    /// before stay.
    pub fn remove(&self, at: usize) -> Vec<Splice> {
        let Some(item) = self.items.get(at) else {
            return Vec::new();
        };
        let previous = at.checked_sub(1).and_then(|at| self.items.get(at));
        let own_comma = self.comma_after(item.end);
        let mut splices = Vec::new();
        let before = match previous {
            Some(previous) => {
                let comma = self.comma_after(previous.end);
                if let (None, Some(comma)) = (own_comma, comma) {
                    splices.push((comma..comma + 1, String::new()));
                }
                comma.map_or(previous.end, |comma| comma + 1)
            }
            None => self.inside.start,
        };
        let after = own_comma.map_or(item.end, |comma| comma + 1);
        splices.push((self.cut(before, item, after, at), String::new()));
        splices.retain(|(range, _)| !range.is_empty());
        if self.is_empty_after(&splices) {
            return vec![(self.inside.clone(), String::new())];
        }
        splices
    }

    /// What goes with an item: from the end of the line above it to the end of its own; where other items stand in
    /// its line, only what is between them and it.
    fn cut(&self, before: usize, item: &Range<usize>, after: usize, at: usize) -> Range<usize> {
        let next = self.items.get(at + 1).map(|next| next.start);
        let limit = next.unwrap_or(self.inside.end);
        let end = match (self.line_end(after..limit), next) {
            (Some(line), _) => line,
            (None, Some(next)) => return item.start..next,
            (None, None) => self.end_of_comments(after, limit),
        };
        let is_first = before == self.inside.start;
        let line_above = self.line_end(before..item.start);
        line_above.unwrap_or(if is_first { item.start } else { before })..end
    }

    fn is_empty_after(&self, splices: &[Splice]) -> bool {
        let is_gone = |at: &usize| splices.iter().any(|(range, _)| range.contains(at));
        let inside = self.slice(self.inside.clone()).char_indices();
        let mut left = inside.filter(|(at, _)| !is_gone(&(self.inside.start + at)));
        left.all(|(_, c)| c.is_whitespace())
    }

    fn push_first(&self, item: &str, space: &str) -> Splice {
        let inside = self.slice(self.inside.clone());
        let behind = self.end_of_comments(self.inside.start, self.inside.end);
        if !inside.contains('\n') {
            let has_comment = behind > self.inside.start;
            let new = if has_comment {
                format!(" {item}{space}")
            } else {
                format!("{space}{item}{space}")
            };
            return (behind..self.inside.end, new);
        }
        let line = self.last_line_end(behind);
        let closing = self.indent_of(self.inside.end);
        let unit = if closing.contains('\t') { "\t" } else { "  " };
        let start = self.line_end_before(line);
        (line..line, format!("{start}{closing}{unit}{item}"))
    }

    /// Where the line ends after which a new last item comes, behind all comments.
    fn last_line_end(&self, behind: usize) -> usize {
        let space = self.slice(behind..self.inside.end);
        match space.rfind('\n') {
            Some(at) if space.get(..at).is_some_and(|line| line.ends_with('\r')) => behind + at - 1,
            Some(at) => behind + at,
            None => behind,
        }
    }

    /// The line end that is used here.
    fn line_end_before(&self, at: usize) -> &'static str {
        let line = self.text.get(..at).unwrap_or_default();
        let here = self.text.get(at..).unwrap_or_default();
        let is_windows = here.starts_with("\r\n")
            || !here.starts_with('\n')
                && line
                    .rfind('\n')
                    .is_some_and(|at| line[..at].ends_with('\r'));
        if is_windows { "\r\n" } else { "\n" }
    }

    /// The white space in front of what begins the line that a byte is in.
    fn indent_of(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text.get(line..).unwrap_or_default();
        let indent = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
        indent.collect()
    }

    /// The first line end that is in no comment.
    fn line_end(&self, range: Range<usize>) -> Option<usize> {
        let mut from = range.start;
        for comment in self.comments(range.clone()) {
            if let Some(at) = line_end_in(self.slice(from..comment.start)) {
                return Some(from + at);
            }
            from = comment.end;
        }
        line_end_in(self.slice(from..range.end)).map(|at| from + at)
    }

    /// Where the last comment ends, or where the range begins.
    fn end_of_comments(&self, from: usize, to: usize) -> usize {
        let last = self.comments(from..to).last();
        let comma = self.comma_after(from).filter(|comma| *comma < to);
        let from = comma.map_or(from, |comma| comma + 1);
        last.map_or(from, |last| last.end.max(from))
    }

    fn comments(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let is_comment = |token: &&TokenAndRange<'_>| {
            matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_))
        };
        let inside = self.tokens.iter().filter(is_comment);
        let inside = inside.map(|token| token.range.start..token.range.end);
        inside.filter(move |one| one.start >= range.start && one.end <= range.end)
    }

    /// The comma that follows an item.
    fn comma_after(&self, at: usize) -> Option<usize> {
        let mut behind = self.tokens.iter().filter(|token| token.range.start >= at);
        let next = behind
            .find(|token| !matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_)))?;
        (next.token == Token::Comma).then_some(next.range.start)
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }
}

fn line_end_in(space: &str) -> Option<usize> {
    let at = space.find('\n')?;
    let is_windows = space.get(..at)?.ends_with('\r');
    Some(if is_windows { at - 1 } else { at })
}
