#![no_main]

use countersign_fuzz::status_reply::{ReplyCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: ReplyCase| check(&case));
