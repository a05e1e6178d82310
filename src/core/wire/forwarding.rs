//! Which headers of a visitor's request the origin must not see (B4): those by which it would take the visitor's word
//! for a host, an address or a path, and those that it could take for one that the edge sets.
//!
//! Servers in the tradition of CGI hand headers on as variables, `X-Real-IP` as `HTTP_X_REAL_IP`, and so join names that
//! differ in case or in what stands between letters and digits: Python's wsgiref takes `-` and `_` for one, lighttpd
//! every other character too. Names are compared as such a server would.

use crate::prelude::*;

/// Names that begin so tell of the visitor; in lower case, as all of these.
const FAMILIES: [&str; 4] = [
    "forwarded-",
    "x-forward-",
    "x-forwarded-",
    "x-original-forwarded-",
];

/// Names that do, as servers, frameworks and the proxies before them know them, by what they tell of. Each list is in
/// the order of its bytes, to be searched by halves: there are many, and a request has many headers.
const NAMES: [&[&str]; 4] = [
    // the host, or several at once
    &[
        "forwarded",
        "host-override",
        "x-envoy-original-host",
        "x-forwarded",
        "x-host",
        "x-host-override",
        "x-http-host",
        "x-http-host-override",
        "x-original-host",
    ],
    // the address
    &[
        "ali-cdn-real-ip",
        "cdn-src-ip",
        "client-ip",
        "cloudfront-viewer-address",
        "do-connecting-ip",
        "fastly-client-ip",
        "fly-client-ip",
        "incap-client-ip",
        "proxy-client-ip",
        "real-ip",
        "remote-addr",
        "true-client-ip",
        "wl-proxy-client-ip",
        "x-appengine-user-ip",
        "x-azure-clientip",
        "x-azure-socketip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "x-nf-client-connection-ip",
        "x-original-client-ip",
        "x-original-remote-addr",
        "x-originating-ip",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-sucuri-clientip",
        "x-true-client-ip",
        "x-vercel-forwarded-for",
        "z-forwarded-for",
    ],
    // the path, and where the site begins in it
    &[
        "path-info",
        "request-uri",
        "script-name",
        "x-envoy-original-path",
        "x-original-path",
        "x-original-uri",
        "x-original-url",
        "x-request-uri",
        "x-rewrite-uri",
        "x-rewrite-url",
        "x-script-name",
        "x-waws-unencoded-url",
    ],
    // the scheme and the port
    &[
        "cloudfront-forwarded-proto",
        "front-end-https",
        "https",
        "wl-proxy-ssl",
        "x-arr-ssl",
        "x-client-scheme",
        "x-https",
        "x-original-port",
        "x-original-proto",
        "x-original-scheme",
        "x-proto",
        "x-scheme",
        "x-ssl",
        "x-url-scheme",
    ],
];

/// Those of them that Cloudflare sets, too, to the address in `CF-Connecting-IP`.
const SET_BY_CLOUDFLARE: [&str; 2] = ["true-client-ip", "x-real-ip"];

/// What the headers of a visitor are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Screen<'a> {
    /// Whether the origin has an address of its own, `origin_url`, and so learns of the visitor from headers alone.
    pub has_origin_url: bool,
    /// The name of the header that proves to the origin where a request came from.
    pub origin_header: Option<&'a str>,
    /// The address of the visitor as Cloudflare tells it.
    pub visitor: Option<&'a str>,
}

impl Screen<'_> {
    /// Whether a header is kept from the origin. `value` is asked for where the name alone does not decide.
    pub fn drops(&self, name: &str, value: impl FnOnce() -> Option<String>) -> bool {
        if self.origin_header.is_some_and(|own| is_same(name, own)) {
            return true;
        }
        if !self.has_origin_url {
            return false;
        }
        if SET_BY_CLOUDFLARE.contains(&name) {
            // where it says what Cloudflare says, it does not matter who wrote it
            return self.visitor.is_none() || value().as_deref() != self.visitor;
        }
        is_listed(name) || begins_with_any(name, &FAMILIES) || is_like_cloudflares(name)
    }
}

/// The other spellings of a name in `-` and `_`, which are looked for one by one where no other header matters:
/// nothing where they are more than a look at all names is worth.
pub fn other_spellings(name: &str) -> Option<Vec<String>> {
    let name = name.to_ascii_lowercase();
    let mut all = vec![name.clone()];
    for (at, separator) in name.match_indices(['-', '_']) {
        if all.len() > MOST_SPELLINGS / 2 {
            return None;
        }
        let other = if separator == "-" { "_" } else { "-" };
        for one in 0..all.len() {
            let one = &all[one];
            all.push([&one[..at], other, &one[at + 1..]].concat()); // a separator is one byte
        }
    }
    all.remove(0);
    Some(all)
}

/// The name itself among them: those of three separators.
const MOST_SPELLINGS: usize = 8;

fn is_listed(name: &str) -> bool {
    let order = |known: &&str| known.bytes().cmp(name.bytes().map(folded));
    NAMES
        .iter()
        .any(|names| names.binary_search_by(order).is_ok())
}

fn begins_with_any(name: &str, starts: &[&str]) -> bool {
    let begins_with = |start: &&str| {
        let own = name.as_bytes().get(..start.len());
        own.is_some_and(|own| own.iter().map(|b| folded(*b)).eq(start.bytes()))
    };
    starts.iter().any(begins_with)
}

/// Whether a name could be taken for one of Cloudflare's own and is none: theirs have hyphens, and the edge writes
/// over what a visitor sends under them.
fn is_like_cloudflares(name: &str) -> bool {
    let is_odd = |b: u8| !b.is_ascii_alphanumeric() && b != b'-';
    name.bytes().any(is_odd) && begins_with_any(name, &["cf-", "cdn-loop"])
}

/// Whether a server that folds names takes two for one.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().map(folded).eq(other.bytes().map(folded))
}

fn folded(b: u8) -> u8 {
    if b.is_ascii_alphanumeric() {
        b.to_ascii_lowercase()
    } else {
        b'-'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_can_be_searched_by_halves() {
        for names in NAMES {
            assert!(names.is_sorted(), "{names:?}");
        }
        for name in NAMES.iter().flat_map(|names| names.iter()) {
            assert!(name.bytes().all(|b| folded(b) == b), "{name}");
            assert!(is_listed(name), "{name}");
        }
    }
}
