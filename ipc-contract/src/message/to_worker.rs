//! What the supervisor sends: the closed list of its messages, and the bodies that say what to do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::start::one;
use super::{Ack, Reject, RunRef, Welcome};
use crate::bounded;
use crate::payload::Payload;

/// From the supervisor to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToWorker {
    Welcome(Welcome),
    Reject(Reject),
    Run(Run),
    Stop(Stop),
    Ack(Ack),
}

/// Run a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub task: u64,
    pub epoch: u64,
    pub kind: String,
    /// The task's input.
    #[serde(default)]
    pub args: Payload,
    /// 1 in the first run.
    #[serde(default = "one")]
    pub attempt: u32,
    /// The same in all runs of a task: the idempotency key of effects outside.
    #[serde(default)]
    pub effect_key: String,
    /// Time until the run is stopped; absent means no limit.
    #[serde(default)]
    pub time_left_ms: Option<u64>,
    /// What earlier runs of the task saved, by the name of the step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "bounded::steps")]
    pub steps: BTreeMap<String, Payload>,
    /// The last checkpoint of an earlier run.
    #[serde(default, skip_serializing_if = "Payload::is_nothing")]
    pub checkpoint: Payload,
    /// The facts that the task was told, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "bounded::facts_told")]
    pub facts: BTreeMap<String, Payload>,
}

/// Stop one run, or (without `run`) the worker: finish what runs, give back what has not started, say `bye`, exit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    #[serde(default)]
    pub run: Option<RunRef>,
    pub reason: StopReason,
    /// Time until the worker is killed.
    pub grace_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    Cancel,
    Timeout,
    Shutdown,
    Scaling,
    Recycling,
    Reload,
    Sibling,
    Budget,
    Memory,
    Recall,
    /// A reason that this version does not know: obey it all the same.
    #[serde(other)]
    Unknown,
}
