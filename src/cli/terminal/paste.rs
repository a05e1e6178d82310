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
        bytes = line::read()?;
    } else if stdin().read_to_end(&mut bytes).is_err() {
        return Err(Failure::usage("standard input cannot be read"));
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage("standard input is not UTF-8 text"))
}

/// What a line is made of that is typed or pasted without line editing.
struct Line {
    bytes: Vec<u8>,
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
            b'\r' | b'\n' if self.bytes.iter().any(|byte| !byte.is_ascii_whitespace()) => {
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

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    use crate::terminal::answer::Failure;
    use crate::terminal::paste::{Line, Reading};

    /// Gives the terminal back as it was, whatever happens.
    struct Unedited(Termios);

    impl Unedited {
        fn new() -> Option<Self> {
            let before = tcgetattr(stdin()).ok()?;
            let mut modes = before.clone();
            modes.local_modes -= LocalModes::ICANON | LocalModes::ISIG;
            tcsetattr(stdin(), OptionalActions::Now, &modes).ok()?;
            Some(Self(before))
        }
    }

    impl Drop for Unedited {
        fn drop(&mut self) {
            // nothing more can be done for it
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
        }
    }

    pub fn read() -> Result<Vec<u8>, Failure> {
        let _unedited = Unedited::new();
        let mut line = Line { bytes: Vec::new() };
        for byte in stdin().lock().bytes() {
            let byte = byte.map_err(|_| Failure::usage("standard input cannot be read"))?;
            match line.take(byte) {
                Reading::GoesOn => {}
                Reading::Ends => break,
                Reading::Interrupted => return Err(Failure::usage("interrupted")),
            }
        }
        Ok(line.bytes)
    }
}

#[cfg(not(unix))]
mod line {
    use std::io::stdin;

    use crate::terminal::answer::Failure;
    use crate::terminal::paste::{Line, Reading};

    pub fn read() -> Result<Vec<u8>, Failure> {
        let mut text = String::new();
        let read = stdin().read_line(&mut text);
        read.map_err(|_| Failure::usage("standard input cannot be read"))?;
        let mut line = Line { bytes: Vec::new() };
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
        let mut line = Line { bytes: Vec::new() };
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
