//! What stands in headers: cookies, the look-alikes of their names, and how bytes become cookie text.

pub mod calendar;
pub mod chunks;
pub mod cookie;
pub mod encoding;
pub mod forwarding;
pub mod json;
pub mod look_alike;
pub mod rule_index;
