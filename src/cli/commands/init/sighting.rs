//! Where cookies are seen: on the site's own pages, or in what was pasted.

use std::fs;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use url::Url;
use zeroize::Zeroizing;

use super::choices;
use super::exchange::Exchange;
use super::found::{FoundCookie, gather};
use super::{outcome, picture, reading};
use crate::project::file::cause;
use crate::remote::page::{self, visit};
use crate::terminal::answer::Failure;
use crate::terminal::asking::{Asking, Question};
use crate::terminal::clock;
use crate::terminal::progress::say;

/// Where to look.
pub struct Source {
    /// The page of a site.
    pub site: Option<Url>,
    /// A file with what was pasted; `-` is standard input.
    pub from: Option<PathBuf>,
}

/// What was seen.
pub struct Sighting {
    /// The site, as far as it is known.
    pub site: Option<Url>,
    pub exchanges: Vec<Exchange>,
    /// The host of another site that it sends its visitors to.
    pub elsewhere: Option<String>,
}

impl Source {
    /// Asks the site, or reads the file.
    ///
    /// # Errors
    /// The site does not answer, or there is no cookie in the file.
    pub fn look(&self, asking: &mut dyn Asking) -> Result<Sighting, Failure> {
        let Some(from) = &self.from else {
            let site = match &self.site {
                Some(site) => site.clone(),
                None => ask_site(asking)?,
            };
            return Sighting::on(site);
        };
        let mut exchanges = reading::read(&text_of(from, "--from")?)?;
        // a Cookie line has no attributes; the site's own pages may tell them
        if let Some(site) = &self.site
            && let Ok(seen) = Sighting::on(site.clone())
        {
            exchanges.splice(0..0, seen.exchanges);
        }
        let known = exchanges.iter().find_map(|exchange| exchange.url.clone());
        let site = match self.site.clone().or(known) {
            None if asking.is_person() => Some(ask_site(asking)?),
            site => site,
        };
        Ok(Sighting {
            site,
            exchanges,
            elsewhere: None,
        })
    }

    /// The cookies that were seen, with those that a person pastes.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn cookies(
        &self,
        seen: &mut Sighting,
        asking: &mut dyn Asking,
    ) -> Result<Vec<FoundCookie>, Failure> {
        loop {
            let found = gather(&seen.exchanges, seen.site.as_ref(), clock::now());
            asking.say(&outcome::found(
                seen.site.as_ref(),
                &found,
                seen.elsewhere.as_deref(),
            ));
            if self.from.is_some() || !asking.is_person() {
                return Ok(found);
            }
            let pasted = asking.ask_for_paste(Question {
                text: PASTE,
                option: "--from FILE",
            })?;
            if pasted.trim().is_empty() {
                return Ok(found);
            }
            match reading::read(&pasted) {
                Ok(read) => seen.exchanges.extend(read),
                Err(failure) => asking.say(&picture::failure(&failure)),
            }
        }
    }
}

const PASTE: &str = "Many sites set the session's cookie after a login only. If it is not in the list, log in with a
browser, copy the Cookie or Set-Cookie line from its developer tools, and paste it here. Else Enter:";

impl Sighting {
    fn on(site: Url) -> Result<Self, Failure> {
        say(&format!("asking {}", page::address(&site)));
        let visit = visit(&site)?;
        Ok(Self {
            site: Some(site),
            exchanges: visit.pages.into_iter().map(Exchange::of_page).collect(),
            elsewhere: visit.elsewhere,
        })
    }
}

fn ask_site(asking: &mut dyn Asking) -> Result<Url, Failure> {
    let question = Question {
        text: "The site's address, such as https://www.example.com or http://127.0.0.1:5000:",
        option: "the address as an argument",
    };
    let answer = asking.ask(question)?;
    if answer.is_empty() {
        return Err(
            Failure::usage("no site is named").hint("countersign init https://www.example.com")
        );
    }
    choices::address(&answer)
}

/// All of a file, or of standard input.
///
/// # Errors
/// It cannot be read.
pub fn text_of(path: &Path, option: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        stdin().read_to_string(&mut text).map(drop)
    } else {
        fs::read_to_string(path).map(|read| *text = read)
    };
    read.map_err(|error| {
        Failure::usage(format!("{option}: {}: {}", path.display(), cause(&error)))
    })?;
    Ok(text)
}
