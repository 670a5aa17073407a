//! The model of the writer thread around the real tick: what comes while a batch is in flight gathers, one message
//! answers each tick, and a supervisor may die just before a commit, or after it and before a word of it is said.

use queue_core::book::Book;
use queue_core::op::{Demand, Notice, Op, Reply};
use queue_core::tick::{Turn, tick};
use supervisor::config::Config;
use supervisor::core::Event;

use crate::world::{Happening, World};

/// Chance in percent of a crash at a commit, half of them just before it.
const CRASH_PERCENT: u64 = 1;
/// Old ends of runs that are kept to be replayed.
const OLD_ENDS_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct Writer {
    /// Each with the enqueuer that awaits its answer.
    pub(crate) ops: Vec<(Op, Option<usize>)>,
    demand: Vec<Demand>,
    in_flight: Option<Batch>,
    /// By the wall clock, from the last turn.
    next_due: Option<i64>,
    /// Comes into force between two turns.
    pub(crate) change: Option<Config>,
}

struct Batch {
    ops: Vec<Op>,
    askers: Vec<Option<usize>>,
    demand: Vec<Demand>,
    /// Once it is committed.
    turn: Option<Turn>,
}

impl Writer {
    pub(crate) fn at_start(book: &Book) -> Writer {
        // As a real writer does, it looks for what is due in its first turn.
        let waits = book.rows().next_task > 1;
        Writer { next_due: waits.then_some(i64::MIN / 2), ..Writer::default() }
    }

    /// When it must look for what is due, unless a batch is in flight.
    pub(crate) fn wakes_at(&self) -> Option<i64> {
        self.next_due.filter(|_| self.in_flight.is_none())
    }

    pub(crate) fn is_free(&self) -> bool {
        self.in_flight.is_none()
    }

    fn is_idle(&self) -> bool {
        self.is_free() && self.ops.is_empty()
    }

    /// Ends of runs that nobody will hear of: not committed when the supervisor dies.
    pub(crate) fn lost_ends(self) -> impl Iterator<Item = Op> {
        let unsaid = self.in_flight.filter(|batch| batch.turn.is_none()).map(|batch| batch.ops).unwrap_or_default();
        unsaid.into_iter().chain(self.ops.into_iter().map(|(op, _)| op)).filter(|op| matches!(op, Op::Finish { .. }))
    }
}

impl World {
    pub(crate) fn submit(&mut self, op: Op, asker: Option<usize>) {
        let Some(life) = &mut self.life else { return };
        life.writer.ops.push((op, asker));
        self.begin_batch(false);
    }

    pub(crate) fn demand(&mut self, demand: Demand) {
        let Some(life) = &mut self.life else { return };
        life.writer.demand.push(demand);
        self.begin_batch(false);
    }

    /// Sends off what waits, unless a batch is in flight. `due`: also when nothing does.
    pub(crate) fn begin_batch(&mut self, due: bool) {
        let delay_us = self.rng.between(50, 3_000);
        let Some(writer) = self.life.as_mut().map(|life| &mut life.writer) else { return };
        if writer.in_flight.is_some() || (writer.ops.is_empty() && writer.demand.is_empty() && !due) {
            return;
        }
        let (ops, askers) = std::mem::take(&mut writer.ops).into_iter().unzip();
        writer.in_flight = Some(Batch { ops, askers, demand: std::mem::take(&mut writer.demand), turn: None });
        self.after(delay_us, Happening::Commits);
    }

    pub(crate) fn commits(&mut self) {
        let crash = !self.calm && self.rng.percent(CRASH_PERCENT);
        if crash && self.rng.percent(50) {
            return self.crashes("before a commit");
        }
        let now = self.clocks();
        let (life, rng) = (self.life.as_mut().unwrap(), &mut self.rng);
        let batch = life.writer.in_flight.as_mut().unwrap();
        let turn = tick(&mut self.store, &mut life.book, &batch.ops, &batch.demand, now, &mut || rng.word()).unwrap();
        life.writer.next_due = turn.next_turn(now);
        let ops = batch.ops.clone();
        batch.turn = Some(turn.clone());
        self.committed(&ops, &turn);
        if crash {
            return self.crashes("after a commit, before a word of it was said");
        }
        let delay_us = self.rng.between(20, 2_000);
        self.after(delay_us, Happening::Answers);
    }

    /// Holds a committed turn against the ledger and against what really happened.
    pub(crate) fn committed(&mut self, ops: &[Op], turn: &Turn) {
        self.note(format_args!("committed: {ops:?} -> {turn:?}"));
        self.ledger.committed(ops, turn);
        self.waits.check(self.ledger.running_places());
        for (op, reply) in ops.iter().zip(&turn.replies) {
            self.sayings.committed(op, reply);
            self.waits.committed(op, reply);
            if let (Op::Finish { run, ending, .. }, Reply::Applied) = (op, reply) {
                self.truth.check(*run, ending, self.now);
                self.remember(op.clone());
            }
        }
        self.waits.opens(self.clocks().wall_us);
        for notice in &turn.notices {
            match notice {
                Notice::Claimed(claimed) => {
                    self.waits.claimed(self.ledger.place(claimed.run.task));
                    let timeout_at = claimed.timeout_ms.map(|ms| self.now + ms * 1_000);
                    self.truth.claimed(claimed.run, timeout_at);
                }
                Notice::StopWanted(run) => self.truth.cancelled(*run),
                Notice::Finished { .. }
                | Notice::Returned { .. }
                | Notice::Noted { .. }
                | Notice::Overspent { .. }
                | Notice::Logged(_) => {}
            }
        }
    }

    pub(crate) fn remember(&mut self, end: Op) {
        if self.old_ends.len() == OLD_ENDS_MAX {
            self.old_ends.remove(0);
        }
        self.old_ends.push(end);
    }

    pub(crate) fn answers(&mut self) {
        let batch = self.life.as_mut().and_then(|life| life.writer.in_flight.take()).unwrap();
        let turn = batch.turn.unwrap();
        for (reply, asker) in turn.replies.iter().zip(batch.askers) {
            let Some(asker) = asker else { continue };
            self.enqueuers[asker].hears(reply);
            let pause_us = self.load.pause_us(&mut self.rng);
            self.after(pause_us, Happening::Asks(asker));
        }
        for notice in turn.notices {
            self.tell_machine(Event::Notice(notice));
        }
        for backlog in turn.backlogs {
            self.tell_machine(Event::Backlog(backlog));
        }
        self.changes();
        self.begin_batch(turn.more);
        if self.life.as_ref().is_some_and(|life| life.finished && life.writer.is_idle()) {
            self.is_over();
        }
    }

    /// An end that was said before is said again, or comes late from a former life: it is stale.
    pub(crate) fn replays(&mut self) {
        if self.calm {
            return;
        }
        if !self.old_ends.is_empty() && self.life.is_some() {
            let mut old = self.rng.pick(&self.old_ends).clone();
            if let Op::Finish { refill, .. } = &mut old {
                *refill = None;
            }
            self.submit(old, None);
        }
        let next = self.rng.between(100_000, 10_000_000);
        self.after(next, Happening::Replays);
    }
}
