#![no_main]

use countersign_fuzz::request::{RequestCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: RequestCase| check(&case));
