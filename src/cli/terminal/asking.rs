//! Questions to the person at the terminal, and who answers them where there is none.

use std::io::{BufRead, IsTerminal, stdin};

use zeroize::Zeroizing;

use crate::terminal::answer::Failure;
use crate::terminal::paste;
use crate::terminal::progress::print_beside;
use crate::terminal::style::{STRONG, styled};

/// A question, and the option of the command line that answers it.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// As it is shown.
    pub text: &'q str,
    /// Such as `--folder NAME`.
    pub option: &'q str,
}

/// Whoever answers questions. An empty answer takes what is suggested.
pub trait Asking {
    /// What is known so far.
    fn say(&mut self, text: &str);

    /// Whether a person answers, who can be asked again.
    fn is_person(&self) -> bool;

    /// One line.
    ///
    /// # Errors
    /// Nobody answers.
    fn ask(&mut self, question: Question<'_>) -> Result<String, Failure>;

    /// What was copied elsewhere: one line, or several at once.
    ///
    /// # Errors
    /// Nobody answers.
    fn ask_for_paste(&mut self, question: Question<'_>) -> Result<String, Failure> {
        self.ask(question)
    }

    /// A line that nobody may see.
    ///
    /// # Errors
    /// Nobody answers.
    fn ask_hidden(&mut self, question: Question<'_>) -> Result<Zeroizing<String>, Failure> {
        self.ask(question).map(Zeroizing::new)
    }
}

/// The one who answers: a person, or nobody, who takes what is suggested where `yes` says so.
pub fn whoever_answers(yes: bool) -> Box<dyn Asking> {
    if stdin().is_terminal() && !yes {
        Box::new(Person)
    } else {
        Box::new(Nobody { yes })
    }
}

struct Person;

impl Asking for Person {
    fn say(&mut self, text: &str) {
        print_beside(text);
    }

    fn is_person(&self) -> bool {
        true
    }

    fn ask(&mut self, question: Question<'_>) -> Result<String, Failure> {
        prompt(question);
        let mut line = String::new();
        let read = stdin().lock().read_line(&mut line);
        match read {
            Ok(0) => Err(Failure::usage("the input ended")),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(_) => Err(Failure::usage("standard input cannot be read")),
        }
    }

    fn ask_for_paste(&mut self, question: Question<'_>) -> Result<String, Failure> {
        prompt(question);
        paste::read_pasted()
    }

    fn ask_hidden(&mut self, question: Question<'_>) -> Result<Zeroizing<String>, Failure> {
        prompt(question);
        paste::read_hidden().map(Zeroizing::new)
    }
}

fn prompt(question: Question<'_>) {
    print_beside(&format!("{} ", styled(STRONG, question.text)));
}

struct Nobody {
    yes: bool,
}

impl Asking for Nobody {
    fn say(&mut self, _: &str) {}

    fn is_person(&self) -> bool {
        false
    }

    fn ask(&mut self, question: Question<'_>) -> Result<String, Failure> {
        if self.yes {
            return Ok(String::new());
        }
        Err(Failure::usage(format!(
            "nobody can answer, since standard input is no terminal: {}",
            question.text
        ))
        .hint(format!(
            "answer with {}, or take what is suggested with --yes",
            question.option
        )))
    }
}
