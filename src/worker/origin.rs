//! How a request is addressed to the origin (B4).

use wasm_bindgen::JsValue;

use super::isolate::Isolate;
use super::js::{Headers, Request, name, names};
use countersign_core::config::Policy;
use countersign_core::gate::Gate;
use countersign_core::wire::forwarding::{Screen, other_spellings};

/// By what header Cloudflare tells the visitor's address.
const VISITOR: &str = "cf-connecting-ip";

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
    let path = split_url(url).map_or("", |(_, rest)| rest);
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
    let port = if url.starts_with("https:") {
        ":443"
    } else {
        ":80"
    };
    authority(url).map(|authority| authority.strip_suffix(port).unwrap_or(authority))
}

/// The request as the configuration addresses it; nothing where it goes on as it came. `copy` is the request's, where
/// one has been made.
pub fn forwarded(
    request: &Request,
    copy: Option<Request>,
    url: &str,
    isolate: &Isolate,
) -> Result<Option<Request>, JsValue> {
    let Some(policy) = isolate.gate().map(Gate::policy) else {
        return Ok(copy);
    };
    let forward = match (&policy.origin_url, copy) {
        (Some(origin_url), copy) => {
            let request = copy.as_ref().unwrap_or(request);
            Request::readdressed(&readdressed(url, origin_url), request)?
        }
        (None, copy) if policy.origin_header.is_none() => return Ok(copy),
        (None, Some(copy)) => copy,
        (None, None) => Request::copy(request)?,
    };
    let headers = forward.headers();
    match isolate.spellings() {
        Some(spellings) => spellings.iter().try_for_each(|it| headers.delete(it))?,
        None => drop_headers(&headers, policy)?,
    }
    if policy.origin_url.is_some() {
        set_forwarded(&headers, url)?;
    }
    if let Some(header) = &policy.origin_header {
        headers.set(&JsValue::from_str(&header.name), &header.value)?;
    }
    Ok(Some(forward))
}

/// The headers to look for one by one; nothing where all have to be looked at.
pub fn spellings(policy: &Policy) -> Option<Vec<JsValue>> {
    let header = policy.origin_header.as_ref();
    let header = header.filter(|_| policy.origin_url.is_none())?;
    let spellings = other_spellings(&header.name)?;
    Some(spellings.iter().map(|it| JsValue::from_str(it)).collect())
}

/// Takes away what the visitor must not tell the origin.
fn drop_headers(headers: &Headers, policy: &Policy) -> Result<(), JsValue> {
    let visitor = headers.get(&name(VISITOR))?;
    let screen = Screen {
        has_origin_url: policy.origin_url.is_some(),
        origin_header: policy.origin_header.as_ref().map(|it| it.name.as_str()),
        visitor: visitor.as_deref(),
    };
    for it in names(headers)?.lines() {
        let js = || JsValue::from_str(it);
        if screen.drops(it, || headers.get(&js()).ok().flatten()) {
            headers.delete(&js())?;
        }
    }
    Ok(())
}

/// The visitor's path and query at the origin's address.
fn readdressed(url: &str, origin_url: &str) -> String {
    let path = split_url(url).map_or("/", |(_, rest)| rest);
    format!("{origin_url}{path}")
}

/// Tells the origin the visitor's host, scheme and address.
fn set_forwarded(headers: &Headers, url: &str) -> Result<(), JsValue> {
    let scheme = url.split(':').next().unwrap_or("https");
    let host = authority(url).unwrap_or_default();
    headers.set(&name("x-forwarded-host"), host)?;
    headers.set(&name("x-forwarded-proto"), scheme)?;
    if let Some(visitor) = headers.get(&name(VISITOR))? {
        headers.set(&name("x-forwarded-for"), &visitor)?;
    }
    Ok(())
}

/// Host and port of an absolute URL. The runtime's URLs hold no user name.
fn authority(url: &str) -> Option<&str> {
    split_url(url).map(|(authority, _)| authority)
}

/// Authority, and path with all that follows.
fn split_url(url: &str) -> Option<(&str, &str)> {
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
