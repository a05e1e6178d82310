//! What stands elsewhere: wrangler, the live Worker, Cloudflare's API.

pub mod arrival;
pub mod cloudflare;
pub mod deploy;
pub mod figures;
pub mod forecast;
pub mod hindrance;
pub mod http;
pub mod ledger;
pub mod live;
pub mod page;
pub mod replies;
pub mod skew;
pub mod usage;
pub mod wrangler;
