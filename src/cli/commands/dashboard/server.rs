//! The server of the dashboard: HTTP/1.1 on this machine, three addresses, GET alone.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::access::{Access, Refusal, RequestHead, Resource};
use super::page::Page;
use super::view::BoardReply;
use crate::commands::board::source::Source;
use crate::terminal::answer::{Answer, Failure};
use crate::terminal::progress::print_beside;

/// What all connections share.
pub struct Server {
    port: u16,
    site: String,
    access: Mutex<Access>,
    page: Page,
    board: Mutex<Board>,
}

/// Where the figures come from, and the last ones.
struct Board {
    source: Source,
    /// With when they came.
    last: Option<(Instant, BoardReply)>,
}

/// For how long an answer of the Worker serves every page.
const FRESH: Duration = Duration::from_secs(2);
/// How long a head may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

impl Server {
    /// On a port that is bound.
    pub fn new(source: Source, port: u16) -> Self {
        Self {
            port,
            site: source.site().to_owned(),
            access: Mutex::new(Access::new(port)),
            page: Page::new(),
            board: Mutex::new(Board { source, last: None }),
        }
    }

    /// An address that opens the page once.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn address(&self) -> Result<String, Failure> {
        let token = locked(&self.access).invite();
        let token = token.map_err(|_| Failure::unreachable("the system has no random bytes"))?;
        // what stands behind # is sent to no server and written into no log
        Ok(format!("http://127.0.0.1:{}/#{}", self.port, *token))
    }

    /// Serves until the process ends.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> Result<Answer, Failure> {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // as where too many files are open: it passes
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let server = self.clone();
            let service = service_fn(move |request| server.clone().answer(request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(stream), service);
            // what breaks a connection is the other side's
            tokio::spawn(async move { drop(connection.await) });
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let head = head(&request);
        let judged = locked(&self.access).judge(&head);
        let answer = match judged {
            Ok(Resource::Page) => self.page(),
            Ok(Resource::Session) => self.session(head.bearer),
            Ok(Resource::Board) => self.board().await,
            Err(refusal) => refused(refusal),
        };
        Ok(answer)
    }

    fn page(&self) -> Response<Full<Bytes>> {
        let body = Bytes::from(self.page.html.clone());
        response(
            StatusCode::OK,
            "text/html; charset=utf-8",
            &self.page.policy,
            body,
        )
    }

    fn session(&self, shown: Option<&str>) -> Response<Full<Bytes>> {
        let exchanged = locked(&self.access).exchange(shown);
        match exchanged {
            Ok(token) => data(StatusCode::OK, &json!({ "token": *token })),
            Err(refusal) => {
                print_beside("an address was opened that is not good, or no longer: refused\n");
                refused(refusal)
            }
        }
    }

    async fn board(self: &Arc<Self>) -> Response<Full<Bytes>> {
        let server = self.clone();
        // the Worker and git are waited for
        let asked = tokio::task::spawn_blocking(move || server.ask()).await;
        match asked {
            Ok(reply) => data(StatusCode::OK, &json!(reply)),
            Err(_) => data(
                StatusCode::INTERNAL_SERVER_ERROR,
                &json!({ "error": "a fault of the command line" }),
            ),
        }
    }

    fn ask(&self) -> BoardReply {
        let mut board = locked(&self.board);
        if let Some((came, reply)) = &board.last
            && came.elapsed() < FRESH
        {
            return reply.clone();
        }
        let reply = match board.source.ask() {
            Ok(facts) => BoardReply::of(&facts),
            Err(failure) => BoardReply::of_failure(&self.site, &failure),
        };
        board.last = Some((Instant::now(), reply.clone()));
        reply
    }
}

/// A thread that has panicked leaves nothing half done here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn head(request: &Request<Incoming>) -> RequestHead<'_> {
    let headers = request.headers();
    let bearer = one(headers, &header::AUTHORIZATION);
    // an address with a host in it, as a proxy is asked, names nothing here
    let has_host = request.uri().authority().is_some();
    RequestHead {
        method: request.method().as_str(),
        path: request.uri().path(),
        host: one(headers, &header::HOST).filter(|_| !has_host),
        origin: headers.get(header::ORIGIN).map(text),
        fetch_site: headers.get("sec-fetch-site").map(text),
        bearer: bearer.and_then(|bearer| bearer.strip_prefix("Bearer ")),
    }
}

/// A header that is there once.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

/// What is no text is nobody's.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("unreadable")
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let (status, text) = match refusal {
        Refusal::WrongHost => (StatusCode::MISDIRECTED_REQUEST, "another host"),
        Refusal::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "GET alone"),
        Refusal::OtherSite => (
            StatusCode::FORBIDDEN,
            "another site asks; paste the address into the browser",
        ),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "nothing is here"),
        Refusal::NoToken => (StatusCode::FORBIDDEN, "no token"),
        Refusal::Used => (StatusCode::FORBIDDEN, "the address has been used"),
    };
    let mut refused = data(status, &json!({ "error": text }));
    if refusal == Refusal::WrongMethod {
        let allowed = HeaderValue::from_static("GET");
        refused.headers_mut().insert(header::ALLOW, allowed);
    }
    refused
}

fn data(status: StatusCode, json: &serde_json::Value) -> Response<Full<Bytes>> {
    let body = Bytes::from(json.to_string());
    response(status, "application/json", NOTHING, body)
}

/// The policy of what is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

fn response(
    status: StatusCode,
    kind: &'static str,
    policy: &str,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let fixed = [
        ("content-type", kind),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
