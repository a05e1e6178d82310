//! The conversation, with somebody who answers from a list.

use std::collections::VecDeque;

use super::choices::Choices;
use super::choosing::{Chosen, choose};
use super::exchange::Exchange;
use super::found::{FoundCookie, gather};
use super::plan::Plan;
use super::ring::{Ring, ring};
use super::writing::{dev_vars, wrangler_toml};
use crate::project::config::Config;
use crate::project::dev_vars::DevVars;
use crate::terminal::answer::Failure;
use crate::terminal::asking::{Asking, Question};

const KEY: &str = "it's the site's #1 `key`, long enough";
/// As Flask signs it with that key.
const SESSION: &str = "eyJ1c2VyX2lkIjo0NzExfQ.awF5sA.5yC8LkIbeTsR7BMalyPCCO3sgSM";
const NOW: u64 = 1_795_262_400;

struct Answers {
    answers: VecDeque<&'static str>,
    said: String,
}

impl Asking for Answers {
    fn say(&mut self, text: &str) {
        self.said.push_str(text);
    }

    fn is_person(&self) -> bool {
        true
    }

    fn ask(&mut self, question: Question<'_>) -> Result<String, Failure> {
        self.said.push_str(question.text);
        let answer = self.answers.pop_front();
        let answer = answer.unwrap_or_else(|| panic!("not expected: {}", question.text));
        Ok(answer.to_owned())
    }
}

fn found() -> Vec<FoundCookie> {
    let exchange = Exchange {
        set_cookies: vec![
            format!("session={SESSION}; Path=/; HttpOnly"),
            "csrftoken=x; Path=/".to_owned(),
            "theme=dark; Path=/".to_owned(),
        ],
        ..Exchange::default()
    };
    gather(&[exchange], None, NOW)
}

fn talk(found: &[FoundCookie], answers: &[&'static str]) -> (Ring, Vec<String>, String) {
    let mut asking = Answers {
        answers: answers.iter().copied().collect(),
        said: String::new(),
    };
    let choices = Choices::default();
    let chosen: Chosen<'_> = choose(found, &choices, &mut asking).ok().unwrap();
    let ring = ring(&chosen, &choices, false, &mut asking).ok().unwrap();
    assert!(
        asking.answers.is_empty(),
        "never asked for: {:?}",
        asking.answers
    );
    let unsigned = chosen.unsigned.iter().map(|cookie| cookie.name.clone());
    (ring, unsigned.collect(), asking.said)
}

#[test]
fn enter_takes_what_is_suggested_and_a_wrong_key_is_asked_for_again() {
    let found = found();
    let (ring, unsigned, said) = talk(&found, &["", "hunter2hunter2", KEY]);
    assert_eq!(ring.proved, ["session"]);
    assert_eq!(ring.rules[0].format, "flask-session");
    assert_eq!(ring.keys[0].secret, "FLASK_SECRET_KEY");
    assert!(unsigned.is_empty());
    assert!(said.contains("does not open session"), "{said}");
    assert!(said.contains("opens as flask-session"), "{said}");
    assert!(!said.contains("hunter2") && !said.contains(KEY), "{said}");
}

#[test]
fn what_cannot_be_managed_is_said_and_what_is_unsigned_is_wrapped_only_if_meant() {
    let found = found();
    let (ring, unsigned, said) = talk(&found, &["2", "9", "1, 3", "y", KEY]);
    assert!(said.contains("csrftoken: page scripts copy it"), "{said}");
    assert!(said.contains("write numbers from 1 to 3"), "{said}");
    assert_eq!(ring.rules.len(), 1);
    assert_eq!(unsigned, ["theme"]);
    let (_, unsigned, _) = talk(&found, &["session theme", "", KEY]);
    assert!(unsigned.is_empty());
}

#[test]
fn without_a_key_the_format_is_asked_for_and_nothing_is_proved() {
    let found = found();
    let (ring, _, said) = talk(&found, &["", "", "nonsense", "starlette-session"]);
    assert!(ring.proved.is_empty());
    assert_eq!(ring.rules[0].format, "starlette-session");
    assert!(ring.keys[0].text.is_none());
    assert!(said.contains("Nothing is proved"), "{said}");
}

#[test]
fn what_is_written_is_read_back_as_it_was_meant() {
    let found = found();
    let (ring, ..) = talk(&found, &["", KEY]);
    let plan = Plan {
        worker: "countersign-shop".to_owned(),
        site: Some(url::Url::parse("https://www.example.com/").unwrap()),
        keys: ring.keys,
        rules: ring.rules,
    };
    assert!(plan.policy().is_ok());
    let folder = std::env::temp_dir().join(format!("countersign-init-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("wrangler.toml");
    std::fs::write(&path, wrangler_toml(&plan)).unwrap();
    let secrets = dev_vars(&plan, "token").ok().unwrap();
    std::fs::write(folder.join(".dev.vars"), secrets.as_bytes()).unwrap();

    let config = Config::read(Some(&path)).ok().unwrap();
    let environment = config.top();
    assert_eq!(environment.countersign(), Some(plan.configuration()));
    assert_eq!(environment.worker().as_deref(), Some("countersign-shop"));
    let read = DevVars::read(&environment).ok().flatten().unwrap();
    assert_eq!(read.text("FLASK_SECRET_KEY"), Some(KEY));
    std::fs::remove_dir_all(folder).unwrap();
}
