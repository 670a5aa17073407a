//! How workers leave between two runs: told to, worn, or replaced. Nothing of a run is lost by it.

use ipc_contract::message::{Stop, StopReason, ToWorker};
use ipc_contract::session::State;
use queue_core::task::{PoolId, WorkerId};

use super::machine::Machine;
use super::recycle::{looked_after_us, worn};
use super::slot::Phase;
use super::staff::at_a_time;
use super::stop::Ladder;
use super::timers::Timer;

/// From "leave" to SIGKILL, for a worker that has nothing to do.
const LEAVE_GRACE_US: i64 = 10_000_000;

impl Machine {
    /// The worker gets nothing more to do, and leaves: at once, or when what it runs has come to its end.
    pub(super) fn retire(&mut self, worker: WorkerId, reason: StopReason, why: &str, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker).filter(|slot| slot.leaving.is_none() && !slot.broken) else {
            return;
        };
        slot.leaving = Some(reason);
        if !why.is_empty() {
            slot.why = why.to_owned();
        }
        let pool = slot.pool;
        match slot.phase {
            Phase::Working(_) | Phase::Cleaning(..) | Phase::Leaving => {}
            Phase::Ready => {
                slot.phase = Phase::Leaving;
                self.demand(pool, -1);
                self.send_off(worker, now);
            }
            Phase::Quiet => {
                slot.phase = Phase::Leaving;
                self.send_off(worker, now);
            }
            // Nobody is there yet who could listen, and nothing can be lost.
            Phase::Starting => self.send_off(worker, now),
        }
    }

    /// Tells a worker that runs nothing to leave.
    pub(super) fn send_off(&mut self, worker: WorkerId, now: i64) {
        let Some(slot) = self.slots.get(&worker) else { return };
        // Whoever leaves of its own will need not be told.
        let Some(reason) = slot.leaving.filter(|reason| *reason != StopReason::Unknown) else { return };
        match slot.session.state() {
            State::Ready | State::Welcomed => {
                let grace_ms = LEAVE_GRACE_US.unsigned_abs() / 1000;
                self.send(worker, ToWorker::Stop(Stop { run: None, reason, grace_ms }));
                self.set_ladder(worker, Ladder::new(now, LEAVE_GRACE_US));
            }
            // It was told before, or has said good-bye by itself.
            State::Draining | State::Closed => {}
            _ => self.kill(worker, now),
        }
    }

    /// A run has ended: whether its worker is to leave before the next. Exactly now it counts as one that is leaving.
    pub(super) fn is_to_leave(&mut self, worker: WorkerId, now: i64) -> bool {
        let Some(id) = self.slots.get(&worker).map(|slot| slot.pool) else { return false };
        let (count, target) = (self.headcount(id), self.pools[id.0].target);
        if self.pools[id.0].is_crowded {
            let too_many = (count.fresh + 1).saturating_sub(target);
            self.pools[id.0].is_crowded = too_many > 1;
            if too_many > 0 {
                return self.leaves_for(worker, StopReason::Scaling, "was one of more than there should be");
            }
        }
        let Some(at_once) = self.wear(worker, now) else { return false };
        let has_room = count.all < self.pools[id.0].spec.workers.max && self.fits(id, now);
        let may_move = count.leaving - 1 + count.starting < at_a_time(target);
        let reason = self.slots.get(&worker).and_then(|slot| slot.outdated).unwrap_or(StopReason::Recycling);
        (at_once || (!has_room && may_move)) && self.leaves_for(worker, reason, "")
    }

    fn leaves_for(&mut self, worker: WorkerId, reason: StopReason, why: &str) -> bool {
        let Some(slot) = self.slots.get_mut(&worker) else { return false };
        slot.leaving = Some(reason);
        if !why.is_empty() {
            slot.why = why.to_owned();
        }
        true
    }

    /// An idle worker may be worn by its age or idleness alone.
    pub(super) fn look_after(&mut self, worker: WorkerId, now: i64) {
        let Some(at_once) = self.wear(worker, now) else { return };
        let Some(pool) = self.slots.get(&worker).map(|slot| slot.pool) else { return };
        if at_once {
            self.retire(worker, StopReason::Recycling, "", now);
        }
        self.fill(pool, now);
    }

    /// Whether the worker is to be replaced, and if so, whether it may run nothing more.
    fn wear(&mut self, worker: WorkerId, now: i64) -> Option<bool> {
        let slot = self.slots.get_mut(&worker)?;
        let recycle = self.pools[slot.pool.0].spec.recycle;
        let wear = slot.wear(now);
        if let Some(worn) = worn(&recycle, wear, slot.share) {
            if slot.outdated.is_none() {
                slot.outdated = Some(StopReason::Recycling);
                slot.why = worn.why;
            }
            return Some(worn.at_once);
        }
        if let Some(after_us) = looked_after_us(&recycle, wear, slot.share) {
            self.timers.set(Timer::Wear(worker), now.saturating_add(after_us));
        }
        slot.outdated.map(|_| false)
    }

    /// All workers of a pool are to be replaced, few at a time.
    pub(super) fn outdate(&mut self, id: PoolId, reason: StopReason, why: &str, now: i64) {
        for slot in self.slots.values_mut().filter(|slot| slot.pool == id && slot.leaving.is_none()) {
            slot.outdated = Some(reason);
            slot.why = why.to_owned();
        }
        self.fill(id, now);
    }
}
