//! What really happened to each run, as the world saw it, and whether the outcome that was committed says so.

use std::collections::{BTreeMap, BTreeSet};

use ipc_contract::message::{FromWorker, RunRef};
use queue_core::op::RunKey;
use queue_core::task::{Ending, Outcome, TaskId, WorkerId};
use supervisor::core::Exit;

use crate::follow_ups::is_legal;
use crate::model_worker::result_of;

/// The answer that a run gave: its outcome by the word of its worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    Done,
    Fail(Outcome),
    Back,
}

#[derive(Default)]
pub(crate) struct Truth {
    said: BTreeMap<RunKey, Said>,
    /// A worker has read it.
    started: BTreeSet<RunKey>,
    /// Its cancel was committed while it ran.
    cancelled: BTreeSet<RunKey>,
    /// When its time was over, in world time.
    timeout_at: BTreeMap<RunKey, i64>,
    /// Workers that wrote what they must not, or that left.
    broke: BTreeSet<WorkerId>,
    ends: BTreeMap<WorkerId, Exit>,
    /// Workers that had too much in memory.
    fat: BTreeSet<WorkerId>,
    /// Workers whose run an operator had stopped.
    stopped: BTreeSet<WorkerId>,
    /// Workers that said good-bye.
    left: BTreeSet<WorkerId>,
    /// The supervisor of this life was told to stop.
    pub(crate) shutting_down: bool,
}

pub(crate) fn key(run: RunRef) -> RunKey {
    RunKey { task: TaskId(run.task as i64), epoch: run.epoch as i64 }
}

pub(crate) fn reference(run: RunKey) -> RunRef {
    RunRef { task: run.task.0 as u64, epoch: run.epoch as u64 }
}

impl Truth {
    /// A next life may give its workers the numbers of those of which the queue was never told.
    pub(crate) fn begin_life(&mut self) {
        let Truth { said, started, cancelled, timeout_at, .. } = std::mem::take(self);
        *self = Truth { said, started, cancelled, timeout_at, ..Truth::default() };
    }

    pub(crate) fn claimed(&mut self, run: RunKey, timeout_at: Option<i64>) {
        self.timeout_at.extend(timeout_at.map(|at| (run, at)));
    }

    pub(crate) fn started(&mut self, run: RunKey) {
        self.started.insert(run);
    }

    pub(crate) fn cancelled(&mut self, run: RunKey) {
        self.cancelled.insert(run);
    }

    pub(crate) fn broke(&mut self, worker: WorkerId) {
        self.broke.insert(worker);
    }

    pub(crate) fn fat(&mut self, worker: WorkerId) {
        self.fat.insert(worker);
    }

    pub(crate) fn stopped(&mut self, worker: WorkerId) {
        self.stopped.insert(worker);
    }

    pub(crate) fn left(&mut self, worker: WorkerId) {
        self.left.insert(worker);
    }

    pub(crate) fn ended(&mut self, worker: WorkerId, exit: Exit) {
        self.ends.insert(worker, exit);
    }

    pub(crate) fn answered(&mut self, run: RunKey, message: &FromWorker) {
        let said = match message {
            FromWorker::Done(done) if done.enqueue.iter().all(is_legal) => Said::Done,
            // By its follow-ups: as good as a failure.
            FromWorker::Done(_) => Said::Fail(Outcome::Error),
            FromWorker::Fail(fail) => Said::Fail(match fail.exit.unwrap_or_default() {
                exit if exit.oom => Outcome::Oom,
                exit if exit.signal.is_some() => Outcome::Signal,
                _ => Outcome::Error,
            }),
            _ => Said::Back,
        };
        assert_eq!(self.said.insert(run, said), None, "{run:?} was answered twice, legally");
    }

    /// The committed end of a run says what happened. `lost` is also recovery's word, which is not heard here.
    pub(crate) fn check(&self, run: RunKey, ending: &Ending, now: i64) {
        let said = self.said.get(&run).copied();
        let worker = ending.worker;
        let death = worker.and_then(|worker| self.ends.get(&worker));
        let so = match ending.outcome {
            Outcome::Ok => said == Some(Said::Done) && ending.result == result_of(reference(run)),
            Outcome::Error => said == Some(Said::Fail(Outcome::Error)),
            Outcome::Oom => {
                let is_fat = worker.is_some_and(|worker| self.fat.contains(&worker));
                said == Some(Said::Fail(Outcome::Oom)) || (is_fat && said != Some(Said::Done))
            }
            Outcome::Signal => {
                said == Some(Said::Fail(Outcome::Signal)) || (said.is_none() && matches!(death, Some(Exit::Signal(_))))
            }
            Outcome::Exit => {
                said.is_none()
                    && matches!(death, Some(Exit::Code(_)))
                    && worker.is_none_or(|worker| !self.left.contains(&worker))
            }
            Outcome::Protocol => said != Some(Said::Done) && worker.is_some_and(|worker| self.broke.contains(&worker)),
            Outcome::Timeout => self.timeout_at.get(&run).is_some_and(|at| *at <= now) && said != Some(Said::Done),
            Outcome::Cancelled => self.cancelled.contains(&run) && said != Some(Said::Done),
            Outcome::Recalled => {
                let is_stopped = worker.is_some_and(|worker| self.stopped.contains(&worker));
                let is_so = self.shutting_down || is_stopped || said == Some(Said::Back);
                is_so || !self.started.contains(&run)
            }
            // No task of the simulation has a budget.
            Outcome::Budget => false,
            Outcome::Lost => said.is_none() && worker.is_some_and(|worker| self.left.contains(&worker)),
        };
        assert!(so, "{run:?} is committed as {ending:?}, but it said {said:?} and its worker ended by {death:?}");
    }
}
