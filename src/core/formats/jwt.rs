//! `jwt`: JSON Web Tokens under an HMAC (RFC 7519; `alg` HS256, HS384 or HS512).
//!
//! Layout, each part base64url without padding:
//!
//! ```text
//! base64url(header) "." base64url(claims) "." base64url(HMAC-SHA256(SECRET, all before the last dot))
//! eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjo4ODA5OCwibmFtZSI6ImFkbWluIiwiaWF0IjoxNzcyODA1NDY3fQ.unbB85Tva8Kb-PcWiY8T_06QJFQw3i6ZcOjfzWohI3s
//! ```
//!
//! The MAC is over the text as it came, so the payload is that text, `HEADER.CLAIMS`, and nothing is
//! serialised anew. What the header says of the algorithm decides nothing: it must be the configured one.
//! Under another algorithm or key id, those two values are exchanged where they stand in the header, and
//! every other byte of it stays.
//!
//! `prefix` is what the site writes in front of the token: `"Bearer "`, as FastAPI's guides have it. Python's
//! `http.cookies` puts a value with a space in double quotes; without them it is read as well:
//!
//! ```text
//! "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0NzExIn0.…"
//! ```
//!
//! `kid` says what the origin calls a key, or each key: `{ KEY_A = "2026", KEY_B = "2027" }`. A token
//! of another key id is then none of that key's. A token without one is tried under every key, and gets
//! none. Browser and origin either both have a `kid` or neither has.
//!
//! A time is a number as JSON has it: `1795746226`, `1795746226.5`, or `1.795746226e+09`, as go-jose writes it.
//! `exp` counts from the second that it names, `nbf` from the next whole second. `iat` is optional in a token,
//! so it counts as the signed time, which `max_age` needs, only where `iat = true` says that every token has
//! it; one without is then refused. An `iat` far ahead of the clock is noticed in any case.
//!
//! Source: PyJWT `jwt/api_jws.py`, `jwt/api_jwt.py`; jsonwebtoken `verify.js` with jws; checked against
//! PyJWT 2.15.1 and jsonwebtoken 9.0.3 by the vectors, with a prefix under FastAPI 0.165.0. Stricter than one of the two or both:
//! - PyJWT reads a MAC with `=` behind it, jsonwebtoken does not. Nobody writes one; here a value has one
//!   spelling.
//! - jsonwebtoken reads claims that are not an object, PyJWT times in quotes. RFC 7519 has neither.
//! - A header with `crit` names extensions that must be understood, and none are. What stands twice or
//!   behind escapes among the members that are read here could be read differently there.
//! - A time that no double holds (`1e400`) is refused. JavaScript reads it as no end at all, Python and Go
//!   fail at it.
//! - `NaN` and `Infinity`, which Python writes, are no JSON: such claims are refused.

use alloc::borrow::Cow;
use core::ops::Range;

use super::claims;
use super::description::{DefaultValue, Description, FormatOption, ShapeValue};
use super::labels::Labels;
use super::{
    Content, Derivation, Format, FormatProperties, KeyFault, Keyed, Payload, Refusal, Uncarriable,
};
use crate::crypto::key::Key;
use crate::crypto::{Digest, Mac, Random, equal};
use crate::prelude::*;
use crate::settings::Table;
use crate::wire::encoding::{
    base64_len, base64url, from_base64url, is_base64url, is_cookie_octet, push_base64url,
    python_quoted, python_unquoted,
};
use crate::wire::json::{ascii_string, members, string};

pub const FORMATS: &[Description] = &[Description {
    name: "jwt",
    used_by: "PyJWT 2.15, jsonwebtoken 9.0",
    options: &[
        FormatOption::new(
            "alg",
            DefaultValue::Text("HS256"),
            "`\"HS384\"`, `\"HS512\"`",
        )
        .shaped_by(&[ShapeValue::Text("HS384"), ShapeValue::Text("HS512")]),
        FormatOption::new(
            "kid",
            DefaultValue::Unset,
            "left alone where it is left out; a string, or a table from key ids to strings",
        ),
        FormatOption::new(
            "iat",
            DefaultValue::Flag(false),
            "`true` where every token has one",
        ),
        FormatOption::new(
            "prefix",
            DefaultValue::Text(""),
            "`\"Bearer \"` as FastAPI's guides write it",
        )
        .shaped_by(&[ShapeValue::Text("Bearer ")]),
    ],
    read: jwt,
}];

fn jwt(table: &mut Table<'_>) -> Option<Box<dyn Format>> {
    let alg = table.choice("alg", ALGS).unwrap_or(HS256);
    let kid = Labels::read(table, "kid");
    let iat = table.flag("iat").unwrap_or_default();
    Some(Box::new(Jwt {
        alg,
        kid,
        iat,
        prefix: prefix(table)?,
    }))
}

fn prefix(table: &mut Table<'_>) -> Option<String> {
    let prefix = table.text("prefix").unwrap_or_default();
    // what Python writes without an escape
    if prefix.bytes().all(|b| b == b' ' || is_cookie_octet(b)) {
        return Some(prefix.to_owned());
    }
    table.problem(
        "prefix",
        "holds a character that a cookie cannot carry; use ASCII without commas, semicolons, quotes, backslashes and controls, such as \"Bearer \"",
    );
    None
}

/// An algorithm as JSON names it, and its digest.
type Alg = (&'static str, Digest);

const HS256: Alg = ("\"HS256\"", Digest::Sha256);
const ALGS: &[(&str, Alg)] = &[
    ("HS256", HS256),
    ("HS384", ("\"HS384\"", Digest::Sha384)),
    ("HS512", ("\"HS512\"", Digest::Sha512)),
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Jwt {
    alg: Alg,
    kid: Labels,
    /// Whether every token has an `iat`.
    iat: bool,
    /// What stands in front of a token.
    prefix: String,
}

impl Format for Jwt {
    fn properties(&self) -> FormatProperties {
        FormatProperties {
            carries_time: self.iat,
            carries_expiry: true,
            // RFC 7518, section 3.2
            least_key: Some(self.alg.1.size()),
            // a key id that one side exchanges and the other does not would not come back
            ..FormatProperties::of(Payload::Of(match self.kid {
                Labels::None => "jwt",
                _ => "jwt with the key's own kid",
            }))
        }
    }

    fn derivation(&self, _cookie: &str) -> Derivation {
        Derivation::Bare {
            digest: self.alg.1,
            signs: "HEADER.CLAIMS",
        }
    }

    fn keyed(&self, _cookie: &str, key: &Key) -> Result<Box<dyn Keyed>, KeyFault> {
        Ok(Box::new(KeyedJwt {
            alg: self.alg,
            kid: self.kid.of(key.id())?.map(str::to_owned),
            iat: self.iat,
            prefix: self.prefix.clone(),
            mac: Mac::new(self.alg.1, key.bytes()),
        }))
    }
}

struct KeyedJwt {
    alg: Alg,
    kid: Option<String>,
    iat: bool,
    prefix: String,
    mac: Mac,
}

impl Keyed for KeyedJwt {
    /// The claims: the header names algorithm and key.
    fn lasting<'p>(&self, payload: &'p [u8]) -> &'p [u8] {
        let mut parts = payload.splitn(2, |byte| *byte == b'.');
        parts.nth(1).unwrap_or(payload)
    }

    fn open<'v>(&self, value: &'v str) -> Result<Content<'v>, Refusal> {
        let token = self.token(value).ok_or(Refusal::Shape)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Shape)?;
        let has_shape = signature.len() == base64_len(self.alg.1.size()) && is_base64url(claims);
        if !has_shape || !self.is_own(header) {
            return Err(Refusal::Shape);
        }
        let expected = base64url(&self.mac.sign(&[signed.as_bytes()]));
        if !equal(expected.as_bytes(), signature.as_bytes()) {
            return Err(Refusal::Signature);
        }
        let claims = from_part(claims).ok_or(Refusal::Content)?;
        self.content(signed, &claims)
    }

    fn seal(&self, content: &Content<'_>, _: Random) -> Result<String, Uncarriable> {
        let signed = content.text()?;
        let (header, claims) = signed.split_once('.').ok_or(Uncarriable)?;
        // what would not open again
        let is_timeless = || {
            from_part(claims)
                .and_then(|json| claims::issued_at(&json))
                .is_none()
        };
        if !is_base64url(claims) || (self.iat && is_timeless()) {
            return Err(Uncarriable);
        }
        let mut value = self.own_header(header).ok_or(Uncarriable)?;
        value.push('.');
        value.push_str(claims);
        let tag = self.mac.sign(&[value.as_bytes()]);
        value.push('.');
        push_base64url(&mut value, &tag);
        if self.prefix.is_empty() {
            return Ok(value);
        }
        python_quoted(&[&self.prefix, value.as_str()].concat()).ok_or(Uncarriable)
    }
}

impl KeyedJwt {
    /// The token of a value, without what the site writes around it. Nothing of either is ever escaped.
    fn token<'v>(&self, value: &'v str) -> Option<&'v str> {
        if self.prefix.is_empty() {
            return Some(value);
        }
        match python_unquoted(value) {
            Cow::Borrowed(text) => text.strip_prefix(&self.prefix),
            Cow::Owned(_) => None,
        }
    }

    /// Whether a header is of this algorithm and none but this key's.
    fn is_own(&self, header: &str) -> bool {
        let json = from_part(header).unwrap_or_default();
        let Some([Some(alg), kid, None]) = members(&json, HEADER) else {
            return false;
        };
        json.get(alg) == Some(self.alg.0) && !self.is_others(&json, kid.as_ref())
    }

    fn is_others(&self, json: &str, kid: Option<&Range<usize>>) -> bool {
        match (kid, &self.kid) {
            (Some(at), Some(own)) => {
                let kid = json.get(at.clone()).and_then(string);
                kid.as_ref() != Some(own)
            }
            _ => false,
        }
    }

    /// A header with this algorithm and this key's id in place of what it had.
    fn own_header(&self, header: &str) -> Option<String> {
        let mut json = from_part(header)?;
        let [alg, kid, None] = members(&json, HEADER)? else {
            return None;
        };
        let alg = (alg?, self.alg.0.to_owned());
        let is_others = self.is_others(&json, kid.as_ref());
        let kid = kid
            .zip(self.kid.as_deref())
            .filter(|_| is_others)
            .map(|(at, own)| (at, ascii_string(own)));
        // from the end, so that no place moves before its turn
        let edits = match &kid {
            Some((at, _)) if at.start > alg.0.start => [kid, Some(alg)],
            _ => [Some(alg), kid],
        };
        for (at, text) in edits.into_iter().flatten() {
            json.replace_range(at, &text);
        }
        Some(base64url(json.as_bytes()))
    }

    fn content<'v>(&self, signed: &'v str, json: &str) -> Result<Content<'v>, Refusal> {
        let content =
            claims::timed(Content::of(signed.as_bytes()), json).ok_or(Refusal::Content)?;
        if !self.iat {
            return Ok(content);
        }
        let issued = claims::issued_at(json).ok_or(Refusal::Content)?;
        Ok(content.signed_at(issued))
    }
}

const HEADER: [&str; 3] = ["alg", "kid", "crit"];

/// What a part's base64url holds, if it is text.
fn from_part(part: &str) -> Option<String> {
    String::from_utf8(from_base64url(part)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::no_random;
    use super::*;
    use crate::crypto::key::KeyId;
    use crate::settings::{Problem, Problems};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NOW: u64 = 1_700_000_000;

    fn read(config: Value) -> Result<Box<dyn Format>, String> {
        let problems = Problems::default();
        let format = Table::new("rule", &config, &problems).and_then(|mut table| {
            let format = jwt(&mut table);
            table.finish();
            format
        });
        let problems: Vec<String> = problems.into_vec().iter().map(Problem::to_string).collect();
        if problems.is_empty() {
            Ok(format.unwrap())
        } else {
            Err(problems.join("\n"))
        }
    }

    fn keyed(config: Value, key: &str) -> Box<dyn Keyed> {
        let key = Key::new(KeyId::parse(key).unwrap(), key.as_bytes().to_vec());
        read(config).unwrap().keyed("sid", &key).unwrap()
    }

    fn payload(header: &str, claims: &str) -> String {
        format!(
            "{}.{}",
            base64url(header.as_bytes()),
            base64url(claims.as_bytes())
        )
    }

    /// A token with this header and these claims as they stand, rightly signed.
    fn token(header: &str, claims: &str) -> String {
        let signed = payload(header, claims);
        let tag = Mac::new(Digest::Sha256, b"KEY").sign(&[signed.as_bytes()]);
        format!("{signed}.{}", base64url(&tag))
    }

    fn content(header: &str, claims: &str) -> Result<Content<'static>, Refusal> {
        let value = token(header, claims);
        let content = keyed(json!({}), "KEY").open(&value)?.into_owned();
        assert_eq!(content.text(), Ok(payload(header, claims).as_str()));
        Ok(content)
    }

    /// Its expiry in Unix milliseconds.
    fn opened(header: &str, claims: &str) -> Result<Option<u64>, Refusal> {
        content(header, claims).map(|content| content.expiry_ms)
    }

    const PLAIN: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn the_header_does_not_choose_the_algorithm() {
        for good in [
            PLAIN,
            r#"{"typ":"JWT","alg":"HS256"}"#,
            " { \"alg\" : \"HS256\"\n, \"x\": [{\"alg\":\"none\"}, \"}\\\"\"] }\t",
            r#"{"\u00e4lg":"none","alg":"HS256","\ud800":1}"#,
            r#"{"alg":"HS256","kid":7}"#,
        ] {
            assert_eq!(opened(good, "{}"), Ok(None), "{good}");
        }
        for bad in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"HS256","alg":"none"}"#,
            r#"{"alg":"none","alg":"HS256"}"#,
            r#"{"alg":"HS256","\u0061lg":"none"}"#,
            r#"{"\u0061lg":"HS256"}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
            r#"{"x":{"alg":"HS256"}}"#,
            r#"{"alg":"HS256"}}"#,
            r#"{"alg":"HS256",}"#,
            r#"{"alg":"HS256""#,
            r#"["alg","HS256"]"#,
            "",
            "{}",
        ] {
            assert_eq!(opened(bad, "{}"), Err(Refusal::Shape), "{bad}");
        }
    }

    #[test]
    fn an_end_is_a_number_as_json_has_it() {
        const EXP: u64 = 1_795_746_226_000;
        for (claims, expected) in [
            (r#"{"exp":1795746226}"#, EXP),
            (r#"{"exp":1795746226.0}"#, EXP),
            (r#"{"exp":1795746226.9}"#, EXP),
            (r#"{"exp":1.795746226e+09}"#, EXP),
            (r#"{"exp":1.795746226E9}"#, EXP),
            (r#"{"exp":1.7957462269e9}"#, EXP),
            (r#"{"exp":17957462260e-1}"#, EXP),
            (r#"{"exp":0.001795746226e12}"#, EXP),
            (r#"{"exp":18e8}"#, 1_800_000_000_000),
            (r#"{"exp":0}"#, 0),
            (r#"{"exp":0e999}"#, 0),
            (r#"{"exp":0.9e0}"#, 0),
            (r#"{"exp":1e-400}"#, 0),
            (r#"{"exp":-1}"#, 0),
            (r#"{"exp":-1.5}"#, 0),
            (r#"{"exp":-1.8e9}"#, 0),
            (r#"{"exp":-99999999999999999999.9}"#, 0),
            (r#"{"exp":99999999999999999999}"#, u64::MAX),
            (r#"{"exp":1e308}"#, u64::MAX),
            (
                r#"{"n\u00e4me":"\ud800","exp":1800000000}"#,
                1_800_000_000_000,
            ),
        ] {
            assert_eq!(opened(PLAIN, claims), Ok(Some(expected)), "{claims}");
        }
        assert_eq!(opened(PLAIN, r#"{"x":{"exp":1}}"#), Ok(None));
        for claims in [
            r#"{"exp":1800000000.}"#,
            r#"{"exp":+1800000000}"#,
            r#"{"exp":01800000000}"#,
            r#"{"exp":.5}"#,
            r#"{"exp":-}"#,
            r#"{"exp":1e}"#,
            r#"{"exp":1e+}"#,
            r#"{"exp":1e1.5}"#,
            r#"{"exp":1e1e1}"#,
            r#"{"exp":"1800000000"}"#,
            r#"{"exp":null}"#,
            r#"{"exp":inf}"#,
            r#"{"exp":1e400}"#,
            r#"{"exp":1e99999999999999999999}"#,
            r#"{"exp":1800000000,"exp":1}"#,
            r#"{"\u0065xp":1800000000}"#,
            r#"{"nbf":[]}"#,
            r#""text""#,
            "",
        ] {
            assert_eq!(opened(PLAIN, claims), Err(Refusal::Content), "{claims}");
        }
    }

    #[test]
    fn a_token_begins_with_the_later_of_nbf_and_iat() {
        let begins = |claims: &str| content(PLAIN, claims).map(|content| content.not_before_s);
        for (claims, expected) in [
            ("{}", None),
            (r#"{"nbf":1700000000}"#, Some(NOW)),
            (r#"{"nbf":1700000000.01}"#, Some(NOW + 1)),
            (r#"{"nbf":1.70000000001e9}"#, Some(NOW + 1)),
            (r#"{"nbf":17e8,"iat":1699999999}"#, Some(NOW)),
            (r#"{"iat":1700000000.9}"#, Some(NOW)),
            (r#"{"nbf":1699999999,"iat":1.7e9}"#, Some(NOW)),
            (r#"{"iat":"1700000000"}"#, None),
            (r#"{"nbf":-0.5}"#, Some(0)),
            (r#"{"nbf":99999999999999999999.9}"#, Some(i64::MAX as u64)),
        ] {
            assert_eq!(begins(claims), Ok(expected), "{claims}");
        }
    }

    #[test]
    fn a_time_is_signed_only_where_every_token_has_it() {
        let without = token(PLAIN, "{}");
        let with = token(PLAIN, r#"{"iat":1600000000.5}"#);
        let optional = keyed(json!({}), "KEY");
        assert_eq!(optional.open(&with).unwrap().time_s, None);
        assert!(optional.open(&without).is_ok());
        let format = read(json!({"iat": true})).unwrap();
        assert!(
            format.properties().carries_time && !read(json!({})).unwrap().properties().carries_time
        );
        let timed = keyed(json!({"iat": true}), "KEY");
        assert_eq!(timed.open(&with).unwrap().time_s, Some(1_600_000_000));
        for bad in ["{}", r#"{"iat":"1"}"#, r#"{"iat":-1}"#] {
            let value = token(PLAIN, bad);
            assert_eq!(timed.open(&value), Err(Refusal::Content), "{bad}");
            let content = optional.open(&value).unwrap();
            assert_eq!(timed.seal(&content, no_random), Err(Uncarriable), "{bad}");
        }
    }

    #[test]
    fn claims_that_are_no_json_are_refused() {
        for bad in [r#"{"x":NaN}"#, r#"{"x":-Infinity}"#, r#"{"x":1"#] {
            assert_eq!(opened(PLAIN, bad), Err(Refusal::Content), "{bad}");
        }
    }

    #[test]
    fn every_other_byte_of_the_header_stays() {
        let kid = json!({"KEY": "a\"é", "KEY_B": "b"});
        let format = |alg: &str, key| keyed(json!({"alg": alg, "kid": kid}), key);
        let (a, b) = (format("HS256", "KEY"), format("HS512", "KEY_B"));
        for (header, expected) in [
            (
                r#"{"kid" : "a\"\u00e9", "typ":"JWT" , "alg":"HS256", "x":{"kid":1}}"#,
                r#"{"kid" : "b", "typ":"JWT" , "alg":"HS512", "x":{"kid":1}}"#,
            ),
            (PLAIN, r#"{"alg":"HS512","typ":"JWT"}"#),
        ] {
            let value = token(header, "{}");
            let content = a.open(&value).unwrap();
            assert_eq!(a.seal(&content, no_random).as_deref(), Ok(&*value));
            let moved = b.seal(&content, no_random).unwrap();
            assert!(moved.starts_with(&payload(expected, "{}")), "{moved}");
            let back = a.seal(&b.open(&moved).unwrap(), no_random).unwrap();
            assert!(back.starts_with(&payload(header, "{}")), "{back}");
        }
    }

    #[test]
    fn a_token_of_another_key_id_is_none_of_this_keys() {
        let keyed = keyed(json!({"kid": "a"}), "KEY");
        for (header, expected) in [
            (r#"{"alg":"HS256","kid":"a"}"#, true),
            (PLAIN, true),
            (r#"{"alg":"HS256","kid":"b"}"#, false),
            (r#"{"alg":"HS256","kid":["a"]}"#, false),
            (r#"{"alg":"HS256","kid":"a","kid":"a"}"#, false),
        ] {
            let value = token(header, "{}");
            let opened = keyed.open(&value);
            if expected {
                assert!(opened.is_ok(), "{header}")
            } else {
                assert_eq!(opened, Err(Refusal::Shape), "{header}")
            }
        }
    }

    #[test]
    fn wrong_options_are_explained() {
        let problems = read(json!({"alg": "HS265"})).unwrap_err();
        assert!(problems.contains("did you mean \"HS256\""), "{problems}");
        assert!(read(json!({"alg": "none"})).is_err());
        assert!(read(json!({"kid": 1})).is_err());
        let kind = |config| read(config).unwrap().properties().payload;
        assert_eq!(
            kind(json!({"kid": "a"})),
            kind(json!({"kid": {"KEY": "b"}}))
        );
        assert_ne!(kind(json!({"kid": "a"})), kind(json!({})));
        let format = read(json!({"kid": {"KEY_A": "1"}})).unwrap();
        let other = Key::new(KeyId::parse("KEY_B").unwrap(), b"b".to_vec());
        assert!(format.keyed("sid", &other).is_err());
    }

    #[test]
    fn a_prefix_stands_before_the_token_in_quotes_where_it_needs_them() {
        let bearer = keyed(json!({"prefix": "Bearer "}), "KEY");
        let token = token(PLAIN, "{}");
        let value = format!("\"Bearer {token}\"");
        let content = bearer.open(&value).unwrap();
        assert_eq!(content.text(), Ok(payload(PLAIN, "{}").as_str()));
        assert_eq!(bearer.seal(&content, no_random).as_deref(), Ok(&*value));
        assert!(bearer.open(&format!("Bearer {token}")).is_ok());
        for bad in [
            token.clone(),
            format!("bearer {token}"),
            format!("\"{token}\""),
            format!("\"Bearer  {token}\""),
            format!("\"\\102earer {token}\""),
            format!("\"Bearer {token}"),
        ] {
            assert_eq!(bearer.open(&bad), Err(Refusal::Shape), "{bad}");
        }
        let short = keyed(json!({"prefix": "jwt:"}), "KEY");
        let value = format!("jwt:{token}");
        assert_eq!(short.seal(&content, no_random).as_deref(), Ok(&*value));
        for bad in ["a;", "a\"", "a\\", "é", "a\n"] {
            let problem = read(json!({"prefix": bad})).unwrap_err();
            assert!(problem.contains("rule.prefix: holds"), "{problem}");
        }
    }

    #[test]
    fn what_is_no_token_is_not_sealed() {
        let keyed = keyed(json!({}), "KEY");
        let good = payload(PLAIN, "{}");
        assert!(keyed.seal(&Content::of(good.as_bytes()), no_random).is_ok());
        for bad in [
            "",
            "a.b",
            &good.replace('.', ";"),
            &format!("{good};"),
            &format!("{good}."),
        ] {
            let content = Content::of(bad.as_bytes());
            assert_eq!(keyed.seal(&content, no_random), Err(Uncarriable), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String, json in "[{}\\[\\],:\"\\\\a-z0-9 é]{0,40}") {
            let keyed = keyed(json!({"kid": "a"}), "KEY");
            let _ = keyed.open(&text);
            let _ = keyed.open(&token(&json, &json));
            let _ = keyed.open(&token(PLAIN, &json));
        }
    }
}
