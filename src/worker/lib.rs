//! The Worker: bindings and headers in, headers out. Nothing is decided here.
//!
//! `entry.js` does the fetch and calls [`judge_request`] before it and [`judge_response`] after it.
#![cfg(target_arch = "wasm32")]

use std::cell::OnceCell;

use wasm_bindgen::prelude::*;
use worker::Env;
use worker::web_sys::{self, ResponseInit};

use countersign_core::gate::verdict::Verdict;
use countersign_core::gate::{Action, Event, Exchange, Pending, RequestHead};
use countersign_core::operations::ledger::reply::Extent;
use countersign_core::operations::status::ledger_reply;
use countersign_core::wire::encoding::holds;

mod bindings;
mod handover;
mod isolate;
mod js;
mod ledger;
mod origin;
mod panic;

use isolate::{Isolate, isolate};
use js::{Headers, Request, Response, name, with_cookie, with_set_cookies};

/// What a request leaves behind for its response.
#[wasm_bindgen]
pub struct Forwarded {
    forward: Option<JsValue>,
    pending: Pending,
    under_way: Option<String>,
}

#[wasm_bindgen]
impl Forwarded {
    /// The request to send in place of the visitor's, if another.
    #[wasm_bindgen(getter)]
    pub fn forward(&self) -> Option<JsValue> {
        self.forward.clone()
    }

    /// The cookies of which an upgrade is under way, where a ledger is bound: see `Gate::under_way`.
    #[wasm_bindgen(getter)]
    pub fn under_way(&self) -> Option<String> {
        self.under_way.clone()
    }
}

/// The cookies that were deleted since the last call, for the other isolates: see `Gate::deleted`.
#[wasm_bindgen]
pub fn deleted() -> Option<String> {
    isolate::made(|isolate| isolate.gate()?.deleted()).flatten()
}

/// Takes in what another isolate has told: see `Gate::deleted_elsewhere`.
#[wasm_bindgen]
pub fn deleted_elsewhere(cookies: &str) {
    isolate::made(|isolate| {
        isolate
            .gate()
            .map(|gate| gate.deleted_elsewhere(cookies, now_ms()))
    });
}

/// The names of the secrets that have to be read from a Secrets Store before the first request can be judged: those
/// that the configuration names, and the token.
#[wasm_bindgen]
pub fn stored_secrets(env: &Env) -> Vec<String> {
    isolate::stored_secrets(env)
}

/// Judges a request by its URL, its Cookie header and its Authorization header. Answers nothing where it goes on as
/// the same object; else the Request to send, the Response to give, a [`Forwarded`] where the response needs to know
/// more, or a text where [`status`] or [`ledger_status`] is asked.
///
/// # Errors
/// Any fault: the request must not go on.
#[wasm_bindgen]
pub fn judge_request(
    request: &Request,
    env: &Env,
    url: &str,
    cookie: Option<String>,
    authorization: Option<String>,
) -> Result<JsValue, JsValue> {
    isolate(env, |isolate| {
        let authorization = authorization.as_deref();
        if !authorization.is_some_and(|shown| isolate.is_operators(shown)) {
            return judge(isolate, request, None, url, cookie);
        }
        if isolate.admits(authorization)
            && countersign_core::operations::status::is_path(origin::path(url))
        {
            let is_ledger = Extent::of_url(url).is_some() && request.method() == "GET";
            let asked = if is_ledger { "ledger" } else { "status" };
            return Ok(JsValue::from_str(asked));
        }
        // the operator's token is nobody else's business, whatever the path
        let copy = Request::copy(request)?;
        copy.headers().delete(&name("authorization"))?;
        judge(isolate, request, Some(copy), url, cookie)
    })
}

/// Judges a request that does not ask for the status. `copy` is what goes on in its place, if another.
fn judge(
    isolate: &Isolate,
    request: &Request,
    copy: Option<Request>,
    url: &str,
    cookie: Option<String>,
) -> Result<JsValue, JsValue> {
    let Some(gate) = isolate.gate() else {
        let answer = isolate.misconfigured()?;
        let forward = || copy.map_or(JsValue::UNDEFINED, JsValue::from);
        return Ok(answer.unwrap_or_else(forward));
    };
    if !origin::host(url).is_some_and(|host| gate.admits(host)) {
        return answer(421, "this host is not served here", &[]);
    }
    if origin::is_self(gate.policy(), url) {
        return isolate.loops();
    }
    fault_on_demand(cookie.as_deref());
    let now = now_ms();
    let decision = gate
        .request(cookie.as_deref(), &IncomingRequest(request), now)
        .map_err(|_| JsValue::from_str("a managed name that the gate did not write"))?;
    let events = &decision.pending.events;
    isolate.count(events, now);
    let forward = match decision.action {
        Action::Unchanged => origin::forwarded(request, copy, url, isolate)?,
        Action::WithCookie(cookie) => {
            let forward = origin::forwarded(request, copy, url, isolate)?;
            let (from, is_copy) = (forward.as_ref().unwrap_or(request), forward.is_some());
            Some(with_cookie(from, is_copy, cookie.as_deref())?)
        }
        Action::Reject(deletions) => {
            isolate.tell(events, ray(request));
            return answer(403, "the cookie of this request was refused", &deletions);
        }
    };
    let forward = forward.map(JsValue::from);
    Ok(
        if decision.pending.is_pending() || isolate.should_log(events) {
            Forwarded {
                forward,
                under_way: isolate.under_way(gate, &decision.pending, &IncomingRequest(request)),
                pending: decision.pending,
            }
            .into()
        } else {
            forward.unwrap_or(JsValue::UNDEFINED)
        },
    )
}

/// Judges a response by its Set-Cookie headers, a line each. Answers nothing where it goes back as the same
/// object, else the Response to give.
///
/// # Errors
/// Any fault: the response must not go back.
#[wasm_bindgen]
pub fn judge_response(
    request: &Request,
    env: &Env,
    response: &Response,
    set_cookies: &str,
    pending: Option<Forwarded>,
) -> Result<Option<Response>, JsValue> {
    isolate(env, |isolate| {
        let Some(gate) = isolate.gate() else {
            return Ok(None);
        };
        let pending = pending.map(|pending| pending.pending).unwrap_or_default();
        let exchange = OriginExchange {
            request,
            response,
            asked_with: OnceCell::new(),
            answered_with: OnceCell::new(),
        };
        let own: Vec<&str> = set_cookies.split_terminator('\n').collect();
        let now = now_ms();
        let mut judged = gate.response(&own, &pending, &exchange, now);
        if judged.set_cookies.is_some() && !can_be_changed(response) {
            isolate.tell_status(response.status());
            judged.set_cookies = None;
            let is_done =
                |event: &Event| !matches!(event.verdict, Verdict::Sealed | Verdict::Upgraded);
            judged.events.retain(is_done);
        }
        isolate.count(&judged.events, now);
        let mut events = pending.events;
        events.extend(judged.events);
        isolate.tell(&events, || ray(request)());
        let Some(set_cookies) = judged.set_cookies else {
            return Ok(None);
        };
        // bytes that are not UTF-8 survive in headers that need not be written anew
        let kept = if judged.only_adds { own.len() } else { 0 };
        let written = &set_cookies[kept..];
        let length = written.iter().map(|cookie| cookie.len() + 1).sum();
        let mut lines = String::with_capacity(length);
        for cookie in written {
            if holds(cookie, b'\n') {
                return Err(JsValue::from_str("a line feed in a Set-Cookie header"));
            }
            lines.push_str(cookie);
            lines.push('\n');
        }
        let copy = with_set_cookies(response, &lines, judged.only_adds)?;
        if judged.private {
            let headers = copy.headers();
            headers.append(&name("cache-control"), "private")?;
        }
        Ok(Some(copy))
    })
}

/// Whether the runtime makes a copy of a response with this status. Origins may send any of three digits.
fn can_be_changed(response: &Response) -> bool {
    match response.status() {
        101 => response.web_socket().is_truthy(),
        status => (200..=599).contains(&status),
    }
}

/// The answer to one who has the token, whatever the host; `body` is the request's.
///
/// # Errors
/// Where the token was not shown, or the runtime cannot make a response.
#[wasm_bindgen]
pub fn status(request: &Request, env: &Env, body: &str) -> Result<JsValue, JsValue> {
    isolate(env, |isolate| {
        let shown = request.headers().get(&name("authorization"))?;
        if isolate.admits(shown.as_deref()) {
            isolate.status(env, &request.method(), body)
        } else {
            Err(JsValue::from_str("the status without the token"))
        }
    })
}

/// The answer to one who has the token and asks for the ledger, whatever the host; `told` is what the ledger has
/// answered, if it has.
///
/// # Errors
/// Where the token was not shown, or the runtime cannot make a response.
#[wasm_bindgen]
pub fn ledger_status(
    request: &Request,
    env: &Env,
    told: Option<String>,
) -> Result<JsValue, JsValue> {
    isolate(env, |isolate| {
        let shown = request.headers().get(&name("authorization"))?;
        if !isolate.admits(shown.as_deref()) {
            return Err(JsValue::from_str("the ledger without the token"));
        }
        let is_bound = bindings::member(env, isolate::LEDGER).is_some();
        let reply = ledger_reply(is_bound, told.as_deref(), now_ms() / 1000);
        typed_answer(reply.status, "application/json", &reply.body, &[])
    })
}

/// The answer where the origin cannot be reached.
///
/// # Errors
/// Where the runtime cannot make a response.
#[wasm_bindgen]
pub fn unreachable(
    request: &Request,
    env: &Env,
    pending: Option<Forwarded>,
) -> Result<JsValue, JsValue> {
    if let Some(pending) = pending {
        isolate(env, |isolate| {
            isolate.tell(&pending.pending.events, ray(request))
        });
    }
    answer(502, "the origin cannot be reached", &[])
}

/// A request and its response, as far as the gate asks.
struct OriginExchange<'a> {
    request: &'a Request,
    response: &'a Response,
    /// The headers of the request, once one is asked for.
    asked_with: OnceCell<Headers>,
    /// Those of the response.
    answered_with: OnceCell<Headers>,
}

/// A request before it is sent. Nothing of it is read unless the gate asks.
struct IncomingRequest<'a>(&'a Request);

impl RequestHead for IncomingRequest<'_> {
    fn method(&self) -> String {
        self.0.method()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        self.0.headers().get(&js::name(name)).ok().flatten()
    }
}

impl RequestHead for OriginExchange<'_> {
    fn method(&self) -> String {
        self.request.method()
    }

    fn request_header(&self, name: &'static str) -> Option<String> {
        let headers = self.asked_with.get_or_init(|| self.request.headers());
        headers.get(&js::name(name)).ok().flatten()
    }
}

impl Exchange for OriginExchange<'_> {
    fn status(&self) -> u16 {
        self.response.status()
    }

    fn response_header(&self, name: &'static str) -> Option<String> {
        let headers = self.answered_with.get_or_init(|| self.response.headers());
        headers.get(&js::name(name)).ok().flatten()
    }
}

/// An answer of the Worker's own. It is never stored.
fn answer(status: u16, text: &str, set_cookies: &[String]) -> Result<JsValue, JsValue> {
    let kind = "text/plain; charset=utf-8";
    typed_answer(status, kind, &format!("{text}\n"), set_cookies)
}

fn typed_answer(
    status: u16,
    kind: &str,
    body: &str,
    set_cookies: &[String],
) -> Result<JsValue, JsValue> {
    let init = ResponseInit::new();
    init.set_status(status);
    let response = web_sys::Response::new_with_opt_str_and_init(Some(body), &init)?;
    let headers = response.headers();
    headers.set("cache-control", "no-store")?;
    headers.set("content-type", kind)?;
    for cookie in set_cookies {
        headers.append("set-cookie", cookie)?;
    }
    Ok(response.into())
}

fn ray(request: &Request) -> impl FnOnce() -> Option<String> {
    let headers = request.headers();
    move || headers.get(&name("cf-ray")).ok().flatten()
}

fn now_ms() -> u64 {
    js_sys::Date::now() as u64 // milliseconds since 1970, far below 2^53
}

/// The end-to-end tests build a Worker that panics when it is told to; no other build can.
#[cfg(feature = "fault")]
fn fault_on_demand(cookie: Option<&str>) {
    if let Some(cookie) = cookie.filter(|cookie| cookie.contains("countersign-fault=panic")) {
        // as Rust's own panics quote the text that they could not cut
        panic!("asked to panic by {cookie}");
    }
}

#[cfg(not(feature = "fault"))]
fn fault_on_demand(_cookie: Option<&str>) {}
