//! What is unwise about the cookies that are managed: copied by scripts, read from URLs, refused by
//! browsers, adopted though they can be guessed.

use countersign_core::config::written::WrittenRule;
use countersign_core::operations::capabilities::PLAIN;
use countersign_core::wire::cookie::Attributes;

use super::finding::Finding;
use super::inputs::Inputs;
use crate::project::copied_cookies::is_copied;
use crate::project::routes::patterns;
use crate::terminal::time::span;

pub fn find(inputs: &Inputs<'_>) -> Vec<Finding> {
    let cookies = inputs.written.rules.iter();
    cookies.flat_map(|cookie| of_one(inputs, cookie)).collect()
}

fn of_one(inputs: &Inputs<'_>, cookie: &WrittenRule<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = copied(cookie).into_iter().chain(in_url(cookie)).collect();
    if let Some(attributes) = cookie.attributes() {
        found.extend(refused(cookie, attributes));
        found.extend(readable(cookie, attributes));
        // what no route leads to is not served over HTTPS
        if !patterns(&inputs.environment).is_empty() {
            found.extend(insecure(cookie, attributes));
        }
        found.extend(elsewhere(inputs, cookie, attributes));
    }
    found.extend(accepted(inputs, cookie));
    found.extend(milliseconds(cookie));
    found
}

/// A `max_age` that is longer than a browser keeps any cookie, and whole hours as milliseconds.
fn milliseconds(cookie: &WrittenRule<'_>) -> Option<Finding> {
    let seconds = cookie.value["max_age"].as_u64()?;
    let meant = seconds / 1000;
    let is_round = seconds.is_multiple_of(3_600_000) && seconds > LONGEST_LIFE;
    (is_round || seconds > 10 * LONGEST_LIFE).then(|| {
        let reason = format!(
            "{seconds} seconds are {}; perhaps they are milliseconds",
            span(seconds)
        );
        Finding::warning(format!("{}.max_age", cookie.path), reason).cure(format!(
            "max_age is in seconds: write {meant}, or a duration such as \"14d\""
        ))
    })
}

/// 400 days, the longest that browsers keep a cookie (RFC 6265bis, section 5.5), in seconds.
const LONGEST_LIFE: u64 = 34_560_000;

fn copied(cookie: &WrittenRule<'_>) -> Option<Finding> {
    is_copied(name(cookie)).then(|| {
        Finding::warning(
            format!("{}.name", cookie.path),
            format!("{} is a token that page scripts copy into a header or a form: the site would get the browser's copy there, which it cannot read", name(cookie)),
        )
        .cure("do not manage it: take this rule out")
    })
}

/// Session ids that servers also read from the URL, and how that is switched off.
const IN_URL: [(&str, &str); 4] = [
    (
        "jsessionid",
        "switch ;jsessionid= off: <tracking-mode>COOKIE</tracking-mode> in web.xml",
    ),
    (
        "phpsessid",
        "set session.use_only_cookies = 1 and session.use_trans_sid = 0 in php.ini",
    ),
    (
        "asp.net_sessionid",
        "set cookieless=\"UseCookies\" in web.config",
    ),
    (
        "cfid",
        "switch session ids in URLs off in the ColdFusion Administrator",
    ),
];

fn in_url(cookie: &WrittenRule<'_>) -> Option<Finding> {
    let (_, cure) = IN_URL
        .iter()
        .find(|(known, _)| name(cookie).eq_ignore_ascii_case(known))?;
    let reason = format!(
        "servers may also read {} from the URL, past any signature",
        name(cookie)
    );
    Some(Finding::warning(format!("{}.name", cookie.path), reason).cure(*cure))
}

/// RFC 6265bis, section 4.1.3: a browser refuses the whole cookie.
fn refused(cookie: &WrittenRule<'_>, attributes: &str) -> Option<Finding> {
    let (parsed, flags) = (Attributes::parse(attributes), flags(attributes));
    let is_secure = flags.secure;
    let starts = |prefix: &str| {
        let head = name(cookie).get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    let is_host = starts("__Host-");
    let (reason, cure) = if is_host && !is_secure {
        ("a `__Host-` cookie has to be Secure", "add Secure")
    } else if is_host && parsed.path != Some("/") {
        ("a `__Host-` cookie has to have Path=/", "say Path=/")
    } else if is_host && parsed.domain.is_some() {
        ("a `__Host-` cookie must have no Domain", "take Domain out")
    } else if starts("__Secure-") && !is_secure {
        ("a `__Secure-` cookie has to be Secure", "add Secure")
    } else if flags.same_site_none && !is_secure {
        ("SameSite=None without Secure", "add Secure")
    } else if parsed.partitioned && !is_secure {
        ("Partitioned without Secure", "add Secure")
    } else {
        return None;
    };
    let reason = format!("browsers refuse this cookie: {reason}");
    let cure = format!("{cure}, here and where the site sets it");
    Some(Finding::error(path(cookie), reason).cure(cure))
}

fn readable(cookie: &WrittenRule<'_>, attributes: &str) -> Option<Finding> {
    (!flags(attributes).http_only && !is_copied(name(cookie))).then(|| {
        let reason = "no HttpOnly: a page script that reads this cookie and sends it on, or compares it, finds another signature than the site's";
        Finding::warning(path(cookie), reason)
            .cure("add HttpOnly if the site sets it so; if scripts use the value, do not manage the cookie")
    })
}

fn insecure(cookie: &WrittenRule<'_>, attributes: &str) -> Option<Finding> {
    let flags = flags(attributes);
    // those that browsers refuse have been told of
    (!flags.secure && refused(cookie, attributes).is_none()).then(|| {
        Finding::warning(
            path(cookie),
            "no Secure: browsers send this cookie without encryption",
        )
        .cure("add Secure if the site is served over HTTPS, here and where the site sets it")
    })
}

/// A cookie for a whole domain reaches hosts that no route covers.
fn elsewhere(inputs: &Inputs<'_>, cookie: &WrittenRule<'_>, attributes: &str) -> Option<Finding> {
    let domain = Attributes::parse(attributes).domain?.to_ascii_lowercase();
    let patterns = patterns(&inputs.environment);
    let covers = |pattern: &String| {
        let host = pattern.split('/').next().unwrap_or_default();
        [format!("*.{domain}"), format!("*{domain}")]
            .iter()
            .any(|all| host == all)
    };
    (!patterns.is_empty() && !patterns.iter().any(covers)).then(|| {
        let reason = format!("browsers send this cookie to every host under {domain}, and the routes do not cover them all: one that is served around Countersign cannot read what Countersign signed");
        Finding::warning(path(cookie), reason)
            .cure(format!("add a route *.{domain}/*, or one for each host that shares the cookie; if they are all there, never mind"))
    })
}

/// What `accept` lets in for no good reason.
fn accepted(inputs: &Inputs<'_>, cookie: &WrittenRule<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for accepted in cookie.accept() {
        let format = accepted.name().unwrap_or_default();
        if accepted.until().is_some_and(|until| until <= inputs.now) {
            let reason = format!("the time of {format} is over: it opens nothing any more");
            found.push(Finding::warning(&accepted.path, reason).cure("take it out of `accept`"));
        } else if format == PLAIN && !is_random(name(cookie)) {
            let reason = format!(
                "until then anyone can have any value of {} signed: adopt only what cannot be guessed, such as a session id",
                name(cookie)
            );
            let cure = "if it holds a user's id or name, leave \"plain\" out: each visitor logs in once more";
            found.push(Finding::warning(&accepted.path, reason).cure(cure));
        }
    }
    found
}

/// Whether a name is one that session ids and tokens go by.
fn is_random(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["sess", "sid", "token", "ticket", "auth"];
    words.iter().any(|word| name.contains(word)) && !name.contains("user")
}

struct Flags {
    secure: bool,
    http_only: bool,
    same_site_none: bool,
}

fn flags(attributes: &str) -> Flags {
    let lower = attributes.to_ascii_lowercase();
    let parts = || lower.split(';').map(str::trim);
    let has = |name: &str| parts().any(|part| part == name);
    Flags {
        secure: has("secure"),
        http_only: has("httponly"),
        same_site_none: parts().any(|part| part.replace(' ', "") == "samesite=none"),
    }
}

fn path(cookie: &WrittenRule<'_>) -> String {
    format!("{}.attributes", cookie.path)
}

fn name<'v>(cookie: &WrittenRule<'v>) -> &'v str {
    cookie.name().unwrap_or_default()
}
