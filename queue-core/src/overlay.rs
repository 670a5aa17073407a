//! The changes of one turn, not yet committed: folded into the book after the commit, or dropped. No SQL, no decision.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, Counts, LaneKey, QueueLine, Running};
use crate::lane::Lane;
use crate::plan::Turns;
use crate::task::{PoolId, TaskId};

/// `ready`, `counts` and `credits` hold differences; all others what is new.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) next_task: i64,
    pub(crate) next_worker: i64,
    pub(crate) counts: Counts,
    pub(crate) ready: BTreeMap<String, i64>,
    pub(crate) queues: BTreeMap<String, QueueLine>,
    pub(crate) lanes: BTreeMap<LaneKey, Lane>,
    /// Lanes that may have to admit or to send back.
    pub(crate) unsettled: BTreeSet<LaneKey>,
    /// Queues on whose meters something was charged.
    pub(crate) charged: BTreeSet<String>,
    /// Runs that have ended, by queue.
    pub(crate) ended: BTreeMap<String, u64>,
    pub(crate) running: BTreeMap<TaskId, Option<Running>>,
    pub(crate) credits: BTreeMap<PoolId, i64>,
    pub(crate) turns: BTreeMap<PoolId, Turns>,
    pub(crate) stale: u64,
    /// Rows were written: the turn is worth a commit.
    pub(crate) dirty: bool,
}

impl Overlay {
    pub(crate) fn over(book: &Book) -> Overlay {
        Overlay { next_task: book.rows().next_task, next_worker: book.rows().next_worker, ..Overlay::default() }
    }

    pub(crate) fn running<'a>(&'a self, book: &'a Book, id: TaskId) -> Option<&'a Running> {
        match self.running.get(&id) {
            Some(changed) => changed.as_ref(),
            None => book.rows().running.get(&id),
        }
    }

    pub(crate) fn add_ready(&mut self, queue: &str, change: i64) {
        match self.ready.get_mut(queue) {
            Some(count) => *count += change,
            None => drop(self.ready.insert(queue.to_owned(), change)),
        }
    }

    pub(crate) fn queue<'a>(&'a self, book: &'a Book, queue: &str) -> Option<&'a QueueLine> {
        self.queues.get(queue).or_else(|| book.rows().queues.get(queue))
    }

    pub(crate) fn queue_mut(&mut self, book: &Book, queue: &str) -> &mut QueueLine {
        if !self.queues.contains_key(queue) {
            let line = book.rows().queues.get(queue).cloned().unwrap_or_default();
            self.queues.insert(queue.to_owned(), line);
        }
        self.queues.get_mut(queue).expect("it was just put there")
    }

    pub(crate) fn lane_mut(&mut self, book: &Book, key: &LaneKey) -> &mut Lane {
        if !self.lanes.contains_key(key) {
            let lane = book.rows().lanes.get(key).cloned().unwrap_or_default();
            self.lanes.insert(key.clone(), lane);
        }
        self.lanes.get_mut(key).expect("it was just put there")
    }

    /// The claimable by queue.
    pub(crate) fn ready<'a>(&'a self, book: &'a Book) -> BTreeMap<&'a str, u64> {
        let mut ready: BTreeMap<&str, u64> =
            book.rows().ready.iter().map(|(queue, count)| (queue.as_str(), *count)).collect();
        for (queue, change) in &self.ready {
            let count = ready.entry(queue).or_insert(0);
            *count = count.saturating_add_signed(*change);
        }
        ready
    }

    pub(crate) fn credits(&self, book: &Book) -> BTreeMap<PoolId, i64> {
        let mut credits = book.rows().credits.clone();
        for (pool, change) in &self.credits {
            *credits.entry(*pool).or_insert(0) += change;
        }
        credits
    }

    pub(crate) fn refill(&mut self, pool: PoolId, credits: i64) {
        *self.credits.entry(pool).or_insert(0) += credits;
    }
}
