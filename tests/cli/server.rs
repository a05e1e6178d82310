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
