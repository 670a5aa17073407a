//! Life cycles by the tick alone, as the writer thread runs it: no process, no socket, no frame.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail, ensure};
use queue_core::book::Book;
use queue_core::op::{Demand, Notice, Op, RunKey};
use queue_core::policy::{Policies, PoolPolicy};
use queue_core::store::{Durability, Place, Store};
use queue_core::task::{Ending, NewTask, Now, Outcome, PoolId};
use queue_core::tick::{Turn, tick};

use super::worker::NOOP;

pub(super) struct Ticks {
    store: Store,
    book: Book,
    started: Instant,
    random: fastrand::Rng,
    args: Vec<u8>,
    result: Vec<u8>,
}

impl Ticks {
    pub(super) fn open(db: &Path, args: Vec<u8>, result: Vec<u8>) -> Result<Ticks> {
        let mut store = Store::open(Place::File(db.to_owned()), Durability::Full)?;
        let pools = vec![PoolPolicy { name: NOOP.to_owned(), queues: vec![NOOP.to_owned()], weights: Vec::new() }];
        let started = Instant::now();
        let book = store.book(Policies { pools, ..Policies::default() }, now(started))?;
        Ok(Ticks { store, book, started, random: fastrand::Rng::new(), args, result })
    }

    /// Enqueues `size` tasks in one turn.
    pub(super) fn enqueue(&mut self, size: usize) -> Result<Duration> {
        let new =
            NewTask { kind: NOOP.to_owned(), queue: NOOP.to_owned(), args: self.args.clone(), ..NewTask::default() };
        let ops = vec![Op::Enqueue(new); size];
        Ok(self.turn(&ops, &[])?.1)
    }

    /// Enqueues, claims and completes `size` tasks, a turn each; more than a turn may claim is claimed in several.
    pub(super) fn cycle(&mut self, size: usize) -> Result<Duration> {
        let mut took = self.enqueue(size)?;
        let mut demand = vec![Demand { pool: PoolId(0), credits: i64::try_from(size)? }];
        let mut runs = Vec::with_capacity(size);
        while runs.len() < size {
            let (turn, claiming) = self.turn(&[], &demand)?;
            ensure!(!turn.notices.is_empty(), "only {} of {size} tasks could be claimed", runs.len());
            runs.extend(turn.notices.into_iter().filter_map(claimed));
            demand.clear();
            took += claiming;
        }
        let ops: Vec<Op> = runs.into_iter().map(|run| self.finish(run)).collect();
        Ok(took + self.turn(&ops, &[])?.1)
    }

    fn finish(&self, run: RunKey) -> Op {
        let ending = Ending { result: self.result.clone(), ..Ending::bare(Outcome::Ok, "") };
        Op::Finish { run, ending, refill: None }
    }

    fn turn(&mut self, ops: &[Op], demand: &[Demand]) -> Result<(Turn, Duration)> {
        let now = now(self.started);
        let start = Instant::now();
        let turn = tick(&mut self.store, &mut self.book, ops, demand, now, &mut || self.random.u64(..))?;
        Ok((turn, start.elapsed()))
    }

    pub(super) fn check(mut self) -> Result<()> {
        let mut found = self.store.check_rows()?;
        found.extend(self.store.check_book(&self.book)?);
        if found.is_empty() { Ok(()) } else { bail!("the tick left {found:?}") }
    }
}

fn claimed(notice: Notice) -> Option<RunKey> {
    match notice {
        Notice::Claimed(claimed) => Some(claimed.run),
        _ => None,
    }
}

fn now(started: Instant) -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let us = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Now { wall_us: us(wall), mono_us: us(started.elapsed()) }
}
