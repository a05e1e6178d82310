//! What the checks look at.

use countersign_core::config::written::Written;
use serde_json::Value;

use crate::project::config::Environment;
use crate::project::dev_vars::DevVars;

/// What the checks look at.
pub struct Inputs<'c> {
    pub environment: Environment<'c>,
    /// The variable COUNTERSIGN.
    pub value: &'c Value,
    /// The same, read as far as it can be.
    pub written: Written<'c>,
    pub dev_vars: Option<DevVars>,
    /// Unix seconds.
    pub now: u64,
}
