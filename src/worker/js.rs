//! The few JavaScript objects of the runtime that a request touches, bound so that nothing is lost:
//! every call that can throw is caught, header names cross over once per isolate, and requests and
//! responses are only ever copied whole.

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
    #[wasm_bindgen(method, catch)]
    pub fn keys(this: &Headers) -> Result<js_sys::Iterator, JsValue>;

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
    /// A copy with headers that can be changed, around the same stream. The old response as `init`
    /// keeps `webSocket` and `statusText`.
    #[wasm_bindgen(constructor, catch)]
    pub fn copy(body: &JsValue, response: &Response) -> Result<Response, JsValue>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn headers(this: &Response) -> Headers;
    #[wasm_bindgen(method, getter, structural)]
    pub fn status(this: &Response) -> u16;
    #[wasm_bindgen(method, getter, structural)]
    pub fn body(this: &Response) -> JsValue;
}

thread_local! {
    static COOKIE: JsValue = JsValue::from_str("cookie");
    static SET_COOKIE: JsValue = JsValue::from_str("set-cookie");
}

/// Calls with the name of the Cookie header, which crosses over once.
pub fn with_cookie<T>(call: impl FnOnce(&JsValue) -> T) -> T {
    COOKIE.with(call)
}

/// Calls with the name of the Set-Cookie header, which crosses over once.
pub fn with_set_cookie<T>(call: impl FnOnce(&JsValue) -> T) -> T {
    SET_COOKIE.with(call)
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
