//! What must hold of every response, with the request before it.

use arbitrary::Arbitrary;
use countersign_core::gate::{Exchange, RequestHead};

use crate::independent::SCHEMES;
use crate::message::{Header, ManagedCookie, Pair, Text};
use crate::request::{self, Head, work_is_bounded};
use crate::site::{NOW, Role, pinned};

/// A request and the response to it.
#[derive(Arbitrary, Debug)]
pub struct ExchangeCase {
    pairs: Vec<(Pair, u8)>,
    is_page: bool,
    set_cookies: Vec<SetCookieLine>,
    status: u16,
    is_private: bool,
    /// How long the site took, in milliseconds.
    took_ms: u16,
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

impl RequestHead for ExchangeCase {
    fn method(&self) -> String {
        "GET".to_owned()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        Head {
            is_page: self.is_page,
        }
        .request_header(name)
    }
}

impl Exchange for ExchangeCase {
    fn status(&self) -> u16 {
        200 + self.status % 400
    }

    fn response_header(&self, name: &'static str) -> Option<String> {
        (name.eq_ignore_ascii_case("cache-control") && self.is_private)
            .then(|| "private".to_owned())
    }
}

/// Judges both, and holds every rule against what comes of it.
pub fn check(case: &ExchangeCase) {
    let header = Header::of(&case.pairs);
    let pending = request::judge(&header, case.is_page);
    let lines: Vec<String> = case
        .set_cookies
        .iter()
        .take(16)
        .flat_map(SetCookieLine::lines)
        .collect();
    let now_ms = NOW * 1000 + u64::from(case.took_ms);
    let decision = pinned().response(&lines, &pending, case, now_ms);
    let result = decision.set_cookies.as_deref().unwrap_or(&lines);
    everything_set_is_vouched_for(case, &header, &lines, result);
    others_are_kept(&lines, result);
    work_is_bounded(
        decision.steps,
        header.text.len() + lines.iter().map(String::len).sum::<usize>(),
    );
    request::assert_no_secret(&format!("{:?}", decision.events));
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

/// A managed cookie that a browser is sent is the site's own header as it was, a deletion, or signed with the current
/// key: with a payload that the site has set under its own key, or one that the visitor showed (an upgrade).
fn everything_set_is_vouched_for(
    case: &ExchangeCase,
    header: &Header,
    lines: &[String],
    result: &[String],
) {
    for (at, scheme) in SCHEMES.into_iter().enumerate() {
        let companions =
            |line: &&String| named(line).is_some_and(|(name, _)| Some(name) == scheme.companion());
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
            let payload =
                read.unwrap_or_else(|| panic!("set without a signature: {line:?}, of {lines:?}"));
            let by_the_site = case.set_cookies.iter().any(|one| match one {
                SetCookieLine::Managed { cookie, .. } => {
                    cookie.index() == at
                        && cookie.role() == Role::Origin
                        && cookie.payload() == payload
                }
                _ => false,
            });
            assert!(
                by_the_site || header.genuine.contains(&(at, payload.clone())),
                "a payload that nobody vouches for: {payload:?} in {line:?}, of {lines:?} and {:?}",
                header.text
            );
        }
    }
}

/// Every header of another cookie is there, byte for byte and in its order.
fn others_are_kept(lines: &[String], result: &[String]) {
    let is_other = |line: &&String| named(line).is_some_and(|(name, _)| name.starts_with('z'));
    let others = |lines: &[String]| lines.iter().filter(is_other).cloned().collect::<Vec<_>>();
    assert_eq!(others(lines), others(result));
}
