//! What the configuration says of kinds and pools, in the form that decisions need. Values only.

use std::collections::BTreeMap;

use crate::meter::Rate;
use crate::priority::AGING_STEP_US;
use crate::retry::Backoff;
use crate::task::Overrides;

pub const MAX_ATTEMPTS_DEFAULT: u32 = 5;
pub const MAX_CRASHES_DEFAULT: u32 = 3;

/// What a run may cost: resolved from task, kind and built-in values, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub timeout_ms: Option<i64>,
    pub max_attempts: u32,
    pub max_crashes: u32,
    pub backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout_ms: None,
            max_attempts: MAX_ATTEMPTS_DEFAULT,
            max_crashes: MAX_CRASHES_DEFAULT,
            backoff: Backoff::default(),
        }
    }
}

impl Limits {
    /// With what a caller says of one task.
    pub fn with(self, of_task: Overrides) -> Limits {
        Limits {
            timeout_ms: of_task.timeout_ms.or(self.timeout_ms),
            max_attempts: of_task.max_attempts.unwrap_or(self.max_attempts),
            max_crashes: of_task.max_crashes.unwrap_or(self.max_crashes),
            backoff: self.backoff,
        }
    }
}

/// A pool as the queue sees it: a name, and the queues that it serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolPolicy {
    pub name: String,
    pub queues: Vec<String>,
    /// Of its queues, in the same order, 1 to [`WEIGHT_MAX`]; one that is not told has [`WEIGHT_DEFAULT`].
    pub weights: Vec<u32>,
}

impl PoolPolicy {
    pub fn weight(&self, place: usize) -> u32 {
        self.weights.get(place).copied().unwrap_or(WEIGHT_DEFAULT).clamp(1, WEIGHT_MAX)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    pub kinds: BTreeMap<String, Limits>,
    pub pools: Vec<PoolPolicy>,
    /// Queues of which something is said.
    pub queues: BTreeMap<String, QueuePolicy>,
}

impl Policies {
    /// The task says more than its kind, the kind more than the queue.
    pub fn limits(&self, queue: &str, kind: &str, of_task: Overrides) -> Limits {
        let of_kind = self.kinds.get(kind).copied().unwrap_or_default();
        let timeout_ms = of_kind.timeout_ms.or(self.queue(queue).timeout_ms);
        Limits { timeout_ms, ..of_kind }.with(of_task)
    }

    pub fn queue(&self, name: &str) -> &QueuePolicy {
        self.queues.get(name).unwrap_or(&BUILT_IN)
    }
}

/// Between the tasks of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The best rank first, whatever its key.
    #[default]
    Rank,
    /// The keys take turns, each by its weight; within a key the best rank first.
    Fair,
}

impl Order {
    pub const ALL: [Order; 2] = [Order::Rank, Order::Fair];

    /// As in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Order::Rank => "rank",
            Order::Fair => "fair",
        }
    }
}

/// The weight of a queue or key of which nothing else is said.
pub const WEIGHT_DEFAULT: u32 = 1;
pub const WEIGHT_MAX: u32 = 100;

/// What the configuration says of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuePolicy {
    /// Tasks that run at a time.
    pub limit: Option<u32>,
    /// Tasks that run at a time under one key; tasks without a key are not counted.
    pub limit_per_key: Option<u32>,
    pub order: Order,
    /// Of keys in a fair queue, 1 to [`WEIGHT_MAX`].
    pub weights: BTreeMap<String, u32>,
    pub rates: Vec<Rate>,
    /// What one step of priority is worth, in microseconds of waiting.
    pub aging_step_us: i64,
    /// How long a run may take, where neither its task nor its kind says.
    pub timeout_ms: Option<i64>,
}

/// Of a queue of which nothing is said.
static BUILT_IN: QueuePolicy = QueuePolicy {
    limit: None,
    limit_per_key: None,
    order: Order::Rank,
    weights: BTreeMap::new(),
    rates: Vec::new(),
    aging_step_us: AGING_STEP_US,
    timeout_ms: None,
};

impl Default for QueuePolicy {
    fn default() -> QueuePolicy {
        BUILT_IN.clone()
    }
}

impl QueuePolicy {
    /// The key of the lane in which a task of this key waits; `None` for one that goes straight to `ready`. In a fair queue
    /// tasks without a key take turns as one key, whose name is empty.
    pub fn lane_of<'a>(&self, key: Option<&'a str>) -> Option<&'a str> {
        key.or((self.order == Order::Fair).then_some(""))
    }

    pub fn weight(&self, key: &str) -> u32 {
        self.weights.get(key).copied().unwrap_or(WEIGHT_DEFAULT).clamp(1, WEIGHT_MAX)
    }
}
