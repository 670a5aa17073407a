//! When how many workers a pool should have is looked at anew, and what follows: as many more as are needed at once, one less
//! after a whole cooldown without need of it.

use queue_core::backlog::Backlog;
use queue_core::task::PoolId;

use super::machine::{Machine, Shutdown};
use super::scaling::{Load, wanted};
use super::slot::Slot;
use super::staff::is_idle;
use super::timers::Timer;

/// From one look to the next, while something waits.
const LOOK_EVERY_US: i64 = 250_000;

impl Machine {
    /// The queue says what waits for a pool.
    pub(super) fn told_backlog(&mut self, backlog: Backlog, now: i64) {
        let Some(pool) = self.pools.get_mut(backlog.pool.0) else { return };
        pool.load.told(backlog.tasks, backlog.kinds, now);
        self.rescale(backlog.pool, now);
    }

    pub(super) fn rescale(&mut self, id: PoolId, now: i64) {
        let load = self.load(id, now);
        let count = self.headcount(id);
        let has_idle = self.slots.values().any(|slot| slot.pool == id && is_idle(slot) && slot.outdated.is_none());
        let pool = &mut self.pools[id.0];
        let (workers, scale) = (pool.spec.workers, pool.spec.scale);
        if self.shutdown != Shutdown::No || pool.is_quiet || workers.min == workers.max {
            return;
        }
        let wanted = wanted(&load, scale, workers);
        if wanted.count >= pool.target {
            pool.needed_at = now;
        }
        let cool_at = pool.needed_at.saturating_add(scale.cooldown_us);
        if wanted.count > pool.target {
            pool.aim(wanted.count, wanted.why, now);
        } else if wanted.count < pool.target && cool_at <= now && (has_idle || count.fresh < pool.target) {
            let cooldown =
                humantime::format_duration(std::time::Duration::from_micros(scale.cooldown_us.unsigned_abs()));
            pool.aim(pool.target - 1, format!("for {cooldown} one less would have done: {}", wanted.why), now);
            pool.needed_at = now;
        }
        let pool = &self.pools[id.0];
        let next = match (pool.load.waiting > 0, pool.target > workers.min) {
            (true, _) => Some(now + LOOK_EVERY_US),
            (false, true) => Some(pool.needed_at.saturating_add(scale.cooldown_us).max(now + LOOK_EVERY_US)),
            (false, false) => None,
        };
        match next {
            Some(at) => self.timers.set(Timer::Scale(id), at),
            None => self.timers.clear(Timer::Scale(id)),
        }
        self.fill(id, now);
    }

    /// What is known of a pool now.
    pub(super) fn load(&self, id: PoolId, now: i64) -> Load {
        let (pool, count) = (&self.pools[id.0], self.headcount(id));
        let runs = || self.slots.values().filter(|slot| slot.pool == id).filter_map(Slot::run);
        let longest_s = runs().map(|run| now - run.started_at).max().unwrap_or(0) as f64 / 1e6;
        let target_s = pool.spec.scale.target_wait_us as f64 / 1e6;
        let is_long = |run: &&super::slot::Run| {
            let so_far_s = (now - run.started_at) as f64 / 1e6;
            let rest_s = match pool.load.service_of_s(&run.kind) {
                Some(service_s) if service_s > so_far_s => service_s - so_far_s,
                // Longer than ever: it may well take as long again.
                _ => so_far_s,
            };
            rest_s > target_s
        };
        Load {
            waiting: pool.load.waiting,
            rate: pool.load.rate(now),
            service_s: pool.load.service_s(longest_s),
            boot_s: pool.load.boot_s.get().unwrap_or(0.0),
            there: count.fresh + count.outdated,
            working: count.working,
            occupied: runs().filter(is_long).count() as u32,
        }
    }
}
