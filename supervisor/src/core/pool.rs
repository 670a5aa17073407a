//! A pool of workers of one program: how many there should be now. Pure; starting them is the machine's.

use super::health::{Circuit, Health};
use crate::config::{self, Config};

/// What the configuration says of a pool, as far as its processes are concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSpec {
    pub name: String,
    pub workers: u32,
    /// Whose tasks they run.
    pub queues: Vec<String>,
    /// Kinds that the configuration routes to its queues: each worker must offer all of them.
    pub required_kinds: Vec<String>,
}

impl PoolSpec {
    /// One for each pool, in the order of the configuration.
    pub fn all(config: &Config) -> Vec<PoolSpec> {
        config.pools.iter().map(|pool| PoolSpec::of(config, pool)).collect()
    }

    fn of(config: &Config, pool: &config::Pool) -> PoolSpec {
        let routed = |kind: &config::Kind| kind.queue.as_ref().is_some_and(|queue| pool.queues.contains(queue));
        PoolSpec {
            name: pool.name.clone(),
            workers: pool.workers.max,
            queues: pool.queues.clone(),
            required_kinds: config
                .kinds
                .iter()
                .filter(|(_, kind)| routed(kind))
                .map(|(name, _)| name.clone())
                .collect(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Pool {
    pub spec: PoolSpec,
    pub health: Health,
    /// No worker is started before this.
    pub start_at: i64,
    /// How the last worker of a broken pool ended.
    pub broken_by: String,
}

impl Pool {
    pub fn new(spec: PoolSpec) -> Pool {
        Pool { spec, health: Health::default(), start_at: i64::MIN, broken_by: String::new() }
    }

    /// How many workers there should be, with the circuit as it is: all, one probe beside those that have said hello, or
    /// no new one.
    pub fn wanted(&self, greeted: usize) -> usize {
        let all = self.spec.workers as usize;
        match self.health.circuit() {
            Circuit::Closed => all,
            Circuit::Open => all.min(greeted + 1),
            Circuit::Stopped => 0,
        }
    }

    /// The required kinds that a worker which offers `kinds` lacks.
    pub fn lacks<'a>(&'a self, kinds: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.spec.required_kinds.iter().filter(|kind| !kinds.contains(kind)).map(String::as_str)
    }
}
