//! The texts behind the options of `--help`, fitted to the terminal: their own line ends would wrap raggedly.

use clap::Command;

use crate::terminal::wrap::wrapped_line;

/// The same command and its subcommands, with their help at most `width` columns wide.
pub fn fitted(command: Command, width: usize) -> Command {
    let behind = command.get_after_help().map(ToString::to_string);
    let command = match behind {
        Some(text) => command.after_help(reflowed(&text, width)),
        None => command,
    };
    let names = command.get_subcommands().map(Command::get_name);
    let names: Vec<String> = names.map(str::to_owned).collect();
    let command = names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| fitted(subcommand, width))
    });
    command.term_width(width)
}

/// Lines of prose that follow each other are one paragraph; a line that is indented, or a title, stays one.
fn reflowed(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
        match lines.last_mut() {
            Some(paragraph) if is_prose && is_open => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
        is_open = is_prose;
    }
    let lines = lines.iter().map(|line| wrapped_line(line, width));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_and_tables_stay() {
        let text = "A text of\ntwo lines.\n\nExamples:\n  countersign check  all of it\n  0  done";
        assert_eq!(
            reflowed(text, 40),
            "A text of two lines.\n\nExamples:\n  countersign check  all of it\n  0  done"
        );
        assert_eq!(
            reflowed("A text of\ntwo lines that is longer.", 20),
            "A text of two lines\nthat is longer."
        );
    }
}
