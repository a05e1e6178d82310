//! Standard input, also where it is a terminal: that cuts a pasted line at 4,095 bytes as long as it edits lines.

use std::io::{IsTerminal, Read, stdin};

use crate::terminal::answer::Failure;
use crate::terminal::progress::print_beside;

/// All of standard input; of a terminal one line, which is asked for.
///
/// # Errors
/// It is not UTF-8, or Ctrl-C was typed.
pub fn read(prompt: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    if stdin().is_terminal() {
        print_beside(&format!("{prompt}\n"));
        bytes = line::read(LineKind::Needed)?;
    } else if stdin().read_to_end(&mut bytes).is_err() {
        return Err(Failure::usage("standard input cannot be read"));
    }
    text(bytes)
}

/// What is pasted at a terminal at once: a line, and the lines that come with it. It may be empty.
///
/// # Errors
/// It is not UTF-8, or Ctrl-C was typed.
pub fn read_pasted() -> Result<String, Failure> {
    text(line::read(LineKind::Pasted)?)
}

/// A line that is typed or pasted at a terminal, which does not show it. It may be empty.
///
/// # Errors
/// It is not UTF-8, or Ctrl-C was typed.
pub fn read_hidden() -> Result<String, Failure> {
    let read = line::read(LineKind::Hidden);
    print_beside("\n"); // the one that was typed was not shown
    text(read?)
}

/// A text without what it was copied with: curl's option, quotes around all of it, the end of a continued line.
pub fn unwrapped(text: &str) -> &str {
    let text = text.trim().trim_end_matches('\\').trim_end();
    let options = ["-b ", "-H ", "--cookie ", "--header "];
    let behind = options.iter().find_map(|option| text.strip_prefix(option));
    let text = behind.unwrap_or(text).trim();
    let quotes = [('\'', '\''), ('"', '"'), ('`', '`'), ('“', '”'), ('‘', '’')];
    let inside = quotes
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inside.unwrap_or(text).trim()
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|_| Failure::usage("standard input is not UTF-8 text"))
}

/// What a line is for.
#[derive(Clone, Copy, PartialEq)]
enum LineKind {
    /// It must not be empty.
    Needed,
    /// It may be empty, and others may come with it.
    Pasted,
    /// It may be empty, and is not shown.
    Hidden,
}

/// What a line is made of that is typed or pasted without line editing.
struct Line {
    bytes: Vec<u8>,
    may_be_empty: bool,
}

/// What a byte does.
#[derive(Debug, PartialEq)]
enum Reading {
    GoesOn,
    Ends,
    Interrupted,
}

impl Line {
    /// Ctrl-C and Ctrl-D come as bytes, as all else does; the line ends at Enter unless it is empty.
    fn take(&mut self, byte: u8) -> Reading {
        match byte {
            0x03 => return Reading::Interrupted,
            0x04 => return Reading::Ends,
            b'\r' | b'\n' if self.may_be_empty || !self.bytes.trim_ascii().is_empty() => {
                return Reading::Ends;
            }
            0x08 | 0x7F => {
                self.bytes.pop();
            }
            byte => self.bytes.push(byte),
        }
        Reading::GoesOn
    }
}

#[cfg(unix)]
mod line {
    use std::io::{Read, stdin};

    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
    };

    use crate::terminal::answer::Failure;
    use crate::terminal::paste::{Line, LineKind, Reading};

    /// Gives the terminal back as it was, whatever happens.
    struct Unedited(Termios);

    impl Unedited {
        fn new(kind: LineKind) -> Option<Self> {
            let before = tcgetattr(stdin()).ok()?;
            let mut modes = before.clone();
            modes.local_modes -= LocalModes::ICANON | LocalModes::ISIG;
            if kind == LineKind::Hidden {
                modes.local_modes -= LocalModes::ECHO;
            }
            tcsetattr(stdin(), OptionalActions::Now, &modes).ok()?;
            Some(Self(before))
        }

        /// From here on a read ends by itself where nothing comes for a tenth of a second.
        fn wait_no_longer(&self) -> Option<()> {
            let mut modes = tcgetattr(stdin()).ok()?;
            modes.special_codes[SpecialCodeIndex::VMIN] = 0;
            modes.special_codes[SpecialCodeIndex::VTIME] = 1;
            tcsetattr(stdin(), OptionalActions::Now, &modes).ok()
        }
    }

    impl Drop for Unedited {
        fn drop(&mut self) {
            // nothing more can be done for it
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
        }
    }

    pub fn read(kind: LineKind) -> Result<Vec<u8>, Failure> {
        let unedited = Unedited::new(kind);
        let mut line = Line {
            bytes: Vec::new(),
            may_be_empty: kind != LineKind::Needed,
        };
        let unread = |_| Failure::usage("standard input cannot be read");
        for byte in stdin().lock().bytes() {
            match line.take(byte.map_err(unread)?) {
                Reading::GoesOn => {}
                Reading::Ends => break,
                Reading::Interrupted => return Err(Failure::usage("interrupted")),
            }
        }
        if kind == LineKind::Pasted
            && let Some(()) = unedited.as_ref().and_then(Unedited::wait_no_longer)
        {
            line.bytes.push(b'\n');
            stdin()
                .lock()
                .read_to_end(&mut line.bytes)
                .map_err(unread)?;
        }
        Ok(line.bytes)
    }
}

#[cfg(not(unix))]
mod line {
    use std::io::stdin;

    use crate::terminal::answer::Failure;
    use crate::terminal::paste::{Line, LineKind, Reading};

    pub fn read(kind: LineKind) -> Result<Vec<u8>, Failure> {
        let mut text = String::new();
        let read = stdin().read_line(&mut text);
        read.map_err(|_| Failure::usage("standard input cannot be read"))?;
        let mut line = Line {
            bytes: Vec::new(),
            may_be_empty: kind != LineKind::Needed,
        };
        for byte in text.bytes() {
            if line.take(byte) != Reading::GoesOn {
                break;
            }
        }
        Ok(line.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_enter_or_ctrl_d_and_is_longer_than_a_terminal_edits() {
        let mut line = Line {
            bytes: Vec::new(),
            may_be_empty: false,
        };
        let long = format!("\r\n a={}", "b".repeat(9_000));
        for byte in long.bytes() {
            assert_eq!(line.take(byte), Reading::GoesOn);
        }
        assert_eq!(line.take(b'x'), Reading::GoesOn);
        assert_eq!(line.take(0x7F), Reading::GoesOn);
        assert_eq!(line.take(b'\r'), Reading::Ends);
        assert_eq!(line.take(0x04), Reading::Ends);
        assert_eq!(line.take(0x03), Reading::Interrupted);
        assert_eq!(line.bytes.len(), 9_005);
    }
}
