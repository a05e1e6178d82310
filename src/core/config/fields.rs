//! The fields of the configuration, table by table, each with a sentence that says what it is for. The schema shows the
//! sentences, and a field in the wrong table is sent to its own by these lists; a test holds that they are what the
//! readers ask for.

/// A field of a table.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is for, as an editor shows it.
    pub about: &'static str,
}

const fn field(name: &'static str, about: &'static str) -> Field {
    Field { name, about }
}

/// Of `COUNTERSIGN`.
pub const TOP: &[Field] = &[
    field(
        "mode",
        "Whether verdicts are carried out: \"enforce\" (the default), or \"observe\", which verifies and reports, and changes nothing.",
    ),
    field(
        "reports",
        "Which verdicts are logged: \"refusals\" (the default), \"all\" or \"none\".",
    ),
    field(
        "origin_url",
        "Where the site is, only if the Worker has no route to it: a scheme and a host, such as \"https://app.internal.example\".",
    ),
    field(
        "origin_header",
        "A header that is set on each request, so that the site can refuse requests without it.",
    ),
    field(
        "hosts",
        "Hosts under workers.dev that may be used all the same; others get 421.",
    ),
    field(
        "keys",
        "The keys of all cookies that have none of their own. Each is the name of a Worker secret, never the key itself.",
    ),
    field("cookies", "One rule for each managed cookie."),
];

/// Of a `keys` table.
pub const KEYS: &[Field] = &[
    field(
        "current",
        "The key that signs what browsers get, and verifies.",
    ),
    field("fallbacks", "Keys that only verify."),
    field("origin", "The key that the site signs and verifies with."),
];

/// Of a key that is written as a table.
pub const KEY: &[Field] = &[
    field(
        "secret",
        "The name of the Worker secret that holds the key: capitals, digits and _.",
    ),
    field(
        "encoding",
        "How the secret's text becomes the key: \"utf8\" (the default: the text as it is), \"base64\" or \"hex\".",
    ),
    field("allow_weak", "Allows a current key under 32 bytes."),
];

/// Of a fallback, beside those of any key.
pub const FALLBACK: &[Field] = &[
    field(
        "until",
        "From this time on the key is not tried any more: \"2027-02-01T00:00:00Z\".",
    ),
    field(
        "upgrade",
        "Whether cookies that it opens are moved to the current key; true by default.",
    ),
];

/// Of the keys of an origin that changes its own.
pub const ORIGIN_KEYS: &[Field] = &[
    field("current", "The key that the site signs with."),
    field("fallbacks", "Keys that the site still verifies with."),
];

/// Of `origin_header`.
pub const ORIGIN_HEADER: &[Field] = &[
    field("name", "The header's name, such as \"X-Edge\"."),
    field(
        "secret",
        "The name of the Worker secret that holds the header's value.",
    ),
];

/// Of an entry of `cookies`.
pub const RULE: &[Field] = &[
    field("name", "The exact name of the cookie."),
    field("format", "How the browser's copy is signed."),
    field(
        "accept",
        "Further formats that a browser's copy may be in, each with an optional `until`. They open; they never seal.",
    ),
    field(
        "origin",
        "The format that the site reads and writes, where it is another than the browser's: { format = \"plain\" }.",
    ),
    field(
        "max_age",
        "Seconds, or a duration such as \"31d\", after which a signed cookie is refused.",
    ),
    field(
        "leeway",
        "Seconds or a duration, at most one hour, for which a cookie still counts past the expiry in it.",
    ),
    field(
        "attributes",
        "How the site sets the cookie: what stands behind the first semicolon of its Set-Cookie, with Max-Age in the place of Expires. Needed unless upgrade = \"never\".",
    ),
    field(
        "upgrade",
        "When a cookie may be moved to the current key: \"navigation\" (the default: a page is opened), \"always\" or \"never\".",
    ),
    field(
        "on_invalid",
        "What happens to a cookie that does not verify: \"strip\" it (the default), \"reject\" the request with 403, or \"forward\" it unchanged.",
    ),
    field(
        "look_alikes",
        "What happens to names that a server may read as this one: \"drop\" (the default), \"strict\" or \"forward\".",
    ),
    field(
        "chunks",
        "Whose way it is to write a long value in several cookies.",
    ),
    field(
        "mode",
        "\"observe\" or \"enforce\" for this cookie; that of all cookies by default.",
    ),
    field(
        "keys",
        "The keys of this cookie; what is left out is that of all cookies.",
    ),
    field(
        "unsafe_open",
        "Allows on_invalid = \"forward\" where it lets unverified cookies in.",
    ),
];

/// Of an entry of `accept`.
pub const ACCEPTED: &[Field] = &[
    field(
        "format",
        "A format that the browser's copy may be in as well.",
    ),
    field(
        "until",
        "From this time on the format is not accepted any more: \"2027-02-01T00:00:00Z\".",
    ),
];

/// Of a rule's `origin`.
pub const ORIGIN_FORMAT: &[Field] = &[field(
    "format",
    "How the site's copy is signed; \"plain\" where it is not.",
)];
