#![no_main]

use countersign_fuzz::bounds::{BoundsCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: BoundsCase| check(&case));
