//! What is closed on the way to a claim, in its order: the key, the queue, its meters, its pools.

use std::collections::BTreeMap;

use crate::book::{Book, LaneKey};
use crate::hold::{Debit, Hold};
use crate::plan::serving;
use crate::store::{Store, StoreError};
use crate::task::{Now, PoolId};

type Result<T> = std::result::Result<T, StoreError>;

/// A hold, and the words of whoever closed it, if there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub by: Hold,
    pub reason: String,
}

impl Held {
    pub(super) fn by(by: Hold) -> Held {
        Held { by, reason: String::new() }
    }

    pub(super) fn gate(store: &mut Store, by: Hold, key: &LaneKey) -> Result<Held> {
        Ok(Held { by, reason: store.gate_reason(key)?.unwrap_or_default() })
    }
}

pub(super) fn of_key(store: &mut Store, book: &Book, key: &LaneKey) -> Result<Option<Held>> {
    let hold = book.rows().lanes.get(key).and_then(|lane| lane.hold(book.policies.queue(&key.0), &key.1));
    Ok(match hold {
        Some(by @ Hold::KeyClosed(_)) => Some(Held::gate(store, by, key)?),
        other => other.map(Held::by),
    })
}

/// Of the queue itself: its gate or its limit.
pub(super) fn of_queue(store: &mut Store, book: &Book, queue: &str) -> Result<Option<Held>> {
    let hold = book.rows().queues.get(queue).and_then(|line| line.hold(book.policies.queue(queue)));
    Ok(match hold {
        Some(by @ Hold::QueueClosed(_)) => Some(Held::gate(store, by, &(queue.to_owned(), String::new()))?),
        other => other.map(Held::by),
    })
}

/// Of the meters of a queue, for a task whose start costs so much by its own word.
pub(super) fn of_meters(book: &Book, queue: &str, cost: &BTreeMap<String, u32>, now: Now) -> Option<Held> {
    let rates = &book.policies.queue(queue).rates;
    let mut line = book.rows().queues.get(queue)?.clone();
    line.settle_meters(rates, book.meters_us(now));
    let (place, at_us) = line.metered(rates, cost)?;
    let (rate, meter) = (&rates[place], &line.meters[place]);
    let (unit, allowed, per_us, debt) = (rate.unit.clone(), rate.allowed, rate.per_us, meter.debt());
    Some(Held::by(Hold::Meter(Debit { unit, allowed, per_us, debt, opens_at_us: book.meter_wall_us(at_us, now) })))
}

pub(super) fn of_pools(book: &Book, queue: &str) -> Option<Held> {
    let pools: Vec<PoolId> = serving(&book.policies.pools, queue).collect();
    let has_slot = |pool: &PoolId| book.rows().credits.get(pool).is_some_and(|free| *free > 0);
    match () {
        () if pools.is_empty() => Some(Held::by(Hold::NoPool)),
        () if pools.iter().any(has_slot) => None,
        () => Some(Held::by(Hold::Pools(pools))),
    }
}
