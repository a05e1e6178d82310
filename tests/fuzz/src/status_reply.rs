//! What must hold of what a live Worker is said to answer: any JSON is read or refused in words.

use arbitrary::Arbitrary;
use countersign_core::operations::{
    capabilities::Capabilities, compatibility::losses, status_reply,
};
use serde_json::Value;

/// A reply, whole or with some of it in other places.
#[derive(Arbitrary, Debug)]
pub struct ReplyCase {
    text: String,
    cuts: Vec<(u16, u8)>,
}

const REPLY: &str = r#"{"countersign":"0.1.0","version":{"id":"7b5e"},"now":1800000000,"mode":"enforce","problems":[],
"notes":[],"configuration":{"keys":{"current":"NEW","fallbacks":[{"secret":"OLD","until":"2027-02-01T00:00:00Z"}],
"origin":"ORIGIN"},"cookies":[{"name":"sessionid","format":"django-session","max_age":1209600,
"attributes":"Path=/; HttpOnly"}]},"keys":[{"secret":"NEW","fingerprint":"850436a6"},
{"secret":"OLD","fingerprint":"6bad84f0"},{"secret":"ORIGIN","fingerprint":"0a0b0c0d"}]}"#;

/// Reads it.
pub fn check(case: &ReplyCase) {
    let mut bytes = REPLY.as_bytes().to_vec();
    for (at, byte) in case.cuts.iter().take(8) {
        let at = usize::from(*at) % bytes.len();
        bytes[at] = *byte;
    }
    for text in [
        case.text.clone(),
        String::from_utf8_lossy(&bytes).into_owned(),
    ] {
        let Ok(reply) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        match status_reply::capabilities(&reply) {
            Ok(read) => agrees_with_itself(&read),
            Err(why) => assert!(!why.is_empty(), "refused without a reason: {text}"),
        }
    }
}

fn agrees_with_itself(read: &Capabilities) {
    assert!(losses(read, read, crate::site::NOW).is_empty());
}
