//! The page without its figures: one file, whose policy lets nothing in but its own style and script.

use crate::commands::board::{STYLE, page_source};

/// The page and its Content-Security-Policy.
pub struct Page {
    pub html: String,
    pub policy: String,
}

const HTML: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
/// What stands in the file for the style and the script.
const STYLE_PLACE: &str = "{style}";
const SCRIPT_PLACE: &str = "{script}";

impl Page {
    /// Puts it together.
    pub fn new() -> Self {
        let html = HTML.replacen(STYLE_PLACE, STYLE, 1);
        let policy = [
            "default-src 'none'",
            &format!("script-src {}", page_source(SCRIPT)),
            &format!("style-src {}", page_source(STYLE)),
            "connect-src 'self'",
            "img-src data:", // its icon
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types board",
        ];
        Self {
            html: html.replacen(SCRIPT_PLACE, SCRIPT, 1),
            policy: policy.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_and_has_no_handlers_or_styles_in_its_elements() {
        let page = Page::new();
        assert!(page.html.contains(STYLE) && page.html.contains(SCRIPT));
        assert!(!page.html.contains(STYLE_PLACE) && !page.html.contains(SCRIPT_PLACE));
        for outside in ["http://", "https://", "src=", "@import", "url(", " style="] {
            let found = HTML.contains(outside) || STYLE.contains(outside);
            assert!(!found, "{outside}");
        }
        for handler in ["onclick", "onload", "onerror", "javascript:"] {
            assert!(!HTML.contains(handler), "{handler}");
        }
        assert!(!page.policy.contains("unsafe"), "{}", page.policy);
    }
}
