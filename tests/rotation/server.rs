//! Live Workers, answered by the core, and Analytics Engine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use countersign_core::config::Policy;
use countersign_core::operations::status::{PATH, Status, Token};
use serde_json::{Value, json};

use crate::ledger;

/// A request.
pub struct Request {
    pub method: String,
    pub path: String,
    /// The token that it shows.
    pub bearer: String,
    /// The version that it chooses: `worker="version"`.
    pub version: String,
    pub body: String,
}

/// Serves until the tests end; answers where.
///
/// `told` is the folder in which the stand-in for wrangler leaves what each token's Worker has been told.
pub fn start(told: PathBuf) -> String {
    serve(move |request| {
        if request.path.starts_with("/client/v4/") {
            analytics(&request.bearer, &request.body)
        } else {
            reply(request, &told.join(&request.bearer))
        }
    })
}

/// Serves until the tests end; `reply` makes the status and the text of each answer. Answers where.
pub fn serve(reply: impl Fn(&Request) -> (u16, String) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reply = Arc::new(reply);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, reply) = (stream.unwrap(), reply.clone());
            thread::spawn(move || {
                let (status, text) = reply(&read(&stream));
                let head = format!(
                    "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    text.len()
                );
                let _ = (&stream).write_all(format!("{head}{text}").as_bytes());
            });
        }
    });
    format!("http://{address}")
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let mut request = Request {
        method: words[0].to_owned(),
        path: words[1].to_owned(),
        bearer: String::new(),
        version: String::new(),
        body: String::new(),
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => request.bearer = value.trim().replace("Bearer ", ""),
            "cloudflare-workers-version-overrides" => {
                value.trim().clone_into(&mut request.version);
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request.body = String::from_utf8(body).unwrap();
    request
}

fn analytics(token: &str, query: &str) -> (u16, String) {
    assert!(query.contains("FROM \"countersign\""), "{query}");
    let row = |key: &str, verdict: &str, uses: Value| json!({ "index1": format!("sessionid/{key}"), "blob1": verdict, "uses": uses });
    let current = row("KEY_2", "current", json!("91204"));
    let rows = match token {
        "no-uses" => vec![current, row("KEY_1", "bad-signature", json!(3))],
        "uses" => vec![current, row("KEY_1", "fallback", json!("12"))],
        "no-data" => vec![],
        _ => return (403, "not allowed".to_owned()),
    };
    (200, json!({ "meta": [], "data": rows }).to_string())
}

/// The token's beginning names the live configuration, and behind a dot the new version's. `NAME~SECONDS` is one
/// whose clock differs by so much, `NAME+LEDGER` one that has a ledger, and `hostile` is `first` with a version that no terminal should obey.
fn reply(request: &Request, told: &Path) -> (u16, String) {
    let Request {
        method,
        path,
        bearer,
        version,
        body,
    } = request;
    let (live, new) = bearer.split_once('.').unwrap_or((bearer.as_str(), bearer));
    let (new, _) = new.split_once('_').unwrap_or((new, ""));
    let (live, _) = live.split_once('_').unwrap_or((live, ""));
    let (live, live_ledger) = live.split_once('+').unwrap_or((live, ""));
    let (live, split_pair) = live.split_once('~').unwrap_or((live, "0"));
    let split_pair: i64 = split_pair.parse().unwrap();
    let is_hostile = live == "hostile";
    let live = if is_hostile { "first" } else { live };
    let chosen = version == "shop=\"new-version\"";
    let (name, id) = if chosen || told.join("deployed").exists() {
        (new, "new-version")
    } else {
        (live, "old-version")
    };
    if let Some(query) = path
        .strip_prefix(PATH)
        .filter(|query| query.starts_with("?ledger"))
    {
        assert!(["?ledger", "?ledger=keys"].contains(&query));
        return ledger::reply(live_ledger);
    }
    if path != PATH || name.is_empty() {
        return (404, "<html>the site's own</html>".to_owned());
    }
    let token = Token::new(bearer).unwrap();
    let configuration = configuration(name);
    let policy = Policy::parse(&configuration, &|name| {
        Some(secret(name, &told.join("secrets")))
    })
    .unwrap();
    let status = Status {
        token: &token,
        policy: Some(&policy),
        configuration: &configuration.to_string(),
        problems: &[],
        passes: false,
        version: if is_hostile {
            vec![
                ("id", "\x1b[2J\x1b]0;title\x07id".to_owned()),
                ("tag", "tag\n\nroll back to\n  yes  aaa".to_owned()),
                ("timestamp", "\u{9b}1A\u{202e}\u{2028}".to_owned()),
            ]
        } else {
            vec![("id", id.to_owned())]
        },
        now: crate::NOW.saturating_add_signed(split_pair),
    };
    let reply = status.reply(method, body);
    (reply.status, reply.body)
}

fn configuration(name: &str) -> Value {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .join(format!("tests/rotation/live/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What has been uploaded under this name, or a text that is always the same.
fn secret(name: &str, secrets: &Path) -> String {
    let uploaded = fs::read_to_string(secrets).unwrap_or_default();
    let uploaded: Value = serde_json::from_str(&uploaded).unwrap_or_default();
    let stays = || format!("{name}{}", "*".repeat(40));
    uploaded[name].as_str().map_or_else(stays, str::to_owned)
}
