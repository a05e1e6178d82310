//! What the checks look at.

use serde_json::Value;

use super::reading::Reading;
use crate::project::config::Environment;
use crate::project::dev_vars::DevVars;

/// What the checks look at.
pub struct Inputs<'c> {
    pub environment: Environment<'c>,
    /// The variable COUNTERSIGN.
    pub value: Value,
    pub reading: Reading,
    pub dev_vars: Option<DevVars>,
    /// Unix seconds.
    pub now: u64,
}
