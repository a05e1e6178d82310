//! The rules of the gate, each by its number. What is expected here follows from the rules' own words
//! and from a signer of the tests' own, never from the code under test.

mod django;
mod jwt;
mod support;
#[path = "../bench/worst.rs"]
mod worst;

mod b1_observe_changes_nothing;
mod b3_reports_name_no_secret;
mod b4_headers_kept_from_the_origin;
mod b4_hosts_under_workers_dev;
mod c1_separation;
mod c2_observe_is_no_off_switch;
mod c3_strength;
mod c4_names_too_much_alike;
mod chunks;
mod compatibility;
mod configuration;
mod configuration_keys;
mod configuration_rules;
mod configuration_schema;
mod inspection;
mod laundering;
mod ledger;
mod pairs;
mod peers;
mod r1_unmanaged_cookies;
mod r2_the_order_of_keys;
mod r3_sealed_for_the_origin;
mod r4_what_does_not_verify;
mod r5_several_cookies_of_one_name;
mod r6_bounded_work;
mod r7_look_alikes;
mod r7_verified_values;
mod s1_untouched_responses;
mod s2_what_the_origin_sets;
mod s3_deletions;
mod s4_what_no_origin_key_verifies;
mod s5_upgrades;
mod s6_cookies_that_browsers_drop;
mod sealed;
mod signer;
mod status;
mod times;
mod topologies;
