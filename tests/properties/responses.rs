//! The response side of the gate, for arbitrary Set-Cookie headers.

use countersign_core::gate::Gate;
use proptest::prelude::*;
use serde_json::json;

use crate::cases;
use crate::headers::{NAMES, anything, good, header};
use crate::support::*;

fn set_cookie() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        "[a-z]{1,4}",
        Just(" sessionid ".to_owned()),
        Just("SESSIONID".to_owned()),
    ];
    let value = prop_oneof![
        (1..4u64).prop_map(|number| good("sessionid", "ORIGIN", number)),
        (1..4u64).prop_map(|number| good("user_id", "ORIGIN", number)),
        "[!-~é ]{0,12}",
        Just("\"\"".to_owned()),
        Just("42".to_owned()),
    ];
    let built = (name, value, attributes())
        .prop_map(|(name, value, attributes)| format!("{name}={value}{attributes}"));
    prop_oneof![4 => built, 1 => anything()]
}

fn attributes() -> impl Strategy<Value = String> {
    let attribute = prop_oneof![
        Just("; Path=/".to_owned()),
        Just("; Domain=.Example.com".to_owned()),
        Just("; Max-Age=0".to_owned()),
        Just("; Max-Age=99999999999999999999".to_owned()),
        Just("; Expires=Thu, 01 Jan 1970 00:00:00 GMT".to_owned()),
        Just(";;Partitioned".to_owned()),
        "; ?[A-Za-z-]{0,10} ?(= ?[ -:<-~é]{0,20})?",
        "; [Ee]xpires=[A-Za-z0-9:, -]{0,30}",
        "; [Mm]ax-[Aa]ge=-?[0-9]{0,25}",
    ];
    prop::collection::vec(attribute, 0..5).prop_map(|attributes| attributes.concat())
}

fn name_of(set_cookie: &str) -> Option<&str> {
    let (name, _) = set_cookie.split(';').next()?.split_once('=')?;
    Some(name.trim_matches([' ', '\t']))
}

fn both() -> Gate {
    gate(pinned(), [session_rule(), wrapped_rule()])
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn other_cookies_and_the_order_stay_to_the_byte(headers in prop::collection::vec(set_cookie(), 0..6)) {
        let answer = both().response(&headers, &Default::default(), &page(), NOW * 1000);
        let sent = answer.set_cookies.unwrap_or_else(|| headers.clone());
        let mut rest = sent.iter().peekable();
        for header in &headers {
            let managed = name_of(header).filter(|name| NAMES.contains(name));
            let found = rest.next();
            match managed {
                None => prop_assert_eq!(found, Some(header)),
                Some(name) => {
                    let found = found.unwrap();
                    prop_assert_eq!(name_of(found), Some(name));
                    let tail = |header: &str| header.find(';').map(|at| header[at..].to_owned());
                    prop_assert_eq!(tail(found), tail(header));
                    // a deletion of the same cookie may follow it
                    rest.next_if(|next| next.starts_with(&format!("{name}=; ")) && next.ends_with("; Max-Age=0"));
                }
            }
        }
        prop_assert_eq!(rest.next(), None);
    }

    #[test]
    fn observe_never_changes_a_response(
        header in header(),
        headers in prop::collection::vec(set_cookie(), 0..6),
    ) {
        let keys = json!({"current": "ORIGIN", "fallbacks": ["OLD", "NEW"], "origin": "ORIGIN"});
        let gate = gate_of(with(config(keys, [session_rule()]), json!({"mode": "observe"})));
        let judged = judge(&gate, &header);
        let answer = gate.response(&headers, &judged.pending, &page(), NOW * 1000);
        prop_assert_eq!((answer.set_cookies, answer.private), (None, false));
    }

    #[test]
    fn no_response_panics(
        header in prop_oneof![header(), anything()],
        headers in prop::collection::vec(prop_oneof![set_cookie(), anything()], 0..6),
        now in any::<u64>(),
        status in any::<u16>(),
        cache_control in anything(),
        rule_attributes in "((Path=/?[a-z]{0,5}|Domain=[a-z.]{0,9}|Max-Age=[1-9][0-9]{0,25}|max-age=x|Expires=[ -:<-~]{0,20}|SECURE|Partitioned|); ?){0,6}",
        upgrade in prop::sample::select(vec!["always", "never"]),
    ) {
        // where upgrades are sent, a Path is needed and no Expires may stand there
        let rule_attributes = match upgrade {
            "never" => rule_attributes,
            _ => rule_attributes.replace("Expires", "SameSite") + "; Path=/",
        };
        let attributes = json!({"attributes": rule_attributes, "upgrade": upgrade});
        let rules = [with(session_rule(), attributes), wrapped_rule()];
        let gate = gate(pinned(), rules);
        let decision = gate.request(Some(&header), &page(), now).unwrap();
        let page = page().status(status).answered("cache-control", &cache_control);
        gate.response(&headers, &decision.pending, &page, now);
        gate.response(&headers, &decision.pending, &page, 0);
    }

    #[test]
    fn what_is_sealed_for_a_browser_comes_back_to_the_origin_as_it_was(number in 0..1_000_000_000u64) {
        let gate = both();
        let set = format!("sessionid={}; {ATTRIBUTES}", session_at("ORIGIN", number));
        let sealed = answer(&gate, &[&set]).set_cookies.unwrap();
        let held = sealed[0].split(';').next().unwrap();
        prop_assert_eq!(forwarded(&gate, held).unwrap(), set.split(';').next().unwrap());
    }
}
