//! What an operator may want of a running pool or worker. Values; what follows is in `operator`.

use queue_core::task::{PoolId, WorkerId};

use crate::config::Workers;

/// Only of a pool or worker that [`Machine::knows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// So many workers, until the configuration says something else of them, or the supervisor ends.
    Scale(PoolId, Workers),
    /// Replace all workers, few at a time. A pool that is broken or stopped is tried anew.
    Recycle(PoolId),
    /// Start no further tasks, or start them again.
    Quiet(PoolId, bool),
    /// The worker leaves, and is replaced when its pool lacks one.
    StopWorker(WorkerId, Leave),
}

/// When a worker that runs something leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// After its run.
    AfterRun,
    /// Now: its run is stopped and given back.
    Now,
}
