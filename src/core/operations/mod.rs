//! What operators see: reports, the ledger, the status endpoint, and what a change of the configuration would lose.

pub mod capabilities;
pub mod compatibility;
pub mod ledger;
pub mod report;
pub mod status;
pub mod status_reply;
