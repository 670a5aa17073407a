//! What waits for the workers of each pool: how many tasks could start now if it had workers without end, and of which kinds
//! the next ones are. Counted from the book, at most ten times a second; changes nothing.

use std::collections::BTreeMap;

use crate::book::{Book, LaneKey};
use crate::lane::Lane;
use crate::store::Store;
use crate::task::{Now, PoolId};

/// From one count to the next, unless there was nothing and now is something, or the other way round.
pub const LOOK_EVERY_US: i64 = 100_000;
/// Tasks at the head of a queue whose kinds are told.
const KINDS_OF: u64 = 64;
/// Keys of a queue that are looked at; of more, only what stands in line counts.
const LANES_MAX: usize = 2_000;
/// Tasks of a queue that are let through one by one to see how many its meters let through: more workers no pool has.
const METERED_MAX: u64 = 256;

/// What waits for one pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub pool: PoolId,
    pub tasks: u64,
    /// Of the first tasks of each of its queues.
    pub kinds: BTreeMap<String, u64>,
}

/// When it was looked, and what was told then.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Looked {
    at_us: Option<i64>,
    /// Something has changed since.
    stale: bool,
    told: BTreeMap<PoolId, Backlog>,
}

impl Looked {
    /// Pools may serve other queues: it is looked at once, and each is told what is other than what it was told.
    pub(crate) fn anew(&self) -> Looked {
        Looked { at_us: None, ..self.clone() }
    }
}

/// What is new, and after how many microseconds it is to be looked again at the latest.
pub(crate) fn look(store: &mut Store, book: &mut Book, now: Now, changed: bool) -> (Vec<Backlog>, Option<i64>) {
    let pools = (0..book.policies.pools.len()).map(PoolId);
    book.looked.stale |= changed;
    let turned = |pool: &PoolId| has_some(book, *pool) != book.looked.told.get(pool).is_some_and(|told| told.tasks > 0);
    let since_us = book.looked.at_us.map_or(i64::MAX, |at_us| now.mono_us.saturating_sub(at_us));
    if since_us < LOOK_EVERY_US && !pools.clone().any(|pool| turned(&pool)) {
        return (Vec::new(), book.looked.stale.then_some(LOOK_EVERY_US - since_us));
    }
    let mut news = Vec::new();
    for pool in pools {
        let backlog = of_pool(store, book, pool, now);
        if book.looked.told.get(&pool).map_or(backlog.tasks > 0, |told| *told != backlog) {
            book.looked.told.insert(pool, backlog.clone());
            news.push(backlog);
        }
    }
    (book.looked.at_us, book.looked.stale) = (Some(now.mono_us), false);
    (news, None)
}

/// Without a count: whether anything stands in line that its queue lets start. Meters aside.
fn has_some(book: &Book, pool: PoolId) -> bool {
    let stands = |queue: &String| book.rows().ready.contains_key(queue) && !is_held(book, queue);
    book.policies.pools[pool.0].queues.iter().any(stands)
}

fn is_held(book: &Book, queue: &str) -> bool {
    book.rows().queues.get(queue).is_some_and(|line| line.hold(book.policies.queue(queue)).is_some())
}

fn of_pool(store: &mut Store, book: &Book, pool: PoolId, now: Now) -> Backlog {
    let mut backlog = Backlog { pool, ..Backlog::default() };
    for queue in &book.policies.pools[pool.0].queues {
        let tasks = startable(store, book, queue, now);
        if tasks == 0 {
            continue;
        }
        backlog.tasks += tasks;
        // Only of use to guess how long they take: what cannot be read now is told with the next look.
        for (kind, count) in store.head_kinds(queue, KINDS_OF).unwrap_or_default() {
            *backlog.kinds.entry(kind).or_insert(0) += count;
        }
    }
    backlog
}

/// Tasks of a queue that could start now, by the same words by which claims decide it.
fn startable(store: &mut Store, book: &Book, queue: &str, now: Now) -> u64 {
    let ready = book.rows().ready.get(queue).copied().unwrap_or(0);
    if ready == 0 || is_held(book, queue) {
        return 0;
    }
    let policy = book.policies.queue(queue);
    let line = book.rows().queues.get(queue).cloned().unwrap_or_default();
    let free = policy.limit.map_or(u64::MAX, |limit| u64::from(limit).saturating_sub(line.running));
    let mut tasks = ready;
    if line.waiting > 0 {
        let lanes = book.rows().lanes.range((queue.to_owned(), String::new())..);
        let own = lanes.take_while(|(key, _)| key.0 == queue).take(LANES_MAX);
        tasks += own.map(|(key, lane)| behind(book, key, lane)).sum::<u64>();
    }
    let tasks = tasks.min(free);
    if policy.rates.is_empty() {
        return tasks;
    }
    let cost = store.head_costs(queue, 1).ok().and_then(|costs| costs.into_iter().next()).unwrap_or_default();
    let mut line = line;
    line.settle_meters(&policy.rates, book.meters_us(now));
    let mut let_through = 0;
    while let_through < tasks.min(METERED_MAX) && line.metered(&policy.rates, &cost).is_none() {
        for (meter, rate) in line.meters.iter_mut().zip(&policy.rates) {
            meter.charge(rate, rate.cost_of(&cost));
        }
        let_through += 1;
    }
    let_through
}

/// Tasks of a key that could start and do not stand in line yet.
fn behind(book: &Book, key: &LaneKey, lane: &Lane) -> u64 {
    let policy = book.policies.queue(&key.0);
    lane.free(policy, &key.1).saturating_sub(lane.admitted.len() as u64).min(lane.waiting)
}
