//! Pools and their workers as people and programs see them. Values only.

use std::collections::BTreeMap;

use queue_core::task::Now;
use serde::{Deserialize, Serialize};

use crate::core::{KindView, PoolView, WorkerView, decisions};
use crate::shell::handle;
use crate::text::{printable, time};

/// The answer to `/v1/pools`: of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolList {
    /// What all workers together may have in memory, by what their pools declare; null without bounds.
    pub memory_budget_bytes: Option<u64>,
    /// What the workers that are there count for.
    pub memory_reserved_bytes: u64,
    /// In the order of the configuration.
    pub pools: Vec<PoolSummary>,
}

/// A pool in a list, and after an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolSummary {
    pub name: String,
    /// `serving`, `quiet`, `backing off`, `broken` or `stopped`.
    pub state: String,
    /// What keeps it from starting more workers or tasks: `quiet`, `no_workers`, `broken` or `memory`; null when nothing does.
    pub held_by: Option<String>,
    /// The same in words, as a predicate.
    pub why: Option<String>,
    /// From where to where the number of its workers may go.
    pub min: u32,
    pub max: u32,
    /// How many workers there should be.
    pub wanted: u32,
    /// How many there are, by state; those without a worker are absent.
    pub workers_by_state: BTreeMap<String, usize>,
    /// Tasks that could start now.
    pub waiting: u64,
}

/// The answer to `/v1/pools/NAME`: a pool with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    #[serde(flatten)]
    pub summary: PoolSummary,
    pub queues: Vec<String>,
    pub target_wait_ms: i64,
    pub cooldown_ms: i64,
    /// Tasks that become available, of late.
    pub arrivals_per_s: f64,
    /// From the start of a worker until it is ready, of late; null when none has been.
    pub boot_ms: Option<i64>,
    /// What one worker may have in memory; null without a limit.
    pub memory_limit_bytes: Option<u64>,
    /// By id.
    pub workers: Vec<Worker>,
    /// By name.
    pub kinds: Vec<KindLoad>,
    /// The last 100, the oldest first.
    pub decisions: Vec<Decision>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    pub id: i64,
    /// Absent until its process exists.
    pub pid: Option<i32>,
    /// `starting`, `ready`, `quiet`, `working`, `draining` or `stopping`.
    pub state: String,
    /// What it runs, and since when.
    pub task: Option<i64>,
    pub task_since: Option<String>,
    /// Runs that it has answered.
    pub tasks_answered: u64,
    pub age_ms: i64,
    /// When it was measured last, with all that it started.
    pub memory_bytes: u64,
    /// It promised beats, and is silent.
    pub is_unresponsive: bool,
    /// Why it is to be replaced or to leave, as a predicate.
    pub why: Option<String>,
}

/// What is known of the runs of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindLoad {
    pub kind: String,
    pub runs: u64,
    /// How long each takes, of late.
    pub run_ms: Option<f64>,
    /// The most that a worker was seen to have in memory while it ran one.
    pub peak_memory_bytes: u64,
}

/// What was decided about a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub at: String,
    /// How many workers there were to be before and after it; the same when it is about something else.
    pub from: u32,
    pub to: u32,
    /// In a sentence.
    pub why: String,
}

/// The answer to `/v1/workers/ID/stop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedWorker {
    pub id: i64,
    pub pool: String,
    /// `draining`: it leaves after its run. `stopping`: it is told to leave. `gone`.
    pub state: String,
    /// What it still runs.
    pub task: Option<i64>,
}

impl PoolList {
    pub fn of(pools: &handle::Pools) -> PoolList {
        let is_bounded = pools.memory_budget_bytes < u64::MAX;
        PoolList {
            memory_budget_bytes: is_bounded.then_some(pools.memory_budget_bytes),
            memory_reserved_bytes: pools.memory_reserved_bytes,
            pools: pools.pools.iter().filter(|pool| !pool.is_gone()).map(PoolSummary::of).collect(),
        }
    }
}

impl PoolSummary {
    pub fn of(view: &PoolView) -> PoolSummary {
        let mut workers_by_state = BTreeMap::new();
        for worker in &view.workers {
            *workers_by_state.entry(worker.state.to_owned()).or_default() += 1;
        }
        PoolSummary {
            name: view.name.clone(),
            state: view.state.to_owned(),
            held_by: view.hold.as_ref().map(|hold| hold.by.name().to_owned()),
            why: view.hold.as_ref().map(|hold| printable(hold.why.as_bytes())),
            min: view.bounds.min,
            max: view.bounds.max,
            wanted: view.target,
            workers_by_state,
            waiting: view.waiting,
        }
    }
}

impl Pool {
    pub fn of(view: &PoolView, now: Now) -> Pool {
        Pool {
            summary: PoolSummary::of(view),
            queues: view.queues.clone(),
            target_wait_ms: view.scale.target_wait_us / 1000,
            cooldown_ms: view.scale.cooldown_us / 1000,
            arrivals_per_s: rounded(view.rate),
            boot_ms: view.boot_s.map(|s| (s * 1e3).round() as i64),
            memory_limit_bytes: view.memory_bytes,
            workers: view.workers.iter().map(|worker| Worker::of(worker, now)).collect(),
            kinds: view.kinds.iter().map(KindLoad::of).collect(),
            decisions: view.decisions.iter().map(|decision| Decision::of(decision, now)).collect(),
        }
    }
}

impl Worker {
    fn of(view: &WorkerView, now: Now) -> Worker {
        Worker {
            id: view.id.0,
            pid: view.pid,
            state: view.state.to_owned(),
            task: view.task.map(|(id, _)| id.0),
            task_since: view.task.map(|(_, for_us)| time(now.wall_us - for_us)),
            tasks_answered: view.tasks,
            age_ms: view.age_us / 1000,
            memory_bytes: view.rss_bytes,
            is_unresponsive: view.is_unresponsive,
            why: view.why.as_ref().map(|why| printable(why.as_bytes())),
        }
    }
}

impl KindLoad {
    fn of(view: &KindView) -> KindLoad {
        KindLoad {
            kind: view.kind.clone(),
            runs: view.runs,
            run_ms: view.service_s.map(|s| rounded(s * 1e3)),
            peak_memory_bytes: view.peak_rss_bytes,
        }
    }
}

impl Decision {
    /// Its moment by the clock of today, however that may have stepped since.
    fn of(decision: &decisions::Decision, now: Now) -> Decision {
        Decision {
            at: time(now.wall_us - (now.mono_us - decision.at)),
            from: decision.from,
            to: decision.to,
            why: printable(decision.why.as_bytes()),
        }
    }
}

impl StoppedWorker {
    /// `view` is absent when it is gone already.
    pub fn of(id: i64, pool: &str, view: Option<&WorkerView>) -> StoppedWorker {
        StoppedWorker {
            id,
            pool: pool.to_owned(),
            state: view.map_or("gone", |worker| worker.state).to_owned(),
            task: view.and_then(|worker| worker.task).map(|(id, _)| id.0),
        }
    }
}

/// To three places: more is not known.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
