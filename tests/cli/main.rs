//! The command line as a user sees it: each `.trycmd` file is a session, `NAME.in` the folder it starts in,
//! `NAME.out` what it leaves there. `TRYCMD=overwrite cargo test --test cli` writes them anew.
//!
//! `recorder/wrangler` stands in for wrangler: it writes what it is told into `recorded.txt`, and never a secret.
//! A live Worker and Cloudflare's API are served from here.

use std::env;
use std::path::Path;

mod alike;
mod pages;
mod server;

/// The time for the command line and the live Worker, whatever the day: 2026-11-21 12:00 UTC.
const NOW: u64 = 1_795_262_400;

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "the clock of a release build cannot be set"
)]
fn sessions() {
    let recorder =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/cli/recorder");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [recorder].into_iter().chain(env::split_paths(&path));
    let path = env::join_paths(path).unwrap();
    let site = server::start();
    let sessions = || {
        let cases = trycmd::TestCases::new();
        cases
            .env("PATH", path.to_str().unwrap())
            .env("COUNTERSIGN_NOW", NOW.to_string())
            .env("COUNTERSIGN_TOKEN", server::TOKEN)
            .env("COUNTERSIGN_TEST_NO_PAUSE", "1")
            .env("COUNTERSIGN_URL", &site)
            .env("CLOUDFLARE_API_TOKEN", "cloudflare")
            .env("CLOUDFLARE_API_BASE_URL", format!("{site}/client/v4"))
            .insert_var("[SITE]", site.clone())
            .unwrap();
        cases
    };
    sessions()
        .env("HTTP_PROXY", pages::start())
        .env(
            "COUNTERSIGN_WORKER",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cli/worker"),
        )
        .case("../../tests/cli/*.trycmd");
    // what is set here would overrule where these say that the Worker comes from
    sessions().case("../../tests/cli/upgrade/*.trycmd");
}
