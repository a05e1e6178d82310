//! What holds for value and signature in two cookies, whatever else a request shows.

use countersign_core::crypto::{Digest, Mac};
use countersign_core::gate::Gate;
use countersign_core::wire::encoding::base64url;
use proptest::prelude::*;
use serde_json::json;

use crate::cases;
use crate::support::*;

fn sig(key_name: &str, value: &str) -> String {
    let text = format!("sess={value}");
    base64url(&Mac::new(Digest::Sha1, key(key_name).as_bytes()).sign(&[text.as_bytes()]))
}

fn keygrip() -> Gate {
    let rule = json!({"name": "sess", "format": "keygrip", "attributes": ATTRIBUTES});
    gate(pinned(), [rule])
}

/// Pieces of a header: good and forged values and signatures, look-alikes of both names, and noise.
fn piece() -> impl Strategy<Value = String> {
    let value = prop_oneof![Just("good"), Just("evil"), Just("\"good\""), Just("")];
    let signer = prop_oneof![Just("NEW"), Just("OLD"), Just("ORIGIN"), Just("STRANGER")];
    let signed = prop_oneof![Just("good"), Just("evil")];
    prop_oneof![
        value.prop_map(|value| format!("sess={value}")),
        (signer, signed).prop_map(|(signer, value)| match (signer, value) {
            // nobody who may sign has signed it
            (_, "evil") => format!("sess.sig={}", sig("STRANGER", "evil")),
            (signer, value) => format!("sess.sig={}", sig(signer, value)),
        }),
        "(SESS|sess[_.]sig|%73ess|sess%2Esig)=[a-z\",]{0,4}",
        "[ -~]{0,12}",
    ]
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_pair_reaches_the_origin_but_the_signed_one_with_the_origins_signature(
        pieces in prop::collection::vec(piece(), 0..8), between in prop_oneof![Just(";"), Just("; ")],
    ) {
        let header = pieces.join(between);
        let sent = forwarded(&keygrip(), &header).unwrap_or_default();
        let (mut values, mut signatures) = (0, 0);
        for pair in sent.split(';') {
            match pair.trim_start_matches([' ', '\t']).split_once('=') {
                Some(("sess", value)) => {
                    prop_assert_eq!(value, "good", "{} for {}", sent, header);
                    values += 1;
                }
                Some(("sess.sig", value)) => {
                    prop_assert_eq!(value, sig("ORIGIN", "good"), "{} for {}", sent, header);
                    signatures += 1;
                }
                _ => {}
            }
        }
        prop_assert_eq!(values, signatures, "{} for {}", sent, header);
    }
}
