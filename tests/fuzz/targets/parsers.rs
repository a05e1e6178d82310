#![no_main]

use countersign_fuzz::parsers::{ParserCase, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: ParserCase| check(&case));
