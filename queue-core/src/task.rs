//! What a task is: ids, the body that a caller gives, what a run may cost, how a run ended. No state (`state`), no rows (`store`).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::priority::TaskPriority;

/// The number of a task in its database; never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub i64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a worker process in its database; never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub i64);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of a pool in [`crate::policy::Policies::pools`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub usize);

/// The two clocks of a turn, both in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since 1970; may step.
    pub wall_us: i64,
    /// Since an arbitrary moment of this process; never goes back.
    pub mono_us: i64,
}

/// A task to be, checked and routed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTask {
    pub kind: String,
    pub queue: String,
    pub priority: TaskPriority,
    /// MessagePack, opaque here.
    pub args: Vec<u8>,
    /// Unique in the database until the task is pruned.
    pub name: Option<String>,
    /// Fairness and limits per key go by it; not empty.
    pub key: Option<String>,
    /// What its start is charged on the meters of its queue, by unit; a unit that is absent goes by its meter.
    pub cost: BTreeMap<String, u32>,
    /// What all its runs may spend, by unit: more ends the task as failed.
    pub budget: BTreeMap<String, i64>,
    /// Zero means available at once.
    pub delay_us: i64,
    pub overrides: Overrides,
}

/// What a caller says of this one task; absent means by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    pub timeout_ms: Option<i64>,
    pub max_attempts: Option<u32>,
    pub max_crashes: Option<u32>,
}

/// What a task has spent. `epoch` numbers its runs and fences them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub epoch: i64,
    /// Runs that ended by their own doing; given-back ones are not counted.
    pub runs: u32,
    /// Ends by `error` or `timeout`.
    pub attempts: u32,
    /// Ends by `oom`, `signal`, `exit` or `protocol`, and every fifth `lost` in a row.
    pub crashes: u32,
    /// Ends by `lost` since the last end of another kind.
    pub lost: u32,
}

/// What a run says of itself while it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    /// Replaces what was said before; absent means nothing new.
    pub progress: Option<Progress>,
    /// By unit, in addition to what was spent before; 1 and more each.
    pub spend: BTreeMap<String, i64>,
    /// The number of a note that spends; it is told back once it is kept.
    pub seq: Option<u64>,
}

/// How far a run is: `done` of `total`, in units of the handler's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub done: Option<f64>,
    pub total: Option<f64>,
    pub message: Option<String>,
}

/// What is new in the log of a run, as opaque bytes: parts in order, numbered from 0. A part that is there is replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogParts {
    pub parts: Vec<(i64, Vec<u8>)>,
    /// Older parts that fall out of the middle.
    pub dropped: Range<i64>,
}

/// How one run ended, apart from where that leaves the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// The handler said so, or a command left with a non-zero code.
    Error,
    Timeout,
    Oom,
    /// The worker or its command died by a signal.
    Signal,
    /// The worker left in the middle of the run.
    Exit,
    /// The worker broke the contract.
    Protocol,
    /// Nobody knows, and the task is not to blame: the supervisor itself died, or the worker left in order without an answer.
    Lost,
    Cancelled,
    /// Stopped because the task had spent more than its budget.
    Budget,
    /// Stopped for a reason outside of the task: spends nothing.
    Recalled,
}

impl Outcome {
    pub const ALL: [Outcome; 11] = [
        Outcome::Ok,
        Outcome::Error,
        Outcome::Timeout,
        Outcome::Oom,
        Outcome::Signal,
        Outcome::Exit,
        Outcome::Protocol,
        Outcome::Lost,
        Outcome::Cancelled,
        Outcome::Budget,
        Outcome::Recalled,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Error => "error",
            Outcome::Timeout => "timeout",
            Outcome::Oom => "oom",
            Outcome::Signal => "signal",
            Outcome::Exit => "exit",
            Outcome::Protocol => "protocol",
            Outcome::Lost => "lost",
            Outcome::Cancelled => "cancelled",
            Outcome::Budget => "budget",
            Outcome::Recalled => "recalled",
        }
    }
}

/// When a failed run may be tried again, by the word of its handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryWish {
    #[default]
    ByPolicy,
    AfterMs(u64),
    Never,
}

/// For whom a wish to wait is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryScope {
    #[default]
    Task,
    /// Nothing of the same key starts until then; of a task without a key, that task.
    Key,
    /// Nothing of the queue starts until then.
    Queue,
}

/// Everything that is kept of the end of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub outcome: Outcome,
    pub retry: RetryWish,
    /// Of a wish to be tried again after some time.
    pub scope: RetryScope,
    /// A sentence for people: the error, or what happened to the process.
    pub detail: String,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub peak_rss_bytes: Option<i64>,
    pub cpu_ms: Option<i64>,
    /// By the monotonic clock.
    pub run_us: i64,
    pub worker: Option<WorkerId>,
    pub pid: Option<i32>,
    /// The last part of what the run printed.
    pub output: Vec<u8>,
    /// MessagePack; only of `Ok`. Empty means nothing.
    pub result: Vec<u8>,
    /// `result` is only the last part of what there was.
    pub cut: bool,
    /// Tasks that come to be with the result, or not at all; only of `Ok`.
    pub follow_ups: Vec<NewTask>,
}

impl Ending {
    /// An end of which nothing more is known than its outcome and a sentence.
    pub fn bare(outcome: Outcome, detail: impl Into<String>) -> Ending {
        Ending {
            outcome,
            retry: RetryWish::ByPolicy,
            scope: RetryScope::Task,
            detail: detail.into(),
            code: None,
            signal: None,
            peak_rss_bytes: None,
            cpu_ms: None,
            run_us: 0,
            worker: None,
            pid: None,
            output: Vec::new(),
            result: Vec::new(),
            cut: false,
            follow_ups: Vec::new(),
        }
    }

    /// What becomes of a good end whose follow-up at `index`, of `count`, cannot be: the run has failed for good, and
    /// nothing that it brought is kept.
    pub fn refused(self, index: usize, count: usize, why: impl fmt::Display) -> Ending {
        Ending {
            outcome: Outcome::Error,
            retry: RetryWish::Never,
            detail: format!("follow-up {} of {count}: {why}", index + 1),
            result: Vec::new(),
            cut: false,
            follow_ups: Vec::new(),
            ..self
        }
    }
}
