//! The configuration as the program uses it: complete, checked, with every default filled in. Values only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipc_contract::CommandTemplate;
use queue_core::policy::{Limits, Policies, PoolPolicy, QueuePolicy};
use queue_core::task::PoolId;

use super::pool::{Pool, Program};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Absolute; of an existing file, with its links resolved.
    pub db: PathBuf,
    /// Absolute: where workers start. That of the file, or the current one without a file.
    pub folder: PathBuf,
    /// By name.
    pub pools: Vec<Pool>,
    /// Those of which the file says something.
    pub queues: BTreeMap<String, QueuePolicy>,
    /// Those of the file, and the built-in kind `command`.
    pub kinds: BTreeMap<String, Kind>,
    pub host: Host,
}

/// What the supervisor may use of its machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    /// For all workers together, by what their pools declare.
    pub memory: MemoryBudget,
    pub cgroup: CgroupUse,
    /// No worker may run as root.
    pub require_user: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MemoryBudget {
    /// Of what the machine has, or of what our group may use; above 0, up to 1.
    Share(f64),
    Bytes(u64),
}

impl Default for MemoryBudget {
    fn default() -> MemoryBudget {
        MemoryBudget::Share(0.8)
    }
}

/// Whether workers get control groups of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CgroupUse {
    /// Where the host gives them.
    #[default]
    Auto,
    Off,
    /// Below this one, or not at all.
    At(PathBuf),
}

/// Tasks that have their work in common.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kind {
    /// The plain command; such a kind has a queue.
    pub run: Option<CommandTemplate>,
    /// Absent: that of the pool that offers it.
    pub queue: Option<String>,
    pub limits: Limits,
    /// A run that says nothing of its progress for so long is stopped.
    pub progress_timeout_ms: Option<i64>,
}

impl Config {
    /// What the queue has to know.
    pub fn policies(&self) -> Policies {
        let pool = |pool: &Pool| PoolPolicy {
            name: pool.name.clone(),
            queues: pool.queues.clone(),
            weights: pool.weights.clone(),
        };
        Policies {
            kinds: self.kinds.iter().map(|(name, kind)| (name.clone(), kind.limits)).collect(),
            pools: self.pools.iter().map(pool).collect(),
            queues: self.queues.clone(),
        }
    }

    /// What a run of this kind may cost, as far as the task itself says nothing.
    pub fn limits(&self, kind: &str) -> Limits {
        self.kinds.get(kind).map(|kind| kind.limits).unwrap_or_default()
    }

    /// A pool, and its place in [`Policies::pools`].
    pub fn pool(&self, name: &str) -> Option<(PoolId, &Pool)> {
        let at = self.pools.iter().position(|pool| pool.name == name)?;
        Some((PoolId(at), &self.pools[at]))
    }

    /// The plain commands that the workers of a stock pool must know.
    pub fn stock_kinds(&self, pool: &Pool) -> BTreeMap<String, &CommandTemplate> {
        let of_pool = |kind: &Kind| kind.queue.as_ref().is_some_and(|queue| pool.queues.contains(queue));
        let mine = self.kinds.iter().filter(|(_, kind)| pool.program == Program::Stock && of_pool(kind));
        mine.filter_map(|(name, kind)| Some((name.clone(), kind.run.as_ref()?))).collect()
    }

    /// The pools that serve a queue.
    pub fn pools_of<'a>(&'a self, queue: &'a str) -> impl Iterator<Item = &'a Pool> {
        self.pools.iter().filter(move |pool| pool.queues.iter().any(|served| served == queue))
    }
}
