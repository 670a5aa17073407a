//! Everything that the process machine can ask of the shell. Closed.

use ipc_contract::message::{Level, ToWorker};
use queue_core::op::{Demand, Op, RunKey};
use queue_core::task::{PoolId, TaskId, WorkerId};

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Spawn {
        worker: WorkerId,
        pool: PoolId,
    },
    Send(WorkerId, ToWorker),
    /// A run begins: what was printed before belongs to no run.
    BeginOutput(WorkerId),
    /// The library of a worker logs a line of its run.
    AddLine(WorkerId, Level, String),
    /// What the run has printed since the last time goes to the store; the last time with its unfinished line.
    KeepLog {
        worker: WorkerId,
        run: RunKey,
        is_last: bool,
    },
    Signal(WorkerId, Signal),
    /// Kill what a run left below its living worker, then say [`super::Event::Cleaned`].
    Clean(WorkerId),
    Submit(Op),
    Demand(Demand),
    Report(Report),
    /// No worker is left and none will be started.
    Finished,
}

/// To the process group of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Term,
    /// Says where it hangs, if its runtime can, and dies of it.
    Abort,
    Kill,
}

/// What an operator wants to know; each is one line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    WorkerReady { worker: WorkerId, pool: PoolId, pid: i32, sdk: String },
    WorkerGone { worker: WorkerId, pool: PoolId, pid: Option<i32>, how: String },
    WorkerSaid { worker: WorkerId, task: Option<TaskId>, level: Level, text: String },
    Alert { name: &'static str, text: String },
}
