//! How many tasks stand before one, as claims would take them now.

use std::collections::BTreeMap;

use crate::book::{Book, LaneKey};
use crate::lane::{Entry, Lane, TURN};
use crate::policy::{Order, QueuePolicy};
use crate::store::{Store, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Tasks that are counted, at most.
pub const BEFORE_MAX: u64 = 10_000;
/// Lanes that are looked at, at most.
pub const LANES_MAX: usize = 2_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub count: u64,
    /// Only those of its own key are counted, since it is that which waits.
    pub of_key: bool,
    /// There may be more.
    pub is_least: bool,
}

/// Those of its own key before a task that stands in a lane, or in `ready` for it.
pub(super) fn of_key(store: &mut Store, book: &Book, key: &LaneKey, entry: Entry) -> Result<Before> {
    let Some(lane) = book.rows().lanes.get(key) else { return Ok(Before { of_key: true, ..Before::default() }) };
    let admitted = lane.admitted.range(..entry).count() as u64;
    let count = admitted + store.lane_before(key, entry, BEFORE_MAX)?;
    Ok(Before { count, of_key: true, is_least: count >= BEFORE_MAX })
}

/// Those before a task in its queue, whatever their key. Keys that may start nothing now are in nobody's way.
pub(super) fn of_queue(
    store: &mut Store,
    book: &Book,
    queue: &str,
    key: Option<&LaneKey>,
    entry: Entry,
) -> Result<Before> {
    let lanes = &book.rows().lanes;
    let own = key.and_then(|key| lanes.get(key).map(|lane| (key, lane)));
    let (mut count, place) = match own {
        Some((key, lane)) if !lane.admitted.contains_key(&entry) => {
            let before = store.lane_before(key, entry, BEFORE_MAX)?;
            (before, place_in_lane(book, key, lane, entry, before))
        }
        Some((_, lane)) => (0, lane.admitted[&entry]),
        None => (0, entry.rank),
    };
    count += store.ready_before(queue, Entry { rank: place, id: entry.id }, BEFORE_MAX)?;
    let policy = book.policies.queue(queue);
    let others = of_lanes(lanes, queue)
        .take(LANES_MAX)
        .filter(|(other, lane)| Some(*other) != key && lane.waiting > 0 && lane.hold(policy, &other.1).is_none());
    for (other, lane) in others {
        if count >= BEFORE_MAX {
            break;
        }
        count += match policy.order {
            Order::Rank => store.lane_before(other, entry, BEFORE_MAX - count)?,
            Order::Fair => turns_before(lane, policy, &other.1, turn(book, queue), place),
        };
    }
    let is_least = count >= BEFORE_MAX || of_lanes(lanes, queue).nth(LANES_MAX).is_some();
    Ok(Before { count, of_key: false, is_least })
}

pub(super) fn of_lanes<'a>(
    lanes: &'a BTreeMap<LaneKey, Lane>,
    queue: &'a str,
) -> impl Iterator<Item = (&'a LaneKey, &'a Lane)> {
    lanes.range((queue.to_owned(), String::new())..).take_while(move |(key, _)| key.0 == queue)
}

fn turn(book: &Book, queue: &str) -> i64 {
    book.rows().queues.get(queue).map_or(0, |line| line.turn)
}

/// The rank that a task will have in `ready`, behind so many of its lane.
fn place_in_lane(book: &Book, key: &LaneKey, lane: &Lane, entry: Entry, before: u64) -> i64 {
    let policy = book.policies.queue(&key.0);
    match policy.order {
        Order::Rank => entry.rank,
        Order::Fair => {
            let turns = i64::try_from(before).unwrap_or(i64::MAX);
            lane.next_turn.max(turn(book, &key.0)) + turns * (TURN / i64::from(policy.weight(&key.1)))
        }
    }
}

/// Of those that wait in a lane of a fair queue, how many have their turn before this one.
fn turns_before(lane: &Lane, policy: &QueuePolicy, key: &str, now_turn: i64, place: i64) -> u64 {
    let stride = TURN / i64::from(policy.weight(key));
    let first = lane.next_turn.max(now_turn);
    let turns = (place.saturating_sub(first) + stride - 1).max(0) / stride;
    turns.unsigned_abs().min(lane.waiting)
}
