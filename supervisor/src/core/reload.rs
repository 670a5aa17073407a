//! Another configuration while running: numbers count from now on, changed programs are rolled in, pools come and go.

use ipc_contract::message::StopReason;

use super::machine::Machine;
use super::pool::{Pool, PoolSpec, ids};
use crate::config::{Config, Renewal};

/// Why a worker is replaced.
const OUTDATED: &str = "was of an older configuration";

impl Machine {
    /// Each pool that was there has its old place, also one that is there no more: that has no queues and no workers.
    pub(super) fn reload(&mut self, config: Config, now: i64) {
        let old = std::mem::replace(&mut self.config, config);
        let specs = PoolSpec::all(&self.config);
        for (index, spec) in specs.into_iter().enumerate() {
            match self.pools.get_mut(index) {
                None => self.pools.push(Pool::new(spec)),
                Some(pool) => {
                    let was = std::mem::replace(&mut pool.spec, spec);
                    // What an operator has said of its size lasts until the configuration says something else.
                    if old.pools[index].workers == self.config.pools[index].workers {
                        pool.spec.workers = was.workers;
                    }
                    let target = pool.target.clamp(pool.spec.workers.min, pool.spec.workers.max);
                    if target != pool.target {
                        pool.aim(target, "the configuration was changed".to_owned(), now);
                    }
                }
            }
        }
        for id in ids(&self.pools) {
            let was = old.pools.get(id.0);
            let renewal =
                was.map_or(Renewal::Keep, |was| Renewal::of((&old, was), (&self.config, &self.config.pools[id.0])));
            if was.is_none() || renewal != Renewal::Keep {
                self.introduce(id, now);
            }
            if renewal != Renewal::Keep {
                self.pools[id.0].health.mended();
                self.pools[id.0].note("its configuration was changed: its workers are replaced".to_owned(), now);
                self.outdate(id, StopReason::Reload, OUTDATED, now);
            }
            if renewal == Renewal::AtOnce {
                let workers = self.slots.iter().filter(|(_, slot)| slot.pool == id && slot.outdated.is_some());
                for worker in workers.map(|(worker, _)| *worker).collect::<Vec<_>>() {
                    self.retire(worker, StopReason::Reload, OUTDATED, now);
                }
            }
            self.rescale(id, now);
            self.fill(id, now);
        }
    }
}
