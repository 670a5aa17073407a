//! How many tasks and workers stand where, for whoever asks: the queue's part from the writer's book, the workers' from the
//! machine. Counts nothing by looking at rows.

use std::collections::BTreeMap;

use queue_core::book::Census;
use tokio::sync::oneshot;

use super::handle::Unavailable;
use crate::config::Config;
use crate::core::Machine;

/// Everything that is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Since the start of the supervisor.
    pub up_us: i64,
    pub tasks: Census,
    /// In the order of the configuration.
    pub pools: Vec<PoolStats>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    pub name: String,
    /// How many there should be.
    pub wanted: u32,
    /// By state.
    pub workers: BTreeMap<&'static str, usize>,
}

type Caller = oneshot::Sender<Result<Stats, Unavailable>>;

/// Who waits for an answer, and who is being answered.
#[derive(Default)]
pub struct Inquiry {
    wanted: Vec<Caller>,
    asked: Vec<Caller>,
}

impl Inquiry {
    pub fn want(&mut self, caller: Caller) {
        self.wanted.push(caller);
    }

    pub fn is_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    pub fn is_out(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The writer is being asked.
    pub fn begin(&mut self) {
        self.asked = std::mem::take(&mut self.wanted);
    }

    pub fn answer(&mut self, stats: &Stats) {
        for caller in self.asked.drain(..) {
            // Who has hung up does not need it.
            let _ = caller.send(Ok(stats.clone()));
        }
    }
}

pub fn pools(config: &Config, machine: &Machine) -> Vec<PoolStats> {
    let mut pools: Vec<PoolStats> = config
        .pools
        .iter()
        .map(|pool| PoolStats { name: pool.name.clone(), wanted: pool.workers, workers: BTreeMap::new() })
        .collect();
    for slot in machine.slots().values() {
        *pools[slot.pool.0].workers.entry(slot.state_name()).or_default() += 1;
    }
    pools
}
