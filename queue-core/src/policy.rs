//! What the configuration says of kinds and pools, in the form that decisions need. Values only.

use std::collections::BTreeMap;

use crate::retry::Backoff;
use crate::task::Overrides;

pub const MAX_ATTEMPTS_DEFAULT: u32 = 5;
pub const MAX_CRASHES_DEFAULT: u32 = 3;

/// What a run may cost: resolved from task, kind and built-in values, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub timeout_ms: Option<i64>,
    pub max_attempts: u32,
    pub max_crashes: u32,
    pub backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout_ms: None,
            max_attempts: MAX_ATTEMPTS_DEFAULT,
            max_crashes: MAX_CRASHES_DEFAULT,
            backoff: Backoff::default(),
        }
    }
}

impl Limits {
    /// With what a caller says of one task.
    pub fn with(self, of_task: Overrides) -> Limits {
        Limits {
            timeout_ms: of_task.timeout_ms.or(self.timeout_ms),
            max_attempts: of_task.max_attempts.unwrap_or(self.max_attempts),
            max_crashes: of_task.max_crashes.unwrap_or(self.max_crashes),
            backoff: self.backoff,
        }
    }
}

/// A pool as the queue sees it: a name, and the queues that it serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolPolicy {
    pub name: String,
    pub queues: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    pub kinds: BTreeMap<String, Limits>,
    pub pools: Vec<PoolPolicy>,
}

impl Policies {
    pub fn limits(&self, kind: &str, of_task: Overrides) -> Limits {
        self.kinds.get(kind).copied().unwrap_or_default().with(of_task)
    }
}
