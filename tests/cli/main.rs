//! The command line as a user sees it: each `.trycmd` file is a session, `NAME.in` the folder it starts in,
//! `NAME.out` what it leaves there. `TRYCMD=overwrite cargo test --test cli` writes them anew.
//!
//! `recorder/wrangler` stands in for wrangler: it writes what it is told into `recorded.txt`, and never a secret.

use std::env;
use std::path::Path;

#[test]
fn sessions() {
    let recorder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/recorder");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [recorder].into_iter().chain(env::split_paths(&path));
    let path = env::join_paths(path).unwrap();
    trycmd::TestCases::new()
        .env("PATH", path.to_str().unwrap())
        .case("tests/cli/*.trycmd");
}
