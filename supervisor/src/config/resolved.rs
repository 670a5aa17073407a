//! The configuration as the program uses it: complete, checked, with every default filled in. Values only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipc_contract::CommandTemplate;
use queue_core::policy::{Limits, Policies, PoolPolicy, QueuePolicy};
use queue_core::task::PoolId;

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
}

/// Workers of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    pub name: String,
    pub program: Program,
    pub channel: Channel,
    /// At least one; the first takes the tasks that name no queue.
    pub queues: Vec<String>,
    /// Of its queues, in the same order.
    pub weights: Vec<u32>,
    /// How many, 1 to 256.
    pub workers: u32,
    /// Names of the variables that its workers get from the supervisor's environment.
    pub env: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Any program that speaks the contract.
    Command(Vec<String>),
    /// Our own worker, for the plain commands of its kinds.
    Stock,
}

/// Which descriptors of a worker are its channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// Stdin and stdout, which the worker itself must keep free of everything else.
    #[default]
    Stdio,
    /// Descriptors 3 and 4; what the worker prints is its log from the start.
    Fd3,
}

impl Channel {
    pub const ALL: [Channel; 2] = [Channel::Stdio, Channel::Fd3];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Stdio => "stdio",
            Channel::Fd3 => "fd3",
        }
    }

    pub fn named(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// Tasks that have their work in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// The plain command; such a kind has a queue.
    pub run: Option<CommandTemplate>,
    /// Absent: that of the pool that offers it.
    pub queue: Option<String>,
    pub limits: Limits,
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
