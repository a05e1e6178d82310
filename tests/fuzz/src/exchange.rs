//! What must hold of every response, with the request before it.

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use countersign_core::gate::{Exchange, Gate, Pending, RequestHead};

use crate::independent::{SCHEMES, Scheme};
use crate::message::{Header, ManagedCookie, Pair, Text};
use crate::readings::{origin_key, payloads};
use crate::request::{self, Head, work_is_bounded};
use crate::site::{MAX_AGE, NOW, Role, pinned, with_logouts};

/// A request and the response to it.
#[derive(Arbitrary, Debug)]
pub struct ExchangeCase {
    pairs: Vec<(Pair, u8)>,
    is_page: bool,
    set_cookies: Vec<SetCookieLine>,
    site: SiteAnswer,
    /// Whether another request with the same cookies is answered with a logout before.
    logs_out_before: bool,
}

/// A response to a request without managed cookies.
#[derive(Arbitrary, Debug)]
pub struct ResponseCase {
    set_cookies: Vec<SetCookieLine>,
    site: SiteAnswer,
}

/// What the site answers, its cookies aside.
#[derive(Arbitrary, Debug)]
struct SiteAnswer {
    status: u16,
    cache_control: u8,
    is_for_caches: bool,
    clears_data: bool,
    is_posted: bool,
    /// How long it took, in milliseconds.
    took_ms: u16,
}

const CACHE_CONTROL: [Option<&str>; 6] = [
    None,
    Some("private"),
    Some("max-age=60, no-store"),
    Some("public, max-age=60"),
    Some("private=\"set-cookie\""),
    Some("no-cache"),
];

impl SiteAnswer {
    fn status(&self) -> u16 {
        [200, 302, 206, 304, 404, 500, 103, 200][usize::from(self.status) % 8]
    }

    fn cache_control(&self) -> Option<&'static str> {
        CACHE_CONTROL[usize::from(self.cache_control) % CACHE_CONTROL.len()]
    }

    fn is_private(&self) -> bool {
        self.cache_control()
            .is_some_and(|text| ["private", "max-age=60, no-store"].contains(&text))
    }

    /// Whether a page with this answer may be given another cookie (S5), as far as it does not depend on the request.
    fn may_be_upgraded(&self) -> bool {
        let is_kept = self.is_private() || self.cache_control().is_none();
        is_kept
            && !self.is_for_caches
            && !self.clears_data
            && ![206, 304, 103].contains(&self.status())
            && self.took_ms <= 2_000
    }
}

/// A Set-Cookie header.
#[derive(Arbitrary, Clone, Debug)]
enum SetCookieLine {
    /// Of a managed cookie, whoever signed it.
    Managed {
        cookie: ManagedCookie,
        attributes: u8,
    },
    /// The deletion of one.
    Deletion {
        scheme: u8,
        attributes: u8,
    },
    /// Of another cookie.
    Tame {
        name: u8,
        text: Text,
    },
    Any(Text),
}

const ATTRIBUTES: [&str; 6] = [
    "; Path=/; HttpOnly; Secure",
    "",
    "; Path=/; Max-Age=60",
    "; path=/; DOMAIN=shop.example; Secure",
    "; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "; Path=/admin; SameSite=Strict; Partitioned",
];

impl SetCookieLine {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Managed { cookie, attributes } => {
                let (scheme, shown) = (cookie.scheme(), cookie.shown());
                let attributes = ATTRIBUTES[usize::from(*attributes) % ATTRIBUTES.len()];
                let named = [
                    (Some(scheme.cookie()), Some(shown.value)),
                    (scheme.companion(), shown.companion),
                ];
                let lines = named
                    .into_iter()
                    .filter_map(|(name, value)| Some((name?, value?)));
                lines
                    .map(|(name, value)| format!("{name}={value}{attributes}"))
                    .collect()
            }
            Self::Deletion { scheme, attributes } => {
                let name = SCHEMES[usize::from(*scheme) % SCHEMES.len()].cookie();
                let attributes = ATTRIBUTES[usize::from(*attributes) % ATTRIBUTES.len()];
                vec![format!("{name}={attributes}; Max-Age=0")]
            }
            Self::Tame { name, text } => {
                vec![format!("z{}={}", name % 16, text.text().replace(';', ""))]
            }
            Self::Any(text) => vec![text.text()],
        }
    }
}

/// A request's head and what it is answered with.
struct Answered<'a> {
    is_page: bool,
    site: &'a SiteAnswer,
}

impl RequestHead for Answered<'_> {
    fn method(&self) -> String {
        if self.site.is_posted { "POST" } else { "GET" }.to_owned()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        let is_page = self.is_page;
        Head { is_page }.request_header(name)
    }
}

impl Exchange for Answered<'_> {
    fn status(&self) -> u16 {
        self.site.status()
    }

    fn response_header(&self, name: &'static str) -> Option<String> {
        let value = match name {
            "cache-control" => self.site.cache_control()?,
            "cdn-cache-control" if self.site.is_for_caches => "max-age=60",
            "clear-site-data" if self.site.clears_data => "\"cookies\"",
            _ => return None,
        };
        Some(value.to_owned())
    }
}

/// A response that is judged, and what is known of its request.
struct Judged<'a> {
    header: &'a Header,
    /// What the site was sent.
    sent: &'a str,
    is_page: bool,
    site: &'a SiteAnswer,
    set_cookies: &'a [SetCookieLine],
    logs_out_before: bool,
}

/// Judges both, and holds every rule against what comes of it.
pub fn check(case: &ExchangeCase) {
    let gate = if case.logs_out_before {
        with_logouts()
    } else {
        pinned()
    };
    let header = Header::of(&case.pairs);
    let (pending, sent) = request::judge(gate, &header, case.is_page);
    let Some(sent) = sent else {
        return;
    };
    if case.logs_out_before {
        let (pending, _) = request::judge(gate, &header, false);
        let deletions = SCHEMES.map(|scheme| format!("{}=; Path=/; Max-Age=0", scheme.cookie()));
        let site = SiteAnswer {
            status: 0,
            cache_control: 0,
            is_for_caches: false,
            clears_data: false,
            is_posted: true,
            took_ms: 0,
        };
        let answered = Answered {
            is_page: false,
            site: &site,
        };
        gate.response(&deletions, &pending, &answered, NOW * 1000);
    }
    let judged = Judged {
        header: &header,
        sent: &sent,
        is_page: case.is_page,
        site: &case.site,
        set_cookies: &case.set_cookies,
        logs_out_before: case.logs_out_before,
    };
    judged.check(gate, &pending);
}

/// Judges a response alone.
pub fn check_response(case: &ResponseCase) {
    let header = Header::default();
    let judged = Judged {
        header: &header,
        sent: "",
        is_page: true,
        site: &case.site,
        set_cookies: &case.set_cookies,
        logs_out_before: false,
    };
    judged.check(pinned(), &Pending::default());
}

impl Judged<'_> {
    fn check(&self, gate: &Gate, pending: &Pending) {
        let set_cookies = self.set_cookies.iter().take(16);
        let lines: Vec<String> = set_cookies.flat_map(SetCookieLine::lines).collect();
        let now_ms = NOW * 1000 + u64::from(self.site.took_ms);
        let answered = Answered {
            is_page: self.is_page,
            site: self.site,
        };
        let decision = gate.response(&lines, pending, &answered, now_ms);
        let result = decision.set_cookies.as_deref().unwrap_or(&lines);
        self.everything_set_is_vouched_for(&lines, result);
        others_are_kept(&lines, result);
        let added = added(&lines, result);
        if lines.iter().any(|line| is_piece(line)) {
            assert_eq!(
                has_pieces(&lines),
                has_pieces(result),
                "{lines:?} became {result:?}"
            );
        }
        for (at, path, domain) in browsed(&lines).symmetric_difference(&browsed(result)) {
            let is_own = lines
                .iter()
                .any(|line| named(line).is_some_and(|(name, _)| name == SCHEMES[*at].cookie()));
            assert!(
                !is_own,
                "another cookie is left at {path:?} {domain:?}: {lines:?} became {result:?}"
            );
        }
        self.what_is_signed_comes_signed_anew(&lines, result);
        self.upgrades_are_allowed(&lines, &added, decision.private);
        self.deletions_have_a_second_one(&lines, &added);
        let length = self.header.text.len() + lines.iter().map(String::len).sum::<usize>();
        work_is_bounded(decision.steps, length);
        request::assert_no_secret(&format!("{:?}", decision.events));
    }

    /// What a whole cookie of the site's own becomes: the same payload under the current key; what another key has signed
    /// stays as it is.
    fn what_is_signed_comes_signed_anew(&self, lines: &[String], result: &[String]) {
        let [SetCookieLine::Managed { cookie, .. }] = self.set_cookies else {
            return;
        };
        let (scheme, [line, ..]) = (cookie.scheme(), lines) else {
            return;
        };
        if !cookie.is_whole() || scheme == Scheme::Pieces {
            return;
        }
        if cookie.role() != Role::Origin || is_deletion(line) {
            assert!(result.starts_with(lines), "{lines:?} became {result:?}");
            return;
        }
        let value = |line: &String| named(line).map(|(_, value)| value.to_owned());
        let companion = scheme.companion().and_then(|_| value(result.get(1)?));
        let value = result.first().and_then(value).unwrap_or_default();
        let read = scheme.read(Role::Current.key(scheme), &value, companion.as_deref());
        assert_eq!(
            read.as_deref(),
            Some(cookie.payload()),
            "{lines:?} became {result:?}"
        );
    }

    /// S5: no upgrade where one of its conditions does not hold.
    fn upgrades_are_allowed(&self, lines: &[String], added: &[&String], is_made_private: bool) {
        for scheme in SCHEMES {
            let is_set = |line: &&&String| {
                named(line)
                    .is_some_and(|(name, value)| name == scheme.cookie() && !value.is_empty())
                    && !is_deletion(line)
            };
            let Some(upgrade) = added.iter().find(is_set) else {
                continue;
            };
            let is_own =
                |line: &String| named(line).is_some_and(|(name, _)| name == scheme.cookie());
            let told = || {
                format!(
                    "{upgrade:?} of {:?} with {lines:?}, {:?}",
                    self.sent, self.site
                )
            };
            assert!(self.is_page && !self.site.is_posted, "no page: {}", told());
            assert!(self.site.may_be_upgraded(), "{}", told());
            assert!(!lines.iter().any(is_own), "over the site's own: {}", told());
            assert!(!self.logs_out_before, "after a logout: {}", told());
            assert!(
                self.site.is_private() || is_made_private,
                "not private: {}",
                told()
            );
            let shown = payloads(scheme, origin_key(scheme), self.sent);
            assert_eq!(shown.len(), 1, "of several: {}", told());
            let value = named(upgrade).map(|(_, value)| value).unwrap_or_default();
            let age = scheme.time(value).map(|time| NOW.saturating_sub(time));
            if let (Some(age), Some(max_age)) = (age, max_age(upgrade)) {
                assert!(
                    max_age <= MAX_AGE as i64 - age as i64,
                    "it begins anew: {}",
                    told()
                );
            }
        }
    }

    /// S3: a deletion in another place than the rule's is followed by one there.
    fn deletions_have_a_second_one(&self, lines: &[String], added: &[&String]) {
        let [SetCookieLine::Deletion { .. }] = self.set_cookies else {
            return;
        };
        if lines.iter().any(|line| is_piece(line)) {
            return; // its headers are told apart by what is left in the browser
        }
        let Some((name, _)) = lines.first().and_then(|line| named(line)) else {
            return;
        };
        let attributes = lines[0].to_ascii_lowercase();
        let is_elsewhere = !attributes.contains("path=/;") || attributes.contains("domain");
        let is_second = |line: &&String| {
            let is_here = line.contains("Path=/;") || line.ends_with("Path=/");
            named(line).is_some_and(|(own, _)| own == name)
                && is_deletion(line)
                && is_here
                && !line.contains("Domain")
        };
        assert!(
            !is_elsewhere || added.iter().any(|line| is_second(line)),
            "{lines:?} alone, with {added:?}"
        );
    }
}

/// The headers that stand in the result and are none of the site's own, which all stand there in their order, each with
/// its name and its attributes. A cookie in pieces may come in others, so it is not looked at here.
fn added<'r>(lines: &[String], result: &'r [String]) -> Vec<&'r String> {
    let attributes = |line: &str| line.split_once(';').map(|(_, rest)| rest.to_owned());
    let name = |line: &str| named(line).map(|(name, _)| name.to_owned());
    let mut rest = lines.iter().filter(|line| !is_piece(line)).peekable();
    let mut added = Vec::new();
    for line in result.iter().filter(|line| !is_piece(line)) {
        let is_its = |own: &&String| {
            *own == line || (name(own) == name(line) && attributes(own) == attributes(line))
        };
        if rest.next_if(is_its).is_none() {
            added.push(line);
        }
    }
    let lost = rest.peek();
    assert!(
        lost.is_none(),
        "{lost:?} is lost or changed: {lines:?} became {result:?}"
    );
    if !lines.iter().any(|line| is_piece(line)) {
        added.extend(result.iter().filter(|line| is_piece(line)));
    }
    added
}

fn is_piece(line: &str) -> bool {
    named(line).is_some_and(|(name, _)| name.starts_with(Scheme::Pieces.cookie()))
}

/// The managed cookies that a browser has after these headers, each with its place.
fn browsed(lines: &[String]) -> BTreeSet<(usize, String, String)> {
    let mut jar = BTreeSet::new();
    for line in lines {
        let Some((name, value)) = named(line) else {
            continue;
        };
        let is_its = |scheme: &Scheme| *scheme != Scheme::Pieces && scheme.cookie() == name;
        let Some(at) = SCHEMES.iter().position(is_its) else {
            continue;
        };
        let place = (
            at,
            last(line, "path").unwrap_or_default(),
            last(line, "domain").unwrap_or_default(),
        );
        if is_deletion(line) || value.is_empty() {
            jar.remove(&place);
        } else {
            jar.insert(place);
        }
    }
    jar
}

/// An attribute's last value, in lower case.
fn last(line: &str, attribute: &str) -> Option<String> {
    let attributes = line
        .split(';')
        .skip(1)
        .filter_map(|one| one.trim().split_once('='));
    let own = attributes.filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    own.map(|(_, value)| value.to_ascii_lowercase()).last()
}

/// Whether a browser has a cookie in pieces, in any place, after these headers.
fn has_pieces(lines: &[String]) -> bool {
    let mut jar = BTreeSet::new();
    for line in lines.iter().filter(|line| is_piece(line)) {
        let name = named(line).map(|(name, _)| name.to_owned());
        let place = (name, last(line, "path"), last(line, "domain"));
        if is_deletion(line) || named(line).is_some_and(|(_, value)| value.is_empty()) {
            jar.remove(&place);
        } else {
            jar.insert(place);
        }
    }
    !jar.is_empty()
}

/// Whether a header deletes its cookie by its attributes: the last Max-Age counts, or else the last Expires.
fn is_deletion(line: &str) -> bool {
    match max_age(line) {
        Some(seconds) => seconds <= 0,
        None => line.contains("Thu, 01 Jan 1970"),
    }
}

fn max_age(line: &str) -> Option<i64> {
    let attributes = line
        .split(';')
        .skip(1)
        .filter_map(|attribute| attribute.trim().split_once('='));
    let ages = attributes.filter(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    ages.filter_map(|(_, value)| value.parse().ok()).last()
}

/// Name and value of a Set-Cookie header, plainly.
fn named(line: &str) -> Option<(&str, &str)> {
    let pair = line.split(';').next()?;
    let (name, value) = pair.split_once('=')?;
    Some((
        name.trim_matches([' ', '\t']),
        value.trim_matches([' ', '\t']),
    ))
}

impl Judged<'_> {
    /// A managed cookie that a browser is sent is the site's own header as it was, a deletion, or signed with the current
    /// key: with a payload that the site has set under its own key, or one that the visitor showed (an upgrade).
    fn everything_set_is_vouched_for(&self, lines: &[String], result: &[String]) {
        for (at, scheme) in SCHEMES.into_iter().enumerate() {
            let companions = |line: &&String| {
                named(line).is_some_and(|(name, _)| Some(name) == scheme.companion())
            };
            for line in result {
                let Some((name, value)) = named(line) else {
                    continue;
                };
                if name != scheme.cookie() || lines.contains(line) || value.is_empty() {
                    continue;
                }
                let mut shown = result
                    .iter()
                    .filter(companions)
                    .filter_map(|line| Some(named(line)?.1));
                let key = Role::Current.key(scheme);
                let read = scheme
                    .read(key, value, None)
                    .or_else(|| shown.find_map(|one| scheme.read(key, value, Some(one))));
                let payload = read
                    .unwrap_or_else(|| panic!("set without a signature: {line:?}, of {lines:?}"));
                let by_the_site = self.set_cookies.iter().any(|one| match one {
                    SetCookieLine::Managed { cookie, .. } => {
                        cookie.index() == at
                            && cookie.role() == Role::Origin
                            && cookie.payload() == payload
                    }
                    _ => false,
                });
                assert!(
                    by_the_site || self.header.genuine.contains(&(at, payload.clone())),
                    "a payload that nobody vouches for: {payload:?} in {line:?}, of {lines:?} and {:?}",
                    self.header.text
                );
            }
        }
    }
}

/// Every header of another cookie is there, byte for byte and in its order.
fn others_are_kept(lines: &[String], result: &[String]) {
    let is_other = |line: &&String| named(line).is_some_and(|(name, _)| name.starts_with('z'));
    let others = |lines: &[String]| lines.iter().filter(is_other).cloned().collect::<Vec<_>>();
    assert_eq!(others(lines), others(result));
}
