//! How many tasks and workers stand where. Values only.

use std::collections::BTreeMap;

use queue_core::state::TaskState;
use serde::{Deserialize, Serialize};

use crate::shell::stats;
use crate::text::{printable, time};

/// The answer to `/v1/stats`: of one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Since the start of the supervisor.
    pub up_ms: i64,
    /// By state; every state is there.
    pub tasks: BTreeMap<String, i64>,
    /// Those with a task available or running, and those that are closed, by name.
    pub queues: Vec<QueueStats>,
    /// In the order of the configuration; one that is in it no more, as long as it has workers.
    pub pools: Vec<PoolStats>,
    /// Ends of runs that came too late and were dropped, since the start.
    pub stale_finishes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStats {
    pub name: String,
    pub available: u64,
    pub running: u64,
    /// Nothing of it starts.
    #[serde(default)]
    pub is_paused: bool,
    /// When it starts tasks again by itself.
    #[serde(default)]
    pub paused_until: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStats {
    pub name: String,
    /// How many workers there should be.
    pub wanted: u32,
    /// By state; those without a worker are absent.
    pub workers: BTreeMap<String, usize>,
    /// What keeps it from starting more workers or tasks: `quiet`, `no_workers`, `broken` or `memory`.
    #[serde(default)]
    pub held_by: Option<String>,
    /// The same in words, as a predicate.
    #[serde(default)]
    pub why: Option<String>,
}

impl Stats {
    pub fn of(stats: stats::Stats) -> Stats {
        let counts = stats.tasks.counts;
        let queue = |(name, census): (String, queue_core::book::QueueCensus)| QueueStats {
            name,
            available: census.available,
            running: census.running,
            is_paused: !census.gate.is_open(),
            paused_until: census.gate.opens_at_us().map(time),
        };
        let pool = |pool: stats::PoolStats| PoolStats {
            name: pool.name,
            wanted: pool.wanted,
            workers: pool.workers.into_iter().map(|(state, count)| (state.to_owned(), count)).collect(),
            held_by: pool.hold.as_ref().map(|hold| hold.by.name().to_owned()),
            why: pool.hold.map(|hold| printable(hold.why.as_bytes())),
        };
        Stats {
            up_ms: stats.up_us / 1000,
            tasks: TaskState::ALL.map(|state| (state.name().to_owned(), counts.get(state))).into(),
            queues: stats.tasks.queues.into_iter().map(queue).collect(),
            pools: stats.pools.into_iter().filter(|pool| !pool.is_gone || !pool.workers.is_empty()).map(pool).collect(),
            stale_finishes: stats.tasks.stale,
        }
    }
}
