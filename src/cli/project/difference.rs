//! Which lines an edit changes.

use crate::terminal::style::{ERROR, GOOD, styled};

/// The lines that are gone and those that are new, in the order of the file.
pub fn lines(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let common = common(&old, &new);
    let (mut i, mut j, mut text) = (0, 0, String::new());
    let at = |i: usize, j: usize| {
        common
            .get(i)
            .and_then(|row| row.get(j))
            .copied()
            .unwrap_or(0)
    };
    loop {
        match (old.get(i), new.get(j)) {
            (None, None) => return text,
            (Some(a), Some(b)) if a == b => (i, j) = (i + 1, j + 1),
            (Some(a), b) if b.is_none() || at(i + 1, j) >= at(i, j + 1) => {
                text.push_str(&format!("{}\n", styled(ERROR, format!("- {a}"))));
                i += 1;
            }
            (_, b) => {
                let b = b.copied().unwrap_or_default();
                text.push_str(&format!("{}\n", styled(GOOD, format!("+ {b}"))));
                j += 1;
            }
        }
    }
}

/// How many lines the rests of both, from each pair of lines on, have in common.
fn common(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        let below = table.get(i + 1).cloned().unwrap_or_default();
        let Some(row) = table.get_mut(i) else {
            continue;
        };
        for (j, b) in new.iter().enumerate().rev() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(0);
            let best = match a == b {
                true => get(&below, j + 1) + 1,
                false => get(&below, j).max(get(row, j + 1)),
            };
            if let Some(cell) = row.get_mut(j) {
                *cell = best;
            }
        }
    }
    table
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
