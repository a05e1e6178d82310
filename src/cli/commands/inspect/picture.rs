//! Draws what is known of a cookie: from the browser through Countersign to the site.

use std::fmt::Write;
use std::io::stdout;

use anstyle::Style;

use super::report::CookieReport;
use crate::remote::replies::InspectionReply;
use crate::terminal::style::{ERROR, FAINT, GOOD, HINT, STRONG, WARNING, styled};
use crate::terminal::time::{from_now, moment, span};
use crate::terminal::width::{self, display_width, padded};

/// The widths of the first two columns.
const BROWSER: usize = 27;
const GATE: usize = 27;

/// The whole picture.
pub fn draw(report: &CookieReport, now: u64) -> String {
    let mut text = String::new();
    let Some(found) = &report.found else {
        let _ = writeln!(text, "{}", styled(STRONG, &report.name));
        shape(&mut text, report);
        match &report.wrong {
            Some(wrong) => {
                let error = styled(ERROR, "error:");
                let _ = writeln!(
                    text,
                    "{error} no rule was tried: the configuration is wrong: {wrong}"
                );
                hint(
                    &mut text,
                    "countersign check says all that is wrong with it; --live asks the live Worker",
                );
            }
            None if !report.opens.is_empty() => {}
            None => hint(
                &mut text,
                "with a configuration of wrangler and a .dev.vars, or with --live, this says which key opens it",
            ),
        }
        return text;
    };
    let view = View { report, found };
    view.columns(&mut text);
    text.push('\n');
    view.details(&mut text, now);
    view.hints(&mut text);
    text
}

struct View<'r> {
    report: &'r CookieReport,
    found: &'r InspectionReply,
}

impl View<'_> {
    fn columns(&self, text: &mut String) {
        let key = match (self.found.key.as_deref(), self.found.verdict.as_deref()) {
            (Some(key), _) => key,
            (None, Some("bad-signature")) => "no known key",
            (None, _) => "",
        };
        let (style, verdict) = self.verdict();
        let (passes, arrives, sealed) = self.arrival();
        let name = self.report.name.as_str();
        let age = self.found.age.map(|age| format!("{} old", span(age)));
        let age = age.unwrap_or_default();
        let upgraded = styled(GOOD, "upgraded, with the next page");
        let is_upgraded = self.found.upgraded == Some(true);
        let columns = [name, verdict, arrives].map(display_width);
        let site = columns[2].max(display_width(sealed));
        let is_narrow =
            width::of_stream(&stdout()).is_some_and(|width| 2 + BROWSER + GATE + site > width);
        if is_narrow {
            let passes = if passes { "▶" } else { "╳" };
            stop(text, "browser", [&styled(STRONG, name), key]);
            stop(text, "Countersign", [&styled(style, verdict), &age]);
            stop(text, "site", [&format!("{passes} {arrives}"), sealed]);
            if is_upgraded {
                stop(text, "browser", [&format!("◀ {upgraded}"), ""]);
            }
            return;
        }
        row(text, FAINT, ["browser", "Countersign", "site"]);
        let arrow = |width: usize, taken: usize, head: &str| {
            format!(" {}{head} ", "─".repeat(width.saturating_sub(taken + 3)))
        };
        let first = arrow(BROWSER, columns[0], "▶");
        let second = arrow(GATE, columns[1], if passes { "▶" } else { "╳" });
        let _ = writeln!(
            text,
            "  {}{first}{}{second}{arrives}",
            styled(STRONG, name),
            styled(style, verdict)
        );
        row(text, Style::new(), [key, &age, sealed]);
        if is_upgraded {
            let back = "◀".to_owned() + &"─".repeat(BROWSER - 4) + " ";
            let _ = writeln!(text, "   {back}{upgraded}");
        }
    }

    fn verdict(&self) -> (Style, &str) {
        match self.found.verdict.as_deref() {
            _ if self.report.cannot_tell() => (WARNING, "cannot tell"),
            None => (FAINT, "not managed"),
            Some(verdict @ ("current" | "fallback" | "accepted-format")) => (GOOD, verdict),
            Some(verdict) => (ERROR, verdict),
        }
    }

    /// Whether it passes, as what it arrives, and with which key.
    fn arrival(&self) -> (bool, &str, &str) {
        let name = self.report.name.as_str();
        match self.found.fate.as_deref() {
            _ if self.report.cannot_tell() => (false, "?", ""),
            Some("resealed") => (
                true,
                name,
                self.found.resealed_with.as_deref().unwrap_or("unsigned"),
            ),
            Some("unchanged") => (true, name, "unchanged"),
            Some("rejected") => (false, "nothing: 403", ""),
            _ => (false, "no such cookie", ""),
        }
    }

    fn details(&self, text: &mut String, now: u64) {
        if let Some(format) = self.found.format.as_deref() {
            detail(text, "format", format);
        }
        detail(text, "verdict", &self.meaning());
        if let Some(time) = self.found.time {
            detail(
                text,
                "signed",
                &format!("{}, {}", moment(time), from_now(time, now)),
            );
        }
        if let Some(begins) = self.found.not_before {
            detail(
                text,
                "counts",
                &format!("from {}, {}", moment(begins), from_now(begins, now)),
            );
        }
        if let Some(expiry) = self.found.expiry_ms.map(|expiry| expiry / 1000) {
            detail(
                text,
                "expires",
                &format!("{}, {}", moment(expiry), from_now(expiry, now)),
            );
        }
        if let Some(until) = self.found.until {
            detail(
                text,
                "key",
                &format!("tried until {}, {}", moment(until), from_now(until, now)),
            );
        }
        if self.found.key.as_deref().is_none() {
            shape(text, self.report);
        }
        if let Some(payload) = &self.report.payload {
            detail(text, "payload", payload);
        }
    }

    fn meaning(&self) -> String {
        let key = self.found.key.as_deref();
        let rule = self.found.rule.as_deref().unwrap_or_default();
        match (self.found.verdict.as_deref(), self.found.role.as_deref(), key) {
            _ if self.report.cannot_tell() => {
                let unknown = self.report.unknown.join(", ");
                format!("no key that is known here made the signature; not known here: {unknown}")
            }
            (None, _, _) => "no rule names this cookie: it passes as it is".to_owned(),
            (Some("current"), _, _) => "signed with the current key".to_owned(),
            (Some("fallback"), _, _) => "signed with a fallback".to_owned(),
            (Some("accepted-format"), Some("unsigned"), _) => {
                "not signed, and adopted for now".to_owned()
            }
            (Some("accepted-format"), _, _) => "in a format that `accept` lists".to_owned(),
            (Some("bad-signature"), Some("origin"), Some(key)) => {
                format!("signed with {key}, the origin's own key, which is not in the ring")
            }
            (Some("bad-signature"), _, Some(key)) => {
                format!("{key} opens it, and is not tried any more")
            }
            (Some("bad-signature"), _, None) => {
                "no key of the configuration made the signature".to_owned()
            }
            (Some("expired"), _, _) => "the signature is right; the cookie is too old".to_owned(),
            (Some("not-yet-valid"), _, _) => {
                "the signature is right; it counts from a later time on".to_owned()
            }
            (Some("malformed"), _, _) if self.fits() => {
                "the signature is right; what it signs cannot be read, is for another cookie, or cannot be written for the site".to_owned()
            }
            (Some("malformed"), _, _) => format!("not in the shape that the rule for {rule} wants"),
            (Some("too-long"), _, _) => "too long to be looked at".to_owned(),
            (Some("look-alike"), _, _) => format!("some servers would read it as {rule}"),
            (Some(other), _, _) => other.to_owned(),
        }
    }

    fn hints(&self, text: &mut String) {
        if let Some(missing) = &self.report.missing_half {
            let name = &self.report.name;
            hint(
                text,
                &format!("this is one cookie of a pair: paste both, {name}=…; {missing}=…"),
            );
            return;
        }
        if self.report.cannot_tell() {
            hint(text, "ask the live Worker, which has them: --live");
            return;
        }
        match (self.found.verdict.as_deref(), self.found.role.as_deref()) {
            (Some("bad-signature"), Some("origin")) => hint(
                text,
                "the site set it past Countersign (another host, another route), or somebody has the site's key",
            ),
            (Some("bad-signature" | "malformed"), None) if !self.report.opens.is_empty() => hint(
                text,
                "the key is right and the rule's `format` is not: write the one above into the rule, with what stands in brackets",
            ),
            (Some("bad-signature"), None) => hint(
                text,
                "another site's, another environment's or a retired key; where it comes straight from the site, `origin` or `format` is wrong",
            ),
            (Some("not-yet-valid"), _) => hint(
                text,
                "the site's clock is more than 5 minutes ahead of Cloudflare's: compare the two (`date -u` on the site's server), and set the site's by NTP",
            ),
            (Some("malformed"), _) if !self.fits() && !self.report.recognised.is_empty() => {
                hint(text, "compare `format` in the rule with the formats above");
            }
            _ => {}
        }
        if self.found.fate.as_deref() == Some("rejected") {
            hint(
                text,
                "a page that a visitor opens loads without the cookie; every other request gets 403",
            );
        }
    }

    /// Whether it has the shape of a format of its rule.
    fn fits(&self) -> bool {
        self.found.fits == Some(true)
    }
}

/// A stop on the way of the cookie, where three columns have no room.
fn stop(text: &mut String, place: &str, said: [&str; 2]) {
    let said = said.join("  ");
    let place = styled(FAINT, format!("{place:<13}"));
    let _ = writeln!(text, "  {place}{}", said.trim_end());
}

fn row(text: &mut String, style: Style, [a, b, c]: [&str; 3]) {
    let line = format!("  {}{}{c}", padded(a, BROWSER), padded(b, GATE));
    if !line.trim().is_empty() {
        let _ = writeln!(text, "{}", styled(style, line.trim_end()));
    }
}

fn detail(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {}{value}", styled(FAINT, format!("{name:<10}")));
}

/// What can be said without a key.
fn shape(text: &mut String, report: &CookieReport) {
    let shapes = if report.recognised.is_empty() {
        "that of no format known here: plain perhaps".to_owned()
    } else {
        format!("that of {}", report.recognised.join(", "))
    };
    detail(text, "shape", &shapes);
    for opening in &report.opens {
        detail(text, "opens as", &opening.to_string());
    }
}

fn hint(text: &mut String, hint: &str) {
    let _ = writeln!(text, "{} {hint}", styled(HINT, "hint:"));
}
