//! The border of the queue: what goes into a tick and what comes out of it. Values only.

use crate::hold::Gate;
use crate::priority::TaskPriority;
use crate::state::{FailReason, TaskState};
use crate::store::StoreError;
use crate::task::{Ending, LogParts, NewTask, Note, Outcome, PoolId, TaskId, WorkerId};

/// A change that a tick is asked for. Each gets exactly one [`Reply`], after the commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Enqueue(NewTask),
    /// All of them, or none.
    EnqueueAll(Vec<NewTask>),
    Cancel(TaskId),
    /// A final task becomes available once more, with its budgets as new.
    Retry(TaskId),
    /// A waiting task stands in line as if it had always had this priority.
    Reprioritise {
        id: TaskId,
        priority: TaskPriority,
    },
    /// Nothing of the queue, or of a key of it, is started, for so long or until it is resumed. Runs go on. Replaces what was
    /// said before.
    Pause {
        queue: String,
        key: Option<String>,
        for_us: Option<i64>,
        reason: String,
    },
    /// Starts go on, whatever closed the queue or key.
    Resume {
        queue: String,
        key: Option<String>,
    },
    /// A live run says how far it is, or what it has spent.
    Note {
        run: RunKey,
        note: Note,
    },
    /// A live run has printed.
    Log {
        run: RunKey,
        log: LogParts,
    },
    /// A run ended; what it brought along, result and follow-ups, is kept in the same commit, or nothing of it. `refill` is the pool
    /// whose worker may have a next task in that commit as well.
    Finish {
        run: RunKey,
        ending: Ending,
        refill: Option<PoolId>,
    },
    /// A worker process exists: to be known before its first run, so that a next life can kill it.
    WorkerUp(WorkerRow),
    /// A worker process and all that it left are proven dead.
    WorkerGone(WorkerId),
    /// The kinds that a pool's workers can run, by their last hello: kept, to route what comes while none is up.
    Offer {
        pool: String,
        kinds: Vec<String>,
    },
}

/// One run of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    pub task: TaskId,
    pub epoch: i64,
}

/// What a next life needs to find a process of this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    pub id: WorkerId,
    pub pool: String,
    pub pid: i32,
    /// In clock ticks since boot.
    pub start_time: i64,
    pub boot_id: String,
    pub tag: String,
}

/// More or fewer tasks that a pool can take: a signed change, since an absolute count would race with claims in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    pub pool: PoolId,
    pub credits: i64,
}

/// What became of an [`Op`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Enqueued {
        id: TaskId,
        existing: bool,
    },
    /// One for each of an [`Op::EnqueueAll`], in the same order: the id, and whether the task was there before.
    EnqueuedAll(Vec<(TaskId, bool)>),
    /// The name belongs to a task of another kind or with other args. `index` is the place in an [`Op::EnqueueAll`], of which
    /// nothing was kept; the other task may be one of the same list, which then has no id.
    NameTaken {
        id: Option<TaskId>,
        index: usize,
    },
    /// The task was waiting and is cancelled now.
    Cancelled,
    /// The task runs; it is cancelled once its processes are gone.
    Stopping,
    /// The task was final before.
    AlreadyFinal(TaskState),
    NoSuchTask,
    /// The task is available again.
    Retried,
    /// Only a final task can be tried again.
    NotFinal(TaskState),
    /// Only a waiting task can be given another priority.
    NotWaiting(TaskState),
    /// The queue or key starts tasks when this says so.
    Gate(Gate),
    Applied,
    /// The run was not live any more: dropped whole.
    Stale,
    /// The database refused this op alone; nothing of it was kept.
    Refused(StoreError),
}

/// What is now true: said only after the commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    Claimed(Claimed),
    /// A task reached a final state.
    Finished {
        id: TaskId,
        state: TaskState,
        reason: Option<FailReason>,
    },
    /// A run ended and its task is not final.
    Returned {
        id: TaskId,
        outcome: Outcome,
        state: TaskState,
    },
    /// A running task was cancelled: its processes must go.
    StopWanted(RunKey),
    /// What a note with this number has spent is kept.
    Noted {
        run: RunKey,
        seq: u64,
    },
    /// The runs of a task have spent more of this unit than they may: this one must go.
    Overspent {
        run: RunKey,
        unit: String,
    },
    /// More of what a run printed can be read.
    Logged(RunKey),
}

/// A task leased to a pool: everything that its worker needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    pub run: RunKey,
    pub pool: PoolId,
    pub kind: String,
    pub args: Vec<u8>,
    /// 1 in the first run.
    pub attempt: u32,
    pub timeout_ms: Option<i64>,
}
