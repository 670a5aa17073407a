//! Short ways to say the usual policies, tasks, ops and demands. Values only.

use std::collections::BTreeMap;

use queue_core::op::{Claimed, Demand, Notice, Op, RunKey};
use queue_core::policy::{Limits, Policies, PoolPolicy};
use queue_core::retry::Backoff;
use queue_core::task::{Ending, NewTask, Outcome, PoolId};
use queue_core::tick::Turn;

/// Serves queue `q`.
pub const MAIN: PoolId = PoolId(0);
/// Serves queues `a` and `b`.
pub const SIDE: PoolId = PoolId(1);
/// Serves queue `q` as well.
pub const HELPER: PoolId = PoolId(2);

pub const MS: i64 = 1_000;
pub const SECOND: i64 = 1_000 * MS;
/// Where the wall clock of every test begins.
pub const FIRST_WALL_US: i64 = 1_800_000_000 * SECOND;

/// Kind `plain` waits 1, 2, 4, 8 s after its failures, without jitter; all else is built in.
pub fn policies() -> Policies {
    let pool = |name: &str, queues: &[&str]| PoolPolicy {
        name: name.into(),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
    };
    let backoff = Backoff { base_ms: 1_000, cap_ms: 10_000, jitter: 0.0 };
    Policies {
        kinds: BTreeMap::from([("plain".to_owned(), Limits { backoff, ..Limits::default() })]),
        pools: vec![pool("main", &["q"]), pool("side", &["a", "b"]), pool("helper", &["q"])],
    }
}

pub fn task() -> NewTask {
    NewTask { kind: "plain".into(), queue: "q".into(), args: vec![0x80], ..NewTask::default() }
}

pub fn put(new: NewTask) -> Op {
    Op::Enqueue(new)
}

pub fn finish(run: RunKey, outcome: Outcome) -> Op {
    Op::Finish { run, ending: Ending::bare(outcome, "as told"), refill: None }
}

pub fn demand(pool: PoolId, credits: i64) -> Demand {
    Demand { pool, credits }
}

/// The claims of a turn, in their order.
pub fn claims(turn: &Turn) -> Vec<&Claimed> {
    let claimed = |notice| match notice {
        &Notice::Claimed(ref claimed) => Some(claimed),
        _ => None,
    };
    turn.notices.iter().filter_map(claimed).collect()
}
