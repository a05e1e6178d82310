//! How a request is addressed to the origin (B4).

use wasm_bindgen::JsValue;

use super::js::{Request, name};
use crate::policy::Policy;

/// The host of an absolute URL, port aside.
pub fn host(url: &str) -> Option<&str> {
    let authority = authority(url)?;
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    }
}

/// The path of an absolute URL, without its query.
pub fn path(url: &str) -> &str {
    let path = taken_apart(url).map_or("", |(_, rest)| rest);
    &path[..position(path, b"?#")]
}

/// Whether `origin_url` is where the visitor asked, and so would lead back here.
pub fn is_self(policy: &Policy, url: &str) -> bool {
    let Some(origin) = policy.origin_url.as_deref().and_then(address) else {
        return false;
    };
    address(url).is_some_and(|asked| origin.eq_ignore_ascii_case(asked))
}

/// Host and port of an absolute URL, its scheme's own port left out.
fn address(url: &str) -> Option<&str> {
    let port = match url.starts_with("https:") {
        true => ":443",
        false => ":80",
    };
    authority(url).map(|authority| authority.strip_suffix(port).unwrap_or(authority))
}

/// The request as the configuration addresses it; nothing where it goes on as it came.
pub fn forwarded(
    request: &Request,
    url: &str,
    policy: &Policy,
) -> Result<Option<Request>, JsValue> {
    let forward = match &policy.origin_url {
        Some(origin_url) => {
            let forward = Request::readdressed(&readdressed(url, origin_url), request)?;
            set_forwarded(&forward, url)?;
            forward
        }
        None if policy.origin_header.is_some() => Request::copy(request)?,
        None => return Ok(None),
    };
    if let Some(header) = &policy.origin_header {
        let header_name = JsValue::from_str(&header.name);
        forward.headers().set(&header_name, &header.value)?;
    }
    Ok(Some(forward))
}

/// The visitor's path and query at the origin's address.
fn readdressed(url: &str, origin_url: &str) -> String {
    let path = taken_apart(url).map_or("/", |(_, rest)| rest);
    format!("{origin_url}{path}")
}

/// Tells the origin the visitor's host and scheme, and drops what the visitor said of them.
fn set_forwarded(forward: &Request, url: &str) -> Result<(), JsValue> {
    let headers = forward.headers();
    let names: Vec<JsValue> = headers.keys()?.into_iter().collect::<Result<_, _>>()?;
    for it in names {
        let text = it.as_string().unwrap_or_default().to_ascii_lowercase();
        let spoofs = text.starts_with("x-forwarded-")
            || ["forwarded", "x-host", "x-original-host"].contains(&text.as_str());
        if spoofs {
            headers.delete(&it)?;
        }
    }
    let scheme = url.split(':').next().unwrap_or("https");
    let visitor = headers.get(&name("cf-connecting-ip"))?;
    headers.set(
        &name("x-forwarded-host"),
        authority(url).unwrap_or_default(),
    )?;
    headers.set(&name("x-forwarded-proto"), scheme)?;
    if let Some(visitor) = visitor {
        headers.set(&name("x-forwarded-for"), &visitor)?;
    }
    Ok(())
}

/// Host and port of an absolute URL. The runtime's URLs hold no user name.
fn authority(url: &str) -> Option<&str> {
    taken_apart(url).map(|(authority, _)| authority)
}

/// Authority, and path with all that follows.
fn taken_apart(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    Some(rest.split_at(position(rest, b"/?#")))
}

/// Where the first of these ASCII characters stands, or the end. Every request's URL is searched, and a search for
/// characters of any kind takes four times as long.
fn position(text: &str, sought: &[u8]) -> usize {
    let is_sought = |b| sought.contains(&b);
    text.bytes().position(is_sought).unwrap_or(text.len())
}
