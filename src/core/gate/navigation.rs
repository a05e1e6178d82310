//! Whether a request opens a page: S5 sends upgrades with those, and R4 never rejects them.

use super::RequestHead;
use crate::wire::encoding::cut_at_first;

/// Whether a request opens a page, by the Fetch metadata headers, or, where a browser sends none of them, by
/// what it accepts. One that only prefetches does not. The method does not matter.
pub fn is_navigation(request: &dyn RequestHead) -> bool {
    let header = |name| request.request_header(name);
    let is_page = match (header("sec-fetch-mode"), header("sec-fetch-dest")) {
        (None, None) => header("accept").is_some_and(|accept| holds(&accept, "text/html")),
        (mode, dest) => {
            mode.as_deref() == Some("navigate") && is_page_destination(dest.as_deref(), request)
        }
    };
    is_page && !is_prefetch(request)
}

/// `empty` is what a service worker says that fetches the page itself; a frame of another site's page is none
/// that the visitor has opened.
fn is_page_destination(dest: Option<&str>, request: &dyn RequestHead) -> bool {
    match dest {
        None | Some("document" | "empty") => true,
        Some("iframe" | "frame") => {
            request.request_header("sec-fetch-site").as_deref() == Some("same-origin")
        }
        Some(_) => false,
    }
}

/// By any of the headers that browsers have had for it.
fn is_prefetch(request: &dyn RequestHead) -> bool {
    let header = |name| request.request_header(name);
    let is_told = |name| header(name).is_some_and(|value| holds(&value, "prefetch"));
    header("sec-purpose").is_some() || is_told("purpose") || is_told("x-moz")
}

/// Whether a header holds this word, which is in lower case.
fn holds(header: &str, word: &str) -> bool {
    cut_at_first(&header.to_ascii_lowercase(), word).is_some()
}
