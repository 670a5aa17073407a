//! Short ways to say the usual ops and demands. Values only.

use queue_core::op::{Demand, Op, RunKey};
use queue_core::task::{Ending, Outcome, PoolId};

/// Serves queue `q`.
pub(crate) const MAIN: PoolId = PoolId(0);
/// Serves queues `a` and `b`.
pub(crate) const SIDE: PoolId = PoolId(1);
/// Serves queue `q` as well.
pub(crate) const HELPER: PoolId = PoolId(2);

/// In microseconds.
pub(crate) const SECOND: i64 = 1_000_000;

pub(crate) fn finish(run: RunKey, outcome: Outcome) -> Op {
    Op::Finish { run, ending: Ending::bare(outcome, "as told"), refill: None }
}

pub(crate) fn demand(pool: PoolId, credits: i64) -> Demand {
    Demand { pool, credits }
}
