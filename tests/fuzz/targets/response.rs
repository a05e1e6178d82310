#![no_main]

use countersign_fuzz::exchange::{ResponseCase, check_response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: ResponseCase| check_response(&case));
