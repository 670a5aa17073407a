//! One worker process as the machine knows it. Values; what happens to them is decided in `frames`, `stopping`, `machine`.

use ipc_contract::message::{RunRef, StopReason};
use ipc_contract::session::Session;
use queue_core::op::RunKey;
use queue_core::task::{Ending, PoolId, Progress};

use super::ending::Verdict;
use super::log_budget::LogBudget;
use super::recycle::Wear;
use super::stop::Ladder;

#[derive(Clone, Debug)]
pub struct Slot {
    pub pool: PoolId,
    pub session: Session,
    pub phase: Phase,
    /// Known once the process exists.
    pub pid: Option<i32>,
    /// What its `hello` must show: the tag of its process.
    pub cookie: String,
    pub started_at: i64,
    pub greeted: bool,
    /// It promised beats.
    pub beats: bool,
    pub unresponsive: bool,
    /// Its channel is of no use: nothing that still comes from it counts.
    pub broken: bool,
    /// It was told to leave, or will be after its run, and why.
    pub leaving: Option<StopReason>,
    /// It is to be replaced, and works on until there is one in its place.
    pub outdated: Option<StopReason>,
    /// The reason for either, in words; empty where the other says enough.
    pub why: String,
    /// Somebody is on the way to SIGKILL: of the whole worker, or of what it runs.
    pub ladder: Option<Ladder>,
    pub spawn_error: Option<String>,
    pub log_budget: LogBudget,
    /// Runs that it has answered.
    pub tasks: u64,
    pub idle_since: i64,
    /// By how much its own limits of wear are lowered.
    pub share: f64,
    /// What it may have in memory, by what its pool said when it was started.
    pub memory_bytes: Option<u64>,
    /// What it had in memory, with all that it started, when it was measured last.
    pub rss_bytes: u64,
}

/// What the worker does. Exactly in `Ready` it has a credit out: the queue may claim a task for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    Starting,
    Ready,
    /// It could run something, but its pool is quiet.
    Quiet,
    Working(Run),
    /// Its run failed; what that left below the worker is being killed before the end is committed.
    Cleaning(Run, Ending),
    /// It has nothing to do and gets nothing more.
    Leaving,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub key: RunKey,
    pub kind: String,
    pub started_at: i64,
    pub timeout_ms: Option<i64>,
    /// Set when we stop it: what its end will count as unless it is done first.
    pub verdict: Option<Verdict>,
    /// How far it is, as far as that is not handed in.
    pub progress: Option<Progress>,
    pub progress_kept_at: i64,
    /// Until then somebody reads its log as it is written.
    pub followed_until: i64,
    /// The most that its worker had in memory meanwhile.
    pub peak_rss_bytes: u64,
}

impl Run {
    pub fn new(key: RunKey, kind: String, started_at: i64, timeout_ms: Option<i64>) -> Run {
        Run {
            key,
            kind,
            started_at,
            timeout_ms,
            verdict: None,
            progress: None,
            progress_kept_at: i64::MIN,
            followed_until: started_at,
            peak_rss_bytes: 0,
        }
    }

    pub fn reference(&self) -> RunRef {
        RunRef { task: self.key.task.0.unsigned_abs(), epoch: self.key.epoch.unsigned_abs() }
    }
}

impl Slot {
    pub fn new(pool: PoolId, memory_bytes: Option<u64>, now: i64) -> Slot {
        Slot {
            pool,
            session: Session::new(),
            phase: Phase::Starting,
            pid: None,
            cookie: String::new(),
            started_at: now,
            greeted: false,
            beats: false,
            unresponsive: false,
            broken: false,
            leaving: None,
            outdated: None,
            why: String::new(),
            ladder: None,
            spawn_error: None,
            log_budget: LogBudget::default(),
            tasks: 0,
            idle_since: now,
            share: 1.0,
            memory_bytes,
            rss_bytes: 0,
        }
    }

    /// The run whose end is not yet handed in.
    pub fn run(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Working(run) | Phase::Cleaning(run, _) => Some(run),
            Phase::Starting | Phase::Ready | Phase::Quiet | Phase::Leaving => None,
        }
    }

    pub fn working(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Working(run) => Some(run),
            _ => None,
        }
    }

    pub fn working_mut(&mut self) -> Option<&mut Run> {
        match &mut self.phase {
            Phase::Working(run) => Some(run),
            _ => None,
        }
    }

    /// What wears it, as far as that is known.
    pub fn wear(&self, now: i64) -> Wear {
        let idle_us = if self.run().is_some() { 0 } else { now - self.idle_since };
        Wear { tasks: self.tasks, age_us: now - self.started_at, idle_us, rss_bytes: self.rss_bytes }
    }

    /// The word of the design for what the worker does.
    pub fn state_name(&self) -> &'static str {
        match (&self.phase, self.leaving) {
            (Phase::Leaving, _) => "stopping",
            (_, Some(_)) => "draining",
            (Phase::Starting, None) => "starting",
            (Phase::Ready, None) => "ready",
            (Phase::Quiet, None) => "quiet",
            (Phase::Working(_) | Phase::Cleaning(..), None) => "working",
        }
    }
}
