//! When an upgrade is sent, and what it says: rule S5.

use core::sync::atomic::Ordering;

use super::judge::LONGEST_VALUE;
use super::navigation::is_navigation;
use super::response::{Judged, LONGEST_PAIR, split_pair};
use super::{DueUpgrade, Exchange, Gate, Pending, RequestHead};
use crate::config::{Mode, Rule, RuleIndex, Upgrade};
use crate::formats::Content;
use crate::gate::verdict::{Verdict, Withheld};
use crate::prelude::*;
use crate::wire::chunks::Shown;
use crate::wire::cookie::{pair_value, pairs};

/// A response this much later than its request may be older than what the browser has by now (S5).
const LATE_MS: u64 = 2_000;
/// Headers by which a shared cache other than `Cache-Control` is told to store.
const CACHE_HEADERS: [&str; 8] = [
    "expires",
    "surrogate-control",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "akamai-cache-control",
    "fastly-cache-control",
    "netlify-cdn-cache-control",
    "vercel-cdn-cache-control",
];

impl Gate {
    /// Sends the upgrades that are due and that nothing speaks against.
    pub(super) fn upgrades(
        &self,
        pending: &Pending,
        exchange: &dyn Exchange,
        now_ms: u64,
        judged: &mut Judged<'_>,
    ) {
        for due in &pending.due {
            self.upgrade(due, pending, exchange, now_ms, judged);
        }
    }

    fn upgrade(
        &self,
        due: &DueUpgrade,
        pending: &Pending,
        exchange: &dyn Exchange,
        now_ms: u64,
        judged: &mut Judged<'_>,
    ) {
        let rule = &self.policy.rules[due.rule];
        let withheld = self
            .withheld(due, pending, exchange, now_ms, judged)
            .map_or_else(
                || self.write_upgrade(rule, due, pending.shown(due.rule), judged),
                Err,
            );
        match withheld {
            Err(reason) => judged.report(due.rule, Verdict::UpgradeWithheld(reason), None),
            Ok(headers) => {
                judged.report(due.rule, Verdict::Upgraded, rule.browser.key.as_ref());
                let mut all = 0;
                for header in &headers {
                    let pair = pairs(header).next().unwrap_or_default();
                    judged.check_length(due.rule, pair.len(), LONGEST_PAIR);
                    all += pair_value(pair).len();
                }
                if rule.spec.chunks.is_some() {
                    judged.check_length(due.rule, all, LONGEST_VALUE);
                }
                if rule.spec.mode == Mode::Enforce {
                    judged.answer.private |= !is_private(exchange);
                    judged.added.extend(headers);
                }
            }
        }
    }

    /// The first condition of S5 that does not hold.
    fn withheld(
        &self,
        due: &DueUpgrade,
        pending: &Pending,
        exchange: &dyn Exchange,
        now_ms: u64,
        judged: &Judged<'_>,
    ) -> Option<Withheld> {
        let upgrade = self.policy.rules[due.rule].spec.upgrade;
        let status = exchange.status();
        let is_kept_status = |status| matches!(status, 200..=205 | 207..=303 | 305..=599);
        if upgrade == Upgrade::Never || !due.allowed {
            Some(Withheld::Never)
        } else if upgrade == Upgrade::Navigation && !opens_page(exchange) {
            Some(Withheld::NotNavigation)
        } else if due.verified != 1 {
            Some(Withheld::Duplicate)
        } else if judged.set.contains(&due.rule) {
            Some(Withheld::ResponseSetsCookie)
        } else if exchange.response_header("clear-site-data").is_some() {
            Some(Withheld::ClearSiteData)
        } else if !is_kept_status(status) {
            Some(Withheld::Status)
        } else if now_ms.saturating_sub(pending.asked_ms) > LATE_MS {
            Some(Withheld::Late)
        } else if self.is_superseded(due.rule, pending, exchange, now_ms) {
            Some(Withheld::Superseded)
        } else if is_cacheable(exchange) {
            Some(Withheld::Cacheable)
        } else if self.set_otherwise[due.rule].load(Ordering::Relaxed) {
            Some(Withheld::AttributesDiffer)
        } else {
            None
        }
    }

    /// Whether another response has set or deleted the cookie, so that the browser has a newer one by now, or none.
    fn is_superseded(
        &self,
        rule: RuleIndex,
        pending: &Pending,
        exchange: &dyn Exchange,
        now_ms: u64,
    ) -> bool {
        let mut cookies = pending.upgradable.iter().filter(|it| it.rule == rule);
        cookies.any(|it| self.superseded.has(it.identity(exchange), now_ms))
    }

    /// The Set-Cookie headers of an upgrade: one; two where the signature is or was a cookie of its own; or the
    /// pieces, with deletions of what else of it the browser has shown. Payload and time are kept; a `Max-Age` is
    /// what is left of it since the signed time.
    fn write_upgrade(
        &self,
        rule: &Rule,
        due: &DueUpgrade,
        shown: Shown,
        judged: &mut Judged<'_>,
    ) -> Result<Vec<String>, Withheld> {
        // without `attributes` the configuration has said "never"
        let attributes = rule.attributes().ok_or(Withheld::Never)?;
        let left = match attributes.max_age {
            None => None,
            Some(max_age) => Some(left_of(max_age, &due.content, judged.work.now)?),
        };
        let sealed = rule
            .seal_for_browser(&due.content, &mut judged.work)
            .ok_or(Withheld::Uncarriable)?;
        let (value, signature) = split_pair(&sealed);
        let name = &rule.spec.name;
        if let Some(chunks) = rule.spec.chunks {
            let pieces = chunks.split(name, value);
            let is_rest = |name: &String| !pieces.iter().any(|(set, _)| set == name);
            let rest = shown.names(chunks, name).filter(is_rest);
            let rest = rest.map(|name| attributes.deletion(&name));
            let set = pieces.iter();
            let set = set.map(|(name, piece)| attributes.set(name, piece, left));
            return Ok(set.chain(rest).collect());
        }
        let companion = rule.companion.as_ref().map(|name| match signature {
            Some(signature) => attributes.set(name, signature, left),
            None => attributes.deletion(name),
        });
        let cookie = attributes.set(name, value, left);
        Ok([cookie].into_iter().chain(companion).collect())
    }
}

/// Whether the request opens a page, and changes nothing at the site.
pub(super) fn opens_page(head: &dyn RequestHead) -> bool {
    ["GET", "HEAD"].contains(&head.method().as_str())
        && is_navigation(head)
        && !may_be_others_frame(head)
}

/// Behind a service worker that passes it on, a frame in another site's page says the same as a link that was followed
/// from there.
fn may_be_others_frame(head: &dyn RequestHead) -> bool {
    let header = |name| head.request_header(name);
    let is_own = |site: String| ["same-origin", "none"].contains(&site.as_str());
    header("sec-fetch-dest").as_deref() == Some("empty")
        && !header("sec-fetch-site").is_none_or(is_own)
}

/// What is left of a `Max-Age` that began at the signed time; never more than all of it.
fn left_of(max_age: i64, content: &Content<'_>, now: u64) -> Result<i64, Withheld> {
    let age = content.time_s.map_or(0, |time| now.saturating_sub(time));
    let left = max_age.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX));
    if left > 0 {
        Ok(left)
    } else {
        Err(Withheld::Outlived)
    }
}

/// Whether a shared cache might store the response, this zone's own cache included.
fn is_cacheable(exchange: &dyn Exchange) -> bool {
    let header = |name: &'static str| exchange.response_header(name);
    let cached = header("cf-cache-status")
        .is_some_and(|status| !["DYNAMIC", "BYPASS"].contains(&status.as_str()));
    // what speaks to some caches alone overrides `private` there
    let has_any = |names: &[&'static str]| names.iter().any(|name| header(name).is_some());
    let is_for_caches = if is_private(exchange) {
        has_any(&CACHE_HEADERS[1..]) // `private` counts for more than Expires
    } else {
        header("cache-control").is_some() || has_any(&CACHE_HEADERS)
    };
    cached || is_for_caches
}

/// `private` or `no-store` without a field list (RFC 9111, section 5.2.2).
fn is_private(exchange: &dyn Exchange) -> bool {
    exchange
        .response_header("cache-control")
        .is_some_and(|directives| {
            directives_of(&directives).any(|directive| {
                directive.eq_ignore_ascii_case("private")
                    || directive.eq_ignore_ascii_case("no-store")
            })
        })
}

/// The parts between commas that stand outside double quotes.
fn directives_of(header: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    header
        .split(move |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
}
