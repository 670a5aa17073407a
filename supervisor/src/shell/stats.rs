//! How many tasks and workers stand where, for whoever asks: the queue's part from the writer's book, the workers' from the
//! machine. Counts nothing by looking at rows.

use std::collections::BTreeMap;

use queue_core::book::Census;
use queue_core::task::PoolId;

use crate::config::{Config, Pool, is_retired};
use crate::core::{Machine, PoolHold};

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
    /// It is in the configuration no more.
    pub is_gone: bool,
    /// How many there should be.
    pub wanted: u32,
    /// By state.
    pub workers: BTreeMap<&'static str, usize>,
    /// Why it starts no more workers or tasks; nothing when it does.
    pub hold: Option<PoolHold>,
}

pub fn pools(config: &Config, machine: &Machine) -> Vec<PoolStats> {
    let stats = |(index, pool): (usize, &Pool)| PoolStats {
        name: pool.name.clone(),
        is_gone: is_retired(pool),
        wanted: machine.target(PoolId(index)),
        workers: BTreeMap::new(),
        hold: machine.hold(PoolId(index)),
    };
    let mut pools: Vec<PoolStats> = config.pools.iter().enumerate().map(stats).collect();
    for slot in machine.slots().values() {
        *pools[slot.pool.0].workers.entry(slot.state_name()).or_default() += 1;
    }
    pools
}
