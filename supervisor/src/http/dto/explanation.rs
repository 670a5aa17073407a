//! Why tasks wait, as it leaves. Values only; the sentences are made in `sentences`.

use serde::{Deserialize, Serialize};

/// The answer to `/v1/tasks/ID/explain`: of one moment. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskExplanation {
    pub id: i64,
    pub state: String,
    pub queue: String,
    pub key: Option<String>,
    /// For people: the first thing that it waits for, with figures.
    pub sentence: String,
    /// All that it waits for, in the order in which it meets them; empty when nothing but those before it is in its way.
    pub holds: Vec<HoldText>,
    /// Those who come first: of its queue, or of its key when it is that which waits; `null` where nobody counts.
    pub before: Option<u64>,
    /// There may be more of them.
    pub before_is_least: bool,
    /// It starts no earlier than this; `null` when that depends on what nobody knows.
    pub earliest_at: Option<String>,
    /// About how long it waits at the present rate of its queue.
    pub about_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldText {
    /// `due`, `key_paused`, `key_limit`, `queue_paused`, `queue_limit`, `rate`, `no_pool`, `pool` or `no_supervisor`. Where
    /// one thing holds every pool that could run it: `memory`, `quiet`, `broken` or `no_workers`.
    pub by: String,
    /// For people: "queue images: 8 of 8 run".
    pub text: String,
    /// When it is over by itself.
    pub until: Option<String>,
}

/// The answer to `/v1/queues/QUEUE/explain`: of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueExplanation {
    pub queue: String,
    pub available: u64,
    pub running: u64,
    pub sentence: String,
    /// All that its next task waits for, in this order.
    pub holds: Vec<HoldText>,
    /// The keys that hold most tasks back.
    pub keys: Vec<HeldKey>,
    /// Keys that hold tasks back, and how many tasks.
    pub held_keys: u64,
    pub held_tasks: u64,
    /// There may be more of both.
    pub held_is_least: bool,
    /// Runs that end in a second, of late; `null` while too few have.
    pub ends_per_s: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldKey {
    pub key: String,
    pub waiting: u64,
    pub hold: HoldText,
}
