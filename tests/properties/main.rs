//! What holds for arbitrary input, whatever the rules say of it in particular.

#[allow(dead_code, reason = "shared with the tests of the rules")]
#[path = "../rules/django.rs"]
mod django;
#[allow(dead_code, reason = "shared with the tests of the rules")]
#[path = "../rules/support.rs"]
mod support;

mod chunks;
mod compatibility;
mod configurations;
mod every_format;
mod first_day;
mod formats;
mod glances;
mod headers;
mod pairs;
mod parsers;
mod requests;
mod responses;

/// So many cases, or as many as `PROPTEST_CASES` says, and no file of past failures: a failure becomes a
/// test of its rule.
pub fn cases(usual: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    proptest::test_runner::Config {
        cases: asked.and_then(|text| text.parse().ok()).unwrap_or(usual),
        failure_persistence: None,
        ..Default::default()
    }
}
