//! What the sites share: the key from the environment, and the first line that says version and address.

use std::env;
use std::net::TcpListener;

/// The secret's bytes, which the environment gives in base64.
pub fn secret() -> Vec<u8> {
    use base64::Engine as _;
    let text = env::var("ORIGIN_KEY").expect("ORIGIN_KEY");
    base64::prelude::BASE64_STANDARD
        .decode(text)
        .expect("base64")
}

/// How long the cookie is to last, in seconds, where that is said.
pub fn lifetime() -> Option<i64> {
    env::var("LIFETIME").ok()?.parse().ok()
}

/// A free port, which the first line names after the framework.
pub fn announced(framework: &str) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener
        .set_nonblocking(true)
        .expect("a socket of this process");
    println!(
        "{framework} http://{}",
        listener.local_addr().expect("an address")
    );
    listener
}
