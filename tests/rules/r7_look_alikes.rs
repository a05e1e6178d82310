//! R7: no spelling that an origin's parser might read as a managed name gets past unverified.

use countersign_core::gate::Gate;
use serde_json::{Value, json};

use crate::django::signed_cookie;
use crate::support::*;

fn gate_for(name: &str) -> Gate {
    session_gate(json!({"name": name}))
}

/// Asserts that a pair is dropped from between two others, as a look-alike.
#[track_caller]
fn assert_dropped(gate: &Gate, pair: &str) {
    assert_sent(
        gate,
        &format!("a=1;{pair}; b=2"),
        Some("a=1; b=2"),
        &["look-alike"],
    );
}

#[track_caller]
fn assert_passed(gate: &Gate, pair: &str) {
    assert_as_it_came(gate, &format!("a=1;{pair}; b=2"), &[]);
}

/// White space, controls, characters beyond ASCII, comma and double quote; a semicolon ends the pair.
fn cutters() -> impl Iterator<Item = char> {
    let white_and_control = ('\u{1}'..='\u{20}').chain(['\u{7f}']);
    let beyond = "\u{80}\u{85}\u{a0}\u{ad}éÿ\u{130}\u{17f}\u{212a}\u{2003}\u{2028}\u{200b}\u{3000}\u{feff}\u{fffd}\u{ff53}\u{1f36a}";
    white_and_control.chain(beyond.chars()).chain([',', '"'])
}

#[test]
fn another_case_is_dropped() {
    let gate = gate_for("sessionid");
    for pair in ["SESSIONID=x", " SessionId=x", "sessionID=x"] {
        assert_dropped(&gate, pair);
    }
    assert_dropped(&gate_for("PHPSESSID"), "phpsessid=x");
}

#[test]
fn a_name_behind_anything_that_a_parser_might_cut_at_is_dropped() {
    let gate = gate_for("sessionid");
    for c in cutters() {
        // a pair of quotes is closed, so that it is the piece behind it that counts
        let c = if c == '"' {
            "\"\"".to_owned()
        } else {
            c.to_string()
        };
        assert_dropped(&gate, &format!(" x=1{c}sessionid=forged"));
        assert_dropped(&gate, &format!(" x=1{c} {c}sessionid=forged"));
        let bare = format!("a=1; x=1{c}sessionid{c}forged");
        assert_eq!(forwarded(&gate, &bare), Some(bare));
        if !["\t", " "].contains(&c.as_str()) {
            assert_dropped(&gate, &format!("{c}sessionid=forged"));
        }
    }
}

#[test]
fn a_name_in_front_of_anything_that_a_parser_might_trim_is_dropped() {
    let gate = gate_for("sessionid");
    for c in cutters() {
        let c = if c == '"' {
            "\"\"".to_owned()
        } else {
            c.to_string()
        };
        assert_dropped(&gate, &format!(" sessionid{c}=forged"));
        assert_dropped(&gate, &format!(" sessionid{c}x=forged"));
    }
}

#[test]
fn spaces_and_tabs_in_front_of_the_exact_name_are_no_disguise() {
    let gate = gate_for("sessionid");
    for lead in ["", " ", "  ", "\t", " \t "] {
        let header = |value: String| format!("a=1;{lead}sessionid={value}");
        assert_sent(&gate, &header(forged()), Some("a=1"), &["bad-signature"]);
        let sent = header(session("ORIGIN"));
        assert_sent(
            &gate,
            &header(session("NEW")),
            Some(&sent),
            &["current NEW"],
        );
    }
}

#[test]
fn characters_that_are_no_letters_or_digits_around_the_name_are_no_disguise() {
    let gate = gate_for("sessionid");
    for c in "!#$%&'()*+-./:<>?@[\\]^_`{|}~".chars() {
        assert_dropped(&gate, &format!(" {c}sessionid=x"));
        assert_dropped(&gate, &format!(" {c}{c}sessionid=x"));
        assert_dropped(&gate, &format!(" sessionid{c}=x"));
    }
    assert_dropped(&gate, " =sessionid=x");
    assert_dropped(&gate, " sessionid[a]=x");
    assert_dropped(&gate, " sessionid[]=x");
    assert_dropped(&gate, " sessionid[");
}

#[test]
fn the_name_without_a_value_is_dropped() {
    let gate = gate_for("sessionid");
    for pair in [
        "sessionid",
        " sessionid",
        " SESSIONID ",
        " sessionid,",
        " sessionid--",
    ] {
        assert_dropped(&gate, pair);
    }
}

/// What sites keep in cookies: JSON, CSV, sentences, search boxes, lists, what consent banners and analytics write.
const INNOCENT: [&str; 43] = [
    r#"prefs={"theme":"dark","session":"compact"}"#,
    "search=red session bag",
    "q=leather,session,bag",
    "consent=necessary,session",
    r#"note="session""#,
    "last=[session]",
    "title=Jam session",
    r#"prefs={"session":{"on":true},"a":[1,2]}"#,
    r#"prefs={"session":["a","b"]}"#,
    r#"prefs={"session": "a=b"}"#,
    r#"prefs=["session","theme"]"#,
    r#"prefs={"a":"session"}"#,
    "prefs={session:[1,2],theme:'dark'}",
    r#"ruby={"session"=>"compact", :session2=>1}"#,
    "q=session, a=1",
    "q=session,",
    "q= session",
    "q=\"red session bag\"",
    "q=\"session\",\"bag\"",
    "q=session%20bag session%2Cbag",
    "q=a session? b=c",
    "q=a (session) b",
    "q=a session.",
    "q=a session: b",
    "q=a session/b=c",
    "q=a session&sort=asc",
    "q=a 'session'=b",
    "tabs=home\tsession\tcart",
    "tabs=home|session|cart",
    "tags=[red][session][bag]",
    "path=a\\session\\b",
    "crumbs=Home > session > 1=1",
    "list=a,b,session",
    "list=a, b, session",
    "words=Zo\u{eb} session \u{2014} fin",
    "CookieConsent={stamp:%27k3jV==%27%2Cnecessary:true%2Cpreferences:false%2Cver:1}",
    "OptanonConsent=isGpcEnabled=0&datestamp=Mon+Jan+05+2026+10:00:00+GMT&groups=C0001:1,session:0,C0004:1",
    "cookieyes-consent=consentid:Zm9v,consent:yes,action:yes,necessary:yes,session:no",
    "cmplz_banner-status=dismissed, session",
    "euconsent-v2=CP1kzYAP1kzYAEsACBENDkCoAP_AAH_AAAAAI",
    "_ga_SESSION=GS1.1.1700000000.1.1.1700000100.0.0.0",
    "_hjSessionUser_1=eyJpZCI6Ijg=",
    "utm=session|-|source=google, session|b=c",
];

#[test]
fn a_bare_word_in_a_value_is_no_look_alike() {
    let gate = gate_for("session");
    let (good, sent) = (session("NEW"), session("ORIGIN"));
    for pair in INNOCENT {
        assert_passed(&gate, &format!(" {pair}"));
        for (header, expected) in [
            (
                format!("{pair}; session={good}"),
                format!("{pair}; session={sent}"),
            ),
            (
                format!("session={good}; {pair}"),
                format!("session={sent}; {pair}"),
            ),
        ] {
            assert_sent(&gate, &header, Some(&expected), &["current NEW"]);
        }
    }
}

#[test]
fn a_name_with_a_value_inside_a_value_is_dropped_in_every_spelling() {
    let gate = gate_for("session");
    for pair in [
        "q=a session=b",
        "q=a session =b",
        "q=a session= b",
        "q=a session = b",
        "q=a session\t=b",
        "q=a session\u{b}\u{c}=b",
        "q=a session\u{1c}=b",
        "q=a session\u{85}=b",
        "q=a session\u{2003}=b",
        "q=a session\u{fffd}=b",
        "q=a session+=b",
        "q=a session%20=b",
        "q=a session%00=b",
        "q=a session%3Db",
        "q=a session%3db",
        "q=a session %3Db",
        "q=a session%u003Db",
        "q=a session[a]=b",
        "q=a session[",
        "q=a session%5Ba%5D=b",
        "q=a,session=",
        "q=a,=session=b",
        "q=a,--session=b",
        "q=a,SESSION=b",
        "q=a,%73ession=b",
        "q=a, %73ession =b",
        "q=a]session=b",
        "q=a\\session=b",
        "q=\"a\"session=b",
        "q=session session=b",
        r#"q={"session"="b", session=b}"#,
        r#"ruby={"session"=>"compact", :session=>1}"#,
    ] {
        assert_dropped(&gate, &format!(" {pair}"));
    }
}

/// Rack before 2.2 and Tomcat's old parser split at commas, and take a word without `=` for an empty cookie.
#[test]
fn a_strict_rule_drops_bare_words_as_well() {
    let gate = session_gate(json!({"name": "session", "look_alikes": "strict"}));
    for pair in [
        "q=leather,session,bag",
        "q=red session bag",
        "last=[session]",
        "q=a,session",
        "q=a,SESSION",
    ] {
        assert_dropped(&gate, &format!(" {pair}"));
    }
    for pair in ["q=jamsession,b", "q=session", "q=a session2"] {
        assert_passed(&gate, &format!(" {pair}"));
    }
    let strict = with(session_rule(), json!({"look_alikes": "strict"}));
    let both = crate::support::gate(pinned(), [strict, wrapped_rule()]);
    assert_dropped(&both, " q=a,sessionid,b");
    assert_passed(&both, " q=a,user_id,b");
}

#[test]
fn percent_encoding_is_no_disguise() {
    let gate = gate_for("sessionid");
    for (at, letter) in "sessionid".char_indices() {
        for code in [u32::from(letter), u32::from(letter.to_ascii_uppercase())] {
            let (before, after) = ("sessionid"[..at].to_owned(), &"sessionid"[at + 1..]);
            assert_dropped(&gate, &format!(" {before}%{code:02x}{after}=x"));
            assert_dropped(&gate, &format!(" {before}%{code:02X}{after}=x"));
        }
    }
    for pair in [
        " %73%65%73%73%69%6f%6e%69%64=x",
        " %20sessionid=x",
        " %00sessionid=x",
        " %EF%BB%BFsessionid=x",
        " sessionid%20=x",
        " sessionid%3D=x",
        " sessionid%3Dx",
        " sessionid%5Ba%5D=x",
        " x=1,%73essionid=x",
    ] {
        assert_dropped(&gate, pair);
    }
}

#[test]
fn names_are_decoded_once_and_cut_before() {
    let gate = gate_for("sessionid");
    for pair in [
        " %2573essionid=x",
        " x=%20sessionid%3Dx",
        " x=%2Csessionid=x",
        " x=%2C%20sessionid=x",
        " x=1%3Bsessionid=x",
        " %7%73essionid2=x",
    ] {
        assert_passed(&gate, pair);
    }
}

#[test]
fn an_underscore_stands_for_what_php_turns_into_one() {
    let gate = gate_for("user_id");
    for c in [".", "[", "+", " ", "_", "%20", "%2E", "%2B", "%5B", "%5F"] {
        if c != "_" {
            assert_dropped(&gate, &format!(" user{c}id=x"));
        }
        assert_dropped(&gate, &format!(" USER{c}ID=x"));
        assert_dropped(&gate, &format!(" x=1, user{c}id[a]=x"));
    }
    for pair in [
        " userid=x",
        " user-id=x",
        " user:id=x",
        " user__id=x",
        " user..id=x",
        " user]id=x",
    ] {
        assert_passed(&gate, pair);
    }
}

/// PHP reads `my.sid` and `my_sid` as one name, whichever of them the site sets.
#[test]
fn a_dot_in_a_managed_name_stands_for_what_php_takes_it_for() {
    let gate = gate_for("connect.sid");
    for pair in [" connect_sid=x", " connect sid=x", " connect[sid=x"] {
        assert_dropped(&gate, pair);
    }
    for pair in [" connectsid=x", " connect-sid=x", " connect.sid2=x"] {
        assert_passed(&gate, pair);
    }
    assert_dropped(&gate, " Connect.Sid=x");
}

#[test]
fn a_prefixed_name_is_recognised_without_its_underscores() {
    let gate = gate_for("__Host-sid");
    for pair in [
        " __host-sid=x",
        " Host-sid=x",
        " _[Host-sid=x",
        " ..Host-sid=x",
        " __Host%2Dsid=x",
    ] {
        assert_dropped(&gate, pair);
    }
    for pair in [
        " sid=x",
        " __Host-sid2=x",
        " __Secure-sid=x",
        " __Host_sid=x",
    ] {
        assert_passed(&gate, pair);
    }
}

#[test]
fn names_that_are_merely_similar_pass() {
    let gate = gate_for("sessionid");
    for pair in [
        " sessionid2=x",
        " 2sessionid=x",
        " xsessionid=x",
        " sessionid-x=1",
        " sessionid.x=1",
        " session=x",
        " session_id=x",
        " __Host-sessionid=x",
        " x=sessionid=y",
        " x=sessionid",
        " x=1&sessionid=y",
        " x={\"sessionid2\": 1}",
        " x={\"sessionid\": 1}",
        " csrftoken=AbC123",
        " %=x",
        " %7=x",
    ] {
        assert_passed(&gate, pair);
    }
}

#[test]
fn a_look_alike_is_dropped_even_with_a_good_signature() {
    let gate = gate_for("sessionid");
    let good = session("NEW");
    assert_dropped(&gate, &format!(" Sessionid={good}"));
    assert_dropped(&gate, &format!(" sessionid ={good}"));
    assert_dropped(&gate, &format!(" x=1, sessionid={good}"));
}

#[test]
fn a_look_alike_takes_no_good_cookie_with_it() {
    let gate = gate_for("sessionid");
    let (good, sent) = (session("NEW"), session("ORIGIN"));
    for (header, expected) in [
        (
            format!("SESSIONID=x; sessionid={good}; a=1"),
            format!("sessionid={sent}; a=1"),
        ),
        (
            format!("a=1; sessionid={good}; x=1,sessionid=y"),
            format!("a=1; sessionid={sent}"),
        ),
    ] {
        assert_eq!(forwarded(&gate, &header), Some(expected));
    }
}

#[test]
fn a_header_that_was_joined_from_two_keeps_no_managed_cookie_behind_the_comma() {
    let gate = gate_for("sessionid");
    let (good, bad) = (session("NEW"), forged());
    assert_sent(
        &gate,
        &format!("a=1, sessionid={bad}; b=2"),
        Some("b=2"),
        &["look-alike"],
    );
    let header = format!("sessionid={good}, sessionid={bad}; b=2");
    assert_eq!(forwarded(&gate, &header).as_deref(), Some("b=2"));
}

#[test]
fn a_pair_whose_name_starts_with_a_dollar_is_dropped() {
    let gate = gate_for("sessionid");
    for pair in [
        " $Version=1",
        "$Path=/",
        "\t$x",
        " ,$Version=1",
        " $sessionid=x",
    ] {
        assert_dropped(&gate, pair);
    }
    for pair in [" a=$Version", " a$b=1", " a=1$"] {
        assert_passed(&gate, pair);
    }
}

#[test]
fn a_dollar_is_dropped_for_the_rule_that_is_not_lax() {
    let lax = with(session_rule(), json!({"look_alikes": "forward"}));
    for rules in [[lax.clone(), wrapped_rule()], [wrapped_rule(), lax]] {
        let gate = gate(pinned(), rules);
        assert_eq!(
            forwarded(&gate, "a=1; $Version=1; b=2").as_deref(),
            Some("a=1; b=2")
        );
    }
}

#[test]
fn a_quote_left_open_in_front_of_a_managed_cookie_is_dropped() {
    let gate = gate_for("sessionid");
    let (good, sent) = (session("NEW"), session("ORIGIN"));
    for open in [
        "x=\"1",
        "x=1\"",
        "x=\"1\\\"",
        "x=\"",
        "x=\"a\" \"b",
        "\"",
        "x=\"\"\"",
        "x=\\\"1",
        // open to one who takes a backslash for an escape inside quotes alone
        "x=\\\"\\\"",
    ] {
        let judged = judge(&gate, &format!("a=1; {open}; b=2; sessionid={good}"));
        assert_eq!(judged.verdicts, ["look-alike", "current NEW"], "{open}");
        assert_eq!(
            forwarded(&gate, &format!("a=1; {open}; b=2; sessionid={good}; c=3")),
            Some(format!("a=1; b=2; sessionid={sent}; c=3")),
            "{open}"
        );
    }
}

#[test]
fn a_quote_left_open_is_dropped_whatever_stands_between_it_and_the_managed_cookie() {
    let gate = gate_for("sessionid");
    let (good, sent) = (session("NEW"), session("ORIGIN"));
    for between in ["y=2", "SESSIONID=y", "$Version=1", "y=\"2", "y=\"2\""] {
        let header = forwarded(&gate, &format!("x=\"1; {between}; sessionid={good}")).unwrap();
        assert!(!header.contains("x=\"1"), "{between}: {header}");
        assert!(header.ends_with(&format!("sessionid={sent}")), "{header}");
    }
}

#[test]
fn every_quote_left_open_in_front_of_one_of_two_managed_cookies_is_dropped() {
    let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
    let user = signed(&signed_cookie("user_id", ""), "NEW", "42");
    let header = format!(
        "x=\"1; sessionid={}; y=\"2; user_id={user}; z=\"3",
        session("NEW")
    );
    let expected = format!("sessionid={}; user_id=42; z=\"3", session("ORIGIN"));
    assert_eq!(forwarded(&gate, &header), Some(expected));
}

#[test]
fn a_quote_that_is_closed_or_has_no_managed_cookie_behind_it_passes() {
    let gate = gate_for("sessionid");
    let (good, sent) = (session("NEW"), session("ORIGIN"));
    for closed in ["x=\"1\"", "x=\"\"", "x=1\"2\"3", "x=\"\\\\\""] {
        assert_eq!(
            forwarded(&gate, &format!("{closed}; sessionid={good}")),
            Some(format!("{closed}; sessionid={sent}"))
        );
    }
    assert_as_it_came(&gate, "a=1; x=\"1; b=2", &[]);
    assert_eq!(
        forwarded(&gate, &format!("sessionid={good}; x=\"1")),
        Some(format!("sessionid={sent}; x=\"1"))
    );
}

#[test]
fn with_forward_look_alikes_go_on_as_they_came_and_the_exact_name_is_still_judged() {
    let gate = session_gate(json!({"look_alikes": "forward"}));
    let good = session("NEW");
    for pair in ["SESSIONID=x", "x=1, sessionid=y", "sessionid", "x=\"1"] {
        let header = format!("{pair}; sessionid={good}");
        let sent = format!("{pair}; sessionid={}", session("ORIGIN"));
        assert_eq!(forwarded(&gate, &header), Some(sent));
    }
    assert_sent(
        &gate,
        &format!("sessionid={}", forged()),
        None,
        &["bad-signature"],
    );
}

/// Two rules: one that is lax about look-alikes, and one that is not.
fn lax_and_strict() -> [Gate; 2] {
    let lax = with(session_rule(), json!({"look_alikes": "forward"}));
    [
        gate(pinned(), [lax.clone(), wrapped_rule()]),
        gate(pinned(), [wrapped_rule(), lax]),
    ]
}

#[test]
fn a_pair_that_looks_like_two_names_is_dropped_for_the_rule_that_is_not_lax() {
    for gate in lax_and_strict() {
        for pair in [
            "x=1, SESSIONID=2, user_id=7",
            "x=1, user_id=7, SESSIONID=2",
            "SESSIONID=1, user_id=7",
        ] {
            let header = format!("a=1; {pair}");
            assert_eq!(forwarded(&gate, &header).as_deref(), Some("a=1"), "{pair}");
        }
    }
}

/// Asserts that nothing of `user_id=7` is left where a parser that cuts at commas might find it.
#[track_caller]
fn assert_no_user(rule: Value, pair: &str) {
    let keys = json!({"current": "NEW", "fallbacks": ["OLD", "ORIGIN"], "origin": "ORIGIN"});
    let gate = gate(keys, [rule, wrapped_rule()]);
    let sent = forwarded(&gate, &format!("a=1; {pair}")).unwrap();
    let pieces = sent.split([';', ',']).map(str::trim_start);
    let users: Vec<&str> = pieces
        .filter(|piece| piece.starts_with("user_id="))
        .collect();
    assert!(users.is_empty(), "{pair} went on as {sent}");
}

#[test]
fn a_managed_pair_that_is_forwarded_unverified_carries_no_other_managed_name() {
    let rule = with(session_rule(), json!({"on_invalid": "forward"}));
    assert_no_user(rule, "sessionid=x, user_id=7");
}

#[test]
fn a_managed_pair_that_is_not_sealed_carries_no_other_managed_name() {
    let unsealed = json!({
        "name": "theme", "format": "plain", "origin": {"format": "plain"}, "attributes": ATTRIBUTES,
        "accept": [{"format": "django-signed-cookie"}],
    });
    assert_no_user(unsealed, "theme=x, user_id=7");
}

#[test]
fn a_look_alike_of_any_rule_is_dropped_and_told_of_that_rule() {
    let gate = gate(pinned(), [session_rule(), wrapped_rule()]);
    for (pair, rule) in [("Sessionid=x", 0), ("user.id=x", 1)] {
        let judged = judge(&gate, pair);
        assert_eq!(judged.verdicts, ["look-alike"]);
        assert_eq!(judged.pending.events[0].rule.0, rule);
    }
}
