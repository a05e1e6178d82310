//! `.gitignore` of a folder: secrets, and what wrangler and npm put there, stay out of git.

pub const PATH: &str = ".gitignore";

pub const TEXT: &str = "\
node_modules
.wrangler
.dev.vars
.dev.vars.*
.env
.env.*
";

/// The file with the lines that it lacks, and those lines; none where it lacks none.
///
/// They come first: a line behind them, such as `!.env.example`, overrules them as somebody meant it.
pub fn completed(before: &[u8]) -> Option<(Vec<u8>, Vec<&'static str>)> {
    let present: Vec<&[u8]> = before.split(|byte| *byte == b'\n').map(pattern).collect();
    let is_missing = |line: &&str| !present.contains(&line.as_bytes());
    let missing: Vec<&str> = TEXT.lines().filter(is_missing).collect();
    if missing.is_empty() {
        return None;
    }
    let end = if before.windows(2).any(|pair| pair == b"\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let mut after: Vec<u8> = Vec::new();
    for line in &missing {
        after.extend_from_slice(line.as_bytes());
        after.extend_from_slice(end.as_bytes());
    }
    after.extend_from_slice(before);
    Some((after, missing))
}

/// A line as far as it matters here: `/node_modules/` is `node_modules` for what stands at the top.
fn pattern(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"/").unwrap_or(line);
    line.strip_suffix(b"/").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(before: &str) -> Option<(String, Vec<&'static str>)> {
        let (after, missing) = completed(before.as_bytes())?;
        Some((String::from_utf8(after).unwrap(), missing))
    }

    #[test]
    fn a_gitignore_that_has_all_lines_stays_as_it_is() {
        assert_eq!(text(TEXT), None);
        let spelled = "# ours\r\n/node_modules/\r\n/.wrangler/\r\n.dev.vars \r\n.dev.vars.*\r\n.env\r\n.env.*";
        assert_eq!(text(spelled), None);
    }

    #[test]
    fn missing_lines_come_first_so_that_what_somebody_has_let_in_stays_in() {
        let before = "node_modules\n.wrangler\n.dev.vars\n.env\n!.env.example\ndist";
        let (after, missing) = text(before).unwrap();
        assert_eq!(missing, [".dev.vars.*", ".env.*"]);
        assert_eq!(after, format!(".dev.vars.*\n.env.*\n{before}"));
    }

    #[test]
    fn an_empty_one_gets_all_and_line_ends_stay_as_they_are() {
        assert_eq!(text("").unwrap().0, TEXT);
        let before = TEXT.replace(".env.*\n", "").replace('\n', "\r\n");
        assert_eq!(text(&before).unwrap().0, format!(".env.*\r\n{before}"));
    }
}
