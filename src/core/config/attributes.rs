//! What is wrong with the `attributes` of a rule.

use crate::prelude::*;
use crate::settings::{Fault, is_nearly, unknown};
use crate::wire::cookie::{ATTRIBUTE_NAMES, Attributes, each_attribute};

/// What is wrong with a text as attributes of a cookie that is to be kept, and how to mend it.
pub fn fault(text: &str) -> Option<Fault> {
    if !text.bytes().all(|b| (0x20..0x7F).contains(&b)) {
        return Some(Fault::new("holds a byte that a header must not"));
    }
    let unknown_name = each_attribute(text).map(|(name, _)| name).find(|name| {
        !name.is_empty()
            && !ATTRIBUTE_NAMES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    });
    if begins_with_cookie(text) {
        let fault = Fault::new("begins with the cookie itself, as Set-Cookie does");
        return Some(fault.cure("leave out its name and value: begin behind the first semicolon"));
    }
    if let Some(name) = unknown_name {
        return Some(unknown("attribute", name, &ATTRIBUTE_NAMES));
    }
    let attributes = Attributes::parse(text);
    let ends = attributes.max_age.is_some_and(|seconds| seconds <= 0);
    ends.then(|| Fault::new("Max-Age deletes the cookie").cure("it has to be above zero"))
}

/// Whether `NAME=VALUE`, or the whole header, stands in front of the attributes.
fn begins_with_cookie(text: &str) -> bool {
    let header = text.get(.."set-cookie:".len());
    let is_header = header.is_some_and(|header| header.eq_ignore_ascii_case("set-cookie:"));
    let mut parts = each_attribute(text);
    let first = parts.next().map_or("", |(name, _)| name);
    let is_pair = text.split(';').next().unwrap_or_default().contains('=');
    let is_attribute = |name: &str| {
        ATTRIBUTE_NAMES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let is_followed = parts.any(|(name, _)| is_attribute(name));
    is_header
        || (is_pair && is_followed && !is_attribute(first) && !is_nearly(first, &ATTRIBUTE_NAMES))
}

/// What is wrong with a text as attributes of an upgrade, which is sent again and again.
pub fn upgrade_faults(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if Attributes::parse(text).path.is_none() {
        let fault = Fault::new(
            "has no Path that starts with a slash, so a browser would store each upgrade at the path of the page",
        );
        faults.push(fault.cure("write the site's own, mostly Path=/"));
    }
    if each_attribute(text).any(|(name, _)| name.eq_ignore_ascii_case("expires")) {
        let fault = Fault::new(
            "holds Expires, a fixed date: once it has passed, each upgrade would delete the cookie",
        );
        faults.push(fault.cure("write a lifetime in seconds, such as Max-Age=1209600"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_set_cookie_is_told_from_a_slip() {
        for text in [
            "sid=s3cr3t; Path=/; HttpOnly",
            "Set-Cookie: sid=s3cr3t",
            "set-cookie: sid=x; Path=/",
        ] {
            let said = fault(text)
                .map(|fault| fault.to_string())
                .unwrap_or_default();
            assert!(said.contains("first semicolon"), "{text}: {said}");
            assert!(!said.contains("s3cr3t"), "{said}");
        }
        let slip = fault("Pat=/; HttpOnly").map(|fault| fault.to_string());
        assert!(slip.is_some_and(|said| said.contains("did you mean \"Path\"?")));
        assert_eq!(fault("Path=/; HttpOnly"), None);
    }
}
