//! What is wrong with the `attributes` of a rule.

use crate::prelude::*;
use crate::settings::{Fault, unknown};
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
    if let Some(name) = unknown_name {
        return Some(unknown("attribute", name, &ATTRIBUTE_NAMES));
    }
    let attributes = Attributes::parse(text);
    let ends = attributes.max_age.is_some_and(|seconds| seconds <= 0);
    ends.then(|| Fault::new("Max-Age deletes the cookie").cure("it has to be above zero"))
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
