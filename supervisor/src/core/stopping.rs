//! How workers and runs are made to end: cancel, timeout, breach of contract, shutdown, and the one ladder of them all.

use std::time::Duration;

use ipc_contract::message::{Stop, StopReason, ToWorker};
use ipc_contract::session::State;
use queue_core::op::RunKey;
use queue_core::task::{Outcome, WorkerId};

use super::command::{Command, Signal};
use super::ending::Verdict;
use super::machine::{CANCEL_GRACE_US, Machine, Shutdown};
use super::slot::Phase;
use super::stop::{Ladder, Rung};
use super::timers::Timer;

impl Machine {
    /// A running task was cancelled. A run that is not here any more was handed in before, or is about to be.
    pub(super) fn cancel(&mut self, run: RunKey, now: i64) {
        let Some(worker) = self.worker_of(run) else { return };
        let verdict = Verdict { outcome: Outcome::Cancelled, detail: "cancelled".to_owned() };
        self.stop_run(worker, verdict, StopReason::Cancel, now);
    }

    /// The task has spent more than it may.
    pub(super) fn overspent(&mut self, run: RunKey, unit: &str, now: i64) {
        let Some(worker) = self.worker_of(run) else { return };
        let detail = format!("spent more {unit} than its budget");
        self.stop_run(worker, Verdict { outcome: Outcome::Budget, detail }, StopReason::Budget, now);
    }

    fn worker_of(&self, run: RunKey) -> Option<WorkerId> {
        let here = |slot: &super::slot::Slot| slot.working().is_some_and(|at| at.key == run);
        self.slots.iter().find(|(_, slot)| here(slot)).map(|(worker, _)| *worker)
    }

    pub(super) fn timed_out(&mut self, worker: WorkerId, now: i64) {
        let Some(run) = self.slots.get_mut(&worker).and_then(|slot| slot.working_mut()) else { return };
        let detail = format!("ran longer than its timeout of {} ms", run.timeout_ms.unwrap_or(0));
        self.stop_run(worker, Verdict { outcome: Outcome::Timeout, detail }, StopReason::Timeout, now);
    }

    /// A run of a kind that is to tell of its progress has so long for its next word.
    pub(super) fn await_progress(&mut self, worker: WorkerId, now: i64) {
        let Some(run) = self.slots.get(&worker).and_then(|slot| slot.working()) else { return };
        let timeout_ms = self.config.kinds.get(&run.kind).and_then(|kind| kind.progress_timeout_ms);
        if let Some(ms) = timeout_ms {
            self.timers.set(Timer::Progress(worker), now.saturating_add(ms.saturating_mul(1000)));
        }
    }

    pub(super) fn stands_still(&mut self, worker: WorkerId, now: i64) {
        let Some(run) = self.slots.get(&worker).and_then(|slot| slot.working()) else { return };
        let ms = self.config.kinds.get(&run.kind).and_then(|kind| kind.progress_timeout_ms).unwrap_or(0);
        let detail = format!("said nothing of its progress for {ms} ms");
        self.stop_run(worker, Verdict { outcome: Outcome::Timeout, detail }, StopReason::Timeout, now);
    }

    pub(super) fn takes_long(&mut self, worker: WorkerId) {
        let Some(run) = self.slots.get(&worker).and_then(|slot| slot.working()) else { return };
        let (task, kind) = (run.key.task, &run.kind);
        let text = format!(
            "task {task} of kind {kind} has been running for 1 h on worker {worker} and has no timeout; \
             give its kind or queue one if that is too long"
        );
        self.alert("long_run", text);
    }

    pub(super) fn never_ready(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get(&worker) else { return };
        let timeout_us = self.pools[slot.pool.0].spec.boot_timeout_us.unsigned_abs();
        let timeout = humantime::format_duration(Duration::from_micros(timeout_us));
        self.broken(worker, &format!("it said neither `ready` nor `booting` in time ({timeout})"), now);
    }

    /// The first reason to stop a run is the one that is told.
    pub(super) fn stop_run(&mut self, worker: WorkerId, verdict: Verdict, reason: StopReason, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        let hangs = verdict.outcome == Outcome::Timeout && self.pools[slot.pool.0].spec.dump_on_hang;
        let Some(run) = slot.working_mut() else { return };
        if run.verdict.is_some() {
            return;
        }
        run.verdict = Some(verdict);
        let run = run.reference();
        if matches!(slot.session.state(), State::Ready | State::Draining) {
            let grace_ms = CANCEL_GRACE_US.unsigned_abs() / 1000;
            self.send(worker, ToWorker::Stop(Stop { run: Some(run), reason, grace_ms }));
        }
        let ladder = Ladder::new(now, CANCEL_GRACE_US);
        self.set_ladder(worker, if hangs { ladder.with_dump() } else { ladder });
    }

    /// The worker broke the contract, or its channel is gone: nothing that it says counts any more, and it is killed.
    pub(super) fn broken(&mut self, worker: WorkerId, why: &str, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker).filter(|slot| !slot.broken) else { return };
        slot.broken = true;
        let pool = slot.pool;
        match &mut slot.phase {
            Phase::Working(run) => {
                let detail = format!("the worker broke the contract: {why}");
                run.verdict.get_or_insert(Verdict { outcome: Outcome::Protocol, detail });
            }
            Phase::Ready => {
                slot.phase = Phase::Leaving;
                self.demand(pool, -1);
            }
            Phase::Quiet => slot.phase = Phase::Leaving,
            Phase::Starting | Phase::Cleaning(..) | Phase::Leaving => {}
        }
        self.alert("protocol", format!("worker {worker} of pool {}: {why}", self.pools[pool.0].spec.name));
        self.kill(worker, now);
    }

    /// Before its process exists there is nobody to kill: `spawned` will.
    pub(super) fn kill(&mut self, worker: WorkerId, now: i64) {
        if self.slots.get(&worker).is_none_or(|slot| slot.pid.is_none()) {
            return;
        }
        self.out.push(Command::Signal(worker, Signal::Kill));
        self.set_ladder(worker, Ladder::killed(now));
    }

    /// The first call lets what runs come to its end within the grace, the second kills at once.
    pub(super) fn shut_down(&mut self, now: i64) {
        self.shutdown = if self.shutdown == Shutdown::No { Shutdown::Graceful } else { Shutdown::AtOnce };
        let workers: Vec<WorkerId> = self.slots.keys().copied().collect();
        for worker in workers {
            self.dismiss(worker, now);
        }
        if self.slots.is_empty() && self.shutdown == Shutdown::Graceful {
            self.out.push(Command::Finished);
        }
    }

    fn dismiss(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        slot.leaving = Some(StopReason::Shutdown);
        let pool = slot.pool;
        if let Phase::Working(run) = &mut slot.phase {
            let detail = "the supervisor was stopped".to_owned();
            run.verdict.get_or_insert(Verdict { outcome: Outcome::Recalled, detail });
        }
        if slot.phase == Phase::Quiet {
            slot.phase = Phase::Leaving;
        }
        if slot.phase == Phase::Ready {
            slot.phase = Phase::Leaving;
            self.demand(pool, -1);
        }
        let Some(slot) = self.slots.get(&worker) else { return };
        let listens = matches!(slot.session.state(), State::Welcomed | State::Ready | State::Draining);
        if self.shutdown == Shutdown::AtOnce || !listens || slot.broken {
            return self.kill(worker, now);
        }
        let grace_us = self.shutdown_grace_us;
        let grace_ms = grace_us.unsigned_abs() / 1000;
        self.send(worker, ToWorker::Stop(Stop { run: None, reason: StopReason::Shutdown, grace_ms }));
        self.set_ladder(worker, Ladder::new(now, grace_us));
    }

    /// A second stop can only make it sooner.
    pub(super) fn set_ladder(&mut self, worker: WorkerId, ladder: Ladder) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        let ladder = slot.ladder.map_or(ladder, |old| old.sooner(ladder));
        slot.ladder = Some(ladder);
        self.timers.clear(Timer::Boot(worker));
        if let Some(at) = ladder.next_at() {
            self.timers.set(Timer::Ladder(worker), at);
        }
    }

    /// The run that was being stopped has ended by itself; only a stop of the whole worker goes on.
    pub(super) fn end_run_ladder(&mut self, worker: WorkerId) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if slot.leaving.is_none() && !slot.broken {
            slot.ladder = None;
            self.timers.clear(Timer::Ladder(worker));
        }
    }

    pub(super) fn climb(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        let Some(ladder) = &mut slot.ladder else { return };
        let rung = ladder.step(now);
        if let Some(at) = ladder.next_at() {
            self.timers.set(Timer::Ladder(worker), at);
        }
        match rung {
            Some(rung @ (Rung::Term | Rung::Abort)) => {
                // The signal could reach it in its next run, and that task would be charged: it gets no other.
                slot.leaving.get_or_insert(StopReason::Recycling);
                let signal = if rung == Rung::Term { Signal::Term } else { Signal::Abort };
                self.out.push(Command::Signal(worker, signal));
            }
            Some(Rung::Kill) => self.out.push(Command::Signal(worker, Signal::Kill)),
            Some(Rung::Stuck) => {
                let text = format!("worker {worker} is not dead 10 s after SIGKILL; its slot stays taken");
                self.alert("stuck", text);
            }
            None => {}
        }
    }
}
