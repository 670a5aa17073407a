//! What queues are like in which a claim is counted.

use queue_core::policy::{Order, Policies, PoolPolicy, QueuePolicy};
use queue_core::task::NewTask;

pub(super) const QUEUE: &str = "q";
/// Tasks of each key, where there are many keys.
const TASKS_PER_KEY: usize = 10;
/// Tasks of each queue, where there are many queues.
const TASKS_PER_QUEUE: usize = 1_000;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No keys, no limits: the yardstick.
    Plain,
    /// Nine of ten tasks belong to one key that is at its limit.
    KeyAtLimit,
    /// Each key has ten tasks, of which one may run.
    ManyKeys,
    /// Each key has ten tasks, and the keys take turns.
    FairKeys,
    /// Each queue has a thousand tasks; one pool serves all.
    ManyQueues,
    /// Nine of ten tasks belong to keys that are paused.
    ClosedKeys,
    /// Nine of ten tasks have finished.
    Finished,
    /// Nine of ten tasks are for later.
    Scheduled,
}

impl Shape {
    pub const ALL: [Shape; 8] = [
        Shape::Plain,
        Shape::KeyAtLimit,
        Shape::ManyKeys,
        Shape::FairKeys,
        Shape::ManyQueues,
        Shape::ClosedKeys,
        Shape::Finished,
        Shape::Scheduled,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Shape::Plain => "plain",
            Shape::KeyAtLimit => "9 of 10 of one key at its limit",
            Shape::ManyKeys => "10 tasks a key, one of each may run",
            Shape::FairKeys => "10 tasks a key, keys take turns",
            Shape::ManyQueues => "1000 tasks a queue, one pool",
            Shape::ClosedKeys => "9 of 10 of paused keys",
            Shape::Finished => "9 of 10 finished",
            Shape::Scheduled => "9 of 10 for later",
        }
    }

    pub(super) fn policies(self, tasks: usize) -> Policies {
        let policy = match self {
            Shape::KeyAtLimit | Shape::ManyKeys => QueuePolicy { limit_per_key: Some(1), ..QueuePolicy::default() },
            Shape::FairKeys => QueuePolicy { order: Order::Fair, ..QueuePolicy::default() },
            _ => QueuePolicy::default(),
        };
        let queues = (0..self.queues(tasks)).map(queue).collect();
        let pool = PoolPolicy { name: "p".to_owned(), queues, weights: Vec::new() };
        Policies { pools: vec![pool], queues: [(QUEUE.to_owned(), policy)].into(), ..Policies::default() }
    }

    /// The task of this number among so many.
    pub(super) fn task(self, number: usize, tasks: usize) -> NewTask {
        let of_most = number % 10 < 9;
        let mut new = NewTask { kind: "k".to_owned(), queue: queue(0), args: vec![0x80], ..NewTask::default() };
        match self {
            Shape::Plain | Shape::Finished => {}
            Shape::KeyAtLimit => new.key = of_most.then(|| "hot".to_owned()),
            Shape::ManyKeys | Shape::FairKeys => new.key = Some(format!("key-{}", number % (tasks / TASKS_PER_KEY))),
            Shape::ManyQueues => new.queue = queue(number % self.queues(tasks)),
            Shape::ClosedKeys => new.key = of_most.then(|| closed_key(number % self.closed_keys(tasks))),
            Shape::Scheduled => new.delay_us = if of_most { DAY_US } else { 0 },
        }
        new
    }

    /// Keys that are paused.
    pub(super) fn closed_keys(self, tasks: usize) -> usize {
        if self == Shape::ClosedKeys { tasks / TASKS_PER_KEY } else { 0 }
    }

    /// Tasks that have finished before the measurement.
    pub(super) fn finished(self, tasks: usize) -> usize {
        if self == Shape::Finished { tasks / 10 * 9 } else { 0 }
    }

    fn queues(self, tasks: usize) -> usize {
        if self == Shape::ManyQueues { (tasks / TASKS_PER_QUEUE).max(1) } else { 1 }
    }
}

pub(super) fn closed_key(number: usize) -> String {
    format!("closed-{number}")
}

fn queue(number: usize) -> String {
    if number == 0 { QUEUE.to_owned() } else { format!("{QUEUE}{number}") }
}
