//! Memory: which worker fits beside what is there, who makes room for whom, and who has more than its pool allows.
//!
//! A worker counts by what its pool declared when it was started; one of a pool that declared nothing by what it has. A pool that
//! does not fit takes what comes free before others once it has waited for long, so that no pool keeps another from working for ever.

use ipc_contract::message::StopReason;
use queue_core::task::{Outcome, PoolId, WorkerId};

use super::ending::Verdict;
use super::event::Sample;
use super::host::MemoryCap;
use super::machine::Machine;
use super::pool::ids;
use super::slot::{Phase, Slot};
use super::staff::is_idle;
use super::timers::Timer;
use crate::text::bytes;

/// How long a pool without workers waits for memory until others must give some.
const PATIENCE_US: i64 = 10_000_000;

impl Machine {
    /// What the workers that are there count for, those on their way out included.
    pub(super) fn reserved_bytes(&self) -> u64 {
        self.slots.values().fold(0, |sum, slot| sum.saturating_add(counts_for(slot)))
    }

    /// What all workers together may have in memory, and what those that are there count for.
    pub fn memory(&self) -> (u64, u64) {
        (self.host.memory_budget_bytes, self.reserved_bytes())
    }

    fn free_bytes(&self) -> u64 {
        self.host.memory_budget_bytes.saturating_sub(self.reserved_bytes())
    }

    /// Whether one more worker of the pool fits.
    pub(super) fn fits(&self, id: PoolId, now: i64) -> bool {
        let Some(need) = self.pools[id.0].spec.memory_bytes else { return true };
        need <= self.free_bytes() && !ids(&self.pools).any(|other| self.goes_before(other, id, now))
    }

    /// A pool that has had no worker for long gets memory before one that has some, or has waited for less long.
    fn goes_before(&self, other: PoolId, id: PoolId, now: i64) -> bool {
        let Some(since) = self.pools[other.0].short_since.filter(|_| other != id) else { return false };
        let is_starved = since + PATIENCE_US <= now && self.headcount(other).fresh == 0;
        is_starved && (self.headcount(id).fresh > 0 || since < self.pools[id.0].short_since.unwrap_or(now))
    }

    /// The same. If not, the pool is in line for memory from now on.
    pub(super) fn has_memory_for(&mut self, id: PoolId, now: i64) -> bool {
        if self.fits(id, now) {
            self.out_of_line(id);
            return true;
        }
        if let Some(never) = self.never_fits(id) {
            // No room would be enough: it keeps no other from theirs.
            self.out_of_line(id);
            self.pools[id.0].note(never, now);
            return false;
        }
        if self.pools[id.0].short_since.is_none() {
            self.pools[id.0].short_since = Some(now);
            self.timers.set(Timer::Memory(id), now + PATIENCE_US);
        }
        let why = self.short_of_memory(id).unwrap_or_default();
        self.pools[id.0].note(why, now);
        let need = self.pools[id.0].spec.memory_bytes.unwrap_or(0);
        self.make_room(id, need.saturating_sub(self.free_bytes()), now);
        false
    }

    /// The pool waits for no memory, or does no more.
    pub(super) fn out_of_line(&mut self, id: PoolId) {
        self.pools[id.0].short_since = None;
        self.timers.clear(Timer::Memory(id));
    }

    /// Why a pool waits for memory, in a sentence; nothing when it does not.
    pub fn short_of_memory(&self, id: PoolId) -> Option<String> {
        if let Some(never) = self.never_fits(id) {
            return Some(never);
        }
        let pool = self.pools.get(id.0)?;
        pool.short_since?;
        let (need, budget) = (bytes(pool.spec.memory_bytes?), bytes(self.host.memory_budget_bytes));
        let free = bytes(self.free_bytes());
        Some(format!("waits for memory: a worker may need {need}, and of the budget of {budget} {free} are free"))
    }

    /// The limit of one worker is above what all may have.
    pub(super) fn never_fits(&self, id: PoolId) -> Option<String> {
        let (need, budget) = (self.pools.get(id.0)?.spec.memory_bytes?, self.host.memory_budget_bytes);
        let told = || {
            format!("can have no worker: one may need {} in memory, and the budget is {}", bytes(need), bytes(budget))
        };
        (need > budget).then(told)
    }

    /// Idle workers of other pools leave, as far as these can do without them.
    fn make_room(&mut self, id: PoolId, missing: u64, now: i64) {
        let on_their_way = self.slots.values().filter(|slot| slot.leaving.is_some() || slot.broken);
        let mut coming = on_their_way.fold(0_u64, |sum, slot| sum.saturating_add(counts_for(slot)));
        for other in ids(&self.pools).filter(|other| *other != id) {
            while coming < missing && self.pools[other.0].load.waiting == 0 {
                let idle = |slot: &Slot| slot.pool == other && is_idle(slot) && counts_for(slot) > 0;
                let spare = self.headcount(other).fresh > self.pools[other.0].spec.workers.min;
                let Some((&worker, slot)) = self.slots.iter().rev().find(|(_, slot)| spare && idle(slot)) else {
                    break;
                };
                coming = coming.saturating_add(counts_for(slot));
                self.yield_one(worker, id, now);
            }
        }
    }

    /// A pool without workers has waited for long: the one that has most above its least lets one go after its run. Whoever
    /// has not run anything yet stays: where all take long to start, nobody would ever come to run anything.
    pub(super) fn memory_overdue(&mut self, id: PoolId, now: i64) {
        if self.pools[id.0].short_since.is_none() || self.headcount(id).fresh > 0 {
            return;
        }
        self.timers.set(Timer::Memory(id), now + PATIENCE_US);
        let spare = |other: &PoolId| self.headcount(*other).fresh.saturating_sub(self.pools[other.0].spec.workers.min);
        let has = |other: &PoolId| u64::from(spare(other)) * self.pools[other.0].spec.memory_bytes.unwrap_or(0);
        let has_run = |slot: &Slot| slot.tasks > 0 || slot.run().is_some();
        let may_go = |slot: &Slot| slot.leaving.is_none() && !slot.broken && has_run(slot);
        let of = |other: PoolId| self.slots.iter().find(|(_, slot)| slot.pool == other && may_go(slot));
        let others = ids(&self.pools).filter(|other| *other != id && has(other) > 0 && of(*other).is_some());
        if let Some(worker) = others.max_by_key(has).and_then(of).map(|(worker, _)| *worker) {
            self.yield_one(worker, id, now);
        }
    }

    fn yield_one(&mut self, worker: WorkerId, to: PoolId, now: i64) {
        let Some(from) = self.slots.get(&worker).map(|slot| slot.pool) else { return };
        let why = format!("makes room for a worker of pool {}, which waits for memory", self.pools[to.0].spec.name);
        let target = self.pools[from.0].target.saturating_sub(1).max(self.pools[from.0].spec.workers.min);
        self.pools[from.0].aim(target, why.clone(), now);
        // If it wants it back, it is last in line.
        self.pools[from.0].short_since = self.pools[from.0].short_since.map(|_| now);
        self.retire(worker, StopReason::Memory, &why, now);
    }

    /// Memory came free: those that wait for it are next, whoever has waited for longest first.
    pub(super) fn fill_short(&mut self, now: i64) {
        let mut short: Vec<(i64, PoolId)> =
            ids(&self.pools).filter_map(|id| Some((self.pools[id.0].short_since?, id))).collect();
        short.sort_unstable();
        for (_, id) in short {
            self.fill(id, now);
        }
    }

    pub(super) fn sampled(&mut self, samples: &[Sample], now: i64) {
        for Sample { worker, rss_bytes } in samples {
            let Some(slot) = self.slots.get_mut(worker) else { continue };
            slot.rss_bytes = *rss_bytes;
            if let Phase::Working(run) | Phase::Cleaning(run, _) = &mut slot.phase {
                run.peak_rss_bytes = run.peak_rss_bytes.max(*rss_bytes);
            }
            if let Some(limit) =
                slot.memory_bytes.filter(|limit| self.host.memory_cap == MemoryCap::Soft && rss_bytes > limit)
            {
                self.over_memory(*worker, *rss_bytes, limit, now);
            }
        }
        self.fill_short(now);
    }

    fn over_memory(&mut self, worker: WorkerId, rss_bytes: u64, limit: u64, now: i64) {
        let Some(slot) = self.slots.get_mut(&worker).filter(|slot| slot.leaving != Some(StopReason::Memory)) else {
            return;
        };
        let detail = format!("had {} in memory, over the limit of {} (by samples)", bytes(rss_bytes), bytes(limit));
        slot.leaving = Some(StopReason::Memory);
        slot.why = detail.clone();
        let pool = slot.pool;
        match &mut slot.phase {
            Phase::Working(run) => drop(run.verdict.get_or_insert(Verdict { outcome: Outcome::Oom, detail })),
            Phase::Ready => {
                slot.phase = Phase::Leaving;
                self.demand(pool, -1);
            }
            Phase::Quiet => slot.phase = Phase::Leaving,
            Phase::Starting | Phase::Cleaning(..) | Phase::Leaving => {}
        }
        self.kill(worker, now);
    }
}

fn counts_for(slot: &Slot) -> u64 {
    slot.memory_bytes.unwrap_or(slot.rss_bytes)
}
