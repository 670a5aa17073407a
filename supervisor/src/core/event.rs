//! Everything that can happen to the process machine. Closed: nothing else may wake it.

use ipc_contract::message::FromWorker;
use queue_core::backlog::Backlog;
use queue_core::op::Notice;
use queue_core::op::WorkerRow;
use queue_core::task::{TaskId, WorkerId};

use super::order::Order;
use crate::config::Config;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Start the pools.
    Start,
    /// A worker's process exists; its program may not have begun.
    Spawned(WorkerRow),
    /// A whole, readable frame of a worker.
    Frame(WorkerId, FromWorker),
    /// The channel of a worker is of no use any more; why, in words that include the evidence.
    Broken(WorkerId, String),
    /// What the last run left below its living worker is dead; with the last part of what the run printed.
    Cleaned(WorkerId, Vec<u8>),
    /// A worker has exited, its orphans are dead, its pipes are read out.
    Gone(WorkerExit),
    /// What waits for a pool.
    Backlog(Backlog),
    /// An operator wants something of a pool or a worker.
    Order(Order),
    /// What workers have in memory, with all that they started.
    Sampled(Vec<Sample>),
    /// Somebody reads the log of a task as it is written, and renews this wish.
    Follow(TaskId),
    /// The queue says what is now true.
    Notice(Notice),
    /// The configuration is this one from now on. Each pool that was there before has its old place.
    Reload(Box<Config>),
    /// Stop everything; a second time means at once.
    Shutdown,
    /// Some time has passed: see [`super::Machine::next_deadline`].
    Tick,
}

/// What a worker had in memory at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub worker: WorkerId,
    /// Of its process and all below it.
    pub rss_bytes: u64,
}

/// How a worker's process ended.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerExit {
    pub worker: WorkerId,
    pub exit: Exit,
    pub peak_rss_bytes: Option<i64>,
    pub cpu_ms: Option<i64>,
    /// The system killed it, or something below it, because its group had too much in memory.
    pub oom: bool,
    /// The last part of what it printed since its last run began.
    pub output: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// There never was a process: why.
    NotStarted(String),
}
