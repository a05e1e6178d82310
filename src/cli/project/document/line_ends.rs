//! The line ends of a file that has been edited: each line keeps its own, also where a file has two kinds.

use similar::{ChangeTag, TextDiff};

/// Gives each line of an edited text the end that it had before, and each new one the end of the line above it.
pub fn keep(before: &str, after: &str) -> String {
    if !before.contains("\r\n") {
        return after.to_owned();
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let after = after.replace("\r\n", "\n");
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let bare: Vec<&str> = old.iter().map(|line| without_end(line)).collect();
    let new_bare: Vec<&str> = new.iter().map(|line| without_end(line)).collect();
    let mut end = old.first().copied().map_or("\n", end_of);
    let mut text = String::new();
    for change in TextDiff::from_slices(&bare, &new_bare).iter_all_changes() {
        let line = change.old_index().and_then(|at| old.get(at));
        // the last line of a file may have none
        if let Some(line) = line.filter(|line| line.ends_with('\n')) {
            end = end_of(line);
        }
        if let Some(line) = change.new_index().and_then(|at| new.get(at))
            && change.tag() != ChangeTag::Delete
        {
            text.push_str(without_end(line));
            if line.ends_with('\n') {
                text.push_str(end);
            }
        }
    }
    text
}

fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn end_of(line: &str) -> &'static str {
    if line.ends_with("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_keeps_its_end_and_a_new_one_takes_that_of_the_line_above() {
        let before = "a\r\nb\nc\r\nd\n";
        assert_eq!(keep(before, "a\nB\nc\nd\n"), "a\r\nB\nc\r\nd\n");
        assert_eq!(keep(before, "a\nb\nc\nnew\nd\n"), "a\r\nb\nc\r\nnew\r\nd\n");
        assert_eq!(keep(before, "a\nc\nd\n"), "a\r\nc\r\nd\n");
        assert_eq!(keep("a\nb", "a\nc"), "a\nc");
        assert_eq!(keep("a\r\nb", "a\nb\n"), "a\r\nb\r\n");
    }
}
