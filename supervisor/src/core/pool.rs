//! A pool of workers of one program as the machine keeps it: what is said of it, what it has measured, how many workers there
//! should be. Values; who starts and who leaves is decided in `staff`.

use queue_core::task::PoolId;

use super::decisions::{Decision, Decisions};
use super::health::{Health, PoolState};
use super::load::PoolLoad;
use crate::config::{self, BOOT_TIMEOUT_US, Config, Recycle, Scale, Workers};

/// What the configuration says of a pool, as far as its processes are concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSpec {
    pub name: String,
    pub workers: Workers,
    pub scale: Scale,
    pub recycle: Recycle,
    /// What one worker may have in memory.
    pub memory_bytes: Option<u64>,
    pub boot_timeout_us: i64,
    pub dump_on_hang: bool,
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
        let required = config.kinds.iter().filter(|(_, kind)| routed(kind)).map(|(name, _)| name.clone());
        PoolSpec {
            name: pool.name.clone(),
            workers: pool.workers,
            scale: pool.scale,
            recycle: pool.recycle,
            memory_bytes: pool.limits.memory_bytes,
            boot_timeout_us: pool.boot_timeout_us,
            dump_on_hang: pool.dump_on_hang,
            queues: pool.queues.clone(),
            required_kinds: required.collect(),
        }
    }
}

impl Default for PoolSpec {
    fn default() -> PoolSpec {
        PoolSpec {
            name: String::new(),
            workers: Workers::default(),
            scale: Scale::default(),
            recycle: Recycle::default(),
            memory_bytes: None,
            boot_timeout_us: BOOT_TIMEOUT_US,
            dump_on_hang: false,
            queues: Vec::new(),
            required_kinds: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Pool {
    pub spec: PoolSpec,
    pub health: Health,
    pub load: PoolLoad,
    /// How many workers there should be, when all is well.
    pub target: u32,
    /// Since when fewer would do.
    pub needed_at: i64,
    /// There are more than there should be: whoever has ended its run leaves.
    pub is_crowded: bool,
    /// It starts no further tasks.
    pub is_quiet: bool,
    /// Since when a worker of it does not fit into the memory of the host.
    pub short_since: Option<i64>,
    /// How the last worker of a broken pool ended.
    pub broken_by: String,
    pub decisions: Decisions,
}

impl Pool {
    pub fn new(spec: PoolSpec) -> Pool {
        Pool {
            target: spec.workers.min,
            spec,
            health: Health::default(),
            load: PoolLoad::default(),
            needed_at: i64::MIN,
            is_crowded: false,
            is_quiet: false,
            short_since: None,
            broken_by: String::new(),
            decisions: Decisions::default(),
        }
    }

    /// How many workers there should be, with the circuit as it is: all, one probe beside those that have said hello, or
    /// no new one.
    pub fn wanted(&self, greeted: u32) -> u32 {
        match self.health.state() {
            PoolState::Serving | PoolState::BackingOff { .. } => self.target,
            PoolState::Broken { .. } => self.target.min(greeted + 1),
            PoolState::Stopped => 0,
        }
    }

    /// The required kinds that a worker which offers `kinds` lacks.
    pub fn lacks<'a>(&'a self, kinds: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.spec.required_kinds.iter().filter(|kind| !kinds.contains(kind)).map(String::as_str)
    }

    /// There should be so many from now on.
    pub fn aim(&mut self, to: u32, why: String, now: i64) {
        self.decisions.add(Decision { at: now, from: self.target, to, why });
        self.target = to;
    }

    /// Something that does not change how many there should be.
    pub fn note(&mut self, why: String, now: i64) {
        self.decisions.add(Decision { at: now, from: self.target, to: self.target, why });
    }
}

/// Workers of one pool by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headcount {
    /// Every process, also those on their way in or out.
    pub all: u32,
    /// Not on their way out, and not to be replaced.
    pub fresh: u32,
    /// Those of the fresh that have said hello.
    pub greeted: u32,
    /// Those of the fresh that are not ready yet.
    pub starting: u32,
    /// To be replaced, and not yet on their way out.
    pub outdated: u32,
    pub leaving: u32,
    /// Those of the fresh and the outdated that run something.
    pub working: u32,
}

/// Of each pool, by its place.
pub fn ids(pools: &[Pool]) -> impl Iterator<Item = PoolId> + use<> {
    (0..pools.len()).map(PoolId)
}
