//! What the crate `cookie` writes and reads, asked by from_cookie_rs.py: a question a line on standard input, its
//! fields between tabs, and the answer a line on standard output.
//!
//!     sign   JAR KEY NAME HEX-OF-VALUE   the value of Set-Cookie, as it is encoded, a tab, and as it is in hexadecimal digits
//!     read   JAR KEY NAME TEXT           the value in hexadecimal digits, or `-`
//!
//! JAR is `signed` or `private`, KEY in hexadecimal digits with `from:` or `derive_from:` in front.
use std::io::{BufRead, stdin};

use cookie::{Cookie, CookieJar, Key};

fn main() {
    for line in stdin().lock().lines().map(Result::unwrap) {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[what, jar, key, name, text] = &fields[..] else { panic!("{line}") };
        println!("{}", if what == "sign" { sign(jar, &key_of(key), name, text) } else { read(jar, &key_of(key), name, text) });
    }
}

fn sign(jar: &str, key: &Key, name: &str, value: &str) -> String {
    let (name, value) = (name.to_owned(), String::from_utf8(bytes(value)).unwrap());
    let mut all = CookieJar::new();
    match jar {
        "signed" => all.signed_mut(key).add(Cookie::new(name.clone(), value)),
        _ => all.private_mut(key).add(Cookie::new(name.clone(), value)),
    }
    let cookie = all.get(&name).unwrap();
    let value = |text: String| text.split_once('=').unwrap().1.to_owned();
    format!("{}\t{}", value(cookie.encoded().to_string()), hex(&value(cookie.to_string())))
}

fn read(jar: &str, key: &Key, name: &str, text: &str) -> String {
    let Ok(cookie) = Cookie::parse_encoded(format!("{name}={text}")) else { return "-".to_owned() };
    let mut all = CookieJar::new();
    all.add_original(cookie);
    let found = match jar {
        "signed" => all.signed(key).get(name),
        _ => all.private(key).get(name),
    };
    found.map_or("-".to_owned(), |cookie| hex(cookie.value()))
}

fn key_of(text: &str) -> Key {
    match text.split_once(':').unwrap() {
        ("from", key) => Key::from(&bytes(key)),
        (_, key) => Key::derive_from(&bytes(key)),
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
