//! The in-memory mirror of what the tick needs to know without asking the rows: counters, credits, the next ids, and per
//! running task what `transition` needs. No SQL. Rebuilt from rows at start, checked against them by `doctor`.
//!
//! A turn works on an [`Overlay`] and folds it in after the commit, so that a turn that is rolled back never was.

use std::collections::BTreeMap;

use crate::plan::Turns;
use crate::policy::{Limits, Policies};
use crate::state::TaskState;
use crate::task::{Now, PoolId, Tally, TaskId};

/// A leased task.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    pub queue: String,
    pub rank: i64,
    pub tally: Tally,
    pub limits: Limits,
    /// How long it was available before the claim, by the queue clock.
    pub wait_us: i64,
    pub claimed_at_us: i64,
    /// A durable stop: it was cancelled and its processes are on their way out.
    pub cancelling: bool,
}

/// Tasks by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([i64; TaskState::ALL.len()]);

impl Counts {
    pub fn get(&self, state: TaskState) -> i64 {
        self.0[state as usize]
    }

    /// Tasks that are not final.
    pub fn unfinished(&self) -> i64 {
        TaskState::ALL.into_iter().filter(|state| !state.is_final()).map(|state| self.get(state)).sum()
    }

    pub fn add(&mut self, state: TaskState, change: i64) {
        self.0[state as usize] += change;
    }
}

/// How many tasks stand where, without a look at the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub counts: Counts,
    /// Queues that have a task available or running.
    pub queues: BTreeMap<String, QueueCensus>,
    /// Finishes that came too late, since the start.
    pub stale: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCensus {
    pub available: u64,
    pub running: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    pub policies: Policies,
    /// Changed only by folding in an overlay.
    rows: Mirror,
    /// The reading of the queue clock, and of the monotonic clock, at the last fold.
    clock_us: i64,
    clock_read_at_us: i64,
}

/// What mirrors rows, and what a turn may change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mirror {
    pub next_task: i64,
    pub next_worker: i64,
    pub counts: Counts,
    /// Claimable tasks by queue; queues without any are absent.
    pub ready: BTreeMap<String, u64>,
    pub running: BTreeMap<TaskId, Running>,
    pub credits: BTreeMap<PoolId, i64>,
    pub turns: BTreeMap<PoolId, Turns>,
    /// Finishes that came too late, since the start.
    pub stale: u64,
}

impl Book {
    pub fn new(policies: Policies, rows: Mirror, clock_us: i64, now: Now) -> Book {
        Book { policies, rows, clock_us, clock_read_at_us: now.mono_us }
    }

    pub fn rows(&self) -> &Mirror {
        &self.rows
    }

    /// How many tasks stand where.
    pub fn census(&self) -> Census {
        let mut queues: BTreeMap<String, QueueCensus> = BTreeMap::new();
        for (queue, count) in &self.rows.ready {
            queues.entry(queue.clone()).or_default().available = *count;
        }
        for running in self.rows.running.values() {
            queues.entry(running.queue.clone()).or_default().running += 1;
        }
        Census { counts: self.rows.counts, queues, stale: self.rows.stale }
    }

    /// The queue clock: time that a supervisor was up, so that a step of the wall clock reorders nothing.
    pub fn clock_us(&self, now: Now) -> i64 {
        self.clock_us + (now.mono_us - self.clock_read_at_us).max(0)
    }

    pub(crate) fn fold(&mut self, overlay: Overlay, now: Now) {
        self.clock_us = self.clock_us(now);
        self.clock_read_at_us = self.clock_read_at_us.max(now.mono_us);
        let rows = &mut self.rows;
        rows.next_task = overlay.next_task;
        rows.next_worker = overlay.next_worker;
        rows.stale += overlay.stale;
        for state in TaskState::ALL {
            rows.counts.add(state, overlay.counts.get(state));
        }
        for (queue, change) in overlay.ready {
            let count = rows.ready.get(&queue).copied().unwrap_or(0).checked_add_signed(change);
            match count.expect("more tasks left a queue than were in it") {
                0 => drop(rows.ready.remove(&queue)),
                count => drop(rows.ready.insert(queue, count)),
            }
        }
        for (id, running) in overlay.running {
            match running {
                Some(running) => drop(rows.running.insert(id, running)),
                None => drop(rows.running.remove(&id)),
            }
        }
        for (pool, change) in overlay.credits {
            *rows.credits.entry(pool).or_insert(0) += change;
        }
        rows.turns.extend(overlay.turns);
    }
}

/// The changes of one turn, not yet committed. Maps hold differences, except `running`, which holds what is new.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) next_task: i64,
    pub(crate) next_worker: i64,
    pub(crate) counts: Counts,
    pub(crate) ready: BTreeMap<String, i64>,
    pub(crate) running: BTreeMap<TaskId, Option<Running>>,
    pub(crate) credits: BTreeMap<PoolId, i64>,
    pub(crate) turns: BTreeMap<PoolId, Turns>,
    pub(crate) stale: u64,
    /// Rows were written: the turn is worth a commit.
    pub(crate) dirty: bool,
}

impl Overlay {
    pub(crate) fn over(book: &Book) -> Overlay {
        Overlay { next_task: book.rows.next_task, next_worker: book.rows.next_worker, ..Overlay::default() }
    }

    pub(crate) fn running<'a>(&'a self, book: &'a Book, id: TaskId) -> Option<&'a Running> {
        match self.running.get(&id) {
            Some(changed) => changed.as_ref(),
            None => book.rows.running.get(&id),
        }
    }

    pub(crate) fn add_ready(&mut self, queue: &str, change: i64) {
        match self.ready.get_mut(queue) {
            Some(count) => *count += change,
            None => drop(self.ready.insert(queue.to_owned(), change)),
        }
    }

    /// The claimable by queue.
    pub(crate) fn ready(&self, book: &Book) -> BTreeMap<String, u64> {
        let mut ready = book.rows.ready.clone();
        for (queue, change) in &self.ready {
            let count = ready.entry(queue.clone()).or_insert(0);
            *count = count.saturating_add_signed(*change);
        }
        ready
    }

    pub(crate) fn credits(&self, book: &Book) -> BTreeMap<PoolId, i64> {
        let mut credits = book.rows.credits.clone();
        for (pool, change) in &self.credits {
            *credits.entry(*pool).or_insert(0) += change;
        }
        credits
    }

    pub(crate) fn refill(&mut self, pool: PoolId, credits: i64) {
        *self.credits.entry(pool).or_insert(0) += credits;
    }
}
