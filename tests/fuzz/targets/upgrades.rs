#![no_main]

use countersign_fuzz::exchange::{UpgradeCase, check_upgrade};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: UpgradeCase| check_upgrade(&case));
