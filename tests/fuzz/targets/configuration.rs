#![no_main]

use countersign_fuzz::configuration::{ConfigurationCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: ConfigurationCase| check(&case));
