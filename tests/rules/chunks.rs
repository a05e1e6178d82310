//! Cookies in pieces: what R3 to R7, B1 and S2 to S6 say of one value holds for its pieces. The joins that are expected
//! are written here as the frameworks do them, without the core's own.

use countersign_core::gate::{Action, Gate};
use countersign_core::operations::capabilities::Capabilities;
use countersign_core::operations::compatibility::losses;
use serde_json::{Value, json};

use crate::django;
use crate::support::*;

mod framework;

const NAME: &str = "s";
/// What fits one cookie of every framework, and what takes two and three pieces.
const SHORT: usize = 100;
const TWO: usize = 5_000;
const THREE: usize = 8_200;

fn rule(chunks: &str, more: Value) -> Value {
    let rule = json!({
        "name": NAME,
        "format": "django-signed-cookie",
        "origin": {"format": "plain"},
        "chunks": chunks,
        "attributes": ATTRIBUTES,
    });
    with(rule, more)
}

/// A gate that wraps a plain cookie: what reaches the origin unsigned is a session.
fn wrapping(chunks: &str, more: Value) -> Gate {
    gate(pinned(), [rule(chunks, more)])
}

/// A gate before an origin that signs by itself.
fn pinning(chunks: &str, more: Value) -> Gate {
    wrapping(chunks, with(json!({"origin": null}), more))
}

fn sealed(key_name: &str, value: &str) -> String {
    signed(&django::signed_cookie(NAME, ""), key_name, value)
}

/// A value of this length that tells its place everywhere, so that no two pieces are the same.
fn value(length: usize) -> String {
    let mut text: String = (0..).map(|n: u32| format!("{n}.")).take(length).collect();
    text.truncate(length);
    text
}

fn names(chunks: &str) -> (&'static str, usize, usize) {
    let (separator, first) = framework::naming(chunks);
    let longest = match chunks {
        "auth.js" => 3_936,
        "h3" => 4_000,
        "supabase" => 3_180,
        _ => 3_500,
    };
    (separator, first, longest)
}

/// The pairs that a framework writes.
fn pairs_of(chunks: &str, value: &str) -> Vec<String> {
    let (separator, first, longest) = names(chunks);
    if value.len() <= longest {
        return vec![format!("{NAME}={value}")];
    }
    let pieces: Vec<&str> = value
        .as_bytes()
        .chunks(longest)
        .map(|piece| std::str::from_utf8(piece).unwrap())
        .collect();
    let marker = (chunks == "h3").then(|| format!("{NAME}=__chunked__{}", pieces.len()));
    let piece = |(at, piece): (usize, &&str)| format!("{NAME}{separator}{}={piece}", at + first);
    marker
        .into_iter()
        .chain(pieces.iter().enumerate().map(piece))
        .collect()
}

fn header_of(chunks: &str, value: &str) -> String {
    pairs_of(chunks, value).join("; ")
}

fn read(chunks: &str, header: &str) -> Option<String> {
    framework::read(chunks, NAME, header)
}

const ALL: [&str; 4] = ["auth.js", "h3", "supabase", "auth0"];

#[test]
fn pieces_are_judged_as_one_value_and_written_in_as_many_as_are_needed() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        for length in [SHORT, TWO, THREE] {
            let value = value(length);
            let header = format!("a=1; {}; b=2", header_of(chunks, &sealed("NEW", &value)));
            let expected = format!("a=1; {}; b=2", header_of(chunks, &value));
            assert_sent(&gate, &header, Some(&expected), &["current NEW"]);
            assert_eq!(read(chunks, &expected).as_deref(), Some(&*value));
        }
    }
}

#[test]
fn a_fallback_and_an_origin_that_signs_are_as_with_one_cookie() {
    for chunks in ALL {
        let gate = pinning(chunks, json!({}));
        let header = header_of(chunks, &sealed("OLD", &value(TWO)));
        let expected = header_of(chunks, &sealed("ORIGIN", &value(TWO)));
        assert_sent(&gate, &header, Some(&expected), &["fallback OLD"]);
    }
}

#[test]
fn where_the_origin_would_write_the_same_the_pieces_stay() {
    for chunks in ALL {
        let gate = gate(first_day(), [rule(chunks, json!({"origin": null}))]);
        let header = header_of(chunks, &sealed("ORIGIN", &value(TWO)));
        assert_as_it_came(&gate, &header, &["current ORIGIN"]);
        // however another framework's version has split them
        let (separator, first, _) = names(chunks);
        if chunks != "h3" {
            let text = sealed("ORIGIN", &value(SHORT));
            let (a, b) = text.split_at(7);
            let header = format!("{NAME}{separator}{first}={a};{NAME}{separator}1={b}");
            assert_as_it_came(&gate, &header, &["current ORIGIN"]);
        }
    }
}

#[test]
fn what_does_not_verify_is_stripped_with_all_its_pieces() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let stranger = header_of(chunks, &sealed("STRANGER", &value(THREE)));
        assert_sent(&gate, &stranger, None, &["bad-signature"]);
        // a forged piece in the middle
        let mut pairs = pairs_of(chunks, &sealed("NEW", &value(THREE)));
        let middle = pairs.len() - 2;
        pairs[middle] = pairs[middle].replace("1", "2");
        let judged = judge(&gate, &pairs.join("; "));
        assert_eq!(judged.action, Action::WithCookie(None), "{chunks}");
        // and plain pieces, as one would like to have them
        let plain = header_of(chunks, &value(THREE));
        assert_eq!(judge(&gate, &plain).action, Action::WithCookie(None));
    }
}

#[test]
fn reject_deletes_every_piece_that_came() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({"on_invalid": "reject"}));
        let pairs = pairs_of(chunks, &sealed("STRANGER", &value(TWO)));
        let Action::Reject(deletions) = judge(&gate, &pairs.join("; ")).action else {
            panic!("{chunks}: not rejected");
        };
        for pair in pairs {
            let (name, _) = pair.split_once('=').unwrap();
            let deletion = format!("{name}=; {ATTRIBUTES}; Max-Age=0");
            assert!(
                deletions.contains(&deletion),
                "{chunks}: {name} in {deletions:?}"
            );
        }
    }
}

#[test]
fn planted_pieces_cannot_mask_a_good_cookie() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let good = pairs_of(chunks, &sealed("NEW", &value(TWO)));
        let sent = header_of(chunks, &value(TWO));
        for planted in &good {
            let (name, _) = planted.split_once('=').unwrap();
            for evil in ["x", "__chunked__1", "__chunked__3"] {
                let planted = format!("{name}={evil}");
                for header in [
                    [&good[..], std::slice::from_ref(&planted)]
                        .concat()
                        .join("; "),
                    [std::slice::from_ref(&planted), &good[..]]
                        .concat()
                        .join("; "),
                ] {
                    let expected = forwarded(&gate, &header).unwrap_or_default();
                    assert_eq!(expected, sent, "{chunks}: {planted}");
                }
            }
        }
        // one of each, before and behind
        let bad = pairs_of(chunks, &sealed("STRANGER", &value(TWO)));
        for header in [[&good[..], &bad].concat(), [&bad[..], &good].concat()] {
            let judged = judge(&gate, &header.join("; "));
            assert_eq!(
                judged.action,
                Action::WithCookie(Some(sent.clone())),
                "{chunks}"
            );
            assert!(judged.verdicts.contains(&"current NEW".to_owned()));
            assert!(judged.verdicts.contains(&"duplicate-dropped".to_owned()));
        }
    }
}

#[test]
fn twenty_planted_sets_before_and_behind_change_nothing() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let bad: Vec<String> = (0..20)
            .flat_map(|n| pairs_of(chunks, &sealed("STRANGER", &format!("{n}-{}", value(TWO)))))
            .collect();
        let good = pairs_of(chunks, &sealed("NEW", &value(TWO)));
        let sent = Some(header_of(chunks, &value(TWO)));
        assert_eq!(
            forwarded(&gate, &[&bad[..], &good].concat().join("; ")),
            sent,
            "{chunks}"
        );
        assert_eq!(
            forwarded(&gate, &[&good[..], &bad].concat().join("; ")),
            sent,
            "{chunks}"
        );
    }
}

#[test]
fn a_planted_cookie_of_the_bare_name_masks_no_pieces() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let good = header_of(chunks, &sealed("NEW", &value(TWO)));
        let sent = header_of(chunks, &value(TWO));
        for evil in ["x", "", &sealed("STRANGER", "x")] {
            let header = format!("{NAME}={evil}; {good}");
            assert_eq!(
                forwarded(&gate, &header),
                Some(sent.clone()),
                "{chunks}: {evil}"
            );
        }
    }
}

#[test]
fn pieces_left_over_from_a_longer_value_are_dropped() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let (separator, first, _) = names(chunks);
        for length in [SHORT, TWO] {
            let good = pairs_of(chunks, &sealed("NEW", &value(length)));
            let pieces = if length == SHORT { 0 } else { 2 };
            let left = format!("{NAME}{separator}{}=left-over", first + pieces);
            let gap = format!("{NAME}{separator}{}=left-over", first + pieces + 2);
            for header in [
                format!("{left}; {}", good.join("; ")),
                format!("{}; {left}; {gap}", good.join("; ")),
            ] {
                let sent = forwarded(&gate, &header).unwrap();
                assert_eq!(sent, header_of(chunks, &value(length)), "{chunks}");
                let verdicts = judge(&gate, &header).verdicts;
                assert!(verdicts.contains(&"current NEW".to_owned()), "{verdicts:?}");
                assert!(
                    verdicts.contains(&"duplicate-dropped".to_owned()),
                    "{verdicts:?}"
                );
            }
        }
    }
}

#[test]
fn of_two_that_verify_the_origin_is_sent_one() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let (one, two) = (value(TWO), "other".to_owned());
        let (sealed_one, sealed_two) = (sealed("NEW", &one), sealed("NEW", &two));
        for (header, expected) in [
            (
                format!(
                    "{}; {}",
                    header_of(chunks, &sealed_one),
                    header_of(chunks, &sealed_two)
                ),
                &one,
            ),
            (
                format!(
                    "{}; {}",
                    header_of(chunks, &sealed_two),
                    header_of(chunks, &sealed_one)
                ),
                &two,
            ),
        ] {
            let sent = forwarded(&gate, &header).unwrap();
            assert_eq!(read(chunks, &sent).as_ref(), Some(expected), "{chunks}");
        }
    }
}

#[test]
fn what_the_framework_reads_as_a_piece_does_not_pass() {
    for (chunks, names) in [
        (
            "auth.js",
            &[
                "s.00",
                "s.1e1",
                "s.-1",
                "s.0x1",
                "s.+1",
                "s.0 ",
                "s.101",
                "s-",
                "session",
                "s_1",
                "S.0",
                "%73.0",
                "s.0.sig",
                "s[0",
                "s.",
                "s..0",
                "s.\u{a0}1",
            ][..],
        ),
        (
            "h3",
            &[
                "s.01", "S.1", "%73.1", "s.1 ", "s_1", "s.1[a]", "s.%31", "s.0",
            ][..],
        ),
        ("supabase", &["s.00", "S.0", "s_0", "s[0]", "s.0 "][..]),
        ("auth0", &["s__00", "S__0", "%73__0", "s__0 ", "s.[0"][..]),
    ] {
        let gate = wrapping(chunks, json!({}));
        let good = header_of(chunks, &sealed("NEW", "42"));
        for name in names {
            let header = format!("{name}=1; a=1; {good}");
            assert_sent(
                &gate,
                &header,
                Some("a=1; s=42"),
                &["look-alike", "current NEW"],
            );
        }
    }
}

#[test]
fn other_cookies_of_such_a_site_pass() {
    for (chunks, header) in [
        (
            "h3",
            "s_x=1; session=2; s.x=3; s.1x=4; prefs={\"s.1\":\"x\"}",
        ),
        ("supabase", "s-code-verifier=1; s.0-x=2"),
        ("auth0", "s__x=1; s_1=2; st=3"),
        ("auth.js", "csrf=1; a=s.0; __s=s"),
    ] {
        let gate = wrapping(chunks, json!({}));
        let verdicts = judge(&gate, header).verdicts;
        if chunks == "auth.js" {
            assert_eq!(verdicts, ["look-alike"], "`__s` folds to `s`");
        } else {
            assert_as_it_came(&gate, header, &[]);
        }
    }
}

#[test]
fn a_second_cookie_in_a_value_is_found_by_its_piece_s_name() {
    let gate = wrapping("h3", json!({}));
    for value in ["x, s.1=evil", "\"x s.2=evil", "x [s.3=evil"] {
        let header = format!("a={value}; s={}", sealed("NEW", "42"));
        assert_sent(&gate, &header, Some("s=42"), &["look-alike", "current NEW"]);
    }
    // in what is vouched for as well
    let header = header_of("h3", &sealed("NEW", &format!("x, s.1=evil{}", value(TWO))));
    assert_eq!(judge(&gate, &header).action, Action::WithCookie(None));
}

#[test]
fn a_value_that_no_parser_may_read_in_pieces_is_not_sent() {
    let quoted = format!("\"{} user_id=7 {}\"", value(2_000), value(5_000));
    for chunks in ALL {
        let gate = gate(
            pinned(),
            [rule(chunks, json!({"format": "sealed"})), wrapped_rule()],
        );
        let set = answer(&gate, &[&format!("{NAME}={quoted}; Path=/")]);
        let verdicts = words(&gate, &set.events);
        let cookie: Vec<String> = set
            .set_cookies
            .unwrap_or_default()
            .iter()
            .map(|line| line.split(';').next().unwrap().to_owned())
            .collect();
        let header = cookie.join("; ");
        if !header.is_empty() {
            let judged = judge(&gate, &header);
            assert_eq!(
                judged.action,
                Action::WithCookie(None),
                "{chunks}: {verdicts:?}"
            );
            assert_eq!(judged.verdicts, ["malformed"], "{chunks}");
        }
    }
}

#[test]
fn an_observing_rule_changes_no_byte_and_reports_as_if_it_did() {
    for chunks in ALL {
        let rule = rule(chunks, json!({"origin": null}));
        let keys = json!({"current": "ORIGIN", "fallbacks": ["OLD"], "origin": "ORIGIN"});
        let gate = gate_of(with(config(keys, [rule]), json!({"mode": "observe"})));
        let good = pairs_of(chunks, &sealed("OLD", &value(TWO)));
        for header in [
            good.join(";  "),
            format!("{}; {}", good.join("; "), good.join("; ")),
            format!("{NAME}=x; {}", good.join("; ")),
        ] {
            let judged = judge(&gate, &header);
            assert_eq!(judged.action, Action::Unchanged);
            assert!(
                judged.verdicts.contains(&"fallback OLD".to_owned()),
                "{:?}",
                judged.verdicts
            );
        }
        let bad = header_of(chunks, &sealed("STRANGER", &value(TWO)));
        assert_as_it_came(&gate, &bad, &["bad-signature"]);
        let set: Vec<String> = pairs_of(chunks, &sealed("ORIGIN", &value(TWO)));
        let set: Vec<String> = set
            .iter()
            .map(|pair| format!("{pair}; {ATTRIBUTES}"))
            .collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        assert_set(&gate, &set, &set, &["sealed ORIGIN"]);
    }
}

#[test]
fn forward_leaves_every_piece() {
    for chunks in ALL {
        let gate = wrapping(
            chunks,
            json!({"on_invalid": "forward", "unsafe_open": true}),
        );
        let header = header_of(chunks, &sealed("STRANGER", &value(TWO)));
        assert_as_it_came(&gate, &header, &["bad-signature"]);
    }
}

#[test]
fn thousands_of_pieces_are_bounded_work() {
    for chunks in ALL {
        let rules: Vec<Value> = (0..20)
            .map(|n| {
                rule(
                    chunks,
                    json!({"name": format!("{}s", "abcdefghijklmnopqrst".chars().nth(n).unwrap())}),
                )
            })
            .collect();
        let gate = gate(pinned(), rules);
        let (separator, _, _) = names(chunks);
        let mut header = String::new();
        for n in 0.. {
            if header.len() > 128 << 10 {
                break;
            }
            let name = "abcdefghijklmnopqrst".chars().nth(n % 20).unwrap();
            header += &format!(
                "{name}s={}; {name}s{separator}{}=x{n}:y:z; ",
                "__chunked__3",
                n / 20 % 6
            );
        }
        let judged = judge(&gate, &header);
        assert!(
            judged.pending.steps < 40 * header.len(),
            "{chunks}: {}",
            judged.pending.steps
        );
        assert!(read(chunks, &forwarded(&gate, &header).unwrap_or_default()).is_none());
    }
}

/// A browser: what it shows after these Set-Cookie headers.
fn browse(jar: &mut Vec<(String, String)>, set_cookies: &[String]) {
    for line in set_cookies {
        let (name, rest) = line.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        assert!(
            name.len() + 1 + value.len() <= 4_096,
            "browsers drop {name}"
        );
        jar.retain(|(known, _)| known != name);
        if !line.contains("Max-Age=0") {
            jar.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn shown(jar: &[(String, String)]) -> String {
    let pairs: Vec<String> = jar
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

/// What the framework sets for a new value, and deletes of what it saw.
fn set_by(chunks: &str, saw: &str, value: Option<&str>) -> Vec<String> {
    let pairs = value
        .map(|value| pairs_of(chunks, value))
        .unwrap_or_default();
    let named = |pair: &str| pair.split_once('=').unwrap().0.trim().to_owned();
    let new: Vec<String> = pairs.iter().map(|pair| named(pair)).collect();
    let old = saw.split(';').filter(|pair| pair.contains('=')).map(named);
    let old = old.filter(|name| !new.contains(name));
    let deletions = old.map(|name| format!("{name}=; Path=/; HttpOnly; Max-Age=0"));
    let set = pairs.iter().map(|pair| format!("{pair}; {ATTRIBUTES}"));
    deletions.chain(set).collect()
}

#[test]
fn a_session_grows_and_shrinks_and_ends_and_leaves_nothing() {
    for chunks in ALL {
        for gate in [wrapping(chunks, json!({})), pinning(chunks, json!({}))] {
            let is_wrapped = gate.policy().rules[0].is_plain_at_origin();
            let mut jar = Vec::new();
            // the lengths stand just before and just behind a further piece, where the two sides differ in number
            for length in [
                SHORT, THREE, SHORT, 3_150, 3_480, 3_920, 3_990, TWO, 7_900, THREE, 0,
            ] {
                let judged = judge(&gate, &shown(&jar));
                let saw = match &judged.action {
                    Action::Unchanged => shown(&jar),
                    Action::WithCookie(header) => header.clone().unwrap_or_default(),
                    Action::Reject(_) => panic!("rejected"),
                };
                let value = value(length);
                let of_origin = if is_wrapped {
                    value.clone()
                } else {
                    sealed("ORIGIN", &value)
                };
                let set = set_by(chunks, &saw, (length > 0).then_some(of_origin.as_str()));
                let set: Vec<&str> = set.iter().map(String::as_str).collect();
                let answer = answer_to(&gate, &judged.pending, &page(), &set);
                let sent = answer
                    .set_cookies
                    .unwrap_or_else(|| set.iter().map(|l| (*l).to_owned()).collect());
                browse(&mut jar, &sent);
                if length == 0 {
                    assert_eq!(jar, [], "{chunks}: logged out");
                    continue;
                }
                let held = read(chunks, &shown(&jar)).unwrap();
                assert!(held.starts_with(&value), "{chunks} {length}");
                assert!(held != of_origin, "sealed anew");
                let sent = forwarded(&gate, &shown(&jar)).unwrap();
                assert_eq!(read(chunks, &sent), Some(of_origin), "{chunks} {length}");
                assert_eq!(
                    judge(&gate, &shown(&jar)).verdicts,
                    ["current NEW"],
                    "{chunks} {length}"
                );
            }
        }
    }
}

/// In one response: of two headers for one name browsers keep the last.
#[test]
fn of_what_a_response_sets_and_deletes_the_last_counts() {
    for chunks in ALL {
        for (gate, key_name) in [
            (wrapping(chunks, json!({})), None),
            (pinning(chunks, json!({})), Some("ORIGIN")),
        ] {
            for length in [SHORT, TWO, THREE] {
                let value = value(length);
                let of_origin = key_name.map_or_else(|| value.clone(), |key| sealed(key, &value));
                let set = set_by(chunks, "", Some(&of_origin));
                let deleted = set_by(chunks, &header_of(chunks, &of_origin), None);
                let browsed = |lines: &[String]| {
                    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                    let sent = answer(&gate, &lines).set_cookies;
                    let sent =
                        sent.unwrap_or_else(|| lines.iter().map(|l| (*l).to_owned()).collect());
                    let mut jar = Vec::new();
                    browse(&mut jar, &sent);
                    jar
                };
                let both = [&set[..], &deleted].concat();
                assert_eq!(browsed(&both), [], "{chunks} {length}: deleted at last");
                for again in [[&deleted[..], &set].concat(), [&both[..], &set].concat()] {
                    let jar = browsed(&again);
                    let sent = forwarded(&gate, &shown(&jar)).unwrap();
                    assert_eq!(
                        read(chunks, &sent).as_ref(),
                        Some(&of_origin),
                        "{chunks} {length}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_upgrade_is_split_and_cleans_up() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let mut jar: Vec<(String, String)> = Vec::new();
        let old = pairs_of(chunks, &sealed("OLD", &value(TWO)));
        for pair in &old {
            let (name, value) = pair.split_once('=').unwrap();
            jar.push((name.to_owned(), value.to_owned()));
        }
        let (separator, first, _) = names(chunks);
        jar.push((
            format!("{NAME}{separator}{}", first + 3),
            "left-over".to_owned(),
        ));
        let judged = judge_from(&gate, &shown(&jar), &page(), NOW);
        let answer = answer_to(&gate, &judged.pending, &page(), &["a=1"]);
        assert!(answer.only_adds && answer.private, "{chunks}");
        let sent = answer.set_cookies.unwrap();
        assert_eq!(sent[0], "a=1");
        browse(&mut jar, &sent);
        jar.retain(|(name, _)| name != "a");
        assert_eq!(
            read(chunks, &shown(&jar)).unwrap().split(':').next(),
            Some(&*value(TWO))
        );
        assert_eq!(
            judge(&gate, &shown(&jar)).verdicts,
            ["current NEW"],
            "{chunks}"
        );
        assert_eq!(jar.len(), old.len(), "{chunks}: nothing is left over");
    }
}

#[test]
fn what_the_origin_sets_in_part_passes_as_it_is() {
    for (chunks, set) in [
        ("auth.js", &["s.1=x; Path=/"][..]),
        ("auth.js", &["s.0=x; Path=/", "s.2=y; Path=/"]),
        ("auth.js", &["s=x; Path=/", "s.0=y; Path=/"]),
        ("h3", &["s=__chunked__2; Path=/", "s.1=x; Path=/"]),
        ("h3", &["s.1=x; Path=/"]),
        ("auth0", &["s__1=x; Path=/"]),
    ] {
        let gate = wrapping(chunks, json!({}));
        assert_set(&gate, set, set, &["origin-unverified"]);
    }
    let gate = pinning("auth.js", json!({}));
    let set = ["s.0=x; Path=/", "s.1=y; Path=/"];
    let attributes = [
        "attributes-differ secure",
        "attributes-differ http-only",
        "attributes-differ same-site",
    ];
    let answer = answer(&gate, &set);
    assert_eq!(answer.set_cookies, None);
    assert_eq!(
        words(&gate, &answer.events),
        [&attributes[..], &["origin-unverified"]].concat()
    );
}

#[test]
fn a_logout_elsewhere_deletes_every_piece_in_the_place_of_upgrades_too() {
    let gate = wrapping("auth.js", json!({}));
    let header = header_of("auth.js", &sealed("NEW", &value(TWO)));
    let pending = judge(&gate, &header).pending;
    let sent = answer_to(&gate, &pending, &page(), &["s=; Path=/app; Max-Age=0"]);
    let sent = sent.set_cookies.unwrap();
    for name in ["s", "s.0", "s.1"] {
        let here = format!("{name}=; {ATTRIBUTES}; Max-Age=0");
        assert!(sent.contains(&here), "{here} in {sent:?}");
        let there = format!("{name}=; Path=/app; Max-Age=0");
        assert!(sent.contains(&there), "{there} in {sent:?}");
    }
}

#[test]
fn a_value_over_the_bound_of_all_pieces_is_too_long() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let header = header_of(chunks, &sealed("NEW", &value(17 << 10)));
        let judged = judge(&gate, &header);
        assert_eq!(judged.action, Action::WithCookie(None), "{chunks}");
        let set = answer(
            &gate,
            &[&format!("s={}; {ATTRIBUTES}", value((16 << 10) - 10))],
        );
        assert!(
            words(&gate, &set.events).contains(&"too-long".to_owned()),
            "{chunks}"
        );
    }
}

#[test]
fn chunks_are_refused_where_they_cannot_work() {
    let refused = |rules: Vec<Value>, path: &str, word: &str| {
        assert_refused(config(pinned(), rules), path, &[word]);
    };
    let at = |field: &str| format!("COUNTERSIGN.cookies[0].{field}");
    refused(vec![rule("next", json!({}))], &at("chunks"), "auth.js");
    refused(
        vec![rule("h3", json!({"look_alikes": "forward"}))],
        &at("look_alikes"),
        "pieces",
    );
    let pair = json!({"format": "keygrip", "origin": null});
    refused(vec![rule("h3", pair)], &at("chunks"), "s.sig");
    let other = |name: &str| with(wrapped_rule(), json!({"name": name}));
    for (chunks, name) in [
        ("h3", "s.1"),
        ("h3", "S_12"),
        ("auth.js", "session"),
        ("auth.js", "s-x"),
        ("auth0", "s__7"),
        ("supabase", "s.0"),
    ] {
        for rules in [
            vec![rule(chunks, json!({})), other(name)],
            vec![other(name), rule(chunks, json!({}))],
        ] {
            refused(rules, "COUNTERSIGN.cookies[1].name", "some servers read it");
        }
    }
    for (chunks, name) in [
        ("h3", "session"),
        ("h3", "s.x"),
        ("auth.js", "token"),
        ("auth0", "s_x"),
    ] {
        assert_accepted(config(pinned(), [rule(chunks, json!({})), other(name)]));
    }
}

#[test]
fn pieces_that_are_pasted_are_inspected_as_one() {
    for chunks in ALL {
        let gate = wrapping(chunks, json!({}));
        let text = sealed("OLD", &value(THREE));
        let (name, joined) = gate.policy().joined(&header_of(chunks, &text)).unwrap();
        assert_eq!((name, joined), (NAME, text), "{chunks}");
        let mut pairs = pairs_of(chunks, &sealed("OLD", &value(THREE)));
        pairs.remove(1);
        let joined = gate.policy().joined(&pairs.join("; "));
        assert!(joined.is_none() || chunks != "h3");
        assert!(gate.policy().joined("s=1; s.0=x; s.1=y; s__0=z").is_none());
    }
}

#[test]
fn a_version_that_joins_no_pieces_or_others_loses_long_sessions() {
    let capabilities = |chunks: Value| {
        let rule = rule("h3", json!({"chunks": chunks}));
        Capabilities::of(gate(pinned(), [rule]).policy(), &|_| None)
    };
    let told = |from: Value, to: Value| -> Vec<String> {
        let found = losses(&capabilities(from), &capabilities(to), NOW);
        found.iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(json!("h3"), json!("h3")), [""; 0]);
    assert_eq!(told(Value::Null, json!("h3")), [""; 0]);
    for (to, words) in [
        (Value::Null, "not joined"),
        (json!("auth.js"), "\"auth.js\""),
    ] {
        let told = told(json!("h3"), to);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(words) && told[0].contains("pieces"),
            "{told:?}"
        );
    }
}
