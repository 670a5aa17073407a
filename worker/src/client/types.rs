//! The values that a client gives and takes, in the shape that the door has them. No behaviour beyond what a field can tell.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// The answer to an enqueue: the task is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Enqueued {
    pub id: u64,
    /// The name was taken by this same task before: nothing was added.
    pub existing: bool,
    /// The unique name; the client makes one when the task has none.
    #[serde(skip)]
    pub name: String,
}

/// The answer to a cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelled {
    Cancelled,
    /// It runs, and is cancelled once its processes are gone.
    Stopping,
    /// It had ended before: `already` and its state.
    Already(String),
}

/// Which tasks a list has; what is left out excludes none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub state: Option<String>,
    pub kind: Option<String>,
    pub queue: Option<String>,
}

/// A task as it stands. Times are RFC 3339 in UTC. In a list there are no `args`, `result`, `spent` and `attempts`: ask for the
/// task to have them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TaskInfo {
    pub id: u64,
    pub kind: String,
    pub queue: String,
    /// `blocked`, `scheduled`, `available`, `running`, `retryable`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Why it is failed: `attempts`, `crashes`, `rejected`, `too_many_runs` or `budget`.
    pub reason: Option<String>,
    pub name: Option<String>,
    /// -100 to 100, lower runs first.
    pub priority: i8,
    /// It runs, and is cancelled once its processes are gone.
    pub cancelling: bool,
    pub created_at: String,
    /// When a scheduled or retryable task becomes available.
    pub due_at: Option<String>,
    /// Of a running task.
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    /// From available to running, before the last run.
    pub wait_ms: Option<i64>,
    /// Of the last run.
    pub run_ms: Option<i64>,
    /// Runs that ended by their own doing.
    pub runs: u32,
    /// Ends in an error or timeout.
    pub attempts_spent: u32,
    /// Ends by the death of the worker or of the command.
    pub crashes_spent: u32,
    pub progress: Option<TaskProgress>,
    /// A preview: long ones are cut.
    #[serde(default)]
    pub args: Value,
    #[serde(default)]
    pub result: Value,
    /// `result` is only the last part of what there was.
    #[serde(default)]
    pub result_cut: bool,
    /// Amounts by unit, in all its runs.
    #[serde(default)]
    pub spent: BTreeMap<String, u64>,
    /// Limits per key and fair turns go by it.
    #[serde(default)]
    pub key: Option<String>,
    /// By unit: what its start is charged. Not in a list, nor is `budget`.
    #[serde(default)]
    pub cost: BTreeMap<String, u32>,
    /// By unit: what its runs may spend, and have spent.
    #[serde(default)]
    pub budget: BTreeMap<String, Budget>,
    /// Oldest first. A first run that succeeded is not among them.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Budget {
    pub amount: i64,
    pub spent: i64,
}

/// How a queue is paused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    /// Only the tasks of this key.
    pub key: Option<String>,
    /// After which tasks start again by themselves; 1 ms to ten years. Without it, until it is resumed.
    pub time: Option<Duration>,
    /// For people.
    pub reason: String,
}

/// Why a task or a queue waits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Explanation {
    /// For people, with figures.
    pub sentence: String,
    /// All that is waited for, in the order in which it is met.
    pub holds: Vec<Hold>,
    /// The figures, such as `before`, `earliest_at` and `about_ms` of a task, `keys` and `held_tasks` of a queue.
    #[serde(flatten)]
    pub figures: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hold {
    /// `due`, `key_paused`, `key_limit`, `queue_paused`, `queue_limit`, `rate`, `no_pool` or `pool`; where one thing holds all of
    /// its pools, `memory`, `quiet`, `broken` or `no_workers`.
    pub by: String,
    /// For people.
    pub text: String,
    /// When it is over by itself, RFC 3339 in UTC.
    pub until: Option<String>,
}

impl TaskInfo {
    pub fn is_final(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "failed" | "cancelled")
    }
}

/// What a running task has told last.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TaskProgress {
    pub done: Option<f64>,
    pub total: Option<f64>,
    pub message: Option<String>,
    pub at: String,
}

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    /// Numbers the runs of the task, from 1.
    pub run: u64,
    /// `ok`, `error`, `timeout`, `oom`, `signal`, `exit`, `protocol`, `lost`, `cancelled` or `recalled`.
    pub outcome: String,
    pub detail: String,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub run_ms: i64,
    pub peak_rss_bytes: Option<i64>,
    /// The last part of what it printed.
    pub output: String,
}

/// One line of a task's log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    pub run: Option<u64>,
    pub at: String,
    /// `output` is what was printed, `log` came through the library, `supervisor` is said about the run.
    pub source: String,
    pub level: Option<String>,
    pub text: String,
}
