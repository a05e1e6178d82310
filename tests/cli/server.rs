//! A live Worker's status endpoint, answered by the core, and what the tests need of Cloudflare's API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use countersign_core::config::Policy;
use countersign_core::operations::status::{PATH, Status, Token};
use serde_json::{Value, json};

pub const TOKEN: &str = "a-token-of-thirty-two-bytes-or-more";

/// Serves until the tests end; answers where.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || answer(stream));
        }
    });
    format!("http://{address}")
}

fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let (method, path) = (words[0].to_owned(), words[1].to_owned());
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let (status, text) = reply(&method, &path, &authorization, &body);
    let head = format!(
        "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    (&stream)
        .write_all(format!("{head}{text}").as_bytes())
        .unwrap();
}

fn reply(method: &str, path: &str, authorization: &str, body: &str) -> (u16, String) {
    if let Some(path) = path.strip_prefix("/client/v4/") {
        assert_eq!(authorization, "Bearer cloudflare");
        return (
            200,
            json!({ "success": true, "result": cloudflare(path) }).to_string(),
        );
    }
    let token = Token::new(TOKEN).unwrap();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path == PATH && query == "ledger" && token.admits(Some(authorization)) {
        return (200, ledger().to_string());
    }
    if path != PATH || !token.admits(Some(authorization)) {
        return (404, "<html>the site's own</html>".to_owned());
    }
    let configuration = configuration();
    let policy = Policy::parse(&configuration, &secret).unwrap();
    let status = Status {
        token: &token,
        policy: Some(&policy),
        configuration: &configuration.to_string(),
        problems: &[],
        passes: false,
        version: vec![
            ("id", "7f1c".to_owned()),
            ("timestamp", "2026-11-21T10:00:00Z".to_owned()),
        ],
        now: crate::NOW,
    };
    let reply = status.reply(method, body);
    (reply.status, reply.body)
}

/// What the keys have done: one in use, one on its way out, one that was retired before.
fn ledger() -> Value {
    let (hour, day, now) = (3_600, 86_400, crate::NOW);
    let entry = |at: u64, key: &str, verdict: &str, count: u64| json!({ "at": at, "rule": "sessionid", "key": key, "verdict": verdict, "count": count });
    let today = now - now % day;
    let old = |days: u64| entry(today - days * day, "KEY_2026_05", "fallback", 8 << days);
    let hostile = |at: u64| json!({ "at": at, "rule": "a\u{1b}[2J<script>", "verdict": "bad-signature", "count": 2 });
    let mut hours: Vec<Value> = (4..10).map(old).collect(); // each in the first hour of its day
    hours.push(entry(
        today - 3 * day + 11 * hour,
        "KEY_2026_05",
        "fallback",
        1,
    ));
    let mut days: Vec<Value> = (4..10).map(old).collect();
    days.push(entry(today - 3 * day, "KEY_2026_05", "fallback", 1));
    days.push(entry(today - 15 * day, "KEY_2025_11", "fallback", 3));
    for (entries, at) in [(&mut hours, now - hour), (&mut days, today)] {
        entries.push(entry(at, "KEY_2026_11", "current", 4_812));
        entries.push(hostile(at));
    }
    let times = |key: &str, last: u64| json!({ "rule": "sessionid", "key": key, "first_opened": now - 19 * day, "last_opened": last });
    json!({
        "countersign": "0.1.0",
        "now": now,
        "ledger": {
            "since": now - 20 * day,
            "keys": [
                times("KEY_2026_11", now - 5),
                times("KEY_2026_05", now - 3 * day - 1_800),
                times("KEY_2025_11", now - 15 * day),
            ],
            "hours": hours,
            "days": days,
        },
    })
}

fn configuration() -> Value {
    json!({
        "keys": {
            "current": "KEY_2026_11",
            "fallbacks": [{ "secret": "KEY_2026_05", "until": "2099-12-05T00:00:00Z" }, "KEY_2027_05"],
            "origin": "DJANGO_SECRET_KEY",
        },
        "cookies": [
            { "name": "sessionid", "format": "django-session", "upgrade": "never" },
            { "name": "theme", "format": "django-signed-cookie", "upgrade": "never", "max_age": 31_536_000,
              "accept": [{ "format": "django-signed-cookie", "digest": "sha1" }] },
        ],
    })
}

/// Keys of the vectors of Django 5.2.
fn secret(name: &str) -> Option<String> {
    let text = match name {
        "DJANGO_SECRET_KEY" => "*9j_lyp-*)l&zr9%ld(_3!-9rxlx(osik4oapt2re-q%*m3v=m",
        "KEY_2026_11" => {
            "8PHNJOLpXqR7stUrJ9QvpEJnpTNdcgGQwi3bcbkJvEdBKWEZE3TvQtCh4LUOV/rtK8JjkKBxSmr1B92424T0zQ=="
        }
        "KEY_2026_05" => "another key of the ring, which is no longer current",
        "KEY_2027_05" => "the next key of the ring, which is not yet current",
        _ => return None,
    };
    Some(text.to_owned())
}

fn cloudflare(path: &str) -> Value {
    match path {
        "zones?name=example.com" => json!([{ "id": "zone1" }]),
        "zones/zone1/workers/routes" => json!([
            { "pattern": "www.example.com/*", "script": "shop", "request_limit_fail_open": true },
            { "pattern": "blog.example.com/*", "script": "blog", "request_limit_fail_open": true },
        ]),
        "accounts" => json!([{ "id": "account1" }]),
        "accounts/account1/workers/workers/shop" => json!({
            "id": "f1a7", "name": "shop", "subdomain": { "enabled": false, "previews_enabled": true },
        }),
        _ => panic!("not expected to be asked for {path}"),
    }
}
