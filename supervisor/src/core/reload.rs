//! Another configuration while running: numbers count from now on, changed programs are rolled in, pools come and go.

use ipc_contract::message::StopReason;

use super::machine::Machine;
use super::pool::{Pool, PoolSpec, ids};
use crate::config::{self, Config};

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
            if was.is_none_or(|was| is_another_program(&old, was, &self.config, &self.config.pools[id.0])) {
                self.introduce(id, now);
            }
            if was.is_some_and(|was| is_another_program(&old, was, &self.config, &self.config.pools[id.0])) {
                self.pools[id.0].health.mended();
                self.pools[id.0].note("its configuration was changed: its workers are replaced".to_owned(), now);
                self.outdate(id, StopReason::Reload, "was of an older configuration", now);
            }
            self.rescale(id, now);
            self.fill(id, now);
        }
    }
}

/// What is started now would be another process than those that run.
fn is_another_program(old: &Config, was: &config::Pool, new: &Config, is: &config::Pool) -> bool {
    let process = |config: &Config, pool: &config::Pool| {
        let stock = config.stock_kinds(pool).into_iter().map(|(kind, run)| (kind, run.tokens())).collect::<Vec<_>>();
        (config.folder.clone(), pool.program.clone(), pool.channel, pool.process.clone(), pool.limits, stock)
    };
    process(old, was) != process(new, is)
}
