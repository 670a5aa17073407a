//! A policy, what it says in one sentence, and who sends what. Values only.

use queue_core::policy::{Order, Policies, PoolPolicy, QueuePolicy};
use queue_core::priority::AGING_OFF_US;

/// The pool carries one task in this time.
pub(super) const CARRIES_US: i64 = 1_000_000;
/// Runs at a time; each takes so many times as long.
pub(super) const SLOTS: usize = 4;

pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) rule: &'static str,
    pub(super) policies: Policies,
    pub(super) classes: Vec<Class>,
}

/// Tasks of one sort.
pub(super) struct Class {
    pub(super) name: &'static str,
    /// As a multiple of what the pool carries; three in all.
    pub(super) load: f64,
    pub(super) queue: &'static str,
    pub(super) key: Option<&'static str>,
    pub(super) priority: i64,
}

pub(super) fn all() -> Vec<Scene> {
    let aged = QueuePolicy::default();
    let strict = QueuePolicy { aging_step_us: AGING_OFF_US, ..QueuePolicy::default() };
    let fair = QueuePolicy { order: Order::Fair, ..QueuePolicy::default() };
    let limited = QueuePolicy { limit_per_key: Some(1), ..QueuePolicy::default() };
    vec![
        scene("aging = \"1m\"", "each step of priority is worth a minute", aged.clone(), levels()),
        scene("aging = \"off\"", "priority alone decides, and the last may wait for ever", strict, levels()),
        scene("order = \"rank\"", "one key floods the queue, and all wait for it", aged.clone(), keys()),
        scene("order = \"fair\"", "keys take turns: who floods waits alone", fair, keys()),
        scene("limit_per_key = 1", "one slot of four for each key, others stay free", limited, keys()),
        scene("queues = { paying = 3, free = 1 }", "three turns of paying for one of free", aged, queues()),
    ]
}

fn scene(title: &'static str, rule: &'static str, policy: QueuePolicy, classes: Vec<Class>) -> Scene {
    let weights = [("q", 1), ("paying", 3), ("free", 1)];
    let (queues, weights) = weights.into_iter().map(|(queue, weight)| (queue.to_owned(), weight)).unzip();
    let pool = PoolPolicy { name: "p".to_owned(), queues, weights };
    let queues = [("q".to_owned(), policy)].into();
    Scene { title, rule, policies: Policies { pools: vec![pool], queues, ..Policies::default() }, classes }
}

fn levels() -> Vec<Class> {
    let level = |name, load, priority| Class { name, load, queue: "q", key: None, priority };
    vec![level("high", 0.5, -10), level("normal", 1.0, 0), level("low", 1.5, 10)]
}

fn keys() -> Vec<Class> {
    let key = |name, load| Class { name, load, queue: "q", key: Some(name), priority: 0 };
    vec![key("busy", 2.6), key("small", 0.2), key("tiny", 0.2)]
}

fn queues() -> Vec<Class> {
    let queue = |name, load| Class { name, load, queue: name, key: None, priority: 0 };
    vec![queue("paying", 1.0), queue("free", 2.0)]
}
