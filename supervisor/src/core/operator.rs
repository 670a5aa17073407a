//! What follows from the wishes of operators.

use ipc_contract::message::StopReason;
use queue_core::task::{Outcome, PoolId, WorkerId};

use super::ending::Verdict;
use super::machine::Machine;
use super::order::{Leave, Order};
use super::slot::Phase;
use crate::config::Workers;

impl Machine {
    /// Whether the pool or worker is there.
    pub fn knows(&self, order: Order) -> bool {
        match order {
            Order::Scale(pool, _) | Order::Recycle(pool) | Order::Quiet(pool, _) => pool.0 < self.pools.len(),
            Order::StopWorker(worker, _) => self.slots.contains_key(&worker),
        }
    }

    pub(super) fn order(&mut self, order: Order, now: i64) {
        match order {
            Order::Scale(pool, workers) => self.scale(pool, workers, now),
            Order::Recycle(pool) => {
                self.pools[pool.0].health.mended();
                self.pools[pool.0].note("an operator has its workers replaced".to_owned(), now);
                self.outdate(pool, StopReason::Recycling, "was to be replaced, by an operator", now);
            }
            Order::Quiet(pool, is_quiet) => self.quiet(pool, is_quiet, now),
            Order::StopWorker(worker, leave) => self.stop_worker(worker, leave, now),
        }
    }

    fn scale(&mut self, id: PoolId, workers: Workers, now: i64) {
        let pool = &mut self.pools[id.0];
        pool.spec.workers = workers;
        let target = pool.target.clamp(workers.min, workers.max);
        pool.aim(target, format!("an operator says {workers} workers"), now);
        pool.needed_at = now;
        self.rescale(id, now);
        self.fill(id, now);
    }

    /// Who has a credit out gives it back, or gets one.
    fn quiet(&mut self, id: PoolId, is_quiet: bool, now: i64) {
        if self.pools[id.0].is_quiet == is_quiet {
            return;
        }
        self.pools[id.0].is_quiet = is_quiet;
        let (from, to, credit) =
            if is_quiet { (Phase::Ready, Phase::Quiet, -1) } else { (Phase::Quiet, Phase::Ready, 1) };
        let mut changed = 0;
        for slot in self.slots.values_mut().filter(|slot| slot.pool == id && slot.phase == from) {
            slot.phase = to.clone();
            changed += 1;
        }
        if changed > 0 {
            self.demand(id, changed * credit);
        }
        let why = if is_quiet { "an operator made it quiet" } else { "an operator has it start tasks again" };
        self.pools[id.0].note(why.to_owned(), now);
        self.rescale(id, now);
        self.fill(id, now);
    }

    fn stop_worker(&mut self, worker: WorkerId, leave: Leave, now: i64) {
        let Some(slot) = self.slots.get(&worker) else { return };
        let pool = slot.pool;
        if leave == Leave::Now && slot.working().is_some() {
            let detail = "its worker was stopped by an operator".to_owned();
            self.stop_run(worker, Verdict { outcome: Outcome::Recalled, detail }, StopReason::Scaling, now);
        }
        self.retire(worker, StopReason::Scaling, "was stopped by an operator", now);
        self.fill(pool, now);
    }
}
