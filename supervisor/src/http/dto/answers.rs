//! What became of a request. Values only.

use queue_core::store::Finding;
use serde::{Deserialize, Serialize};

/// The answer to an enqueue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueued {
    pub id: i64,
    /// The name was taken by this same task before: nothing was added.
    pub existing: bool,
}

/// The answer to a bulk: one for each of its tasks, in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnqueuedAll {
    pub tasks: Vec<Enqueued>,
}

/// The answer to a cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    pub id: i64,
    /// `cancelled`; `stopping`: it runs and is cancelled once its processes are gone; or `already` and a final state.
    pub outcome: String,
}

/// The answer to a retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    pub id: i64,
    /// `available`.
    pub outcome: String,
}

/// The answer to a new priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reprioritised {
    pub id: i64,
    /// -100 to 100, lower runs first.
    pub priority: i8,
}

/// The answer to a pause, and to its end: whether the queue, or a key of it, starts tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueGate {
    pub queue: String,
    pub key: Option<String>,
    pub is_paused: bool,
    /// When it starts tasks again by itself.
    pub paused_until: Option<String>,
}

/// The answer to a reload, once it is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// One line for each change; none when nothing has changed.
    pub changes: Vec<String>,
}

/// What `doctor` found; nothing is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    pub findings: Vec<Breach>,
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub rule: String,
    pub detail: String,
}

impl Examination {
    pub fn of(findings: impl IntoIterator<Item = Finding>) -> Examination {
        let breach = |finding: Finding| Breach { rule: finding.rule.to_owned(), detail: finding.detail };
        Examination { findings: findings.into_iter().map(breach).collect() }
    }
}
