//! What must hold of every response, with the request before it.

use arbitrary::Arbitrary;

use crate::message::{ManagedCookie, Pair, another_visitor, header};
use crate::request;
use crate::response::{self, ResponseCase};
use crate::site::{Role, pinned, with_logouts};

/// A request and the response to it.
#[derive(Arbitrary, Debug)]
pub struct ExchangeCase {
    pairs: Vec<(Pair, u8)>,
    response: ResponseCase,
}

/// A request with a cookie that a fallback signed, of which an upgrade is due but for what the response says.
#[derive(Arbitrary, Debug)]
pub struct UpgradeCase {
    rule: u8,
    payload: u8,
    /// A cookie for each.
    times: [u8; 2],
    copies: u8,
    /// How many Set-Cookie headers count.
    lines: u8,
    /// The attributes with which the site sets the same cookie again, if it does.
    again: Option<u8>,
    response: ResponseCase,
}

impl UpgradeCase {
    fn exchange(&self) -> ExchangeCase {
        let copies = 1 + usize::from(self.copies % 8 == 7);
        let cookies = self.times[..copies]
            .iter()
            .map(|time| ManagedCookie::genuine(self.rule, Role::Fallback, self.payload, *time));
        let pairs = cookies.map(|cookie| (Pair::Managed(cookie), 0)).collect();
        let response = self
            .response
            .with_few_lines(usize::from(self.lines % 4).saturating_sub(1));
        let response = response.and_one_thing(self.copies / 8 % 8);
        let response = match self.again {
            Some(attributes) => {
                let same =
                    ManagedCookie::genuine(self.rule, Role::Origin, self.payload, self.times[0]);
                response.and_sets(same, attributes)
            }
            None => response,
        };
        ExchangeCase { pairs, response }
    }
}

/// Judges both, and holds every rule against what comes of it.
pub fn check(case: &ExchangeCase) {
    another_visitor();
    let header = header(&case.pairs);
    // a rule is told by its place, which is the same in every gate
    let pending = request::decide(pinned(), &header, case.response.head).pending;
    response::judge(&case.response, &pending, &header);
}

/// The same where an upgrade is near.
pub fn check_upgrade(case: &UpgradeCase) {
    check(&case.exchange());
}

/// The same request twice: the second is answered with a logout, and then the first.
pub fn check_logout(case: &ExchangeCase) {
    another_visitor();
    let header = header(&case.pairs);
    let gate = with_logouts();
    let ask = || request::decide(gate, &header, case.response.head).pending;
    let (first, second) = (ask(), ask());
    response::log_out(gate, &case.response, &second);
    response::brings_nothing_back(gate, &case.response, &first, &header);
}
