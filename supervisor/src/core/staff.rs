//! Who starts and who has to go, so that each pool comes to have the workers that it should: starts within max, memory and
//! back-off; replacement of the outdated, few at a time. How they leave is in `leave`.

use ipc_contract::message::StopReason;
use queue_core::task::{PoolId, WorkerId};

use super::command::Command;
use super::machine::{Machine, Shutdown};
use super::pool::{Headcount, ids};
use super::recycle::share;
use super::slot::{Phase, Slot};
use super::timers::Timer;
use crate::config::Program;

/// Of the workers of a pool, so many are replaced at a time: one in four, and one at least.
const REPLACED_AT_A_TIME: u32 = 4;

impl Machine {
    pub(super) fn start_pools(&mut self, now: i64) {
        for id in ids(&self.pools) {
            if !self.offers.0.contains_key(&self.pools[id.0].spec.name) {
                self.introduce(id, now);
            }
            self.rescale(id, now);
            self.fill(id, now);
        }
    }

    /// A program of which nothing is known is started once, so that what is wrong with it shows before a task needs it. What plain
    /// commands can run is known.
    pub(super) fn introduce(&mut self, id: PoolId, now: i64) {
        let (is_stock, pool) = (self.config.pools[id.0].program == Program::Stock, &mut self.pools[id.0]);
        if !is_stock && pool.target == 0 && pool.spec.workers.max > 0 {
            pool.aim(1, "its program is new: one worker is to say what it can run".to_owned(), now);
            pool.needed_at = now;
        }
    }

    /// Starts the workers that a pool lacks, or waits for the moment from which it may; lets those go that are too many;
    /// replaces what is outdated.
    pub(super) fn fill(&mut self, id: PoolId, now: i64) {
        if self.shutdown != Shutdown::No {
            return;
        }
        self.thin_out(id, now);
        let (count, pool) = (self.headcount(id), &self.pools[id.0]);
        let at_a_time = at_a_time(pool.target);
        let lacking = pool.wanted(count.greeted).saturating_sub(count.fresh);
        if lacking == 0 || pool.is_quiet {
            return self.out_of_line(id);
        }
        let start_at = pool.health.state().may_start_at();
        if start_at > now {
            // Memory that came free now would be of no use to it.
            self.out_of_line(id);
            if start_at < i64::MAX {
                self.timers.set(Timer::Refill(id), start_at);
            }
            return;
        }
        let mut room = pool.spec.workers.max.saturating_sub(count.all);
        let moving = count.leaving + count.starting;
        if count.outdated > 0 {
            room = room.min(at_a_time.saturating_sub(moving));
        }
        let fits = |machine: &mut Machine| match count.outdated {
            0 => machine.has_memory_for(id, now),
            _ => machine.fits(id, now),
        };
        let started = (0..lacking.min(room)).take_while(|_| fits(self) && self.start(id, now)).count();
        // No room for a new one beside the old one: the old one leaves first.
        if started == 0 && count.outdated > 0 && moving < at_a_time {
            self.let_outdated_go(id, 1, now);
        }
    }

    /// Always true, to be counted.
    fn start(&mut self, id: PoolId, now: i64) -> bool {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        let mut slot = Slot::new(id, self.pools[id.0].spec.memory_bytes, now);
        slot.share = share(self.random.rotate_left((worker.0 % 64) as u32));
        self.slots.insert(worker, slot);
        self.timers.set(Timer::Boot(worker), now + self.pools[id.0].spec.boot_timeout_us);
        self.out.push(Command::Spawn { worker, pool: id });
        true
    }

    /// Of those that could work, more than there should be: the outdated leave first, then those that have nothing to do.
    fn thin_out(&mut self, id: PoolId, now: i64) {
        let count = self.headcount(id);
        let target = self.pools[id.0].target;
        let able = (count.fresh - count.starting) + count.outdated;
        let too_many = able.saturating_sub(target);
        let gone = self.let_outdated_go(id, too_many, now);
        let too_many = (count.fresh).saturating_sub(target).min(too_many - gone);
        let idle = |slot: &Slot| slot.pool == id && is_idle(slot) && slot.outdated.is_none();
        // The first ready one gets the next task, so that the last ones have been idle for longest.
        let idle: Vec<WorkerId> =
            self.slots.iter().rev().filter(|(_, slot)| idle(slot)).map(|(id, _)| *id).take(too_many as usize).collect();
        let left = too_many - idle.len() as u32;
        self.pools[id.0].is_crowded = left > 0;
        for worker in idle {
            self.retire(worker, StopReason::Scaling, "was one of more than there should be", now);
        }
    }

    /// So many of the outdated, the idle ones first; how many that were.
    fn let_outdated_go(&mut self, id: PoolId, most: u32, now: i64) -> u32 {
        let outdated = self.slots.iter().filter(|(_, slot)| slot.pool == id && slot.leaving.is_none());
        let mut outdated: Vec<(bool, WorkerId, StopReason)> =
            outdated.filter_map(|(worker, slot)| Some((!is_idle(slot), *worker, slot.outdated?))).collect();
        outdated.sort_by_key(|(is_busy, worker, _)| (*is_busy, *worker));
        outdated.truncate(most as usize);
        for (_, worker, reason) in &outdated {
            self.retire(*worker, *reason, "", now);
        }
        outdated.len() as u32
    }

    pub(super) fn headcount(&self, id: PoolId) -> Headcount {
        let mut count = Headcount::default();
        for slot in self.slots.values().filter(|slot| slot.pool == id) {
            count.all += 1;
            if slot.leaving.is_some() || slot.broken || slot.phase == Phase::Leaving {
                count.leaving += 1;
                continue;
            }
            count.working += u32::from(slot.run().is_some());
            if slot.outdated.is_some() {
                count.outdated += 1;
                continue;
            }
            count.fresh += 1;
            count.greeted += u32::from(slot.greeted);
            count.starting += u32::from(slot.phase == Phase::Starting);
        }
        count
    }
}

/// How many workers of a pool are replaced at a time.
pub(super) fn at_a_time(target: u32) -> u32 {
    (target / REPLACED_AT_A_TIME).max(1)
}

/// It has nothing to do and could be given something.
pub(super) fn is_idle(slot: &Slot) -> bool {
    slot.leaving.is_none() && !slot.broken && matches!(slot.phase, Phase::Ready | Phase::Quiet)
}
