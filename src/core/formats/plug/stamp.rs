//! The times that a cookie of Plug carries around its value, in Erlang's external term format
//! (<https://www.erlang.org/doc/apps/erts/erl_ext_dist.html>).

/// When a cookie's term was signed, and the last moment at which it counts, in Unix milliseconds.
pub struct Stamp {
    pub signed: u64,
    pub end: Option<u64>,
}

/// What counts where a token from before plug_crypto 1.2 says none, in seconds.
const DEFAULT_AGE: i64 = 86400;

impl Stamp {
    /// Of `{value, signed, max_age}`, or `{value, signed}` as older tokens have it, in Erlang's external
    /// term format.
    pub fn of(term: &[u8]) -> Option<Self> {
        let [131, b'h', arity @ 2..=3, rest @ ..] = term else {
            return None;
        };
        let mut rest = rest;
        skip_term(&mut rest)?;
        let signed = u64::try_from(integer(&mut rest)?).ok()?;
        let infinite = |atom: &&[u8]| rest == *atom;
        if *arity == 3 && INFINITY.iter().any(infinite) {
            return Some(Self { signed, end: None });
        }
        let age = match arity {
            2 => DEFAULT_AGE,
            _ => integer(&mut rest)?,
        };
        // what is good for no time at all has ended before it began
        let age = u64::try_from(age).ok().filter(|age| *age > 0);
        let end = age.map_or(0, |age| signed.saturating_add(age.saturating_mul(1000)));
        rest.is_empty().then_some(Self {
            signed,
            end: Some(end),
        })
    }
}

/// The atom `infinity`, as Erlang 25 and as 26 write it.
const INFINITY: [&[u8]; 2] = [b"d\0\x08infinity", b"w\x08infinity"];

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

fn number<const N: usize>(rest: &mut &[u8]) -> Option<usize> {
    let bytes: [u8; N] = take(rest)?;
    Some(bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)))
}

fn integer(rest: &mut &[u8]) -> Option<i64> {
    match take(rest)? {
        [b'a'] => take(rest).map(|[byte]| i64::from(byte)),
        [b'b'] => take(rest).map(|bytes| i64::from(i32::from_be_bytes(bytes))),
        [b'n'] => {
            let [len @ ..=8, sign @ ..=1] = take(rest)? else {
                return None;
            };
            let (digits, after) = rest.split_at_checked(usize::from(len))?;
            *rest = after;
            let size = digits.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
            let size = i64::try_from(size).ok()?;
            Some(if sign == 0 { size } else { -size })
        }
        _ => None,
    }
}

/// Skips a term, whatever it holds: all that is read are tags and lengths, and each turn uses up a byte.
/// Processes, references and functions are none that a cookie could hold.
fn skip_term(rest: &mut &[u8]) -> Option<()> {
    let mut due: usize = 1;
    while due > 0 {
        let (bytes, terms) = match take(rest)? {
            // integers and floats
            [b'a'] => (1, 0),
            [b'b'] => (4, 0),
            [b'F'] => (8, 0),
            [b'n'] => (number::<1>(rest)? + 1, 0),
            [b'o'] => (number::<4>(rest)?.checked_add(1)?, 0),
            // atoms
            [b's' | b'w'] => (number::<1>(rest)?, 0),
            [b'd' | b'v'] => (number::<2>(rest)?, 0),
            // binaries, and lists of bytes
            [b'm'] => (number::<4>(rest)?, 0),
            [b'M'] => (number::<4>(rest)?.checked_add(1)?, 0),
            [b'k'] => (number::<2>(rest)?, 0),
            // the empty list, lists with their tail, tuples and maps
            [b'j'] => (0, 0),
            [b'l'] => (0, number::<4>(rest)?.checked_add(1)?),
            [b'h'] => (0, number::<1>(rest)?),
            [b'i'] => (0, number::<4>(rest)?),
            [b't'] => (0, number::<4>(rest)?.checked_mul(2)?),
            _ => return None,
        };
        *rest = rest.get(bytes..)?;
        due = (due - 1).checked_add(terms)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use proptest::prelude::*;

    const SIGNED: u64 = 1_700_000_000_000;
    /// `{"x", 1_700_000_000_000`, and what is to follow.
    const START: &[u8] = b"\x83h\x03m\0\0\0\x01xn\x06\0\x00\x68\xe5\xcf\x8b\x01";

    fn end(rest: &[u8]) -> Option<Option<u64>> {
        let stamp = Stamp::of(&[START, rest].concat())?;
        assert_eq!(stamp.signed, SIGNED);
        Some(stamp.end)
    }

    #[test]
    fn an_age_is_whole_seconds_or_infinite() {
        for (rest, expected) in [
            (&b"a\x3c"[..], Some(60_000)),
            (b"b\0\x01\x51\x80", Some(86_400_000)),
            (b"n\x04\0\0\x5e\xd0\xb2", Some(3_000_000_000_000)),
        ] {
            assert_eq!(end(rest), Some(expected.map(|age| SIGNED + age)));
        }
        assert_eq!(
            end(b"n\x08\0\xff\xff\xff\xff\xff\xff\xff\x7f"),
            Some(Some(u64::MAX))
        );
        for ended in [&b"a\0"[..], b"b\xff\xff\xff\xff", b"n\x01\x01\x01"] {
            assert_eq!(end(ended), Some(Some(0)));
        }
        for infinite in INFINITY {
            assert_eq!(end(infinite), Some(None));
        }
    }

    #[test]
    fn what_is_not_exactly_that_tuple_has_no_times() {
        for bad in [
            &b""[..],
            b"a",
            b"a\x3ca",
            b"d\0\x03nil",
            b"w\x08infinitya",
            b"F\x40\x4e\0\0\0\0\0\0",
            b"n\x09\0\x01\0\0\0\0\0\0\0\0",
            b"n\x08\0\xff\xff\xff\xff\xff\xff\xff\xff",
            b"n\x01\x02\x01",
        ] {
            assert_eq!(end(bad), None, "{bad:?}");
        }
        let whole = [START, b"a\x3c"].concat();
        for at in 0..whole.len() {
            assert!(Stamp::of(&whole[..at]).is_none());
        }
        for (at, byte) in [(0, 130), (1, b'i'), (2, 1), (2, 4), (3, b'P'), (11, 1)] {
            let mut other = whole.clone();
            other[at] = byte;
            assert!(Stamp::of(&other).is_none(), "{at}");
        }
    }

    #[test]
    fn an_older_tuple_is_good_for_a_day() {
        let mut old = START.to_vec();
        old[2] = 2;
        assert_eq!(Stamp::of(&old).unwrap().end, Some(SIGNED + 86_400_000));
    }

    // as Erlang 25 and 26 write them
    #[test]
    fn any_term_is_skipped_to_its_end() {
        for term in [
            &b"a\x07"[..],
            b"b\xff\xff\xff\xff",
            b"F\x3f\xf8\0\0\0\0\0\0",
            b"n\x0a\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"o\0\0\x01\0\0\x01",
            b"d\0\x03nil",
            b"w\x04true",
            b"j",
            b"k\0\x02ab",
            b"m\0\0\0\x02n\x06",
            b"M\0\0\0\x01\x03\xa0",
            b"l\0\0\0\x02a\x01h\0j",
            b"l\0\0\0\x01a\x01a\x02",
            b"h\x02t\0\0\0\x01jji\0\0\0\0",
        ] {
            let padded = match term[0] {
                b'o' => [term, &[1; 255]].concat(),
                _ => term.to_vec(),
            };
            let mut rest = &[&padded[..], b"rest"].concat()[..];
            assert_eq!(skip_term(&mut rest), Some(()), "{term:?}");
            assert_eq!(rest, b"rest", "{term:?}");
        }
        for bad in [
            &b""[..],
            b"m\xff\xff\xff\xff",
            b"M\xff\xff\xff\xff",
            b"t\xff\xff\xff\xff",
            b"g",
            b"P\0\0\0\x01",
        ] {
            assert_eq!(skip_term(&mut &*bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, tags in "[abdhiFjklmMnost\\x00-\\x04]{0,60}") {
            for value in [&bytes[..], tags.as_bytes()] {
                Stamp::of(&[b"\x83h\x03", value].concat());
                end(value);
            }
        }
    }
}
