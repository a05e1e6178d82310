//! B4: what a visitor says of host, address or path does not reach an origin that learns of them from headers, in no
//! spelling that a server could take for another.

use countersign_core::wire::forwarding::{Screen, other_spellings};

const WITH_URL: Screen<'_> = Screen {
    has_origin_url: true,
    origin_header: None,
    visitor: Some("203.0.113.7"),
};

fn drops(screen: Screen<'_>, name: &str) -> bool {
    screen.drops(name, || Some("203.0.113.9".to_owned()))
}

#[test]
fn with_an_origin_url_what_tells_of_the_visitor_is_dropped() {
    for name in [
        "forwarded",
        "forwarded-for",
        "x-forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-whatever-comes",
        "x-original-forwarded-for",
        "x-host",
        "x-http-host-override",
        "x-original-host",
        "client-ip",
        "fastly-client-ip",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-originating-ip",
        "x-proxyuser-ip",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-original-url",
        "x-rewrite-url",
        "script-name",
        "x-script-name",
        "front-end-https",
        "x-scheme",
        "x-url-scheme",
    ] {
        assert!(drops(WITH_URL, name), "{name}");
        for odd in ["_", ".", "~", "!"] {
            let name = name.replace('-', odd);
            assert!(drops(WITH_URL, &name), "{name}");
            assert!(drops(WITH_URL, &name.to_uppercase()), "{name}");
        }
        if let Some((start, end)) = name.split_once('-') {
            let name = format!("{start}_{end}");
            assert!(drops(WITH_URL, &name), "{name}");
        }
    }
}

#[test]
fn every_other_header_goes_on() {
    for name in [
        "accept",
        "authorization",
        "cf-connecting-ip",
        "cf-ipcountry",
        "cf-ray",
        "cdn-loop",
        "content-type",
        "cookie",
        "host",
        "referer",
        "origin",
        "via",
        "x_csrf_token",
        "x-csrf-token",
        "x-requested-with",
        "x-http-method-override",
        "x-original-filename",
        "x-hosting",
        "x-forwardedx",
        "x-real-ips",
        "xforwardedfor",
        "cfconnecting_ip",
        "",
    ] {
        assert!(!drops(WITH_URL, name), "{name}");
    }
}

#[test]
fn cloudflares_own_headers_pass_in_its_own_spelling_alone() {
    for name in ["cf-connecting-ip", "cf-visitor", "cf-ray", "cdn-loop"] {
        assert!(!drops(WITH_URL, name), "{name}");
        for odd in ["_", ".", "~"] {
            let name = name.replacen('-', odd, 1);
            assert!(drops(WITH_URL, &name), "{name}");
        }
    }
    assert!(drops(WITH_URL, "cf-connecting_ip"));
}

#[test]
fn an_address_that_cloudflare_writes_into_two_headers_stays_where_it_is_the_right_one() {
    for name in ["true-client-ip", "x-real-ip"] {
        let drops = |visitor, value: Option<&str>| {
            let screen = Screen {
                visitor,
                ..WITH_URL
            };
            screen.drops(name, || value.map(str::to_owned))
        };
        assert!(!drops(Some("203.0.113.7"), Some("203.0.113.7")));
        assert!(drops(Some("203.0.113.7"), Some("203.0.113.9")));
        assert!(drops(Some("203.0.113.7"), Some("203.0.113.7, 203.0.113.9")));
        assert!(drops(Some("203.0.113.7"), None));
        assert!(drops(None, Some("203.0.113.7")));
        assert!(drops(None, None));
    }
    let same = || Some("203.0.113.7".to_owned());
    assert!(WITH_URL.drops("x_real_ip", same));
    assert!(WITH_URL.drops("x-client-ip", same));
}

#[test]
fn on_a_zones_route_only_the_header_of_the_edge_is_kept_from_a_visitor() {
    let screen = Screen {
        has_origin_url: false,
        origin_header: Some("X-Edge"),
        visitor: None,
    };
    for name in ["x-edge", "x_edge", "X_EDGE", "x.edge", "X-Edge"] {
        assert!(drops(screen, name), "{name}");
    }
    for name in [
        "x-forwarded-host",
        "x-real-ip",
        "xedge",
        "x-edges",
        "x--edge",
    ] {
        assert!(!drops(screen, name), "{name}");
    }
    let both = Screen {
        has_origin_url: true,
        ..screen
    };
    assert!(drops(both, "x_edge") && drops(both, "x_real_ip"));
}

#[test]
fn the_other_spellings_of_a_name_are_listed_where_they_are_few() {
    let spellings = |name| {
        other_spellings(name).map(|mut all| {
            all.sort();
            all
        })
    };
    assert_eq!(spellings("Edge"), Some(vec![]));
    assert_eq!(spellings("X-Edge"), Some(vec!["x_edge".to_owned()]));
    assert_eq!(spellings("x_edge"), Some(vec!["x-edge".to_owned()]));
    let of_three = ["x-edge_key", "x_edge-key", "x_edge_key"];
    assert_eq!(
        spellings("X-Edge-Key"),
        Some(of_three.map(str::to_owned).into())
    );
    assert_eq!(spellings("a-b-c-d").map(|all| all.len()), Some(7));
    assert_eq!(spellings("a-b-c-d-e"), None);
}
