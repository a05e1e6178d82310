//! What must hold of every response, with the request before it.

use arbitrary::Arbitrary;

use crate::message::{Pair, header};
use crate::request;
use crate::response::{self, ResponseCase};
use crate::site::{pinned, with_logouts};

/// A request and the response to it.
#[derive(Arbitrary, Debug)]
pub struct ExchangeCase {
    pairs: Vec<(Pair, u8)>,
    response: ResponseCase,
}

/// Judges both, and holds every rule against what comes of it.
pub fn check(case: &ExchangeCase) {
    let header = header(&case.pairs);
    // a rule is told by its place, which is the same in every gate
    let pending = request::decide(pinned(), &header, case.response.is_page).pending;
    response::judge(&case.response, &pending, &header);
}

/// The same request twice: the second is answered with a logout, and then the first.
pub fn check_logout(case: &ExchangeCase) {
    let header = header(&case.pairs);
    let gate = with_logouts();
    let ask = || request::decide(gate, &header, case.response.is_page).pending;
    let (first, second) = (ask(), ask());
    response::log_out(gate, &case.response, &second);
    response::brings_nothing_back(gate, &case.response, &first, &header);
}
