//! A proxy that answers for every site: pages that set cookies, and answers that no site should give.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A session as Flask signs it, signed on 2026-11-21 at 11:00 UTC by `tests/cli/init.in/key.txt`.
const SESSION: &str = "session=eyJ1c2VyX2lkIjo0NzExfQ.awF5sA.AxooGeW3fdO6Jjcpi_jIlNlXoq4";

/// Serves until the tests end; answers where.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || answer(&stream));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = head(&mut reader);
    if line.starts_with("CONNECT ") {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        line = head(&mut reader);
    }
    let target = line.split(' ').nth(1).unwrap_or_default();
    let path = target
        .strip_prefix("http://www.example.com")
        .unwrap_or(target);
    // one that has read enough may have gone
    let _ = stream.write_all(&reply(path));
}

/// The first line of a request, of which all lines are read.
fn head(reader: &mut BufReader<&TcpStream>) -> String {
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut line = first.clone();
    while !line.trim().is_empty() {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    first
}

fn reply(path: &str) -> Vec<u8> {
    let page = |status: &str, headers: &str| {
        format!(
            "HTTP/1.1 {status}\r\nDate: Sat, 21 Nov 2026 12:00:01 GMT\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n"
        )
        .into_bytes()
    };
    match path {
        "/" => page(
            "302 Found",
            "Set-Cookie: lang=en; Path=/\r\nLocation: /home\r\n",
        ),
        "/home" => page(
            "200 OK",
            &format!(
                "Set-Cookie: {SESSION}; Expires=Sat, 21 Nov 2026 13:00:00 GMT; HttpOnly; Path=/\r\nSet-Cookie: csrftoken=x; Path=/\r\n"
            ),
        ),
        "/elsewhere" => page("302 Found", "Location: https://sso.example.com/login\r\n"),
        "/loop" => page("302 Found", "Location: /loop\r\n"),
        "/escapes" => page(
            "200 OK",
            "Set-Cookie: a\x1b[2Jb=1; Path=/\r\nSet-Cookie: good=1; Path=/\u{202e}; Domain=\x07\r\n",
        ),
        "/huge" => page(
            "200 OK",
            &format!("Set-Cookie: a={}\r\n", "x".repeat(5_000_000)),
        ),
        "/garbage" => b"\x00\xff\x1b[2J is no HTTP\r\n\r\n".to_vec(),
        "/silent" => Vec::new(),
        _ => page("404 Not Found", ""),
    }
}
