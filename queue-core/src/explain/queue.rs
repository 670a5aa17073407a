//! Why a queue as a whole starts nothing, and which of its keys wait.

use super::before::{LANES_MAX, of_lanes};
use super::holds::{self, Held};
use crate::book::Book;
use crate::lane::Lane;
use crate::store::{Store, StoreError};
use crate::task::Now;

/// Keys that are told, at most: those of which most tasks wait.
pub const HELD_KEYS_MAX: usize = 5;

#[derive(Clone, Debug, PartialEq)]
pub struct QueueWait {
    pub queue: String,
    pub available: u64,
    pub running: u64,
    /// In the order in which its next task meets them; without any that is about to start.
    pub holds: Vec<Held>,
    pub keys: Vec<HeldKey>,
    /// Keys of it that are held back with tasks, or closed, and how many tasks that are.
    pub held_keys: u64,
    pub held_tasks: u64,
    /// There may be more of them.
    pub is_least: bool,
    /// Runs that end in a second, of late.
    pub pace_per_s: Option<f64>,
}

/// A key of which nothing may start.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldKey {
    pub key: String,
    pub waiting: u64,
    pub held: Held,
}

pub fn explain_queue(store: &mut Store, book: &Book, queue: &str, now: Now) -> Result<QueueWait, StoreError> {
    let rows = book.rows();
    let (running, in_lanes) = rows.queues.get(queue).map_or((0, 0), |line| (line.running, line.waiting));
    let cost = store.head_costs(queue, 1)?.pop().unwrap_or_default();
    let mut held = Vec::from_iter(holds::of_queue(store, book, queue)?);
    held.extend(holds::of_meters(book, queue, &cost, now));
    held.extend(holds::of_pools(book, queue));
    let policy = book.policies.queue(queue);
    let looked_at = of_lanes(&rows.lanes, queue).take(LANES_MAX);
    // A key at its limit with no further task holds nothing back; one that is closed may be forgotten otherwise.
    let holds_back = |lane: &Lane| lane.waiting > 0 || !lane.gate.is_open();
    let held_back = looked_at.filter(|(key, lane)| holds_back(lane) && lane.hold(policy, &key.1).is_some());
    let mut lanes: Vec<_> = held_back.collect();
    lanes.sort_by_key(|(key, lane)| (std::cmp::Reverse(lane.waiting), *key));
    let (held_keys, held_tasks) = (lanes.len() as u64, lanes.iter().map(|(_, lane)| lane.waiting).sum());
    let mut keys = Vec::new();
    for (key, lane) in lanes.into_iter().take(HELD_KEYS_MAX) {
        if let Some(held) = holds::of_key(store, book, key)? {
            keys.push(HeldKey { key: key.1.clone(), waiting: lane.waiting, held });
        }
    }
    Ok(QueueWait {
        queue: queue.to_owned(),
        available: rows.ready.get(queue).copied().unwrap_or(0) + in_lanes,
        running,
        holds: held,
        keys,
        held_keys,
        held_tasks,
        is_least: of_lanes(&rows.lanes, queue).nth(LANES_MAX).is_some(),
        pace_per_s: book.pace(queue, now),
    })
}
