//! One worker process as the machine knows it. Values; what happens to them is decided in `frames`, `stopping`, `machine`.

use ipc_contract::message::{RunRef, StopReason};
use ipc_contract::session::Session;
use queue_core::op::RunKey;
use queue_core::task::{Ending, PoolId, Progress};

use super::ending::Verdict;
use super::log_budget::LogBudget;
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
    /// It was told to leave, and why.
    pub leaving: Option<StopReason>,
    /// Somebody is on the way to SIGKILL: of the whole worker, or of what it runs.
    pub ladder: Option<Ladder>,
    pub spawn_error: Option<String>,
    pub log_budget: LogBudget,
}

/// What the worker does. Exactly in `Ready` it has a credit out: the queue may claim a task for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    Starting,
    Ready,
    Working(Run),
    /// Its run failed; what that left below the worker is being killed before the end is committed.
    Cleaning(Run, Ending),
    /// It has nothing to do and gets nothing more.
    Leaving,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub key: RunKey,
    pub started_at: i64,
    pub timeout_ms: Option<i64>,
    /// Set when we stop it: what its end will count as unless it is done first.
    pub verdict: Option<Verdict>,
    /// How far it is, as far as that is not handed in.
    pub progress: Option<Progress>,
    pub progress_kept_at: i64,
    /// Until then somebody reads its log as it is written.
    pub followed_until: i64,
}

impl Run {
    pub fn new(key: RunKey, started_at: i64, timeout_ms: Option<i64>) -> Run {
        let (verdict, progress, followed_until) = (None, None, started_at);
        Run { key, started_at, timeout_ms, verdict, progress, progress_kept_at: i64::MIN, followed_until }
    }

    pub fn reference(&self) -> RunRef {
        RunRef { task: self.key.task.0.unsigned_abs(), epoch: self.key.epoch.unsigned_abs() }
    }
}

impl Slot {
    pub fn new(pool: PoolId, now: i64) -> Slot {
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
            ladder: None,
            spawn_error: None,
            log_budget: LogBudget::default(),
        }
    }

    /// The run whose end is not yet handed in.
    pub fn run(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Working(run) | Phase::Cleaning(run, _) => Some(run),
            Phase::Starting | Phase::Ready | Phase::Leaving => None,
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

    /// The word of the design for what the worker does.
    pub fn state_name(&self) -> &'static str {
        match (&self.phase, self.leaving) {
            (Phase::Leaving, _) => "stopping",
            (_, Some(_)) => "draining",
            (Phase::Starting, None) => "starting",
            (Phase::Ready, None) => "ready",
            (Phase::Working(_) | Phase::Cleaning(..), None) => "working",
        }
    }
}
