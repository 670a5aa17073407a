//! A queue of a shape, filled by turns as a supervisor makes them, and the life cycles that are counted in it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use queue_core::book::Book;
use queue_core::op::{Demand, Notice, Op, RunKey};
use queue_core::store::{Durability, Place, Store};
use queue_core::task::{Ending, Now, Outcome, PoolId};
use queue_core::tick::{Turn, tick};

use super::shape::{QUEUE, Shape, closed_key};

/// Tasks of one turn while a queue is filled.
const FILL: usize = 1_000;
/// Tasks that are claimed in one turn.
const SLOTS: usize = 16;
const POOL: PoolId = PoolId(0);

pub(super) struct Filled {
    store: Store,
    book: Book,
    /// Of both clocks; a turn takes a millisecond of it.
    now_us: i64,
}

/// What life cycles have cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) steps_per_task: f64,
    pub(super) time_per_task: Duration,
}

impl Filled {
    pub(super) fn new(folder: &Path, shape: Shape, tasks: usize) -> Result<Filled> {
        let place = Place::File(folder.join(format!("{shape:?}-{tasks}.db")));
        let mut store = Store::open(place, Durability::Normal)?;
        let now_us = 1_800_000_000_000_000;
        let book = store.book(shape.policies(tasks), Now { wall_us: now_us, mono_us: now_us })?;
        let mut filled = Filled { store, book, now_us };
        for number in 0..shape.closed_keys(tasks) {
            let (queue, key) = (QUEUE.to_owned(), Some(closed_key(number)));
            filled.turn(&[Op::Pause { queue, key, for_us: None, reason: String::new() }], 0)?;
        }
        for first in (0..tasks).step_by(FILL) {
            let numbers = first..tasks.min(first + FILL);
            filled.turn(&[Op::EnqueueAll(numbers.map(|number| shape.task(number, tasks)).collect())], 0)?;
        }
        let mut left = shape.finished(tasks);
        while left > 0 {
            let ended = filled.cycle(left.min(500))?;
            left -= ended;
        }
        Ok(filled)
    }

    /// Claims and completes so many tasks, [`SLOTS`] in a turn.
    pub(super) fn measure(&mut self, cycles: usize) -> Result<Cost> {
        let (before, began, mut done) = (self.store.steps()?, Instant::now(), 0);
        while done < cycles {
            done += self.cycle(SLOTS)?;
        }
        let steps = self.store.steps()? - before;
        ensure!(steps > 0, "no step was counted");
        let per = |value: f64| value / done as f64;
        Ok(Cost { steps_per_task: per(steps as f64), time_per_task: began.elapsed().div_f64(done as f64) })
    }

    fn cycle(&mut self, count: usize) -> Result<usize> {
        let turn = self.turn(&[], i64::try_from(count)?)?;
        let runs: Vec<RunKey> = turn.notices.into_iter().filter_map(claimed).collect();
        ensure!(runs.len() == count, "{} of {count} tasks were claimed", runs.len());
        let finish = |run: &RunKey| Op::Finish { run: *run, ending: Ending::bare(Outcome::Ok, ""), refill: None };
        self.turn(&runs.iter().map(finish).collect::<Vec<_>>(), 0)?;
        Ok(count)
    }

    fn turn(&mut self, ops: &[Op], credits: i64) -> Result<Turn> {
        self.now_us += 1_000;
        let now = Now { wall_us: self.now_us, mono_us: self.now_us };
        Ok(tick(&mut self.store, &mut self.book, ops, &[Demand { pool: POOL, credits }], now, &mut || 7)?)
    }

    pub(super) fn check(mut self) -> Result<()> {
        let mut found = self.store.check_rows()?;
        found.extend(self.store.check_book(&self.book)?);
        ensure!(found.is_empty(), "the turns left {found:?}");
        Ok(())
    }
}

fn claimed(notice: Notice) -> Option<RunKey> {
    if let Notice::Claimed(claimed) = notice { Some(claimed.run) } else { None }
}
