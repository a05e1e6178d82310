#![no_main]

use countersign_fuzz::exchange::{ExchangeCase, check_logout};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: ExchangeCase| check_logout(&case));
