#![no_main]

use countersign_fuzz::response::{ResponseCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: ResponseCase| check(&case));
