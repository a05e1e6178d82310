//! The times in the claims of a JSON Web Token, signed or encrypted (RFC 7519, section 4.1).
//!
//! A time is a number as JSON has it: `1795746226`, `1795746226.5`, or `1.795746226e+09`, as go-jose writes it.
//! `exp` counts from the second that it names, `nbf` from the next whole second.

use core::ops::Range;

use super::Content;
use crate::wire::json::members;

const CLAIMS: [&str; 3] = ["exp", "nbf", "iat"];

/// A content with the end and the beginning that its claims say, if they are claims whose `exp` and `nbf` can be
/// read. An `iat` is a beginning too.
pub fn timed<'v>(content: Content<'v>, json: &str) -> Option<Content<'v>> {
    let [exp, nbf, iat] = members(json, CLAIMS)?;
    let date = |at: Option<Range<usize>>| match at {
        None => Some(None),
        Some(at) => json.get(at).and_then(Date::parse).map(Some),
    };
    let (exp, nbf) = (date(exp)?, date(nbf)?);
    let iat = date(iat).unwrap_or_default(); // the libraries do not ask for one that they can read
    let begins = [nbf.map(|nbf| nbf.ceil), iat.map(|iat| iat.floor)];
    let begins = begins.into_iter().flatten().max();
    let expiry_ms = exp.map(|exp| since_1970(exp.floor).saturating_mul(1000));
    let content = content.not_before(begins.map(since_1970));
    Some(content.expiring_at(expiry_ms))
}

/// The `iat` of claims, in Unix seconds.
pub fn issued_at(json: &str) -> Option<u64> {
    let [.., iat] = members(json, CLAIMS)?;
    let time = json.get(iat?).and_then(Date::parse)?;
    u64::try_from(time.floor).ok()
}

/// Unix seconds; what lies before 1970 has passed like 1970 itself.
fn since_1970(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or_default()
}

/// A moment in Unix seconds as claims write it (NumericDate), between two whole ones.
#[derive(Clone, Copy)]
struct Date {
    floor: i64,
    ceil: i64,
}

impl Date {
    /// Reads a number of RFC 8259, section 6, without the rounding of a floating-point number.
    fn parse(json: &str) -> Option<Self> {
        let (is_negative, number) = match json.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, json),
        };
        let (decimal, exponent) = match number.split_once(['e', 'E']) {
            Some((decimal, exponent)) => (decimal, read_exponent(exponent)?),
            None => (number, 0),
        };
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, "0"));
        let starts_well = whole == "0" || !whole.starts_with('0');
        if !starts_well || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let (floor, ceil) = magnitude(whole, fraction, exponent)?;
        Some(if is_negative {
            Self {
                floor: -ceil,
                ceil: -floor,
            }
        } else {
            Self { floor, ceil }
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let size = digits.parse().unwrap_or(i64::from(i32::MAX)); // further than any that counts
    is_digits(digits).then_some(if text.starts_with('-') { -size } else { size })
}

/// The whole numbers around `whole.fraction * 10^exponent`; one of too many digits is as far away as can be,
/// and none where not even a double holds it.
fn magnitude(whole: &str, fraction: &str, exponent: i64) -> Option<(i64, i64)> {
    let digits = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some((0, 0));
    }
    let zeros = digits.len() - significant.len();
    // where the point stands among the significant digits
    let point = whole.len() as i64 - zeros as i64 + exponent.clamp(-1 << 32, 1 << 32);
    if point > LONGEST_DOUBLE {
        return None;
    }
    let point = usize::try_from(point).unwrap_or_default();
    let (whole, fraction) = significant.split_at(point.min(significant.len()));
    let padding = "0".repeat(point - whole.len());
    let floor = match [whole, &padding].concat().as_str() {
        "" => 0,
        digits => digits.parse().unwrap_or(i64::MAX),
    };
    let is_between = fraction.bytes().any(|b| b != b'0');
    Some((floor, floor.saturating_add(i64::from(is_between))))
}

/// How many digits the whole part of a double has at most.
const LONGEST_DOUBLE: i64 = 309;
