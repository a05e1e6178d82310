#![no_main]

use countersign_fuzz::dev_vars::{DevVarsCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: DevVarsCase| check(&case));
