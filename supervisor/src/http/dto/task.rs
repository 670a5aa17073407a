//! Tasks as they leave: short in a list, whole by themselves. Values only.

use std::collections::BTreeMap;

use ipc_contract::Payload;
use queue_core::policy::Limits;
use queue_core::state::TaskState;
use queue_core::store::{AttemptView, BudgetView, Page, ProgressView, TaskView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::{printable, signal_name, time};

/// A task in a list. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    pub id: i64,
    pub kind: String,
    pub queue: String,
    /// `scheduled`, `available`, `running`, `retryable`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Why it is failed: `attempts`, `crashes`, `rejected`, `too_many_runs` or `budget`.
    pub reason: Option<String>,
    /// -100 to 100, lower runs first.
    pub priority: i8,
    pub name: Option<String>,
    /// Limits per key and fair turns go by it.
    #[serde(default)]
    pub key: Option<String>,
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
    /// Of `max_attempts`: ends in an error or timeout.
    pub attempts_spent: u32,
    /// Of `max_crashes`: ends by the death of the worker or of the command.
    pub crashes_spent: u32,
    pub progress: Option<Progress>,
}

/// What a run has said last of how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Of `total`, in units of the handler's own.
    pub done: Option<f64>,
    pub total: Option<f64>,
    pub message: Option<String>,
    pub at: String,
    /// The epoch of the run that said it.
    pub run: i64,
}

/// A task with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    #[serde(flatten)]
    pub summary: TaskSummary,
    pub timeout_ms: Option<i64>,
    pub max_attempts: u32,
    pub max_crashes: u32,
    /// Runs in a row that ended with the supervisor itself, or with a worker that left in order without an answer.
    pub lost: u32,
    /// Numbers the runs; those given back are counted, too.
    pub epoch: i64,
    /// A preview: long ones are cut.
    pub args: Value,
    /// Whole; null when there is none.
    pub result: Payload,
    /// `result` is only the last part of what there was.
    pub result_cut: bool,
    /// By unit, in all its runs.
    pub spent: BTreeMap<String, i64>,
    /// By unit: what its start is charged where its queue has a rate for the unit.
    #[serde(default)]
    pub cost: BTreeMap<String, u32>,
    /// By unit: what all its runs may spend.
    #[serde(default)]
    pub budget: BTreeMap<String, Budget>,
    /// Oldest first, the last 500 of them. A first run that succeeded is not among them, unless the task was retried since.
    pub attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub amount: i64,
    /// Since the task was enqueued or tried again.
    pub spent: i64,
}

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The epoch of the run.
    pub run: i64,
    /// `ok`, `error`, `timeout`, `oom`, `signal`, `exit`, `protocol`, `lost`, `cancelled`, `budget` or `recalled`.
    pub outcome: String,
    pub detail: String,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub signal_name: Option<String>,
    pub peak_rss_bytes: Option<i64>,
    pub cpu_ms: Option<i64>,
    pub run_ms: i64,
    pub started_at: String,
    pub ended_at: String,
    pub worker: Option<i64>,
    pub pid: Option<i32>,
    /// The last part of what it printed, with control characters escaped.
    pub output: String,
}

/// A page of tasks: it may be short, or empty, and still have a next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskList {
    pub tasks: Vec<TaskSummary>,
    /// The `cursor` of the next page; null at the end.
    pub next: Option<String>,
}

impl TaskSummary {
    pub fn of(view: &TaskView) -> TaskSummary {
        TaskSummary {
            id: view.id.0,
            kind: view.kind.clone(),
            queue: view.queue.clone(),
            state: view.state.name().to_owned(),
            reason: view.reason.map(|reason| reason.name().to_owned()),
            priority: view.priority.get(),
            name: view.name.clone(),
            key: view.key.clone(),
            cancelling: view.cancelling,
            created_at: time(view.created_at_us),
            due_at: view.due_at_us.map(time),
            started_at: view.claimed_at_us.map(time),
            finished_at: view.finished_at_us.map(time),
            wait_ms: view.wait_us.map(millis),
            run_ms: view.run_us.map(millis),
            // A first run that succeeded leaves no tally.
            runs: if view.state == TaskState::Completed { view.tally.runs.max(1) } else { view.tally.runs },
            attempts_spent: view.tally.attempts,
            crashes_spent: view.tally.crashes,
            progress: view.progress.as_ref().map(Progress::of),
        }
    }

    pub fn is_final(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "failed" | "cancelled")
    }
}

impl Progress {
    fn of(view: &ProgressView) -> Progress {
        let queue_core::task::Progress { done, total, message } = &view.progress;
        Progress {
            done: *done,
            total: *total,
            message: message.as_ref().map(|text| printable(text.as_bytes())),
            at: time(view.noted_at_us),
            run: view.epoch,
        }
    }
}

impl Task {
    /// `of_kind` are the limits that its kind has.
    pub fn of(view: TaskView, attempts: Vec<AttemptView>, of_kind: Limits) -> Task {
        let limits = of_kind.with(view.overrides);
        Task {
            summary: TaskSummary::of(&view),
            timeout_ms: limits.timeout_ms,
            max_attempts: limits.max_attempts,
            max_crashes: limits.max_crashes,
            lost: view.tally.lost,
            epoch: view.tally.epoch,
            args: Payload(view.args).preview(),
            result: Payload(view.result),
            result_cut: view.cut,
            spent: view.spent.into_iter().collect(),
            cost: view.cost,
            budget: view.budget.into_iter().map(Budget::of).collect(),
            attempts: attempts.into_iter().map(Attempt::of).collect(),
        }
    }
}

impl Budget {
    fn of(BudgetView { unit, amount, spent }: BudgetView) -> (String, Budget) {
        (unit, Budget { amount, spent })
    }
}

impl Attempt {
    fn of(view: AttemptView) -> Attempt {
        Attempt {
            run: view.epoch,
            outcome: view.outcome.name().to_owned(),
            detail: printable(view.detail.as_bytes()),
            exit_code: view.code,
            signal: view.signal,
            signal_name: view.signal.map(signal_name),
            peak_rss_bytes: view.peak_rss_bytes,
            cpu_ms: view.cpu_ms,
            run_ms: millis(view.run_us),
            started_at: time(view.started_at_us),
            ended_at: time(view.ended_at_us),
            worker: view.worker.map(|worker| worker.0),
            pid: view.pid,
            output: printable(&view.output),
        }
    }
}

impl TaskList {
    pub fn of(page: &Page) -> TaskList {
        let next = page.next.as_ref().map(ToString::to_string);
        TaskList { tasks: page.tasks.iter().map(TaskSummary::of).collect(), next }
    }
}

fn millis(us: i64) -> i64 {
    us / 1000
}
