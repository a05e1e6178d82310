//! The few JavaScript objects of the runtime that a request touches, bound so that nothing is lost:
//! every call that can throw is caught, header names that stand in the code cross over once, and requests
//! and responses are only ever copied whole.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub type Headers;
    #[wasm_bindgen(method, catch)]
    pub fn get(this: &Headers, name: &JsValue) -> Result<Option<String>, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn set(this: &Headers, name: &JsValue, value: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn append(this: &Headers, name: &JsValue, value: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub fn delete(this: &Headers, name: &JsValue) -> Result<(), JsValue>;

    pub type Request;
    /// A copy with headers that can be changed. From its parts it would follow redirects and lose
    /// unusual methods.
    #[wasm_bindgen(constructor, catch)]
    pub fn copy(request: &Request) -> Result<Request, JsValue>;
    /// A copy for another address.
    #[wasm_bindgen(constructor, catch)]
    pub fn readdressed(url: &str, request: &Request) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn headers(this: &Request) -> Headers;
    #[wasm_bindgen(method, getter, structural)]
    pub fn url(this: &Request) -> String;
    #[wasm_bindgen(method, getter, structural)]
    pub fn method(this: &Request) -> String;

    pub type Response;
    #[wasm_bindgen(method, getter, structural)]
    pub fn headers(this: &Response) -> Headers;
    #[wasm_bindgen(method, getter, structural)]
    pub fn status(this: &Response) -> u16;
    #[wasm_bindgen(method, getter, structural, js_name = webSocket)]
    pub fn web_socket(this: &Response) -> JsValue;
}

#[wasm_bindgen(module = "/edits.js")]
extern "C" {
    /// The request with another Cookie header, or with none: a copy, unless it is one by now.
    #[wasm_bindgen(js_name = withCookie, catch)]
    pub fn with_cookie(
        request: &Request,
        is_copy: bool,
        cookie: Option<&str>,
    ) -> Result<Request, JsValue>;
    /// The names of all headers in lower case, a line each.
    #[wasm_bindgen(catch)]
    pub fn names(headers: &Headers) -> Result<String, JsValue>;
    /// A copy of the response that sets these cookies, each ended by a line feed, beside its own or in their place.
    #[wasm_bindgen(js_name = withSetCookies, catch)]
    pub fn with_set_cookies(
        response: &Response,
        lines: &str,
        is_beside: bool,
    ) -> Result<Response, JsValue>;
}

thread_local! {
    static NAMES: RefCell<Vec<(&'static str, JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// The name of a header, which crosses over once.
pub fn name(name: &'static str) -> JsValue {
    NAMES.with_borrow_mut(|names| match names.iter().find(|(it, _)| *it == name) {
        Some((_, known)) => known.clone(),
        None => {
            let new = JsValue::from_str(name);
            names.push((name, new.clone()));
            new
        }
    })
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn random_values(bytes: &mut [u8]);
}

/// Fills bytes from the runtime's source of randomness, which gives at most 65,536 at once.
pub fn random(bytes: &mut [u8]) {
    bytes.chunks_mut(1 << 16).for_each(random_values);
}
