//! A pool as people see it at a moment: its state and why, its workers, what it has measured, what was decided. Values.

use queue_core::task::{PoolId, TaskId, WorkerId};

use super::decisions::Decision;
use super::machine::Machine;
use super::pool::ids;
use super::slot::Slot;
use crate::config::{Scale, Workers};

/// What keeps a pool from starting more workers or tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// An operator made it quiet.
    Quiet,
    /// An operator lets it have no workers.
    NoWorkers,
    /// Its workers do not live.
    Broken,
    /// No further worker fits into the memory of the host.
    Memory,
}

impl HeldBy {
    pub fn name(self) -> &'static str {
        match self {
            HeldBy::Quiet => "quiet",
            HeldBy::NoWorkers => "no_workers",
            HeldBy::Broken => "broken",
            HeldBy::Memory => "memory",
        }
    }
}

/// That a pool is held, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolHold {
    pub by: HeldBy,
    /// As a predicate of the pool.
    pub why: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PoolView {
    pub id: PoolId,
    pub name: String,
    /// Whose tasks it runs.
    pub queues: Vec<String>,
    /// Of [`super::health::PoolState`]; `quiet` when it starts nothing because an operator said so.
    pub state: &'static str,
    /// Why it starts no more workers or tasks.
    pub hold: Option<PoolHold>,
    pub bounds: Workers,
    pub scale: Scale,
    /// How many workers there should be.
    pub target: u32,
    pub workers: Vec<WorkerView>,
    /// Tasks that could start now.
    pub waiting: u64,
    /// Tasks that become available, per second.
    pub rate: f64,
    /// From the start of a worker until it is ready, in seconds, of late.
    pub boot_s: Option<f64>,
    /// What one worker may have in memory.
    pub memory_bytes: Option<u64>,
    pub kinds: Vec<KindView>,
    /// The oldest first.
    pub decisions: Vec<Decision>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WorkerView {
    pub id: WorkerId,
    pub pid: Option<i32>,
    pub state: &'static str,
    /// What it runs, and for how long.
    pub task: Option<(TaskId, i64)>,
    /// Runs that it has answered.
    pub tasks: u64,
    pub age_us: i64,
    pub rss_bytes: u64,
    pub is_unresponsive: bool,
    /// Why it is to be replaced, or to leave.
    pub why: Option<String>,
}

/// What is known of the runs of one kind in a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct KindView {
    pub kind: String,
    pub runs: u64,
    /// In seconds, of late.
    pub service_s: Option<f64>,
    /// The most that a worker had in memory while it ran one.
    pub peak_rss_bytes: u64,
}

impl PoolView {
    /// It is in the configuration no more, and has become empty.
    pub fn is_gone(&self) -> bool {
        self.queues.is_empty() && self.workers.is_empty()
    }
}

impl Machine {
    /// How many workers of a pool there should be.
    pub fn target(&self, id: PoolId) -> u32 {
        self.pools.get(id.0).map_or(0, |pool| pool.target)
    }

    /// Why a pool starts no more workers or tasks; nothing when it does.
    pub fn hold(&self, id: PoolId) -> Option<PoolHold> {
        let pool = self.pools.get(id.0)?;
        let (spec, hold) = (&pool.spec, |by, why| Some(PoolHold { by, why }));
        if pool.is_quiet {
            return hold(HeldBy::Quiet, format!("is quiet until `supervisor pool resume {}`", spec.name));
        }
        if spec.workers.max == 0 && !spec.queues.is_empty() {
            let why = format!("may have no workers until `supervisor pool scale {} N`", spec.name);
            return hold(HeldBy::NoWorkers, why);
        }
        if let Some(how) = self.broken_by(id) {
            return hold(HeldBy::Broken, format!("is broken, its worker {how}"));
        }
        self.short_of_memory(id).and_then(|why| hold(HeldBy::Memory, why))
    }

    /// Every pool, in the order of the configuration; one that is in it no more, as long as it has workers.
    pub fn views(&self, now: i64) -> Vec<PoolView> {
        let is_there = |id: &PoolId| {
            let is_gone = self.pools[id.0].spec.queues.is_empty();
            !is_gone || self.slots.values().any(|slot| slot.pool == *id)
        };
        ids(&self.pools).filter(is_there).map(|id| self.view(id, now)).collect()
    }

    fn view(&self, id: PoolId, now: i64) -> PoolView {
        let pool = &self.pools[id.0];
        let workers = self.slots.iter().filter(|(_, slot)| slot.pool == id);
        let state = pool.health.state();
        let kind = |(kind, load): (&String, &super::load::KindLoad)| KindView {
            kind: kind.clone(),
            runs: load.runs,
            service_s: load.service_s.get(),
            peak_rss_bytes: load.peak_rss_bytes,
        };
        PoolView {
            id,
            name: pool.spec.name.clone(),
            state: if pool.is_quiet { "quiet" } else { state.name(now) },
            queues: pool.spec.queues.clone(),
            hold: self.hold(id),
            bounds: pool.spec.workers,
            scale: pool.spec.scale,
            target: pool.target,
            workers: workers.map(|(worker, slot)| worker_view(*worker, slot, now)).collect(),
            waiting: pool.load.waiting,
            rate: pool.load.rate(now),
            boot_s: pool.load.boot_s.get(),
            memory_bytes: pool.spec.memory_bytes,
            kinds: pool.load.kinds.iter().map(kind).collect(),
            decisions: pool.decisions.iter().cloned().collect(),
        }
    }
}

fn worker_view(id: WorkerId, slot: &Slot, now: i64) -> WorkerView {
    WorkerView {
        id,
        pid: slot.pid,
        state: slot.state_name(),
        task: slot.run().map(|run| (run.key.task, now - run.started_at)),
        tasks: slot.tasks,
        age_us: now - slot.started_at,
        rss_bytes: slot.rss_bytes,
        is_unresponsive: slot.unresponsive,
        why: (!slot.why.is_empty()).then(|| slot.why.clone()),
    }
}
