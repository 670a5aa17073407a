//! All deadlines of the machine in one table with a single "next". Values only.

use std::collections::{BTreeMap, BTreeSet};

use queue_core::task::{PoolId, WorkerId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// `hello` and `ready` are overdue.
    Boot(WorkerId),
    /// The timeout of what the worker runs.
    Run(WorkerId),
    /// The next rung of the worker's ladder.
    Ladder(WorkerId),
    /// A beat is overdue.
    Beat(WorkerId),
    /// What the run has printed is to be kept.
    Log(WorkerId),
    /// How far the run is is to be kept.
    Note(WorkerId),
    /// The run has said nothing of its progress for too long.
    Progress(WorkerId),
    /// The run takes longer than most would mean it to.
    Long(WorkerId),
    /// The worker may be old, or idle for long enough, to be replaced.
    Wear(WorkerId),
    /// The pool may start a worker again.
    Refill(PoolId),
    /// How many workers the pool should have is to be looked at.
    Scale(PoolId),
    /// The pool has waited for memory long enough to be given some.
    Memory(PoolId),
}

#[derive(Clone, Debug, Default)]
pub struct Timers {
    at: BTreeMap<Timer, i64>,
    order: BTreeSet<(i64, Timer)>,
}

impl Timers {
    pub fn set(&mut self, timer: Timer, at: i64) {
        self.clear(timer);
        self.at.insert(timer, at);
        self.order.insert((at, timer));
    }

    pub fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    pub fn clear_worker(&mut self, worker: WorkerId) {
        let of_process = [Timer::Boot(worker), Timer::Ladder(worker), Timer::Beat(worker), Timer::Wear(worker)];
        of_process.into_iter().for_each(|timer| self.clear(timer));
        self.clear_run(worker);
    }

    pub fn clear_run(&mut self, worker: WorkerId) {
        let of_run = [Timer::Run, Timer::Log, Timer::Note, Timer::Progress, Timer::Long].map(|timer| timer(worker));
        of_run.into_iter().for_each(|timer| self.clear(timer));
    }

    pub fn next(&self) -> Option<i64> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out one timer that is due, the earliest first.
    pub fn pop_due(&mut self, now: i64) -> Option<Timer> {
        let (_, timer) = self.order.first().copied().filter(|(at, _)| *at <= now)?;
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_again_moves_and_due_ones_come_in_order() {
        let (one, two) = (Timer::Boot(WorkerId(1)), Timer::Refill(PoolId(0)));
        let mut timers = Timers::default();
        timers.set(one, 50);
        timers.set(two, 20);
        timers.set(one, 10);
        assert_eq!(timers.next(), Some(10));
        assert_eq!((timers.pop_due(15), timers.pop_due(15), timers.pop_due(20)), (Some(one), None, Some(two)));
        timers.set(one, 1);
        timers.clear_worker(WorkerId(1));
        assert_eq!((timers.next(), timers.pop_due(99)), (None, None));
    }
}
