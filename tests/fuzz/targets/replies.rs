#![no_main]

use countersign_fuzz::replies::{RepliesCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: RepliesCase| check(&case));
