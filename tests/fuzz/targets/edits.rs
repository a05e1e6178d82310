#![no_main]

use countersign_fuzz::edits::{EditCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: EditCase| check(&case));
