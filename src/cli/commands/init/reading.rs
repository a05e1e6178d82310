//! Reads cookies out of whatever was pasted: a Set-Cookie or Cookie line, what `curl -i` prints, a request copied as
//! curl, a HAR file.

use countersign_core::wire::cookie::each_attribute;
use serde::Deserialize;
use url::Url;

use super::exchange::Exchange;
use crate::terminal::answer::Failure;
use crate::terminal::paste::unwrapped;

/// Every exchange that a text holds.
///
/// # Errors
/// There is no cookie in it.
pub fn read(text: &str) -> Result<Vec<Exchange>, Failure> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let exchanges = if text.starts_with('{') {
        read_har(text)?
    } else {
        read_lines(text)
    };
    if exchanges.iter().any(Exchange::has_cookies) {
        return Ok(exchanges);
    }
    let failure = Failure::usage("there is no cookie in it");
    Err(if text.starts_with('{') {
        failure.hint(
            "browsers leave cookies out of a HAR file unless asked: export it \"with sensitive data\"",
        )
    } else {
        failure.hint(
            "expected a Set-Cookie or a Cookie line, what `curl -si URL` prints, or a HAR file",
        )
    })
}

/// HTTP Archive 1.2, as browsers' developer tools export it.
#[derive(Deserialize)]
struct Har {
    log: HarLog,
}

#[derive(Deserialize)]
struct HarLog {
    entries: Vec<HarEntry>,
}

#[derive(Deserialize)]
struct HarEntry {
    request: HarMessage,
    response: HarMessage,
}

#[derive(Deserialize)]
struct HarMessage {
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: Vec<HarHeader>,
    #[serde(default)]
    cookies: Vec<HarHeader>,
}

#[derive(Deserialize)]
struct HarHeader {
    name: String,
    value: String,
}

fn read_har(text: &str) -> Result<Vec<Exchange>, Failure> {
    let har: Har = serde_json::from_str(text).map_err(|error| {
        // the error's own text may quote a value
        let (line, column) = (error.line(), error.column());
        Failure::usage(format!(
            "not a HAR file: line {line}, column {column} is not what is expected there"
        ))
    })?;
    Ok(har.log.entries.into_iter().map(of_entry).collect())
}

fn of_entry(entry: HarEntry) -> Exchange {
    let set_cookies = entry.response.header("set-cookie");
    // where several stand in one, each has a line
    let lines = set_cookies.iter().flat_map(|value| value.lines());
    Exchange {
        url: Url::parse(&entry.request.url).ok(),
        date: entry.response.header("date").pop(),
        set_cookies: lines.map(str::to_owned).collect(),
        cookies: entry
            .request
            .header("cookie")
            .pop()
            .or_else(|| entry.request.pairs()),
    }
}

impl HarMessage {
    fn header(&self, name: &str) -> Vec<String> {
        let named = self.headers.iter();
        let named = named.filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.clone()).collect()
    }

    fn pairs(&self) -> Option<String> {
        let pairs = self.cookies.iter();
        let pairs: Vec<String> = pairs
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn read_lines(text: &str) -> Vec<Exchange> {
    let mut exchanges = vec![Exchange::default()];
    let text = split_curl(text);
    for line in text.lines() {
        let line = line.trim();
        let line = line
            .strip_prefix("< ")
            .or(line.strip_prefix("> "))
            .unwrap_or(line);
        if line.starts_with("HTTP/") || line.starts_with("curl ") {
            exchanges.push(Exchange {
                url: curl_url(line),
                ..Exchange::default()
            });
        } else if let Some(exchange) = exchanges.last_mut() {
            take_line(exchange, line);
        }
    }
    exchanges
}

/// A request copied as curl, each option in a line of its own.
fn split_curl(text: &str) -> String {
    if !text.starts_with("curl ") {
        return text.to_owned();
    }
    let options = [
        " -H ",
        " -b ",
        " --header ",
        " --cookie ",
        " --data",
        " --compressed",
    ];
    options.iter().fold(text.to_owned(), |text, option| {
        text.replace(option, &format!("\n{}", option.trim_start()))
    })
}

fn curl_url(line: &str) -> Option<Url> {
    let mut words = line.strip_prefix("curl ")?.split_whitespace();
    words.find_map(|word| Url::parse(unwrapped(word)).ok())
}

fn take_line(exchange: &mut Exchange, line: &str) {
    let is_curls_cookie = ["-b ", "--cookie "]
        .iter()
        .any(|option| line.starts_with(option));
    let text = unwrapped(line);
    match text.split_once(':') {
        _ if is_curls_cookie => exchange.cookies = Some(text.to_owned()),
        Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => {
            exchange.set_cookies.push(value.trim().to_owned());
        }
        Some((name, value)) if name.eq_ignore_ascii_case("cookie") => {
            exchange.cookies = Some(value.trim().to_owned());
        }
        Some((name, value)) if name.eq_ignore_ascii_case("date") => {
            exchange.date = Some(value.trim().to_owned());
        }
        _ if !is_pair(text) => {}
        _ if has_attributes(text) => exchange.set_cookies.push(text.to_owned()),
        _ => exchange.cookies = Some(text.to_owned()),
    }
}

/// Whether a line begins with a cookie rather than with the name of a header.
fn is_pair(text: &str) -> bool {
    let name = text.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && !name.contains([' ', '\t', ':', '<', '"'])
}

/// Whether what follows a pair are attributes, and not other cookies.
fn has_attributes(text: &str) -> bool {
    const ATTRIBUTES: [&str; 7] = [
        "path", "domain", "secure", "httponly", "samesite", "max-age", "expires",
    ];
    each_attribute(text).skip(1).any(|(name, _)| {
        ATTRIBUTES
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_in_whatever_they_were_copied_with() {
        for (text, set_cookies, cookies) in [
            (
                "Set-Cookie: a=b; Path=/; HttpOnly",
                vec!["a=b; Path=/; HttpOnly"],
                None,
            ),
            ("a=b; Path=/", vec!["a=b; Path=/"], None),
            ("Cookie: a=b; c=d", vec![], Some("a=b; c=d")),
            ("a=b; c=d", vec![], Some("a=b; c=d")),
            ("'a=b'", vec![], Some("a=b")),
            (
                "HTTP/1.1 200 OK\r\nDate: x\r\nset-cookie: a=b\r\nSET-COOKIE: c=d\r\n\r\n<a href=x>",
                vec!["a=b", "c=d"],
                None,
            ),
            (
                "< HTTP/2 302\n< set-cookie: a=b; path=/\n",
                vec!["a=b; path=/"],
                None,
            ),
            (
                "curl 'https://example.com/x' \\\n  -H 'accept: */*' \\\n  -b 'a=b; c=d' \\\n  --compressed",
                vec![],
                Some("a=b; c=d"),
            ),
            (
                "curl 'https://example.com/x' -H 'Accept: */*' -H 'Cookie: a=b' --compressed",
                vec![],
                Some("a=b"),
            ),
        ] {
            let read = read(text).unwrap();
            let all: Vec<&String> = read.iter().flat_map(|one| &one.set_cookies).collect();
            assert_eq!(all, set_cookies, "{text}");
            let shown = read.iter().find_map(|one| one.cookies.as_deref());
            assert_eq!(shown, cookies, "{text}");
        }
    }

    #[test]
    fn a_har_file_is_read_with_its_requests_and_responses() {
        let text = r#"{"log":{"version":"1.2","entries":[{"startedDateTime":"x",
            "request":{"method":"GET","url":"https://example.com/","headers":[{"name":"Cookie","value":"c=d"}],"cookies":[]},
            "response":{"status":200,"headers":[{"name":"Date","value":"Mon, 30 Nov 2026 13:43:09 GMT"},
              {"name":"set-cookie","value":"a=b; Path=/\ne=f; Path=/"}],"cookies":[]}}]}}"#;
        let read = read(text).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].set_cookies, ["a=b; Path=/", "e=f; Path=/"]);
        assert_eq!(read[0].cookies.as_deref(), Some("c=d"));
        assert_eq!(
            read[0].url.as_ref().unwrap().host_str(),
            Some("example.com")
        );
        assert!(read[0].date.is_some());
    }

    #[test]
    fn a_har_file_without_cookies_says_how_to_export_them() {
        let text =
            r#"{"log":{"entries":[{"request":{"url":"https://example.com/"},"response":{}}]}}"#;
        assert!(read(text).err().unwrap().says("no cookie"));
    }

    #[test]
    fn garbage_is_refused_and_not_echoed() {
        let nested = "[".repeat(200_000);
        let secret = r#"{"log":{"entries":"hunter2"}}"#;
        for text in [
            "",
            "\0\x01\u{1b}[2J",
            "<html>",
            "GET / HTTP/1.1",
            "{",
            secret,
            &format!("{{\"log\":{nested}"),
        ] {
            let failure = read(text).err().unwrap_or_else(|| panic!("{text:.40}"));
            assert!(!failure.says("hunter2"));
        }
    }
}
