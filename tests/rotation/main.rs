//! A rotation, a leak and a way out as an operator sees them: each `.trycmd` file is a session, `NAME.in` the
//! folder it starts in, `NAME.out` what it leaves there, byte for byte.
//!
//! `recorder` holds stand-ins for wrangler and git: they write what they are told into `recorded.txt`, and of
//! a secret only how long it was; the secrets themselves go to the live Worker. The live Worker is the core itself, with the configuration that the token
//! in a session's environment names: `live/NAME.json`. Behind a `+` it names a ledger of `ledger.rs`.

use std::env;
use std::path::Path;

mod ledger;
mod night;
mod server;
mod writing;
mod year;

/// The time for the command line and the live Worker, whatever the day: 2026-11-21 12:00 UTC.
const NOW: u64 = 1_795_262_400;

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn sessions() {
    let recorder =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/rotation/recorder");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [recorder].into_iter().chain(env::split_paths(&path));
    let path = env::join_paths(path).unwrap();
    let told = env::temp_dir().join(format!("countersign-rotation-{}", std::process::id()));
    let site = server::start(told.clone());
    let cases = trycmd::TestCases::new();
    cases
        .env("PATH", path.to_str().unwrap())
        .env("COUNTERSIGN_NOW", NOW.to_string())
        .env("COUNTERSIGN_URL", &site)
        .env("TOLD", told.to_str().unwrap())
        .env("COUNTERSIGN_TEST_NO_PAUSE", "1")
        .env("CLOUDFLARE_ACCOUNT_ID", "account")
        .env("CLOUDFLARE_API_BASE_URL", format!("{site}/client/v4"))
        .insert_var("[SITE]", site)
        .unwrap()
        .case("../../tests/rotation/*.trycmd");
    drop(cases); // it runs them
    let _ = std::fs::remove_dir_all(told);
}
