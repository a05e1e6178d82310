//! A little signer of JSON Web Tokens (RFC 7515), so that the code under test is not its own oracle.

use crate::django::{Hash, base64url};
use crate::support::key;

/// A token of HS256 with these claims, as they stand.
pub fn token(key_name: &str, claims: &str) -> String {
    let header = base64url(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", base64url(claims));
    let tag = Hash::Sha256.hmac(key(key_name).as_bytes(), signed.as_bytes());
    format!("{signed}.{}", base64url(tag))
}
