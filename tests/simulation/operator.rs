//! The operator of a world: orders to pools and workers, other configurations, and a hand for what has to be mended once
//! faults have stopped.

use queue_core::reconfigure::{Progress, reconfigure};
use queue_core::task::{PoolId, WorkerId};
use supervisor::core::{Event, Leave, Order};

use crate::rng::Rng;
use crate::world::{Happening, World};

const SECOND: i64 = 1_000_000;
/// From one look of a patient operator to the next.
const LOOK_EVERY_US: i64 = 10 * SECOND;

/// How much is asked of the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Load {
    Silence,
    Steady,
    Burst,
}

impl Load {
    /// From an answer to the next wish of the same enqueuer.
    pub(crate) fn pause_us(self, rng: &mut Rng) -> i64 {
        match self {
            Load::Silence => rng.between(2 * SECOND, 15 * SECOND),
            Load::Steady => rng.between(1_000, 900_000),
            Load::Burst => rng.between(1_000, 20_000),
        }
    }
}

impl World {
    pub(crate) fn load_steps(&mut self) {
        if self.calm {
            return;
        }
        let load = self.rng.weighted(&[(3, Load::Steady), (1, Load::Silence), (1, Load::Burst)]);
        self.note(format_args!("the load steps to {load:?}"));
        self.load = load;
        let lasts_us = if load == Load::Burst { SECOND } else { self.rng.between(SECOND, 30 * SECOND) };
        self.after(lasts_us, Happening::LoadSteps);
    }

    /// What an operator wants while there are faults; then only what helps.
    pub(crate) fn operates(&mut self) {
        if self.calm {
            self.mends();
            return self.after(LOOK_EVERY_US, Happening::Operates);
        }
        if let Some(order) = self.order() {
            self.orders(order);
        } else {
            let config = self.pools.changed(&mut self.rng);
            if let Some(life) = &mut self.life {
                life.writer.change = Some(config);
                self.changes();
            }
        }
        let next = self.rng.between(SECOND / 10, 20 * SECOND);
        self.after(next, Happening::Operates);
    }

    /// `None`: it writes another configuration.
    fn order(&mut self) -> Option<Order> {
        let pool = PoolId(self.rng.below(self.pools.config.pools.len() as u64) as usize);
        let workers: Vec<WorkerId> = self.processes.keys().copied().collect();
        match self.rng.below(100) {
            0..20 => Some(Order::Scale(pool, self.pools.bounds(&mut self.rng))),
            20..30 => Some(Order::Recycle(pool)),
            30..45 => Some(Order::Quiet(pool, true)),
            45..60 => Some(Order::Quiet(pool, false)),
            60..80 if !workers.is_empty() => {
                let leave = *self.rng.pick(&[Leave::AfterRun, Leave::Now]);
                Some(Order::StopWorker(*self.rng.pick(&workers), leave))
            }
            _ => None,
        }
    }

    fn orders(&mut self, order: Order) {
        if !self.life.as_ref().is_some_and(|life| life.machine.knows(order)) {
            return;
        }
        // A pool that is gone has nobody to be told.
        let is_gone = |pool: PoolId| self.pools.config.pools[pool.0].queues.is_empty();
        match order {
            Order::Scale(pool, _) if is_gone(pool) => return,
            Order::StopWorker(worker, Leave::Now) => self.truth.stopped(worker),
            _ => {}
        }
        self.tell_machine(Event::Order(order));
    }

    /// Pools go on, those that asked not to be started again are tried anew, and none is kept without workers.
    pub(crate) fn mends(&mut self) {
        let now = self.clocks().mono_us;
        let Some(life) = &self.life else { return };
        let views = life.machine.views(now);
        let pools = self.pools.config.pools.clone();
        for (view, pool) in views.iter().map(|view| (view, &pools[view.id.0])) {
            match view.state {
                "quiet" => self.orders(Order::Quiet(view.id, false)),
                "stopped" => self.orders(Order::Recycle(view.id)),
                _ => {}
            }
            if view.bounds.max == 0 {
                self.orders(Order::Scale(view.id, pool.workers));
            }
        }
    }

    /// Between two turns, first the queue, then the machine.
    pub(crate) fn changes(&mut self) {
        let now = self.clocks();
        let (rng, store) = (&mut self.rng, &mut self.store);
        let Some(life) = self.life.as_mut().filter(|life| life.writer.is_free() && !life.finished) else { return };
        let Some(config) = life.writer.change.take() else { return };
        let policies = config.policies();
        while reconfigure(store, &mut life.book, &policies, now, &mut || rng.word()).unwrap() == Progress::More {}
        self.pools.config = config.clone();
        self.tell_machine(Event::Reload(Box::new(config)));
        self.begin_batch(true);
    }
}
