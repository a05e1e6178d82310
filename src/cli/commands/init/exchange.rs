//! What a site and a browser sent each other, as it was asked for or pasted.

use url::Url;

use crate::remote::page::Page;

/// A request and its response, as far as they are known.
#[derive(Default)]
pub struct Exchange {
    pub url: Option<Url>,
    /// The response's header `Date`.
    pub date: Option<String>,
    /// Each `Set-Cookie` of the response.
    pub set_cookies: Vec<String>,
    /// The `Cookie` of the request.
    pub cookies: Option<String>,
}

impl Exchange {
    pub fn of_page(page: Page) -> Self {
        Self {
            url: Some(page.url),
            date: page.date,
            set_cookies: page.set_cookies,
            cookies: None,
        }
    }

    /// Whether it holds a cookie.
    pub fn has_cookies(&self) -> bool {
        !self.set_cookies.is_empty() || self.cookies.is_some()
    }
}
