//! Which lines an edit changes.

use similar::{ChangeTag, TextDiff};

use crate::terminal::style::{ERROR, GOOD, styled};

/// The lines that are gone and those that are new, in the order of the file.
pub fn lines(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let difference = TextDiff::from_slices(&old, &new);
    let lines = difference.iter_all_changes();
    let lines = lines.map(|change| match change.tag() {
        ChangeTag::Equal => String::new(),
        ChangeTag::Delete => format!("{}\n", styled(ERROR, format!("- {}", change.value()))),
        ChangeTag::Insert => format!("{}\n", styled(GOOD, format!("+ {}", change.value()))),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_differ_are_shown() {
        let text = anstream::adapter::strip_str(&lines("a\nb\nc\nd", "a\nB\nc\nd\ne")).to_string();
        assert_eq!(text, "- b\n+ B\n+ e\n");
        assert_eq!(lines("a\nb", "a\nb"), "");
    }
}
